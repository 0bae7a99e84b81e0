// player.cpp: a contender that plays the tone in C++, and makes a given fault a given number of times.
//
// usage: cueline_player NAME [FAULT TIMES BLOCKS]. Prints "ready" and its port, plays, waits for a line, makes its
// faults, and plays until its input ends. Without a fault it shows what the machine can do. With a fault, the observer
// must find exactly that: so many cycles missed in a row, so many times (none for a jump).
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <iostream>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "client.hpp"
#include "tone.hpp"

namespace {

using namespace cueline::stall;

struct Fault {
    std::string name = "none";  // or late, silent, repeated, jumped
    std::uint64_t times = 0;
    std::uint64_t blocks = 0;
};

class Player {
  public:
    Player(const std::string& name, Fault fault)
        : client_{open_client(name)},
          port_{open_port(client_.get(), "out", JackPortIsOutput)},
          frames_{jack_get_buffer_size(client_.get())},
          block_s_{frames_ / static_cast<double>(jack_get_sample_rate(client_.get()))},
          fault_{std::move(fault)},
          tone_{static_cast<double>(jack_get_sample_rate(client_.get()))},
          last_(frames_),
          active_{client_.get(), *this} {}

    [[nodiscard]] const char* port() const noexcept { return jack_port_name(port_); }

    void begin() noexcept { begun_.store(true, std::memory_order_relaxed); }  // relaxed: it publishes nothing else

    void process() noexcept {
        const std::span<float> block{static_cast<float*>(jack_port_get_buffer(port_, frames_)), frames_};
        const bool faulty = is_faulty();
        if (faulty && fault_.name == "silent") {
            std::ranges::fill(block, 0.0F);
        } else if (faulty && fault_.name == "repeated") {
            std::ranges::copy(last_, block.begin());
        } else {
            if (faulty && fault_.name == "late") sleep_past_the_deadlines();
            if (faulty && fault_.name == "jumped") tone_.skip(frames_);
            tone_.render(block);
            std::ranges::copy(block, last_.begin());
        }
    }

  private:
    // From the line to the first fault, and from fault to fault. Longer than any fault.
    static constexpr std::uint64_t apart_blocks = 100;

    bool is_faulty() noexcept {
        if (!begun_.load(std::memory_order_relaxed)) return false;
        const std::uint64_t number = ++block_ / apart_blocks;
        const bool at_once = fault_.name == "late" || fault_.name == "jumped";
        return number >= 1 && number <= fault_.times && block_ % apart_blocks < (at_once ? 1 : fault_.blocks);
    }

    /// Half a block longer than the deadlines to miss: in the middle between two counts, so that a late wakeup does not
    /// miss one more.
    void sleep_past_the_deadlines() const noexcept {
        std::this_thread::sleep_for(
            std::chrono::duration<double>{(static_cast<double>(fault_.blocks) + 0.5) * block_s_});
    }

    Client client_;
    jack_port_t* port_;
    jack_nframes_t frames_;
    double block_s_;
    Fault fault_;
    Tone tone_;
    std::vector<float> last_;
    std::uint64_t block_ = 0;
    std::atomic<bool> begun_{false};
    Active active_;
};

void play(const std::string& name, const Fault& fault) {
    Player player{name, fault};
    std::cout << "ready " << player.port() << '\n' << std::flush;
    std::string line;
    std::getline(std::cin, line);
    player.begin();
    while (std::getline(std::cin, line)) {
    }
}

}  // namespace

int main(int count, char** arguments) {
    try {
        const std::span<char*> given{arguments, static_cast<std::size_t>(count)};
        if (count != 2 && count != 5) throw std::runtime_error{"usage: cueline_player NAME [FAULT TIMES BLOCKS]"};
        Fault fault;
        if (count == 5) fault = {.name = given[2], .times = std::stoull(given[3]), .blocks = std::stoull(given[4])};
        play(given[1], fault);
    } catch (const std::exception& error) {
        std::cerr << "cueline_player: " << error.what() << '\n';
        return 1;
    }
}
