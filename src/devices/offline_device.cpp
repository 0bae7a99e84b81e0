// offline_device.cpp: renders blocks on demand.
#include "devices/offline_device.hpp"

#include <algorithm>
#include <string>

#include <cueline/error.hpp>
#include <cueline/monotonic.hpp>

namespace cueline {

void OfflineDevice::start(BlockCallback& callback) {
    const std::scoped_lock lock{rendering_};
    callback_ = &callback;
}

void OfflineDevice::stop() noexcept {
    stopping_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a request; the mutex synchronises
    {
        const std::scoped_lock lock{rendering_};
        callback_ = nullptr;
    }
    stopping_.fetch_sub(1, std::memory_order_relaxed);
}

std::size_t OfflineDevice::render(std::span<float> interleaved) {
    if (interleaved.size() % format_.channels != 0) {
        throw ArgumentError{"render() needs a whole number of frames of " + std::to_string(format_.channels) +
                            " channels, got " + std::to_string(interleaved.size()) + " samples"};
    }
    const std::scoped_lock lock{rendering_};
    if (callback_ == nullptr) throw DeviceError{"the engine is stopped: call start() before render()"};
    const std::size_t channels = format_.channels;
    const std::size_t wanted = interleaved.size();
    while (!interleaved.empty() && stopping_.load(std::memory_order_relaxed) == 0) {
        const auto frames =
            static_cast<std::uint32_t>(std::min<std::size_t>(interleaved.size() / channels, format_.blocksize));
        const AudioBlock block = buffers_.block(frames);

        callback_->take_ahead();
        const std::uint64_t began_ns = monotonic_ns();
        callback_->process(block, began_ns);
        load_.record(monotonic_ns() - began_ns, std::max<std::uint64_t>(1, duration_ns(frames, format_.samplerate)));

        for (std::size_t channel = 0; channel < channels; ++channel) {
            const std::span<const float> samples = block.channel(channel);
            for (std::size_t frame = 0; frame < frames; ++frame) {
                interleaved[frame * channels + channel] = samples[frame];
            }
        }
        interleaved = interleaved.subspan(frames * channels);
    }
    return wanted - interleaved.size();
}

DeviceStats OfflineDevice::stats() const noexcept {
    return {.load_mean = load_.mean(), .load_peak = load_.peak(), .memory_locked = buffers_.locked()};
}

}  // namespace cueline
