// tone_playing.hpp: plays the tone processor in a test, and measures its wave.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <span>
#include <vector>

#include <cueline/audio_side.hpp>
#include <cueline/engine/processor_controls.hpp>
#include <cueline/engine/tone_messages.hpp>
#include <cueline/line.hpp>

#include "devices/audio_buffers.hpp"
#include "engine/processor_values.hpp"
#include "processors/tone_processor.hpp"

namespace cueline::test {

inline constexpr float same = std::numeric_limits<float>::quiet_NaN();  // in a SetTone: no change

/// Plays a processor on this thread, in blocks of the format's size and a shorter last one.
template <class ProcessorType = ToneProcessor>
class Played {
  public:
    explicit Played(const Format& format = {}) : format_{format} {
        processor_.prepare(format);
        controls_.declare(processor_);
        values_.declare(controls_.parameter_specs(), controls_.meter_specs());
        context_ = ProcessContext{audio_.events(), values_.parameters(), values_.meters()};
        values_.prepare(format.samplerate);
    }

    void prepare(const Format& format) {
        format_ = format;
        processor_.prepare(format);
        values_.prepare(format.samplerate);
    }
    bool handle(const Message& command) {
        return processor_.handle(command, context_).result == Outcome::Result::applied;
    }
    void set(float frequency_hz, float gain) { handle(Message::of(kind::set_tone, SetTone{frequency_hz, gain})); }

    /// Returns the first channel. The other channels must be equal.
    std::vector<float> render(std::size_t frames) {
        const AudioBuffers buffers{format_};
        std::vector<float> samples;
        while (samples.size() < frames) {
            const std::size_t left = std::min<std::size_t>(frames - samples.size(), format_.blocksize);
            const AudioBlock block = buffers.block(static_cast<std::uint32_t>(left));
            values_.begin_block();
            processor_.render(block, context_);
            values_.end_segment(block.frames);
            const std::span<const float> first = block.output(0);
            for (std::size_t channel = 1; channel < format_.outputs; ++channel) {
                EXPECT_TRUE(std::ranges::equal(first, block.output(channel)));
            }
            samples.insert(samples.end(), first.begin(), first.end());
        }
        return samples;
    }

    void set_parameter(std::size_t number, double value) { controls_.set(number, value); }

    Level level() {
        EXPECT_TRUE(handle(Message::of(kind::get_level, GetLevel{})));
        const Message answer = event();
        return answer.as<Level>();
    }
    Message event() {
        Message event;
        EXPECT_EQ(control_.receive(event), Status::ok);
        return event;
    }

  private:
    Format format_;
    OwnedLink link_{{.parameters = 64, .meters = 32}};
    Line control_{link_};
    AudioSide audio_{link_};
    ProcessorControls controls_{link_};
    ProcessorValues values_{link_};
    ProcessContext context_{audio_.events()};
    ProcessorType processor_;
};

inline Format format_of(std::uint32_t samplerate, std::uint32_t blocksize = 128, std::uint32_t channels = 2) {
    return {.samplerate = samplerate, .outputs = channels, .blocksize = blocksize};
}

/// Measures it by the interpolated times at which the wave rises through zero.
inline double frequency_of(std::span<const float> samples, double samplerate) {
    std::vector<double> rises;
    for (std::size_t frame = 1; frame < samples.size(); ++frame) {
        const double before = samples[frame - 1];
        const double now = samples[frame];
        if (before < 0 && now >= 0) rises.push_back(static_cast<double>(frame) - now / (now - before));
    }
    return static_cast<double>(rises.size() - 1) / (rises.back() - rises.front()) * samplerate;
}

}  // namespace cueline::test
