// buffer.hpp: samples that the control side hands to the audio thread by reference.
//
// A handle names a place in a table, and counts how often that place was handed over. The control side fills the place,
// offers the handle, and pushes a command with it. The audio side pops the command, and accepts the handle once: if the
// table offers it, and its count is the expected one. So a command may be any bytes: a copy of an earlier command, or
// one that publish() did not send, finds no such offer. Then the audio side reads the place. A handle returns on a ring
// of its own; after that, the control side owns the place again. The offer and this ring order all accesses to a place
// and to its samples. There are no more places than the returning ring has slots, so that ring is never full.
#pragma once

#include <array>
#include <atomic>
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
};

using BufferHandle = std::uint32_t;
inline constexpr BufferHandle no_buffer = ~BufferHandle{0};  ///< in a PublishBuffer: empties the slot
inline constexpr std::size_t max_buffer_slots = 64;
inline constexpr std::size_t max_buffers = 128;  ///< in slots and under way, in both directions together

/// The first handle of a place in a table of `Handles` places.
template <std::size_t Handles>
constexpr BufferHandle first_handle(std::size_t place) noexcept CUELINE_NONBLOCKING {
    return static_cast<BufferHandle>(Handles + place);
}

/// The place that a handle names. Every number names one.
template <std::size_t Handles>
constexpr std::size_t place_of(BufferHandle handle) noexcept CUELINE_NONBLOCKING {
    return handle % Handles;
}

/// The next handle of the same place. It is never no_buffer. After some 2^32 / Handles of them, they begin again.
template <std::size_t Handles>
constexpr BufferHandle handle_after(BufferHandle handle) noexcept CUELINE_NONBLOCKING {
    constexpr auto places = static_cast<BufferHandle>(Handles);
    return handle < no_buffer - places ? handle + places : first_handle<Handles>(place_of<Handles>(handle));
}

/// A handle that returns to the control side.
struct ReturnedBuffer {
    std::uint64_t handle;
};

/// The ring on which `Handles` handles return. Plain memory, like a link.
template <std::size_t Handles, class Memory>
using BufferReturns = Ring<ReturnedBuffer, Handles, Memory>;

/// What the handles stand for. Both sides share it.
template <class Place, std::size_t Handles, class Memory = StdMemory>
class BufferTable {
    static constexpr bool never_throws = Memory::never_throws;

  public:
    /// [control thread, while it owns the handle]
    [[nodiscard]] Place& operator[](BufferHandle handle) noexcept { return places_[place_of<Handles>(handle)]; }

    /// [audio thread, while it has the handle]
    [[nodiscard]] const Place& operator[](BufferHandle handle) const noexcept CUELINE_NONBLOCKING {
        return places_[place_of<Handles>(handle)];
    }

    /// Lets the audio side accept `handle` once. Call it after the place is filled. [control thread]
    void offer(BufferHandle handle) noexcept(never_throws) {
        // Release publishes the place; it pairs with the acquire in offers().
        offers_[place_of<Handles>(handle)].handle.store(handle, std::memory_order_release);
    }

    /// Whether `handle` was the last one that was offered for its place. [audio thread]
    [[nodiscard]] bool offers(BufferHandle handle) const noexcept(never_throws) CUELINE_NONBLOCKING {
        // Acquire pairs with the release in offer(): the place is filled.
        return offers_[place_of<Handles>(handle)].handle.load(std::memory_order_acquire) == handle;
    }

  private:
    struct Offer {
        typename Memory::template Atomic<BufferHandle> handle{no_buffer};
    };
    std::array<Place, Handles> places_;
    std::array<Offer, Handles> offers_;
};

/// The audio side: which buffer lies in which slot. A handle stands for a `Place`. The model checker uses other types,
/// numbers and memories. The audio thread calls at(), apply() and discard(), which are wait-free.
template <class Place, std::size_t Handles, class Memory = StdMemory>
class BufferSlotsOf {
    static constexpr bool never_throws = Memory::never_throws;

  public:
    using Returns = BufferReturns<Handles, Memory>;
    using Table = BufferTable<Place, Handles, Memory>;
    static_assert(Returns::capacity >= Handles, "the way back must have room for every handle there is");

    /// `table` and `returns` must outlive it. Throws EndTakenError if `returns` has a producer. [control thread]
    BufferSlotsOf(const Table& table, Returns& returns) : table_{&table}, returns_{returns} {
        slots_.fill(no_buffer);
        for (std::size_t place = 0; place < Handles; ++place) expected_[place] = first_handle<Handles>(place);
    }

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
        if (command.handle != no_buffer && !accept(command.handle)) return false;
        const BufferHandle before = std::exchange(slots_[command.slot], command.handle);
        if (before != no_buffer) send_back(before);
        return true;
    }

    /// Sends the command's buffer straight back, because the command was dropped or cancelled.
    void discard(const PublishBuffer& command) noexcept(never_throws) CUELINE_NONBLOCKING {
        if (accept(command.handle)) send_back(command.handle);
    }

  private:
    /// Returns whether the audio side has `handle` from now on. It has none twice.
    [[nodiscard]] bool accept(BufferHandle handle) noexcept(never_throws) CUELINE_NONBLOCKING {
        BufferHandle& expected = expected_[place_of<Handles>(handle)];
        if (handle == no_buffer || handle != expected || !table_->offers(handle)) return false;
        expected = handle_after<Handles>(handle);  // which the control side offers only after this one is back
        return true;
    }

    void send_back(BufferHandle handle) noexcept(never_throws) CUELINE_NONBLOCKING {
        returns_.try_push(ReturnedBuffer{handle});  // never full: it has a slot for every handle
    }

    const Table* table_;
    Producer<Returns> returns_;
    std::uint32_t count_ = 0;
    std::array<BufferHandle, max_buffer_slots> slots_;
    std::array<BufferHandle, Handles> expected_;  // by place: the handle that comes next
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
            free_[free_count_] = first_handle<Handles>(Handles - 1 - free_count_);
            ++free_count_;
        }
    }

    /// Takes a free handle, or returns nothing if there is none. Until the table offers it, the caller owns its place.
    [[nodiscard]] std::optional<BufferHandle> take() noexcept {
        if (free_count_ == 0) return std::nullopt;
        const BufferHandle handle = free_[--free_count_];
        taken_[place_of<Handles>(handle)] = true;
        return handle;
    }

    /// Frees a handle that was not offered. If it is free already, nothing happens.
    void give_back(BufferHandle handle) noexcept {
        if (!std::exchange(taken_[place_of<Handles>(handle)], false)) return;
        free_[free_count_++] = handle;
    }

    /// Takes the handles that the audio side sent back. Calls `is_back` with each, which clears the place in the table;
    /// after that the next handle of this place is free. `is_back` must not throw.
    template <class IsBack>
    void collect(IsBack&& is_back) noexcept(Memory::never_throws) {
        ReturnedBuffer returned;
        while (returns_.try_pop(returned) == Status::ok) {
            const auto handle = static_cast<BufferHandle>(returned.handle);
            if (!taken_[place_of<Handles>(handle)]) continue;  // from a command that no publish() sent
            is_back(handle);
            give_back(handle_after<Handles>(handle));
        }
    }

    /// How many handles are taken.
    [[nodiscard]] std::size_t taken() const noexcept { return Handles - free_count_; }

  private:
    Consumer<Returns> returns_;
    std::array<BufferHandle, Handles> free_{};
    std::size_t free_count_ = 0;
    std::array<bool, Handles> taken_{};  // by place
};

}  // namespace cueline
