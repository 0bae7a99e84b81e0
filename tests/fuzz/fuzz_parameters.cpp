// fuzz_parameters.cpp: any bytes in the memory of parameters, as a damaged control side could leave them there, and any
// commands of automations: the audio thread takes what is declared, within its range, and touches nothing else.
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <vector>

#include <cueline/engine_messages.hpp>
#include <cueline/link.hpp>
#include <cueline/parameter.hpp>

#include "engine/processor_values.hpp"

namespace cueline::fuzz {
namespace {

constexpr std::uint32_t blocksize = 16;

void require_inside(const ParameterSpec& spec, double value) {
    if (value >= spec.lowest && value <= spec.highest) return;  // false for NaN
    std::fprintf(stderr, "not so: a parameter is in its range\n");
    std::abort();
}

/// The memory of a link's parameters: their summary, their marks and their values.
std::span<std::byte> memory_of_parameters(const Link& link) {
    LinkHeader& header = link.header();
    auto* const memory = std::as_writable_bytes(std::span{&header, 1}).data();
    return {memory + header.parameters_at, header.meters_at - header.parameters_at};
}

void render_block(ProcessorValues& values, std::span<const ParameterSpec> specs) {
    values.begin_block();
    std::size_t address = 0;
    for (const ParameterSpec& spec : specs) {
        for (std::uint32_t element = 0; element < spec.count; ++element, ++address) {
            Parameter& parameter = values.parameters()[address];
            for (std::uint32_t frame = 0; frame <= blocksize; ++frame) require_inside(spec, parameter.at(frame));
            require_inside(spec, parameter.next());
            require_inside(spec, parameter.target());
        }
    }
    values.end_segment(blocksize);
    values.end_block();
}

/// A part of an automation, a hold or a cancel, near the next block, or of any bits.
void automate(FuzzedDataProvider& input, ProcessorValues& values, std::size_t declared, double now) {
    const auto bytes = input.ConsumeBytes<std::byte>(payload_bytes);
    Message command;
    std::ranges::copy(bytes, command.payload.begin());
    command.kind = static_cast<Kind>(kind::automate + input.ConsumeIntegralInRange(0, 2));
    command.sequence = input.ConsumeIntegralInRange<std::uint32_t>(1, 4);
    if (command.kind == kind::automate && input.ConsumeBool()) {
        auto part = command.as<Automate>();
        part.value = input.ConsumeFloatingPointInRange<double>(-3, 9);
        part.end = now + input.ConsumeFloatingPointInRange<double>(-5, 50);
        part.automation %= 4;
        part.parameter = static_cast<std::uint16_t>(part.parameter % (declared + 1));
        part.shape = static_cast<Shape>(static_cast<unsigned>(part.shape) % 6);
        command.payload = Message::of(part).payload;
    }
    const auto beat = input.ConsumeFloatingPointInRange<double>(0, 2);
    static_cast<void>(values.automations().apply(command, {.frame = now, .beat = beat}));
}

}  // namespace
}  // namespace cueline::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace cueline;
    FuzzedDataProvider input{data, size};
    const std::array specs{
        ParameterSpec{.name = "gain", .lowest = -1, .highest = 2, .default_value = 1},
        ParameterSpec{
            .name = "pan", .lowest = -1, .highest = 1, .count = input.ConsumeIntegralInRange<std::uint32_t>(1, 200)},
        ParameterSpec{.name = "mode", .lowest = 3, .highest = 7, .default_value = 3, .ramp_s = 0}};
    const std::size_t declared = elements(std::span<const ParameterSpec>{specs});
    const OwnedLink link{{.lines = 1, .parameters = static_cast<std::uint32_t>(declared)}};
    ProcessorValues values{link};
    values.declare(specs, {});
    values.prepare(1000);  // a ramp takes 20 frames
    const std::span<std::byte> memory = fuzz::memory_of_parameters(link);
    double frame = 0;
    while (input.remaining_bytes() > 0) {
        switch (input.ConsumeIntegralInRange(0, 3)) {
            case 0: {
                const auto at = input.ConsumeIntegralInRange<std::size_t>(0, memory.size() - 1);
                const auto length = input.ConsumeIntegralInRange<std::size_t>(1, 16);
                const auto bytes = input.ConsumeBytes<std::byte>(std::min(length, memory.size() - at));
                std::ranges::copy(bytes, memory.begin() + static_cast<std::ptrdiff_t>(at));
                break;
            }
            case 1:
                link.parameters().write(input.ConsumeIntegralInRange<std::size_t>(0, declared - 1),
                                        input.ConsumeFloatingPoint<double>());
                break;
            case 2:
                fuzz::automate(input, values, declared, frame);
                break;
            default:
                frame += fuzz::blocksize;
                fuzz::render_block(values, specs);
        }
    }
    fuzz::render_block(values, specs);
    return 0;
}
