// taken_processor.cpp: compares what an extension was compiled against with what the engine was.
#include "processors/taken_processor.hpp"

#include <string>
#include <string_view>

#include <cueline/error.hpp>
#include <cueline/version.hpp>

namespace cueline {

namespace {

[[noreturn]] void refuse(const ProcessorOffer& offer, const std::string& what) {
    const std::string theirs{offer.version};
    throw ProcessorMismatchError{"this processor was compiled against cueline " + theirs + ", and the engine is of " +
                                 version + ": " + what + "; build the extension anew, against cueline " + version};
}

/// What stands in `list`, which is parted by ", ", before the first place where `other` has something else there.
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

std::shared_ptr<Processor> take_processor(const ProcessorOffer& offer) {
    if (offer.processor_interface != processor_interface) {
        refuse(offer, "the extension has processor interface " + std::to_string(offer.processor_interface) +
                          ", the engine " + std::to_string(processor_interface));
    }
    if (processor_layout() != offer.layout) {
        const std::string_view theirs = first_difference(offer.layout, processor_layout());
        const std::string_view ours = first_difference(processor_layout(), offer.layout);
        refuse(offer, "the layout is another one, '" + std::string{theirs} + "' in the extension and '" +
                          std::string{ours} + "' in the engine");
    }
    // The share is held by the pointer's deleter: the code that made it is also what frees it.
    return {offer.processor,
            [release = offer.release, share = offer.share(offer.owner)](Processor*) noexcept { release(share); }};
}

}  // namespace cueline
