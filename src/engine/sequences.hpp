// sequences.hpp: plays lists of commands at beats: sends each to the audio thread some time before its beat.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include <cueline/device.hpp>
#include <cueline/engine/engine_stats.hpp>
#include <cueline/line.hpp>
#include <cueline/link.hpp>
#include <cueline/message.hpp>
#include <cueline/ring.hpp>
#include <cueline/timeline.hpp>

#include "engine/engine_report.hpp"
#include "engine/stream_pool.hpp"
#include "system/own_thread.hpp"

namespace cueline {

inline constexpr std::size_t max_sequence_cues = 256;       ///< of one sequence, that wait in the schedule at a time
inline constexpr std::size_t max_sequence_events = 65'536;  ///< of one sequence, that are taken at once: so it ends
inline constexpr double sequence_ahead_s = 0.5;             ///< how long before its beat a command is sent
inline constexpr double sequence_ahead_beats = 1;           ///< or this, if it is longer: a tempo may jump up
inline constexpr double least_swing = 0.5;
inline constexpr double most_swing = 0.75;

/// A command at a beat, which counts from where its sequence begins.
struct TimedMessage {
    double beat = 0;
    Message message;
};

/// Delays every second note of a grid. `share` is the part of two such notes that the first one takes: 0.5 is straight,
/// 2/3 is a triplet's. What lies between the notes moves with them, so that the order stays.
struct Swing {
    double share = least_swing;
    double grid = 0.5;  ///< the length of a note in beats: 0.5 is an eighth

    [[nodiscard]] double moved(double beat) const noexcept;
};

/// What a sequence plays: a list, or what somebody appends to it. Sequences guards it.
class Score {
  public:
    /// A list, which it sorts by beat. If `loop_beats` is not 0, it repeats: then all beats are below it.
    Score(std::vector<TimedMessage> events, double loop_beats, const Swing& swing);

    /// One that grows: see Sequences::append().
    explicit Score(const Swing& swing) : swing_{swing}, grows_{true} {}

  private:
    friend class Sequences;

    Swing swing_;
    std::vector<TimedMessage> events_;
    double loop_beats_ = 0;
    bool grows_ = false;  // until it is finished
    bool over_ = false;   // nobody will play more of it
    double reached_ = 0;  // what will be appended is not before this beat
    double wanted_ = -1;  // the beat up to which it should have grown by now
};

/// A score that is being played. Its owner keeps it to control it. Sequences guards it.
class Sequence {
  private:
    friend class Sequences;

    /// What the audio thread had done when a time was requested: see Sequences::resolve().
    struct Read {
        std::uint64_t commands = 0;           // of line 0 that were sent
        std::optional<std::uint64_t> blocks;  // that were over when they were read
    };

    /// A score, and when it begins; without a score, the sequence ends then.
    struct Passage {
        std::shared_ptr<Score> score;
        Delivery at;
        Read read;
        bool resolved = false;
        double begin = 0;   // the first beat that belongs to it
        double origin = 0;  // where the score's beat 0 is, in its first round
        std::int64_t round = 0;
        std::size_t next = 0;  // of its events
    };

    /// An event that was taken from its score, and waits to be sent.
    struct Held {
        double beat;
        std::uint64_t number;  // in the order in which they were taken
        Message message;
        bool was_mute = false;  // it was cancelled by a mute: if it is over, it was not meant to be heard
    };

    std::deque<Passage> passages_;  // the one that plays, and those that replace it
    std::deque<Held> held_;         // by beat
    std::uint64_t taken_ = 0;
    std::size_t sent_ = 0;  // cues that wait in the ring or in the schedule
    std::uint8_t flags_ = 0;
    bool muted_ = false;
    bool over_ = false;
    SequenceCounts counts_;
};

/// The sequences of an engine. They share one line. A thread of its own sends their commands ahead of time, as cues in
/// beats with confirmations; on a device that renders on demand, feed() does so before each block. It takes all from
/// the published timeline, so that the audio thread has nothing to do but to apply cues.
/// [control threads, several at once, unless a call says something else]
class Sequences {
  public:
    /// All that is passed by reference must outlive it.
    Sequences(const Link& link, const EngineReport& report, Device& device, StreamPool& streams) noexcept
        : link_{link}, report_{&report}, device_{&device}, streams_{&streams} {}
    Sequences(const Sequences&) = delete;
    Sequences& operator=(const Sequences&) = delete;
    ~Sequences();

    /// Whether open() was called.
    [[nodiscard]] bool is_open() const noexcept { return open_.load(std::memory_order_acquire); }

    /// Takes the line of all sequences, and the number of which feed()'s caller needs. Call it once.
    void open(Line line);

    /// Plays `score` from `at` on. `at.flags` may have delivery::drop_if_late. Starts the thread if none runs. Throws
    /// DeviceError if the system refuses a thread, ClosedError after end().
    [[nodiscard]] std::shared_ptr<Sequence> play(std::shared_ptr<Score> score, const Delivery& at);

    /// Plays `score` in place of what plays, from `at` on. If it repeats, its rounds are those of the first score.
    /// Returns false if the sequence is over, or has an end.
    bool replace(Sequence& sequence, std::shared_ptr<Score> score, const Delivery& at);

    /// Ends a sequence at `at`, or at once. What waits for a later beat is cancelled.
    void stop(Sequence& sequence, const Delivery& at);

    /// While a sequence is mute, its events pass without being sent, and those that wait are cancelled.
    void mute(Sequence& sequence, bool muted);
    [[nodiscard]] bool muted(const Sequence& sequence) const;

    /// Whether nothing of it will come any more.
    [[nodiscard]] bool over(const Sequence& sequence);
    [[nodiscard]] SequenceCounts counts(const Sequence& sequence);

    /// The counts of all sequences, as EngineStats has them.
    [[nodiscard]] SequenceCounts counts();

    /// Appends an event to a score that grows. Its beat is not below the last one's.
    void append(Score& score, const TimedMessage& event);

    /// What will be appended is not before `beat`.
    void reach(Score& score, double beat);

    /// Nothing more will be appended.
    void finish(Score& score);

    /// Up to which beat events should have been appended by now, or nothing if nobody plays the score any more.
    [[nodiscard]] std::optional<double> wanted(const Score& score) const;

    /// Whether any sequence plays.
    [[nodiscard]] bool any() const;

    /// Cancels cues of a line that the audio side has read, before the next block applies those of its first frame.
    using CancelNow = std::function<void(std::uint8_t line, std::span<const std::uint32_t> sequences)>;

    /// What feed() has sent, and not.
    struct Fed {
        bool fits = true;             // false: the line's ring is full. Make room, and call it again
        std::uint32_t sent = 0;       // the number of the last command on the line
        std::optional<double> moves;  // the beat of that command, if it may move the timeline
        std::optional<double> next;   // the beat of the first one that was held back, by that or for want of room
    };

    /// Sends what may be due in the next block, in the order of beats: as many commands as the line may confirm, and up
    /// to the first for which `moves` returns true. The caller ends the block where the next one is due.
    /// [the thread that renders on demand, between two blocks] Allocates.
    Fed feed(const CancelNow& cancel_now, const std::function<bool(const Message&)>& moves);

    /// Sends what is due soon, as the thread does by itself. Allocates.
    void feed();

    /// Takes back what was sent for frames after the next one, before the timeline moves there. The next feed() sends
    /// it again, or leaves it out. [the thread that renders on demand, between two blocks] Allocates.
    void recall(const CancelNow& cancel_now);

    /// Ends all sequences, and the thread. No call of play() succeeds any more.
    void end() noexcept;

  private:
    /// A command that waits in the ring or in the schedule, by its number on the line.
    struct Flight {
        std::shared_ptr<Sequence> sequence;
        Sequence::Held event;
        enum class Cancel : std::uint8_t { no, wanted, sent } cancel = Cancel::no;
        bool returns = false;  // it is held again when it is cancelled
    };

    /// The timeline as the last block left it, and what follows from it.
    struct Clock {
        Timeline timeline;
        double first = 0;    // the first beat that is not over
        double soon = 0;     // the first beat for which a command that is sent now is not late
        double exact = 0;    // the beat of the frame that is meant by "now"
        double horizon = 0;  // events up to here are sent now
        double lost = 0;     // events before it are left out

        /// Whether `beat` is before `limit`, and does not come in another round of the timeline's loop.
        [[nodiscard]] bool is_over(double beat, double limit) const noexcept {
            return beat < limit && (timeline.looping == 0 || beat < timeline.loop_start);
        }
    };

    [[nodiscard]] bool on_demand() const noexcept { return device_->rendering() != nullptr; }
    [[nodiscard]] Clock read_clock() const;
    [[nodiscard]] Sequence::Read commands_so_far() const;
    [[nodiscard]] bool was_read(Sequence::Read& read) const;
    [[nodiscard]] std::optional<double> beat_of(Sequence::Passage& passage, const Clock& clock) const;
    void run();
    [[nodiscard]] Clock begin_feed();
    void feed_all();
    void settle();
    void remove_ended();
    void take_reports();
    void resolve(Sequence& sequence, const Clock& clock);
    static void seek(Sequence::Passage& passage, double beat);
    static void forget_what_a_mute_left_out(Sequence& sequence, const Clock& clock);
    void take_events(Sequence& sequence, const Clock& clock);
    [[nodiscard]] static double next_beat(const Sequence::Passage& passage);
    [[nodiscard]] static bool makes_room_for_next(const Sequence& sequence, double beat, const Clock& clock);
    void take_event(Sequence& sequence, double beat, const Clock& clock);
    [[nodiscard]] bool has_next(Sequence& sequence, const Clock& clock);
    [[nodiscard]] bool send_next(const std::shared_ptr<Sequence>& sequence);
    void send_held(const std::shared_ptr<Sequence>& sequence, const Clock& clock);
    void send_cancels();
    void cancel(Sequence& sequence, double from, bool returns);
    static void hold(Sequence& sequence, const Sequence::Held& event);
    void leave_out(Sequence& sequence, std::uint64_t events);
    static void drop(Sequence::Passage& passage);
    [[nodiscard]] static SequenceCounts counts_of(const Message& report);
    // NOLINTNEXTLINE(bugprone-unchecked-optional-access): it is open before anything plays
    [[nodiscard]] Line& line() { return *line_; }
    [[nodiscard]] static bool is_over(const Sequence& sequence);

    Link link_;
    const EngineReport* report_;
    Device* device_;
    StreamPool* streams_;

    std::atomic<bool> open_ = false;  // release and acquire: whoever finds it open may play
    mutable std::mutex mutex_;        // guards what follows
    std::optional<Line> line_;
    std::vector<std::shared_ptr<Sequence>> playing_;
    std::unordered_map<std::uint32_t, Flight> flights_;  // as many as the line has room to confirm
    SequenceCounts total_;
    bool ended_ = false;
    bool running_ = false;  // the thread

    OwnThread thread_;
};

}  // namespace cueline
