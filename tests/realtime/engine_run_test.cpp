// engine_run_test.cpp: an engine with all that its audio thread can meet. An ordinary build checks its counters.
// RealtimeSanitizer (`make rtsan`) checks that every call on the way is real-time safe.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/midi_map.hpp>

#include "devices/null_device.hpp"
#include "devices/offline_device.hpp"
#include "ring_checks.hpp"

namespace cueline::test {
namespace {

/// Accepts every kind, and answers each with an event of the same kind that carries the sum of the payload.
class EveryKindProcessor final : public Processor {
  public:
    void prepare(const Format&) override {}
    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        std::uint64_t sum = 0;
        for (const std::byte byte : command.payload) sum += std::to_integer<std::uint64_t>(byte);
        context.events().send(command.kind, sum, command);
        handled_.add(1);
        return true;
    }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        quiet_.render(block, context);
    }
    [[nodiscard]] std::uint64_t handled() const { return handled_.get(); }

  private:
    SilenceProcessor quiet_;
    Counter handled_;
};

/// An engine, and a way to let it run for about one block on any device.
struct Bench {
    std::unique_ptr<Engine> engine;
    const EveryKindProcessor* processor = nullptr;
    OfflineDevice* offline = nullptr;  // null if the device runs by itself

    void pass_a_block() const {
        if (offline == nullptr) {
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
            return;
        }
        std::vector<float> samples(std::size_t{64} * 2);
        offline->render(samples);
    }
};

constexpr Format small_blocks{.samplerate = 48000, .outputs = 2, .blocksize = 64};

Bench null_bench() {
    Bench bench;
    auto processor = std::make_unique<EveryKindProcessor>();
    bench.processor = processor.get();
    bench.engine = std::make_unique<Engine>(std::make_unique<NullDevice>(small_blocks), std::move(processor));
    return bench;
}

Bench offline_bench() {
    Bench bench;
    auto processor = std::make_unique<EveryKindProcessor>();
    bench.processor = processor.get();
    auto device = std::make_unique<OfflineDevice>(small_blocks);
    bench.offline = device.get();
    bench.engine = std::make_unique<Engine>(std::move(device), std::move(processor));
    return bench;
}

class EngineRun : public testing::TestWithParam<Bench (*)()> {
  protected:
    EngineRun() { bench_.engine->start(); }

    [[nodiscard]] Line& control() const { return bench_.engine->control(); }
    [[nodiscard]] EngineStats stats() const { return bench_.engine->stats(); }

    /// Calls `send` again and again, whenever the command ring has room, and drains the events.
    template <class Send>
    void send_surely(Send send) {
        while (send() == Status::full) drain();
    }
    void drain() {
        bench_.pass_a_block();
        Message event;
        while (control().receive(event) == Status::ok) ++received_;
    }
    /// Waits until all commands have been read, without the pings. The events stay in their ring.
    void let_it_read_all() {
        while (stats().unhandled + bench_.processor->handled() < stats().commands.sent) bench_.pass_a_block();
    }

    Bench bench_ = GetParam()();
    std::uint64_t received_ = 0;
};

TEST_P(EngineRun, answers_thousands_of_pings) {
    constexpr std::uint64_t pings = 5000;
    for (std::uint64_t sent = 0; sent < pings; ++sent) {
        send_surely([this] { return control().ping(); });
    }
    // If this thread is held up while the audio thread runs on, the event ring fills, and pongs are dropped.
    while (received_ + stats().events.dropped < pings) drain();
    EXPECT_EQ(received_, stats().events.sent);
    EXPECT_EQ(stats().events.sent + stats().events.dropped, pings);
    if (bench_.offline != nullptr) {
        EXPECT_EQ(stats().events.dropped, 0U) << "here this thread runs the blocks";
    }
}

TEST_P(EngineRun, hands_each_kind_to_its_handler) {
    std::mt19937_64 random{seed()};
    constexpr auto is_the_engines = [](Kind kind) {
        return kind == kind::ping || (kind >= kind::cancel && kind <= kind::publish_buffer) ||
               kind == kind::unload_buffer || (kind >= cueline::kind::set_tempo && kind <= cueline::kind::unmap_midi);
    };
    constexpr std::uint64_t known_to_nobody = kind::first_processor - 19;  // kinds 0 to 63 without 19 of the engine
    std::array<std::byte, payload_bytes> payload{};
    const auto send = [&](Kind kind) {
        for (std::byte& byte : payload) byte = static_cast<std::byte>(random());
        send_surely([&] { return control().send(kind, payload); });
    };
    for (Kind kind = 0; kind < 1000; ++kind) {
        if (!is_the_engines(kind)) send(kind);
    }
    for (int count = 0; count < 1000; ++count) send(static_cast<Kind>(random() | kind::first_user));
    for (int bit = 8; bit < 16; ++bit) send(static_cast<Kind>(1U << bit));
    send(Kind{0xFFFF});
    let_it_read_all();
    EXPECT_EQ(stats().unhandled, known_to_nobody);
    EXPECT_EQ(bench_.processor->handled(), stats().commands.sent - known_to_nobody);
}

TEST_P(EngineRun, continues_with_full_event_and_command_rings) {
    for (int round = 0; round < 3; ++round) {
        while (control().send(kind::first_user, round) == Status::ok) {
        }
        let_it_read_all();
    }
    const EngineStats full = stats();
    EXPECT_GT(full.commands.dropped, 0U);
    EXPECT_EQ(full.events.sent, 1024U);
    EXPECT_EQ(full.events.sent + full.events.dropped, full.commands.sent);
    EXPECT_GT(full.events.dropped, 1000U);
    const std::uint64_t blocks = full.blocks;
    while (stats().blocks < blocks + 3) bench_.pass_a_block();
}

TEST_P(EngineRun, starts_and_stops_while_messages_flow) {
    for (int round = 0; round < 20; ++round) {
        for (int count = 0; count < 100; ++count) send_surely([this] { return control().ping(); });
        bench_.engine->stop();
        bench_.engine->start();
        drain();
    }
    while (received_ < 2000) drain();
    EXPECT_EQ(stats().events.sent, 2000U);
}

INSTANTIATE_TEST_SUITE_P(OnDevices, EngineRun, testing::Values(null_bench, offline_bench),
                         [](const auto& device) { return device.param == null_bench ? "null" : "offline"; });

}  // namespace
}  // namespace cueline::test
