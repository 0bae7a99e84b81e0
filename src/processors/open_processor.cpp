// open_processor.cpp: the list of processors (add a new one here), and the check of one that an extension offers.
#include <cueline/engine/open_processor.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <cueline/error.hpp>
#include <cueline/version.hpp>

#include "processors/parts_processor.hpp"
#include "processors/passthrough_processor.hpp"
#include "processors/player_processor.hpp"
#include "processors/tone_processor.hpp"

namespace cueline {

namespace {

[[noreturn]] void refuse(const ProcessorOffer& offer, const std::string& difference) {
    const std::string theirs{offer.version};
    throw ProcessorMismatchError{"this processor was compiled against cueline " + theirs +
                                 ", and the engine is cueline " + version + ": " + difference +
                                 "; build the extension again, against cueline " + version};
}

/// Returns the first item of `list`, whose items are separated by ", ", that differs from the same item of `other`.
std::string_view first_difference(std::string_view list, std::string_view other) {
    while (!list.empty()) {
        const std::string_view item = list.substr(0, list.find(", "));
        if (other.substr(0, other.find(", ")) != item) return item;
        list.remove_prefix(item.size() < list.size() ? item.size() + 2 : list.size());
        other.remove_prefix(item.size() < other.size() ? item.size() + 2 : other.size());
    }
    return "nothing";
}

}  // namespace

OwnedProcessor open_processor(std::string_view name) {
    if (name == "silence") return {std::make_unique<SilenceProcessor>(), std::string{name}};
    if (name == "tone") return {std::make_unique<ToneProcessor>(), std::string{name}};
    if (name == "player") return {std::make_unique<PlayerProcessor>(), std::string{name}};
    if (name == "passthrough") return {std::make_unique<PassthroughProcessor>(), std::string{name}};
    throw ArgumentError{
        "processor must be 'player', 'tone', 'passthrough' or 'silence', or left out for the player, got '" +
        std::string{name} + "'"};
}

OwnedProcessor open_processor(const ProcessorOffer& offer) {
    if (offer.processor_interface != processor_interface) {
        refuse(offer, "the extension has processor interface " + std::to_string(offer.processor_interface) +
                          ", the engine has " + std::to_string(processor_interface));
    }
    if (processor_layout() != offer.layout) {
        const std::string_view theirs = first_difference(offer.layout, processor_layout());
        const std::string_view ours = first_difference(processor_layout(), offer.layout);
        refuse(offer, "the layout differs, '" + std::string{theirs} + "' in the extension and '" + std::string{ours} +
                          "' in the engine");
    }
    // The deleter holds the share: the code that made the share also frees it.
    std::shared_ptr<Processor> processor{offer.processor, [release = offer.release, share = offer.share(offer.owner)](
                                                              Processor*) noexcept { release(share); }};
    return {std::move(processor), offer.name == nullptr ? "" : offer.name};
}

OwnedProcessor open_parts(std::vector<OwnedProcessor> parts) {
    if (parts.empty() || parts.size() > max_parts) {
        throw ArgumentError{"an engine has 1 to " + std::to_string(max_parts) + " parts, got " +
                            std::to_string(parts.size())};
    }
    for (auto part = parts.begin(); part != parts.end(); ++part) {
        const std::string named = "part '" + part->name() + "'";
        if (part->name().empty()) throw ArgumentError{"a part must have a name, got ''"};
        if (part->name().find('.') != std::string::npos) {
            throw ArgumentError{named + " must have a name without a dot: '<part>.gain' is a parameter's name"};
        }
        if (part->get() == nullptr) throw ArgumentError{named + " needs a processor, got none"};
        for (auto earlier = parts.begin(); earlier != part; ++earlier) {
            if (earlier->name() == part->name()) throw ArgumentError{"two parts are named '" + part->name() + "'"};
            if (earlier->get() == part->get()) {
                throw ArgumentError{"parts '" + earlier->name() + "' and '" + part->name() +
                                    "' are one processor: make one for each"};
            }
        }
    }
    auto processor = std::make_shared<PartsProcessor>(parts);
    return {std::move(processor), "parts", std::move(parts)};
}

}  // namespace cueline
