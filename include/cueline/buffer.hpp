// buffer.hpp: buffers handed over: what the audio thread sees of one, and how handles to them come and go.
//
// A handle is a place in a table. The control side fills the place and then pushes a command with the handle; the audio
// side pops the command and then reads the place. A handle goes back on a ring of its own, and only then is its place
// the control side's again. So the two rings order all accesses to a place, and to the samples behind it, and nothing
// else has to. A handle is always with one side or on one of the two ways; there are no more of them than the ring back
// has slots, so that it is never full.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include <cueline/engine_messages.hpp>
#include <cueline/ring.hpp>

namespace cueline {

/// Samples that were handed over: they stay as they are for as long as the audio thread has them.
struct Buffer {
    std::span<const float> interleaved;  ///< frames times channels samples, one frame after the other
    std::uint32_t frames = 0;
    std::uint32_t channels = 0;
    std::uint64_t serial = 0;  ///< which one it is, counted from 1: by it, a processor sees that it was swapped

    /// Thread: audio. Real-time: wait-free. `frame` is below frames, `channel` below channels.
    [[nodiscard]] float sample(std::size_t frame, std::size_t channel) const noexcept CUELINE_NONBLOCKING {
        return interleaved[frame * channels + channel];
    }

    /// Whether it is one: a place in the table that nobody has filled is none.
    [[nodiscard]] bool is_there() const noexcept CUELINE_NONBLOCKING { return !interleaved.empty(); }
};

using BufferHandle = std::uint32_t;
inline constexpr BufferHandle no_buffer = ~BufferHandle{0};  ///< in a PublishBuffer: the slot is to be empty
inline constexpr std::size_t max_buffer_slots = 64;
inline constexpr std::size_t max_buffers = 128;  ///< in slots and under way, both ways together

/// A handle on its way back.
struct ReturnedBuffer {
    std::uint64_t handle;
};

/// The way back for `Handles` handles. Plain memory, as a link is.
template <std::size_t Handles, class Memory>
using BufferReturns = Ring<ReturnedBuffer, Handles, Memory>;

/// The audio side's part: which buffer lies in which slot. `Place` is what a handle stands for; other ones than Buffer,
/// and other numbers and memories, are for the model checker.
/// One thread at a time uses it.
template <class Place, std::size_t Handles, class Memory = StdMemory>
class BufferSlotsOf {
    static constexpr bool never_throws = Memory::never_throws;

  public:
    using Returns = BufferReturns<Handles, Memory>;
    using Table = std::array<Place, Handles>;
    static_assert(Returns::capacity >= Handles, "the way back must have room for every handle there is");

    /// Both must outlive it. Thread: control. Throws EndTakenError when somebody has the ring's writing end.
    BufferSlotsOf(const Table& table, Returns& returns) : table_{&table}, returns_{returns} { slots_.fill(no_buffer); }

    /// How many slots there are, at most max_buffer_slots. Thread: control, before the first command.
    void set_count(std::uint32_t count) noexcept { count_ = count; }

    /// What lies in `slot`, nullptr when nothing does or there is no such slot. It stays there until the next apply().
    /// Thread: audio. Real-time: wait-free.
    [[nodiscard]] const Place* at(std::size_t slot) const noexcept CUELINE_NONBLOCKING {
        if (slot >= count_ || slots_[slot] == no_buffer) return nullptr;
        return &(*table_)[slots_[slot]];
    }

    /// Puts the command's buffer into its slot, and sends back the one that lay there.
    /// Thread: audio. Real-time: wait-free; no allocation, lock or system call.
    /// Returns false, and does nothing, for a slot that there is not, and for a handle that cannot be under way (no
    /// command of the engine's publish() has one): such a command is to be discarded.
    bool apply(const PublishBuffer& command) noexcept(never_throws) CUELINE_NONBLOCKING {
        if (command.slot >= count_) return false;
        if (command.handle != no_buffer) {
            if (!may_come(command.handle)) return false;
            here_[command.handle] = true;
        }
        const BufferHandle before = std::exchange(slots_[command.slot], command.handle);
        if (before == no_buffer) return true;
        here_[before] = false;
        send_back(before);
        return true;
    }

    /// Sends the command's buffer straight back: it was dropped or cancelled, and will never be applied.
    /// Thread, real-time as apply().
    void discard(const PublishBuffer& command) noexcept(never_throws) CUELINE_NONBLOCKING {
        if (may_come(command.handle)) send_back(command.handle);
    }

  private:
    /// Any bytes may come as a command. One of ours has a handle to a place that is filled, and that is not here yet.
    [[nodiscard]] bool may_come(BufferHandle handle) const noexcept CUELINE_NONBLOCKING {
        return handle < Handles && !here_[handle] && (*table_)[handle].is_there();
    }

    void send_back(BufferHandle handle) noexcept(never_throws) CUELINE_NONBLOCKING {
        returns_.try_push(ReturnedBuffer{handle});  // never full: see above
    }

    const Table* table_;
    Producer<Returns> returns_;
    std::uint32_t count_ = 0;
    std::array<BufferHandle, max_buffer_slots> slots_;
    std::array<bool, Handles> here_{};  // whether a handle is in a slot
};

using BufferSlots = BufferSlotsOf<Buffer, max_buffers>;

/// The control side's part: which handles are free, and which came back. One thread at a time uses it.
template <std::size_t Handles, class Memory = StdMemory>
class BufferHandles {
  public:
    using Returns = BufferReturns<Handles, Memory>;

    /// All handles are free. The ring must outlive it. Thread: control. Throws EndTakenError when somebody has the
    /// ring's reading end.
    explicit BufferHandles(Returns& returns) : returns_{returns} {
        while (free_count_ < Handles) {
            free_[free_count_] = static_cast<BufferHandle>(Handles - 1 - free_count_);
            ++free_count_;
        }
    }

    /// Takes a handle, or nothing when none is free. Its place in the table is the caller's to fill, until a command
    /// with it was accepted.
    [[nodiscard]] std::optional<BufferHandle> take() noexcept {
        if (free_count_ == 0) return std::nullopt;
        const BufferHandle handle = free_[--free_count_];
        taken_[handle] = true;
        return handle;
    }

    /// Gives back a handle that no accepted command has. A handle that is free stays so.
    void give_back(BufferHandle handle) noexcept {
        if (!std::exchange(taken_[handle], false)) return;
        free_[free_count_++] = handle;
    }

    /// Takes what the audio side sent back, and calls `is_back` with each handle: its place in the table is to be
    /// cleared there, and then it is free. It must not throw.
    template <class IsBack>
    void collect(IsBack&& is_back) noexcept(Memory::never_throws) {
        ReturnedBuffer returned;
        while (returns_.try_pop(returned) == Status::ok) {
            const auto handle = static_cast<BufferHandle>(returned.handle);
            if (handle >= Handles || !taken_[handle]) continue;  // of a command that nobody's publish() sent
            is_back(handle);
            give_back(handle);
        }
    }

    /// How many handles are taken.
    [[nodiscard]] std::size_t taken() const noexcept { return Handles - free_count_; }

  private:
    Consumer<Returns> returns_;
    std::array<BufferHandle, Handles> free_{};
    std::size_t free_count_ = 0;
    std::array<bool, Handles> taken_{};
};

}  // namespace cueline
