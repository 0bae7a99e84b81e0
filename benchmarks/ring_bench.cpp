// ring_bench.cpp: our ring compared with others, in short interleaved slices on two pinned cores.
//
// usage: ring_bench [--seconds S] [--paced-seconds S] > results.json. report.py prints and draws the results.
//
// Virtual cores may move, so their distance changes. So the bounce of a cache line is measured before and after every
// slice. If the two agree, the slice is kept and assigned to that placement, near or far. Slices are compared only
// within a placement.
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <exception>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "contenders.hpp"
#include "limits.hpp"
#include "paced.hpp"
#include "rtrb_contender.hpp"
#include "two_threads.hpp"
#include "works.hpp"

namespace cueline::bench {
namespace {

using nlohmann::json;

constexpr Nanoseconds max_near_ns = 200;  // with a longer bounce, the cores are far apart
constexpr double agreement = 1.3;         // greatest ratio of the bounces before and after a slice
constexpr std::size_t min_slices = 5;     // for a figure; a placement with fewer is left out

/// The results of one job's slices, by placement.
using Slices = std::map<std::string, std::vector<double>>;

/// One slice of one contender's work, and its description.
struct Job {
    // In braces, a json would become an array of one.
    Job(json work, std::function<double()> slice, bool needs_one_thread = false)
        : about(std::move(work)), run{std::move(slice)}, on_one_thread{needs_one_thread} {}

    json about;
    std::function<double()> run;
    bool on_one_thread;
    Slices slices;
};

template <std::size_t Bytes>
std::vector<Contender> contenders() {
    return {
        Works<Cueline, Bytes>::contender(),
        Works<CuelineSpans, Bytes>::contender(),
        Works<Boost, Bytes>::contender(),
        Works<Moodycamel1023, Bytes>::contender(),
        Works<Moodycamel2044, Bytes>::contender(),
        Works<AtomicQueue, Bytes>::contender(),
        Works<OptimistAtomicQueue, Bytes>::contender(),
        Works<ConcurrencyKit, Bytes>::contender(),
        Works<Jack, Bytes>::contender(),
        Rtrb<Bytes>::contender(),
    };
}

double quantile(const std::vector<double>& sorted, double part) {
    return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(static_cast<double>(sorted.size()) * part))];
}

/// Sorts the figures, and returns their quantiles.
json spread(std::vector<double>& figures) {
    std::ranges::sort(figures);
    return {{"median", quantile(figures, 0.5)},
            {"low", quantile(figures, 0.1)},
            {"high", quantile(figures, 0.9)},
            {"slices", figures.size()}};
}

/// The description of a contender's figure.
json about(const Contender& contender, const std::string& work, const char* unit) {
    return {{"work", work},
            {"bytes", contender.bytes},
            {"ring", contender.name},
            {"peer", contender.peer},
            {"comparable", contender.comparable},
            {"unit", unit},
            {"better", std::string_view{unit} == "ns" ? "less" : "more"}};
}

json about(const Contender& contender, const std::string& work, const char* unit, const std::string& limit) {
    json known = about(contender, work, unit);
    known["limit"] = limit;
    return known;
}

/// The rings of one contender, and the jobs that use them. By chance, a ring may lie badly in memory, which costs up to
/// a third of its speed as long as it lives. So there are several rings, and the slices take them in turn.
class Rings {
  public:
    explicit Rings(Contender contender) : contender_{std::move(contender)} {
        for (Pair& pair : pairs_) pair = {contender_.make(), contender_.make()};
    }
    Rings(const Rings&) = delete;
    Rings& operator=(const Rings&) = delete;
    ~Rings() {
        for (const Pair& pair : pairs_) {
            contender_.free(pair.there);
            contender_.free(pair.back);
        }
    }

    void add_jobs(TwoThreads& threads, std::vector<Job>& jobs) {
        const std::string bytes = ", " + std::to_string(contender_.bytes) + " bytes";
        jobs.emplace_back(about(contender_, "one way", "M/s", "streaming" + bytes),
                          [this, &threads] { return one_way(threads, 100'000, contender_.send, contender_.receive); });
        if (contender_.send_batches != nullptr) {
            jobs.emplace_back(about(contender_, "batches of 64", "M/s", "streaming" + bytes), [this, &threads] {
                return one_way(threads, 200'000, contender_.send_batches, contender_.receive_batches);
            });
        }
        if (contender_.receive_in_place != nullptr) {
            jobs.emplace_back(
                about(contender_, "batches of 64, read in place", "M/s", "streaming" + bytes), [this, &threads] {
                    return one_way(threads, 200'000, contender_.send_batches, contender_.receive_in_place);
                });
        }
        jobs.emplace_back(about(contender_, "round trip", "ns", "bounce, a line each way"),
                          [this, &threads] { return round_trip(threads, 3'000); });
        jobs.emplace_back(
            about(contender_, "push and pop, one thread", "ns"),
            [this] {
                constexpr std::uint64_t count = 100'000;
                const Nanoseconds began = now_ns();
                wrong_ += contender_.push_and_pop(next_pair().there, count);
                return (now_ns() - began) / count;
            },
            true);
    }

    [[nodiscard]] std::uint64_t wrong() const { return wrong_; }
    [[nodiscard]] const std::string& name() const { return contender_.name; }

  private:
    struct Pair {
        void* there = nullptr;
        void* back = nullptr;
    };
    static constexpr std::size_t pairs = 7;  // prime, so that each job uses each pair

    const Pair& next_pair() { return pairs_[next_pair_++ % pairs]; }

    double one_way(TwoThreads& threads, std::uint64_t count, auto send, auto receive) {
        const std::uint64_t first = std::exchange(next_, next_ + count);
        void* ring = next_pair().there;
        const Nanoseconds took =
            threads.run([&] { send(ring, first, count); }, [&] { wrong_ += receive(ring, first, count); });
        return static_cast<double>(count) / took * 1e3;
    }

    double round_trip(TwoThreads& threads, std::uint64_t count) {
        const Pair& pair = next_pair();
        const Nanoseconds took = threads.run([&] { wrong_ += contender_.ping(pair.there, pair.back, count); },
                                             [&] { contender_.pong(pair.there, pair.back, count); });
        return took / static_cast<double>(count);
    }

    Contender contender_;
    std::array<Pair, pairs> pairs_;
    std::size_t next_pair_ = 0;
    std::uint64_t next_ = 0;
    std::uint64_t wrong_ = 0;
};

/// The cores' placement, from the bounces before and after; empty if they do not agree.
std::string placement(Nanoseconds before, Nanoseconds after) {
    if (std::max(before, after) > agreement * std::min(before, after)) return "";
    return std::max(before, after) <= max_near_ns ? "near" : "far";
}

/// Runs all jobs again and again, and returns the bounces.
void run_in_turn(TwoThreads& threads, std::vector<Job>& jobs, double seconds, Slices& bounces) {
    const Nanoseconds end = now_ns() + seconds * 1e9;
    Nanoseconds before = threads.bounce();
    do {
        for (Job& job : jobs) {
            const double figure = job.run();
            const Nanoseconds after = threads.bounce();
            const std::string where = placement(before, after);
            before = after;
            if (!where.empty()) bounces[where].push_back(after);
            if (job.on_one_thread) {
                job.slices["one thread"].push_back(figure);
            } else if (!where.empty()) {
                job.slices[where].push_back(figure);
            }
        }
    } while (now_ns() < end);
}

void require_right(const std::string& ring, std::uint64_t wrong) {
    if (wrong > 0) throw std::runtime_error{ring + ": " + std::to_string(wrong) + " messages arrived wrong"};
}

void add_to(json& results, const json& about, Slices& slices) {
    for (auto& [where, figures] : slices) {
        if (figures.size() < min_slices) continue;
        json result = about;
        result["placement"] = where;
        result.update(spread(figures));
        results.push_back(std::move(result));
    }
}

/// One-way, batches, round trips, one thread.
void measure_slices(TwoThreads& threads, double seconds, json& limits, json& results) {
    std::vector<std::unique_ptr<Rings>> rings;
    std::vector<Job> jobs;
    for (auto all : {contenders<32>(), contenders<56>()}) {
        for (Contender& contender : all) {
            rings.push_back(std::make_unique<Rings>(std::move(contender)));
            rings.back()->add_jobs(threads, jobs);
        }
    }
    const std::size_t contenders_jobs = jobs.size();
    Streaming<32> streaming_32;
    Streaming<56> streaming_56;
    std::uint64_t wrong = 0;
    constexpr std::uint64_t streamed = 102'400;  // messages: about a hundred rounds
    const auto limit = [](const char* name, const char* unit) { return json{{"name", name}, {"unit", unit}}; };
    jobs.emplace_back(limit("streaming, 32 bytes", "M/s"), [&] { return streaming_32.run(threads, streamed, wrong); });
    jobs.emplace_back(limit("streaming, 56 bytes", "M/s"), [&] { return streaming_56.run(threads, streamed, wrong); });

    jobs.emplace_back(limit("bounce, a line each way", "ns"), [&] { return threads.bounce_of_two(); });

    Slices bounces;
    run_in_turn(threads, jobs, seconds, bounces);

    require_right("streaming", wrong);
    for (const auto& ring : rings) require_right(ring->name(), ring->wrong());
    for (std::size_t index = 0; index < jobs.size(); ++index) {
        add_to(index < contenders_jobs ? results : limits, jobs[index].about, jobs[index].slices);
    }
    add_to(limits, {{"name", "bounce"}, {"unit", "ns"}}, bounces);
}

/// The pattern of an audio engine, at three rates.
void measure_paced(TwoThreads& threads, double seconds, json& limits, json& results) {
    constexpr std::array<double, 3> rates{1'000, 20'000, 200'000};
    constexpr double segment_seconds = 0.1;

    std::vector<Contender> all = contenders<56>();
    std::erase_if(all, [](const Contender& contender) { return !contender.comparable; });
    Paced paced{std::move(all)};
    const std::size_t count = paced.contenders().size();

    std::map<std::pair<double, std::string>, std::vector<PacedCosts>> costs;
    const Nanoseconds end = now_ns() + seconds * 1e9;
    Nanoseconds before = threads.bounce();
    do {
        for (const double rate : rates) {
            std::vector<PacedCosts> segment(count);
            paced.run(threads, rate, segment_seconds * 1e9 * (rate < 10'000 ? 4 : 1), segment);
            const Nanoseconds after = threads.bounce();
            const std::string where = placement(before, after);
            before = after;
            auto& into = costs[{rate, where}];
            into.resize(count);
            for (std::size_t index = 0; index < count; ++index) {
                std::ranges::copy(segment[index].push, std::back_inserter(into[index].push));
                std::ranges::copy(segment[index].drain, std::back_inserter(into[index].drain));
                into[index].refused += segment[index].refused;
                require_right(paced.contenders()[index].name, segment[index].wrong);
            }
        }
    } while (now_ns() < end);

    limits.push_back({{"name", "the clock and an empty call, taken off"},
                      {"placement", "one thread"},
                      {"unit", "ns"},
                      {"slices", 1},
                      {"median", paced.nothing_ns()},
                      {"low", paced.nothing_ns()},
                      {"high", paced.nothing_ns()}});
    for (auto& [of, all_costs] : costs) {
        const auto& [rate, where] = of;
        if (where.empty()) continue;
        for (std::size_t index = 0; index < count; ++index) {
            const Contender& contender = paced.contenders()[index];
            PacedCosts& cost = all_costs[index];
            for (const auto& [work, figures] :
                 {std::pair{"push", &cost.push}, std::pair{"drained message", &cost.drain}}) {
                if (figures->empty()) continue;
                json result =
                    about(contender, std::to_string(static_cast<int>(rate / 1000)) + "k a second, " + work, "ns");
                result["placement"] = where;
                result["refused"] = cost.refused;
                result.update(spread(*figures));
                result["p99"] = quantile(*figures, 0.99);
                result["p99_9"] = quantile(*figures, 0.999);
                results.push_back(std::move(result));
            }
        }
    }
}

json targets() {
    json all = json::array({
        {{"work", "one way"}, {"bytes", 32}, {"placement", "near"}, {"at_least", 2.5}},
        {{"work", "one way"}, {"bytes", 56}, {"placement", "near"}, {"at_least", 1.7}},
        {{"work", "one way"}, {"bytes", 32}, {"placement", "far"}, {"at_least", 1.5}},
        {{"work", "round trip"}, {"placement", "near"}, {"at_most", 0.8}},
        {{"work", "batches of 64"}, {"placement", "near"}, {"at_least", 1.0}},
        {{"work", "batches of 64, read in place"}, {"placement", "near"}, {"at_least", 1.0}},
        {{"work", "push and pop, one thread"}, {"at_most", 1.05}},
    });
    for (const char* rate : {"1k", "20k", "200k"}) {
        for (const char* work : {"push", "drained message"}) {
            for (const char* figure : {"median", "p99", "p99_9"}) {
                all.push_back({{"work", std::string{rate} + " a second, " + work},
                               {"placement", "near"},
                               {"figure", figure},
                               {"at_most", 0.8}});
            }
        }
    }
    return all;
}

json machine() {
    std::string processor = "unknown";
    std::ifstream file{"/proc/cpuinfo"};
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("model name")) {
            processor = line.substr(line.find(':') + 2);
            break;
        }
    }
    utsname system{};
    uname(&system);
    return {{"cpu", processor}, {"cores", std::thread::hardware_concurrency()}, {"kernel", system.release}};
}

const char* compiler() {
#if defined(__clang__)
    return "clang++ " CUELINE_COMPILER_VERSION;
#else
    return "g++ " CUELINE_COMPILER_VERSION;
#endif
}

double seconds_of(std::string_view option, const char* text) {
    double seconds = 0;
    const char* end = text + std::strlen(text);
    if (std::from_chars(text, end, seconds).ptr != end || !(seconds >= 0)) {
        throw std::runtime_error{std::string{option} + " must be a number of seconds, got '" + text + "'"};
    }
    return seconds;
}

void measure(std::vector<const char*> arguments) {
    double seconds = 60;
    double paced_seconds = 60;
    for (std::size_t index = 0; index < arguments.size(); index += 2) {
        const std::string_view option = arguments[index];
        if ((option != "--seconds" && option != "--paced-seconds") || index + 1 == arguments.size()) {
            throw std::runtime_error{"usage: ring_bench [--seconds S] [--paced-seconds S] > results.json"};
        }
        (option == "--seconds" ? seconds : paced_seconds) = seconds_of(option, arguments[index + 1]);
    }
    json limits = json::array();
    json results = json::array();
    TwoThreads threads;
    measure_slices(threads, seconds, limits, results);
    measure_paced(threads, paced_seconds, limits, results);
    const json all{{"cueline", CUELINE_VERSION}, {"compiler", compiler()}, {"machine", machine()},
                   {"limits", limits},           {"results", results},     {"targets", targets()}};
    std::cout << all.dump(1) << '\n';
}

}  // namespace
}  // namespace cueline::bench

int main(int count, char** arguments) {
    try {
        cueline::bench::measure({arguments + 1, arguments + count});
        return 0;
    } catch (const std::exception& error) {
        std::cerr << "ring_bench: " << error.what() << '\n';
        return 1;
    }
}
