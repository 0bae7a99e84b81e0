// jack_recorder.cpp: copies an input port's blocks.
#include <algorithm>
#include <cerrno>
#include <stdexcept>

#include "jack_recorder.hpp"
#include "patience.hpp"

namespace cueline::test {

namespace {

[[noreturn]] void fail(const std::string& why) {
    throw std::runtime_error{"the recorder " + why};
}

}  // namespace

JackRecorder::JackRecorder(std::size_t frames) : samples_(frames) {
    client_ = jack_client_open("recorder", JackNoStartServer, nullptr);
    if (client_ == nullptr) fail("found no JACK server");
    jack_set_process_callback(
        client_, [](jack_nframes_t count, void* self) { return static_cast<JackRecorder*>(self)->record(count); },
        this);
    input_ = jack_port_register(client_, "in", JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0);
    if (input_ == nullptr || jack_activate(client_) != 0) fail("is not called");
}

JackRecorder::~JackRecorder() {
    jack_client_close(client_);
}

void JackRecorder::listen_to(const std::string& port) {
    const int status = jack_connect(client_, port.c_str(), jack_port_name(input_));
    if (status != 0 && status != EEXIST) fail("cannot listen to " + port);
}

// Another client wrote the samples, and the server orders the two in a way that the thread sanitizer does not see. So
// this copies sample by sample: the sanitizer checks memcpy even here.
__attribute__((no_sanitize("thread"))) int JackRecorder::record(jack_nframes_t frames) {
    if (paused_ || jack_port_connected(input_) == 0) return 0;
    const auto* const heard = static_cast<const float*>(jack_port_get_buffer(input_, frames));
    const std::size_t before = recorded_.load(std::memory_order_relaxed);  // relaxed: only this thread writes it
    const std::size_t more = std::min<std::size_t>(frames, samples_.size() - before);
    if (more == 0) return 0;
    const jack_nframes_t now = jack_last_frame_time(client_);
    if (before == 0) first_frame_ = now;
    if (now != first_frame_ + static_cast<jack_nframes_t>(before)) whole_ = false;
    for (std::size_t frame = 0; frame < more; ++frame) samples_[before + frame] = heard[frame];
    recorded_.store(before + more, std::memory_order_release);  // pairs with the acquire in heard()
    return 0;
}

std::vector<float> JackRecorder::heard(std::size_t frames) const {
    // Acquire pairs with the release in record(), which never writes the samples below again.
    if (!eventually([&] { return recorded_.load(std::memory_order_acquire) >= frames; })) fail("heard too little");
    return {samples_.begin(), samples_.begin() + static_cast<std::ptrdiff_t>(frames)};
}

std::vector<std::string> JackRecorder::inputs_of(const std::string& port) const {
    std::vector<std::string> names;
    const char** const found = jack_port_get_all_connections(client_, jack_port_by_name(client_, port.c_str()));
    for (const char* const* name = found; name != nullptr && *name != nullptr; ++name) names.emplace_back(*name);
    jack_free(static_cast<void*>(found));
    return names;
}

}  // namespace cueline::test
