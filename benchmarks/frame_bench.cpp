// frame_bench.cpp: blocks of audio through our ring of frames, beside memcpy and other rings.
//
// usage: frame_bench [--seconds S]. It prints a table: what a block costs on one thread (written and read), and between
// two threads. All contenders take turns in short slices, in a random order, and a ratio is the median over the rounds
// of the ratio to memcpy in the same round.
#include <jack/ringbuffer.h>

#include <algorithm>
#include <array>
#include <bit>
#include <boost/lockfree/spsc_queue.hpp>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <functional>
#include <iostream>
#include <memory>
#include <new>
#include <numeric>
#include <random>
#include <span>
#include <stdexcept>
#include <string_view>
#include <vector>

#include <cueline/playback.hpp>
#include <cueline/span_ring.hpp>
#include <cueline/stream.hpp>

#include "two_threads.hpp"

namespace cueline::bench {
namespace {

constexpr std::size_t ring_frames = 8192;

/// Interleaved samples through one ring, on one thread or two.
class Blocks {
  public:
    Blocks() = default;
    Blocks(const Blocks&) = delete;
    Blocks& operator=(const Blocks&) = delete;
    virtual ~Blocks() = default;
    /// Writes and reads `count` blocks in turn, on one thread.
    virtual void pass(std::span<const float> from, std::span<float> to, std::size_t count) = 0;
    /// Writes `count` blocks, and waits for room.
    virtual void write(std::span<const float> from, std::size_t count) = 0;
    /// Reads `count` blocks, and waits for them.
    virtual void read(std::span<float> to, std::size_t count) = 0;
};

/// The loops over a ring's write() and read(), which return how many samples they copied, so that both are inlined.
template <class Ring>
class BlocksOf : public Blocks {
  public:
    explicit BlocksOf(std::size_t channels) : ring_{channels} {}

    void pass(std::span<const float> from, std::span<float> to, std::size_t count) override {
        for (std::size_t block = 0; block < count; ++block) {
            if (ring_.write(from) != from.size() || ring_.read(to) != to.size()) {
                throw std::runtime_error{"an empty ring has no room for a block"};
            }
        }
    }
    void write(std::span<const float> from, std::size_t count) override {
        for (std::size_t block = 0; block < count; ++block) {
            for (std::span<const float> left = from; !left.empty();) {
                const std::size_t written = ring_.write(left);
                if (written == 0) relax();
                left = left.subspan(written);
            }
        }
    }
    void read(std::span<float> to, std::size_t count) override {
        for (std::size_t block = 0; block < count; ++block) {
            for (std::span<float> left = to; !left.empty();) {
                const std::size_t read = ring_.read(left);
                if (read == 0) relax();
                left = left.subspan(read);
            }
        }
    }

  private:
    Ring ring_;
};

/// The limit on one thread: the same copies to and from as much memory, without a queue.
class Memcpy {
  public:
    explicit Memcpy(std::size_t channels) : memory_(ring_frames * channels) {}

    std::size_t write(std::span<const float> from) {
        std::memcpy(&memory_[at_], from.data(), from.size_bytes());
        return from.size();
    }
    std::size_t read(std::span<float> to) {
        std::memcpy(to.data(), &memory_[at_], to.size_bytes());
        at_ = (at_ + to.size()) & (memory_.size() - 1);  // blocks and channels are powers of two
        return to.size();
    }

  private:
    std::vector<float> memory_;
    std::size_t at_ = 0;
};

class Cueline {
  public:
    explicit Cueline(std::size_t channels)
        : channels_{channels},
          samples_(ring_frames * channels),
          producer_{shared_, std::span{samples_}, channels},
          consumer_{shared_.frames, ring_frames} {}

    std::size_t write(std::span<const float> from) { return producer_.write(from) * channels_; }
    std::size_t read(std::span<float> to) {
        const RingPlaces places = consumer_.waiting(whole_frames(to.size(), channels_));
        copy_from(std::span<const float>{samples_}, places.of_each(channels_), to.data());
        consumer_.pop(places.size());
        return places.size() * channels_;
    }

  private:
    std::size_t channels_;
    std::vector<float> samples_;
    SharedPlayback<> shared_;
    PlaybackProducer<> producer_;
    SpanConsumer<> consumer_;
};

class Boost {
  public:
    explicit Boost(std::size_t channels) : queue_{ring_frames * channels} {}
    std::size_t write(std::span<const float> from) { return queue_.push(from.data(), from.size()); }
    std::size_t read(std::span<float> to) { return queue_.pop(to.data(), to.size()); }

  private:
    boost::lockfree::spsc_queue<float> queue_;
};

/// It counts bytes, so its users look for room first, in order not to split a frame.
class Jack {
  public:
    explicit Jack(std::size_t channels)
        : frame_bytes_{channels * sizeof(float)}, bytes_{jack_ringbuffer_create(ring_frames * frame_bytes_)} {
        if (bytes_ == nullptr) throw std::bad_alloc{};
    }
    Jack(const Jack&) = delete;
    Jack& operator=(const Jack&) = delete;
    ~Jack() { jack_ringbuffer_free(bytes_); }

    std::size_t write(std::span<const float> from) {
        const std::size_t room = jack_ringbuffer_write_space(bytes_) / frame_bytes_ * frame_bytes_;
        const std::size_t some = std::min(room, from.size_bytes());
        return jack_ringbuffer_write(bytes_, reinterpret_cast<const char*>(from.data()), some) / sizeof(float);
    }
    std::size_t read(std::span<float> to) {
        const std::size_t waiting = jack_ringbuffer_read_space(bytes_) / frame_bytes_ * frame_bytes_;
        const std::size_t some = std::min(waiting, to.size_bytes());
        return jack_ringbuffer_read(bytes_, reinterpret_cast<char*>(to.data()), some) / sizeof(float);
    }

  private:
    std::size_t frame_bytes_;
    jack_ringbuffer_t* bytes_;
};

struct Contender {
    const char* name;
    std::unique_ptr<Blocks> (*make)(std::size_t channels);
};
template <class Ring>
std::unique_ptr<Blocks> make(std::size_t channels) {
    return std::make_unique<BlocksOf<Ring>>(channels);
}
// The first is what the others are divided by.
constexpr std::array one_thread{Contender{"memcpy", make<Memcpy>}, Contender{"cueline", make<Cueline>},
                                Contender{"jack", make<Jack>}, Contender{"boost", make<Boost>}};
constexpr std::array two_threads{Contender{"cueline", make<Cueline>}, Contender{"jack", make<Jack>},
                                 Contender{"boost", make<Boost>}};

double median(std::vector<double> figures) {
    const auto middle = figures.begin() + static_cast<std::ptrdiff_t>(figures.size() / 2);
    std::ranges::nth_element(figures, middle);
    return *middle;
}

/// Measures all contenders on blocks of `frames` frames, and prints their costs and ratios.
template <std::size_t Count>
void measure(const std::array<Contender, Count>& contenders, TwoThreads* threads, std::size_t frames,
             std::size_t channels, double seconds) {
    constexpr double slice_ns = 100'000;
    std::vector<float> from(frames * channels);
    std::iota(from.begin(), from.end(), 1.0F);
    std::vector<float> to(from.size());
    std::array<std::unique_ptr<Blocks>, Count> rings;
    std::array<std::size_t, Count> order{};
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (std::size_t ring = 0; ring < Count; ++ring) rings[ring] = contenders[ring].make(channels);

    const auto slice = [&](Blocks& ring, std::size_t blocks) {
        std::ranges::fill(to, 0.0F);
        Nanoseconds took = 0;
        if (threads != nullptr) {
            took = threads->run([&] { ring.write(from, blocks); }, [&] { ring.read(to, blocks); });
        } else {
            const Nanoseconds began = now_ns();
            ring.pass(from, to, blocks);
            took = now_ns() - began;
        }
        if (to != from) throw std::runtime_error{"what came out is not what went in"};
        return took / static_cast<double>(blocks);
    };
    const auto blocks = std::max<std::size_t>(4, static_cast<std::size_t>(slice_ns / slice(*rings[0], 64)));

    std::array<std::vector<double>, Count> costs;
    std::array<std::vector<double>, Count> ratios;
    std::mt19937 random{1};  // NOLINT(bugprone-random-generator-seed): each run is the same
    const Nanoseconds end = now_ns() + seconds * 1e9;
    for (std::size_t round = 0; round < 20 || now_ns() < end; ++round) {
        std::ranges::shuffle(order, random);
        std::array<double, Count> cost{};
        for (const std::size_t ring : order) cost[ring] = slice(*rings[ring], blocks);
        for (std::size_t ring = 0; ring < Count; ++ring) {
            costs[ring].push_back(cost[ring]);
            ratios[ring].push_back(cost[0] / cost[ring]);
        }
    }
    std::printf("%5zu %8zu", frames, channels);
    for (std::size_t ring = 0; ring < Count; ++ring) {
        std::printf("  %9.1f %5.2f", median(costs[ring]), median(ratios[ring]));
    }
    std::printf("\n");
    std::fflush(stdout);
}

template <std::size_t Count>
void measure_all(const char* title, const std::array<Contender, Count>& contenders, TwoThreads* threads,
                 double seconds) {
    std::printf("%s: ns a block, and speed beside %s\n%5s %8s", title, contenders[0].name, "frames", "channels");
    for (const Contender& contender : contenders) std::printf("  %15s", contender.name);
    std::printf("\n");
    for (const std::size_t channels : {1U, 2U, 32U}) {
        for (const std::size_t frames : {64U, 256U, 1024U, 4096U}) {
            measure(contenders, threads, frames, channels, seconds);
        }
    }
}

double seconds_of(std::span<char*> arguments) {
    if (arguments.empty()) return 1;
    const std::string_view text = arguments.back();
    double seconds = 0;
    const bool is_number = std::from_chars(text.data(), text.data() + text.size(), seconds).ec == std::errc{};
    if (arguments.size() != 2 || std::string_view{arguments[0]} != "--seconds" || !is_number) {
        throw std::runtime_error{"usage: frame_bench [--seconds S], for each row"};
    }
    return seconds;
}

}  // namespace
}  // namespace cueline::bench

int main(int count, char** arguments) {
    using namespace cueline::bench;
    try {
        const double seconds = seconds_of({arguments + 1, arguments + count});
        TwoThreads threads;
        measure_all("between two threads", two_threads, &threads, seconds);
        measure_all("on one thread, written and read", one_thread, nullptr, seconds);
        return 0;
    } catch (const std::exception& error) {
        std::cerr << "frame_bench: " << error.what() << '\n';
        return 1;
    }
}
