// processor_offer.hpp: carries a processor from an extension to an engine that was compiled separately.
//
// The two may have been compiled against different headers. Both contain inline code that uses the same objects, so the
// objects' layout must be the same. An offer says what it was compiled against, in members that never move. The engine
// checks these members before it reads anything else.
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
#include <cueline/midi_output.hpp>
#include <cueline/monotonic.hpp>
#include <cueline/outcome.hpp>
#include <cueline/parameter.hpp>
#include <cueline/playback.hpp>
#include <cueline/process_context.hpp>
#include <cueline/processor.hpp>
#include <cueline/processor_streams.hpp>
#include <cueline/recording.hpp>
#include <cueline/timeline.hpp>
#include <cueline/version.hpp>

namespace cueline {

/// The version of the interface between engine and processor. Raise it for every change that the sizes in
/// processor_layout() do not show. Versions of cueline with the same number fit each other.
inline constexpr std::uint32_t processor_interface = 8;

/// The name of a Python capsule that holds a ProcessorOffer.
// NOLINTNEXTLINE(*-avoid-c-arrays): a C string, for Python
inline constexpr char processor_capsule_name[] = "cueline.processor";

/// A text with the standard library and the sizes of all types that both processor and engine use. Equal texts fit.
/// [control thread; allocates once]
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
            {"Outcome", sizeof(Outcome)},
            {"Timeline", sizeof(Timeline)},
            {"EventSender", sizeof(EventSender)},
            {"MidiOutput", sizeof(MidiOutput)},
            {"MessageRing", sizeof(MessageRing)},
            {"CountedRing", sizeof(CountedRing)},
            {"Message", sizeof(Message)},
            {"BlockTime", sizeof(BlockTime)},
            {"ParameterSpec", sizeof(ParameterSpec)},
            {"Parameter", sizeof(Parameter)},
            {"MeterSpec", sizeof(MeterSpec)},
            {"Meter", sizeof(Meter)},
            {"SharedMeter", sizeof(SharedMeter)},
            {"Buffer", sizeof(Buffer)},
            {"BufferSlots", sizeof(BufferSlots)},
            {"BufferSlots::Table::Entry", sizeof(BufferSlots::Table::Entry)},
            {"StreamSpec", sizeof(StreamSpec)},
            {"ProcessorStreams", sizeof(ProcessorStreams)},
            {"PlaybackConsumer", sizeof(PlaybackConsumer<>)},
            {"RecordingProducer", sizeof(RecordingProducer<>)},
            {"SharedPlayback", sizeof(SharedPlayback<>)},
            {"SharedRecording", sizeof(SharedRecording<>)},
        });
        std::string text{library};
        for (const auto& [name, size] : sizes) text.append(", ").append(name).append(" ").append(std::to_string(size));
        return text;
    }();
    return layout;
}

/// A processor, and what it was compiled against. The first three members never move, in any version.
struct ProcessorOffer {
    std::uint32_t processor_interface = cueline::processor_interface;
    const char* version = cueline::version;
    const char* layout = processor_layout().c_str();

    // The engine reads the rest only if processor_interface and layout equal its own.
    const char* name = nullptr;
    Processor* processor = nullptr;
    void* owner = nullptr;
    /// Makes another share in `owner`. Each share keeps the processor alive. Throws std::bad_alloc.
    void* (*share)(void* owner) = nullptr;
    void (*release)(void* owner) noexcept = nullptr;
};
static_assert(offsetof(ProcessorOffer, processor_interface) == 0 &&
              offsetof(ProcessorOffer, version) == sizeof(void*) &&
              offsetof(ProcessorOffer, layout) == 2 * sizeof(void*));

/// Offers `processor` under `name`, the name that an engine reports. The caller may keep a share in the processor, and
/// each engine that takes it has a share. The last owner destroys it, on a control thread. Free the returned offer with
/// withdraw(); processor_capsule() of python.hpp does this for you. [control thread]
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

/// Frees an offer. An engine that took the processor keeps it. [control thread]
inline void withdraw(ProcessorOffer* offer) noexcept {
    if (offer == nullptr) return;
    offer->release(offer->owner);
    delete offer;
}

}  // namespace cueline
