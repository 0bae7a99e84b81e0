// fades_test.cpp: a stop fades the sound out, and the next start fades it in, if somebody hears the device.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/midi.hpp>

#include "step_device.hpp"

namespace cueline::test {
namespace {

/// Renders 1 on all channels.
class OnesProcessor final : public Processor {
  public:
    void prepare(const Format&) override {}
    Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { return true; }
    void render(const AudioBlock& block, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
        for (float* const channel : block.outputs) std::fill_n(channel, block.frames, 1.0F);
    }
};

/// Runs blocks of eight frames on a thread, one after the other, from start() to stop(). Keeps those that fade, and the
/// last one. Two blocks take 16 seconds by its format, so that a stop waits for its fade on a busy machine too.
class FreeDevice final : public Device {
  public:
    [[nodiscard]] std::string_view name() const noexcept override { return "free"; }
    [[nodiscard]] Format format() const noexcept override {
        return {.samplerate = 1'000, .outputs = 2, .blocksize = 8'000};
    }
    void start(BlockCallback& callback) override {
        stopping = false;
        started = &callback;
        thread = std::thread{[this, &callback] {
            do run(callback);
            while (!stopping);
        }};
    }
    void stop() noexcept override {
        stopping = true;
        if (!thread.joinable()) return;
        thread.join();
        run(*started);  // as a device may that is about to stop
    }
    [[nodiscard]] bool is_heard() const noexcept override { return true; }
    [[nodiscard]] DeviceStats stats() const noexcept override { return {}; }

    std::vector<std::vector<float>> fading;
    std::vector<float> last;

  private:
    void run(BlockCallback& callback) {
        std::vector<float> left(8, 9.0F);
        std::vector<float> right(8, 9.0F);
        const std::vector<float*> channels{left.data(), right.data()};
        const Message note = Message::of(NoteOn{60, 1});  // somebody plays on and on
        callback.take_midi({&note, 1});
        callback.process({.outputs = channels, .frames = 8}, 1);
        EXPECT_EQ(left, right);
        if (left.front() != left.back()) fading.push_back(left);
        last = left;
    }

    std::atomic<bool> stopping = false;
    BlockCallback* started = nullptr;
    std::thread thread;
};

using Blocks = std::vector<std::vector<float>>;
std::vector<float> falling() {
    return {0.875F, 0.75F, 0.625F, 0.5F, 0.375F, 0.25F, 0.125F, 0.0F};
}
std::vector<float> rising() {
    return {0.125F, 0.25F, 0.375F, 0.5F, 0.625F, 0.75F, 0.875F, 1.0F};
}

/// An engine on a free device, which was stopped while it played.
class FadedOut : public testing::Test {
  protected:
    FadedOut() : FadedOut{std::make_unique<FreeDevice>()} {}
    explicit FadedOut(std::unique_ptr<FreeDevice> opened)
        : device{*opened}, engine{std::move(opened), std::make_unique<OnesProcessor>()} {
        play_a_block();
        engine.stop();
    }

    void play_a_block() {
        const std::uint64_t before = engine.now();
        engine.start();
        while (engine.now() == before) std::this_thread::yield();
    }

    const FreeDevice& device;
    Engine engine;
};

TEST_F(FadedOut, a_stop_fades_one_block_out_and_the_next_start_fades_one_in) {
    EXPECT_EQ(device.fading, (Blocks{falling()}));
    EXPECT_EQ(device.last.back(), 0.0F);
    play_a_block();
    engine.close();
    EXPECT_EQ(device.fading, (Blocks{falling(), rising(), falling()}));
}

TEST_F(FadedOut, blocks_after_the_fade_are_silent_and_do_not_count) {
    const std::uint64_t frames = engine.stats().frames;
    EXPECT_EQ(frames, 8 * engine.stats().blocks);
    EXPECT_EQ(device.last.back(), 0.0F);
    EXPECT_EQ(engine.stats().midi.dropped, 0U) << "what is played after a stop is no loss";
}

TEST(Fades, a_stop_does_not_wait_for_a_device_that_makes_no_blocks) {
    auto opened = std::make_unique<StepDevice>(Format{.blocksize = 64}, true);
    Engine engine{std::move(opened), std::make_unique<OnesProcessor>()};
    engine.start();
    engine.stop();  // comes back
    engine.start();
    engine.close();
}

TEST(Fades, a_stop_of_a_device_that_nobody_hears_leaves_the_sound_as_it_is) {
    auto opened = std::make_unique<StepDevice>(Format{.blocksize = 64}, false);
    StepDevice& device = *opened;
    Engine engine{std::move(opened), std::make_unique<OnesProcessor>()};
    engine.start();
    EXPECT_EQ(device.run(), std::vector<float>(64, 1.0F));
    engine.stop();
    engine.start();
    EXPECT_EQ(device.run(), std::vector<float>(64, 1.0F));
}

}  // namespace
}  // namespace cueline::test
