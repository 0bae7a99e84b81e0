// observer.cpp: listens to a port for some seconds, and reports what it received in each of the server's cycles.
//
// usage: cueline_observer PORT SECONDS. Prints "ready", waits for a line, listens, and prints a line for each cycle
// that its clock saw ("clock FRAME NANOSECONDS") and for each block that its ear heard ("heard FRAME NANOSECONDS
// WHAT").
//
// It is two clients, because JACK runs a client only when all clients that it listens to have finished. The ear runs
// when the contender's block is there, however late. The clock runs in every cycle, whatever the contender does. Both
// read the number of the server's current cycle. So if the clock has a cycle without a block of the ear, the contender
// missed that deadline.
#include <chrono>
#include <cstdint>
#include <exception>
#include <iostream>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "client.hpp"
#include "tone.hpp"

namespace {

using namespace cueline::stall;

struct Cycle {
    jack_nframes_t frame;  // the first frame of the cycle
    std::uint64_t ns;
    Block block;
};

/// What one client saw since its activation. The client's thread writes it, and it is read after the client has
/// stopped.
class Record {
  public:
    /// Room for one cycle per frame, far more than there are, because the wait for the start is recorded too.
    Record(jack_client_t* client, double seconds)
        : client_{client}, cycles_(static_cast<std::size_t>((seconds + 1) * jack_get_sample_rate(client))) {}

    /// Real-time: no allocation, no lock.
    void add(Block block) noexcept {
        if (used_ == cycles_.size()) return;
        cycles_[used_++] = {.frame = jack_last_frame_time(client_), .ns = now_ns(), .block = block};
    }

    [[nodiscard]] std::span<const Cycle> cycles() const noexcept { return {cycles_.data(), used_}; }

    static std::uint64_t now_ns() noexcept {
        const auto now = std::chrono::steady_clock::now().time_since_epoch();
        return static_cast<std::uint64_t>(std::chrono::nanoseconds{now}.count());
    }

  private:
    jack_client_t* client_;
    std::vector<Cycle> cycles_;
    std::size_t used_ = 0;
};

/// Runs in every cycle.
class Clock {
  public:
    explicit Clock(double seconds)
        : client_{open_client("stall-clock")}, record_{client_.get(), seconds}, active_{client_.get(), *this} {}

    void process() noexcept { record_.add(Block::continued); }

    const Record& stop() noexcept {
        active_.stop();
        return record_;
    }

  private:
    Client client_;
    Record record_;
    Active active_;
};

/// Runs when the block of its port is there.
class Ear {
  public:
    explicit Ear(double seconds)
        : client_{open_client("stall-ear")},
          port_{open_port(client_.get(), "in", JackPortIsInput)},
          frames_{jack_get_buffer_size(client_.get())},
          record_{client_.get(), seconds},
          follower_{static_cast<double>(jack_get_sample_rate(client_.get())), frames_},
          active_{client_.get(), *this} {}

    void connect(const std::string& port) {
        for (int look = 0; jack_port_by_name(client_.get(), port.c_str()) == nullptr; ++look) {
            if (look == 500) throw std::runtime_error{"there is no port '" + port + "'"};
            std::this_thread::sleep_for(std::chrono::milliseconds{10});
        }
        if (jack_connect(client_.get(), port.c_str(), jack_port_name(port_)) != 0)
            throw std::runtime_error{"JACK did not connect '" + port + "'"};
    }

    /// False if the contender has ended, or JACK removed it.
    [[nodiscard]] bool connected() const noexcept { return jack_port_connected(port_) > 0; }

    void process() noexcept {
        const auto* const samples = static_cast<const float*>(jack_port_get_buffer(port_, frames_));
        record_.add(follower_.judge({samples, frames_}));
    }

    const Record& stop() noexcept {
        active_.stop();
        return record_;
    }

  private:
    Client client_;
    jack_port_t* port_;
    jack_nframes_t frames_;
    Record record_;
    Follower follower_;
    Active active_;
};

void observe(const std::string& port, double seconds) {
    Clock clock{seconds};
    Ear ear{seconds};
    ear.connect(port);
    std::cout << "ready\n" << std::flush;
    std::string line;
    std::getline(std::cin, line);

    const std::uint64_t from_ns = Record::now_ns();
    std::this_thread::sleep_for(std::chrono::duration<double>{seconds});
    const std::uint64_t until_ns = Record::now_ns();
    // The ear needs time for the last cycle.
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
    if (!ear.connected()) throw std::runtime_error{"'" + port + "' was gone before the end"};

    for (const Cycle& cycle : clock.stop().cycles())
        if (cycle.ns >= from_ns && cycle.ns < until_ns) std::cout << "clock " << cycle.frame << ' ' << cycle.ns << '\n';
    for (const Cycle& cycle : ear.stop().cycles())
        std::cout << "heard " << cycle.frame << ' ' << cycle.ns << ' ' << name_of(cycle.block) << '\n';
}

}  // namespace

int main(int count, char** arguments) {
    try {
        if (count != 3) throw std::runtime_error{"usage: cueline_observer PORT SECONDS"};
        observe(arguments[1], std::stod(arguments[2]));
    } catch (const std::exception& error) {
        std::cerr << "cueline_observer: " << error.what() << '\n';
        return 1;
    }
}
