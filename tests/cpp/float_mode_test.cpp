// float_mode_test.cpp: all blocks are rendered in one floating-point mode, and the caller's own comes back.
#include <gtest/gtest.h>

#include <cfenv>
#include <limits>
#include <memory>

#include <cueline/engine/engine.hpp>

#include "step_device.hpp"

namespace cueline::test {
namespace {

/// Out of the compiler's sight, so that the numbers are computed as the program runs.
float times(float left, float right) {
    const volatile float hidden_left = left;
    const volatile float hidden_right = right;
    return hidden_left * hidden_right;
}

constexpr float smallest_normal = std::numeric_limits<float>::min();

/// Notes what becomes of denormals and of rounding in its calls.
class NotingProcessor final : public Processor {
  public:
    void prepare(const Format&) override {}
    Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
        handled = compute();
        return true;
    }
    void render(const AudioBlock& block, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
        for (float* const channel : block.outputs) std::fill_n(channel, block.frames, 0.0F);
        rendered = compute();
    }

    struct Results {
        float result = 9;   // of an operation with a denormal result
        float operand = 9;  // of an operation with a denormal operand
        float rounded = 9;  // of 1 plus a quarter of its last place
        bool operator==(const Results&) const = default;
    };
    Results handled;
    Results rendered;

  private:
    static Results compute() noexcept CUELINE_NONBLOCKING {
        // The volatile numbers keep the compiler from computing them itself.
        const volatile float tiny = smallest_normal;
        const volatile float denormal = std::numeric_limits<float>::denorm_min();
        const volatile float large = 0x1p100F;
        const volatile float half = 0.5F;
        const volatile float one = 1;
        const volatile float quarter_place = std::numeric_limits<float>::epsilon() / 4;
        return {.result = tiny * half, .operand = denormal * large, .rounded = one + quarter_place};
    }
};

/// What every block must compute.
constexpr NotingProcessor::Results in_a_block{.result = 0, .operand = 0, .rounded = 1};

struct Playing {
    Playing() : Playing{std::make_unique<StepDevice>(Format{.blocksize = 64})} {}
    explicit Playing(std::unique_ptr<StepDevice> opened)
        : device{*opened}, processor{std::make_shared<NotingProcessor>()}, engine{std::move(opened), processor} {
        engine.start();
        engine.control().send(kind::first_user, 0);
    }
    StepDevice& device;
    std::shared_ptr<NotingProcessor> processor;
    Engine engine;
};

TEST(FloatMode, denormals_are_zero_in_a_processors_calls_and_only_there) {
    Playing playing;
    playing.device.run();
    EXPECT_EQ(playing.processor->handled, in_a_block);
    EXPECT_EQ(playing.processor->rendered, in_a_block);
    EXPECT_GT(times(smallest_normal, 0.5F), 0.0F) << "the caller has its own mode again";
}

TEST(FloatMode, a_caller_that_rounds_otherwise_gets_the_same_samples_and_its_mode_back) {
    Playing playing;
    const int before = std::fegetround();
    ASSERT_EQ(std::fesetround(FE_UPWARD), 0);
    playing.device.run();
    const int after = std::fegetround();
    std::fesetround(before);
    EXPECT_EQ(after, FE_UPWARD);
    EXPECT_EQ(playing.processor->handled, in_a_block);
    EXPECT_EQ(playing.processor->rendered, in_a_block);
}

TEST(FloatMode, a_caller_for_whom_a_division_by_zero_traps_gets_its_block) {
#if defined(__x86_64__) && defined(__GLIBC__)
    /// Divides by zero in each block.
    class Dividing final : public Processor {
      public:
        void prepare(const Format&) override {}
        Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { return false; }
        void render(const AudioBlock& block, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
            const volatile float zero = 0;
            for (float* const channel : block.outputs) std::fill_n(channel, block.frames, 1 / zero > 1 ? 0.5F : 0.0F);
        }
    };
    auto opened = std::make_unique<StepDevice>(Format{.blocksize = 64});
    StepDevice& device = *opened;
    Engine engine{std::move(opened), std::make_unique<Dividing>()};
    engine.start();
    const int before = feenableexcept(FE_DIVBYZERO);
    const float heard = device.run().front();
    const int during = fegetexcept();
    fedisableexcept(FE_ALL_EXCEPT);
    feenableexcept(before);
    EXPECT_EQ(heard, 0.5F);
    EXPECT_NE(during & FE_DIVBYZERO, 0);
#else
    GTEST_SKIP() << "needs x86 and the C library of GNU, which let a division trap";
#endif
}

}  // namespace
}  // namespace cueline::test
