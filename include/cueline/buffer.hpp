// buffer.hpp: samples that the control side hands to the audio thread by reference.
//
// A handle is a place in a table. The control side fills the place, then pushes a command with the handle. The audio
// side pops the command, then reads the place. A handle returns on a ring of its own; after that, the control side owns
// the place again. So these two rings order all accesses to a place and to its samples, and nothing else is needed.
// There are no more handles than the returning ring has slots, so that ring is never full.
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

/// Samples that were handed over. They do not change while the audio thread has them.
struct Buffer {
    std::span<const float> interleaved;  ///< frames times channels samples, one frame after the other
    std::uint32_t frames = 0;
    std::uint32_t channels = 0;
    std::uint64_t serial = 0;  ///< counts buffers from 1, so that a processor notices a swap

    /// `frame` must be below `frames`, and `channel` below `channels`.
    [[nodiscard]] float sample(std::size_t frame, std::size_t channel) const noexcept CUELINE_NONBLOCKING {
        return interleaved[frame * channels + channel];
    }

    /// Whether this place in the table is filled.
    [[nodiscard]] bool is_there() const noexcept CUELINE_NONBLOCKING { return !interleaved.empty(); }
};

using BufferHandle = std::uint32_t;
inline constexpr BufferHandle no_buffer = ~BufferHandle{0};  ///< in a PublishBuffer: empties the slot
inline constexpr std::size_t max_buffer_slots = 64;
inline constexpr std::size_t max_buffers = 128;  ///< in slots and under way, in both directions together

/// A handle that returns to the control side.
struct ReturnedBuffer {
    std::uint64_t handle;
};

/// The ring on which `Handles` handles return. Plain memory, like a link.
template <std::size_t Handles, class Memory>
using BufferReturns = Ring<ReturnedBuffer, Handles, Memory>;

/// The audio side: which buffer lies in which slot. A handle stands for a `Place`. The model checker uses other types,
/// numbers and memories. The audio thread calls at(), apply() and discard(), which are wait-free.
template <class Place, std::size_t Handles, class Memory = StdMemory>
class BufferSlotsOf {
    static constexpr bool never_throws = Memory::never_throws;

  public:
    using Returns = BufferReturns<Handles, Memory>;
    using Table = std::array<Place, Handles>;
    static_assert(Returns::capacity >= Handles, "the way back must have room for every handle there is");

    /// `table` and `returns` must outlive it. Throws EndTakenError if `returns` has a producer. [control thread]
    BufferSlotsOf(const Table& table, Returns& returns) : table_{&table}, returns_{returns} { slots_.fill(no_buffer); }

    /// Sets the number of slots, at most max_buffer_slots. [control thread, before the first command]
    void set_count(std::uint32_t count) noexcept { count_ = count; }

    /// The content of `slot`, valid until the next apply(). nullptr if the slot is empty or does not exist.
    [[nodiscard]] const Place* at(std::size_t slot) const noexcept CUELINE_NONBLOCKING {
        if (slot >= count_ || slots_[slot] == no_buffer) return nullptr;
        return &(*table_)[slots_[slot]];
    }

    /// Puts the command's buffer into its slot, and sends back the buffer that was there. Returns false, and does
    /// nothing, if the slot does not exist, or if publish() cannot have sent this handle. The caller must then discard
    /// the command.
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

    /// Sends the command's buffer straight back, because the command was dropped or cancelled.
    void discard(const PublishBuffer& command) noexcept(never_throws) CUELINE_NONBLOCKING {
        if (may_come(command.handle)) send_back(command.handle);
    }

  private:
    /// A command may be any bytes. A valid handle has a filled place and is not in a slot yet.
    [[nodiscard]] bool may_come(BufferHandle handle) const noexcept CUELINE_NONBLOCKING {
        return handle < Handles && !here_[handle] && (*table_)[handle].is_there();
    }

    void send_back(BufferHandle handle) noexcept(never_throws) CUELINE_NONBLOCKING {
        returns_.try_push(ReturnedBuffer{handle});  // never full: it has a slot for every handle
    }

    const Table* table_;
    Producer<Returns> returns_;
    std::uint32_t count_ = 0;
    std::array<BufferHandle, max_buffer_slots> slots_;
    std::array<bool, Handles> here_{};  // whether a handle is in a slot
};

using BufferSlots = BufferSlotsOf<Buffer, max_buffers>;

/// The control side: which handles are free, and which came back. One thread at a time uses it.
template <std::size_t Handles, class Memory = StdMemory>
class BufferHandles {
  public:
    using Returns = BufferReturns<Handles, Memory>;

    /// All handles are free. `returns` must outlive it. Throws EndTakenError if `returns` has a consumer.
    explicit BufferHandles(Returns& returns) : returns_{returns} {
        while (free_count_ < Handles) {
            free_[free_count_] = static_cast<BufferHandle>(Handles - 1 - free_count_);
            ++free_count_;
        }
    }

    /// Takes a free handle, or returns nothing if there is none. Until the ring accepts a command with this handle, the
    /// caller may write to its place in the table.
    [[nodiscard]] std::optional<BufferHandle> take() noexcept {
        if (free_count_ == 0) return std::nullopt;
        const BufferHandle handle = free_[--free_count_];
        taken_[handle] = true;
        return handle;
    }

    /// Frees a handle that no accepted command has. If it is free already, nothing happens.
    void give_back(BufferHandle handle) noexcept {
        if (!std::exchange(taken_[handle], false)) return;
        free_[free_count_++] = handle;
    }

    /// Takes the handles that the audio side sent back. Calls `is_back` with each, which clears the place in the table;
    /// after that the handle is free. `is_back` must not throw.
    template <class IsBack>
    void collect(IsBack&& is_back) noexcept(Memory::never_throws) {
        ReturnedBuffer returned;
        while (returns_.try_pop(returned) == Status::ok) {
            const auto handle = static_cast<BufferHandle>(returned.handle);
            if (handle >= Handles || !taken_[handle]) continue;  // from a command that no publish() sent
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
