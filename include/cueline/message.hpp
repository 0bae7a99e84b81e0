// message.hpp: what travels on a line: fixed-size, trivially copyable, 56 bytes.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>

#include <cueline/ring.hpp>

namespace cueline {

/// What a message is. Those below `first_user` are cueline's own; from there on they are the user's. Of cueline's own,
/// those below `first_processor` are between the control side and the engine.
using Kind = std::uint16_t;
namespace kind {
inline constexpr Kind none = 0;             ///< never sent
inline constexpr Kind ping = 1;             ///< command: answer me. Payload: Ping
inline constexpr Kind pong = 2;             ///< event: the answer. Payload: Pong
inline constexpr Kind device_lost = 3;      ///< event: the audio ended by itself. Payload: DeviceLost
inline constexpr Kind format_changed = 4;   ///< event: blocks come in another format now. Payload: FormatChanged
inline constexpr Kind applied = 5;          ///< told to who asked for it: a command took effect. Payload: Applied
inline constexpr Kind refused = 6;          ///< a command did not take effect. Payload: Refused
inline constexpr Kind cancel = 7;           ///< command: forget a cue. Payload: Cancel
inline constexpr Kind cancel_all = 8;       ///< command: forget cues, those sent before. Payload: CancelAll
inline constexpr Kind transaction = 9;      ///< command: those that follow it belong together. Payload: Transaction
inline constexpr Kind publish_buffer = 10;  ///< command: here is a buffer. Payload: PublishBuffer
inline constexpr Kind first_processor = 16;
inline constexpr Kind set_tone = 16;      ///< command to the tone processor. Payload: SetTone
inline constexpr Kind get_level = 17;     ///< command to the tone processor: how loud was it? Payload: GetLevel
inline constexpr Kind level = 18;         ///< event: the answer. Payload: Level
inline constexpr Kind click = 19;         ///< command to the tone processor. Payload: Click
inline constexpr Kind play_buffer = 20;   ///< command to the player: play what lies in a slot. Payload: PlayBuffer
inline constexpr Kind stop_buffer = 21;   ///< command to the player: stop it. Payload: StopBuffer
inline constexpr Kind buffer_ended = 22;  ///< event: it was played to its end. Payload: BufferEnded
inline constexpr Kind first_user = 256;
}  // namespace kind

/// What may be asked of a command's delivery: bits of Message::flags.
namespace delivery {
inline constexpr std::uint8_t drop_if_late = 1;  ///< rather than apply it later than its frame
inline constexpr std::uint8_t confirm = 2;       ///< tell what became of it
inline constexpr std::uint8_t member = 4;        ///< it belongs to the transaction before it: the audio side's own note
}  // namespace delivery

inline constexpr std::size_t payload_bytes = 40;
inline constexpr std::size_t max_lines = 9;  ///< line 0 is the engine's own; open_line() opens the others

/// A command or an event. With a stamp of 8 bytes beside it, it is one cache line.
struct Message {
    Kind kind = kind::none;
    std::uint8_t flags = 0;      ///< a command's: what is asked of its delivery, of namespace delivery
    std::uint8_t line = 0;       ///< the line it came by: 0 is the engine's own; an event carries its cause's
    std::uint32_t sequence = 0;  ///< a command's number on its line, from 1; an event carries its cause's, or 0
    std::uint64_t frame = 0;     ///< a command's: where it applies, 0 as soon as it is read; an event's: where it arose
    std::array<std::byte, payload_bytes> payload{};

    /// The message that these bytes are, or nothing when they are not as many as a message has. Any bytes of that
    /// number are one: what its kind and payload mean is for the reader to judge.
    /// Thread: any. Real-time: wait-free.
    [[nodiscard]] static std::optional<Message> from_bytes(std::span<const std::byte> bytes) noexcept
        CUELINE_NONBLOCKING;

    /// Says which line it came by, and its number there. Both are in one word with the kind and the flags, which is
    /// written whole: who pushes the message right after need not wait for narrower stores to meet in it (see
    /// copy_bytes_by_words()).
    /// Thread: any. Real-time: wait-free.
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

    /// The payload, read as a `Payload`. The caller has looked at `kind`.
    /// Thread: any. Real-time: wait-free.
    template <class Payload>
    [[nodiscard]] Payload as() const noexcept CUELINE_NONBLOCKING {
        static_assert(std::is_trivially_copyable_v<Payload> && sizeof(Payload) <= payload_bytes,
                      "a payload is trivially copyable and at most 40 bytes");
        Payload value;
        std::memcpy(&value, payload.data(), sizeof value);
        return value;
    }

    /// A message of this kind carrying `value`; the bytes of the payload behind it are zero.
    /// Thread: any. Real-time: wait-free.
    template <class Payload>
    [[nodiscard]] static Message of(Kind kind, const Payload& value) noexcept CUELINE_NONBLOCKING {
        static_assert(std::is_trivially_copyable_v<Payload> && sizeof(Payload) <= payload_bytes,
                      "a payload is trivially copyable and at most 40 bytes");
        Message message;
        message.kind = kind;
        std::memcpy(message.payload.data(), &value, sizeof value);
        return message;
    }

    /// The same, of the kind that the payload's type names.
    /// Thread: any. Real-time: wait-free.
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

static_assert(sizeof(Message) == 56 && alignof(Message) == 8);
static_assert(offsetof(Message, kind) == 0 && offsetof(Message, flags) == 2 && offsetof(Message, line) == 3);
static_assert(offsetof(Message, sequence) == 4);
static_assert(offsetof(Message, frame) == 8 && offsetof(Message, payload) == 16);
static_assert(std::is_trivially_copyable_v<Message> && std::is_standard_layout_v<Message>);
static_assert(sizeof(Message) + sizeof(std::uint64_t) == cache_line_bytes);

/// A ping's payload.
struct Ping {
    static constexpr Kind kind = cueline::kind::ping;
    std::uint64_t sent_ns;  ///< the sender's monotonic clock as it sent
};

/// A pong's payload. Its message carries the ping's sequence and the frame at which it was answered.
struct Pong {
    static constexpr Kind kind = cueline::kind::pong;
    std::uint64_t sent_ns;   ///< as the ping had it
    std::uint64_t block_ns;  ///< the monotonic clock as the block that answered began, as its device told it
};

/// A device_lost's payload. Its message carries the first frame of the last block.
struct DeviceLost {
    static constexpr Kind kind = cueline::kind::device_lost;
    std::uint64_t lost_ns;  ///< the monotonic clock as it was seen
};

/// A format_changed's payload: a Format, as a message carries it.
struct FormatChanged {
    static constexpr Kind kind = cueline::kind::format_changed;
    std::uint32_t samplerate;
    std::uint32_t channels;
    std::uint32_t blocksize;
};

/// Why a command did not take effect.
enum class Reason : std::uint32_t {  // NOLINT(performance-enum-size): a field of 4 bytes
    late = 1,                        ///< it was read after its frame, and was to be dropped then
    schedule_full = 2,               ///< it was a cue, and as many as the schedule holds wait already
    cancelled = 3,                   ///< somebody asked for that
    unknown = 4,                     ///< neither the engine nor the processor knows its kind
};

/// An applied's payload. Its message carries the frame at which the command took effect.
struct Applied {
    static constexpr Kind kind = cueline::kind::applied;
    bool late;  ///< whether that was later than its frame
};

/// A refused's payload. Its message carries the frame at which the command was refused.
struct Refused {
    static constexpr Kind kind = cueline::kind::refused;
    std::uint64_t wanted_frame;  ///< where it was to apply
    Reason reason;
};

/// A cancel's payload.
struct Cancel {
    static constexpr Kind kind = cueline::kind::cancel;
    std::uint32_t sequence;  ///< of a command that came by the same line: a transaction's stands for all of it
};

/// A cancel_all's payload.
struct CancelAll {
    static constexpr Kind kind = cueline::kind::cancel_all;
    /// Of each line by its number, the last command whose cue is to be forgotten; 0: none is.
    std::array<std::uint32_t, max_lines> up_to;
};

/// A transaction's payload. Its members follow it on the same line at once; its own frame and flags are theirs.
struct Transaction {
    static constexpr Kind kind = cueline::kind::transaction;
    std::uint32_t members;
};

/// A publish_buffer's payload. Engine::publish() sends it; a handle that it did not give means nothing.
struct PublishBuffer {
    static constexpr Kind kind = cueline::kind::publish_buffer;
    std::uint32_t slot;
    std::uint32_t handle;  ///< no_buffer: the slot is to be empty
};

/// A set_tone's payload. What is no number is left as it is.
struct SetTone {
    static constexpr Kind kind = cueline::kind::set_tone;
    float frequency_hz;  ///< from 0 to half the sample rate
    float gain;          ///< from 0 to 1, full scale
};

/// A get_level's payload.
struct GetLevel {
    static constexpr Kind kind = cueline::kind::get_level;
};

/// A level's payload: of all channels together, since the last one was sent, up to the block that sends this one.
struct Level {
    static constexpr Kind kind = cueline::kind::level;
    float peak;  ///< full scale is 1
    float rms;
};

/// A click's payload.
struct Click {
    static constexpr Kind kind = cueline::kind::click;
    float frequency_hz;  ///< from 0 to half the sample rate
    float gain;          ///< from 0 to 1, full scale
};

/// A play_buffer's payload.
struct PlayBuffer {
    static constexpr Kind kind = cueline::kind::play_buffer;
    std::uint32_t slot;
    float gain;         ///< from 0 to 1, full scale
    std::uint8_t loop;  ///< 0: once; else again and again
};

/// A stop_buffer's payload.
struct StopBuffer {
    static constexpr Kind kind = cueline::kind::stop_buffer;
    std::uint32_t slot;
};

/// A buffer_ended's payload. Its message carries the frame after the buffer's last one, and the play_buffer's sequence.
struct BufferEnded {
    static constexpr Kind kind = cueline::kind::buffer_ended;
    std::uint32_t slot;
};

}  // namespace cueline
