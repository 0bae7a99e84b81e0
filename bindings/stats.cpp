// stats.cpp: RingStats, CueStats, BufferStats and EngineStats: read-only numbers.
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cueline/engine/engine.hpp>

#include "bindings.hpp"

namespace cueline::python {

namespace nb = nanobind;

namespace {

void bind_stats_types(nb::module_& module) {
    nb::class_<RingStats>(module, "RingStats")
        .def_ro("sent", &RingStats::sent)
        .def_ro("dropped", &RingStats::dropped)
        .def_ro("high_water", &RingStats::high_water);

    nb::class_<LineStats>(module, "LineStats")
        .def_ro("commands", &LineStats::commands)
        .def_ro("events", &LineStats::events)
        .def_ro("confirmations", &LineStats::confirmations);

    nb::class_<CueStats>(module, "CueStats")
        .def_ro("pending", &CueStats::pending)
        .def_ro("late", &CueStats::late)
        .def_ro("dropped_late", &CueStats::dropped_late)
        .def_ro("refused", &CueStats::refused)
        .def_ro("cancelled", &CueStats::cancelled);

    nb::class_<BufferStats>(module, "BufferStats")
        .def_ro("published", &BufferStats::published)
        .def_ro("refused", &BufferStats::refused)
        .def_ro("in_use", &BufferStats::in_use)
        .def_ro("limit", &BufferStats::limit)
        .def_ro("curves", &BufferStats::curves)
        .def_ro("bytes", &BufferStats::bytes)
        .def_ro("bytes_locked", &BufferStats::bytes_locked)
        .def_ro("memory_locked", &BufferStats::memory_locked);

    nb::class_<SequenceCounts>(module, "SequenceCounts")
        .def_ro("playing", &SequenceCounts::playing)
        .def_ro("played", &SequenceCounts::played)
        .def_ro("late", &SequenceCounts::late)
        .def_ro("refused", &SequenceCounts::refused);

    nb::class_<MidiStats>(module, "MidiStats")
        .def_ro("received", &MidiStats::received)
        .def_ro("dropped", &MidiStats::dropped)
        .def_ro("sysex", &MidiStats::sysex)
        .def_ro("sent", &MidiStats::sent)
        .def_ro("unsent", &MidiStats::unsent)
        .def_ro("late", &MidiStats::late);

    nb::class_<EngineStats, LineStats>(module, "EngineStats")
        .def_ro("blocks", &EngineStats::blocks)
        .def_ro("frames", &EngineStats::frames)
        .def_ro("unhandled", &EngineStats::unhandled)
        .def_ro("refused", &EngineStats::refused)
        .def_ro("not_finite", &EngineStats::not_finite)
        .def_ro("not_finite_inputs", &EngineStats::not_finite_inputs)
        .def_ro("lines", &EngineStats::lines)
        .def_ro("cues", &EngineStats::cues)
        .def_ro("buffers", &EngineStats::buffers)
        .def_ro("sequences", &EngineStats::sequences)
        .def_ro("midi", &EngineStats::midi)
        .def_ro("streams", &EngineStats::streams)
        .def_prop_ro("xruns", [](const EngineStats& stats) { return stats.device_stats.xruns; })
        .def_prop_ro("missed_blocks", [](const EngineStats& stats) { return stats.device_stats.missed_blocks; })
        .def_prop_ro("load_mean", [](const EngineStats& stats) { return stats.device_stats.load_mean; })
        .def_prop_ro("load_peak", [](const EngineStats& stats) { return stats.device_stats.load_peak; })
        .def_prop_ro("realtime_priority", [](const EngineStats& stats) { return stats.device_stats.realtime_priority; })
        .def_prop_ro("memory_locked", [](const EngineStats& stats) { return stats.device_stats.memory_locked; });
}

}  // namespace

void bind_stats(nb::module_& module) {
    bind_once<RingStats, LineStats, CueStats, BufferStats, SequenceCounts, MidiStats, EngineStats>(module,
                                                                                                   &bind_stats_types);
}

}  // namespace cueline::python
