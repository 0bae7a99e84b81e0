// soak.cpp: runs an engine on the null device for minutes or hours, and accounts for every message.
//
// Control threads send at random rates, the receiver is sometimes slow, and other engines come and go. The exit status
// is 1 if a message is lost, broken or out of order, or if memory grows.
//
// usage: soak [--minutes N | --seconds N] [--seed N] [--mutant loses|corrupts|swaps|scribbles|leaks|astray|differs]
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <cueline/engine/engine.hpp>

#include "application.hpp"
#include "devices/null_device.hpp"
#include "progress.hpp"
#include "sanitizers.hpp"
#include "swaps.hpp"

namespace cueline::test {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// A payload with two numbers and a checksum.
struct Checked {
    std::uint64_t number;      ///< its place on the line, from 1, in the order of acceptance
    std::uint64_t own_number;  ///< its place among its sender's messages, from 1
    std::uint32_t sender;
    std::uint32_t noise;
    std::uint64_t more_noise;
    std::uint64_t sum;

    [[nodiscard]] std::uint64_t right_sum() const noexcept CUELINE_NONBLOCKING {
        std::uint64_t mixed = 0x9E3779B97F4A7C15U;
        for (const std::uint64_t part : {number, own_number, std::uint64_t{sender}, std::uint64_t{noise}, more_noise}) {
            mixed = std::rotl(mixed ^ part, 23) * 0xD6E8FEB86659FD93U;
        }
        return mixed;
    }
};
static_assert(sizeof(Checked) == payload_bytes);

constexpr std::uint32_t checked_kind = kind::first_user;

enum class Mutant : std::uint8_t { none, loses, corrupts, swaps };

/// Sends every message back unchanged, and counts the broken ones. A mutant sometimes makes an error.
class EchoProcessor final : public Processor {
  public:
    explicit EchoProcessor(Mutant mutant) : mutant_{mutant} {}
    void prepare(const Format&) override {}
    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        auto checked = command.as<Checked>();
        if (checked.sum != checked.right_sum()) broken_.add(1);
        const bool now = ++handled_ % 1000 == 0;
        if (now && mutant_ == Mutant::loses) return true;
        if (now && mutant_ == Mutant::corrupts) checked.more_noise ^= 1;
        if (now && mutant_ == Mutant::swaps) {
            held_ = command;
            return true;
        }
        context.events().send(command.kind, checked, command);
        if (held_.kind != kind::none) context.events().send(held_.kind, held_.as<Checked>(), held_);
        held_.kind = kind::none;
        return true;
    }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        quiet_.render(block, context);
    }
    [[nodiscard]] std::uint64_t broken() const { return broken_.get(); }

  private:
    Mutant mutant_;
    SilenceProcessor quiet_;
    Counter broken_;
    std::uint64_t handled_ = 0;
    Message held_;
};

/// Counts of the messages of one engine, or of many.
struct Account {
    std::uint64_t accepted = 0;
    std::uint64_t refused = 0;
    std::uint64_t received = 0;
    std::uint64_t dropped = 0;  ///< answers that found the event ring full: refused, and counted by the engine
    std::uint64_t broken = 0;
    std::uint64_t out_of_order = 0;
    std::uint64_t xruns = 0;
    std::uint64_t blocks = 0;
    std::uint64_t engines = 0;

    [[nodiscard]] std::int64_t lost() const { return static_cast<std::int64_t>(accepted - received - dropped); }
    void add(const Account& other) {
        accepted += other.accepted;
        refused += other.refused;
        received += other.received;
        dropped += other.dropped;
        broken += other.broken;
        out_of_order += other.out_of_order;
        xruns += other.xruns;
        blocks += other.blocks;
        engines += other.engines;
    }
};

/// An engine, and its control side's counts. Any thread may send and any may receive, one at a time.
class Traffic {
  public:
    explicit Traffic(Mutant mutant) {
        auto processor = std::make_unique<EchoProcessor>(mutant);
        processor_ = processor.get();
        engine_ = std::make_unique<Engine>(std::make_unique<NullDevice>(Format{.blocksize = 64}), std::move(processor));
        engine_->start();
    }

    Status send(std::uint32_t sender, std::uint64_t own_number, std::uint64_t noise) {
        const std::scoped_lock lock{sending_};
        Checked checked{.number = sent_.accepted + 1,
                        .own_number = own_number,
                        .sender = sender,
                        .noise = static_cast<std::uint32_t>(noise),
                        .more_noise = noise,
                        .sum = 0};
        checked.sum = checked.right_sum();
        const Status status = engine_->control().send(checked_kind, checked);
        ++(status == Status::ok ? sent_.accepted : sent_.refused);
        return status;
    }

    void drain() {
        const std::scoped_lock lock{receiving_};
        Message event;
        while (engine_->control().receive(event) == Status::ok) {
            const auto checked = event.as<Checked>();
            if (checked.sum != checked.right_sum() || static_cast<std::uint32_t>(checked.number) != event.sequence) {
                ++taken_.broken;
            }
            auto& last_of_sender = last_own_.at(checked.sender % last_own_.size());
            if (checked.number <= last_number_ || checked.own_number <= last_of_sender) ++taken_.out_of_order;
            last_number_ = std::max(last_number_, checked.number);
            last_of_sender = std::max(last_of_sender, checked.own_number);
            ++taken_.received;
        }
    }

    /// Waits until all commands have been read and all events received. Returns the final counts.
    Account settle() {
        engine_->start();
        look_for_1000_blocks(*engine_, [this] {
            drain();
            return account().lost() == 0;
        });
        return account();
    }

    Account account() {
        const std::scoped_lock lock{sending_, receiving_};
        Account account = sent_;
        account.add(taken_);
        const EngineStats stats = engine_->stats();
        account.dropped = stats.events.dropped;
        account.xruns = stats.device_stats.xruns;
        account.blocks = stats.blocks;
        account.broken += processor_->broken();
        account.engines = 1;
        // The engine's counters must be equal to ours.
        if (stats.commands.sent != account.accepted || stats.commands.dropped != account.refused) ++account.broken;
        return account;
    }

    Engine& engine() { return *engine_; }

  private:
    std::mutex sending_;
    std::mutex receiving_;
    const EchoProcessor* processor_ = nullptr;
    std::unique_ptr<Engine> engine_;
    Account sent_;
    Account taken_;
    std::uint64_t last_number_ = 0;
    std::array<std::uint64_t, 8> last_own_{};
};

/// Sends at random rates: from one message in 50 ms to as fast as possible.
void send_at_random(Traffic& line, std::uint32_t sender, std::uint64_t seed, const std::atomic<bool>& over) {
    std::mt19937_64 random{seed};
    std::uint64_t own_number = 1;
    while (!over) {
        const auto phase_end = Clock::now() + milliseconds{50 + random() % 400};
        const std::uint64_t pace = random() % 4;
        while (!over && Clock::now() < phase_end) {
            if (line.send(sender, own_number, random()) == Status::ok) {
                ++own_number;
            } else {
                std::this_thread::sleep_for(microseconds{random() % 2000});
            }
            if (pace == 0) std::this_thread::sleep_for(milliseconds{random() % 50});
            if (pace == 1) std::this_thread::sleep_for(microseconds{random() % 1000});
            if (pace == 2 && random() % 100 == 0) std::this_thread::sleep_for(microseconds{random() % 1000});
        }
    }
}

/// Receives events, mostly in time, sometimes far too late.
void receive_at_random(Traffic& line, std::uint64_t seed, const std::atomic<bool>& over) {
    std::mt19937_64 random{seed};
    while (!over) {
        line.drain();
        std::this_thread::sleep_for(random() % 2000 == 0 ? milliseconds{300} : milliseconds{random() % 3});
    }
}

/// Makes engines, sends through them, stops and starts them under load, and destroys them.
void churn(Account& total, std::uint64_t seed, Progress& progress) {
    std::mt19937_64 random{seed};
    while (!progress.over) {
        Traffic line{Mutant::none};
        std::uint64_t own_number = 1;
        for (std::uint64_t burst = random() % 8; burst > 0; --burst) {
            for (std::uint64_t count = random() % 1500; count > 0; --count) {
                if (line.send(0, own_number, random()) == Status::ok) ++own_number;
            }
            if (random() % 2 == 0) line.engine().stop();
            if (random() % 2 == 0) line.drain();
            std::this_thread::sleep_for(microseconds{random() % 5000});
            line.engine().start();
        }
        total.add(line.settle());
        ++progress.engines;
    }
}

std::uint64_t resident_kib() {
    std::ifstream statm{"/proc/self/statm"};
    std::uint64_t pages = 0;
    statm >> pages >> pages;
    return pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) / 1024;
}

unsigned long long wide(std::uint64_t number) {
    return number;
}

struct Options {
    std::uint64_t seconds = 60;
    std::uint64_t seed = std::random_device{}();
    Mutant mutant = Mutant::none;
    SwapMutant swap_mutant = SwapMutant::none;
    ApplicationMutant application_mutant = ApplicationMutant::none;
};

int soak(const Options& options) {
    std::printf("soak: %llu s, --seed %llu\n", wide(options.seconds), wide(options.seed));
    Progress progress;
    std::atomic<bool>& over = progress.over;
    std::mt19937_64 seeds{options.seed};
    Traffic line{options.mutant};
    Account churned;
    SwapAccount swapped;
    ApplicationAccount application;

    std::vector<std::thread> threads;
    for (std::uint32_t sender = 1; sender <= 3; ++sender) {
        threads.emplace_back(send_at_random, std::ref(line), sender, seeds(), std::cref(over));
    }
    threads.emplace_back(receive_at_random, std::ref(line), seeds(), std::cref(over));
    threads.emplace_back(churn, std::ref(churned), seeds(), std::ref(progress));
    threads.emplace_back(swap_buffers, std::ref(swapped), options.swap_mutant, seeds(), std::ref(progress));
    threads.emplace_back(run_application, std::ref(application), options.application_mutant, seeds(),
                         std::ref(progress));

    // The first look at memory comes when the stacks and heaps of all threads are there, and all slots are filled.
    const auto log_every = std::clamp(seconds{options.seconds} / 12, seconds{1}, seconds{60});
    std::this_thread::sleep_for(log_every);
    const std::uint64_t first_swaps = memory_is_the_systems ? ReadingProcessor::slots : 0;  // sanitizers are slow
    while (progress.swaps < first_swaps || progress.engines == 0) {
        std::this_thread::sleep_for(milliseconds{10});
    }
    const std::uint64_t memory_at_start = resident_kib();
    std::printf("%8s %14s %12s %14s %10s %8s %12s\n", "seconds", "accepted", "refused", "received", "dropped", "xruns",
                "memory KiB");
    const auto begun = Clock::now();
    const auto end = begun + seconds{options.seconds};
    // However slow the machine is, the soak goes on until it proves something.
    const std::uint64_t enough_swaps = first_swaps + (memory_is_the_systems ? 500 : 200) * options.seconds;
    const auto enough = [&](const Account& now) {
        return now.refused > 0 && now.received >= 2000 + 100 * options.seconds && progress.engines >= options.seconds &&
               progress.swaps >= enough_swaps && progress.answers >= 200 * (max_lines - 1);
    };
    for (Account now = line.account(); Clock::now() < end || !enough(now); now = line.account()) {
        std::printf("%8lld %14llu %12llu %14llu %10llu %8llu %12llu\n",
                    static_cast<long long>(std::chrono::duration_cast<seconds>(Clock::now() - begun).count()),
                    wide(now.accepted), wide(now.refused), wide(now.received), wide(now.dropped), wide(now.xruns),
                    wide(resident_kib()));
        std::fflush(stdout);
        const auto next = Clock::now() + log_every;
        std::this_thread::sleep_until(Clock::now() < end ? std::min(next, end) : next);
    }
    // Buffers that wait for a held-up block come back soon. What leaks does not.
    constexpr std::uint64_t max_growth_kib = 4096;
    std::uint64_t memory_at_end = resident_kib();
    for (int look = 0; look < 20 && memory_at_end > memory_at_start + max_growth_kib; ++look) {
        std::this_thread::sleep_for(milliseconds{100});
        memory_at_end = std::min(memory_at_end, resident_kib());
    }
    over = true;
    for (std::thread& thread : threads) thread.join();
    Account total = line.settle();
    total.add(churned);

    // Sanitizers keep freed memory, so it grows there.
    const bool grew = memory_is_the_systems && memory_at_end > memory_at_start + max_growth_kib;
    const auto row = [](const char* name, std::int64_t number, const char* verdict = "") {
        std::printf("  %-34s %14lld %s\n", name, static_cast<long long>(number), verdict);
    };
    const auto signed_of = [](std::uint64_t number) { return static_cast<std::int64_t>(number); };
    const auto none = [](std::int64_t number) { return number == 0 ? "" : "  <-- must be 0"; };
    std::printf("\n");
    row("engines started", signed_of(total.engines));
    row("blocks", signed_of(total.blocks));
    row("messages sent", signed_of(total.accepted));
    row("messages received", signed_of(total.received));
    row("refused when sent", signed_of(total.refused));
    row("answers refused", signed_of(total.dropped));
    row("lost", total.lost(), none(total.lost()));
    row("out of order", signed_of(total.out_of_order), none(signed_of(total.out_of_order)));
    row("broken", signed_of(total.broken), none(signed_of(total.broken)));
    row("buffers handed over", signed_of(swapped.published));
    row("buffers refused", signed_of(swapped.refused));
    row("broken samples in buffers", signed_of(swapped.broken), none(signed_of(swapped.broken)));
    row("buffers that did not come back", signed_of(swapped.kept), none(signed_of(swapped.kept)));
    row("commands on 63 lines", signed_of(application.accepted));
    row("answers on 63 lines", signed_of(application.received));
    row("answers refused on 63 lines", signed_of(application.dropped));
    row("lost on 63 lines", application.lost(), none(application.lost()));
    row("answers astray", signed_of(application.astray), none(signed_of(application.astray)));
    row("parameters written", signed_of(application.written));
    row("meters that differ", signed_of(application.differing), none(signed_of(application.differing)));
    row("xruns", signed_of(total.xruns));
    row("memory at start, KiB", signed_of(memory_at_start));
    row("memory at end, KiB", signed_of(memory_at_end), grew ? "  <-- grew by more than 4 MiB" : "");

    const bool swaps_sound = swapped.broken == 0 && swapped.kept == 0 && swapped.unhandled == 0;
    const bool application_sound =
        application.lost() == 0 && application.astray == 0 && application.differing == 0 && application.written > 0;
    const bool sound =
        application_sound && total.lost() == 0 && total.out_of_order == 0 && total.broken == 0 && swaps_sound && !grew;
    std::printf("%s\n", sound ? "all accounted for" : "FAILED");
    return sound ? 0 : 1;
}

int usage() {
    std::fputs(
        "usage: soak [--minutes N | --seconds N] [--seed N] [--mutant "
        "loses|corrupts|swaps|scribbles|leaks|astray|differs]\n",
        stderr);
    return 2;
}

}  // namespace
}  // namespace cueline::test

int main(int count, char** words) {
    using cueline::test::Mutant;
    cueline::test::Options options;
    const std::vector<std::string_view> arguments(words + 1, words + count);
    for (std::size_t index = 0; index < arguments.size(); index += 2) {
        if (index + 1 == arguments.size()) return cueline::test::usage();
        const std::string value{arguments[index + 1]};
        if (arguments[index] == "--seconds") {
            options.seconds = std::strtoull(value.c_str(), nullptr, 10);
        } else if (arguments[index] == "--minutes") {
            options.seconds = 60 * std::strtoull(value.c_str(), nullptr, 10);
        } else if (arguments[index] == "--seed") {
            options.seed = std::strtoull(value.c_str(), nullptr, 10);
        } else if (arguments[index] == "--mutant" && value == "loses") {
            options.mutant = Mutant::loses;
        } else if (arguments[index] == "--mutant" && value == "corrupts") {
            options.mutant = Mutant::corrupts;
        } else if (arguments[index] == "--mutant" && value == "swaps") {
            options.mutant = Mutant::swaps;
        } else if (arguments[index] == "--mutant" && value == "scribbles") {
            options.swap_mutant = cueline::test::SwapMutant::scribbles;
        } else if (arguments[index] == "--mutant" && value == "leaks") {
            options.swap_mutant = cueline::test::SwapMutant::leaks;
        } else if (arguments[index] == "--mutant" && value == "astray") {
            options.application_mutant = cueline::test::ApplicationMutant::astray;
        } else if (arguments[index] == "--mutant" && value == "differs") {
            options.application_mutant = cueline::test::ApplicationMutant::differs;
        } else {
            return cueline::test::usage();
        }
    }
    if (options.seconds == 0) return cueline::test::usage();
    return cueline::test::soak(options);
}
