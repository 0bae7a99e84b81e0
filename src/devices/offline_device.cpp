// offline_device.cpp: renders blocks on demand.
#include "devices/offline_device.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

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

/// Returns how many frames render() has to render.
std::size_t OfflineDevice::frames_of(std::span<float> outputs, std::span<const float> inputs) const {
    const auto whole = [](std::string_view what, std::size_t samples, std::size_t channels) {
        if (channels == 0 ? samples == 0 : samples % channels == 0) return;
        throw ArgumentError{"render() needs a whole number of frames of " + std::to_string(channels) + " " +
                            std::string{what} + ", got " + std::to_string(samples) + " samples"};
    };
    whole("outputs", outputs.size(), format_.outputs);
    whole("inputs", inputs.size(), format_.inputs);
    if (buffers_.loops() && !inputs.empty()) {
        throw ArgumentError{"render() takes no inputs from a device with a loopback: its outputs are its inputs"};
    }
    return format_.outputs > 0 ? outputs.size() / format_.outputs : inputs.size() / format_.inputs;
}

std::size_t OfflineDevice::render(std::span<float> outputs, std::span<const float> inputs) {
    const std::size_t wanted = frames_of(outputs, inputs);
    const std::scoped_lock lock{rendering_};
    if (callback_ == nullptr) throw DeviceError{"the engine is stopped: call start() before render()"};
    std::size_t done = 0;
    while (done < wanted && stopping_.load(std::memory_order_relaxed) == 0) {
        const auto most = static_cast<std::uint32_t>(std::min<std::size_t>(wanted - done, format_.blocksize));
        const std::uint32_t frames = callback_->take_ahead(most);
        const AudioBlock block = buffers_.block(frames);
        if (!buffers_.loops()) {
            const std::span<float* const> channels = buffers_.inputs();
            for (std::size_t channel = 0; channel < channels.size(); ++channel) {
                for (std::size_t frame = 0; frame < frames; ++frame) {
                    const std::size_t from = (done + frame) * channels.size() + channel;
                    channels[channel][frame] = from < inputs.size() ? inputs[from] : 0;
                }
            }
        }

        const std::uint64_t began_ns = monotonic_ns();
        callback_->process(block, began_ns);
        load_.record(monotonic_ns() - began_ns, std::max<std::uint64_t>(1, duration_ns(frames, format_.samplerate)));

        for (std::size_t channel = 0; channel < format_.outputs; ++channel) {
            const std::span<const float> samples = block.output(channel);
            for (std::size_t frame = 0; frame < frames; ++frame) {
                outputs[(done + frame) * format_.outputs + channel] = samples[frame];
            }
        }
        buffers_.loop_back(frames);
        done += frames;
    }
    return done;
}

DeviceStats OfflineDevice::stats() const noexcept {
    return {.load_mean = load_.mean(), .load_peak = load_.peak(), .memory_locked = buffers_.locked()};
}

}  // namespace cueline
