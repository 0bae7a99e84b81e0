// engine_report.hpp: what the audio thread reports about its blocks.
#pragma once

#include <cueline/counter.hpp>
#include <cueline/latest.hpp>
#include <cueline/monotonic.hpp>

namespace cueline {

/// The audio thread writes it. Any thread may read the counters. One thread at a time may read `block_time`.
struct EngineReport {
    Latest<BlockTime> block_time;
    Counter blocks;
    Counter frames;
    Counter unhandled;
    Counter not_finite;
    Counter cues_pending;
    Counter cues_late;
    Counter cues_dropped_late;
    Counter cues_refused;
    Counter cues_cancelled;
};

}  // namespace cueline
