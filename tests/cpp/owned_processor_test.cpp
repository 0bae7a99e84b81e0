// owned_processor_test.cpp: an offered processor is taken if it fits, shared, and run by one engine at a time.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine/open_processor.hpp>
#include <cueline/engine/player_messages.hpp>
#include <cueline/error.hpp>
#include <cueline/processor_offer.hpp>
#include <cueline/version.hpp>

#include "devices/offline_device.hpp"
#include "processors.hpp"
#include "refusal.hpp"

namespace cueline::test {
namespace {

using Offer = std::unique_ptr<ProcessorOffer, decltype(&withdraw)>;

Offer offered(std::shared_ptr<Processor> processor = std::make_shared<WaveProcessor>()) {
    return {offer_processor(std::move(processor), "wave"), &withdraw};
}

std::string refusal_of(const ProcessorOffer& offer) {
    return refusal<ProcessorMismatchError>([&] { open_processor(offer); });
}

std::unique_ptr<Engine> engine_of(std::shared_ptr<Processor> processor) {
    return std::make_unique<Engine>(std::make_unique<OfflineDevice>(Format{}), std::move(processor));
}

TEST(OfferedProcessor, is_the_one_that_was_offered) {
    const auto processor = std::make_shared<WaveProcessor>();
    const Offer offer = offered(processor);
    EXPECT_EQ(open_processor(*offer).get(), processor.get());
    EXPECT_STREQ(offer->name, "wave");
}

TEST(OfferedProcessor, lives_as_long_as_a_share_of_it) {
    std::weak_ptr<Processor> watched;
    Offer offer = [&watched] {
        auto processor = std::make_shared<WaveProcessor>();
        watched = processor;
        return offered(std::move(processor));
    }();
    std::optional<OwnedProcessor> one = open_processor(*offer);
    std::optional<OwnedProcessor> other = open_processor(*offer);
    offer.reset();
    EXPECT_FALSE(watched.expired());
    one.reset();
    EXPECT_FALSE(watched.expired());
    other.reset();
    EXPECT_TRUE(watched.expired());
}

TEST(OfferedProcessor, is_freed_with_an_offer_that_nobody_took) {
    auto processor = std::make_shared<WaveProcessor>();
    const std::weak_ptr<Processor> watched = processor;
    offered(std::move(processor)).reset();
    EXPECT_TRUE(watched.expired());
}

TEST(OfferedProcessor, with_another_interface_is_refused_before_anything_else_is_read) {
    const Offer sound = offered();
    ProcessorOffer foreign;  // all after the first three members is unset
    foreign.processor_interface = processor_interface + 1;
    foreign.version = "2.0.0";
    foreign.layout = sound->layout;
    EXPECT_EQ(refusal_of(foreign),
              std::string{"this processor was compiled against cueline 2.0.0, and the engine is cueline "} + version +
                  ": the extension has processor interface " + std::to_string(processor_interface + 1) +
                  ", the engine has " + std::to_string(processor_interface) +
                  "; build the extension again, against cueline " + version);
}

TEST(OfferedProcessor, with_another_layout_is_refused_with_the_difference) {
    std::string layout = processor_layout();
    layout.replace(layout.find("ProcessContext "), 15, "ProcessContext 1");
    ProcessorOffer foreign;
    foreign.layout = layout.c_str();
    const std::string refused = refusal_of(foreign);
    EXPECT_NE(refused.find("the layout differs, 'ProcessContext 1"), std::string::npos) << refused;
    foreign.layout = "";
    EXPECT_NE(refusal_of(foreign).find("'nothing' in the extension"), std::string::npos);
}

TEST(OfferedProcessor, of_another_version_with_the_same_interface_and_layout_is_accepted) {
    const Offer offer = offered();
    offer->version = "0.0.1";
    EXPECT_NE(open_processor(*offer).get(), nullptr);
}

TEST(OwnedProcessor, belongs_to_one_engine_until_that_is_closed) {
    const auto processor = std::make_shared<WaveProcessor>();
    const std::unique_ptr<Engine> first = engine_of(processor);
    EXPECT_EQ(refusal<ArgumentError>([&] { engine_of(processor); }),
              "another engine runs this processor: close() that engine first, or make another processor");
    first->close();
    const std::unique_ptr<Engine> second = engine_of(processor);
    first->close();
    EXPECT_NE(refusal<ArgumentError>([&] { engine_of(processor); }), "not refused");
}

TEST(OwnedProcessor, is_free_again_if_making_an_engine_failed) {
    const auto processor = std::make_shared<WaveProcessor>();
    EXPECT_NE(
        refusal<ArgumentError>([&] { const Engine engine{std::make_unique<OfflineDevice>(Format{}), processor, 0}; }),
        "not refused");
    EXPECT_EQ(refusal<ArgumentError>([&] { engine_of(processor); }), "not refused");
    EXPECT_EQ(refusal<ArgumentError>([&] { engine_of(processor); }), "not refused");
}

TEST(OwnedProcessor, is_required_by_an_engine) {
    EXPECT_EQ(refusal<ArgumentError>([] { engine_of(nullptr); }),
              "an engine needs a processor, got none: for silence, use SilenceProcessor");
}

TEST(OwnedProcessor, stays_free_if_the_engine_gets_no_device) {
    const auto processor = std::make_shared<WaveProcessor>();
    EXPECT_EQ(refusal<ArgumentError>([&] { const Engine engine{nullptr, processor}; }),
              "an engine needs a device, got none: use open_device()");
    engine_of(processor);
}

TEST(NamedProcessor, handles_the_kinds_that_it_declares_and_no_other) {
    for (const char* const name : {"silence", "tone", "player"}) {
        OwnedProcessor processor = open_processor(name);
        const Processor& declaring = *processor.get();
        Engine engine{std::make_unique<OfflineDevice>(Format{}), std::move(processor)};
        engine.start();
        const auto declared = declaring.kinds();
        ASSERT_TRUE(declared.has_value()) << name;
        const std::span<const Kind> kinds = declared.value_or(std::span<const Kind>{});
        std::vector<float> audio(std::size_t{engine.format().outputs} * engine.format().blocksize);
        for (Kind each = cueline::kind::first_processor; each < cueline::kind::first_user; ++each) {
            const auto is_handled = [&](const auto& payload) {
                const std::uint64_t before = engine.stats().unhandled;
                engine.control().send(each, payload);
                engine.device().render(audio);
                return engine.stats().unhandled == before;
            };
            // A rate of 0 is rejected, and a slot that is some float's bits is, too.
            std::array<float, payload_bytes / sizeof(float)> ones{};
            ones.fill(1);
            const bool handled = is_handled(std::array<std::byte, payload_bytes>{}) || is_handled(ones) ||
                                 is_handled(PlayBuffer{}) || is_handled(SetVoice{.voice = 1});
            EXPECT_EQ(handled, std::ranges::find(kinds, each) != kinds.end()) << name << ", kind " << each;
        }
    }
}

TEST(Processor, declares_no_kinds_unless_it_says_so) {
    EXPECT_FALSE(WaveProcessor{}.kinds().has_value());
}

}  // namespace
}  // namespace cueline::test
