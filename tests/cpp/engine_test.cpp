// engine_test.cpp: the engine on the offline device, where the test runs every block.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine/open_device.hpp>
#include <cueline/engine/range.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/error.hpp>
#include <cueline/monotonic.hpp>

#include "devices/callback_load.hpp"
#include "devices/offline_device.hpp"
#include "processors.hpp"
#include "refusal.hpp"
#include "ring_checks.hpp"
#include "rule_breaking.hpp"
#include "step_device.hpp"
#include "system/own_thread.hpp"

namespace cueline::test {
namespace {

constexpr Format format{.samplerate = 48'000, .outputs = 2, .blocksize = 64};

/// An engine on an offline device that the test can reach.
struct Offline {
    explicit Offline(std::unique_ptr<Processor> processor = std::make_unique<WaveProcessor>(),
                     std::unique_ptr<Device> opened = std::make_unique<OfflineDevice>(format),
                     std::int64_t budget = default_budget)
        : device{opened.get()}, engine{std::move(opened), std::move(processor), budget} {
        engine.start();
    }

    std::vector<float> render(std::size_t frames) {  // NOLINT(readability-make-member-function-const): it plays on
        std::vector<float> audio(frames * format.outputs);
        device->render(audio);
        return audio;
    }
    std::vector<Message> events() {
        std::vector<Message> all;
        Message message;
        while (engine.control().receive(message) == Status::ok) all.push_back(message);
        return all;
    }

    Device* device;
    Engine engine;
};

TEST(Engine, answers_a_ping_with_its_sequence_frame_and_clock) {
    Offline offline;
    offline.render(640);
    ASSERT_EQ(offline.engine.control().ping(), Status::ok);
    offline.render(64);
    const std::vector<Message> events = offline.events();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].kind, cueline::kind::pong);
    EXPECT_EQ(events[0].sequence, 1U);
    EXPECT_EQ(events[0].frame, 640U);
    const auto pong = events[0].as<Pong>();
    EXPECT_GT(pong.sent_ns, 0U);
    EXPECT_GE(pong.block_ns, pong.sent_ns);
}

TEST(Engine, hands_the_users_kinds_to_the_processor) {
    Offline offline;
    offline.engine.control().send(kind::set_level, 0.25F);
    offline.render(64);
    const std::vector<Message> events = offline.events();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].kind, kind::level_was_set);
    EXPECT_EQ(events[0].as<float>(), 0.25F);
}

TEST(Engine, a_command_takes_effect_in_the_block_it_came_in) {
    Offline offline;
    Offline undisturbed;
    offline.engine.control().send(kind::set_level, 0.5F);
    const std::vector<float> quieter = offline.render(64);
    const std::vector<float> expected = undisturbed.render(64);
    for (std::size_t index = 0; index < expected.size(); ++index) ASSERT_EQ(quieter[index], expected[index] / 2);
}

TEST(Engine, keeps_its_own_kinds_from_the_processor) {
    /// Accepts every kind.
    class Greedy final : public Processor {
      public:
        void prepare(const Format&) override {}
        Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
            taken.add(1);
            return true;
        }
        void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
            quiet_.render(block, context);
        }
        Counter taken;

      private:
        SilenceProcessor quiet_;
    };
    auto greedy = std::make_unique<Greedy>();
    const Counter& taken = greedy->taken;
    Offline offline{std::move(greedy)};
    for (const Kind kind : std::array<Kind, 6>{0, 1, 2, 63, 64, 0xFFFF}) offline.engine.control().send(kind, 0);
    offline.render(64);
    EXPECT_EQ(taken.get(), 2U) << "kinds 64 and 0xFFFF";
    EXPECT_EQ(offline.engine.stats().unhandled, 3U) << "the engine handles the ping, and nothing handles the others";
}

TEST(Engine, counts_commands_of_unknown_kinds) {
    Offline offline;
    offline.engine.control().send(9999, 0);                 // unknown to the processor
    offline.engine.control().send(cueline::kind::pong, 0);  // a kind of cueline's, but no command
    offline.render(64);
    EXPECT_EQ(offline.engine.stats().unhandled, 2U);
    EXPECT_TRUE(offline.events().empty());
}

TEST(Engine, reads_no_more_than_its_budget_in_a_block) {
    Offline offline{std::make_unique<WaveProcessor>(), std::make_unique<StepDevice>(format), 3};
    for (int count = 0; count < 8; ++count) offline.engine.control().ping();
    for (const std::size_t answered : {3U, 3U, 2U, 0U}) {
        offline.render(64);
        EXPECT_EQ(offline.events().size(), answered);
    }
    EXPECT_EQ(offline.engine.stats().commands.high_water, 8U);
    EXPECT_EQ(offline.engine.stats().events.high_water, 3U);
    offline.render(640);  // a quiet block does not save its budget for later
    for (int count = 0; count < 8; ++count) offline.engine.control().ping();
    offline.render(64);
    EXPECT_EQ(offline.events().size(), 3U);
}

TEST(Engine, audio_goes_on_when_the_event_ring_is_full) {
    Offline offline;
    Offline undisturbed;
    std::vector<float> audio;
    std::vector<float> expected;
    const auto render_both = [&] {
        for (const float sample : offline.render(64)) audio.push_back(sample);
        for (const float sample : undisturbed.render(64)) expected.push_back(sample);
    };
    offline.engine.control().send(kind::flood, std::uint32_t{5000});
    render_both();
    EXPECT_EQ(offline.engine.stats().events.dropped, 5000U - 1024U);
    for (int block = 0; block < 20; ++block) {
        offline.engine.control().ping();
        render_both();
    }
    const EngineStats stats = offline.engine.stats();
    EXPECT_EQ(stats.events.sent, 1024U);
    EXPECT_EQ(stats.events.dropped, 5000U - 1024U + 20U);
    EXPECT_EQ(stats.events.high_water, 1024U);
    EXPECT_EQ(stats.commands.sent, 21U);
    EXPECT_EQ(stats.blocks, 21U);
    EXPECT_EQ(audio, expected);

    EXPECT_EQ(offline.events().size(), 1024U);
    offline.engine.control().ping();
    offline.render(64);
    EXPECT_EQ(offline.events().size(), 1U) << "when there is room again, pongs arrive";
}

/// Sends random messages between renders of random length. Returns all audio and all events.
std::pair<std::vector<float>, std::vector<Message>> random_session(std::uint64_t seed) {
    Offline offline;
    std::mt19937_64 random{seed};
    std::vector<float> audio;
    std::vector<Message> events;
    for (int round = 0; round < 200; ++round) {
        for (auto count = random() % 5; count > 0; --count) {
            offline.engine.control().send(kind::set_level, static_cast<float>(random() % 100) / 100);
        }
        for (const float sample : offline.render(random() % 200)) audio.push_back(sample);
        for (const Message& event : offline.events()) events.push_back(event);
    }
    return {audio, events};
}

bool same_events(const std::vector<Message>& left, const std::vector<Message>& right) {
    return left.size() == right.size() && std::memcmp(left.data(), right.data(), left.size() * sizeof(Message)) == 0;
}

/// Notes in each block how long a thread would sleep that began to wait then.
class NotesSleep final : public Processor {
  public:
    void prepare(const Format&) override {}
    Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { return false; }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        quiet_.render(block, context);
        if (engine != nullptr) sleep_ns = break_the_rule([this] { return engine->ns_until_news(); });
    }

    const Engine* engine = nullptr;
    std::uint64_t sleep_ns = 0;

  private:
    SilenceProcessor quiet_;
};

TEST(Engine, a_thread_that_waits_looks_just_after_the_next_block_begins) {
    const Format live{.samplerate = 48'000, .outputs = 1, .blocksize = 128};
    const std::uint64_t block_ns = duration_ns(live.blocksize, live.samplerate);
    auto made = std::make_unique<StepDevice>(live);
    const StepDevice& device = *made;
    const auto processor = std::make_shared<NotesSleep>();
    Engine engine{std::move(made), processor, default_budget};
    engine.start();
    std::vector<float> channel(live.blocksize);
    std::array<float*, 1> channels{channel.data()};
    const AudioBlock block{.outputs = channels, .frames = live.blocksize};

    // A block of the far future, so that it does not matter how long this test takes.
    const std::uint64_t began_ns = monotonic_ns() + std::uint64_t{3'600'000'000'000};
    processor->engine = &engine;
    device.callback().process(block, began_ns);
    EXPECT_LT(processor->sleep_ns, block_ns / 20) << "this block can still bring something";
    const std::uint64_t before_ns = monotonic_ns();
    const std::uint64_t sleep_ns = engine.ns_until_news();
    const std::uint64_t after_ns = monotonic_ns();
    EXPECT_GT(after_ns + sleep_ns, began_ns + block_ns) << "nothing comes before that";
    EXPECT_LT(before_ns + sleep_ns, began_ns + block_ns + block_ns / 50) << "the rest is for the wake-up";
    processor->engine = nullptr;
}

TEST(OfflineDevice, same_messages_give_bit_identical_audio_and_events) {
    const std::uint64_t run = seed();
    const auto [audio, events] = random_session(run);
    const auto [audio_again, events_again] = random_session(run);
    EXPECT_FALSE(events.empty());
    EXPECT_EQ(audio, audio_again);
    EXPECT_TRUE(same_events(events, events_again));
}

TEST(OfflineDevice, other_messages_give_other_audio_and_events) {
    const std::uint64_t run = seed();
    const auto [audio, events] = random_session(run);
    const auto [other_audio, other_events] = random_session(run + 1);
    EXPECT_NE(audio, other_audio);
    EXPECT_FALSE(same_events(events, other_events));
}

TEST(OfflineDevice, block_boundaries_do_not_change_the_audio) {
    Offline whole;
    Offline pieces;
    const std::vector<float> expected = whole.render(1000);
    std::vector<float> audio;
    for (const std::size_t frames : {1U, 64U, 65U, 0U, 370U, 500U}) {
        for (const float sample : pieces.render(frames)) audio.push_back(sample);
    }
    EXPECT_EQ(audio, expected);
    EXPECT_EQ(pieces.engine.stats().frames, 1000U);
    EXPECT_EQ(whole.engine.stats().blocks, 16U) << "15 full blocks and one of 40 frames";
}

TEST(OfflineDevice, interleaves_its_channels) {
    Offline offline;
    const std::vector<float> audio = offline.render(64);
    for (std::size_t frame = 1; frame < 64; ++frame) {
        EXPECT_NE(audio[frame * 2], 0.0F);
        EXPECT_EQ(audio[frame * 2], -audio[frame * 2 + 1]);
    }
}

TEST(OfflineDevice, lets_two_threads_render_in_turn) {
    constexpr std::uint64_t rounds = 100'000;
    Offline offline;
    std::atomic<int> ready = 0;
    const auto render_all = [&] {
        std::array<float, format.outputs> frame{};
        for (++ready; ready < 2;) std::this_thread::yield();
        for (std::uint64_t round = 0; round < rounds; ++round) offline.device->render(frame);
    };
    std::thread other{render_all};
    render_all();
    other.join();
    EXPECT_EQ(offline.engine.stats().blocks, 2 * rounds);
    EXPECT_EQ(offline.engine.stats().frames, 2 * rounds);
}

TEST(OfflineDevice, stops_between_two_blocks_while_another_thread_renders) {
    Offline offline;
    std::vector<float> audio(std::size_t{64'000} * format.outputs);
    std::size_t rendered = 0;
    std::thread renderer{[&] {
        try {
            do rendered = offline.device->render(audio);
            while (rendered == audio.size() / format.outputs);
        } catch (const DeviceError&) {
            rendered = 0;  // the stop came between two calls
        }
    }};
    while (offline.engine.stats().blocks == 0) std::this_thread::yield();
    offline.engine.stop();
    renderer.join();
    EXPECT_LT(rendered, audio.size() / format.outputs);
    EXPECT_EQ(rendered % format.blocksize, 0U);
}

TEST(OfflineDevice, measures_the_load_of_its_callback) {
    Offline offline;
    offline.render(6400);
    const DeviceStats stats = offline.engine.stats().device_stats;
    EXPECT_GT(stats.load_mean, 0.0);
    EXPECT_GE(stats.load_peak, stats.load_mean - 1e-6);
}

TEST(CallbackLoad, has_mean_and_peak) {
    CallbackLoad load;
    EXPECT_EQ(load.mean(), 0.0);
    EXPECT_EQ(load.peak(), 0.0);
    load.record(10, 100);
    load.record(30, 100);
    load.record(20, 100);
    EXPECT_DOUBLE_EQ(load.mean(), 0.2);
    EXPECT_DOUBLE_EQ(load.peak(), 0.3);
}

TEST(Engine, stays_closed) {
    Offline offline;
    offline.engine.close();
    offline.engine.close();
    offline.engine.stop();
    EXPECT_TRUE(offline.engine.closed());
    EXPECT_THROW(offline.engine.start(), ClosedError);
}

TEST(Engine, starts_again_on_the_event_that_its_device_was_lost) {
    /// Is lost as soon as it is started.
    class Fragile final : public Device {
      public:
        ~Fragile() override { stop(); }
        [[nodiscard]] std::string_view name() const noexcept override { return "fragile"; }
        [[nodiscard]] Format format() const noexcept override { return {}; }
        void start(BlockCallback& callback) override {
            ++starts;
            helper_.start("the fragile device", [&callback] { callback.lost("it broke"); });
        }
        void stop() noexcept override { helper_.join(); }
        [[nodiscard]] DeviceStats stats() const noexcept override { return {}; }
        std::atomic<int> starts = 0;

      private:
        OwnThread helper_;
    };
    auto fragile = std::make_unique<Fragile>();
    const Fragile& device = *fragile;
    Engine engine{std::move(fragile), std::make_unique<SilenceProcessor>()};
    engine.start();
    for (int round = 1; round <= 3000; ++round) {
        ASSERT_EQ(device.starts, round) << "the call of start() did nothing";
        Message event;
        while (engine.control().receive(event) != Status::ok) std::this_thread::yield();
        ASSERT_EQ(event.kind, cueline::kind::device_lost);
        engine.start();
    }
}

TEST(OfflineDevice, refuses_to_render_while_the_engine_is_stopped) {
    Offline offline;
    offline.engine.stop();
    try {
        offline.render(64);
        FAIL() << "it rendered";
    } catch (const DeviceError& error) {
        EXPECT_STREQ(error.what(), "the engine is stopped: call start() before render()");
    }
    offline.engine.start();
    EXPECT_NO_THROW(offline.render(64));
}

TEST(SilenceProcessor, renders_silence) {
    Offline offline{std::make_unique<SilenceProcessor>()};
    for (const float sample : offline.render(1000)) ASSERT_EQ(sample, 0.0F);
}

TEST(Refusals, name_the_range_and_the_number) {
    EXPECT_EQ(refusal<ArgumentError>([] { checked_format(999, 128, 0, 2); }),
              "samplerate must be from 1000 to 768000 frames a second, got 999");
    EXPECT_EQ(refusal<ArgumentError>([] { checked_format(48'000, 0, 0, 2); }),
              "blocksize must be from 1 to 8192 frames, got 0");
    EXPECT_EQ(refusal<ArgumentError>([] { checked_format(48'000, 128, 65, 2); }),
              "inputs must be from 0 to 64, got 65");
    EXPECT_EQ(refusal<ArgumentError>([] { checked_format(48'000, 128, 0, -1); }),
              "outputs must be from 0 to 64, got -1");
    EXPECT_EQ(refusal<ArgumentError>(
                  [] { Offline{std::make_unique<SilenceProcessor>(), std::make_unique<OfflineDevice>(format), -1}; }),
              "budget must be from 1 to 1024 messages a block, got -1");
    EXPECT_EQ(refusal<ArgumentError>([] {
                  std::vector<float> odd(65);
                  OfflineDevice{format}.render(odd);
              }),
              "render() needs a whole number of frames of 2 outputs, got 65 samples");
    EXPECT_EQ(refusal<ArgumentError>([] { open_device({.device = "null", .connect = false}); }),
              "connect is for device 'jack': leave it out, or request such a device");
    EXPECT_EQ(refusal<ArgumentError>([] { open_device({.device = "jack", .latency = "low"}); }),
              "latency is for PortAudio's devices: leave it out, or request such a device");
}

TEST(Refusals, do_not_include_the_ends_of_a_range) {
    EXPECT_EQ(refusal<ArgumentError>([] { checked_format(1000, 1, 0, 1); }), "not refused");
    EXPECT_EQ(refusal<ArgumentError>([] { checked_format(768'000, 8192, 64, 64); }), "not refused");
    EXPECT_EQ(refusal<ArgumentError>(
                  [] { Offline{std::make_unique<SilenceProcessor>(), std::make_unique<OfflineDevice>(format), 1024}; }),
              "not refused");
}

}  // namespace
}  // namespace cueline::test
