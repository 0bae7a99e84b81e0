// notes.cpp: sends notes at known frames to a contender, and listens at which frames their sounds come.
//
// usage: cueline_notes MIDI_INPUT AUDIO_OUTPUT. Prints "ready", waits for a line, and sends notes until its input ends.
// Then it listens for another second, and prints a line for each note ("sent FRAME NOTE") and for each sample that is
// not silent ("heard FRAME VALUE").
//
// It is two clients, because JACK runs a client only when all clients that it listens to have finished. So the ear
// runs after the contender, in the same cycle or, if the contender is late, in the cycle in which its block is there.
//
// The keyboard counts the cycles, and the ear reads its count. The server's own count of frames jumps, also back, when
// the server itself is late. The ear listens to the keyboard too, so that in each cycle it runs after it.
#include <jack/midiport.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <iostream>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "click.hpp"
#include "client.hpp"

namespace {

using namespace cueline::stall;
using cueline::midi_jitter::notes;

struct Sent {
    std::uint32_t frame;
    std::uint32_t note;
};

struct Heard {
    std::uint32_t frame;
    float value;
};

/// What a client saw. The client's thread adds to it, and it is read after the client has stopped.
template <class Entry>
class Record {
  public:
    /// Real-time: no allocation, no lock.
    void add(Entry entry) noexcept {
        if (used_ < entries_.size()) entries_[used_] = entry;
        ++used_;
    }

    [[nodiscard]] std::span<const Entry> entries() const {
        if (used_ > entries_.size()) throw std::runtime_error{"there was too much to record"};
        return {entries_.data(), used_};
    }

  private:
    std::vector<Entry> entries_ = std::vector<Entry>(100'000);
    std::size_t used_ = 0;
};

void connect(jack_client_t* client, const char* from, const char* to) {
    for (int look = 0; jack_connect(client, from, to) != 0; ++look) {
        if (look == 500) throw std::runtime_error{std::string{"JACK did not connect '"} + from + "' to '" + to + "'"};
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
}

/// Sends the same notes at the same distances each time, 10 to 30 ms apart.
class Keyboard {
  public:
    explicit Keyboard(const std::string& contender)
        : client_{open_client("jitter-keyboard")},
          port_{open_port(client_.get(), "out", JackPortIsOutput, JACK_DEFAULT_MIDI_TYPE)},
          frames_{jack_get_buffer_size(client_.get())},
          gap_{jack_get_sample_rate(client_.get()) / 100},
          active_{client_.get(), *this} {
        connect(client_.get(), jack_port_name(port_), contender.c_str());
    }

    [[nodiscard]] const char* port() const noexcept { return jack_port_name(port_); }

    /// The first frame of the current cycle. Relaxed: JACK orders the two clients' calls.
    [[nodiscard]] std::uint32_t frame() const noexcept { return frame_.load(std::memory_order_relaxed); }

    /// Relaxed: it publishes nothing else.
    void play(bool whether) noexcept { playing_.store(whether, std::memory_order_relaxed); }

    void process() noexcept {
        const std::uint32_t first = frame() + frames_;
        frame_.store(first, std::memory_order_relaxed);
        void* const buffer = jack_port_get_buffer(port_, frames_);
        jack_midi_clear_buffer(buffer);
        if (!playing_.load(std::memory_order_relaxed)) return;
        for (; wait_ < frames_; wait_ += gap_ + static_cast<jack_nframes_t>(random_()) % (2 * gap_)) {
            const std::array<jack_midi_data_t, 3> note_on{0x90, static_cast<jack_midi_data_t>(note_), 100};
            if (jack_midi_event_write(buffer, wait_, note_on.data(), note_on.size()) == 0)
                sent_.add({.frame = first + wait_, .note = note_});
            note_ = (note_ + 1) % notes;
        }
        wait_ -= frames_;
    }

    const Record<Sent>& stop() noexcept {
        active_.stop();
        return sent_;
    }

  private:
    Client client_;
    jack_port_t* port_;
    jack_nframes_t frames_;
    jack_nframes_t gap_;       // from one note to the next at least, in frames; up to three times as long
    jack_nframes_t wait_ = 0;  // until the next note
    std::uint32_t note_ = 0;
    std::minstd_rand random_{1};  // NOLINT(bugprone-random-generator-seed): the same notes for each contender
    Record<Sent> sent_;
    std::atomic<std::uint32_t> frame_{0};
    std::atomic<bool> playing_{false};
    Active active_;
};

class Ear {
  public:
    Ear(const std::string& contender, const Keyboard& keyboard)
        : client_{open_client("jitter-ear")},
          port_{open_port(client_.get(), "in", JackPortIsInput)},
          frames_{jack_get_buffer_size(client_.get())},
          keyboard_{keyboard},
          active_{client_.get(), *this} {
        const jack_port_t* const order = open_port(client_.get(), "order", JackPortIsInput, JACK_DEFAULT_MIDI_TYPE);
        connect(client_.get(), keyboard.port(), jack_port_name(order));
        connect(client_.get(), contender.c_str(), jack_port_name(port_));
    }

    /// False if the contender has ended, or JACK removed it.
    [[nodiscard]] bool connected() const noexcept { return jack_port_connected(port_) > 0; }

    void process() noexcept {
        const std::uint32_t first = keyboard_.frame();
        const std::span samples{static_cast<const float*>(jack_port_get_buffer(port_, frames_)), frames_};
        for (jack_nframes_t i = 0; i < frames_; ++i)
            if (samples[i] != 0) heard_.add({.frame = first + i, .value = samples[i]});
    }

    const Record<Heard>& stop() noexcept {
        active_.stop();
        return heard_;
    }

  private:
    Client client_;
    jack_port_t* port_;
    jack_nframes_t frames_;
    const Keyboard& keyboard_;
    Record<Heard> heard_;
    Active active_;
};

void listen(const std::string& midi_input, const std::string& audio_output) {
    Keyboard keyboard{midi_input};
    Ear ear{audio_output, keyboard};
    std::cout << "ready\n" << std::flush;
    std::string line;
    std::getline(std::cin, line);

    keyboard.play(true);
    while (std::getline(std::cin, line)) {
    }
    keyboard.play(false);
    std::this_thread::sleep_for(std::chrono::seconds{1});  // for late sounds
    if (!ear.connected()) throw std::runtime_error{"'" + audio_output + "' was gone before the end"};

    for (const Sent& note : keyboard.stop().entries()) std::cout << "sent " << note.frame << ' ' << note.note << '\n';
    for (const Heard& sound : ear.stop().entries()) std::cout << "heard " << sound.frame << ' ' << sound.value << '\n';
}

}  // namespace

int main(int count, char** arguments) {
    try {
        if (count != 3) throw std::runtime_error{"usage: cueline_notes MIDI_INPUT AUDIO_OUTPUT"};
        listen(arguments[1], arguments[2]);
    } catch (const std::exception& error) {
        std::cerr << "cueline_notes: " << error.what() << '\n';
        return 1;
    }
}
