// sealed_sequences_test.cpp: sequences are fed by their thread, muted, replaced and stopped while the tempo and the
// place of the timeline change, on a thread that dies at any system call.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <cueline/counter.hpp>
#include <cueline/engine/engine.hpp>
#include <cueline/engine_messages.hpp>

#include "engine/sequences.hpp"
#include "processors.hpp"
#include "sealed_engine.hpp"
#include "sealed_music.hpp"

namespace cueline::test {
namespace {

constexpr std::uint64_t events_a_beat = 8;

/// Counts the levels that it sets, and refuses those below 0.
class CountingProcessor final : public Processor {
  public:
    void prepare(const Format&) override {}
    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        if (command.kind != kind::set_level) return false;
        if (command.as<float>() < 0) {
            refused.add(1);
            return Outcome::refused(first_own_reason);
        }
        applied.add(1);
        return wave_.handle(command, context);
    }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        wave_.render(block, context);
    }

    Counter applied;
    Counter refused;

  private:
    WaveProcessor wave_;
};

class SequencesStory {
  public:
    SequencesStory() {
        engine_.start();
        sequences().open(engine_.open_line());
    }

    void run_block() noexcept {
        pace_.run_if_let([this] { device_.run_block(); });
    }

    void go_on(int rounds) {
        for (const int last = rounds_ + rounds; rounds_ < last; ++rounds_) {
            send(SetTempo{600});
            const auto loop = play(events(4), at_bar(), 4, {.share = 0.6});
            const auto list = play(events(6), {});
            play_growing(at_grid(0.5, delivery::drop_if_late));
            pass(800);
            lists_played_ += sequences().counts(*list).played;

            send(RampTempo{1000, 4, RampOver::beats});
            pass(100);
            sequences().mute(*loop, true);
            pass(200);
            send(RampTempo{400, 0.2, RampOver::seconds});
            sequences().mute(*loop, false);
            pass(200);
            replace(*loop, at_bar());
            replace(*list, {});  // it may be over: then this changes nothing
            pass(400);

            const double beat = engine_.timeline().beat_at(static_cast<double>(engine_.now()));
            send(Locate{beat + 0.5});
            pass(100);
            send(Locate{beat + 100});
            pass(100);
            send(Locate{beat});
            send(SetLoop{beat + 1, beat + 2});
            pass(400);
            send(SetLoop{0, 0});
            send(StopTimeline{});
            pass(100);
            send(StartTimeline{});
            pass(100);
            sequences().stop(*loop, at_grid(1));
            pass(200);
            stop_all();
        }
    }

    [[nodiscard]] bool is_complete() {
        const SequenceCounts counts = sequences().counts();
        const CueStats cues = engine_.stats().cues;
        const std::uint64_t applied = processor_.applied.get();
        const auto rounds = static_cast<std::uint64_t>(rounds_);
        std::fprintf(
            stderr,
            "%llu applied, %llu played, %llu of the lists, %llu late, %llu left out, %llu refused, %llu cancelled\n",
            static_cast<unsigned long long>(applied), static_cast<unsigned long long>(counts.played),
            static_cast<unsigned long long>(lists_played_), static_cast<unsigned long long>(counts.late),
            static_cast<unsigned long long>(counts.left_out), static_cast<unsigned long long>(counts.refused),
            static_cast<unsigned long long>(cues.cancelled));
        return applied == counts.played && processor_.refused.get() == counts.refused && counts.refused >= rounds &&
               counts.playing == 0 && lists_played_ == rounds * 6 * events_a_beat && applied > rounds * 100 &&
               counts.late > rounds && counts.left_out > rounds && cues.cancelled > rounds * events_a_beat &&
               cues.dropped_late > 0;
    }

  private:
    [[nodiscard]] Sequences& sequences() { return engine_.sequences(); }

    template <class Command>
    void send(const Command& command) {
        while (engine_.control().send(Command::kind, command) == Status::full) pace_.run(1);
    }

    static TimedMessage event(std::uint64_t number, float level) {
        return {.beat = static_cast<double>(number) / events_a_beat, .message = Message::of(kind::set_level, level)};
    }

    static std::shared_ptr<Score> score(std::vector<TimedMessage> all, double loop_beats = 0, const Swing& swing = {}) {
        return std::make_shared<Score>(std::move(all), loop_beats, swing);
    }

    static std::vector<TimedMessage> events(std::uint64_t beats) {
        std::vector<TimedMessage> all;
        for (std::uint64_t number = 0; number < beats * events_a_beat; ++number) all.push_back(event(number, 0.5F));
        return all;
    }

    std::shared_ptr<Sequence> play(std::vector<TimedMessage> all, const Delivery& at, double loop_beats = 0,
                                   const Swing& swing = {}) {
        playing_.push_back(sequences().play(score(std::move(all), loop_beats, swing), at));
        return playing_.back();
    }

    void play_growing(const Delivery& at) {
        growing_ = std::make_shared<Score>(Swing{});
        grown_ = 0;
        playing_.push_back(sequences().play(growing_, at));
    }

    void replace(Sequence& sequence, const Delivery& at) {
        static_cast<void>(sequences().replace(sequence, score({event(0, 0.25F), event(3, -1), event(5, 1)}, 4), at));
    }

    /// Appends what should be there by now, as the thread of an iterator does.
    void grow() {
        if (growing_ == nullptr) return;
        const std::optional<double> wanted = sequences().wanted(*growing_);
        while (wanted && static_cast<double>(grown_) < *wanted * events_a_beat) {
            sequences().append(*growing_, event(grown_++, 0.75F));
        }
        sequences().reach(*growing_, static_cast<double>(grown_) / events_a_beat);
    }

    /// Lets so many blocks run. Meanwhile, the sequences' own thread feeds them. The feeds here keep the blocks from
    /// overtaking it if the system holds it up.
    void pass(std::uint64_t blocks) {
        constexpr std::uint64_t step = 100;  // less than what is sent ahead
        for (std::uint64_t ran = 0; ran < blocks; ran += step) {
            pace_.let_run(step);
            grow();
            sequences().feed();
            pace_.wait();
        }
    }

    void stop_all() {
        for (const std::shared_ptr<Sequence>& sequence : playing_) sequences().stop(*sequence, {});
        sequences().finish(*growing_);
        growing_.reset();
        for (int tries = 0; sequences().any(); ++tries) {
            pass(100);
            if (tries == 1'000) std::_Exit(3);  // they never end
        }
        playing_.clear();
    }

    Pace pace_;
    std::unique_ptr<HandDevice> own_device_ = std::make_unique<HandDevice>();
    HandDevice& device_ = *own_device_;
    std::unique_ptr<CountingProcessor> own_processor_ = std::make_unique<CountingProcessor>();
    CountingProcessor& processor_ = *own_processor_;
    Engine engine_{std::move(own_device_), std::move(own_processor_)};
    std::vector<std::shared_ptr<Sequence>> playing_;
    std::shared_ptr<Score> growing_;
    std::uint64_t grown_ = 0;
    std::uint64_t lists_played_ = 0;
    int rounds_ = 0;
};

TEST_F(SealedEngineMusic, sequences_that_are_fed_muted_replaced_and_stopped_are_real_time_safe) {
    expect_real_time_safe<SequencesStory>(8);
}

}  // namespace
}  // namespace cueline::test
