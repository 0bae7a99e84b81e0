// midi_maps.hpp: the audio thread's table of MIDI maps.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <cueline/message.hpp>
#include <cueline/midi.hpp>
#include <cueline/midi_map.hpp>

namespace cueline {

/// Finds what a MIDI message moves. Each message costs one comparison for each place up to the last one in use.
/// [audio thread, wait-free]
class MidiMaps {
  public:
    /// Returns false, and changes nothing, if a value is out of range. `parameters`: how many there are.
    bool map(const MapMidi& command, std::size_t parameters) noexcept CUELINE_NONBLOCKING;
    bool set_half(const MapMidiMessage& command) noexcept CUELINE_NONBLOCKING;
    bool unmap(const UnmapMidi& command) noexcept CUELINE_NONBLOCKING;

    [[nodiscard]] bool any() const noexcept CUELINE_NONBLOCKING { return end_ > 0; }

    void begin_block() noexcept CUELINE_NONBLOCKING { left_ = most_; }

    /// For a device without deadlines: a block carries out all.
    void remove_bound() noexcept { most_ = ~std::size_t{0}; }

    /// What a map does.
    struct Move {
        const MapMidi* map;
        double number = 0;  ///< for the parameter or the field; of a relative map: to add
    };

    /// Calls `carry_out` with the Move of each map of `midi`. Returns how many moves it left out, because the block has
    /// carried out max_midi_moves; nothing if there is no map. This function has no CUELINE_NONBLOCKING, so that clang
    /// checks each use by its `carry_out`.
    template <class CarryOut>
    std::optional<std::size_t> apply(const Message& midi, CarryOut&& carry_out) noexcept {
        const MidiWire wire = midi_bytes(midi);
        if (wire.size == 0) return std::nullopt;
        const std::uint32_t found = key(wire.bytes[0], wire.bytes[1], midi_port(midi));
        std::optional<std::size_t> left_out;
        for (std::size_t place = 0; place < end_; ++place) {
            if (((keys_[place].key ^ found) & keys_[place].mask) != 0) continue;
            if (!left_out) left_out = 0;
            const std::optional<Move> move = move_of(maps_[place], wire);
            if (!move) continue;
            if (left_ == 0) {
                ++*left_out;
                continue;
            }
            --left_;
            carry_out(*move);
        }
        return left_out;
    }

    /// The message that a map sends, with its number in its field, and its part.
    [[nodiscard]] Message message_of(const Move& move) const noexcept CUELINE_NONBLOCKING;

  private:
    /// What a MIDI message has in common with the map's, where `mask` has ones.
    struct Key {
        std::uint32_t key = 0;
        std::uint32_t mask = 0xFF;  // no message has the status 0
    };

    static constexpr std::uint32_t key(std::uint8_t status, std::uint8_t number, std::uint8_t port) noexcept
        CUELINE_NONBLOCKING {
        return std::uint32_t{status} | std::uint32_t{number} << 8U | std::uint32_t{port} << 16U;
    }

    [[nodiscard]] static std::optional<Move> move_of(const MapMidi& map, const MidiWire& wire) noexcept
        CUELINE_NONBLOCKING;

    std::array<Key, max_midi_maps> keys_{};
    std::array<MapMidi, max_midi_maps> maps_{};
    std::array<std::array<std::byte, payload_bytes>, max_midi_maps> payloads_{};
    std::size_t end_ = 0;  // the place after the last one in use
    std::size_t most_ = max_midi_moves;
    std::size_t left_ = 0;  // in this block
};

}  // namespace cueline
