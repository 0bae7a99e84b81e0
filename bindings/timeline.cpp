// timeline.cpp: MusicalTime and TimelineSnapshot.
#include "timeline.hpp"

#include <nanobind/stl/optional.h>

#include <cstdint>
#include <optional>

#include <cueline/timeline.hpp>

#include "bindings.hpp"
#include "methods.hpp"

namespace cueline::python {

namespace nb = nanobind;
using namespace nb::literals;

namespace {

double beat_at(const Timeline& timeline, std::uint64_t frame) {
    return timeline.beat_at(static_cast<double>(frame));
}

double tempo_at(const Timeline& timeline, std::uint64_t frame) {
    return timeline.tempo_at(static_cast<double>(frame));
}

std::optional<std::uint64_t> frame_at(const Timeline& timeline, double beat) {
    const std::uint64_t frame = nearest_frame(timeline.frame_at(beat));
    return frame <= max_frame ? std::optional{frame} : std::nullopt;
}

std::uint64_t first_frame(const Timeline& timeline) {
    return nearest_frame(timeline.map.first_frame());
}

nb::tuple signature(const Timeline& timeline) {
    return nb::make_tuple(timeline.signature_beats, timeline.signature_unit);
}

nb::object loop(const Timeline& timeline) {
    if (timeline.loop_start == timeline.loop_end) return nb::none();
    return nb::make_tuple(timeline.loop_start, timeline.loop_end);
}

void bind_timeline_types(nb::module_& module) {
    nb::class_<MusicalTime>(module, "MusicalTime", "A time in beats, for `at`.")
        .def(nb::init<bool, double>(), "is_grid"_a, "beats"_a)
        .def_prop_ro("_beats", of_made(&MusicalTime::beats))
        .def_prop_ro("_is_grid", of_made(&MusicalTime::is_grid));
    nb::class_<Timeline>(module, "TimelineSnapshot")
        .def("beat_at", &beat_at, "frame"_a)
        .def("tempo_at", &tempo_at, "frame"_a)
        .def("frame_at", &frame_at, "beat"_a)
        .def("next_line", &Timeline::next_line, "beat"_a, "beats"_a)
        .def_prop_ro("first_frame", &first_frame)
        .def_prop_ro("running", &Timeline::running)
        .def_prop_ro("signature", &signature, nb::sig("def signature(self) -> tuple[int, int]"))
        .def_prop_ro("loop", &loop, nb::sig("def loop(self) -> tuple[float, float] | None"));
}

}  // namespace

void bind_timeline(nb::module_& module) {
    bind_once<MusicalTime, Timeline>(module, &bind_timeline_types);
    module.attr("LOWEST_TEMPO") = lowest_tempo;
    module.attr("HIGHEST_TEMPO") = highest_tempo;
    module.attr("SHORTEST_RAMP") = shortest_ramp;
    module.attr("LONGEST_RAMP") = longest_ramp;
    module.attr("SHORTEST_LOOP") = shortest_loop;
    module.attr("HIGHEST_BEAT") = highest_beat;
    module.attr("MOST_SIGNATURE") = most_signature;
}

}  // namespace cueline::python
