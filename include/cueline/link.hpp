// link.hpp: the memory that one control side and one audio side share.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include <cueline/counter.hpp>
#include <cueline/error.hpp>
#include <cueline/message.hpp>
#include <cueline/meter.hpp>
#include <cueline/parameter.hpp>
#include <cueline/ring.hpp>

namespace cueline {

inline constexpr std::size_t default_lines = 9;
inline constexpr std::size_t link_page_bytes = 4096;  // what is locked separately begins on its own page

/// How many lines, parameters and meters a link has. Its size follows from them.
struct LinkShape {
    std::uint32_t lines = default_lines;  ///< 1 to max_lines
    std::uint32_t parameters = 0;         ///< elements, at most max_parameters
    std::uint32_t meters = 0;             ///< elements, at most max_meters
    std::uint64_t declared = 0;           ///< a hash of the declarations, so that both sides mean the same values

    bool operator==(const LinkShape&) const = default;
};

using MessageRing = Ring<Message>;

/// Counts of one ring since it was made.
struct RingStats {
    std::uint64_t sent = 0;        ///< messages that the ring accepted
    std::uint64_t dropped = 0;     ///< messages that their sender gave up because it was full
    std::uint64_t high_water = 0;  ///< the most that waited at a block's boundary; the capacity if any was dropped
};

/// A ring with its counters: plain memory without pointers. The end that pushes counts what it drops.
struct CountedRing {
    MessageRing messages;
    alignas(false_sharing_bytes) Counter dropped;     ///< the producer writes it
    alignas(false_sharing_bytes) Counter high_water;  ///< the audio thread writes it

    /// [any thread] Each number is a snapshot of its own.
    [[nodiscard]] RingStats stats() const noexcept CUELINE_NONBLOCKING {
        const std::uint64_t refused = dropped.get();
        // The audio thread notes the level once a block. If a message was dropped in between, the ring was full then.
        return {messages.tail(), refused, refused > 0 ? MessageRing::capacity : high_water.get()};
    }

    /// [audio thread] Raises the high-water mark to what waits now, and returns that.
    std::size_t note_level() noexcept CUELINE_NONBLOCKING {
        const std::size_t waiting = messages.size();
        high_water.raise_to(waiting);
        return waiting;
    }
};

/// One line's part of a link. Memory of zeros is a line that nobody has used.
struct alignas(link_page_bytes) LinkLine {
    CountedRing commands;
    CountedRing events;
    CountedRing confirmations;
    /// How many commands the line had accepted when its owner opened it.
    alignas(false_sharing_bytes) std::atomic<std::uint64_t> opened_at;
};
static_assert(std::is_standard_layout_v<LinkLine> && std::is_trivially_destructible_v<LinkLine>);

/// The bit of a line in the words of a LinkHeader.
constexpr std::uint64_t line_bit(std::size_t number) noexcept CUELINE_NONBLOCKING {
    return std::uint64_t{1} << number;
}

/// The first page of a link.
struct alignas(link_page_bytes) LinkHeader {
    static constexpr std::uint64_t its_magic = 0x6B'6E'69'6C'65'75'65'63;
    static constexpr std::uint32_t its_layout = 1;  // of every byte of a link: raise it with each change of the layout

    // Constant once `magic` is set.
    std::uint64_t magic;
    std::uint64_t bytes;  // of the whole link
    std::uint32_t layout;
    LinkShape shape;
    std::uint64_t parameters_at;  // offsets from the header
    std::uint64_t meters_at;
    std::uint64_t lines_at;

    // One bit a line: see line_bit().
    alignas(false_sharing_bytes) std::atomic<std::uint64_t> claimed_lines;  // it has an owner
    std::atomic<std::uint64_t> open_lines;                                  // its owner receives events
    std::atomic<std::uint64_t> used_lines;      // it was open once at least: the audio side reads its commands
    std::atomic<std::uint64_t> all_events;      // its owner also gets the events that answer no other open line
    std::atomic<std::uint64_t> has_audio_side;  // 0 or 1
};
static_assert(std::is_standard_layout_v<LinkHeader> && std::is_trivially_destructible_v<LinkHeader>);

/// A view of a link, which is plain memory without pointers, so that two processes can share it. Both sides check the
/// header once and keep offsets and counts in memory of their own. So a damaged link can lose messages, but does no
/// other harm. Use it through Lines and an AudioSide. The memory must outlive them.
class Link {
  public:
    /// Returns how many bytes a link of this shape takes. Throws ArgumentError for a shape that is out of range.
    [[nodiscard]] static std::size_t bytes_for(const LinkShape& shape) { return Layout{shape}.bytes; }

    /// Returns how many bytes come before the second line: what an engine with one line uses.
    [[nodiscard]] static std::size_t bytes_of_first_line(const LinkShape& shape) {
        return Layout{shape}.lines_at + sizeof(LinkLine);
    }

    /// Makes a link in `memory`, which holds zeros, begins on a page and has bytes_for(shape) bytes. Throws
    /// ArgumentError for a shape that is out of range, and LinkError for memory that is too small.
    static Link make(std::span<std::byte> memory, const LinkShape& shape) {
        const Layout layout{shape};
        if (memory.size() < layout.bytes) refuse("it has fewer bytes than its shape takes");
        auto& header = *reinterpret_cast<LinkHeader*>(memory.data());
        header.bytes = layout.bytes;
        header.layout = LinkHeader::its_layout;
        header.shape = shape;
        header.parameters_at = layout.parameters_at;
        header.meters_at = layout.meters_at;
        header.lines_at = layout.lines_at;
        header.magic = LinkHeader::its_magic;
        header.open_lines.store(1, std::memory_order_relaxed);  // relaxed: not shared yet
        header.used_lines.store(1, std::memory_order_relaxed);
        Link link{memory.data(), layout};
        return link;
    }

    /// Uses the link that make() made in `memory`. Throws LinkError if it holds no link, or a link of another layout.
    static Link attach(std::span<std::byte> memory) {
        if (memory.size() < sizeof(LinkHeader)) refuse("it has fewer bytes than a header");
        LinkHeader header_seen{};  // one copy, so that what is checked does not change
        std::memcpy(static_cast<void*>(&header_seen), memory.data(), offsetof(LinkHeader, claimed_lines));
        if (header_seen.magic != LinkHeader::its_magic) refuse("it is no link");
        if (header_seen.layout != LinkHeader::its_layout) {
            refuse("it has layout " + std::to_string(header_seen.layout) + ", and this version of cueline has " +
                   std::to_string(LinkHeader::its_layout) + ": use the same version on both sides");
        }
        if (!is_possible(header_seen.shape)) refuse("its counts are out of range");
        const Layout layout{header_seen.shape};
        if (header_seen.bytes != layout.bytes || memory.size() < layout.bytes ||
            header_seen.parameters_at != layout.parameters_at || header_seen.meters_at != layout.meters_at ||
            header_seen.lines_at != layout.lines_at) {
            refuse("its offsets do not fit its counts");
        }
        return Link{memory.data(), layout};
    }

    [[nodiscard]] const LinkShape& shape() const noexcept { return shape_; }
    [[nodiscard]] LinkHeader& header() const noexcept CUELINE_NONBLOCKING { return *header_; }
    [[nodiscard]] SharedParameters<> parameters() const noexcept { return parameters_; }
    [[nodiscard]] std::span<SharedMeter> meters() const noexcept { return meters_; }

    [[nodiscard]] std::size_t lines() const noexcept CUELINE_NONBLOCKING { return lines_.size(); }
    /// Returns how many lines there are up to the last one that was ever open. [any thread]
    [[nodiscard]] std::size_t used_lines() const noexcept CUELINE_NONBLOCKING {
        const std::uint64_t used = header_->used_lines.load(std::memory_order_relaxed);  // relaxed: a hint
        return std::min<std::size_t>(lines(), static_cast<std::size_t>(std::bit_width(used)));
    }

    /// Returns whether a line below lines() was ever open. If not, nobody has touched its pages. [any thread]
    [[nodiscard]] bool was_open(std::size_t number) const noexcept CUELINE_NONBLOCKING {
        return (header_->used_lines.load(std::memory_order_relaxed) & line_bit(number)) != 0;  // relaxed: a hint
    }
    /// `number` must be below lines().
    [[nodiscard]] LinkLine& line(std::size_t number) const noexcept CUELINE_NONBLOCKING { return lines_[number]; }

  private:
    /// The offsets of a link's parts.
    struct Layout {
        explicit Layout(const LinkShape& its_shape) : shape{its_shape} {
            if (!is_possible(shape)) {
                throw_or_end(ArgumentError{"a link has 1 to " + std::to_string(max_lines) + " lines, at most " +
                                           std::to_string(max_parameters) + " parameters and at most " +
                                           std::to_string(max_meters) + " meters, got " + std::to_string(shape.lines) +
                                           ", " + std::to_string(shape.parameters) + " and " +
                                           std::to_string(shape.meters)});
            }
            parameters_at = sizeof(LinkHeader);
            dirty_at = after(parameters_at, sizeof(SharedWord<>));
            values_at = after(dirty_at, SharedParameters<>::dirty_words(shape.parameters) * sizeof(SharedWord<>));
            meters_at = after(values_at, shape.parameters * sizeof(SharedWord<>));
            lines_at = after(meters_at, shape.meters * sizeof(SharedMeter));
            lines_at = (lines_at + link_page_bytes - 1) / link_page_bytes * link_page_bytes;
            bytes = lines_at + shape.lines * sizeof(LinkLine);
        }

        static std::size_t after(std::size_t begin, std::size_t bytes) {
            return (begin + bytes + false_sharing_bytes - 1) / false_sharing_bytes * false_sharing_bytes;
        }

        LinkShape shape;
        std::size_t parameters_at = 0;  // of their summary
        std::size_t dirty_at = 0;
        std::size_t values_at = 0;
        std::size_t meters_at = 0;
        std::size_t lines_at = 0;
        std::size_t bytes = 0;
    };

    static bool is_possible(const LinkShape& shape) noexcept {
        return shape.lines >= 1 && shape.lines <= max_lines && shape.parameters <= max_parameters &&
               shape.meters <= max_meters;
    }

    static SharedWord<>* words(std::byte* memory) noexcept { return reinterpret_cast<SharedWord<>*>(memory); }

    [[noreturn]] static void refuse(const std::string& why) {
        throw_or_end(LinkError{"this memory cannot be a link: " + why});
    }

    Link(std::byte* memory, const Layout& layout) noexcept
        : shape_{layout.shape},
          header_{reinterpret_cast<LinkHeader*>(memory)},
          parameters_{
              std::span{words(memory + layout.values_at), layout.shape.parameters},
              std::span{words(memory + layout.dirty_at), SharedParameters<>::dirty_words(layout.shape.parameters)},
              *words(memory + layout.parameters_at)},
          meters_{reinterpret_cast<SharedMeter*>(memory + layout.meters_at), layout.shape.meters},
          lines_{reinterpret_cast<LinkLine*>(memory + layout.lines_at), layout.shape.lines} {}

    LinkShape shape_;
    LinkHeader* header_;
    SharedParameters<> parameters_;
    std::span<SharedMeter> meters_;
    std::span<LinkLine> lines_;
};

/// A link that owns its memory, for a program with its own audio callback. Allocates.
class OwnedLink : public Link {
  public:
    explicit OwnedLink(const LinkShape& shape = {}) : OwnedLink{shape, bytes_for(shape)} {}
    OwnedLink(const OwnedLink&) = delete;
    OwnedLink& operator=(const OwnedLink&) = delete;
    ~OwnedLink() = default;

  private:
    struct Free {
        void operator()(std::byte* memory) const noexcept {
            ::operator delete(memory, std::align_val_t{link_page_bytes});
        }
    };
    using Memory = std::unique_ptr<std::byte, Free>;

    static Memory zeros(std::size_t bytes) {
        Memory memory{static_cast<std::byte*>(::operator new(bytes, std::align_val_t{link_page_bytes}))};
        std::memset(memory.get(), 0, bytes);
        return memory;
    }

    OwnedLink(const LinkShape& shape, std::size_t bytes) : OwnedLink{shape, bytes, zeros(bytes)} {}
    OwnedLink(const LinkShape& shape, std::size_t bytes, Memory memory)
        : Link{make({memory.get(), bytes}, shape)}, memory_{std::move(memory)} {}

    Memory memory_;
};

}  // namespace cueline
