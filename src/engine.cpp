// engine.cpp: what happens once per block, and the start and stop around it.
#include "engine.hpp"

#include <utility>

#include <cueline/error.hpp>
#include <cueline/monotonic.hpp>

#include "range.hpp"

namespace cueline {

Engine::Engine(std::unique_ptr<Device> device, std::unique_ptr<Processor> processor, std::int64_t budget)
    : control_{link_},
      audio_{link_, checked_range("budget", budget, budget_range)},
      locked_{memory_of(*this)},
      processor_{std::move(processor)},
      device_{std::move(device)} {
    processor_->prepare(device_->format());
    panel_.declare(*processor_);
    panel_.prepare(device_->format());
}

Engine::~Engine() {
    close();
}

void Engine::start() {
    require_own_process();  // before the lock, which a thread of the parent may have held as it forked
    const std::scoped_lock lock{running_mutex_};
    require_open();
    const bool was_lost = lost_.exchange(false, std::memory_order_relaxed);  // relaxed: see require_usable()
    if (was_lost) stop_locked();
    if (running_) return;
    try {
        device_->start(*this);
    } catch (...) {
        if (was_lost) lost_.store(true, std::memory_order_relaxed);  // it still is
        throw;
    }
    running_ = true;
}

void Engine::stop() noexcept {
    if (forked()) return;  // likewise
    const std::scoped_lock lock{running_mutex_};
    stop_locked();
}

void Engine::close() noexcept {
    if (forked()) return;  // likewise
    const std::scoped_lock lock{running_mutex_};
    closed_.store(true, std::memory_order_relaxed);  // relaxed: those who must see it hold the lock
    stop_locked();
}

void Engine::stop_locked() noexcept {
    if (running_) device_->stop();
    running_ = false;
    lost_.store(false, std::memory_order_relaxed);  // it stands still because we said so: what is sent waits
}

void Engine::require_own_process() const {
    if (!forked()) return;
    throw ForkedError{"this engine belongs to the parent process, where its audio thread is: make a new one here"};
}

void Engine::require_open() const {
    require_own_process();
    if (closed()) throw ClosedError{"this engine is closed: make a new one"};
}

void Engine::require_usable() const {
    require_open();
    if (!lost_.load(std::memory_order_relaxed)) return;  // relaxed: the text has a lock of its own
    const std::scoped_lock lock{lost_mutex_};
    throw DeviceError{lost_why_};
}

void Engine::prepare(const Format& format) {
    processor_->prepare(format);
    panel_.prepare(format);
    // Between two blocks, ordered with them by the device: the audio side is ours as long as this takes.
    audio_.events().send(kind::format_changed, FormatChanged{format.samplerate, format.channels, format.blocksize});
}

void Engine::lost(std::string_view why) noexcept {
    {
        const std::scoped_lock lock{lost_mutex_};
        lost_why_ = why;
    }
    audio_.events().send(kind::device_lost, DeviceLost{monotonic_ns()});  // likewise: no block comes any more
    lost_.store(true, std::memory_order_relaxed);
}

void Engine::process(const AudioBlock& block, std::uint64_t block_ns) noexcept CUELINE_NONBLOCKING {
    AudioBlock now = block;
    now.frame = frames_.get();

    audio_.begin_block(now.frame);
    panel_.begin_block();
    Message command;
    while (audio_.receive(command) == Status::ok) handle(command, block_ns);
    processor_->render(now, context_);
    audio_.end_block();

    frames_.add(block.frames);
    blocks_.add(1);
}

void Engine::handle(const Message& command, std::uint64_t block_ns) noexcept CUELINE_NONBLOCKING {
    if (command.kind == kind::ping) {
        // A full event ring drops the pong and counts it; the audio goes on.
        audio_.events().send(kind::pong, Pong{command.as<Ping>().sent_ns, block_ns}, command.sequence);
    } else if (command.kind < kind::first_processor || !processor_->handle(command, context_)) {
        unhandled_.add(1);
    }
}

EngineStats Engine::stats() const {
    EngineStats stats;
    stats.device = device_->name();
    stats.format = device_->format();
    stats.blocks = blocks_.get();
    stats.frames = frames_.get();
    stats.unhandled = unhandled_.get();
    stats.device_stats = device_->stats();
    stats.device_stats.memory_locked = stats.device_stats.memory_locked && locked_.granted();
    stats.commands = link_.command_counts();
    stats.events = link_.event_counts();
    return stats;
}

}  // namespace cueline
