// effects_sound.cpp: the same as the mutants, without their faults. With the same flags, clang must accept it.
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

#include <cueline/audio_side.hpp>
#include <cueline/buffer.hpp>
#include <cueline/device.hpp>
#include <cueline/engine/tone_messages.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/line.hpp>
#include <cueline/processor.hpp>
#include <cueline/schedule.hpp>
#include <cueline/visit.hpp>

#include "processors.hpp"

namespace cueline::test {

class Sound final : public Processor {
  public:
    void prepare(const Format& format) override { wave_.prepare(format); }
    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        return wave_.handle(command, context);
    }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        wave_.render(block, context);
    }

  private:
    WaveProcessor wave_;
};

// The entries of the audio path have the mark: clang converts only a marked function to such a pointer. For functions
// that these call or that override them, clang itself requires the mark.
using Block = void (BlockCallback::*)(const AudioBlock&, std::uint64_t) noexcept CUELINE_NONBLOCKING;
using TakeMidi = void (BlockCallback::*)(std::span<const Message>) noexcept CUELINE_NONBLOCKING;
using MidiSent = std::span<const Message> (BlockCallback::*)() noexcept CUELINE_NONBLOCKING;
using ChangeBlocksize = void (BlockCallback::*)(std::uint32_t) noexcept CUELINE_NONBLOCKING;
using Handle = Outcome (Processor::*)(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING;
using BeginBlock = void (Processor::*)(ProcessContext&) noexcept CUELINE_NONBLOCKING;
using Discarded = void (Processor::*)(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING;
using ScheduleLater = Scheduled (ProcessContext::*)(const Message&, std::uint64_t) noexcept CUELINE_NONBLOCKING;
using FindLoaded = const Buffer* (ProcessContext::*)(BufferHandle) const noexcept CUELINE_NONBLOCKING;
using ReleaseBuffer = bool (ProcessContext::*)(BufferHandle) noexcept CUELINE_NONBLOCKING;
using CancelCause = bool (ProcessContext::*)(Cause) noexcept CUELINE_NONBLOCKING;
using Render = void (Processor::*)(const AudioBlock&, ProcessContext&) noexcept CUELINE_NONBLOCKING;
using Push = Status (Producer<MessageRing>::*)(const Message&) noexcept CUELINE_NONBLOCKING;
using Pop = Status (Consumer<MessageRing>::*)(Message&) noexcept CUELINE_NONBLOCKING;

using PushSome = std::size_t (Producer<MessageRing>::*)(std::span<const Message>) noexcept CUELINE_NONBLOCKING;
using PopSome = std::size_t (Consumer<MessageRing>::*)(std::span<Message>) noexcept CUELINE_NONBLOCKING;

using NextValue = double (Parameter::*)() noexcept CUELINE_NONBLOCKING;
using GoTo = void (Parameter::*)(double) noexcept CUELINE_NONBLOCKING;
using ValueAt = double (Parameter::*)(std::size_t) const noexcept CUELINE_NONBLOCKING;
using FillValues = void (Parameter::*)(std::span<float>, std::size_t) const noexcept CUELINE_NONBLOCKING;
using SegmentAt = double (ValueSegment::*)(double, const BufferSlots*) const noexcept CUELINE_NONBLOCKING;
using WriteParameter = void (SharedParameters<>::*)(std::size_t, double) const noexcept CUELINE_NONBLOCKING;
using WriteParameters = void (SharedParameters<>::*)(std::size_t, std::span<const double>) const noexcept
    CUELINE_NONBLOCKING;
using ShowMeter = void (Meter::*)(std::initializer_list<double>, std::uint64_t) noexcept CUELINE_NONBLOCKING;
using WriteLatest = void (SharedMeter::*)(const MeterValue&) noexcept CUELINE_NONBLOCKING;
using ReadLatest = bool (SharedMeter::*)(MeterValue&, int) const noexcept CUELINE_NONBLOCKING;

constexpr Block block = &BlockCallback::process;
constexpr TakeMidi take_midi = &BlockCallback::take_midi;
constexpr MidiSent midi_sent = &BlockCallback::midi_output;
constexpr ChangeBlocksize change_blocksize = &BlockCallback::blocksize_changed;
static_assert(take_midi != nullptr && midi_sent != nullptr && change_blocksize != nullptr);
constexpr Handle handle = &Processor::handle;
constexpr Render render = &Processor::render;
constexpr BeginBlock begin_block = &Processor::begin_block;
constexpr Discarded discarded = &Processor::discarded;
constexpr ScheduleLater schedule_later = &ProcessContext::schedule;
constexpr CancelCause cancel_cause = &ProcessContext::cancel;
constexpr FindLoaded find_loaded = &ProcessContext::loaded_buffer;
constexpr ReleaseBuffer release_buffer = &ProcessContext::release_buffer;
static_assert(find_loaded != nullptr && release_buffer != nullptr);
constexpr Push push = &Producer<MessageRing>::try_push;
constexpr Pop pop = &Consumer<MessageRing>::try_pop;
constexpr PushSome push_some = &Producer<MessageRing>::try_push;
constexpr PopSome pop_some = &Consumer<MessageRing>::try_pop;
constexpr NextValue next_value = &Parameter::next;
constexpr GoTo go_to = &Parameter::go_to;
constexpr ValueAt value_at = &Parameter::at;
constexpr FillValues fill_values = &Parameter::fill<float>;
constexpr SegmentAt segment_at = &ValueSegment::at;
constexpr WriteParameter write_parameter = &SharedParameters<>::write;
constexpr WriteParameters write_parameters = &SharedParameters<>::write;
constexpr ShowMeter show_meter = &Meter::set;
constexpr WriteLatest write_latest = &SharedMeter::write;
constexpr ReadLatest read_latest = &SharedMeter::read;
static_assert(next_value != nullptr && go_to != nullptr && value_at != nullptr && fill_values != nullptr);
static_assert(segment_at != nullptr && write_parameter != nullptr && write_parameters != nullptr);
static_assert(show_meter != nullptr && write_latest != nullptr && read_latest != nullptr);

using Swap = bool (BufferSlots::*)(const PublishBuffer&) noexcept CUELINE_NONBLOCKING;
using SendBack = void (BufferSlots::*)(const PublishBuffer&) noexcept CUELINE_NONBLOCKING;
using Look = const Buffer* (BufferSlots::*)(std::size_t) const noexcept CUELINE_NONBLOCKING;
constexpr Swap swap = &BufferSlots::apply;
constexpr SendBack send_back = &BufferSlots::discard;
constexpr Look look = &BufferSlots::at;
static_assert(swap != nullptr && send_back != nullptr && look != nullptr);
static_assert(push_some != nullptr && pop_some != nullptr);
static_assert(begin_block != nullptr && discarded != nullptr && schedule_later != nullptr && cancel_cause != nullptr);
static_assert(block != nullptr && handle != nullptr && render != nullptr && push != nullptr && pop != nullptr);

// The schedule, and what sends and reads commands.
using Add = void (Schedule::*)(std::span<const Message>, std::uint16_t) noexcept CUELINE_NONBLOCKING;
using TakeDue = const Schedule::Cue* (Schedule::*)(std::uint64_t) noexcept CUELINE_NONBLOCKING;
using NextFrame = std::uint64_t (Schedule::*)() noexcept CUELINE_NONBLOCKING;
using BeginLines = void (AudioSide::*)(std::uint64_t) noexcept CUELINE_NONBLOCKING;
using Confirm = void (AudioSide::*)(Kind, const Applied&, const Message&) noexcept CUELINE_NONBLOCKING;
using EndLines = void (AudioSide::*)() noexcept CUELINE_NONBLOCKING;
using Answer = Status (EventSender::*)(Kind, const Pong&, Cause) noexcept CUELINE_NONBLOCKING;
using Send = Status (Line::*)(Message&) noexcept CUELINE_NONBLOCKING;
using SendWhole = std::uint32_t (Line::*)(std::span<const Message>, const Delivery&) noexcept CUELINE_NONBLOCKING;
using Forget = Status (Line::*)(std::uint32_t) noexcept CUELINE_NONBLOCKING;
using Receive = Status (Line::*)(Message&) noexcept CUELINE_NONBLOCKING;
constexpr Add add = &Schedule::add;
constexpr TakeDue take_due = &Schedule::take_due;
constexpr NextFrame next_frame = &Schedule::next_frame;
constexpr BeginLines begin_lines = &AudioSide::begin_block;
constexpr Confirm confirm = &AudioSide::confirm;
constexpr EndLines end_lines = &AudioSide::end_block;
constexpr Answer answer = &EventSender::send;
constexpr Send send = &Line::try_send;
constexpr SendWhole send_whole = &Line::try_send_whole;
constexpr Forget forget = &Line::cancel;
constexpr Receive receive = &Line::receive;
constexpr Receive confirmed = &Line::receive_confirmation;
static_assert(add != nullptr && take_due != nullptr && next_frame != nullptr && begin_lines != nullptr);
static_assert(confirm != nullptr && end_lines != nullptr);
static_assert(answer != nullptr && send != nullptr && send_whole != nullptr);
static_assert(forget != nullptr && receive != nullptr && confirmed != nullptr);

/// Schedule::take_out() is as safe as the functions that it calls.
std::size_t forgotten(Schedule& schedule) noexcept CUELINE_NONBLOCKING {
    std::size_t forgotten = 0;
    schedule.take_out([](const Schedule::Cue& cue) noexcept { return cue.command.line == 0; },
                      [&forgotten](const Schedule::Cue&) noexcept { ++forgotten; });
    return forgotten;
}

/// AudioSide::read() is as safe as the function that it calls.
std::size_t read(AudioSide& audio) noexcept CUELINE_NONBLOCKING {
    std::size_t messages = 0;
    audio.read([&messages](std::span<Message> whole) noexcept { messages += whole.size(); });
    return messages;
}

/// consume() is as safe as its reader.
std::uint32_t newest_sequence(Consumer<MessageRing>& commands) noexcept CUELINE_NONBLOCKING {
    std::uint32_t newest = 0;
    commands.consume([&newest](const Message& command) noexcept { newest = command.sequence; });
    return newest;
}

/// try_send_each() is as safe as what fills its commands.
std::size_t send_three(Line& line) noexcept CUELINE_NONBLOCKING {
    const auto fill = [](std::size_t place, Message& command) noexcept {
        command = Message{};
        command.frame = place;
        return true;
    };
    return line.try_send_each(fill, 3);
}

/// visit() is as safe as its visitor.
float peak(const Message& message) noexcept CUELINE_NONBLOCKING {
    float peak = 0;
    Messages<Level>::visit(message, [&peak](const Level& level) noexcept { peak = level.peak; });
    return peak;
}

}  // namespace cueline::test
