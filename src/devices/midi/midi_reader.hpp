// midi_reader.hpp: reads MIDI devices by RtMidi, for blocks that play what came at a fixed delay.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <semaphore>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <cueline/counter.hpp>
#include <cueline/device.hpp>
#include <cueline/link.hpp>
#include <cueline/message.hpp>
#include <cueline/midi.hpp>

#include "devices/midi/rtmidi_library.hpp"
#include "system/own_thread.hpp"

namespace cueline {

/// While it is started, it has a port of RtMidi's for each device that is wanted. Threads of RtMidi's stamp each
/// message with the monotonic clock as it comes. A helper looks twice a second for devices that have come or gone.
class MidiReader {
  public:
    /// True: all devices. False: none. A regular expression: those whose names match.
    using Wanted = std::variant<std::string, bool>;

    /// `inputs` from 1: the numbers that messages get as their port. If there is one, all devices have it; if there are
    /// several, each device has one of its own, and those that come when none is free are left out. Throws
    /// NoDeviceError if there is no MIDI system here.
    MidiReader(const RtMidiLibrary& rtmidi, std::uint32_t inputs, Wanted wanted);
    ~MidiReader();
    MidiReader(const MidiReader&) = delete;
    MidiReader& operator=(const MidiReader&) = delete;

    // Control threads, one at a time.

    /// Opens the devices that are there. Throws DeviceError if the system refuses a thread.
    void start();
    void stop() noexcept;

    /// The names of all devices.
    [[nodiscard]] std::vector<std::string> names() const;

    /// Wants these devices too, now and when they come. `pattern` is a regular expression.
    void connect(const std::string& pattern);

    [[nodiscard]] std::uint32_t inputs() const noexcept { return inputs_; }
    [[nodiscard]] MidiStats stats() const noexcept;

    // Audio thread.

    /// Returns the messages that a block plays, each with its frame in the block, in their order. A message plays
    /// `delay_ns` after it came. If that is over, it plays at the block's first frame, and counts as late. They stay
    /// until the next call.
    [[nodiscard]] std::span<const Message> read(std::uint64_t start_ns, std::uint32_t frames, std::uint32_t samplerate,
                                                std::uint64_t delay_ns) noexcept CUELINE_NONBLOCKING;

  private:
    struct Free {
        const RtMidiLibrary* rtmidi;
        void operator()(RtMidiHandle* port) const noexcept { rtmidi->in_free(port); }
    };
    using OwnHandle = std::unique_ptr<RtMidiHandle, Free>;

    /// An open port of RtMidi's.
    class Port;

    void choose_system();
    [[nodiscard]] OwnHandle created() const;
    [[nodiscard]] std::vector<std::string> names_by(RtMidiHandle* port) const;
    [[nodiscard]] bool is_wanted(const std::string& name) const;
    [[nodiscard]] std::uint8_t free_input() const noexcept;
    void look() noexcept;
    void came(std::span<const std::uint8_t> bytes, std::uint8_t input) noexcept;

    const RtMidiLibrary& rtmidi_;
    const std::uint32_t inputs_;
    unsigned system_ = 0;             // of RtMidi's
    mutable std::mutex ports_mutex_;  // guards the next two, and calls to RtMidi
    std::vector<Wanted> wanted_;
    std::vector<std::unique_ptr<Port>> ports_;
    OwnThread helper_;
    std::counting_semaphore<> stop_requested_{0};

    std::mutex pushing_;  // of the threads of RtMidi's: one a port
    MessageRing ring_;    // the `frame` of a message is the time at which it came
    Producer<MessageRing> producer_{ring_};
    Counter full_;
    Counter sysex_;

    // The audio thread's.
    Consumer<MessageRing> consumer_{ring_};
    Message held_;  // for a later block
    bool holds_ = false;
    std::array<Message, max_midi_messages> messages_;
    Counter received_;
    Counter late_;
};

}  // namespace cueline
