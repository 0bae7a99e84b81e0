// sealed_engine.hpp: a device whose blocks a sealed thread runs, and a fixture for such tests.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <string_view>
#include <vector>

#include <cueline/engine/engine.hpp>

#include "devices/audio_buffers.hpp"
#include "sanitizers.hpp"
#include "sealed_thread.hpp"

namespace cueline::test {

/// A device without a thread: the caller of run_block() runs its blocks. Its outputs come back as its inputs.
class HandDevice : public Device {
  public:
    [[nodiscard]] std::string_view name() const noexcept override { return "hand"; }
    [[nodiscard]] Format format() const noexcept override { return format_; }
    void start(BlockCallback& callback) override { callback_ = &callback; }
    void stop() noexcept override { callback_ = nullptr; }
    [[nodiscard]] DeviceStats stats() const noexcept override { return {}; }

    void run_block() noexcept CUELINE_NONBLOCKING {
        ++block_ns_;
        if (breaks_inputs_.load(std::memory_order_relaxed)) {  // relaxed: nothing else depends on it
            for (float* const input : buffers_.inputs()) {
                input[block_ns_ % format_.blocksize] = std::numeric_limits<float>::quiet_NaN();
            }
        }
        before_block(*callback_);
        const AudioBlock block = buffers_.block(format_.blocksize);
        callback_->process(block, block_ns_);
        after_block(*callback_, block);
        buffers_.loop_back(format_.blocksize);
    }

    /// From now on, one sample of each input is NaN in each block. [any thread]
    void break_inputs() noexcept { breaks_inputs_.store(true, std::memory_order_relaxed); }  // relaxed: see run_block()

  protected:
    /// What a device does around the engine's part of a block. [audio thread]
    virtual void before_block(BlockCallback&) noexcept CUELINE_NONBLOCKING {}
    virtual void after_block(BlockCallback&, const AudioBlock&) noexcept CUELINE_NONBLOCKING {}

  private:
    static constexpr std::array<std::uint32_t, 2> loopback{0, 1};

    Format format_{.samplerate = 48000, .inputs = 2, .outputs = 2, .blocksize = 64};
    AudioBuffers buffers_{format_, loopback};
    std::atomic<bool> breaks_inputs_ = false;
    BlockCallback* callback_ = nullptr;
    std::uint64_t block_ns_ = 0;
};

/// Calls `run_block` on a thread that is sealed once `warm_up` has returned, until `work` returns. Returns what the
/// blocks cost. `also_allowed` are further system calls.
inline Toll run_blocks_sealed(const std::function<void()>& run_block, const std::function<void()>& warm_up,
                              const std::function<void()>& work, const std::vector<int>& also_allowed = {}) {
    std::atomic<bool> warm = false;
    std::atomic<bool> over = false;
    return run_sealed(
        [&] {
            while (!warm.load()) run_block();  // the first block touches its memory, as on any device
        },
        [&] {
            while (!over.load()) run_block();
        },
        [&] {
            warm_up();
            warm.store(true);
            work();
            over.store(true);
        },
        also_allowed);
}

/// Tests that end in a process of their own.
class SealedEngine : public testing::Test {
  protected:
    void SetUp() override {
        if (!memory_is_the_systems || realtime_sanitizer) GTEST_SKIP() << "a sanitizer calls the system on any thread";
        GTEST_FLAG_SET(death_test_style, "threadsafe");  // a fresh process: nothing else runs in it
    }
};

}  // namespace cueline::test
