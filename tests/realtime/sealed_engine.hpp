// sealed_engine.hpp: a device whose blocks a sealed thread runs, and a fixture for such tests.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string_view>

#include <cueline/engine/engine.hpp>

#include "devices/audio_buffers.hpp"
#include "sanitizers.hpp"

namespace cueline::test {

/// A device without a thread: the caller of run_block() runs its blocks.
class HandDevice final : public Device {
  public:
    [[nodiscard]] std::string_view name() const noexcept override { return "hand"; }
    [[nodiscard]] Format format() const noexcept override { return format_; }
    void start(BlockCallback& callback) override { callback_ = &callback; }
    void stop() noexcept override { callback_ = nullptr; }
    [[nodiscard]] DeviceStats stats() const noexcept override { return {}; }

    void run_block() noexcept CUELINE_NONBLOCKING {
        callback_->process(buffers_.block(format_.blocksize), ++block_ns_);
    }

  private:
    Format format_{.samplerate = 48000, .channels = 2, .blocksize = 64};
    AudioBuffers buffers_{format_};
    BlockCallback* callback_ = nullptr;
    std::uint64_t block_ns_ = 0;
};

/// Tests that end in a process of their own.
class SealedEngine : public testing::Test {
  protected:
    void SetUp() override {
        if (!memory_is_the_systems || realtime_sanitizer) GTEST_SKIP() << "a sanitizer calls the system on any thread";
        GTEST_FLAG_SET(death_test_style, "threadsafe");  // a fresh process: nothing else runs in it
    }
};

}  // namespace cueline::test
