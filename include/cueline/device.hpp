// device.hpp: the interface of a device, which calls the engine once per block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <cueline/audio.hpp>
#include <cueline/error.hpp>
#include <cueline/lateness.hpp>
#include <cueline/message.hpp>
#include <cueline/ring.hpp>

namespace cueline {

/// What a device calls. Calls never overlap, and each call sees all that the call before it wrote.
class BlockCallback {
  public:
    /// Fills the outputs of one block, which has the format's inputs and outputs, and any number of frames: a block
    /// that is larger than the prepared one is rendered in pieces. Until a prepare() succeeds, blocks are silent. The
    /// callback only reads the inputs. Where the device has no samples, it passes silence. `block_ns` is the monotonic
    /// clock at the block's start, so that the callback need not read a clock.
    /// [the device's audio thread: no allocation, lock, wait, system call or exception]
    virtual void process(const AudioBlock& block, std::uint64_t block_ns) noexcept CUELINE_NONBLOCKING = 0;

    /// Hands over the MIDI messages that came in the block that the next process() fills: at most max_midi_messages, in
    /// the order of their frames. The `frame` of each is its place in that block, from 0. They must stay as they are
    /// until that process() returns. A block without messages needs no call.
    /// [the device's audio thread, just before process(): the rules are those of process()]
    virtual void take_midi(std::span<const Message> /*messages*/) noexcept CUELINE_NONBLOCKING {}

    /// Returns the MIDI messages that the last process() sends, at most max_midi_messages, in the order of their
    /// frames. The `frame` of each is its place in that block, and its payload has the number of the port: see
    /// midi_port(). They stay until the next process(). [the device's audio thread, just after process(): the rules are
    /// the same]
    [[nodiscard]] virtual std::span<const Message> midi_output() noexcept CUELINE_NONBLOCKING { return {}; }

    /// Takes all commands that wait, so that the next block reads them, however many they are. A device without
    /// deadlines calls it before each block. Returns how many frames the next block may have, from 1 to `frames`.
    /// It may allocate and throw. [the thread that renders, between two blocks]
    virtual std::uint32_t take_ahead(std::uint32_t frames) { return frames; }

    /// Reports that the blocks have another size from now on. The sound goes on; the callback is prepared for the new
    /// size at the next start.
    /// [the device's audio thread, before the first process() of this size: the rules are those of process()]
    virtual void blocksize_changed(std::uint32_t /*frames*/) noexcept CUELINE_NONBLOCKING {}

    /// Prepares for a new format of the device. If it is prepared for this format, it does nothing. A device whose
    /// format is constant need not call it. It may allocate, throw and block. If it throws on a helper thread, the
    /// device ends its calls: see lost().
    /// [a control thread inside Device::start(), or the device's helper thread, while no block runs; never the audio
    /// thread]
    virtual void prepare(const Format& /*format*/) {}

    /// The device ended its calls by itself, for instance because its server is gone or its card was unplugged. `why`
    /// is a sentence with the reason and the way out. No other call follows until Device::start(). It may allocate and
    /// block. [the device's helper thread]
    virtual void lost(std::string_view /*why*/) noexcept {}

  protected:
    ~BlockCallback() = default;
};

/// The latency that a device reports, in frames. 0 if it reports nothing.
struct DeviceLatency {
    std::uint32_t input = 0;   ///< from a sound at the device's input to the block that has it
    std::uint32_t output = 0;  ///< from a block to its sound at the device's output
};

/// How many ports for MIDI a device has.
struct MidiPorts {
    std::uint32_t inputs = 0;
    std::uint32_t outputs = 0;
};

/// Which way MIDI goes, as the device's ports see it.
enum class MidiWay : std::uint8_t { in, out };

/// Counts of MIDI messages, over all ports.
struct MidiStats {
    std::uint64_t received = 0;  ///< handed to the engine
    std::uint64_t dropped = 0;   ///< came and were dropped: more than max_midi_messages in a block, or in a block that
                                 ///< was left out. The engine adds what its maps move beyond max_midi_moves in a block
    std::uint64_t sysex = 0;     ///< came and were dropped, because no message can carry them: SysEx, bytes that are no
                                 ///< MIDI
    std::uint64_t sent = 0;      ///< handed to the device's outputs
    std::uint64_t unsent = 0;    ///< not sent: more than max_midi_messages in a block, a port that the device lacks,
                                 ///< values out of range, or no room
    std::uint64_t late = 0;      ///< came so late that they were played at once, and not at the fixed delay
};

/// What a device reports about its blocks. Each number is a snapshot of its own.
struct DeviceStats {
    std::uint64_t xruns = 0;          ///< times the device missed a deadline
    std::uint64_t missed_blocks = 0;  ///< blocks that were left out because of that
    double load_mean = 0;             ///< the callback's time as a fraction of the block: mean
    double load_peak = 0;             ///< the same fraction: the highest of any block
    bool realtime_priority = false;   ///< whether the audio thread has real-time priority
    bool memory_locked = false;       ///< whether the audio thread's memory is locked
    MidiStats midi = {};
};

/// Runs blocks. To add a kind of device, derive from this class and pass an object to Engine.
/// start() and stop() are for control threads, one at a time; any thread may call the rest.
class Device {
  public:
    Device() = default;
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;
    virtual ~Device() = default;

    /// The kind of device: "null", "jack". Constant.
    [[nodiscard]] virtual std::string_view name() const noexcept = 0;

    /// The present format. If it changes, it changes before the call of BlockCallback::prepare() or blocksize_changed()
    /// for it.
    [[nodiscard]] virtual Format format() const noexcept = 0;

    /// The present latency. A stopped device may report that of its last start.
    [[nodiscard]] virtual DeviceLatency latency() const noexcept { return {}; }

    /// How many ports for MIDI it has. Constant.
    [[nodiscard]] virtual MidiPorts midi_ports() const noexcept { return {}; }

    /// Returns the names of the MIDI ports, of devices and programs, to which its inputs or its outputs can be
    /// connected. May block. Throws DeviceError if it has no such ports, or if the system does not answer. [control
    /// threads, never while start() or stop() runs]
    [[nodiscard]] virtual std::vector<std::string> midi_names(MidiWay way) { refuse_midi(way); }

    /// Connects its inputs or outputs to the ports whose names match the regular expression `pattern`, now and whenever
    /// such a port appears later. Throws what midi_names() throws. [as midi_names()]
    virtual void connect_midi(MidiWay way, const std::string& /*pattern*/) { refuse_midi(way); }

    /// Begins to call `callback`, which must live until stop() returns. Call it only while the device is stopped. If
    /// the device was lost, call stop() first; then this tries to get the device back. Unless the format is constant,
    /// it calls BlockCallback::prepare() for the present one before the first block: an earlier prepare() may have
    /// failed. May allocate and block. Throws DeviceError, and what BlockCallback::prepare() throws.
    virtual void start(BlockCallback& callback) = 0;

    /// Ends the calls: when it returns, no call runs and none will. Does nothing if the device is stopped. If the
    /// device was lost, frees what is left of it. May block for as long as a block takes.
    virtual void stop() noexcept = 0;

    /// Whether somebody hears its blocks. If so, Engine::stop() lets the next block fade out before it calls stop(). It
    /// waits for that block for at most the time of two blocks. Constant.
    [[nodiscard]] virtual bool is_heard() const noexcept { return false; }

    [[nodiscard]] virtual DeviceStats stats() const noexcept = 0;

    /// Throws DeviceError unless this device renders on demand, as the offline device does.
    virtual void require_on_demand() const {
        throw_or_end(DeviceError{"render() needs the offline device, and this engine runs on the " +
                                 std::string{name()} +
                                 " device, which makes its own blocks: use the device 'offline'"});
    }

    /// If this device renders on demand, returns the mutex that render() holds; else null. While another thread holds
    /// it, no block is rendered.
    [[nodiscard]] virtual std::mutex* rendering() noexcept { return nullptr; }

    /// Renders into `outputs`, from `inputs`: both interleaved, one frame after the other. It renders as many frames as
    /// `outputs` holds or, if the device has no outputs, as `inputs` holds. If `inputs` is shorter, the missing frames
    /// are silence; if it is longer, the rest is ignored. During the call, the calling thread is the audio thread.
    /// Returns the number of rendered frames: fewer if another thread called stop() meanwhile. Throws DeviceError if
    /// the device is stopped, or does not render on demand; ArgumentError if the samples are not a whole number of
    /// frames, or if inputs are given that the device does not take.
    virtual std::size_t render(std::span<float> /*outputs*/, std::span<const float> /*inputs*/ = {}) {
        require_on_demand();
        return 0;
    }

    /// How late the blocks began, since the device was made. Null if the device does not measure it.
    [[nodiscard]] virtual const Lateness* lateness() const noexcept { return nullptr; }

  protected:
    [[noreturn]] void refuse_midi(MidiWay way) const {
        const std::string option = way == MidiWay::in ? "midi_inputs" : "midi_outputs";
        throw_or_end(DeviceError{"this engine's device, " + std::string{name()} + ", has no " + option + ": request " +
                                 option + "=1"});
    }
};

}  // namespace cueline
