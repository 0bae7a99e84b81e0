// buffer_reader.cpp: moves through a buffer, and interpolates.
#include "processors/buffer_reader.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace cueline {

void BufferReader::set_rate(float rate) noexcept CUELINE_NONBLOCKING {
    const double step = static_cast<double>(rate) * static_cast<double>(SincTable::one_frame) + 0.5;
    step_ = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(step));
}

BufferReader::Bounds BufferReader::bounds(const Buffer& buffer) const noexcept CUELINE_NONBLOCKING {
    if (!loops_) return {.start = 0, .end = buffer.frames};
    const std::uint32_t end = loop_end_ == 0 ? buffer.frames : std::min(loop_end_, buffer.frames);
    return {.start = loop_start_ < end ? loop_start_ : 0, .end = end};
}

std::uint32_t BufferReader::frames_left(const Buffer& buffer) const noexcept CUELINE_NONBLOCKING {
    constexpr std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
    const std::uint64_t end = std::uint64_t{buffer.frames} << 32U;
    if (loops_) return most;
    if (position_ >= end) return 0;
    const std::uint64_t frames = (end - position_ - 1) / step_ + 1;
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(frames, most));
}

/// Goes back into the loop if the position has passed its end. Returns false if there is nothing more to read.
bool BufferReader::settle(const Bounds& bounds) noexcept CUELINE_NONBLOCKING {
    if (position_ >> 32U < bounds.end) return true;
    if (!loops_) return false;
    const std::uint64_t start = std::uint64_t{bounds.start} << 32U;
    position_ = start + (position_ - start) % ((std::uint64_t{bounds.end} << 32U) - start);
    wrapped_ = true;
    return true;
}

BufferReader::Read BufferReader::read(const Buffer& buffer, const SincTable& table, std::span<float> into,
                                      std::size_t stride, std::uint32_t channels, std::uint32_t frames) noexcept
    CUELINE_NONBLOCKING {
    const Bounds within = bounds(buffer);
    if (!settle(within)) return {.frames = 0, .ended = true};
    if (position_ >> 32U < within.start) wrapped_ = false;  // the buffer was swapped, and has the loop further on
    const SincTable::Kernel& kernel = table.kernel(step_);
    const bool whole_is_exact = step_ <= SincTable::one_frame;  // above, the kernel takes out high frequencies
    for (std::uint32_t frame = 0; frame < frames; ++frame) {
        if (whole_is_exact && static_cast<std::uint32_t>(position_) == 0) {
            for (std::uint32_t channel = 0; channel < channels; ++channel) {
                into[channel * stride + frame] = buffer.sample(position_ >> 32U, channel);
            }
        } else {
            interpolate(buffer, within, kernel, &into[frame], stride, channels);
        }
        position_ += step_;
        if (!settle(within)) return {.frames = frame + 1, .ended = true};
    }
    return {.frames = frames, .ended = false};
}

/// Writes one frame.
void BufferReader::interpolate(const Buffer& buffer, const Bounds& bounds, const SincTable::Kernel& kernel, float* into,
                               std::size_t stride, std::uint32_t channels) const noexcept CUELINE_NONBLOCKING {
    std::array<float, SincTable::most_taps> coefficients;  // NOLINT(*-member-init): as many as are used are written
    SincTable::coefficients(kernel, static_cast<std::uint32_t>(position_), coefficients.data());
    const auto first = static_cast<std::int64_t>(position_ >> 32U) - SincTable::frames_before(kernel.taps);
    const std::int64_t lowest = wrapped_ ? bounds.start : 0;
    const bool in_one_piece = first >= lowest && first + kernel.taps <= bounds.end;
    std::array<float, std::size_t{2} * SincTable::most_taps> gathered;  // NOLINT(*-member-init): gather() writes it
    if (channels == buffer.channels && channels <= 2) {                 // most sounds: no copy, or one of all channels
        const float* window = gathered.data();
        if (in_one_piece) {
            window = &buffer.interleaved[static_cast<std::size_t>(first) * channels];
        } else {
            gather(buffer, bounds, first, 0, channels, std::span{gathered}.first(std::size_t{kernel.taps} * channels));
        }
        if (channels == 1) {
            into[0] = SincTable::sum(coefficients.data(), window, kernel.taps);
        } else {
            const auto [left, right] = SincTable::sum_pairs(coefficients.data(), window, kernel.taps);
            into[0] = left;
            into[stride] = right;
        }
        return;
    }
    for (std::uint32_t channel = 0; channel < channels; ++channel) {
        gather(buffer, bounds, first, channel, 1, std::span{gathered}.first(kernel.taps));
        into[channel * stride] = SincTable::sum(coefficients.data(), gathered.data(), kernel.taps);
    }
}

/// Fills `window` with what is heard around the position, of `channels` channels from `channel` on: all channels of the
/// buffer, or one. `first` is the frame of the first sample, and may lie outside the loop or the buffer.
void BufferReader::gather(const Buffer& buffer, const Bounds& bounds, std::int64_t first, std::size_t channel,
                          std::size_t channels, std::span<float> window) const noexcept CUELINE_NONBLOCKING {
    std::int64_t frame = first;
    if (wrapped_ && std::cmp_less(frame, bounds.start)) {
        const std::int64_t length = std::int64_t{bounds.end} - bounds.start;
        frame = bounds.end - 1 - (std::int64_t{bounds.start} - 1 - frame) % length;
    }
    std::size_t done = 0;
    const auto left = [&]() noexcept
        CUELINE_NONBLOCKING { return static_cast<std::int64_t>((window.size() - done) / channels); };
    if (frame < 0) {
        done = static_cast<std::size_t>(std::min(-frame, left())) * channels;
        std::fill_n(window.begin(), done, 0.0F);
        frame = 0;
    }
    while (done < window.size()) {
        if (std::cmp_greater_equal(frame, bounds.end)) {
            if (!loops_) break;
            frame = bounds.start;
        }
        const auto run = static_cast<std::size_t>(std::min(bounds.end - frame, left()));
        const float* const samples = &buffer.interleaved[static_cast<std::size_t>(frame) * buffer.channels + channel];
        if (channels == buffer.channels) {
            for (std::size_t at = 0; at < run * channels; ++at) window[done + at] = samples[at];
        } else {
            for (std::size_t at = 0; at < run; ++at) window[done + at] = samples[at * buffer.channels];
        }
        done += run * channels;
        frame += static_cast<std::int64_t>(run);
    }
    std::ranges::fill(window.subspan(done), 0.0F);
}

}  // namespace cueline
