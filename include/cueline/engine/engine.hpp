// engine.hpp: a link, a processor and a device, run together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <cueline/audio_side.hpp>
#include <cueline/buffer.hpp>
#include <cueline/device.hpp>
#include <cueline/engine/engine_stats.hpp>
#include <cueline/engine/owned_processor.hpp>
#include <cueline/engine/pending_buffer.hpp>
#include <cueline/engine/processor_controls.hpp>
#include <cueline/engine/streams.hpp>
#include <cueline/engine/worst_case.hpp>
#include <cueline/line.hpp>
#include <cueline/monotonic.hpp>
#include <cueline/timeline.hpp>

namespace cueline {

class Sequences;  // see src/engine/sequences.hpp

/// A running engine gets blocks from its device. An engine is lost if its device ended by itself: see Device::start().
enum class EngineState : std::uint8_t { not_started, running, stopped, lost, closed };

/// Runs a processor on a device's audio thread, once a block, and connects control threads to it. Frames count from the
/// engine's construction, across stops.
///
/// All calls are for control threads, and several threads may call at once. The exceptions send on line 0: control(),
/// and the calls that say "one sender at a time". Only one thread at a time may use these.
class Engine {
  public:
    /// Prepares `processor` for the format of `device`. The engine does not run before start().
    /// Until close(), no other engine can run this processor, and no other thread may touch what the audio thread uses.
    /// `budget` is the most commands that a block reads, 1 to 1024; the offline device reads all. `lines`, 1 to
    /// max_lines, is how many lines can be open, line 0 among them; a line takes memory from when it is opened. Throws
    /// ArgumentError for another budget or number of lines; for a missing device; for a processor that is missing, that
    /// another engine runs, that has too many slots, or whose declarations ProcessorControls::declare() refuses; and
    /// for a device with too many channels. Throws what Processor::prepare() throws.
    Engine(std::unique_ptr<Device> device, OwnedProcessor processor, std::int64_t budget = default_budget,
           std::int64_t lines = default_lines);

    /// Closes the engine.
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// Starts the device. If it runs already, does nothing. The first block reads the commands that were sent before,
    /// within its budget. If the device was lost, tries to get it back. May block.
    /// Throws ClosedError, ForkedError, DeviceError, and what Processor::prepare() throws: it is called if the
    /// processor is not prepared for the device's format.
    void start();

    /// Stops the device. When it returns, no block runs. If the device is heard, its last block fades out. Blocks for
    /// about one block, two at most. In a forked child, does nothing.
    void stop() noexcept;

    /// Stops the device for good, gives the commands that still wait back to the processor (Processor::discarded()),
    /// frees all published buffers, and lets another engine run the processor. After that, start() throws. Blocks for
    /// about one block. In a forked child, does nothing.
    void close() noexcept;

    /// Returns how many engines of this process run, on a device other than the offline device. [any thread]
    [[nodiscard]] static unsigned running() noexcept;

    [[nodiscard]] bool closed() const noexcept;

    /// Returns what the engine does now. In a forked child: what it did at the fork.
    [[nodiscard]] EngineState state() const noexcept;

    /// Returns whether this process is a fork of the one that made the engine. The audio thread runs only in that one.
    [[nodiscard]] bool forked() const noexcept;

    /// Throws ForkedError in a forked child.
    void require_own_process() const;

    /// Throws ForkedError in a forked child, ClosedError after close().
    void require_open() const;

    /// Throws what require_open() throws, and DeviceError while the device is lost: no block would read what is sent.
    void require_usable() const;

    /// Returns line 0. It also gets the events that answer no command of an open line. One thread at a time sends, and
    /// one receives.
    [[nodiscard]] Line& control() noexcept { return *control_; }

    /// Returns the processor's parameters and meters.
    [[nodiscard]] ProcessorControls& controls() noexcept { return *controls_; }

    /// Opens a line for another thread. The engine must outlive it. With Events::all, it also receives the events that
    /// answer no command of an open line. Throws LinesTakenError if all lines in `among` are open.
    [[nodiscard]] Line open_line(Events events = Events::own, AmongLines among = {});

    /// Returns how many lines the engine was made for.
    [[nodiscard]] std::size_t lines() const noexcept;

    /// Takes a confirmation that the last owner of a closed line did not receive. Returns Status::empty if there is
    /// none, or if the line is open: then its owner gets it. `line` must be below lines().
    Status receive_confirmation_of_closed(std::size_t line, Message& confirmation) noexcept;

    /// Returns the nanoseconds until the next block can have brought events. A thread that polls can sleep for that
    /// time.
    [[nodiscard]] std::uint64_t ns_until_news() const noexcept;

    /// On the offline device, makes room for `commands`, at most 1024, in the ring of a line below lines(): it moves
    /// all commands of that ring to the audio side, where the next block reads them. So no cue is refused for lack of
    /// room: if the ring refuses one, call this and send again. Returns true if there is room now, and false on other
    /// devices, where only a block makes room. May wait for a block that is being rendered. Allocates.
    bool make_room(std::size_t line, std::size_t commands = 1);

    /// Returns the counts of a line below lines(). They include its earlier owners.
    [[nodiscard]] LineStats line_stats(std::size_t line) const noexcept;

    /// Returns the first frame of the next block: the earliest frame at which a command sent now can apply.
    [[nodiscard]] std::uint64_t now() const noexcept;

    /// Returns the frame and the time of the last block that began, or nothing before the first.
    [[nodiscard]] std::optional<BlockTime> last_block() const noexcept;

    /// Returns the same as last_block(). Throws DeviceError if no block has begun.
    [[nodiscard]] BlockTime block_time() const;

    /// Returns the timeline as it was after the last block. [any thread]
    [[nodiscard]] Timeline timeline() const noexcept;

    /// Returns the sequences, which send lists of commands at beats. [any thread]
    [[nodiscard]] Sequences& sequences() noexcept;

    /// On the offline device, sends the events of sequences that the next block needs, as render() does. After that,
    /// each score that still grows has the beat up to which it should have grown. Returns how many frames the next
    /// block may have; on other devices, the block size. Do not call it after close(). May wait for a block that is
    /// being rendered. Allocates.
    std::uint32_t feed_sequences();

    /// Returns the most that a block can have to do, for the device's block size. Throws DeviceError for the offline
    /// device: its blocks have no deadline, and read all that waits.
    [[nodiscard]] WorstCase worst_case() const;

    /// Returns how many slots for buffers the processor has.
    [[nodiscard]] std::uint32_t buffer_slots() const noexcept;

    /// Publishes a buffer: the audio thread swaps it with the buffer in `slot` when it applies the command. The buffer
    /// is a copy of `interleaved`, frames times `channels` samples, on pages that are touched and, where permitted,
    /// locked. The buffer that was swapped out is freed by a later publish(), stats() or close(). One sender at a time.
    /// Allocates, copies and frees. If the command ring is full, returns Status::full. If stats().buffers.limit buffers
    /// are in use, returns Status::no_buffer. In both cases it changes nothing, and counts the refusal. On the offline
    /// device, a full ring refuses no cue. Throws what make_buffer() and require_usable() throw.
    Status publish(std::int64_t slot, std::span<const float> interleaved, std::int64_t channels,
                   const Delivery& delivery = {});

    /// The first half of publish(), which may take long and needs no lock against other senders. If
    /// stats().buffers.limit buffers are in use, returns an empty buffer and counts nothing: try again, or publish the
    /// empty buffer, which counts the refusal.
    /// Throws ArgumentError for a slot that does not exist, for channels outside 1 to 1024, and for a number of samples
    /// that is 0, not a multiple of `channels`, or more than 2^31 - 1; std::bad_alloc; what require_usable() throws.
    PendingBuffer make_buffer(std::int64_t slot, std::span<const float> interleaved, std::int64_t channels);

    /// The second half of publish(): sends the command. If `buffer` is empty, counts a refused buffer, and returns
    /// Status::no_buffer. One sender at a time.
    Status publish(std::int64_t slot, PendingBuffer buffer, const Delivery& delivery = {});

    /// Empties `slot`. Returns Status::full, and counts a dropped command, if the command ring is full. Throws what
    /// require_usable() throws, and ArgumentError for a slot that does not exist. One sender at a time.
    Status publish_nothing(std::int64_t slot, const Delivery& delivery = {});

    /// Returns how many buffers without a slot can be loaded at once: see Processor::loaded_buffers().
    [[nodiscard]] std::uint32_t loaded_buffers() const noexcept;

    /// Loads a buffer without a slot, a copy as in publish(). Returns its handle, for any number of messages: the
    /// processor finds the buffer by ProcessContext::loaded_buffer(). It stays loaded until an UnloadBuffer is applied,
    /// until the processor calls release_buffer(), or until close(). After that, the handle stands for nothing, and the
    /// buffer is freed like one that was swapped out. This function sends no command, and needs no lock against
    /// senders. Allocates, copies and frees. If stats().buffers.limit buffers are in use, returns nothing, and counts
    /// the refusal. Throws what make_buffer() throws.
    std::optional<BufferHandle> load_buffer(std::span<const float> interleaved, std::int64_t channels);

    /// The first half of load_buffer(), which may take long. If stats().buffers.limit buffers are in use, returns an
    /// empty buffer and counts nothing. Throws what the other make_buffer() throws, and ArgumentError if the processor
    /// loads none.
    PendingBuffer make_buffer(std::span<const float> interleaved, std::int64_t channels);

    /// The second half of load_buffer(). If `buffer` is empty, counts a refused buffer, and returns nothing.
    std::optional<BufferHandle> load_buffer(PendingBuffer buffer);

    /// Copies the values of an automation's curve. A curve does not count as one of the processor's buffers. If
    /// max_curves are in use, returns an empty buffer. Throws what make_buffer() throws.
    PendingBuffer make_curve(std::span<const float> values);

    /// Returns a handle for one Automate command, which releases the curve when it is over. If you do not send such a
    /// command, the curve stays until close(). Throws what require_usable() throws, and ArgumentError for an empty
    /// `curve`.
    BufferHandle load_curve(PendingBuffer curve);

    /// Sends an UnloadBuffer. Returns Status::full, and counts a dropped command, if the command ring is full. Throws
    /// what require_usable() throws. One sender at a time.
    Status unload_buffer(BufferHandle handle, const Delivery& delivery = {});

    /// Opens a playback: one of Processor::playbacks(), which the processor plays, or a stream that the engine mixes
    /// into the outputs after the processor. It plays from Playback::start() on. If the device gets another samplerate,
    /// the stream ends. After close(), the stream takes no commands; what it holds can still be read. Throws
    /// ArgumentError for more channels than the device has outputs, for a number of frames below 1 or too high, or for
    /// a stream that the processor does not declare or that has other channels; StreamsTakenError if max_streams are
    /// open, or if that stream of the processor is; std::bad_alloc; what require_usable() throws.
    [[nodiscard]] Playback open_playback(const PlaybackRequest& request);

    /// Opens a stream that records the inputs, the outputs, or what the processor writes to one of
    /// Processor::recordings(). It records from Recording::start() on. Throws what open_playback() throws.
    [[nodiscard]] Recording open_recording(const RecordingRequest& request);

    /// Lets the audio thread take over the stream that `command` names, if it names one. Stream does this itself: call
    /// it only if you send such a command in another way. Call it before you send the command, and only if the ring has
    /// room for it: a stream that was handed over comes back only through the audio thread.
    void hand_over_stream(const Message& command);

    [[nodiscard]] Format format() const noexcept;

    /// Returns the latency that the device reports at present.
    [[nodiscard]] DeviceLatency latency() const noexcept;

    /// Do what Device::midi_names() and Device::connect_midi() do. You may call them while the engine runs or is
    /// stopped. They wait for a start(), a stop() or a close() that runs, and throw what require_open() throws.
    /// connect_midi() throws ArgumentError for a bad pattern.
    [[nodiscard]] std::vector<std::string> midi_names(MidiWay way);
    void connect_midi(MidiWay way, const std::string& pattern);

    /// Returns the device, for calls such as render() and lateness(). Only the engine may call its start() and stop().
    [[nodiscard]] Device& device() noexcept;

    /// Returns the engine's counts. Allocates, and frees buffers that came back. Throws ForkedError in a forked child.
    [[nodiscard]] EngineStats stats() const;

    /// Whether the audio thread gave back buffers that nobody has freed yet.
    [[nodiscard]] bool has_returned_buffers() const noexcept;

    /// Frees the buffers that the audio thread gave back. make_buffer(), stats() and close() do that too. It takes
    /// longer for larger buffers.
    void free_returned_buffers();

  private:
    struct Parts;  // see src/engine/engine_parts.hpp

    std::unique_ptr<Parts> parts_;
    Line* control_;
    ProcessorControls* controls_;
};

}  // namespace cueline
