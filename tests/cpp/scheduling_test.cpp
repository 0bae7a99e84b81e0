// scheduling_test.cpp: a processor takes part: it says what became of a command, schedules, cancels, and gets back what
// will never be applied.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "cues.hpp"

namespace cueline::test {
namespace {

/// Plays at the frame `at`, later; with `beats` left, again `every` frames after that.
struct Quantized {
    static constexpr Kind kind = 300;
    std::uint64_t at;
    std::uint32_t value;
    std::uint32_t beats = 0;
    std::uint32_t every = 0;
};
/// Plays now, and shows `value` in the confirmation.
struct Play {
    static constexpr Kind kind = 301;
    std::uint32_t value;
    std::uint32_t beats = 0;
    std::uint32_t every = 0;
};
/// Is refused for the reason `why`.
struct Refuse {
    static constexpr Kind kind = 302;
    std::uint32_t why;
};
/// Cancels the command with this line and sequence.
struct CancelOther {
    static constexpr Kind kind = 303;
    std::uint32_t line;
    std::uint32_t sequence;
};
/// Returns deferred() without having scheduled anything.
struct Forget {
    static constexpr Kind kind = 304;
};
/// Returns an outcome with a result of this number.
struct Nonsense {
    static constexpr Kind kind = 305;
    std::uint8_t result;
};

struct Call {
    enum class What : std::uint8_t { begun, handled, discarded, rendered } what;
    Kind kind = cueline::kind::none;
    std::uint8_t line = 0;
    std::uint32_t sequence = 0;
    std::uint64_t frame = 0;

    bool operator==(const Call&) const = default;
};
using What = Call::What;

/// Notes each call. Only while no block runs may others read the notes.
class GridProcessor final : public Processor {
  public:
    void prepare(const Format&) override {}
    void begin_block(ProcessContext& context) noexcept CUELINE_NONBLOCKING override { note(What::begun, {}, context); }
    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        note(What::handled, command, context);
        switch (command.kind) {
            case Quantized::kind: {
                const auto wanted = command.as<Quantized>();
                const Play later{.value = wanted.value, .beats = wanted.beats, .every = wanted.every};
                last_ = context.schedule(Message::of(later), wanted.at);
                return last_;
            }
            case Play::kind: {
                auto play = command.as<Play>();
                if (play.beats == 0) return Outcome::applied(play.value);
                --play.beats;
                return context.schedule(Message::of(play), context.events().frame() + play.every);
            }
            case Refuse::kind:
                return Outcome::refused(command.as<Refuse>().why);
            case CancelOther::kind: {
                const auto other = command.as<CancelOther>();
                Message cause;
                cause.line = static_cast<std::uint8_t>(other.line);
                cause.sequence = other.sequence;
                return context.cancel(cause);
            }
            case Forget::kind:
                return Outcome::deferred();
            case Nonsense::kind: {
                Outcome outcome = Outcome::applied();
                outcome.result = static_cast<Outcome::Result>(command.as<Nonsense>().result);
                return outcome;
            }
            default:
                return false;
        }
    }
    void discarded(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        note(What::discarded, command, context);
        last_ = context.schedule(command, context.events().frame() + 100);
        cancelled_in_discarded_ = cancelled_in_discarded_ || context.cancel(command);
    }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        quiet_.render(block, context);
        note(What::rendered, {}, context);
        last_render_ = context.schedule(Message::of(Play{}), block.frame + 100);
    }

    [[nodiscard]] std::vector<Call> calls(What what) const {
        std::vector<Call> found;
        for (std::size_t place = 0; place < count_; ++place) {
            if (calls_[place].what == what) found.push_back(calls_[place]);
        }
        return found;
    }
    [[nodiscard]] std::vector<What> order() const {
        std::vector<What> order;
        for (std::size_t place = 0; place < count_; ++place) order.push_back(calls_[place].what);
        return order;
    }
    /// What the last schedule() of handle() or discarded() returned, and what that of render() returned.
    [[nodiscard]] Scheduled last() const { return last_; }
    [[nodiscard]] Scheduled last_render() const { return last_render_; }
    [[nodiscard]] bool cancelled_in_discarded() const { return cancelled_in_discarded_; }

  private:
    void note(What what, const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING {
        if (count_ == calls_.size()) return;
        calls_[count_++] = {what, command.kind, command.line, command.sequence, context.events().frame()};
    }

    std::array<Call, 16'384> calls_{};
    std::size_t count_ = 0;
    Scheduled last_ = Scheduled::ok;
    Scheduled last_render_ = Scheduled::ok;
    bool cancelled_in_discarded_ = false;
    SilenceProcessor quiet_;
};

class Scheduling : public testing::Test {
  protected:
    Scheduling() { make(std::make_unique<StepDevice>(format)); }
    void make(std::unique_ptr<Device> device, std::int64_t lines = default_lines) {
        device_ = device.get();
        processor_ = std::make_shared<GridProcessor>();
        engine_ = std::make_unique<Engine>(std::move(device), processor_, default_budget, lines);
        engine_->start();
    }

    void render(std::size_t frames) {
        std::vector<float> audio(frames);
        device_->render(audio);
    }
    template <class Command>
    std::uint32_t send(const Command& command, const Delivery& delivery = {.flags = delivery::confirm}) {
        EXPECT_EQ(line().send(Command::kind, command, delivery), Status::ok);
        return line().sequence();
    }
    Line& line() { return opened_ ? *opened_ : engine_->control(); }

    std::vector<Message> confirmations() {
        std::vector<Message> all;
        Message message;
        while (line().receive_confirmation(message) == Status::ok) all.push_back(message);
        return all;
    }
    /// The sequences that handle() got, or discarded(), in order.
    [[nodiscard]] std::vector<std::uint32_t> sequences(What what) const {
        std::vector<std::uint32_t> sequences;
        for (const Call& call : processor_->calls(what)) sequences.push_back(call.sequence);
        return sequences;
    }

    static constexpr Format format{.samplerate = 48'000, .outputs = 1, .blocksize = 64};

    Device* device_ = nullptr;
    std::shared_ptr<GridProcessor> processor_;
    std::unique_ptr<Engine> engine_;
    std::optional<Line> opened_;  // destroyed before the engine
};

using Sequences = std::vector<std::uint32_t>;

void expect_applied(const Message& confirmation, std::uint32_t sequence, std::uint64_t frame, std::uint32_t value) {
    EXPECT_EQ(confirmation.kind, cueline::kind::applied);
    EXPECT_EQ(confirmation.sequence, sequence);
    EXPECT_EQ(confirmation.frame, frame);
    EXPECT_EQ(confirmation.as<Applied>().value, value);
}

void expect_refused(const Message& confirmation, std::uint32_t sequence, std::uint32_t reason) {
    EXPECT_EQ(confirmation.kind, cueline::kind::refused);
    EXPECT_EQ(confirmation.sequence, sequence);
    EXPECT_EQ(static_cast<std::uint32_t>(confirmation.as<Refused>().reason), reason);
}

TEST_F(Scheduling, a_confirmation_shows_the_value_of_an_applied_command) {
    const std::uint32_t sequence = send(Play{7});
    render(64);
    const std::vector<Message> all = confirmations();
    ASSERT_EQ(all.size(), 1U);
    expect_applied(all[0], sequence, 0, 7);
}

TEST_F(Scheduling, a_confirmation_shows_the_reason_of_a_refused_command_and_it_is_counted_apart) {
    const std::uint32_t sequence = send(Refuse{first_own_reason + 3});
    send(Refuse{first_own_reason}, {});
    render(64);
    const std::vector<Message> all = confirmations();
    ASSERT_EQ(all.size(), 1U);
    expect_refused(all[0], sequence, first_own_reason + 3);
    EXPECT_EQ(engine_->stats().refused, 2U);
    EXPECT_EQ(engine_->stats().unhandled, 0U);
    EXPECT_TRUE(processor_->calls(What::discarded).empty()) << "handle() had it";
}

TEST_F(Scheduling, a_refusal_as_late_that_nobody_asked_about_is_a_loss) {
    send(Quantized{.at = 0, .value = 1}, {});
    send(Refuse{static_cast<std::uint32_t>(Reason::cancelled)}, {});
    send(Quantized{.at = 0, .value = 1});
    render(64);
    EXPECT_EQ(engine_->stats().refused_unconfirmed, 2U);
}

TEST_F(Scheduling, an_outcome_with_a_result_that_does_not_exist_counts_as_unhandled) {
    const std::uint32_t sequence = send(Nonsense{9});
    render(64);
    ASSERT_EQ(engine_->stats().unhandled, 1U);
    expect_refused(confirmations().at(0), sequence, static_cast<std::uint32_t>(Reason::unknown));
}

TEST_F(Scheduling, a_deferred_command_is_handled_and_confirmed_at_its_frame) {
    const std::uint32_t sequence = send(Quantized{.at = 100, .value = 5});
    render(64);
    EXPECT_TRUE(confirmations().empty());
    EXPECT_EQ(engine_->stats().cues.pending, 1U);
    render(64);
    const std::vector<Message> all = confirmations();
    ASSERT_EQ(all.size(), 1U);
    expect_applied(all[0], sequence, 100, 5);
    const std::vector<Call> handled = processor_->calls(What::handled);
    ASSERT_EQ(handled.size(), 2U);
    EXPECT_EQ(handled[1], (Call{What::handled, Play::kind, 0, sequence, 100}));
}

TEST_F(Scheduling, a_command_that_is_deferred_again_and_again_is_confirmed_once) {
    send(Quantized{.at = 10, .value = 9, .beats = 20, .every = 3});
    render(640);
    const std::vector<Message> all = confirmations();
    ASSERT_EQ(all.size(), 1U);
    expect_applied(all[0], 1, 70, 9);
    EXPECT_EQ(processor_->calls(What::handled).size(), 22U);
}

TEST_F(Scheduling, a_command_that_was_sent_without_a_confirmation_gets_none_later) {
    send(Quantized{.at = 10, .value = 9}, {});
    render(64);
    EXPECT_TRUE(confirmations().empty());
}

TEST_F(Scheduling, a_cancel_reaches_what_a_command_has_scheduled) {
    const std::uint32_t doomed = send(Quantized{.at = 100, .value = 1});
    const std::uint32_t other = send(Quantized{.at = 100, .value = 2});
    render(64);
    line().cancel(doomed);
    render(64);
    const std::vector<Message> all = confirmations();
    ASSERT_EQ(all.size(), 2U);
    expect_refused(all[0], doomed, static_cast<std::uint32_t>(Reason::cancelled));
    expect_applied(all[1], other, 100, 2);
    EXPECT_EQ(sequences(What::discarded), Sequences{doomed});
    EXPECT_EQ(engine_->stats().cues.cancelled, 1U);
}

TEST_F(Scheduling, a_cancel_in_the_same_block_reaches_it_too) {
    const std::uint32_t doomed = send(Quantized{.at = 30, .value = 1});
    line().cancel(doomed);
    render(64);
    EXPECT_EQ(sequences(What::discarded), Sequences{doomed});
    expect_refused(confirmations().at(0), doomed, static_cast<std::uint32_t>(Reason::cancelled));
}

TEST_F(Scheduling, a_cancel_all_reaches_what_earlier_commands_have_scheduled) {
    send(Quantized{.at = 100, .value = 1});
    send(Quantized{.at = 101, .value = 1});
    line().cancel_all();
    const std::uint32_t later = send(Quantized{.at = 102, .value = 1});
    render(128);
    EXPECT_EQ(sequences(What::discarded), (Sequences{1, 2}));
    expect_applied(confirmations().back(), later, 102, 1);
}

TEST_F(Scheduling, a_cancel_of_a_transaction_reaches_what_its_members_have_scheduled) {
    const std::array members{Message::of(Quantized{.at = 100, .value = 1}), Message::of(Play{2}),
                             Message::of(Quantized{.at = 200, .value = 3})};
    const std::uint32_t cancelled = line().try_send_whole(members);
    const std::uint32_t left = line().try_send_whole(members, {.frame = 70});
    render(64);
    line().cancel(cancelled);
    render(192);
    EXPECT_EQ(sequences(What::discarded), (Sequences{cancelled + 1, cancelled + 3}));
    EXPECT_EQ(sequences(What::handled), (Sequences{cancelled + 1, cancelled + 2, cancelled + 3, left + 1, left + 2,
                                                   left + 3, left + 1, left + 3}));
}

TEST_F(Scheduling, a_member_cancels_what_an_earlier_member_of_its_transaction_has_scheduled) {
    const std::array members{Message::of(Quantized{.at = 100, .value = 1}), Message::of(CancelOther{0, 2})};
    ASSERT_EQ(line().try_send_whole(members), 1U);
    render(128);
    EXPECT_EQ(sequences(What::discarded), Sequences{2});
    EXPECT_EQ(sequences(What::handled), (Sequences{2, 3}));
}

TEST_F(Scheduling, a_cancel_all_of_another_line_reaches_what_members_scheduled_though_more_was_read_meanwhile) {
    opened_.emplace(engine_->open_line());
    const std::array members{Message::of(Quantized{.at = 1000, .value = 1})};
    ASSERT_EQ(line().try_send_whole(members), 1U);
    engine_->control().send(cueline::kind::cancel_all, CancelAll{.first_line = 1, .up_to = {2}}, {.frame = 100});
    render(128);
    send(Play{1}, {});  // is read before the cancel is carried out
    render(64);
    EXPECT_EQ(sequences(What::discarded), Sequences{2});
}

TEST_F(Scheduling, a_cancel_all_of_all_lines_reaches_what_commands_sent_before_it_schedule_after_it) {
    opened_.emplace(engine_->open_line());
    send(Quantized{.at = 100, .value = 1}, {});
    engine_->control().cancel_all(true);  // line 0 is read first
    const std::uint32_t later = send(Quantized{.at = 100, .value = 2}, {});
    render(128);
    EXPECT_EQ(sequences(What::discarded), Sequences{1});
    EXPECT_EQ(sequences(What::handled), (Sequences{1, later, later}));
}

TEST_F(Scheduling, what_is_scheduled_belongs_to_the_line_of_its_command) {
    opened_.emplace(engine_->open_line());
    const std::uint32_t sequence = send(Quantized{.at = 100, .value = 6});
    render(128);
    expect_applied(confirmations().at(0), sequence, 100, 6);
    EXPECT_EQ(processor_->calls(What::handled).back().line, 1);
}

TEST_F(Scheduling, the_frame_must_be_later_than_the_one_that_is_applied) {
    render(64);
    const std::uint32_t sequence = send(Quantized{.at = 64, .value = 1});
    render(64);
    EXPECT_EQ(processor_->last(), Scheduled::not_later);
    expect_refused(confirmations().at(0), sequence, static_cast<std::uint32_t>(Reason::late));
    send(Quantized{.at = 129, .value = 1}, {.frame = 128});
    render(64);
    EXPECT_EQ(processor_->last(), Scheduled::ok);
}

TEST_F(Scheduling, only_handle_can_schedule) {
    send(Play{1}, {.frame = 100});
    line().cancel(1);
    render(128);
    EXPECT_EQ(processor_->last_render(), Scheduled::not_handling);
    EXPECT_EQ(sequences(What::discarded), Sequences{1});
    EXPECT_EQ(processor_->last(), Scheduled::not_handling);
    EXPECT_FALSE(processor_->cancelled_in_discarded());
}

TEST_F(Scheduling, no_processor_schedules_the_engines_own_kinds) {
    class Pinger final : public Processor {
      public:
        void prepare(const Format&) override {}
        Outcome handle(const Message&, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
            scheduled = context.schedule(Message::of(Ping{}), 100);
            return scheduled;
        }
        void render(const AudioBlock&, ProcessContext&) noexcept CUELINE_NONBLOCKING override {}
        Scheduled scheduled = Scheduled::ok;
    };
    auto device = std::make_unique<StepDevice>(format);
    StepDevice& stepper = *device;
    const auto pinger = std::make_shared<Pinger>();
    Engine engine{std::move(device), pinger};
    engine.start();
    engine.control().send(Play::kind, Play{1});
    stepper.run();
    EXPECT_EQ(pinger->scheduled, Scheduled::own_kind);
    EXPECT_EQ(engine.stats().unhandled, 1U);
}

TEST_F(Scheduling, a_line_that_holds_its_share_of_the_schedule_is_refused_and_others_are_not) {
    for (std::size_t sent = 0; sent < Schedule::line_capacity; ++sent) {
        line().send(Play::kind, Play{1}, {.frame = 100'000});
        if (sent % 256 == 255) render(64);
    }
    const std::uint32_t sequence = send(Quantized{.at = 5000, .value = 1});
    render(64);
    EXPECT_EQ(processor_->last(), Scheduled::full);
    expect_refused(confirmations().at(0), sequence, static_cast<std::uint32_t>(Reason::schedule_full));
    EXPECT_EQ(engine_->stats().cues.refused, 1U);
    opened_.emplace(engine_->open_line());
    send(Quantized{.at = 5000, .value = 1});
    render(64);
    EXPECT_EQ(processor_->last(), Scheduled::ok);
}

TEST_F(Scheduling, a_line_whose_cues_schedule_themselves_for_each_block_leaves_others_their_share) {
    opened_.emplace(engine_->open_line());
    for (int sent = 1; sent <= 1000; ++sent) {
        line().send(Play::kind, Play{.value = 1, .beats = 1'000'000, .every = 64});
        if (sent % 250 == 0) render(64);
    }
    render(640);
    opened_.reset();
    for (int block = 0; block < 20; ++block) {
        send(Quantized{.at = engine_->now() + 500, .value = 1});
        render(64);
        EXPECT_EQ(processor_->last(), Scheduled::ok);
    }
}

TEST_F(Scheduling, a_cue_takes_the_place_of_the_one_that_schedules_it) {
    make(std::make_unique<StepDevice>(format), 2);
    opened_.emplace(engine_->open_line());
    const auto fill = [this](Line& filled, std::size_t cues) {
        for (std::size_t sent = 0; sent < cues; ++sent) {
            filled.send(Play::kind, Play{1}, {.frame = 100'000});
            if (sent % 256 == 255) render(64);
        }
        render(64);
    };
    fill(engine_->control(), Schedule::line_capacity);
    fill(*opened_, Schedule::line_capacity - 1);
    const std::uint64_t now = engine_->now();
    const std::uint32_t sequence =
        send(Quantized{.at = now + 200, .value = 3}, {.frame = now + 100, .flags = delivery::confirm});
    render(128);
    EXPECT_EQ(engine_->stats().cues.pending, Schedule::capacity);
    EXPECT_EQ(processor_->last(), Scheduled::ok);
    render(128);
    const std::vector<Message> all = confirmations();
    ASSERT_EQ(all.size(), 1U);
    expect_applied(all[0], sequence, now + 200, 3);
}

TEST_F(Scheduling, a_command_that_is_deferred_but_not_scheduled_counts_as_unhandled) {
    const std::uint32_t sequence = send(Forget{});
    render(64);
    expect_refused(confirmations().at(0), sequence, static_cast<std::uint32_t>(Reason::unknown));
    EXPECT_EQ(engine_->stats().unhandled, 1U);
}

TEST_F(Scheduling, a_processor_cancels_a_command_before_it_is_applied) {
    const std::uint32_t in_this_block = send(Play{1}, {.frame = 20, .flags = delivery::confirm});
    const std::uint32_t scheduled = send(Quantized{.at = 300, .value = 1});
    send(CancelOther{0, in_this_block}, {.frame = 10});
    send(CancelOther{0, scheduled}, {.frame = 10});
    send(CancelOther{77, 1}, {});
    render(128);
    EXPECT_EQ(sequences(What::discarded), (Sequences{in_this_block, scheduled}));
    for (const Message& confirmation : confirmations()) {
        EXPECT_EQ(confirmation.kind, cueline::kind::refused);
        EXPECT_EQ(confirmation.as<Refused>().reason, Reason::cancelled);
    }
}

TEST_F(Scheduling, every_command_comes_once_to_handle_or_to_discarded) {
    render(64);
    send(Play{1}, {.frame = 10, .flags = delivery::drop_if_late});  // 1: dropped
    send(Play{2}, {.frame = 10});                                   // 2: late, and handled
    send(Play{3}, {.frame = 200});                                  // 3: cancelled
    line().cancel(3);                                               // 4
    const std::array members{Message::of(Play{5}), Message::of(Play{6})};
    line().try_send_whole(members, {.frame = 300});  // 5 to 7: cancelled
    line().cancel(5);                                // 8
    send(Play{9}, {.frame = 100'000});               // 9: waits in the schedule
    render(128);
    send(Play{10}, {.frame = 200'000});  // 10: waits in the ring
    opened_.emplace(engine_->open_line());
    send(Play{1}, {});  // waits in a ring that no block has looked at
    engine_->close();
    EXPECT_EQ(sequences(What::handled), Sequences{2});
    EXPECT_EQ(sequences(What::discarded), (Sequences{1, 3, 6, 7, 9, 10, 1}));
    engine_->close();
    opened_.reset();
    engine_.reset();
    EXPECT_EQ(processor_->calls(What::discarded).size(), 7U) << "the second close gives nothing back";
}

TEST_F(Scheduling, a_cue_that_finds_no_room_comes_back) {
    for (std::size_t sent = 0; sent <= Schedule::line_capacity; ++sent) {
        line().send(Play::kind, Play{1}, {.frame = 100'000});
        if (sent % 256 == 255) render(64);
    }
    render(64);
    EXPECT_EQ(sequences(What::discarded), Sequences{Schedule::line_capacity + 1});
}

TEST_F(Scheduling, an_engine_that_never_ran_gives_everything_back_when_it_is_closed) {
    const auto processor = std::make_shared<GridProcessor>();
    Engine engine{std::make_unique<StepDevice>(format), processor};
    for (int sent = 0; sent < 1000; ++sent) engine.control().send(Play::kind, Play{1});
    engine.close();
    EXPECT_EQ(processor->calls(What::discarded).size(), 1000U);
}

TEST_F(Scheduling, the_offline_device_gives_back_what_it_has_taken_ahead) {
    make(std::make_unique<OfflineDevice>(format));
    for (int sent = 0; sent < 1000; ++sent) line().send(Play::kind, Play{1}, {.frame = 1000});
    EXPECT_TRUE(engine_->make_room(0, 1024));
    for (int sent = 0; sent < 1000; ++sent) line().send(Play::kind, Play{1}, {.frame = 1000});
    engine_->close();
    EXPECT_EQ(processor_->calls(What::discarded).size(), 2000U);
}

TEST_F(Scheduling, on_the_offline_device_as_many_can_be_scheduled_as_there_are_commands) {
    make(std::make_unique<OfflineDevice>(format));
    for (int sent = 0; sent < 3000; ++sent) {
        line().send(Quantized::kind, Quantized{.at = 100'000, .value = 1}, {.frame = 10});
        if (sent % 1000 == 999) engine_->make_room(0, 1024);
    }
    render(64);
    EXPECT_EQ(engine_->stats().cues.pending, 3000U);
    EXPECT_EQ(engine_->stats().cues.refused, 0U);
}

TEST_F(Scheduling, begin_block_comes_once_a_block_before_commands_and_segments) {
    send(Play{1}, {.frame = 10});
    send(Play{1}, {.frame = 20});
    render(128);
    EXPECT_EQ(processor_->order(), (std::vector{What::begun, What::rendered, What::handled, What::rendered,
                                                What::handled, What::rendered, What::begun, What::rendered}));
    EXPECT_EQ(processor_->calls(What::begun)[1].frame, 64U);
}

TEST_F(Scheduling, begin_block_comes_before_the_cues_of_the_blocks_first_frame) {
    send(Play{1}, {.frame = 64});
    render(128);
    EXPECT_EQ(processor_->order(),
              (std::vector{What::begun, What::rendered, What::begun, What::handled, What::rendered}));
}

}  // namespace
}  // namespace cueline::test
