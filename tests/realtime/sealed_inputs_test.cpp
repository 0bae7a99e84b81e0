// sealed_inputs_test.cpp: an effect on sound that comes in is real-time safe, also when the sound is broken.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include <cueline/engine/engine.hpp>

#include "processors.hpp"
#include "rule_breaking.hpp"
#include "sealed_engine.hpp"
#include "sealed_thread.hpp"
#include "wrapping_processor.hpp"

CUELINE_RULES_OFF
#include "rule_breakers.hpp"
CUELINE_RULES_ON

namespace cueline::test {
namespace {

/// Mixes what comes in with a wave, and does `Act` once it gets broken samples, which are 0 here.
template <class Act>
class Mixing final : public WrappingProcessor<WaveProcessor> {
  public:
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        WrappingProcessor::render(block, context);
        for (std::size_t channel = 0; channel < block.outputs.size(); ++channel) {
            for (std::uint32_t frame = 0; frame < block.frames; ++frame) {
                block.output(channel)[frame] = (block.output(channel)[frame] + block.input(channel)[frame]) / 2;
            }
        }
        if (++blocks_ % act_each == 0) Act::act();
    }

  private:
    static constexpr std::uint64_t act_each = 1'000;  // blocks: several times while the samples are broken

    std::uint64_t blocks_ = 0;
};

/// Ends the process: with 0 if the thread had no page fault, wait or allocation.
template <class Act>
[[noreturn]] void be_sealed_with_inputs() {
    auto own_device = std::make_unique<HandDevice>();
    HandDevice& device = *own_device;
    Engine engine{std::move(own_device), std::make_unique<Mixing<Act>>()};
    engine.start();
    constexpr std::uint64_t before = 10'000;
    constexpr std::uint64_t broken = 10'000;
    const Toll toll = run_blocks_sealed([&] { device.run_block(); },
                                        [&] {
                                            while (engine.stats().blocks < before) {
                                            }
                                        },
                                        [&] {
                                            device.break_inputs();
                                            while (engine.stats().not_finite_inputs < 2 * broken) {
                                            }
                                        });
    const EngineStats stats = engine.stats();
    std::fprintf(
        stderr, "%llu broken samples: page faults %llu, voluntary switches %llu, allocations %llu\n",
        static_cast<unsigned long long>(stats.not_finite_inputs), static_cast<unsigned long long>(toll.page_faults),
        static_cast<unsigned long long>(toll.voluntary_switches), static_cast<unsigned long long>(toll.allocations));
    const bool kept_out = stats.not_finite == 0;
    std::_Exit(kept_out && toll.page_faults + toll.voluntary_switches + toll.allocations == 0 ? 0 : 1);
}

TEST_F(SealedEngine, an_effect_on_inputs_with_broken_samples_is_real_time_safe) {
    EXPECT_EXIT(be_sealed_with_inputs<DoesNothing>(), testing::ExitedWithCode(0),
                "samples: page faults 0, voluntary switches 0, allocations 0");
}

TEST_F(SealedEngine, the_counter_catches_an_effect_that_allocates) {
    EXPECT_EXIT(be_sealed_with_inputs<MakesALongString>(), testing::ExitedWithCode(1), "allocations [1-9]");
}

}  // namespace
}  // namespace cueline::test
