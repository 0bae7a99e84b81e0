// effects_sound.cpp: what the mutants are but for their acts, by the same flags: clang must accept it.
#include <cueline/audio_side.hpp>
#include <cueline/control_side.hpp>

#include <cueline/buffer.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "processors.hpp"

#include <cueline/device.hpp>
#include <cueline/processor.hpp>
#include <cueline/visit.hpp>

namespace cueline::test {

class Sound final : public Processor {
  public:
    void prepare(const Format& format) override { wave_.prepare(format); }
    bool handle(const Message& command, Context& context) noexcept CUELINE_NONBLOCKING override {
        return wave_.handle(command, context);
    }
    void render(const AudioBlock& block, Context& context) noexcept CUELINE_NONBLOCKING override {
        wave_.render(block, context);
    }

  private:
    WaveProcessor wave_;
};

// Where the audio path begins is marked: clang makes such a pointer only of a function that is held to the rules. Of
// what overrides or is called by these, clang asks the mark itself.
using Block = void (BlockCallback::*)(const AudioBlock&, std::uint64_t) noexcept CUELINE_NONBLOCKING;
using Handle = bool (Processor::*)(const Message&, Context&) noexcept CUELINE_NONBLOCKING;
using Render = void (Processor::*)(const AudioBlock&, Context&) noexcept CUELINE_NONBLOCKING;
using Push = Status (Producer<CommandRing>::*)(const Message&) noexcept CUELINE_NONBLOCKING;
using Pop = Status (Consumer<CommandRing>::*)(Message&) noexcept CUELINE_NONBLOCKING;

using PushSome = std::size_t (Producer<CommandRing>::*)(std::span<const Message>) noexcept CUELINE_NONBLOCKING;
using PopSome = std::size_t (Consumer<CommandRing>::*)(std::span<Message>) noexcept CUELINE_NONBLOCKING;

using NextValue = double (Parameter::*)() noexcept CUELINE_NONBLOCKING;
using GoTo = void (Parameter::*)(double) noexcept CUELINE_NONBLOCKING;
using BeginBlock = void (Parameter::*)() noexcept CUELINE_NONBLOCKING;
using WriteParameter = void (SharedParameter<>::*)(double) noexcept CUELINE_NONBLOCKING;
using ReadParameter = bool (SharedParameter<>::*)(std::uint64_t&, double&) const noexcept CUELINE_NONBLOCKING;
using ShowMeter = void (Meter::*)(std::initializer_list<double>, std::uint64_t) noexcept CUELINE_NONBLOCKING;
using WriteLatest = void (SharedMeter::*)(const MeterValue&) noexcept CUELINE_NONBLOCKING;
using ReadLatest = bool (SharedMeter::*)(MeterValue&) noexcept CUELINE_NONBLOCKING;

constexpr Block block = &BlockCallback::process;
constexpr Handle handle = &Processor::handle;
constexpr Render render = &Processor::render;
constexpr Push push = &Producer<CommandRing>::try_push;
constexpr Pop pop = &Consumer<CommandRing>::try_pop;
constexpr PushSome push_some = &Producer<CommandRing>::try_push;
constexpr PopSome pop_some = &Consumer<CommandRing>::try_pop;
constexpr NextValue next_value = &Parameter::next;
constexpr GoTo go_to = &Parameter::go_to;
constexpr BeginBlock begin_block = &Parameter::begin_block;
constexpr WriteParameter write_parameter = &SharedParameter<>::write;
constexpr ReadParameter read_parameter = &SharedParameter<>::read;
constexpr ShowMeter show_meter = &Meter::set;
constexpr WriteLatest write_latest = &SharedMeter::write;
constexpr ReadLatest read_latest = &SharedMeter::read;
static_assert(next_value != nullptr && go_to != nullptr && begin_block != nullptr && write_parameter != nullptr);
static_assert(read_parameter != nullptr && show_meter != nullptr && write_latest != nullptr && read_latest != nullptr);

using Swap = bool (BufferSlots::*)(const PublishBuffer&) noexcept CUELINE_NONBLOCKING;
using SendBack = void (BufferSlots::*)(const PublishBuffer&) noexcept CUELINE_NONBLOCKING;
using Look = const Buffer* (BufferSlots::*)(std::size_t) const noexcept CUELINE_NONBLOCKING;
constexpr Swap swap = &BufferSlots::apply;
constexpr SendBack send_back = &BufferSlots::discard;
constexpr Look look = &BufferSlots::at;
static_assert(swap != nullptr && send_back != nullptr && look != nullptr);
static_assert(push_some != nullptr && pop_some != nullptr);
static_assert(block != nullptr && handle != nullptr && render != nullptr && push != nullptr && pop != nullptr);

/// Reading in place is as sound as what reads.
std::uint32_t newest_sequence(Consumer<CommandRing>& commands) noexcept CUELINE_NONBLOCKING {
    std::uint32_t newest = 0;
    commands.consume([&newest](const Message& command) noexcept { newest = command.sequence; });
    return newest;
}

/// And visiting is as sound as the visitor.
float peak(const Message& message) noexcept CUELINE_NONBLOCKING {
    float peak = 0;
    Messages<Level>::visit(message, [&peak](const Level& level) noexcept { peak = level.peak; });
    return peak;
}

}  // namespace cueline::test
