// source.cpp: a client that plays the number of each frame, so that a recording shows which frames it lost.
//
// usage: cueline_source [TIMES BLOCKS]. Prints "ready" and its port, plays, waits for a line, and plays until its input
// ends. After the line, it leaves out BLOCKS blocks of numbers, TIMES times: a recording must show exactly that.
#include <atomic>
#include <cstdint>
#include <exception>
#include <iostream>
#include <span>
#include <stdexcept>
#include <string>

#include "client.hpp"

namespace {

using namespace cueline::stall;

class Source {
  public:
    Source(std::uint64_t times, std::uint64_t blocks)
        : client_{open_client("source")},
          port_{open_port(client_.get(), "out", JackPortIsOutput)},
          frames_{jack_get_buffer_size(client_.get())},
          times_{times},
          blocks_{blocks},
          active_{client_.get(), *this} {}

    [[nodiscard]] const char* port() const noexcept { return jack_port_name(port_); }

    void begin() noexcept { begun_.store(true, std::memory_order_relaxed); }  // relaxed: it publishes nothing else

    void process() noexcept {
        if (begun_.load(std::memory_order_relaxed) && times_ > 0 && ++block_ % apart_blocks == 0) {
            --times_;
            number_ += blocks_ * frames_;
        }
        for (float& sample : std::span{static_cast<float*>(jack_port_get_buffer(port_, frames_)), frames_})
            sample = static_cast<float>(++number_ % numbers) / static_cast<float>(numbers);
    }

  private:
    static constexpr std::uint64_t numbers = std::uint64_t{1} << 24;  // as many as a float has: six minutes
    static constexpr std::uint64_t apart_blocks = 100;

    Client client_;
    jack_port_t* port_;
    jack_nframes_t frames_;
    std::uint64_t times_;
    std::uint64_t blocks_;
    std::uint64_t block_ = 0;
    std::uint64_t number_ = 0;
    std::atomic<bool> begun_{false};
    Active active_;
};

void play(std::uint64_t times, std::uint64_t blocks) {
    Source source{times, blocks};
    std::cout << "ready " << source.port() << '\n' << std::flush;
    std::string line;
    std::getline(std::cin, line);
    source.begin();
    while (std::getline(std::cin, line)) {
    }
}

}  // namespace

int main(int count, char** arguments) {
    try {
        const std::span<char*> given{arguments, static_cast<std::size_t>(count)};
        if (count != 1 && count != 3) throw std::runtime_error{"usage: cueline_source [TIMES BLOCKS]"};
        play(count == 3 ? std::stoull(given[1]) : 0, count == 3 ? std::stoull(given[2]) : 0);
    } catch (const std::exception& error) {
        std::cerr << "cueline_source: " << error.what() << '\n';
        return 1;
    }
}
