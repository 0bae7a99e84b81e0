// buffer.hpp: samples that the control side hands to the audio thread by reference.
//
// A handle names a place in a table, and counts how often that place was handed over. The control side fills the place,
// offers the handle, and pushes a command with it. The audio side pops the command, and accepts the handle if the table
// offers it and it was not accepted before. Then the audio side reads the place. A command may hold any bytes: if it is
// a copy of an earlier command, or if publish() did not send it, the table does not offer its handle. A handle returns
// on a ring of its own; after that, the control side owns the place again. The offer and this ring order all accesses
// to a place and to its samples. The returning ring has room for every place, so it is never full.
//
// A buffer without a slot is called loaded while its handle is offered and not accepted. The audio side can find it by
// its handle any number of times. To release the buffer, the audio side accepts the handle and sends it back. After
// that, the handle finds nothing.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <cueline/engine_messages.hpp>
#include <cueline/ring.hpp>
#include <cueline/span_ring.hpp>

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

inline constexpr std::uint32_t max_buffer_slots = 4096;  ///< the most that a processor may declare
inline constexpr std::uint32_t max_curves = 64;          ///< the most curves of automations that are loaded at once

/// How many buffers there can be for that many slots: in the slots, and on their way to or from the audio thread.
constexpr std::uint32_t max_buffers(std::uint32_t slots) noexcept {
    return slots == 0 ? 0 : std::max(2 * slots, std::uint32_t{128});
}

/// The low 13 bits name a place in the table. The 19 bits above them are the number of the hand-over of that place.
using BufferHandle = std::uint32_t;
inline constexpr BufferHandle no_buffer = ~BufferHandle{0};  ///< in a PublishBuffer: empties the slot
inline constexpr BufferHandle handle_places = 1U << 13U;
static_assert(max_buffers(max_buffer_slots) <= handle_places);

/// The place that a handle names. It may lie outside the table.
constexpr std::size_t place_of(BufferHandle handle) noexcept CUELINE_NONBLOCKING {
    return handle % handle_places;
}

/// The first handle of a place. `hand_over` is at least 1, so that zeroed memory offers no handle.
constexpr BufferHandle first_handle(std::size_t place, std::uint32_t hand_over = 1) noexcept {
    return hand_over * handle_places + static_cast<BufferHandle>(place);
}

/// The number of a handle's hand-over.
constexpr std::uint32_t hand_over_of(BufferHandle handle) noexcept {
    return handle / handle_places;
}

/// The next handle of the same place. It is never no_buffer. After about 500,000 hand-overs, the handles of a place
/// begin again.
constexpr BufferHandle handle_after(BufferHandle handle) noexcept {
    const BufferHandle next = handle + handle_places;
    return next < no_buffer - no_buffer % handle_places ? next : first_handle(place_of(handle));
}

/// A handle that returns to the control side.
struct ReturnedBuffer {
    std::uint64_t handle;
};

/// The places that handles stand for, and the ring on which handles return. Both sides use it. It refers to memory that
/// its maker owns. A default-constructed table has no places. A place is a `Buffer`; the model checker uses other types
/// and memories.
template <class Place, class Memory = StdMemory>
class BufferTable {
    static constexpr bool never_throws = Memory::never_throws;

  public:
    using Returns = SpanRing<Memory>;
    using ReturnCell = typename Memory::template Cell<ReturnedBuffer>;

    /// Zeroed memory is an entry that offers nothing.
    struct Entry {
        Place place{};
        typename Memory::template Atomic<BufferHandle> offered{0};  // stored by the control side
        BufferHandle accepted = 0;                                  // the audio side's
    };

    BufferTable() = default;

    /// All three must outlive the table. If there are entries, `return_cells` must have return_places(entries.size())
    /// cells.
    BufferTable(std::span<Entry> entries, std::span<ReturnCell> return_cells, Returns& returns) noexcept
        : entries_{entries}, return_cells_{return_cells}, returns_{&returns} {}

    /// How many places the returning ring needs for so many entries.
    [[nodiscard]] static std::size_t return_places(std::size_t entries) noexcept { return std::bit_ceil(entries); }

    [[nodiscard]] std::size_t size() const noexcept CUELINE_NONBLOCKING { return entries_.size(); }

    /// The place of a handle, which must lie in the table. [the thread that owns the handle]
    [[nodiscard]] Place& operator[](BufferHandle handle) const noexcept CUELINE_NONBLOCKING {
        return entries_[place_of(handle)].place;
    }

    /// Lets the audio side accept `handle` once. Call it after the place is filled. [control thread]
    void offer(BufferHandle handle) const noexcept(never_throws) {
        // Release publishes the place; it pairs with the acquire in loaded().
        entries_[place_of(handle)].offered.store(handle, std::memory_order_release);
    }

    /// Returns the place of `handle` if it is loaded: offered, and not accepted. nullptr for any other number.
    /// [audio thread]
    [[nodiscard]] const Place* loaded(BufferHandle handle) const noexcept(never_throws) CUELINE_NONBLOCKING {
        if (place_of(handle) >= entries_.size()) return nullptr;
        const Entry& entry = entries_[place_of(handle)];
        // Acquire pairs with the release in offer(): the place is filled.
        if (handle == entry.accepted || handle != entry.offered.load(std::memory_order_acquire)) return nullptr;
        return &entry.place;
    }

    /// Accepts `handle` if it is loaded. Returns whether it did: no handle is accepted twice. `handle` may be any
    /// number.
    /// [audio thread]
    [[nodiscard]] bool accept(BufferHandle handle) const noexcept(never_throws) CUELINE_NONBLOCKING {
        if (loaded(handle) == nullptr) return false;
        entries_[place_of(handle)].accepted = handle;  // the next one that is offered differs
        return true;
    }

    /// Returns whether the audio side has accepted `handle`, or a later handle of the same place. [audio thread]
    [[nodiscard]] bool had(BufferHandle handle) const noexcept CUELINE_NONBLOCKING {
        return place_of(handle) < entries_.size() && hand_over_of(handle) > 0 &&
               hand_over_of(handle) <= hand_over_of(entries_[place_of(handle)].accepted);
    }

    // The two ends of the returning ring.
    [[nodiscard]] SpanProducer<Returns> producer() const { return {*returns_, return_places(size())}; }
    [[nodiscard]] SpanConsumer<Returns> consumer() const { return {*returns_, return_places(size())}; }
    [[nodiscard]] std::span<ReturnCell> return_cells() const noexcept CUELINE_NONBLOCKING { return return_cells_; }

  private:
    std::span<Entry> entries_;
    std::span<ReturnCell> return_cells_;
    Returns* returns_ = nullptr;
};

/// The audio side: which buffer lies in which slot, and which are loaded. The audio thread calls at(), apply(),
/// discard(), loaded() and release(), which are wait-free.
template <class Place, class Memory = StdMemory>
class BufferSlotsOf {
    static constexpr bool never_throws = Memory::never_throws;

  public:
    using Table = BufferTable<Place, Memory>;

    BufferSlotsOf() = default;  ///< no slots

    /// `slots` holds a handle for each slot, and all become empty. It and what `table` refers to must outlive this.
    /// Throws EndTakenError if the table has an audio side. [control thread]
    BufferSlotsOf(const Table& table, std::span<BufferHandle> slots)
        : table_{table}, slots_{slots}, returns_{table.producer()} {
        std::ranges::fill(slots_, no_buffer);
    }

    /// The content of `slot`, valid until the next apply(). nullptr if the slot is empty or does not exist.
    [[nodiscard]] const Place* at(std::size_t slot) const noexcept CUELINE_NONBLOCKING {
        if (slot >= slots_.size() || slots_[slot] == no_buffer) return nullptr;
        return &table_[slots_[slot]];
    }

    /// Puts the command's buffer into its slot, and sends back the buffer that was there. Returns false, and does
    /// nothing, if the slot does not exist, or if publish() cannot have sent this handle. The caller must then discard
    /// the command.
    bool apply(const PublishBuffer& command) noexcept(never_throws) CUELINE_NONBLOCKING {
        if (command.slot >= slots_.size()) return false;
        if (command.handle != no_buffer && !table_.accept(command.handle)) return false;
        const BufferHandle before = std::exchange(slots_[command.slot], command.handle);
        if (before != no_buffer) send_back(before);
        return true;
    }

    /// Sends the command's buffer straight back, because the command was dropped or cancelled.
    void discard(const PublishBuffer& command) noexcept(never_throws) CUELINE_NONBLOCKING { release(command.handle); }

    /// The buffer of a handle that Engine::load_buffer() returned, valid until it is released. nullptr if it was
    /// released, or for any other number.
    [[nodiscard]] const Place* loaded(BufferHandle handle) const noexcept(never_throws) CUELINE_NONBLOCKING {
        return table_.loaded(handle);
    }

    /// Sends a loaded buffer back to the control side. Returns false, and does nothing, if it is not loaded.
    bool release(BufferHandle handle) noexcept(never_throws) CUELINE_NONBLOCKING {
        if (!table_.accept(handle)) return false;
        send_back(handle);
        return true;
    }

  private:
    void send_back(BufferHandle handle) noexcept(never_throws) CUELINE_NONBLOCKING {
        const RingPlaces room = returns_.room(1);  // never none: there is a place for every handle
        table_.return_cells()[room.first].write(ReturnedBuffer{handle});
        returns_.push(1);
    }

    Table table_;
    std::span<BufferHandle> slots_;
    SpanProducer<typename Table::Returns> returns_;
};

using BufferSlots = BufferSlotsOf<Buffer>;

/// The control side: which handles are free, and which came back. One thread at a time uses it.
template <class Place, class Memory = StdMemory>
class BufferHandles {
  public:
    using Table = BufferTable<Place, Memory>;

    /// All handles are free, and the numbers of their hand-overs begin at `hand_over`. What `table` refers to must
    /// outlive this. Throws EndTakenError if the table has a control side.
    explicit BufferHandles(const Table& table, std::uint32_t hand_over = 1)
        : table_{table}, returns_{table.consumer()}, free_(table.size()), taken_(table.size()) {
        // The last one is taken first.
        for (std::size_t place = 0; place < free_.size(); ++place)
            free_[free_.size() - 1 - place] = first_handle(place, hand_over);
    }

    /// Takes a free handle, or returns nothing if there is none. Until the table offers it, the caller owns its place.
    [[nodiscard]] std::optional<BufferHandle> take() {
        if (free_.empty()) return std::nullopt;
        const BufferHandle handle = free_.back();
        free_.pop_back();
        taken_[place_of(handle)] = true;
        return handle;
    }

    /// Frees a handle that was not offered. If it is free already, nothing happens.
    void give_back(BufferHandle handle) noexcept {
        if (!taken_[place_of(handle)]) return;
        taken_[place_of(handle)] = false;
        free_.push_back(handle);  // does not allocate: it had room for all
    }

    /// How many handles wait in the returning ring.
    [[nodiscard]] std::size_t returned() noexcept(Memory::never_throws) { return returns_.waiting().size(); }

    /// Takes `count` of the waiting handles, the oldest first. Calls `is_back` with each, which clears the place in the
    /// table; after that the next handle of this place is free. `is_back` must not throw.
    template <class IsBack>
    void collect(std::size_t count, IsBack&& is_back) noexcept(Memory::never_throws) {
        const auto take_back = [&](const ReturnedBuffer& returned) noexcept(Memory::never_throws) {
            const auto handle = static_cast<BufferHandle>(returned.handle);
            is_back(handle);
            give_back(handle_after(handle));
        };
        const RingPlaces places = returns_.waiting(count);
        for (const auto piece : places.of(table_.return_cells())) {
            for (const auto& cell : piece) cell.read(take_back);
        }
        returns_.pop(places.size());
    }

    /// How many handles are taken.
    [[nodiscard]] std::size_t taken() const noexcept { return table_.size() - free_.size(); }

  private:
    Table table_;
    SpanConsumer<typename Table::Returns> returns_;
    std::vector<BufferHandle> free_;
    std::vector<bool> taken_;  // by place
};

}  // namespace cueline
