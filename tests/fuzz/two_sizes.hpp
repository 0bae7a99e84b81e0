// two_sizes.hpp: the same processor in two offline engines, in blocks of two sizes. Both must do the same.
#pragma once

#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>

#include "devices/offline_device.hpp"

namespace cueline::fuzz {

inline void require(bool holds, const char* claim) {
    if (holds) return;
    std::fprintf(stderr, "not so: %s\n", claim);
    std::abort();
}

class TwoSizes {
  public:
    /// `make` returns a new processor.
    template <class Make>
    TwoSizes(FuzzedDataProvider& input, Make make)
        : channels_{input.ConsumeIntegralInRange<std::uint32_t>(1, 3)},
          few_{input.ConsumeIntegralInRange<std::uint32_t>(1, 64), channels_, make()},
          many_{4096, channels_, make()} {}

    [[nodiscard]] Engine& engine() { return few_.engine; }

    /// Calls `act` with each engine.
    template <class Act>
    void each(Act act) {
        act(few_.engine);
        act(many_.engine);
    }

    void set_parameter(std::size_t address, double part) {
        each([&](Engine& engine) {
            const ParameterSpec& spec = engine.controls().parameter_specs()[address];
            engine.controls().set(address, spec.lowest + (spec.highest - spec.lowest) * part);
        });
    }

    /// Copies of a sawtooth, whose values are from -1 to 1.
    [[nodiscard]] static std::vector<float> any_samples(FuzzedDataProvider& input, std::uint32_t channels) {
        std::vector<float> samples(channels * input.ConsumeIntegralInRange<std::size_t>(1, 600));
        const auto step = input.ConsumeFloatingPointInRange<float>(-1, 1);
        for (std::size_t at = 0; at < samples.size(); ++at) {
            samples[at] = std::remainder(step * static_cast<float>(at + 1), 2.0F);
        }
        return samples;
    }

    /// Returns the samples of the next frames.
    [[nodiscard]] std::vector<float> render(std::size_t frames) {
        std::vector<float> samples = few_.render(frames, channels_);
        require(samples == many_.render(frames, channels_), "block size does not change the samples");
        std::size_t meters = 0;
        for (const MeterSpec& spec : engine().controls().meter_specs()) meters += spec.count;
        for (std::size_t meter = 0; meter < meters; ++meter) {
            require(few_.engine.controls().read(meter).fields == many_.engine.controls().read(meter).fields,
                    "block size does not change the meters");
        }
        return samples;
    }

    /// Returns the events since the last call. Those of one frame may come in another order, so they are sorted.
    [[nodiscard]] std::vector<Message> take_events() {
        std::vector<Message> events = few_.take_events();
        require(same(events, many_.take_events()), "block size does not change the events");
        return events;
    }

  private:
    struct Played {
        Played(std::uint32_t blocksize, std::uint32_t channels, std::unique_ptr<Processor> processor)
            : Played{std::make_unique<OfflineDevice>(Format{.outputs = channels, .blocksize = blocksize}),
                     std::move(processor)} {}
        Played(std::unique_ptr<OfflineDevice> opened, std::unique_ptr<Processor> processor)
            : device{opened.get()}, engine{std::move(opened), std::move(processor)} {
            engine.start();
        }

        [[nodiscard]] std::vector<float> render(std::size_t frames, std::size_t channels) const {
            std::vector<float> samples(frames * channels);
            device->render(samples);
            return samples;
        }
        [[nodiscard]] std::vector<Message> take_events() {
            std::vector<Message> all;
            for (Message event; engine.control().receive(event) == Status::ok;) all.push_back(event);
            std::ranges::sort(all, [](const Message& one, const Message& other) {
                if (one.frame != other.frame) return one.frame < other.frame;
                return std::memcmp(&one, &other, sizeof one) < 0;
            });
            return all;
        }

        OfflineDevice* device;
        Engine engine;
    };

    [[nodiscard]] static bool same(const std::vector<Message>& one, const std::vector<Message>& other) {
        return one.size() == other.size() &&
               (one.empty() || std::memcmp(one.data(), other.data(), one.size() * sizeof(Message)) == 0);
    }

    std::uint32_t channels_;
    Played few_;
    Played many_;
};

}  // namespace cueline::fuzz
