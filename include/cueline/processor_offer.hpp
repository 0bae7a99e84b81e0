// processor_offer.hpp: a processor on its way from an extension to an engine that was compiled elsewhere.
//
// The two were compiled apart, perhaps against different headers, and what the engine runs is inline code of both: each
// reads what the other wrote, by layout. So an offer says what it was compiled against, in words that never change
// their place, and the engine looks at them before it looks at anything else.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <cueline/audio.hpp>
#include <cueline/buffer.hpp>
#include <cueline/message.hpp>
#include <cueline/meter.hpp>
#include <cueline/parameter.hpp>
#include <cueline/process_context.hpp>
#include <cueline/processor.hpp>
#include <cueline/version.hpp>

namespace cueline {

/// What an engine and a processor agree on. It is raised whenever a processor that was compiled before would be
/// misunderstood, though all sizes are what they were. Versions of cueline that have the same understand each other.
inline constexpr std::uint32_t processor_interface = 2;

/// What a Python capsule with a ProcessorOffer in it is called.
inline constexpr char processor_capsule_name[] = "cueline.processor";  // NOLINT(*-avoid-c-arrays): as Python has it

/// The standard library that this was compiled with, and the sizes of all that a processor and its engine both look
/// into, as text: two that are equal fit.
/// Thread: control. Allocates once.
inline const std::string& processor_layout() {
#if defined(_LIBCPP_VERSION)
    static constexpr std::string_view library = "libc++";
#elif defined(__GLIBCXX__)
    static constexpr std::string_view library = "libstdc++";
#else
    static constexpr std::string_view library = "another standard library";
#endif
    static const std::string layout = [] {
        using Size = std::pair<std::string_view, std::size_t>;
        const auto sizes = std::to_array<Size>({
            {"Processor", sizeof(Processor)},
            {"Format", sizeof(Format)},
            {"AudioBlock", sizeof(AudioBlock)},
            {"ProcessContext", sizeof(ProcessContext)},
            {"EventSender", sizeof(EventSender)},
            {"MessageRing", sizeof(MessageRing)},
            {"Message", sizeof(Message)},
            {"ParameterSpec", sizeof(ParameterSpec)},
            {"Parameter", sizeof(Parameter)},
            {"SharedParameter", sizeof(SharedParameter<>)},
            {"MeterSpec", sizeof(MeterSpec)},
            {"Meter", sizeof(Meter)},
            {"SharedMeter", sizeof(SharedMeter)},
            {"Buffer", sizeof(Buffer)},
            {"BufferSlots", sizeof(BufferSlots)},
        });
        std::string text{library};
        for (const auto& [name, size] : sizes) text.append(", ").append(name).append(" ").append(std::to_string(size));
        return text;
    }();
    return layout;
}

/// A processor, and what it was compiled against. The first three members never move, whatever the version.
struct ProcessorOffer {
    std::uint32_t processor_interface = cueline::processor_interface;
    const char* version = cueline::version;
    const char* layout = processor_layout().c_str();

    // What follows is looked at only where the two above agree with what the engine has.
    const char* name = nullptr;
    Processor* processor = nullptr;
    void* owner = nullptr;
    /// Another share in the owner, so that whoever holds one has the processor. Throws std::bad_alloc.
    void* (*share)(void* owner) = nullptr;
    void (*release)(void* owner) noexcept = nullptr;
};
static_assert(offsetof(ProcessorOffer, processor_interface) == 0 &&
              offsetof(ProcessorOffer, version) == sizeof(void*) &&
              offsetof(ProcessorOffer, layout) == 2 * sizeof(void*));

/// Offers `processor`, which is called `name` where an engine is asked for it. Whoever makes the offer may keep a share
/// in the processor, and so does each engine that takes it: it is destroyed with the last of them, on a control thread.
/// Thread: control. Allocates.
/// Returns what is to be freed by withdraw(). A library's user has it done by processor_capsule() of python.hpp.
inline ProcessorOffer* offer_processor(std::shared_ptr<Processor> processor, std::string name) {
    struct Owner {
        std::shared_ptr<Processor> processor;
        std::string name;
    };
    struct Share {
        static void* another(void* owner) {
            return new std::shared_ptr<Owner>{*static_cast<std::shared_ptr<Owner>*>(owner)};
        }
        static void release(void* owner) noexcept { delete static_cast<std::shared_ptr<Owner>*>(owner); }
    };
    const auto owner = std::make_shared<Owner>(Owner{std::move(processor), std::move(name)});
    auto offer = std::make_unique<ProcessorOffer>();
    offer->name = owner->name.c_str();
    offer->processor = owner->processor.get();
    offer->share = &Share::another;
    offer->release = &Share::release;
    offer->owner = new std::shared_ptr<Owner>{owner};
    return offer.release();
}

/// Frees an offer. Who took the processor keeps it. Thread: control.
inline void withdraw(ProcessorOffer* offer) noexcept {
    if (offer == nullptr) return;
    offer->release(offer->owner);
    delete offer;
}

}  // namespace cueline
