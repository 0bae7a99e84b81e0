// sealed_automations_test.cpp: automations of all shapes, in frames and in beats, begin, go on, are held, cancelled,
// replaced and refused, and give their curves back, on a thread that dies at any system call.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <utility>

#include <cueline/engine/engine.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/processor.hpp>

#include "sealed_music.hpp"

namespace cueline::test {
namespace {

constexpr std::uint32_t elements_of_each = 90;  // more than one word of bits has

/// Renders one parameter, and the sum of some elements of another one.
class MovingProcessor final : public Processor {
  public:
    void prepare(const Format&) override {}
    [[nodiscard]] std::span<const ParameterSpec> parameters() const override { return specs; }
    Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { return false; }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        context.parameter(0).fill(block.output(0));
        for (float& sample : block.output(1)) {
            double sum = 0;
            for (Parameter& parameter : context.parameters(1, 4)) sum += parameter.next();
            sample = static_cast<float>(sum);
        }
    }

    static constexpr std::array<ParameterSpec, 2> specs{
        {{.name = "gain", .lowest = -10, .highest = 10, .ramp_s = 0.001},
         {.name = "each", .lowest = -10, .highest = 10, .ramp_s = 0.001, .count = elements_of_each}}};
};

class AutomationsStory {
  public:
    AutomationsStory() { engine_.start(); }

    void run_block() noexcept {
        pace_.run_if_let([this] { device_.run_block(); });
    }

    /// Each round looks at the values in the middle of what it begins, and at their ends.
    void go_on(int rounds) {
        for (const int last = rounds_ + rounds; rounds_ < last; ++rounds_) {
            follow_frames();
            follow_beats();
            interrupt();
            refuse();
            take_confirmations();
        }
    }

    [[nodiscard]] bool is_complete() {
        const auto rounds = static_cast<std::uint64_t>(rounds_);
        const EngineStats stats = engine_.stats();
        std::fprintf(stderr, "%llu applied, %llu refused, %llu cancelled, %llu of %llu values wrong, %u curves left\n",
                     static_cast<unsigned long long>(applied_), static_cast<unsigned long long>(refused_),
                     static_cast<unsigned long long>(cancelled_), static_cast<unsigned long long>(wrong_),
                     static_cast<unsigned long long>(compared_), stats.buffers.curves);
        return wrong_ == 0 && compared_ == rounds * compared_a_round && applied_ + refused_ + cancelled_ == sent_ &&
               refused_ == rounds * refused_a_round && cancelled_ == rounds * cancelled_a_round &&
               stats.buffers.curves == 0;
    }

  private:
    static constexpr std::uint64_t compared_a_round = 3 * 11 + 2 + 2 * 7 + 6;
    static constexpr std::uint64_t refused_a_round = 3;
    static constexpr std::uint64_t cancelled_a_round = 6;
    static constexpr std::uint64_t blocksize = 64;

    template <class Command>
    std::uint32_t send(const Command& command, Delivery at = {}) {
        at.flags |= delivery::confirm;
        while (engine_.control().send(Command::kind, command, at) == Status::full) pace_.run(1);
        ++sent_;
        return engine_.control().sequence();
    }

    /// Begins an automation with a step to 1.
    std::uint32_t begin(std::uint16_t address, const Delivery& at) {
        return send(Automate{.value = 1, .parameter = address, .shape = Shape::step}, at);
    }

    /// Values from -1 over 3 to 2.
    BufferHandle curve() {
        constexpr std::array<float, 3> samples{-1, 3, 2};
        return engine_.load_curve(engine_.make_curve(samples));
    }

    void expect(int address, double value) {
        ++compared_;
        const double got = engine_.controls().get(static_cast<std::size_t>(address));
        if (std::abs(got - value) < 1e-6) return;
        ++wrong_;
        std::fprintf(stderr, "round %d, parameter %d: expected %g, got %g\n", rounds_, address, value, got);
    }

    /// Runs blocks until the values that can be read are those of `frame`: it is the last one of a block.
    void run_to(std::uint64_t frame) { pace_.run((frame + 1 - engine_.now()) / blocksize); }

    /// Moves six parameters from each of these addresses on: five by one of the shapes each, and one by all of them.
    void follow_frames() {
        constexpr std::array<std::uint16_t, 3> addresses{0, 8, elements_of_each - 8};
        const std::uint64_t now = engine_.now();
        const std::uint64_t start = now + 100;  // within a block
        for (const std::uint16_t address : addresses) begin_frames(address, start);
        const std::uint64_t middle = now + 10 * blocksize - 1;
        run_to(middle);
        const auto passed = static_cast<double>(middle - start);
        for (const std::uint16_t address : addresses) {
            expect(address, 7);
            expect(address + 1, 1 + 2 * passed / 1'000);
            expect(address + 2, std::pow(9, passed / 1'000));
            expect(address + 3, 5 - 4 * std::exp(-passed / 480));
            expect(address + 4, 3 - (passed - 500) / 500);
        }
        const std::uint64_t last = now + 30 * blocksize - 1;
        run_to(last);
        for (const std::uint16_t address : addresses) {
            expect(address, 7);
            expect(address + 1, 3);
            expect(address + 2, 9);
            expect(address + 3, 5 - 4 * std::exp(-static_cast<double>(last - start) / 480));
            expect(address + 4, 2);
            expect(address + 5, 4);
        }
        double sum = 0;
        for (std::size_t address = 1; address <= 4; ++address) sum += engine_.controls().get(address);
        expect_heard(0, 7);
        expect_heard(1, sum);
    }

    void begin_frames(std::uint16_t address, std::uint64_t start) {
        const auto parameter = [&](int place) { return static_cast<std::uint16_t>(address + place); };
        const Delivery at{.frame = start};
        const std::uint64_t end = start + 1'000;
        const auto segment = [&](int place, Shape shape, double value) {
            send(Automate{.value = value,
                          .end = static_cast<double>(end),
                          .constant = 0.01,
                          .automation = begin(parameter(place), at),
                          .buffer = shape == Shape::curve ? curve() : 0,
                          .parameter = parameter(place),
                          .shape = shape},
                 at);
        };
        segment(0, Shape::step, 7);
        segment(1, Shape::linear, 3);
        segment(2, Shape::exponential, 9);
        segment(3, Shape::target, 5);
        segment(4, Shape::curve, 2);
        const std::uint32_t first = begin(parameter(5), at);
        std::uint64_t part = start;
        for (const Shape shape : {Shape::linear, Shape::exponential, Shape::curve, Shape::target, Shape::step}) {
            part += 150;
            send(Automate{.value = 4,
                          .end = static_cast<double>(part),
                          .constant = 0.0001,
                          .automation = first,
                          .buffer = shape == Shape::curve ? curve() : 0,
                          .parameter = parameter(5),
                          .shape = shape},
                 {.frame = part - 150});
        }
    }

    /// Moves four parameters from each of these addresses on along beats, in a tempo that changes meanwhile.
    void follow_beats() {
        constexpr std::array<std::uint16_t, 2> addresses{1, 70};
        constexpr double start = 8.5;
        constexpr double end = 9.7;
        const Delivery at = at_beat(start);
        send(SetTempo{300 + 10.0 * (rounds_ % 7)});
        send(RampTempo{700, 3, RampOver::beats});
        send(Locate{8});
        pace_.run(1);
        for (const std::uint16_t address : addresses) {
            const auto parameter = [&](int place) { return static_cast<std::uint16_t>(address + place); };
            const auto segment = [&](int place, Shape shape, double value) {
                send(Automate{.value = value,
                              .end = end,
                              .automation = begin(parameter(place), at),
                              .buffer = shape == Shape::curve ? curve() : 0,
                              .parameter = parameter(place),
                              .shape = shape,
                              .in_beats = 1},
                     at);
            };
            segment(0, Shape::linear, 3);
            segment(1, Shape::exponential, 9);
            segment(2, Shape::curve, 2);
            const std::uint32_t stepped = begin(parameter(3), at);
            send(Automate{.value = -2, .automation = stepped, .parameter = parameter(3), .shape = Shape::step},
                 at_beat(9.5));
        }
        const auto run_to_beat = [&](double beat) {
            const auto frame = static_cast<std::uint64_t>(engine_.timeline().frame_at(beat));
            pace_.run((frame - engine_.now()) / blocksize + 1);
        };
        run_to_beat(9.2);
        const double beat = engine_.timeline().beat_at(static_cast<double>(engine_.now() - 1));
        const double part = (beat - start) / (end - start);
        for (const std::uint16_t address : addresses) {
            expect(address, 1 + 2 * part);
            expect(address + 1, std::pow(9, part));
            expect(address + 2, 3 - (2 * part - 1));
        }
        run_to_beat(12);
        for (const std::uint16_t address : addresses) {
            expect(address, 3);
            expect(address + 1, 9);
            expect(address + 2, 2);
            expect(address + 3, -2);
            // In beats a curve waits for its beats to come again, until a write takes its place.
            engine_.controls().set(static_cast<std::size_t>(address) + 2, 0);
        }
    }

    /// Holds, cancels, overwrites and replaces automations that are under way.
    void interrupt() {
        constexpr std::uint16_t address = 30;
        const std::uint64_t now = engine_.now();
        const std::uint64_t start = now + 32;
        const std::uint64_t end = start + 1'600;
        const auto parameter = [](int place) { return static_cast<std::uint16_t>(address + place); };
        std::array<std::uint32_t, 6> first{};
        for (int place = 0; place < 6; ++place) {
            first.at(static_cast<std::size_t>(place)) = begin(parameter(place), {.frame = start});
            send(Automate{.value = 5,
                          .end = static_cast<double>(end),
                          .automation = first.at(static_cast<std::size_t>(place)),
                          .buffer = place == 5 ? curve() : 0,
                          .parameter = parameter(place),
                          .shape = place == 5 ? Shape::curve : Shape::linear},
                 {.frame = start});
            send(Automate{.value = 0,
                          .automation = first.at(static_cast<std::size_t>(place)),
                          .parameter = parameter(place),
                          .shape = Shape::step},
                 {.frame = end + 400});
        }
        const std::uint32_t unwanted = send(Automate{.value = 9,
                                                     .end = static_cast<double>(end),
                                                     .buffer = curve(),
                                                     .parameter = parameter(0),
                                                     .shape = Shape::curve},
                                            {.frame = end + 800});
        send(HoldAutomation{first[0], parameter(0)}, {.frame = start + 400});
        send(CancelAutomation{static_cast<double>(start + 600), first[1], parameter(1)}, {.frame = start + 500});
        send(HoldAutomation{first[5], parameter(5)}, {.frame = start});  // the curve begins there
        send(Automate{.value = -3, .parameter = parameter(3), .shape = Shape::step}, {.frame = start + 700});
        run_to(now + 15 * blocksize - 1);
        engine_.controls().set(parameter(2), -1);
        engine_.control().cancel(unwanted);
        pace_.run(3);
        expect(parameter(0), 2);
        expect(parameter(1), 1);
        expect(parameter(2), -1);
        expect(parameter(3), -3);
        run_to(now + 35 * blocksize - 1);
        expect(parameter(4), 0);
        expect(parameter(5), 1);
    }

    /// Curves that are refused come back.
    void refuse() {
        const std::uint64_t now = engine_.now();
        const auto curved = [&](std::uint32_t automation, std::uint16_t parameter) {
            send(Automate{.value = 1,
                          .end = static_cast<double>(now + 100),
                          .automation = automation,
                          .buffer = curve(),
                          .parameter = parameter,
                          .shape = Shape::curve});
        };
        curved(0, elements_of_each + 1);
        curved(7, 2);
        send(HoldAutomation{1, elements_of_each + 1});
        send(Automate{.value = 1, .constant = -1, .parameter = 2, .shape = Shape::target});
        pace_.run(2);
    }

    void expect_heard(std::size_t output, double value) {
        ++compared_;
        const auto got = static_cast<double>(device_.heard(output));
        if (std::abs(got - value) < 1e-5) return;
        ++wrong_;
        std::fprintf(stderr, "round %d, output %zu: expected %g, got %g\n", rounds_, output, value, got);
    }

    void take_confirmations() {
        for (Message message; engine_.control().receive_confirmation(message) == Status::ok;) {
            if (message.kind == cueline::kind::applied) {
                ++applied_;
            } else if (message.as<Refused>().reason == Reason::cancelled) {
                ++cancelled_;
            } else {
                ++refused_;
            }
        }
        static_cast<void>(engine_.stats());  // frees the curves that came back
    }

    Pace pace_;
    std::unique_ptr<HeardDevice> own_device_ = std::make_unique<HeardDevice>();
    HeardDevice& device_ = *own_device_;
    Engine engine_{std::move(own_device_), std::make_unique<MovingProcessor>()};
    std::uint64_t sent_ = 0;
    std::uint64_t applied_ = 0;
    std::uint64_t refused_ = 0;
    std::uint64_t cancelled_ = 0;
    std::uint64_t compared_ = 0;
    std::uint64_t wrong_ = 0;
    int rounds_ = 0;
};

TEST_F(SealedEngineMusic, automations_of_all_shapes_and_curves_that_come_back_are_real_time_safe) {
    expect_real_time_safe<AutomationsStory>(8);
}

}  // namespace
}  // namespace cueline::test
