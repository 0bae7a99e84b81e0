// engine.cpp: what control threads do with an engine: make, start, stop and close it, publish buffers, read counts.
#include <cueline/engine/engine.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <cueline/engine/range.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/error.hpp>
#include <cueline/midi.hpp>
#include <cueline/monotonic.hpp>

#include "engine/engine_parts.hpp"
#include "system/regular_expression.hpp"

namespace cueline {

namespace {

std::atomic<unsigned> engines_running = 0;

[[noreturn]] void refuse_forked() {
    throw ForkedError{"this engine belongs to the parent process, where its audio thread runs: make an engine here"};
}

[[noreturn]] void refuse_closed() {
    throw ClosedError{"this engine is closed: make a new one"};
}

}  // namespace

Engine::Parts::Parts(std::unique_ptr<Device> its_device, OwnedProcessor its_processor, std::uint32_t its_budget,
                     std::uint32_t lines)
    : processor{std::move(its_processor)},
      device{std::move(its_device)},
      memory{prepared_shape(lines)},
      audio{memory.link(), its_budget, loss},
      budget{its_budget} {
    controls.declare(*processor.get());
    audio.block().run(*processor.get(), device->format(), controls.parameter_specs(), controls.meter_specs(),
                      pool.audio_side(), streams->audio_side(), curves.audio_side());
    if (device->midi_ports().outputs > 0) audio.block().send_midi();
    if (!makes_own_blocks()) audio.block().feed_from(sequences);
}

LinkShape Engine::Parts::prepared_shape(std::uint32_t lines) {
    if (device == nullptr) throw ArgumentError{"an engine needs a device, got none: use open_device()"};
    processor.claim();
    prepare_processor(*processor.get(), device->format());
    ProcessorControls::check(*processor.get());
    const std::size_t parameters = elements(processor->parameters());
    const std::size_t meters = elements(processor->meters());
    return {.lines = lines,
            .parameters = static_cast<std::uint32_t>(parameters),
            .meters = static_cast<std::uint32_t>(meters)};
}

std::uint32_t Engine::Parts::declared_slots() const {
    const std::uint32_t declared = processor->buffer_slots();
    if (declared <= max_buffer_slots) return declared;
    throw ArgumentError{"a processor has at most " + std::to_string(max_buffer_slots) + " slots for buffers, got " +
                        std::to_string(declared)};
}

std::uint32_t Engine::Parts::declared_loaded() const {
    const std::uint32_t declared = processor->loaded_buffers();
    const std::uint32_t most = handle_places - max_buffers(slots);
    if (declared <= most) return declared;
    throw ArgumentError{"a processor with " + std::to_string(slots) + " slots for buffers has at most " +
                        std::to_string(most) + " buffers without a slot, got " + std::to_string(declared)};
}

bool Engine::Parts::makes_own_blocks() const noexcept {
    return device->name() != "offline";
}

/// Waits as long as two blocks take: a device that hangs makes no more blocks.
void Engine::Parts::fade_out() noexcept {
    audio.block().fades().request_out();
    const Format format = device->format();
    const std::uint64_t deadline_ns =
        monotonic_ns() + duration_ns(2 * std::uint64_t{format.blocksize}, format.samplerate);
    while (!audio.block().fades().is_out() && monotonic_ns() < deadline_ns) {
        std::this_thread::sleep_for(std::chrono::microseconds{100});
    }
}

void Engine::Parts::stop_locked() noexcept {
    if (running && !loss.is_set() && device->is_heard()) fade_out();  // after a loss, it would wait in vain
    if (running) device->stop();
    if (running && makes_own_blocks()) engines_running.fetch_sub(1, std::memory_order_relaxed);  // relaxed: a report
    running = false;
    loss.clear();  // now it is only stopped: commands wait for the next start
}

/// On the offline device, a thread that sends a cue may be in make_room().
void Engine::Parts::give_back_commands() noexcept {
    std::mutex* const rendering = device->rendering();
    std::unique_lock<std::mutex> lock;
    if (rendering != nullptr) lock = std::unique_lock{*rendering};
    audio.block().close();
}

void Engine::Parts::require_slot(std::int64_t slot) const {
    if (slots == 0) throw ArgumentError{"this engine's processor has no slots for buffers"};
    if (slot >= 0 && slot < std::int64_t{slots}) return;
    throw ArgumentError{"slot must be from 0 to " + std::to_string(slots - 1) + ", got " + std::to_string(slot)};
}

void Engine::Parts::require_loading() const {
    if (loaded == 0) throw ArgumentError{"this engine's processor loads no buffers without a slot"};
}

PendingBuffer Engine::Parts::make_buffer(std::span<const float> interleaved, std::int64_t channels) {
    const std::uint32_t count = checked_range("channels", channels, buffer_channels_range);
    const auto samples = static_cast<std::int64_t>(interleaved.size());
    checked_range("a buffer", samples, buffer_samples_range);
    if (samples % count != 0) {
        throw ArgumentError{"a buffer of " + std::to_string(count) + " channels must have whole frames, got " +
                            std::to_string(samples) + " samples"};
    }
    return pool.make(interleaved, count);
}

Engine::Engine(std::unique_ptr<Device> device, OwnedProcessor processor, std::int64_t budget, std::int64_t lines)
    : parts_{std::make_unique<Parts>(std::move(device), std::move(processor),
                                     checked_range("budget", budget, budget_range),
                                     checked_range("lines", lines, lines_range))},
      control_{&parts_->control},
      controls_{&parts_->controls} {}

Engine::~Engine() {
    close();
}

void Engine::start() {
    require_own_process();  // before the lock: a thread of the parent may have held it at the fork
    const std::scoped_lock lock{parts_->running_mutex};
    require_open();
    const bool was_lost = parts_->loss.is_set();
    if (was_lost) parts_->stop_locked();
    if (parts_->running) return;
    try {
        parts_->audio.block().fades().restart();
        parts_->device->start(parts_->audio.block());
    } catch (...) {
        if (was_lost) parts_->loss.set_again();
        throw;
    }
    parts_->started.store(true, std::memory_order_relaxed);  // relaxed: these two are a report
    parts_->running.store(true, std::memory_order_relaxed);
    if (parts_->makes_own_blocks()) engines_running.fetch_add(1, std::memory_order_relaxed);  // relaxed: a report
}

unsigned Engine::running() noexcept {
    return engines_running.load(std::memory_order_relaxed);  // relaxed: a report
}

void Engine::stop() noexcept {
    if (forked()) return;  // before the lock, as in start()
    const std::scoped_lock lock{parts_->running_mutex};
    parts_->stop_locked();
}

void Engine::close() noexcept {
    if (forked()) return;  // before the lock, as in start()
    const std::scoped_lock lock{parts_->running_mutex};
    // Relaxed: start() holds the lock, for others it is a hint.
    const bool was_closed = parts_->closed.exchange(true, std::memory_order_relaxed);
    parts_->stop_locked();
    if (was_closed) return;
    parts_->sequences.end();
    parts_->give_back_commands();  // later, another engine may run the processor
    parts_->processor.set_hand_over(parts_->pool.close());
    parts_->curves.close();
    parts_->streams->close();
    parts_->processor.release();
}

bool Engine::closed() const noexcept {
    return parts_->closed.load(std::memory_order_relaxed);  // relaxed: a hint
}

EngineState Engine::state() const noexcept {
    const auto is = [](const std::atomic<bool>& flag) { return flag.load(std::memory_order_relaxed); };  // a report
    if (is(parts_->closed)) return EngineState::closed;
    if (parts_->loss.is_set()) return EngineState::lost;
    if (is(parts_->running)) return EngineState::running;
    return is(parts_->started) ? EngineState::stopped : EngineState::not_started;
}

bool Engine::forked() const noexcept {
    return fork_generation() != parts_->generation;
}

void Engine::require_own_process() const {
    if (forked()) refuse_forked();
}

void Engine::require_open() const {
    require_own_process();
    if (closed()) refuse_closed();
}

void Engine::require_usable() const {
    require_open();
    if (parts_->loss.is_set()) parts_->loss.refuse();
}

Line Engine::open_line(Events events, AmongLines among) {
    LineClaim claim{parts_->memory.link(), among};
    parts_->memory.lock_line(claim.number());  // before the audio thread may touch it
    return Line{parts_->memory.link(), std::move(claim), events};
}

std::size_t Engine::lines() const noexcept {
    return parts_->memory.link().lines();
}

Status Engine::receive_confirmation_of_closed(std::size_t line, Message& confirmation) noexcept {
    const std::optional<LineClaim> claim = LineClaim::try_claim(parts_->memory.link(), line);
    if (!claim || !parts_->memory.link().was_open(line)) return Status::empty;
    Consumer confirmations{parts_->memory.link().line(line).confirmations.messages, already_claimed};
    return confirmations.try_pop(confirmation);
}

std::uint64_t Engine::ns_until_news() const noexcept {
    const Format format = parts_->device->format();
    const std::uint64_t block_ns = duration_ns(format.blocksize, format.samplerate);
    // A block that begins on time has read its commands by then. A late or a long block gets more time at each look.
    const std::uint64_t soon_ns = std::max<std::uint64_t>(block_ns / 128, 20'000);
    const std::uint64_t again_ns = std::max(block_ns / 32, soon_ns);
    const std::optional<BlockTime> last = parts_->last_block();
    if (!last) return block_ns / 2;  // no block has begun yet
    const std::uint64_t now_ns = monotonic_ns();
    const std::uint64_t next_ns = last->ns + block_ns + soon_ns;
    if (now_ns >= next_ns + 2 * block_ns) return block_ns / 2;  // no blocks come now
    if (now_ns >= next_ns) return again_ns;                     // the next block is late
    const bool ended = parts_->audio.report.frames.get() > last->frame;
    return ended ? next_ns - now_ns : again_ns;
}

bool Engine::make_room(std::size_t line, std::size_t commands) {
    std::mutex* const rendering = parts_->device->rendering();
    if (rendering == nullptr) return false;
    const MessageRing& ring = parts_->memory.link().line(line).commands.messages;
    while (MessageRing::capacity - ring.size() < commands) {
        // If another thread renders, its next block makes room.
        if (const std::unique_lock lock{*rendering, std::try_to_lock}; lock.owns_lock()) {
            parts_->audio.block().take_ahead(line);
        } else {
            std::this_thread::sleep_for(std::chrono::microseconds{100});
        }
    }
    return true;
}

LineStats Engine::line_stats(std::size_t line) const noexcept {
    if (!parts_->memory.link().was_open(line)) return {};
    const LinkLine& shared = parts_->memory.link().line(line);
    return {.commands = shared.commands.stats(),
            .events = shared.events.stats(),
            .confirmations = shared.confirmations.stats()};
}

std::uint64_t Engine::now() const noexcept {
    return parts_->audio.report.frames.get();
}

Sequences& Engine::sequences() noexcept {
    return parts_->sequences;
}

std::uint32_t Engine::feed_sequences() {
    const std::uint32_t frames = parts_->device->format().blocksize;
    std::mutex* const rendering = parts_->device->rendering();
    if (rendering == nullptr) return frames;
    const std::scoped_lock lock{*rendering};
    return parts_->audio.block().take_ahead(frames);
}

std::optional<BlockTime> Engine::Parts::last_block() const noexcept {
    BlockTime time;
    while (!audio.report.block_time.read(time)) std::this_thread::yield();
    if (time.samplerate == 0) return std::nullopt;
    return time;
}

std::optional<BlockTime> Engine::last_block() const noexcept {
    return parts_->last_block();
}

Timeline Engine::timeline() const noexcept {
    Timeline timeline;
    while (!parts_->audio.report.timeline.read(timeline)) std::this_thread::yield();
    return timeline;
}

BlockTime Engine::block_time() const {
    if (const std::optional<BlockTime> time = parts_->last_block()) return *time;
    throw DeviceError{"no block has been rendered yet, so no frame has a time: start the engine, and wait for a block"};
}

WorstCase Engine::worst_case() const {
    if (parts_->device->rendering() != nullptr) {
        throw DeviceError{"a block of the offline device has no bound: it has no deadline, and reads all that waits"};
    }
    const std::size_t midi = parts_->device->midi_ports().inputs > 0 ? max_midi_messages : 0;
    return cueline::worst_case(parts_->budget, lines(), format().blocksize, midi);
}

std::uint32_t Engine::buffer_slots() const noexcept {
    return parts_->slots;
}

Status Engine::publish(std::int64_t slot, std::span<const float> interleaved, std::int64_t channels,
                       const Delivery& delivery) {
    return publish(slot, make_buffer(slot, interleaved, channels), delivery);
}

PendingBuffer Engine::make_buffer(std::int64_t slot, std::span<const float> interleaved, std::int64_t channels) {
    require_usable();
    parts_->require_slot(slot);
    return parts_->make_buffer(interleaved, channels);
}

PendingBuffer Engine::make_buffer(std::span<const float> interleaved, std::int64_t channels) {
    require_usable();
    parts_->require_loading();
    return parts_->make_buffer(interleaved, channels);
}

std::optional<BufferHandle> Engine::load_buffer(PendingBuffer buffer) {
    require_usable();
    parts_->require_loading();
    if (buffer) return parts_->pool.hand_over(std::move(buffer));
    parts_->pool.count_refused();
    return std::nullopt;
}

std::optional<BufferHandle> Engine::load_buffer(std::span<const float> interleaved, std::int64_t channels) {
    return load_buffer(make_buffer(interleaved, channels));
}

PendingBuffer Engine::make_curve(std::span<const float> values) {
    require_usable();
    checked_range("a curve", static_cast<std::int64_t>(values.size()), buffer_samples_range);
    return parts_->curves.make(values, 1);
}

BufferHandle Engine::load_curve(PendingBuffer curve) {
    require_usable();
    if (!curve) throw ArgumentError{"a curve must have been made, got an empty one: make_curve() makes one"};
    return parts_->curves.hand_over(std::move(curve));
}

Status Engine::unload_buffer(BufferHandle handle, const Delivery& delivery) {
    require_usable();
    if (delivery.is_cue()) make_room(control().number());
    return control().send(kind::unload_buffer, UnloadBuffer{handle}, delivery);
}

std::uint32_t Engine::loaded_buffers() const noexcept {
    return parts_->loaded;
}

Status Engine::publish(std::int64_t slot, PendingBuffer buffer, const Delivery& delivery) {
    require_usable();
    parts_->require_slot(slot);
    if (!buffer) {
        parts_->pool.count_refused();
        return Status::no_buffer;
    }
    if (delivery.is_cue()) make_room(control().number());
    if (control().room() == 0) {  // before the handle is offered: a command may be any bytes, and accept the offer
        control().count_dropped(1);
        return Status::full;
    }
    const BufferHandle handle = parts_->pool.hand_over(std::move(buffer));
    return control().send(kind::publish_buffer, PublishBuffer{static_cast<std::uint32_t>(slot), handle}, delivery);
}

Status Engine::publish_nothing(std::int64_t slot, const Delivery& delivery) {
    require_usable();
    parts_->require_slot(slot);
    if (delivery.is_cue()) make_room(control().number());
    return control().send(kind::publish_buffer, PublishBuffer{static_cast<std::uint32_t>(slot), no_buffer}, delivery);
}

Format Engine::format() const noexcept {
    return parts_->device->format();
}

DeviceLatency Engine::latency() const noexcept {
    return parts_->device->latency();
}

std::vector<std::string> Engine::midi_names(MidiWay way) {
    require_own_process();  // before the lock, as in start()
    const std::scoped_lock lock{parts_->running_mutex};
    require_open();
    return parts_->device->midi_names(way);
}

void Engine::connect_midi(MidiWay way, const std::string& pattern) {
    if (!is_regular_expression(pattern)) {
        throw ArgumentError{"pattern must be a regular expression, got '" + pattern + "'"};
    }
    require_own_process();  // before the lock, as in start()
    const std::scoped_lock lock{parts_->running_mutex};
    require_open();
    parts_->device->connect_midi(way, pattern);
}

Device& Engine::device() noexcept {
    return *parts_->device;
}

bool Engine::has_returned_buffers() const noexcept {
    return parts_->pool.has_returned() || parts_->curves.has_returned();
}

void Engine::free_returned_buffers() {
    parts_->pool.collect();
    parts_->curves.collect();
}

EngineStats Engine::stats() const {
    require_own_process();
    const EngineReport& report = parts_->audio.report;
    EngineStats stats;
    static_cast<LineStats&>(stats) = line_stats(0);
    stats.device = parts_->device->name();
    stats.blocks = report.blocks.get();
    stats.frames = report.frames.get();
    stats.unhandled = report.unhandled.get();
    stats.refused = report.refused.get();
    stats.refused_unconfirmed = report.refused_unconfirmed.get();
    stats.not_finite = report.not_finite.get();
    stats.not_finite_inputs = report.not_finite_inputs.get();
    stats.device_stats = parts_->device->stats();
    stats.device_stats.memory_locked = stats.device_stats.memory_locked && parts_->locked.granted() &&
                                       parts_->memory.granted() && parts_->pool.granted() && parts_->curves.granted() &&
                                       parts_->streams->granted() && parts_->audio.block().memory_locked();
    stats.midi = stats.device_stats.midi;
    stats.midi.dropped += report.midi_dropped.get();
    stats.midi.unsent += parts_->audio.block().midi_unsent();
    for (std::size_t line = 0; line < parts_->memory.link().used_lines(); ++line)
        stats.lines.push_back(line_stats(line));
    stats.buffers = parts_->pool.stats();
    stats.buffers.curves = parts_->curves.stats().in_use;
    stats.sequences = parts_->sequences.counts();
    stats.streams = static_cast<std::uint32_t>(parts_->streams->open());
    stats.cues = {.pending = report.cues_pending.get(),
                  .late = report.cues_late.get(),
                  .dropped_late = report.cues_dropped_late.get(),
                  .refused = report.cues_refused.get(),
                  .cancelled = report.cues_cancelled.get()};
    return stats;
}

}  // namespace cueline
