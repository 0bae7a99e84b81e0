// buffer_reader.hpp: reads a buffer at any rate, once or in a loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <cueline/buffer.hpp>
#include <cueline/ring.hpp>

#include "processors/sinc_table.hpp"

namespace cueline {

/// A position in a buffer that moves by a rate in each frame. At a rate of 1 and at whole positions, it returns the
/// buffer's samples unchanged. Elsewhere it interpolates. Around a loop's ends it interpolates what is heard there: the
/// loop's end goes on in its start. Before the buffer's first frame and behind its last one is silence.
/// [audio thread, wait-free]
class BufferReader {
  public:
    /// What read() did.
    struct Read {
        std::uint32_t frames;
        bool ended;  // the buffer ends behind these frames, or has ended before
    };

    void start(std::uint32_t frame, float rate) noexcept CUELINE_NONBLOCKING {
        position_ = std::uint64_t{frame} << 32U;
        set_rate(rate);
    }

    /// `rate` is above 0, and at most highest_voice_rate.
    void set_rate(float rate) noexcept CUELINE_NONBLOCKING;

    /// `end` is the frame behind the loop. 0, and a frame behind the buffer, stand for the buffer's end. A loop that is
    /// empty then begins with the buffer. If the position lies behind the loop, it goes back into it.
    void set_loop(std::uint32_t start, std::uint32_t end) noexcept CUELINE_NONBLOCKING {
        loops_ = true;
        wrapped_ = false;
        loop_start_ = start;
        loop_end_ = end;
    }
    void end_loop() noexcept CUELINE_NONBLOCKING { loops_ = wrapped_ = false; }

    /// How many frames read() reads at most, with this buffer.
    [[nodiscard]] std::uint32_t frames_left(const Buffer& buffer) const noexcept CUELINE_NONBLOCKING;

    /// Reads up to `frames` frames of the buffer's first `channels` channels, and moves on. Channel n begins in `into`
    /// at n times `stride`. The buffer may be another one than before.
    Read read(const Buffer& buffer, const SincTable& table, std::span<float> into, std::size_t stride,
              std::uint32_t channels, std::uint32_t frames) noexcept CUELINE_NONBLOCKING;

  private:
    /// The frames in which the position moves, in a certain buffer.
    struct Bounds {
        std::uint32_t start;  // where a loop begins
        std::uint32_t end;
    };

    [[nodiscard]] Bounds bounds(const Buffer& buffer) const noexcept CUELINE_NONBLOCKING;
    bool settle(const Bounds& bounds) noexcept CUELINE_NONBLOCKING;
    void interpolate(const Buffer& buffer, const Bounds& bounds, const SincTable::Kernel& kernel, float* into,
                     std::size_t stride, std::uint32_t channels) const noexcept CUELINE_NONBLOCKING;
    void gather(const Buffer& buffer, const Bounds& bounds, std::int64_t first, std::size_t channel,
                std::size_t channels, std::span<float> window) const noexcept CUELINE_NONBLOCKING;

    std::uint64_t position_ = 0;  // of the next frame, in 2^-32 frames
    std::uint64_t step_ = SincTable::one_frame;
    std::uint32_t loop_start_ = 0;
    std::uint32_t loop_end_ = 0;
    bool loops_ = false;
    bool wrapped_ = false;  // it has gone from the loop's end to its start
};

}  // namespace cueline
