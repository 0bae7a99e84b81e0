// echo.cpp: a contender in C++ that plays each note with a known delay, and leaves out some.
//
// usage: cueline_echo DELAY SPREAD LEFT_OUT. Prints "ready" and its ports, and plays until its input ends. The sounds
// of even notes come DELAY frames after their notes, those of odd notes DELAY + SPREAD. It leaves out each
// note whose number is a multiple of LEFT_OUT; 0 leaves out none. What is measured must be exactly that.
#include <jack/midiport.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iostream>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include "click.hpp"
#include "client.hpp"

namespace {

using namespace cueline::stall;
using cueline::midi_jitter::click_of;

class Echo {
  public:
    Echo(std::uint32_t delay, std::uint32_t spread, std::uint32_t left_out)
        : client_{open_client("echo")},
          input_{open_port(client_.get(), "in", JackPortIsInput, JACK_DEFAULT_MIDI_TYPE)},
          output_{open_port(client_.get(), "out", JackPortIsOutput)},
          frames_{jack_get_buffer_size(client_.get())},
          delay_{delay},
          spread_{spread},
          left_out_{left_out},
          active_{client_.get(), *this} {}

    [[nodiscard]] std::string ports() const {
        return std::string{jack_port_name(input_)} + ' ' + jack_port_name(output_);
    }

    void process() noexcept {
        void* const notes = jack_port_get_buffer(input_, frames_);
        jack_midi_event_t event{};
        for (std::uint32_t i = 0; jack_midi_event_get(&event, notes, i) == 0; ++i) {
            const std::uint32_t note = event.buffer[1];
            if (left_out_ != 0 && note % left_out_ == 0) continue;
            ahead_.at(place_of(event.time + delay_ + (note % 2) * spread_ + note)) = click_of(note);
        }
        const std::span block{static_cast<float*>(jack_port_get_buffer(output_, frames_)), frames_};
        for (std::uint32_t i = 0; i < frames_; ++i) block[i] = std::exchange(ahead_.at(place_of(i)), 0.0F);
        frame_ += frames_;
    }

  private:
    [[nodiscard]] std::size_t place_of(std::uint32_t frames_ahead) const noexcept {
        return (frame_ + frames_ahead) % ahead_.size();
    }

    Client client_;
    jack_port_t* input_;
    jack_port_t* output_;
    jack_nframes_t frames_;
    std::uint32_t delay_;
    std::uint32_t spread_;
    std::uint32_t left_out_;
    std::array<float, 1'024> ahead_{};  // the samples from now on: more than a block, both delays and a click
    std::uint32_t frame_ = 0;
    Active active_;
};

void play(std::uint32_t delay, std::uint32_t spread, std::uint32_t left_out) {
    if (delay > 400 || spread > 400) throw std::runtime_error{"DELAY and SPREAD are at most 400 frames"};
    const Echo echo{delay, spread, left_out};
    std::cout << "ready " << echo.ports() << '\n' << std::flush;
    std::string line;
    while (std::getline(std::cin, line)) {
    }
}

std::uint32_t number_of(const char* text) {
    return static_cast<std::uint32_t>(std::stoul(text));
}

}  // namespace

int main(int count, char** arguments) {
    try {
        const std::span<char*> given{arguments, static_cast<std::size_t>(count)};
        if (count != 4) throw std::runtime_error{"usage: cueline_echo DELAY SPREAD LEFT_OUT"};
        play(number_of(given[1]), number_of(given[2]), number_of(given[3]));
    } catch (const std::exception& error) {
        std::cerr << "cueline_echo: " << error.what() << '\n';
        return 1;
    }
}
