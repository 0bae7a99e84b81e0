// jack_device.cpp: opens a client, runs its blocks, follows the server's changes, closes it.
#include "devices/jack/jack_device.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include <cueline/error.hpp>
#include <cueline/monotonic.hpp>

#include "system/clock.hpp"
#include "system/regular_expression.hpp"
#include "system/signals_blocked.hpp"
#include "system/thread_priority.hpp"

namespace cueline {

namespace {

std::string server_in_words(const DeviceRequest& request) {
    return request.server ? "the JACK server '" + *request.server + "'" : "the JACK server";
}

}  // namespace

JackDevice::JackDevice(const JackLibrary& jack, const DeviceRequest& request) : jack_{jack}, request_{request} {
    const auto longest = static_cast<std::size_t>(jack.client_name_size()) - 1;
    if (request.client_name && request.client_name->size() > longest) {
        throw ArgumentError{"client_name must be at most " + std::to_string(longest) + " bytes, got " +
                            std::to_string(request.client_name->size())};
    }
    if (request.connect) {
        const auto* const pattern = std::get_if<std::string>(&*request.connect);
        if (pattern != nullptr && !is_regular_expression(*pattern)) {  // JACK does not check
            throw ArgumentError{"connect must be True, False or a regular expression, got '" + *pattern + "'"};
        }
    }
    const Format offered = format_of(JackClient{jack_, client_name(), request_.server});
    require_requested(offered);
    samplerate_.store(offered.samplerate, std::memory_order_relaxed);  // relaxed: no other thread has this device yet
    blocksize_.store(offered.blocksize, std::memory_order_relaxed);
}

Format JackDevice::format() const noexcept {
    // Relaxed: each is a report. A callback that renders by the format gets it from prepare().
    return {.samplerate = samplerate_.load(std::memory_order_relaxed),
            .channels = request_.channels,
            .blocksize = blocksize_.load(std::memory_order_relaxed)};
}

void JackDevice::run_block(jack_nframes_t frames) noexcept CUELINE_NONBLOCKING {
    const std::uint64_t began_ns = block_clock_ns();
    watch_.count_block();
    const std::span<float*> channels{channels_.data(), request_.channels};
    for (std::size_t channel = 0; channel < channels.size(); ++channel) {
        channels[channel] = static_cast<float*>(jack_.port_get_buffer(ports_[channel], frames));
    }
    const bool entered = gate_.try_enter();
    // Relaxed: the block size changes only behind a shut gate.
    if (entered && frames == blocksize_.load(std::memory_order_relaxed)) {
        callback_->process({.channels = channels, .frames = frames}, began_ns);
        load_.record(block_clock_ns() - began_ns, period_ns_);
    } else {
        for (float* const channel : channels) std::fill_n(channel, frames, 0.0F);
        // Relaxed: no other read depends on it. While the device stops, no block counts as missed.
        if (!stopping_.load(std::memory_order_relaxed)) missed_blocks_.add(1);
    }
    if (entered) gate_.leave();
}

void JackDevice::start(BlockCallback& callback) {
    callback_ = &callback;
    stopping_.store(false, std::memory_order_relaxed);  // relaxed, both: no other thread runs yet
    server_gone_.store(false, std::memory_order_relaxed);
    client_ = std::make_unique<JackClient>(jack_, client_name(), request_.server);
    try {
        take_format(callback);
        set_callbacks();
        for (std::uint32_t channel = 0; channel < request_.channels; ++channel) {
            ports_.at(channel) = client_->registered_port("out_" + std::to_string(channel + 1));
        }
        const std::scoped_lock lock{closing_};  // the server may go away meanwhile
        watch_.begin(period_ns_);
        helper_.start("the JACK device", [this] { watch(); });
        gate_.open();
        const SignalsBlocked signals_blocked;  // the audio thread starts here
        if (jack_.activate(client_->get()) != 0) {
            throw DeviceError{server_in_words(request_) + " refused to start the client: restart the server"};
        }
        connect_ports();
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
    stopping_.store(true, std::memory_order_relaxed);  // relaxed: the semaphore publishes it
    for_helper_.release();
    helper_.join();
    while (for_helper_.try_acquire()) {
    }
    gate_.shut();
    close_client();
}

void JackDevice::close_client() noexcept {
    client_.reset();
    // All relaxed: a report.
    for (std::atomic<std::int64_t>& thread : threads_) thread.store(0, std::memory_order_relaxed);
    threads_known_.store(0, std::memory_order_relaxed);
}

std::string JackDevice::client_name() const {
    return request_.client_name.value_or("cueline");
}

void JackDevice::set_callbacks() {
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
    // The next ones run on JACK's threads, which must not wait. They leave the work to the helper.
    jack_.set_buffer_size_callback(
        client_->get(),
        [](jack_nframes_t frames, void* self) {
            auto* const device = static_cast<JackDevice*>(self);
            device->servers_blocksize_.store(frames, std::memory_order_relaxed);  // relaxed: the semaphore publishes it
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

void JackDevice::connect_ports() {
    const std::variant<std::string, bool> wanted = request_.connect.value_or(true);
    const auto* const pattern = std::get_if<std::string>(&wanted);
    if (pattern == nullptr && !std::get<bool>(wanted)) return;
    const std::vector<std::string> inputs = pattern == nullptr ? client_->ports(JackPortIsInput | JackPortIsPhysical)
                                                               : client_->ports(JackPortIsInput, pattern->c_str());
    if (pattern != nullptr && inputs.empty()) {
        std::string there;
        for (const std::string& input : client_->ports(JackPortIsInput)) there += (there.empty() ? "" : ", ") + input;
        throw DeviceError{"connect='" + *pattern + "' matches no input port of " + server_in_words(request_) +
                          "; it has " + (there.empty() ? "none" : there)};
    }
    const std::size_t both = std::min<std::size_t>(inputs.size(), request_.channels);
    for (std::size_t channel = 0; channel < both; ++channel) client_->connect(ports_.at(channel), inputs[channel]);
}

Format JackDevice::format_of(const JackClient& client) const {
    return {.samplerate = client.samplerate(), .channels = request_.channels, .blocksize = client.blocksize()};
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
    const Format offered = format_of(*client_);
    require_requested(offered);
    const Format before = format();
    period_ns_ = duration_ns(offered.blocksize, offered.samplerate);
    if (offered.samplerate == before.samplerate && offered.blocksize == before.blocksize) return;
    samplerate_.store(offered.samplerate, std::memory_order_relaxed);  // both relaxed: see format()
    blocksize_.store(offered.blocksize, std::memory_order_relaxed);
    callback.prepare(format());
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
            .memory_locked = locked_.granted()};
}

void JackDevice::watch() noexcept {
    for (;;) {
        if (!for_helper_.try_acquire_for(BlockWatch::interval)) {
            if (!watch_.blocks_stopped()) continue;
            gate_.shut();
            lose(server_in_words(request_) + " calls for no more blocks: restart it, and then the engine");
            return;
        }
        // Relaxed: the semaphore published them.
        if (stopping_.load(std::memory_order_relaxed)) return;
        if (server_gone_.load(std::memory_order_relaxed)) {
            gate_.shut();
            lose(server_in_words(request_) + " is gone: start it again, and then the engine");
            return;
        }
        try {
            follow_block_size();
        } catch (const std::exception& error) {
            lose("the processor could not prepare for the new block size of " + server_in_words(request_) + ": " +
                 error.what());
            return;
        }
    }
}

void JackDevice::follow_block_size() {
    const std::uint32_t wanted = servers_blocksize_.load(std::memory_order_relaxed);  // relaxed: see watch()
    if (wanted == blocksize_.load(std::memory_order_relaxed)) return;  // relaxed: only this thread writes it now
    gate_.shut();
    blocksize_.store(wanted, std::memory_order_relaxed);  // relaxed: the gate publishes it
    period_ns_ = duration_ns(wanted, samplerate_.load(std::memory_order_relaxed));
    callback_->prepare(format());
    gate_.open();
}

void JackDevice::lose(const std::string& why) noexcept {
    callback_->lost(why);
    const std::scoped_lock lock{closing_};
    close_client();  // last: it may wait for a server that hangs
}

}  // namespace cueline
