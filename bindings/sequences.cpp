// sequences.cpp: Score and Sequence: lists of commands at beats, and what plays them.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/error.hpp>
#include <cueline/message.hpp>

#include "bindings.hpp"
#include "engine/sequences.hpp"
#include "errors.hpp"
#include "methods.hpp"
#include "sender.hpp"
#include "without_gil.hpp"

namespace cueline::python {

namespace nb = nanobind;
using namespace nb::literals;

namespace {

/// Python's Score: what a sequence plays.
class ScoreHandle {
  public:
    /// `events` is a list of (beat, message), whose beats are checked, an array of records with beats, or None for a
    /// score that grows. The records are for `part`: see to_part().
    ScoreHandle(nb::handle_t<SenderHandle> engine, nb::handle events, Kind array_kind, std::size_t part,
                double loop_beats, double share, double grid)
        : shared_{made(engine).shared()} {
        const Swing swing{.share = share, .grid = grid};
        if (events.is_none()) {
            score_ = std::make_shared<Score>(swing);
            return;
        }
        std::vector<TimedMessage> all;
        if (PyList_Check(events.ptr()) != 0) {
            const auto list = nb::borrow<nb::list>(events);
            all.reserve(list.size());
            for (const nb::handle event : list) {
                all.push_back({nb::cast<double>(event[0]), shared_->checked_command(event[1])});
            }
        } else {
            const std::vector<Message> records = made(engine).checked_records(events, array_kind, part);
            all.reserve(records.size());
            for (const Message& record : records) all.push_back({std::bit_cast<double>(record.frame), record});
        }
        const WithoutGil without_gil;
        score_ = std::make_shared<Score>(std::move(all), loop_beats, swing);
    }

    void append(double beat, nb::handle message) {
        const Message command = shared_->checked_command(message);
        const WithoutGil without_gil;
        sequences().append(*score_, {.beat = beat, .message = command});
    }
    void reach(double beat) {
        const WithoutGil without_gil;
        sequences().reach(*score_, beat);
    }
    void finish() {
        const WithoutGil without_gil;
        sequences().finish(*score_);
    }
    [[nodiscard]] std::optional<double> wanted() const {
        if (shared_->engine->forked() || shared_->engine->closed()) return std::nullopt;
        const WithoutGil without_gil;
        return sequences().wanted(*score_);
    }

    [[nodiscard]] const std::shared_ptr<SharedEngine>& shared() const { return shared_; }
    [[nodiscard]] const std::shared_ptr<Score>& score() const { return score_; }

  private:
    [[nodiscard]] Sequences& sequences() const { return shared_->engine->sequences(); }

    std::shared_ptr<SharedEngine> shared_;
    std::shared_ptr<Score> score_;
};

/// Python's Sequence, without its iterator. If it is collected, the sequence plays on.
class SequenceHandle {
  public:
    SequenceHandle(const ScoreHandle& score, nb::handle at, nb::handle late) : shared_{score.shared()} {
        const Delivery delivery = checked_delivery(at, late);
        shared_->engine->require_usable();
        {
            const std::scoped_lock lock{shared_->opening};
            if (!sequences().is_open()) sequences().open(shared_->open_offered_line(Events::own));
        }
        const WithoutGil without_gil;
        sequence_ = sequences().play(score.score(), delivery);
    }

    /// Returns false if the sequence is over, or has an end.
    bool replace(const ScoreHandle& score, nb::handle at) {
        const Delivery delivery = checked(at);
        const WithoutGil without_gil;
        return sequences().replace(*sequence_, score.score(), delivery);
    }
    void stop(nb::handle at) {
        const Delivery delivery = checked(at);
        const WithoutGil without_gil;
        sequences().stop(*sequence_, delivery);
    }
    void set_mute(bool muted) {
        shared_->engine->require_usable();
        const WithoutGil without_gil;
        sequences().mute(*sequence_, muted);
    }
    [[nodiscard]] bool mute() const {
        shared_->engine->require_own_process();
        const WithoutGil without_gil;
        return sequences().muted(*sequence_);
    }
    [[nodiscard]] bool over() const {
        shared_->engine->require_own_process();
        const WithoutGil without_gil;
        return sequences().over(*sequence_);
    }
    [[nodiscard]] nb::tuple counts() const {
        shared_->engine->require_own_process();
        SequenceCounts counts;
        {
            const WithoutGil without_gil;
            counts = sequences().counts(*sequence_);
        }
        return nb::make_tuple(counts.played, counts.late, counts.refused);
    }

  private:
    [[nodiscard]] Delivery checked(nb::handle at) const {
        const Delivery delivery = checked_delivery(at, nb::str{"apply"});
        shared_->engine->require_usable();
        return delivery;
    }
    [[nodiscard]] Sequences& sequences() const { return shared_->engine->sequences(); }

    std::shared_ptr<SharedEngine> shared_;
    std::shared_ptr<Sequence> sequence_;
};

void bind_sequence_types(nb::module_& module) {
    nb::class_<ScoreHandle>(module, "Score", "What a sequence plays.")
        .def(
            nb::init<nb::handle_t<SenderHandle>, nb::handle, Kind, std::size_t, double, double, double>(), "engine"_a,
            "events"_a.none(), "array_kind"_a, "part"_a, "loop_beats"_a, "swing"_a, "grid"_a,
            nb::sig(
                "def __init__(self, engine: Sender, events: list[tuple[float, object]] | "
                "numpy.typing.NDArray[numpy.void] | None, array_kind: int, part: int, loop_beats: float, swing: float, "
                "grid: float) -> None"))
        .def("append", &ScoreHandle::append, "beat"_a, "message"_a.none())
        .def("reach", &ScoreHandle::reach, "beat"_a)
        .def("finish", &ScoreHandle::finish)
        .def_prop_ro("wanted", &ScoreHandle::wanted);
    nb::class_<SequenceHandle>(module, "PlayingSequence", "A score that is being played.")
        .def(nb::init<const ScoreHandle&, nb::handle, nb::handle>(), "score"_a, "at"_a.none(), "late"_a.none(),
             nb::sig("def __init__(self, score: Score, at: typing.SupportsIndex | MusicalTime | None, late: str) "
                     "-> None"))
        .def("replace", &SequenceHandle::replace, "score"_a, "at"_a.none(),
             nb::sig("def replace(self, score: Score, at: typing.SupportsIndex | MusicalTime | None) -> bool"))
        .def("stop", &SequenceHandle::stop, "at"_a.none(),
             nb::sig("def stop(self, at: typing.SupportsIndex | MusicalTime | None) -> None"))
        .def_prop_rw("mute", &SequenceHandle::mute, &SequenceHandle::set_mute)
        .def_prop_ro("over", &SequenceHandle::over)
        .def_prop_ro("counts", &SequenceHandle::counts, nb::sig("def counts(self) -> tuple[int, int, int]"));
}

}  // namespace

void bind_sequences(nb::module_& module) {
    bind_once<ScoreHandle, SequenceHandle>(module, &bind_sequence_types);
    module.attr("LEAST_SWING") = least_swing;
    module.attr("MAX_SEQUENCE_EVENTS") = max_sequence_events;
    module.attr("MOST_SWING") = most_swing;
}

}  // namespace cueline::python
