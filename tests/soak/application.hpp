// application.hpp: an engine of the size of a real application: 64 lines, 4096 parameters, 216 meters. All lines send
// and receive, and all parameters are written, at random.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

#include <cueline/engine/engine.hpp>

#include "devices/null_device.hpp"
#include "progress.hpp"

namespace cueline::test {

/// Counts of all lines, and of the parameters.
struct ApplicationAccount {
    std::uint64_t accepted = 0;
    std::uint64_t received = 0;
    std::uint64_t dropped = 0;    ///< answers that found the event ring of their line full
    std::uint64_t astray = 0;     ///< answers on another line than their command's, or out of order
    std::uint64_t written = 0;    ///< parameters
    std::uint64_t differing = 0;  ///< parameters whose last value did not reach the processor

    [[nodiscard]] std::int64_t lost() const { return static_cast<std::int64_t>(accepted - received - dropped); }
};

/// A mutant's processor answers one command of 100 on another line, or adds to one sum.
enum class ApplicationMutant : std::uint8_t { none, astray, differs };

/// Answers every command, and shows the sum of each meter's share of the parameters.
class ApplicationProcessor final : public Processor {
  public:
    static constexpr std::uint32_t parameters_count = 4096;
    static constexpr std::uint32_t meters_count = 216;
    static constexpr std::uint32_t share = parameters_count / meters_count;

    explicit ApplicationProcessor(ApplicationMutant mutant) : mutant_{mutant} {}
    void prepare(const Format&) override {}
    [[nodiscard]] std::span<const ParameterSpec> parameters() const override { return parameter_specs; }
    [[nodiscard]] std::span<const MeterSpec> meters() const override { return meter_specs; }
    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        Cause cause{command};
        if (mutant_ == ApplicationMutant::astray && command.sequence % 100 == 0) cause.line = 0;
        context.events().send(command.kind, command.as<std::uint64_t>(), cause);
        return true;
    }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        quiet_.render(block, context);
        std::uint32_t first = 0;
        for (std::uint32_t meter = 0; meter < meters_count; ++meter, first += share) {
            double sum = 0;
            for (const Parameter& parameter : context.parameters(first, share)) sum += parameter.target();
            if (mutant_ == ApplicationMutant::differs && meter == 7) sum += 1;
            context.meter(meter).set({sum}, block.frame);
        }
    }

  private:
    static constexpr std::array<std::string_view, 1> fields{"sum"};
    static constexpr std::array<ParameterSpec, 1> parameter_specs{
        {{.name = "gain", .ramp_s = 0, .count = parameters_count}}};
    static constexpr std::array<MeterSpec, 1> meter_specs{{{.name = "sum", .fields = fields, .count = meters_count}}};

    ApplicationMutant mutant_;
    SilenceProcessor quiet_;
};

/// Sends on its lines in bursts, and receives what comes, until it is over. Then it waits for the last answers.
inline void talk(Engine& engine, std::span<Line> lines, ApplicationAccount& account, std::uint64_t seed,
                 Progress& progress) {
    std::mt19937_64 random{seed};
    std::vector<std::uint32_t> last(lines.size());
    const auto receive = [&](std::size_t place) {
        Message event;
        while (lines[place].receive(event) == Status::ok) {
            if (event.line != lines[place].number() || event.sequence <= last[place]) ++account.astray;
            last[place] = event.sequence;
            ++account.received;
            ++progress.answers;
        }
    };
    const auto receive_all = [&] {
        for (std::size_t place = 0; place < lines.size(); ++place) receive(place);
    };
    while (!progress.over) {
        const std::size_t place = random() % lines.size();
        for (std::uint64_t burst = random() % 64; burst > 0; --burst) {
            if (lines[place].send(kind::first_user, random()) == Status::ok) ++account.accepted;
        }
        if (random() % 4 == 0) receive_all();
        if (random() % 8 == 0) std::this_thread::sleep_for(std::chrono::microseconds{random() % 2000});
    }
    look_for_1000_blocks(engine, [&] {
        receive_all();
        return false;
    });
}

inline void run_application(ApplicationAccount& account, ApplicationMutant mutant, std::uint64_t seed,
                            Progress& progress) {
    Engine engine{std::make_unique<NullDevice>(Format{.blocksize = 64}), std::make_unique<ApplicationProcessor>(mutant),
                  default_budget, max_lines};
    engine.start();
    std::vector<Line> lines;
    while (lines.size() < max_lines - 1) lines.push_back(engine.open_line());

    std::mt19937_64 random{seed};
    std::array<ApplicationAccount, 3> accounts;
    std::vector<std::jthread> threads;
    for (std::size_t thread = 0; thread < accounts.size(); ++thread) {
        const std::size_t share = lines.size() / accounts.size();
        threads.emplace_back(talk, std::ref(engine), std::span{lines}.subspan(thread * share, share),
                             std::ref(accounts.at(thread)), random(), std::ref(progress));
    }
    std::vector<double> values(ApplicationProcessor::parameters_count);
    while (!progress.over) {
        const std::size_t first = random() % values.size();
        const std::size_t count = 1 + random() % std::min<std::size_t>(values.size() - first, 1000);
        for (double& value : std::span{values}.subspan(first, count))
            value = static_cast<double>(random() % 1024) / 1024;
        engine.controls().set(first, std::span{values}.subspan(first, count));
        account.written += count;
        std::this_thread::sleep_for(std::chrono::microseconds{random() % 2000});
    }
    threads.clear();                                     // joins them
    look_for_1000_blocks(engine, [] { return false; });  // they take the last values
    for (std::uint32_t meter = 0; meter < ApplicationProcessor::meters_count; ++meter) {
        double sum = 0;
        for (std::uint32_t place = 0; place < ApplicationProcessor::share; ++place) {
            sum += values[meter * ApplicationProcessor::share + place];
        }
        if (engine.controls().read(meter).fields[0] != sum) ++account.differing;
    }
    for (const ApplicationAccount& part : accounts) {
        account.accepted += part.accepted;
        account.received += part.received;
        account.astray += part.astray;
    }
    Message event;
    while (engine.control().receive(event) == Status::ok) ++account.astray;
    for (const LineStats& line : engine.stats().lines) account.dropped += line.events.dropped;
}

}  // namespace cueline::test
