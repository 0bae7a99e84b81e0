// sequences.cpp: takes events from scores, sends them ahead of their beats, and follows what becomes of them.
#include "engine/sequences.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <new>
#include <numeric>
#include <thread>
#include <utility>

#include <cueline/engine_messages.hpp>
#include <cueline/error.hpp>

#include "engine/streams.hpp"

namespace cueline {

namespace {

constexpr std::chrono::milliseconds between_feeds{5};
constexpr double least_ahead_s = 0.02;  // some feeds, and the blocks that read what they send
constexpr std::size_t min_blocks_ahead = 2;
constexpr double never = -1;

}  // namespace

double Swing::moved(double beat) const noexcept {
    if (share == least_swing) return beat;
    const double pairs = beat / (2 * grid);
    const double whole = std::floor(pairs);
    const double half = 2 * (pairs - whole);  // 1 is the second note
    return 2 * grid * (whole + (half < 1 ? half * share : share + (half - 1) * (1 - share)));
}

Score::Score(std::vector<TimedMessage> events, double loop_beats, const Swing& swing)
    : swing_{swing}, events_{std::move(events)}, loop_beats_{loop_beats} {
    // Events of one beat keep their order. (clang warns of libstdc++'s stable_sort, which calls what C++20 deprecates.)
    std::vector<std::uint32_t> order(events_.size());
    std::iota(order.begin(), order.end(), std::uint32_t{0});
    std::ranges::sort(order, {}, [this](std::uint32_t place) { return std::pair{events_[place].beat, place}; });
    std::vector<TimedMessage> sorted;
    sorted.reserve(order.size());
    for (const std::uint32_t place : order) sorted.push_back(events_[place]);
    events_ = std::move(sorted);
    for (TimedMessage& event : events_) event.beat = swing.moved(event.beat);
}

Sequences::~Sequences() {
    // In a forked child, the parent's thread may have held the mutex at the fork. OwnThread leaves that thread alone.
    if (!thread_.is_the_parents()) end();
}

void Sequences::open(Line line) {
    const std::scoped_lock lock{mutex_};
    line_.emplace(std::move(line));
    line_->stop_events();  // what answers the commands goes to line 0
    open_.store(true, std::memory_order_release);
}

std::shared_ptr<Sequence> Sequences::play(std::shared_ptr<Score> score, const Delivery& at) {
    auto sequence = std::make_shared<Sequence>();
    const std::scoped_lock lock{mutex_};
    if (ended_) throw ClosedError{"this engine is closed: make a new one"};
    sequence->flags_ = at.flags & delivery::drop_if_late;
    sequence->passages_.push_back({.score = std::move(score), .at = at, .read = commands_so_far()});
    playing_.reserve(playing_.size() + 1);
    if (!on_demand() && !running_) {
        thread_.join();  // it has left its loop
        thread_.start("a sequence", [this] { run(); });
        running_ = true;
    }
    playing_.push_back(sequence);
    return sequence;
}

bool Sequences::replace(Sequence& sequence, std::shared_ptr<Score> score, const Delivery& at) {
    const std::scoped_lock lock{mutex_};
    if (sequence.over_ || sequence.passages_.empty() || sequence.passages_.back().score == nullptr) return false;
    sequence.passages_.push_back({.score = std::move(score), .at = at, .read = commands_so_far()});
    return true;
}

void Sequences::stop(Sequence& sequence, const Delivery& at) {
    const std::scoped_lock lock{mutex_};
    if (sequence.over_ || sequence.passages_.empty()) return;
    if (at.is_cue()) {
        sequence.passages_.push_back({.score = nullptr, .at = at, .read = commands_so_far()});
        return;
    }
    for (Sequence::Passage& passage : sequence.passages_) drop(passage);
    sequence.passages_.clear();
    cancel(sequence, never, false);
}

void Sequences::mute(Sequence& sequence, bool muted) {
    const std::scoped_lock lock{mutex_};
    if (!sequence.muted_ && muted) cancel(sequence, never, true);
    if (sequence.muted_ && !muted && !ended_ && line_) take_events(sequence, read_clock());  // those that are over
    sequence.muted_ = muted;
}

bool Sequences::muted(const Sequence& sequence) const {
    const std::scoped_lock lock{mutex_};
    return sequence.muted_;
}

bool Sequences::over(const Sequence& sequence) {
    const std::scoped_lock lock{mutex_};
    settle();
    return sequence.over_;
}

SequenceCounts Sequences::counts(const Sequence& sequence) {
    const std::scoped_lock lock{mutex_};
    settle();
    return sequence.counts_;
}

SequenceCounts Sequences::counts() {
    const std::scoped_lock lock{mutex_};
    settle();
    SequenceCounts counts = total_;
    counts.playing = playing_.size();
    return counts;
}

void Sequences::append(Score& score, const TimedMessage& event) {
    const std::scoped_lock lock{mutex_};
    score.events_.push_back(event);
    score.events_.back().beat = score.swing_.moved(event.beat);
}

void Sequences::finish(Score& score) {
    const std::scoped_lock lock{mutex_};
    score.grows_ = false;
}

void Sequences::reach(Score& score, double beat) {
    const std::scoped_lock lock{mutex_};
    score.reached_ = beat;
}

std::optional<double> Sequences::wanted(const Score& score) const {
    const std::scoped_lock lock{mutex_};
    return score.over_ ? std::nullopt : std::optional{score.wanted_};
}

bool Sequences::any() const {
    const std::scoped_lock lock{mutex_};
    return !playing_.empty();
}

void Sequences::recall(const CancelNow& cancel_now) {
    const std::scoped_lock lock{mutex_};
    if (ended_ || !line_) return;
    take_reports();
    const double next = read_clock().timeline.first_beat(report_->frames.get() + 1);
    std::vector<std::uint32_t> numbers;
    for (auto& [number, flight] : flights_) {
        const bool is_later = flight.cancel == Flight::Cancel::no && flight.event.beat >= next;
        if (!is_later && flight.cancel != Flight::Cancel::wanted) continue;
        if (is_later) flight.returns = true;
        flight.cancel = Flight::Cancel::sent;
        numbers.push_back(number);
    }
    if (numbers.empty()) return;
    cancel_now(line().number(), numbers);
    take_reports();
}

Sequences::Fed Sequences::feed(const CancelNow& cancel_now, const std::function<bool(const Message&)>& moves) {
    const std::scoped_lock lock{mutex_};
    Fed fed;
    if (ended_ || !line_) return fed;
    const Clock clock = begin_feed();
    std::vector<std::uint32_t> numbers;
    for (const auto& [number, flight] : flights_) {
        if (flight.cancel == Flight::Cancel::wanted) numbers.push_back(number);
    }
    if (!numbers.empty()) cancel_now(line().number(), numbers);
    take_reports();
    std::vector<std::size_t> waiting;  // a heap of indices: the first one has the earliest beat
    for (std::size_t index = 0; index < playing_.size(); ++index) {
        take_events(*playing_[index], clock);
        if (has_next(*playing_[index], clock)) waiting.push_back(index);
    }
    const auto later = [this](std::size_t one, std::size_t other) {
        const double beat = playing_[one]->held_.front().beat;
        const double others = playing_[other]->held_.front().beat;
        return beat > others || (beat == others && one > other);
    };
    std::ranges::make_heap(waiting, later);
    while (!waiting.empty()) {
        std::ranges::pop_heap(waiting, later);
        const std::shared_ptr<Sequence>& sequence = playing_[waiting.back()];
        const double beat = sequence->held_.front().beat;
        if (fed.moves || flights_.size() >= MessageRing::capacity) {
            fed.next = beat;
            break;
        }
        if (moves(sequence->held_.front().message)) fed.moves = beat;
        if (!send_next(sequence)) {
            fed.fits = false;
            break;
        }
        if (has_next(*sequence, clock)) {
            std::ranges::push_heap(waiting, later);
        } else {
            waiting.pop_back();
        }
    }
    fed.sent = line().sequence();
    remove_ended();
    return fed;
}

void Sequences::feed() {
    const std::scoped_lock lock{mutex_};
    feed_all();
}

void Sequences::end() noexcept {
    {
        const std::scoped_lock lock{mutex_};
        ended_ = true;
        for (const std::shared_ptr<Sequence>& sequence : playing_) {
            for (Sequence::Passage& passage : sequence->passages_) drop(passage);
            sequence->over_ = true;
        }
        playing_.clear();
        flights_.clear();
    }
    thread_.join();
}

/// The thread lives while something plays.
void Sequences::run() {
    while (true) {
        {
            const std::scoped_lock lock{mutex_};
            try {
                feed_all();
                // NOLINTNEXTLINE(bugprone-empty-catch): what was not sent is still there for the next time
            } catch (const std::bad_alloc&) {
            }
            if (playing_.empty()) {
                running_ = false;
                return;
            }
        }
        std::this_thread::sleep_for(between_feeds);
    }
}

Sequences::Clock Sequences::begin_feed() {
    take_reports();
    const Clock clock = read_clock();
    for (const std::shared_ptr<Sequence>& sequence : playing_) resolve(*sequence, clock);
    return clock;
}

void Sequences::feed_all() {
    if (ended_ || !line_) return;
    const Clock clock = begin_feed();
    send_cancels();
    for (const std::shared_ptr<Sequence>& sequence : playing_) {
        take_events(*sequence, clock);
        send_held(sequence, clock);
    }
    remove_ended();
}

/// So that nobody has to wait for the next feed to hear about the last block.
void Sequences::settle() {
    if (ended_ || !line_) return;
    take_reports();
    const Clock clock = read_clock();
    for (const std::shared_ptr<Sequence>& sequence : playing_) forget_what_a_mute_left_out(*sequence, clock);
    remove_ended();
}

void Sequences::forget_what_a_mute_left_out(Sequence& sequence, const Clock& clock) {
    while (sequence.muted_ && !sequence.held_.empty() && clock.is_over(sequence.held_.front().beat, clock.soon)) {
        sequence.held_.pop_front();
    }
}

void Sequences::remove_ended() {
    std::erase_if(playing_, [](const std::shared_ptr<Sequence>& sequence) {
        sequence->over_ = is_over(*sequence);
        return sequence->over_;
    });
}

Sequences::Clock Sequences::read_clock() const {
    Clock clock;
    while (!report_->timeline.read(clock.timeline)) std::this_thread::yield();
    const Timeline& timeline = clock.timeline;
    const std::uint64_t now = report_->frames.get();
    const Format format = device_->format();
    // The last segment may begin less than half a frame after the block.
    const double frame = std::max(static_cast<double>(now), timeline.map.last().frame);
    const double block_s = static_cast<double>(format.blocksize) / format.samplerate;
    const double beats_per_s = timeline.tempo_at(frame) / 60;
    clock.first = timeline.first_beat(now);
    if (on_demand()) {
        // A tempo may jump inside the block, and no event of the block may be missing.
        clock.soon = clock.first;
        clock.exact = timeline.beat_at(frame);
        clock.horizon = clock.exact + block_s * highest_tempo / 60;
    } else {
        const double ahead_s = std::max(least_ahead_s, min_blocks_ahead * block_s);
        const std::uint64_t soon = now + static_cast<std::uint64_t>(ahead_s * format.samplerate);
        clock.soon = timeline.first_beat(soon);
        clock.exact = timeline.beat_at(static_cast<double>(soon));
        // The tempo may rise meanwhile, and a timeline that stands may start.
        const double send_s = sequence_ahead_s + ahead_s;
        clock.horizon = std::max({clock.exact, timeline.map.beat_at(frame + send_s * format.samplerate),
                                  clock.first + std::max(sequence_ahead_beats, send_s * beats_per_s)});
    }
    clock.lost = clock.first - std::max(sequence_ahead_beats, sequence_ahead_s * beats_per_s);
    return clock;
}

Sequence::Read Sequences::commands_so_far() const {
    return {.commands = link_.line(0).commands.messages.tail(), .blocks = std::nullopt};
}

/// Returns whether the timeline has what the commands before `read` did. They were read, and that block is over.
bool Sequences::was_read(Sequence::Read& read) const {
    if (on_demand()) return true;  // the caller of feed() saw to it
    const std::uint64_t blocks = report_->blocks.get();
    const MessageRing& commands = link_.line(0).commands.messages;
    if (read.blocks) return blocks > *read.blocks;
    const std::size_t unread = commands.size();  // first: the tail only grows
    if (commands.tail() - unread >= read.commands) read.blocks = blocks;
    return false;
}

/// Returns the beat at which a passage begins, if it can be told yet.
std::optional<double> Sequences::beat_of(Sequence::Passage& passage, const Clock& clock) const {
    const Delivery& at = passage.at;
    if ((at.flags & delivery::beat) != 0) return std::bit_cast<double>(at.frame);
    if (!was_read(passage.read)) return std::nullopt;
    double beat = clock.exact;
    if ((at.flags & delivery::grid) != 0) {
        beat = clock.timeline.line_to_come(clock.soon, std::bit_cast<double>(at.frame));
    } else if (at.is_cue()) {
        beat = clock.timeline.beat_at(static_cast<double>(at.frame));
    }
    return beat < endless ? std::optional{beat} : std::nullopt;
}

/// Finds out when the passages begin. One that begins takes the place of all that were to begin at its beat or later.
void Sequences::resolve(Sequence& sequence, const Clock& clock) {
    std::deque<Sequence::Passage>& passages = sequence.passages_;
    for (std::size_t index = 0; index < passages.size(); ++index) {
        if (passages[index].resolved) continue;
        const std::optional<double> beat = beat_of(passages[index], clock);
        if (!beat) return;
        const double origin = passages.front().origin;
        std::size_t first = index;
        while (first > 0 && passages[first - 1].begin >= *beat) drop(passages[--first]);
        if (index > 0) cancel(sequence, *beat, false);
        Sequence::Passage& passage = passages[index];
        passage.resolved = true;
        passage.begin = passage.origin = *beat;
        if (passage.score != nullptr && passage.score->loop_beats_ > 0) {
            if (index > 0) passage.origin = origin;
            // What is over of a loop that began in the past was never meant to be heard.
            seek(passage, clock.is_over(*beat, clock.soon) ? clock.soon : *beat);
        }
        passages.erase(passages.begin() + static_cast<std::ptrdiff_t>(first),
                       passages.begin() + static_cast<std::ptrdiff_t>(index));
        index = first;
    }
}

/// Goes to the first event from `beat` on, in a score that repeats.
void Sequences::seek(Sequence::Passage& passage, double beat) {
    const Score& score = *passage.score;
    passage.next = 0;
    passage.round = static_cast<std::int64_t>(std::floor((beat - passage.origin) / score.loop_beats_)) - 1;
    if (score.events_.empty()) return;
    const auto at = [&] {
        return passage.origin +
               (static_cast<double>(passage.round) * score.loop_beats_ + score.events_[passage.next].beat);
    };
    while (at() < beat) {
        if (++passage.next < score.events_.size()) continue;
        passage.next = 0;
        ++passage.round;
    }
}

/// Moves the events up to the horizon from the scores to what is held, as many as may be held.
void Sequences::take_events(Sequence& sequence, const Clock& clock) {
    const std::size_t most = on_demand() ? max_sequence_events : max_sequence_cues;
    forget_what_a_mute_left_out(sequence, clock);
    std::size_t looked_at = 0;
    while (!sequence.passages_.empty() && sequence.held_.size() < most && looked_at < max_sequence_events) {
        Sequence::Passage& passage = sequence.passages_.front();
        if (!passage.resolved || passage.score == nullptr) return;
        if (!passage.score->over_) passage.score->wanted_ = clock.horizon - passage.origin;
        const double beat = next_beat(passage);
        if (makes_room_for_next(sequence, beat, clock)) {
            drop(passage);
            sequence.passages_.pop_front();
            continue;
        }
        if (beat > clock.horizon || beat == endless) return;
        take_event(sequence, beat, clock);
        ++looked_at;
    }
}

/// Returns the beat of the next event of a passage, or `endless`.
double Sequences::next_beat(const Sequence::Passage& passage) {
    const Score& score = *passage.score;
    if (passage.next >= score.events_.size()) return endless;
    const double beats = static_cast<double>(passage.round) * score.loop_beats_ + score.events_[passage.next].beat;
    return std::max(0.0, passage.origin + beats);
}

/// Whether the passage that plays, whose next event is at `beat`, has no more events before the next passage begins.
bool Sequences::makes_room_for_next(const Sequence& sequence, double beat, const Clock& clock) {
    if (sequence.passages_.size() < 2 || !sequence.passages_[1].resolved) return false;
    const double end = sequence.passages_[1].begin;
    if (beat < end) return false;
    // A score that grows may have events before `end` that were not appended yet, until it is time.
    const Sequence::Passage& passage = sequence.passages_.front();
    const bool may_grow = beat == endless && passage.score->grows_ && passage.origin + passage.score->reached_ < end;
    return !may_grow || end <= clock.soon;
}

/// Takes the next event, which is at `beat`: holds it, or leaves it out if it is over.
void Sequences::take_event(Sequence& sequence, double beat, const Clock& clock) {
    Sequence::Passage& passage = sequence.passages_.front();
    Score& score = *passage.score;
    const bool repeats = score.loop_beats_ > 0;
    if (clock.is_over(beat, clock.lost)) {
        leave_out(sequence, 1);
        // Whole rounds at once: a locate() may go over any number of them.
        const double rounds = repeats ? std::floor((clock.lost - beat) / score.loop_beats_) - 1 : 0;
        if (rounds > 0 && passage.next == 0) {
            passage.round += static_cast<std::int64_t>(rounds);
            leave_out(sequence, static_cast<std::uint64_t>(rounds) * score.events_.size());
        }
    } else if (!sequence.muted_ || !clock.is_over(beat, clock.soon)) {
        const Message& message = score.events_[passage.next].message;
        sequence.held_.push_back({.beat = beat, .number = sequence.taken_++, .message = message});
    }
    if (++passage.next < score.events_.size()) return;
    if (repeats) {
        passage.next = 0;
        ++passage.round;
    } else if (score.grows_) {
        score.events_.clear();
        passage.next = 0;
    }
}

/// Whether an event is held that is to be sent. Leaves out those that are over.
bool Sequences::has_next(Sequence& sequence, const Clock& clock) {
    if (sequence.muted_) return false;
    std::deque<Sequence::Held>& held = sequence.held_;
    while (!held.empty()) {
        const bool was_mute = held.front().was_mute && clock.is_over(held.front().beat, clock.soon);
        if (!was_mute) {
            if (!clock.is_over(held.front().beat, clock.lost)) return true;
            leave_out(sequence, 1);
        }
        held.pop_front();
    }
    return false;
}

/// Sends the first event that is held. Returns false if the ring is full.
bool Sequences::send_next(const std::shared_ptr<Sequence>& sequence) {
    const Sequence::Held& event = sequence->held_.front();
    Message command = event.message;
    command.frame = std::bit_cast<std::uint64_t>(event.beat);
    command.flags |= static_cast<std::uint8_t>(delivery::beat | delivery::confirm | sequence->flags_);
    const std::uint32_t number = sequence_after(line().sequence());
    flights_.emplace(number, Flight{.sequence = sequence, .event = event});
    if (line().room() > 0 && Streams::takes(command.kind)) streams_->offer(Streams::handle_of(command));
    if (line().try_send(command) != Status::ok) {
        flights_.erase(number);
        return false;
    }
    ++sequence->sent_;
    sequence->held_.pop_front();
    return true;
}

/// Sends what is held. If the ring is full, the rest is held until the next time.
void Sequences::send_held(const std::shared_ptr<Sequence>& sequence, const Clock& clock) {
    // The schedule, and the ring of confirmations, take 1024 of one line.
    const std::size_t share = MessageRing::capacity / std::max<std::size_t>(1, playing_.size());
    const std::size_t most = std::clamp<std::size_t>(share, 1, max_sequence_cues);
    while (sequence->sent_ < most && flights_.size() < MessageRing::capacity && has_next(*sequence, clock)) {
        if (!send_next(sequence)) return;
    }
}

/// Marks what waits from `from` on to be cancelled. `returns`: it is held again then.
void Sequences::cancel(Sequence& sequence, double from, bool returns) {
    for (auto& [number, flight] : flights_) {
        if (flight.sequence.get() != &sequence || flight.event.beat < from) continue;
        if (returns) flight.event.was_mute = true;
        flight.returns = returns && (flight.cancel == Flight::Cancel::no || flight.returns);
        if (flight.cancel == Flight::Cancel::no) flight.cancel = Flight::Cancel::wanted;
    }
    if (returns) return;
    std::erase_if(sequence.held_, [from](const Sequence::Held& event) { return event.beat >= from; });
}

void Sequences::send_cancels() {
    for (auto& [number, flight] : flights_) {
        if (flight.cancel != Flight::Cancel::wanted) continue;
        Message command = Message::of(Cancel{number});
        if (line().try_send(command) != Status::ok) return;
        flight.cancel = Flight::Cancel::sent;
    }
}

/// Takes what the audio thread has reported.
void Sequences::take_reports() {
    Message report;
    while (line().receive_confirmation(report) == Status::ok) {
        const auto found = flights_.find(report.sequence);
        if (found == flights_.end()) continue;  // of an earlier owner of the line
        const Flight flight = std::move(found->second);
        flights_.erase(found);
        Sequence& sequence = *flight.sequence;
        --sequence.sent_;
        const bool is_cancelled =
            report.kind == kind::refused && report.as<Refused>().reason == Reason::cancelled && flight.returns;
        if (is_cancelled) hold(sequence, flight.event);
        const SequenceCounts change = counts_of(report);
        for (SequenceCounts* const counts : {&sequence.counts_, &total_}) {
            counts->played += change.played;
            counts->late += change.late;
            counts->refused += change.refused;
            counts->refused_by_processor += change.refused_by_processor;
        }
    }
}

/// Puts an event back to its place among those that are held.
void Sequences::hold(Sequence& sequence, const Sequence::Held& event) {
    const auto later = [](const Sequence::Held& one, const Sequence::Held& other) {
        return one.beat < other.beat || (one.beat == other.beat && one.number < other.number);
    };
    sequence.held_.insert(std::ranges::upper_bound(sequence.held_, event, later), event);
}

void Sequences::leave_out(Sequence& sequence, std::uint64_t events) {
    if (sequence.muted_) return;
    sequence.counts_.late += events;
    total_.late += events;
    if ((sequence.flags_ & delivery::drop_if_late) == 0) total_.left_out += events;
}

void Sequences::drop(Sequence::Passage& passage) {
    if (passage.score != nullptr) passage.score->over_ = true;
}

/// What a report adds to the counts.
SequenceCounts Sequences::counts_of(const Message& report) {
    if (report.kind == kind::applied) {
        const bool late = report.as<Applied>().late;
        return {.played = 1, .late = late ? std::uint64_t{1} : 0};
    }
    switch (report.as<Refused>().reason) {
        case Reason::cancelled:
            return {};
        case Reason::late:
            return {.late = 1};
        case Reason::schedule_full:
        case Reason::unknown:
            return {.refused = 1};
        default:
            return {.refused = 1, .refused_by_processor = 1};
    }
}

/// Whether nothing of it waits, and nothing will.
bool Sequences::is_over(const Sequence& sequence) {
    if (sequence.sent_ > 0 || !sequence.held_.empty()) return false;
    if (sequence.passages_.empty()) return true;
    const Sequence::Passage& passage = sequence.passages_.front();
    if (passage.score == nullptr) return passage.resolved;
    const Score& score = *passage.score;
    return sequence.passages_.size() == 1 && passage.resolved && score.loop_beats_ == 0 && !score.grows_ &&
           passage.next >= score.events_.size();
}

}  // namespace cueline
