// counts.cpp: RingCounts, CueCounts, BufferCounts and EngineStats: numbers, to be read.
#include "counts.hpp"

#include <nanobind/stl/string.h>

#include "engine.hpp"

namespace nb = nanobind;

namespace {

using cueline::BufferStats;
using cueline::CueCounts;
using cueline::EngineStats;
using cueline::RingCounts;

void bind_anew(nb::module_& module) {
    nb::class_<RingCounts>(module, "RingCounts")
        .def_ro("sent", &RingCounts::sent)
        .def_ro("dropped", &RingCounts::dropped)
        .def_ro("high_water", &RingCounts::high_water);

    nb::class_<CueCounts>(module, "CueCounts")
        .def_ro("pending", &CueCounts::pending)
        .def_ro("late", &CueCounts::late)
        .def_ro("dropped_late", &CueCounts::dropped_late)
        .def_ro("refused", &CueCounts::refused)
        .def_ro("cancelled", &CueCounts::cancelled);

    nb::class_<BufferStats>(module, "BufferCounts")
        .def_ro("published", &BufferStats::published)
        .def_ro("refused", &BufferStats::refused)
        .def_ro("in_use", &BufferStats::in_use)
        .def_ro("bytes", &BufferStats::bytes)
        .def_ro("memory_locked", &BufferStats::memory_locked);

    nb::class_<EngineStats>(module, "EngineStats")
        .def_ro("blocks", &EngineStats::blocks)
        .def_ro("frames", &EngineStats::frames)
        .def_ro("unhandled", &EngineStats::unhandled)
        .def_ro("commands", &EngineStats::commands)
        .def_ro("events", &EngineStats::events)
        .def_ro("confirmations", &EngineStats::confirmations)
        .def_ro("cues", &EngineStats::cues)
        .def_ro("buffers", &EngineStats::buffers)
        .def_prop_ro("xruns", [](const EngineStats& stats) { return stats.device_stats.xruns; })
        .def_prop_ro("missed_blocks", [](const EngineStats& stats) { return stats.device_stats.missed_blocks; })
        .def_prop_ro("load_mean", [](const EngineStats& stats) { return stats.device_stats.load_mean; })
        .def_prop_ro("load_peak", [](const EngineStats& stats) { return stats.device_stats.load_peak; })
        .def_prop_ro("realtime_priority", [](const EngineStats& stats) { return stats.device_stats.realtime_priority; })
        .def_prop_ro("memory_locked", [](const EngineStats& stats) { return stats.device_stats.memory_locked; });
}

}  // namespace

void bind_counts(nb::module_& module) {
    const bool anew = !nb::type<EngineStats>().is_valid();
    if (anew) bind_anew(module);
    for (const nb::handle type :
         {nb::type<RingCounts>(), nb::type<CueCounts>(), nb::type<BufferStats>(), nb::type<EngineStats>()}) {
        if (anew) type.inc_ref();  // bound once a process: see bind_engine()
        module.attr(type.attr("__name__")) = type;
    }
}
