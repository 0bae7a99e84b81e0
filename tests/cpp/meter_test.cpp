// meter_test.cpp: meters, from the processor's values to the control side.
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine/processor_controls.hpp>
#include <cueline/error.hpp>
#include <cueline/meter.hpp>

#include "devices/null_device.hpp"
#include "devices/offline_device.hpp"
#include "processors/tone_processor.hpp"
#include "refusal.hpp"

namespace cueline::test {
namespace {

constexpr std::array<std::string_view, max_meter_fields> eight{"a", "b", "c", "d", "e", "f", "g", "h"};

/// Sets every field of its first meter to a new number in each block.
class Counting final : public Processor {
  public:
    explicit Counting(std::vector<MeterSpec> specs) : specs_{std::move(specs)} {}

    void prepare(const Format&) override {}
    [[nodiscard]] std::span<const MeterSpec> meters() const override { return specs_; }
    Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { return false; }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        quiet_.render(block, context);
        if (specs_.empty()) return;
        const double n = ++number_;
        context.meter(0).set({n, 2 * n, 3 * n, 4 * n, 5 * n, 6 * n, 7 * n, 8 * n}, block.frame);
    }

  private:
    SilenceProcessor quiet_;
    std::vector<MeterSpec> specs_;
    double number_ = 0;
};

MeterSpec with_fields(std::string_view name, std::size_t fields) {
    return {.name = name, .unit = {}, .fields = std::span{eight}.first(fields)};
}

class Metered {
  public:
    explicit Metered(std::unique_ptr<Processor> processor, Format format = {})
        : Metered{std::make_unique<OfflineDevice>(format), std::move(processor)} {}
    explicit Metered(std::vector<MeterSpec> specs) : Metered{std::make_unique<Counting>(std::move(specs))} {}

    std::vector<float> render(std::size_t frames) {
        std::vector<float> audio(frames * device_->format().outputs);
        device_->render(audio);
        return audio;
    }

  private:
    OfflineDevice* device_;

    Metered(std::unique_ptr<OfflineDevice> device, std::unique_ptr<Processor> processor)
        : device_{device.get()}, engine{std::move(device), std::move(processor)} {
        engine.start();
    }

  public:
    Engine engine;
};

TEST(Meter, is_0_at_frame_0_until_it_is_set) {
    Metered metered{{with_fields("count", 8)}};
    const MeterValue value = metered.engine.controls().read(0);
    EXPECT_EQ(value.fields, (std::array<double, 8>{}));
    EXPECT_EQ(value.frame, 0U);
}

TEST(Meter, keeps_the_latest_value_and_its_frame) {
    Metered metered{{with_fields("count", 8)}};
    metered.render(std::size_t{10} * 128);
    for (int look = 0; look < 3; ++look) {
        const MeterValue value = metered.engine.controls().read(0);
        EXPECT_EQ(value.fields, (std::array<double, 8>{10, 20, 30, 40, 50, 60, 70, 80}));
        EXPECT_EQ(value.frame, 9U * 128);
    }
}

TEST(Meter, sends_no_event) {
    Metered metered{{with_fields("count", 8)}};
    metered.render(std::size_t{1'000} * 128);
    EXPECT_EQ(metered.engine.stats().events.sent, 0U);
}

TEST(Meter, missing_fields_are_0_and_excess_values_are_ignored) {
    SharedMeter shared;
    Meter meter{shared};
    MeterValue value;
    meter.set({1, 2}, 7);
    shared.read(value);
    EXPECT_EQ(value.fields, (std::array<double, 8>{1, 2}));
    EXPECT_EQ(value.frame, 7U);
    meter.set({1, 2, 3, 4, 5, 6, 7, 8, 9}, 8);
    shared.read(value);
    EXPECT_EQ(value.fields, (std::array<double, 8>{1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(MeterThreads, a_value_is_never_torn_and_never_goes_back) {
    constexpr Format format{.samplerate = 48'000, .outputs = 1, .blocksize = 8};
    Engine engine{std::make_unique<NullDevice>(format),
                  std::make_unique<Counting>(std::vector{with_fields("count", 8)})};
    engine.start();
    double newest = 0;
    while (newest < 2'000) {
        const MeterValue value = engine.controls().read(0);
        const double number = value.fields[0];
        ASSERT_GE(number, newest);
        for (std::size_t field = 0; field < 8; ++field) {
            ASSERT_EQ(value.fields.at(field), number * static_cast<double>(field + 1)) << "torn";
        }
        ASSERT_EQ(value.frame, number == 0 ? 0 : (static_cast<std::uint64_t>(number) - 1) * 8);
        newest = number;
    }
}

/// Peak, rms and frame after rendering this many frames in blocks of this size.
MeterValue level_after(std::size_t frames, std::uint32_t blocksize) {
    Metered metered{std::make_unique<ToneProcessor>(), {.samplerate = 48'000, .outputs = 2, .blocksize = blocksize}};
    metered.engine.controls().set(1, 0.5);
    metered.render(frames);
    return metered.engine.controls().read(0);
}

TEST(Meter, the_tones_level_covers_whole_twentieths_of_a_second_at_any_block_size) {
    for (const std::size_t frames : {2'399U, 2'400U, 4'799U, 4'800U, 48'123U}) {
        const MeterValue expected = level_after(frames, 4'096);
        EXPECT_EQ(expected.frame, frames / 2'400 * 2'400);
        for (const std::uint32_t blocksize : {1U, 7U, 128U, 2'400U}) {
            const MeterValue value = level_after(frames, blocksize);
            EXPECT_EQ(value.frame, expected.frame) << blocksize;
            EXPECT_EQ(value.fields, expected.fields) << blocksize;
        }
    }
}

TEST(Meter, the_tones_level_is_the_peak_and_rms_of_a_sine) {
    const MeterValue value = level_after(48'000, 128);
    EXPECT_NEAR(value.fields[0], 0.5, 1e-3);
    EXPECT_NEAR(value.fields[1], 0.5 / std::sqrt(2.0), 1e-6);
}

std::string refused(std::vector<MeterSpec> specs) {
    return refusal<ArgumentError>([&] { const Metered metered{std::move(specs)}; });
}

TEST(Meter, declarations_are_refused_with_the_numbers) {
    EXPECT_EQ(refused({with_fields("", 1)}), "a processor: meter 0 has no name");
    EXPECT_EQ(refused({with_fields("level", 1), with_fields("level", 2)}),
              "a processor declares two meters named 'level'");
    EXPECT_EQ(refused({with_fields("level", 0)}), "meter 'level' must have 1 to 8 fields, got 0");
    constexpr std::array<std::string_view, 9> nine{"a", "b", "c", "d", "e", "f", "g", "h", "i"};
    EXPECT_EQ(refused({MeterSpec{.name = "level", .unit = {}, .fields = nine}}),
              "meter 'level' must have 1 to 8 fields, got 9");
    constexpr std::array<std::string_view, 2> twice{"peak", "peak"};
    EXPECT_EQ(refused({MeterSpec{.name = "level", .unit = {}, .fields = twice}}),
              "meter 'level' declares two fields named 'peak'");
    constexpr std::array<std::string_view, 2> nameless{"peak", ""};
    EXPECT_EQ(refused({MeterSpec{.name = "level", .unit = {}, .fields = nameless}}),
              "meter 'level': field 1 has no name");
}

TEST(Meter, there_can_be_4096_and_no_more_and_elements_count) {
    MeterSpec many = with_fields("many", 1);
    many.count = 4'095;
    EXPECT_EQ(refused({many, with_fields("one", 1)}), "not refused");
    EXPECT_EQ(refused({many, with_fields("one", 1), with_fields("another", 1)}),
              "a processor can have at most 4096 meters, and declares 4097");
    many.count = 0;
    EXPECT_EQ(refused({many}), "meter 'many' must have a count from 1 to 4096, got 0");
}

/// Sets each element of its second meter to its own number.
class Numbering final : public Processor {
  public:
    void prepare(const Format&) override {}
    [[nodiscard]] std::span<const MeterSpec> meters() const override { return specs_; }
    Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { return false; }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        quiet_.render(block, context);
        const std::size_t first = first_address<MeterSpec>(specs_, 1);
        for (std::size_t element = 0; element < specs_[1].count; ++element) {
            context.meter(first + element).set({static_cast<double>(element)}, element);
        }
    }

  private:
    SilenceProcessor quiet_;
    std::array<MeterSpec, 3> specs_{{{.name = "a", .unit = {}, .fields = std::span{eight}.first(1), .count = 7},
                                     {.name = "b", .unit = {}, .fields = std::span{eight}.first(1), .count = 216},
                                     {.name = "c", .unit = {}, .fields = std::span{eight}.first(1)}}};
};

TEST(Meter, each_element_of_an_array_has_a_value_of_its_own) {
    Metered metered{std::make_unique<Numbering>()};
    metered.render(128);
    for (std::size_t address = 0; address < 7 + 216 + 1; ++address) {
        const bool numbered = address >= 7 && address < 7 + 216;
        const MeterValue value = metered.engine.controls().read(address);
        EXPECT_EQ(value.fields[0], numbered ? static_cast<double>(address - 7) : 0.0) << address;
        EXPECT_EQ(value.frame, numbered ? address - 7 : 0) << address;
    }
    std::vector<double> two_fields(std::size_t{2} * 216);
    metered.engine.controls().read(7, 2, two_fields);
    for (std::size_t element = 0; element < 216; ++element) {
        EXPECT_EQ(two_fields[element], static_cast<double>(element));
        EXPECT_EQ(two_fields[216 + element], 0.0) << "it has one field";
    }
    EXPECT_EQ(refusal<ArgumentError>([&] { metered.engine.controls().read(9, 2, two_fields); }),
              "no meter 224: the processor declares 224");
}

TEST(Meter, no_fields_and_more_than_there_can_be_are_refused) {
    Metered metered{{with_fields("count", 1)}};
    std::array<double, 18> numbers{};
    for (const std::size_t fields : {0U, 9U}) {
        EXPECT_EQ(refusal<ArgumentError>([&] { metered.engine.controls().read(0, fields, numbers); }),
                  "fields must be from 1 to 8, got " + std::to_string(fields));
    }
}

TEST(Meter, indices_beyond_the_last_are_refused) {
    Metered metered{{with_fields("count", 1)}};
    EXPECT_EQ(refusal<ArgumentError>([&] { static_cast<void>(metered.engine.controls().read(1)); }),
              "no meter 1: the processor declares 1");
}

}  // namespace
}  // namespace cueline::test
