// message.hpp: what travels on a line: a fixed-size, trivially copyable message of 56 bytes.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <type_traits>

#include <cueline/ring.hpp>

namespace cueline {

/// The type of a message. It decides how to read the payload.
using Kind = std::uint16_t;
namespace kind {
inline constexpr Kind none = 0;              ///< no message has this kind
inline constexpr Kind first_processor = 64;  ///< the kinds below are the engine's own: see engine_messages.hpp
inline constexpr Kind first_user = 256;      ///< the kinds below are cueline's own; from here on they are yours
}  // namespace kind

/// How to deliver a command: bits of Message::flags.
namespace delivery {
inline constexpr std::uint8_t drop_if_late = 1;  ///< drop it if it is read after its frame
inline constexpr std::uint8_t confirm = 2;       ///< send a confirmation
inline constexpr std::uint8_t beat = 4;          ///< Message::frame holds the bits of a beat, a double of 0 or more
inline constexpr std::uint8_t grid = 8;          ///< it holds the bits of a grid's length in beats; 0 stands for a bar
inline constexpr std::uint8_t part = 0xF0;       ///< which of several processors gets it: see to_part()
}  // namespace delivery

inline constexpr std::size_t header_bytes = 16;
inline constexpr std::size_t payload_bytes = 40;
inline constexpr std::size_t message_bytes = header_bytes + payload_bytes;
inline constexpr std::uint64_t max_frame = std::numeric_limits<std::int64_t>::max();  ///< that a command may have
inline constexpr std::size_t max_lines = 64;  ///< line 0 is the engine's own; open_line() opens the others
inline constexpr std::size_t max_parts = 8;   ///< processors that one engine runs side by side: see open_parts()

/// Returns the flags that send a command to the part with this number. Parts count from 1. 0 stands for all parts, as
/// without these flags. If there is no such part, the command is refused. An engine with a single processor ignores
/// them.
constexpr std::uint8_t to_part(std::size_t number) noexcept CUELINE_NONBLOCKING {
    return static_cast<std::uint8_t>(number << 4U);
}

/// Returns the number of the part that a command with these flags is for, up to 15. 0: all parts.
constexpr std::size_t part_of(std::uint8_t flags) noexcept CUELINE_NONBLOCKING {
    return flags >> 4U;
}

/// Whether `Type` can be a payload.
template <class Type>
inline constexpr bool is_payload = std::is_trivially_copyable_v<Type> && sizeof(Type) <= payload_bytes;

/// A command or an event. With a stamp of 8 bytes beside it, it fills one cache line. All calls are wait-free.
struct Message {
    Kind kind = kind::none;
    std::uint8_t flags = 0;      ///< of a command: bits of namespace delivery
    std::uint8_t line = 0;       ///< the line that the command was sent on; of an event, its cause's line
    std::uint32_t sequence = 0;  ///< the command's number on its line, from 1; of an event, its cause's number, or 0
    std::uint64_t frame = 0;     ///< of a command: at which to apply it, 0 for at once, or what delivery::beat and grid
                                 ///< say; of an event: the frame at which it arose
    std::array<std::byte, payload_bytes> payload{};

    /// Returns the message with these bytes, or nothing if their number is not message_bytes. It does not check the
    /// content: whoever reads the message checks its kind and payload.
    [[nodiscard]] static std::optional<Message> from_bytes(std::span<const std::byte> bytes) noexcept
        CUELINE_NONBLOCKING;

    /// Sets the line and the command's number on it. Writes the whole word that they share with kind and flags: a push
    /// often follows at once, and after narrow stores it would have to wait (see Cell::write() in ring.hpp).
    void set_origin(std::uint8_t line_number, std::uint32_t command_number) noexcept CUELINE_NONBLOCKING {
        if constexpr (std::endian::native == std::endian::little) {
            const std::uint64_t word = std::uint64_t{kind} | std::uint64_t{flags} << 16U |
                                       std::uint64_t{line_number} << 24U | std::uint64_t{command_number} << 32U;
            std::memcpy(static_cast<void*>(this), &word, sizeof word);
        } else {
            line = line_number;
            sequence = command_number;
        }
    }

    /// Returns the payload as a `Payload`. Check `kind` first.
    template <class Payload>
    [[nodiscard]] Payload as() const noexcept CUELINE_NONBLOCKING {
        static_assert(is_payload<Payload>, "a payload is trivially copyable and at most 40 bytes");
        Payload value;
        std::memcpy(&value, payload.data(), sizeof value);
        return value;
    }

    /// Returns a message of this kind that carries `value`. The rest of its payload is zero.
    template <class Payload>
    [[nodiscard]] static Message of(Kind kind, const Payload& value) noexcept CUELINE_NONBLOCKING {
        static_assert(is_payload<Payload>, "a payload is trivially copyable and at most 40 bytes");
        Message message;
        message.kind = kind;
        std::memcpy(message.payload.data(), &value, sizeof value);
        return message;
    }

    /// Returns a message of kind `Payload::kind` that carries `value`.
    template <class Payload>
    [[nodiscard]] static Message of(const Payload& value) noexcept CUELINE_NONBLOCKING {
        return of(Payload::kind, value);
    }
};

inline std::optional<Message> Message::from_bytes(std::span<const std::byte> bytes) noexcept CUELINE_NONBLOCKING {
    if (bytes.size() != sizeof(Message)) return std::nullopt;
    Message message;
    std::memcpy(&message, bytes.data(), sizeof message);
    return message;
}

/// Whether a command with these flags applies at a beat. A grid becomes a beat when the audio thread reads it.
constexpr bool has_beat(std::uint8_t flags) noexcept CUELINE_NONBLOCKING {
    return (flags & (delivery::beat | delivery::grid)) != 0;
}

/// Whether `command` waits for a time: a frame or a beat. Beat 0 is not frame 0.
constexpr bool is_cue(const Message& command) noexcept CUELINE_NONBLOCKING {
    return command.frame != 0 || has_beat(command.flags);
}

static_assert(sizeof(Message) == message_bytes && alignof(Message) == 8);
static_assert(offsetof(Message, kind) == 0 && offsetof(Message, flags) == 2 && offsetof(Message, line) == 3);
static_assert(offsetof(Message, sequence) == 4);
static_assert(offsetof(Message, frame) == 8 && offsetof(Message, payload) == header_bytes);
static_assert(std::is_trivially_copyable_v<Message> && std::is_standard_layout_v<Message>);
static_assert(sizeof(Message) + sizeof(std::uint64_t) == cache_line_bytes);

// Sequences: the numbers of a line's commands. They have 32 bits and begin at 1; 0 stands for "no command".

/// Returns the number that follows `sequence`, or the one `steps` further. It skips 0.
constexpr std::uint32_t sequence_after(std::uint32_t sequence, std::uint32_t steps = 1) noexcept CUELINE_NONBLOCKING {
    constexpr std::uint32_t numbers = ~std::uint32_t{0};
    const std::uint64_t sum = std::uint64_t{sequence} + steps;
    return static_cast<std::uint32_t>(sum > numbers ? sum - numbers : sum);
}

/// Returns the number that comes `steps` before `sequence`. It skips 0.
constexpr std::uint32_t sequence_before(std::uint32_t sequence, std::uint32_t steps) noexcept CUELINE_NONBLOCKING {
    return sequence > steps ? sequence - steps : sequence - steps - 1;
}

/// Returns the number of the last of `accepted` commands on a line, or 0 if there are none.
constexpr std::uint32_t last_sequence(std::uint64_t accepted) noexcept CUELINE_NONBLOCKING {
    return accepted == 0 ? 0 : static_cast<std::uint32_t>((accepted - 1) % ~std::uint32_t{0}) + 1;
}

/// Returns whether `sequence` comes after `than`. Both are numbers of one line, less than half of all numbers apart.
constexpr bool is_later(std::uint32_t sequence, std::uint32_t than) noexcept CUELINE_NONBLOCKING {
    return static_cast<std::int32_t>(sequence - than) > 0;
}

}  // namespace cueline
