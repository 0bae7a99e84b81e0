// line_offer.hpp: lets an extension open lines of an engine that Python made, and send on them without the GIL.
//
// The engine and the extension may have been compiled against different headers. So the extension calls the engine's
// code through a table of virtual functions, and an offer says what it was compiled against, like a ProcessorOffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include <cueline/line.hpp>
#include <cueline/message.hpp>
#include <cueline/monotonic.hpp>
#include <cueline/processor_offer.hpp>
#include <cueline/version.hpp>

namespace cueline {

/// What became of a command.
enum class Sent : std::uint8_t {
    ok,
    full,    ///< the line's ring has no room
    closed,  ///< nobody will read it: the engine is closed, or this process is a fork of the engine's
};

/// A line of an engine that Python made, for one thread of an extension, such as a MIDI thread. One thread at a time
/// sends, and one receives. No call needs the GIL, allocates, locks or waits. It may outlive the engine object: then it
/// refuses what is sent. The destructor closes the line; if this is the last owner, it frees the engine's memory, and
/// may take the GIL for that.
class OfferedLine {
  public:
    OfferedLine(const OfferedLine&) = delete;
    OfferedLine& operator=(const OfferedLine&) = delete;
    virtual ~OfferedLine() = default;

    /// Sends `message` with its kind, flags and frame. Sets its line and its sequence. If the ring is full, sends and
    /// counts nothing: try again, or call count_dropped().
    virtual Sent try_send(Message& message) noexcept = 0;

    /// Counts commands that you give up after try_send() returned Sent::full.
    virtual void count_dropped(std::uint64_t commands) noexcept = 0;

    /// The same as try_send(), but if the ring is full, counts a dropped command.
    Sent send(Message& message) noexcept {
        const Sent sent = try_send(message);
        if (sent == Sent::full) count_dropped(1);
        return sent;
    }

    /// Sends a command of kind `Payload::kind`.
    template <class Payload>
    Sent send(const Payload& payload, const Delivery& delivery = {}) noexcept {
        Message message = message_of(payload, delivery);
        return send(message);
    }

    /// The same, but if the ring is full, counts nothing.
    template <class Payload>
    Sent try_send(const Payload& payload, const Delivery& delivery = {}) noexcept {
        Message message = message_of(payload, delivery);
        return try_send(message);
    }

    /// Takes the oldest event of this line. Returns Status::empty if there is none.
    virtual Status receive(Message& event) noexcept = 0;

    /// Takes the oldest confirmation of this line. At most 1024 can be pending: further ones are dropped and counted.
    /// Python does not open a line with this number while confirmations are pending that this line requested.
    virtual Status receive_confirmation(Message& confirmation) noexcept = 0;

    /// Returns the first frame of the next block: the earliest frame at which a command sent now can apply.
    [[nodiscard]] virtual std::uint64_t now() const noexcept = 0;

    /// Returns the frame and the time of the last block that began, to convert between frames and the monotonic clock;
    /// nothing before the first block.
    [[nodiscard]] virtual std::optional<BlockTime> last_block() const noexcept = 0;

    /// Returns the number of the line.
    [[nodiscard]] virtual std::uint8_t number() const noexcept = 0;

  protected:
    OfferedLine() = default;

  private:
    template <class Payload>
    static Message message_of(const Payload& payload, const Delivery& delivery) noexcept {
        Message message = Message::of(payload);
        message.frame = delivery.frame;
        message.flags = delivery.flags;
        return message;
    }
};

/// The name of a Python capsule that holds a LineOffer.
// NOLINTNEXTLINE(*-avoid-c-arrays): a C string, for Python
inline constexpr char line_capsule_name[] = "cueline.lines";

/// A way to open lines of an engine, and what the engine was compiled against. The first three members never move, in
/// any version.
struct LineOffer {
    std::uint32_t processor_interface = cueline::processor_interface;
    const char* version = cueline::version;
    const char* layout = processor_layout().c_str();

    // The extension reads the rest only if processor_interface and layout equal its own.
    void* engine = nullptr;
    /// Opens a line. Returns nullptr with a Python error set. [with the GIL]
    OfferedLine* (*open)(void* engine, Events events) noexcept = nullptr;
};
static_assert(offsetof(LineOffer, processor_interface) == 0 && offsetof(LineOffer, version) == sizeof(void*) &&
              offsetof(LineOffer, layout) == 2 * sizeof(void*));

}  // namespace cueline
