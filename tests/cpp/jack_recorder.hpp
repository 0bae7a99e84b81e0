// jack_recorder.hpp: a second client of the JACK server, which records what another client plays.
#pragma once

#include <jack/jack.h>

#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

namespace cueline::test {

/// Records an output port, from the next block on. Throws std::runtime_error if that fails.
class JackRecorder {
  public:
    /// Has room for `frames` frames, and keeps the first of them.
    explicit JackRecorder(std::size_t frames);
    ~JackRecorder();
    JackRecorder(const JackRecorder&) = delete;
    JackRecorder& operator=(const JackRecorder&) = delete;

    /// Begins to record `port`, "cueline:out_1".
    void listen_to(const std::string& port);

    /// Leaves out what it hears from here to go_on().
    void pause() { paused_ = true; }
    void go_on() { paused_ = false; }

    /// Waits for `frames` frames, ten seconds at most, and returns them.
    [[nodiscard]] std::vector<float> heard(std::size_t frames) const;

    /// The server's number of the first frame that it recorded. It is 0 while nothing was recorded, and if a block was
    /// missed since.
    [[nodiscard]] jack_nframes_t first_frame() const { return whole_ ? first_frame_.load() : 0; }

    /// The client, for other calls to the server.
    [[nodiscard]] jack_client_t* client() const { return client_; }

    /// The names of the ports that the output port `port` is connected to.
    [[nodiscard]] std::vector<std::string> inputs_of(const std::string& port) const;

  private:
    int record(jack_nframes_t frames);

    std::vector<float> samples_;
    std::atomic<bool> paused_ = false;
    std::atomic<jack_nframes_t> first_frame_ = 0;
    std::atomic<bool> whole_ = true;
    std::atomic<std::size_t> recorded_ = 0;
    jack_client_t* client_ = nullptr;
    jack_port_t* input_ = nullptr;
};

}  // namespace cueline::test
