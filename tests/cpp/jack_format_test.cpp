// jack_format_test.cpp: a JACK server that changes its format or connects late, on a fake JACK.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <cueline/engine/engine.hpp>
#include <cueline/engine_messages.hpp>

#include "fake_jack.hpp"
#include "patience.hpp"
#include "processors.hpp"
#include "refusal.hpp"

namespace cueline::test {
namespace {

/// Records the format that it is prepared for, and the thread. Throws if the test says so.
class Prepared final : public Processor {
  public:
    void prepare(const Format& format) override {
        prepared_by = std::this_thread::get_id();
        const std::scoped_lock lock{changing_};
        at_prepare_(format);
        prepared_for = format;
    }
    Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { return false; }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        wave_.render(block, context);
    }

    /// The next prepare() calls this. [any thread]
    void at_prepare(std::function<void(const Format&)> call) {
        const std::scoped_lock lock{changing_};
        at_prepare_ = std::move(call);
    }

    Format prepared_for;
    std::thread::id prepared_by;

  private:
    std::mutex changing_;
    std::function<void(const Format&)> at_prepare_ = [](const Format&) {};
    WaveProcessor wave_;
};

class JackFormat : public testing::Test {
  protected:
    FakeJack jack;
    std::unique_ptr<Prepared> own_processor = std::make_unique<Prepared>();
    Prepared& processor = *own_processor;
    Engine engine{jack.device(), std::move(own_processor)};

    Message event() {
        Message event;
        EXPECT_TRUE(eventually([&] { return engine.control().receive(event) == Status::ok; })) << "no event came";
        return event;
    }

    [[nodiscard]] std::uint64_t missed() const { return engine.stats().device_stats.missed_blocks; }

    /// The error of an engine whose processor throws at the server's next change.
    std::string lost_by(const std::function<void(const Format&)>& at_prepare) {
        engine.start();
        processor.at_prepare(at_prepare);
        jack.change_samplerate(96'000);
        EXPECT_EQ(event().kind, cueline::kind::device_lost);
        std::string why;
        EXPECT_TRUE(eventually(
            [&] { return (why = refusal<DeviceError>([&] { engine.require_usable(); })) != "not refused"; }));
        return why;
    }
};

TEST_F(JackFormat, the_sample_rate_is_followed) {
    engine.start();
    FakeJack::play(64);
    EXPECT_EQ(engine.block_time().samplerate, 48'000U);
    jack.change_samplerate(96'000);
    const Message changed = event();
    EXPECT_EQ(changed.kind, cueline::kind::format_changed);
    EXPECT_EQ(changed.as<FormatChanged>().samplerate, 96'000U);
    EXPECT_EQ(changed.as<FormatChanged>().blocksize, 64U);
    EXPECT_EQ(engine.format().samplerate, 96'000U);
    EXPECT_EQ(processor.prepared_for.samplerate, 96'000U);
    EXPECT_NE(processor.prepared_by, std::this_thread::get_id())
        << "the helper prepares, not the thread that JACK uses";
    ASSERT_TRUE(eventually([&] {
        FakeJack::play(64);
        return engine.block_time().samplerate == 96'000;
    }));
    const BlockTime time = engine.block_time();
    EXPECT_EQ(time.time_at(time.frame + 96'000), time.ns + ns_per_second);
}

TEST_F(JackFormat, no_block_has_a_sample_rate_that_the_processor_is_not_prepared_for) {
    engine.start();
    FakeJack::play(64);
    std::atomic<bool> may_prepare = false;
    processor.at_prepare([&](const Format&) { may_prepare.wait(false); });
    jack.change_samplerate(96'000);
    FakeJack::play(64);
    EXPECT_EQ(engine.stats().frames, 64U) << "the helper has not prepared yet";
    EXPECT_EQ(missed(), 1U);
    EXPECT_EQ(jack.heard().at(1), 0.0F);
    may_prepare = true;
    may_prepare.notify_all();
    EXPECT_EQ(event().kind, cueline::kind::format_changed);
    ASSERT_TRUE(eventually([&] {
        FakeJack::play(64);
        return engine.stats().frames > 64;
    }));
}

TEST_F(JackFormat, a_sample_rate_that_changes_while_the_engine_starts_is_followed) {
    jack.before_callbacks = [&] { jack.samplerate = 96'000; };
    engine.start();
    EXPECT_EQ(processor.prepared_for.samplerate, 96'000U);
    EXPECT_EQ(event().as<FormatChanged>().samplerate, 96'000U);
    FakeJack::play(64);
    EXPECT_EQ(engine.stats().frames, 64U);
}

TEST_F(JackFormat, a_block_size_that_changes_while_the_engine_starts_is_followed) {
    jack.before_callbacks = [&] { jack.blocksize = 256; };
    jack.before_connecting = [&] { jack.blocksize = 512; };  // after the device has read it
    engine.start();
    FakeJack::play(jack.blocksize);
    EXPECT_EQ(engine.stats().frames, 512U);
    EXPECT_EQ(missed(), 0U);
    EXPECT_EQ(event().as<FormatChanged>().blocksize, 256U);
    EXPECT_EQ(event().as<FormatChanged>().blocksize, 512U);
    EXPECT_EQ(engine.format().blocksize, 512U);
}

TEST_F(JackFormat, a_processor_that_cannot_follow_ends_the_audio_with_its_reason) {
    EXPECT_EQ(lost_by([](const Format&) { throw std::runtime_error{"that is too fast for me"}; }),
              "the processor could not prepare for the new sample rate of the JACK server: that is too fast for me");
}

TEST_F(JackFormat, a_processor_that_throws_no_exception_class_ends_only_the_audio) {
    EXPECT_EQ(lost_by([](const Format&) { throw 42; }),  // NOLINT(hicpp-exception-baseclass): the case
              "the processor could not prepare for the new sample rate of the JACK server: it threw something that is "
              "not a std::exception");
    processor.at_prepare([](const Format&) {});
    engine.start();
    FakeJack::play(64);
    EXPECT_EQ(engine.stats().frames, 64U) << "it comes back";
    EXPECT_EQ(processor.prepared_for.samplerate, 96'000U);
}

TEST_F(JackFormat, a_server_that_goes_back_to_what_the_processor_can_do_has_its_engine_back) {
    const auto refuse = [](const Format& format) {
        if (format.samplerate != 48'000 || format.blocksize > 64) throw std::runtime_error{"that is too much for me"};
    };
    lost_by(refuse);
    EXPECT_THROW(engine.start(), std::runtime_error);
    jack.change_samplerate(48'000);
    engine.start();
    FakeJack::play(128);
    EXPECT_EQ(engine.stats().frames, 128U) << "in pieces";
    engine.stop();
    engine.start();
    FakeJack::play(64);
    EXPECT_EQ(engine.stats().frames, 192U);
}

TEST_F(JackFormat, frames_count_from_the_first_block_that_the_connections_are_in) {
    int unheard = 0;
    const auto play_unheard = [&unheard] {
        FakeJack::play(64);
        ++unheard;
    };
    jack.before_connecting = play_unheard;
    jack.before_looking = play_unheard;
    jack.looks_until_connected = 3;
    engine.start();
    EXPECT_GT(unheard, 5) << "at two calls to connect, and at each look";
    EXPECT_EQ(engine.stats().frames, 0U);
    EXPECT_EQ(missed(), 0U) << "nobody misses them";
    FakeJack::play(64);
    EXPECT_EQ(engine.stats().frames, 64U);
    EXPECT_EQ(jack.heard().at(1), 0.001F) << "the wave begins here";
}

TEST_F(JackFormat, an_engine_whose_connections_never_show_starts_all_the_same) {
    jack.looks_until_connected = 1'000'000;
    engine.start();
    FakeJack::play(64);
    EXPECT_EQ(engine.stats().frames, 64U);
}

}  // namespace
}  // namespace cueline::test
