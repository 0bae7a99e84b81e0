// jack_device.cpp: opens a client, runs its blocks, follows the server's changes, closes it.
#include "devices/jack/jack_device.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

#include <cueline/error.hpp>
#include <cueline/monotonic.hpp>

#include "system/clock.hpp"
#include "system/regular_expression.hpp"
#include "system/signals_blocked.hpp"
#include "system/thread_priority.hpp"

namespace cueline {

namespace {

using namespace std::chrono_literals;

std::string server_in_words(const DeviceRequest& request) {
    return request.server ? "the JACK server '" + *request.server + "'" : "the JACK server";
}

/// JACK does not check a regular expression.
void require_pattern(const std::string& option, const std::optional<std::variant<std::string, bool>>& connect) {
    const auto* const pattern = connect ? std::get_if<std::string>(&*connect) : nullptr;
    if (pattern == nullptr || is_regular_expression(*pattern)) return;
    throw ArgumentError{option + " must be True, False or a regular expression, got '" + *pattern + "'"};
}

std::string words_of(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception& error) {
        return error.what();
    } catch (...) {
        return "it threw something that is not a std::exception";
    }
}

}  // namespace

namespace {

JackPortFlags direction_of(MidiWay way) {
    return way == MidiWay::in ? JackPortIsInput : JackPortIsOutput;
}

}  // namespace

JackDevice::JackDevice(const JackLibrary& jack, const DeviceRequest& request)
    : jack_{jack},
      request_{request},
      input_count_{count_of(request.inputs)},
      output_count_{count_of(request.outputs)},
      midi_{jack, static_cast<std::uint32_t>(request.midi_inputs), static_cast<std::uint32_t>(request.midi_outputs)} {
    if (!request_.connect_inputs) request_.connect_inputs = request_.connect;
    require_pattern("connect", request_.connect_inputs);
    require_pattern("connect", request_.connect);
    if (!request_.midi_connect_inputs) request_.midi_connect_inputs = request_.midi_connect;
    require_pattern("midi_connect", request_.midi_connect_inputs);
    require_pattern("midi_connect", request_.midi_connect);
    const Format offered = format_of(JackClient{jack_, client_name(), request_.server});
    require_requested(offered);
    samplerate_.store(offered.samplerate, std::memory_order_relaxed);  // relaxed: no other thread has this device yet
    blocksize_.store(offered.blocksize, std::memory_order_relaxed);
}

std::vector<std::string> JackDevice::midi_names(MidiWay way) {
    const MidiPorts ports = midi_ports();
    if ((way == MidiWay::in ? ports.inputs : ports.outputs) == 0) refuse_midi(way);
    const unsigned long opposite = way == MidiWay::in ? JackPortIsOutput : JackPortIsInput;
    const std::scoped_lock lock{starting_};  // the helper may close the client
    if (client_) return client_->ports(opposite, nullptr, JACK_DEFAULT_MIDI_TYPE);
    return JackClient{jack_, client_name(), request_.server}.ports(opposite, nullptr, JACK_DEFAULT_MIDI_TYPE);
}

void JackDevice::connect_midi(MidiWay way, const std::string& pattern) {
    const MidiPorts ports = midi_ports();
    if ((way == MidiWay::in ? ports.inputs : ports.outputs) == 0) refuse_midi(way);
    const std::scoped_lock lock{starting_};  // the helper may close the client
    midi_.want(direction_of(way), pattern);
    if (client_) midi_.connect_all(*client_, direction_of(way), pattern);
}

Format JackDevice::format() const noexcept {
    // Relaxed: each is a report. A callback that renders by the format gets it from prepare().
    return {.samplerate = samplerate_.load(std::memory_order_relaxed),
            .inputs = input_count_,
            .outputs = output_count_,
            .blocksize = blocksize_.load(std::memory_order_relaxed)};
}

DeviceLatency JackDevice::latency() const noexcept {
    // Relaxed: each is a report.
    return {.input = input_latency_.load(std::memory_order_relaxed),
            .output = output_latency_.load(std::memory_order_relaxed)};
}

void JackDevice::run_block(jack_nframes_t frames) noexcept CUELINE_NONBLOCKING {
    const std::uint64_t began_ns = block_clock_ns();
    watch_.count_block();
    const std::span<const float*> inputs{inputs_.data(), input_count_};
    for (std::size_t channel = 0; channel < inputs.size(); ++channel) {
        inputs[channel] = static_cast<const float*>(jack_.port_get_buffer(input_ports_[channel], frames));
    }
    const std::span<float*> outputs{outputs_.data(), output_count_};
    for (std::size_t channel = 0; channel < outputs.size(); ++channel) {
        outputs[channel] = static_cast<float*>(jack_.port_get_buffer(output_ports_[channel], frames));
    }
    const std::span<const Message> midi = midi_.read(frames);
    const bool entered = gate_.try_enter();
    // All relaxed: what the callback is prepared for changes only behind a shut gate, and only this thread changes the
    // block size while blocks run. The server's rate is a hint: a block that misses its change has the old one.
    const std::uint32_t samplerate = samplerate_.load(std::memory_order_relaxed);
    if (entered && servers_samplerate_.load(std::memory_order_relaxed) == samplerate) {
        if (frames != blocksize_.load(std::memory_order_relaxed)) {
            blocksize_.store(frames, std::memory_order_relaxed);
            callback_->blocksize_changed(frames);
        }
        if (!midi.empty()) callback_->take_midi(midi);
        midi_.count_received(midi.size());
        callback_->process({.inputs = inputs, .outputs = outputs, .frames = frames}, began_ns);
        midi_.write(callback_->midi_output());
        load_.record(block_clock_ns() - began_ns, duration_ns(frames, samplerate));
    } else {
        for (float* const channel : outputs) std::fill_n(channel, frames, 0.0F);
        if (playing_.load(std::memory_order_relaxed)) {  // relaxed: no other read depends on it
            missed_blocks_.add(1);
            midi_.count_dropped(midi.size());
        }
    }
    if (entered) gate_.leave();
}

void JackDevice::start(BlockCallback& callback) {
    const SignalsBlocked signals_blocked;
    callback_ = &callback;
    stopping_.store(false, std::memory_order_relaxed);  // relaxed, both: no other thread runs yet
    server_gone_.store(false, std::memory_order_relaxed);
    client_ = std::make_unique<JackClient>(jack_, client_name(), request_.server);
    try {
        set_callbacks();  // before the format is read, so that no change of the rate is missed
        take_format(callback);
        for (std::uint32_t channel = 0; channel < input_count_; ++channel) {
            input_ports_.at(channel) = client_->registered_port("in_" + std::to_string(channel + 1), JackPortIsInput);
        }
        for (std::uint32_t channel = 0; channel < output_count_; ++channel) {
            output_ports_.at(channel) =
                client_->registered_port("out_" + std::to_string(channel + 1), JackPortIsOutput);
        }
        midi_.register_ports(*client_);
        const std::scoped_lock lock{starting_};  // the server may change or go away meanwhile
        watch_.begin(duration_ns(format().blocksize, format().samplerate));
        helper_.start("the JACK device", [this] { watch(); });
        if (jack_.activate(client_->get()) != 0) {
            throw DeviceError{server_in_words(request_) + " refused to start the client: restart the server"};
        }
        std::size_t connections = connect_ports(JackPortIsInput);
        connections += connect_ports(JackPortIsOutput);
        connections += midi_.connect(*client_, request_);
        await_connections(connections);
        note_latency();
        playing_.store(true, std::memory_order_relaxed);  // relaxed: the gate publishes it
        gate_.open();
    } catch (...) {
        stop();
        throw;
    }
}

void JackDevice::stop() noexcept {
    if (helper_.is_the_parents()) {
        if (client_) client_->forget();  // it is in the parent, and so is a block inside the gate
        client_.reset();
        helper_.join();
        return;
    }
    playing_.store(false, std::memory_order_relaxed);  // relaxed: see run_block()
    stopping_.store(true, std::memory_order_relaxed);  // relaxed: the semaphore publishes it
    for_helper_.release();
    helper_.join();
    while (for_helper_.try_acquire()) {
    }
    gate_.shut();
    close_client();
}

/// libjack ends its notification thread wherever it is, even where it holds a lock that all clients of the process
/// share. Then the close waits for that lock for ever. If the server is gone, the thread ends by itself, so wait for
/// it.
void JackDevice::let_threads_end() const noexcept {
    const auto runs = [](const std::atomic<std::int64_t>& thread) {
        return thread_exists(thread.load(std::memory_order_relaxed));  // relaxed: they are known when the client is
    };
    for (auto waited = 0ms; waited < 1000ms && std::ranges::any_of(threads_, runs); waited += 1ms) {
        std::this_thread::sleep_for(1ms);
    }
}

void JackDevice::close_client() noexcept {
    if (client_ && server_gone_.load(std::memory_order_relaxed)) let_threads_end();  // relaxed: a hint
    client_.reset();
    // All relaxed: a report.
    for (std::atomic<std::int64_t>& thread : threads_) thread.store(0, std::memory_order_relaxed);
    threads_known_.store(0, std::memory_order_relaxed);
}

std::string JackDevice::client_name() const {
    return request_.client_name.value_or("cueline");
}

void JackDevice::set_callbacks() {
    servers_samplerate_.store(client_->samplerate(), std::memory_order_relaxed);  // relaxed: no callback runs yet
    jack_.set_process_callback(
        client_->get(),
        [](jack_nframes_t frames, void* self) noexcept CUELINE_NONBLOCKING {
            static_cast<JackDevice*>(self)->run_block(frames);
            return 0;
        },
        this);
    // JACK calls this on each thread that it makes for the client: the audio thread and the notification thread.
    jack_.set_thread_init_callback(
        client_->get(),
        [](void* self) {
            auto* const device = static_cast<JackDevice*>(self);
            // Both relaxed: a report.
            const std::size_t number = device->threads_known_.fetch_add(1, std::memory_order_relaxed);
            if (number < device->threads_.size()) {
                device->threads_.at(number).store(thread_number(), std::memory_order_relaxed);
            }
        },
        this);
    // The next ones run on JACK's threads, which must not wait. They leave the work to the helper. If the rate changes
    // before this call, JACK calls at once or at the first block.
    jack_.set_sample_rate_callback(
        client_->get(),
        [](jack_nframes_t rate, void* self) {
            auto* const device = static_cast<JackDevice*>(self);
            device->servers_samplerate_.store(rate, std::memory_order_relaxed);  // relaxed: the semaphore publishes it
            device->for_helper_.release();
            return 0;
        },
        this);
    jack_.set_xrun_callback(
        client_->get(),
        [](void* self) {
            static_cast<JackDevice*>(self)->xruns_.add(1);
            return 0;
        },
        this);
    // Not jack_on_info_shutdown, the newer call: PipeWire 0.3 has it and never calls back.
    jack_.on_shutdown(
        client_->get(),
        [](void* self) {
            JackClient::mark_server_gone();
            auto* const device = static_cast<JackDevice*>(self);
            device->server_gone_.store(true, std::memory_order_relaxed);  // relaxed: the semaphore publishes it
            device->for_helper_.release();
        },
        this);
}

/// Connects our ports of this direction. Returns how many connections it made.
std::size_t JackDevice::connect_ports(JackPortFlags direction) {
    const bool records = direction == JackPortIsInput;
    const Channels& requested = records ? request_.inputs : request_.outputs;
    const std::vector<std::uint32_t> channels = indices_of(requested);
    if (channels.empty()) return 0;
    const std::vector<std::string> ports =
        client_->others((records ? request_.connect_inputs : request_.connect).value_or(true), direction, "connect");
    const std::span<jack_port_t* const> ours{records ? input_ports_ : output_ports_};
    std::size_t connections = 0;
    for (std::size_t number = 0; number < channels.size(); ++number) {
        if (channels[number] >= ports.size()) continue;
        client_->connect(ours[number], direction, ports[channels[number]]);
        ++connections;
    }
    if (!records && requested == Channels{std::int64_t{1}} && ports.size() > 1) {  // heard on both sides
        client_->connect(ours[0], direction, ports[1]);
        ++connections;
    }
    return connections;
}

/// Waits until a block uses the connections, so that frame 0 is heard, and recorded. Gives up after half a second: the
/// server may run no block, or another client may have disconnected them.
void JackDevice::await_connections(std::size_t count) const {
    const std::span inputs = std::span{input_ports_}.first(input_count_);
    const std::span outputs = std::span{output_ports_}.first(output_count_);
    const auto used = [&] {
        std::size_t connections = 0;
        for (jack_port_t* const port : inputs) connections += client_->connections(port);
        for (jack_port_t* const port : outputs) connections += client_->connections(port);
        connections += midi_.connections(*client_);
        return connections;
    };
    for (auto waited = 0ms; waited < 500ms && used() < count; waited += 1ms) {
        if (server_gone_.load(std::memory_order_relaxed)) return;  // relaxed: a hint
        std::this_thread::sleep_for(1ms);
    }
}

/// Takes over what the server reports now. It is right soon after a connection has changed.
void JackDevice::note_latency() noexcept {
    std::uint32_t input = 0;
    std::uint32_t output = 0;
    for (jack_port_t* const port : std::span{input_ports_}.first(input_count_)) {
        input = std::max(input, client_->latency(port, JackCaptureLatency));
    }
    for (jack_port_t* const port : std::span{output_ports_}.first(output_count_)) {
        output = std::max(output, client_->latency(port, JackPlaybackLatency));
    }
    input_latency_.store(input, std::memory_order_relaxed);  // both relaxed: a report
    output_latency_.store(output, std::memory_order_relaxed);
}

Format JackDevice::format_of(const JackClient& client) const {
    return {.samplerate = client.samplerate(),
            .inputs = input_count_,
            .outputs = output_count_,
            .blocksize = client.blocksize()};
}

void JackDevice::require_requested(const Format& offered) const {
    if (request_.samplerate && *request_.samplerate != offered.samplerate) {
        throw DeviceError{server_in_words(request_) + " runs at " + std::to_string(offered.samplerate) +
                          " frames a second, and samplerate is " + std::to_string(*request_.samplerate) +
                          ": leave it out, or start the server at that rate (jackd -r)"};
    }
    if (request_.blocksize && *request_.blocksize != offered.blocksize) {
        throw DeviceError{server_in_words(request_) + " has blocks of " + std::to_string(offered.blocksize) +
                          " frames, and blocksize is " + std::to_string(*request_.blocksize) +
                          ": leave it out, or change the server's (jack_bufsize)"};
    }
}

void JackDevice::take_format(BlockCallback& callback) {
    Format offered = format_of(*client_);
    offered.samplerate = servers_samplerate_.load(std::memory_order_relaxed);  // relaxed: the helper will look again
    require_requested(offered);
    samplerate_.store(offered.samplerate, std::memory_order_relaxed);  // both relaxed: see format()
    blocksize_.store(offered.blocksize, std::memory_order_relaxed);
    callback.prepare(offered);
}

DeviceStats JackDevice::stats() const noexcept {
    // Only the audio thread can have real-time priority. The notification thread never has.
    const bool granted = std::ranges::any_of(threads_, [](const std::atomic<std::int64_t>& thread) {
        return has_realtime_priority(thread.load(std::memory_order_relaxed));  // relaxed: a report
    });
    return {.xruns = xruns_.get(),
            .missed_blocks = missed_blocks_.get(),
            .load_mean = load_.mean(),
            .load_peak = load_.peak(),
            .realtime_priority = granted,
            .memory_locked = locked_.granted(),
            .midi = midi_.stats()};
}

void JackDevice::watch() noexcept {
    for (;;) {
        if (!for_helper_.try_acquire_for(BlockWatch::interval)) {
            note_latency();
            connect_new_midi();
            if (!watch_.blocks_stopped()) continue;
            lose(server_in_words(request_) + " calls for no more blocks: restart it, and then the engine");
            return;
        }
        // Relaxed: the semaphore published them.
        if (stopping_.load(std::memory_order_relaxed)) return;
        if (server_gone_.load(std::memory_order_relaxed)) {
            lose(server_in_words(request_) + " is gone: start it again, and then the engine");
            return;
        }
        try {
            follow_samplerate();
        } catch (...) {
            lose("the processor could not prepare for the new sample rate of " + server_in_words(request_) + ": " +
                 words_of(std::current_exception()));
            return;
        }
    }
}

/// A port that cannot be connected, or is gone again, is left out.
void JackDevice::connect_new_midi() noexcept {
    if (++looks_ % midi_looks_apart != 0) return;
    const std::scoped_lock lock{starting_};  // a control thread may connect ports
    try {
        midi_.connect_new(*client_);
    } catch (const std::exception&) {
        return;
    }
}

void JackDevice::follow_samplerate() {
    const std::scoped_lock lock{starting_};  // start() opens the gate too
    // Both relaxed: the semaphore published the server's rate, and only this thread changes samplerate_ now.
    const std::uint32_t samplerate = servers_samplerate_.load(std::memory_order_relaxed);
    if (samplerate == samplerate_.load(std::memory_order_relaxed)) return;
    gate_.shut();
    samplerate_.store(samplerate, std::memory_order_relaxed);  // relaxed: the gate publishes it
    callback_->prepare(format());
    gate_.open();
}

void JackDevice::lose(const std::string& why) noexcept {
    {
        const std::scoped_lock lock{starting_};  // start() opens the gate too
        // If start() has failed or stop() has begun, nobody waits for this. Relaxed: the lock orders it after start().
        if (!playing_.load(std::memory_order_relaxed)) return;
        gate_.shut();
    }
    callback_->lost(why);
    const std::scoped_lock lock{starting_};
    close_client();  // last: it may wait for a server that hangs
}

}  // namespace cueline
