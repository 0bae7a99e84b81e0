// engine_report.hpp: what the audio thread reports about its blocks.
#pragma once

#include <cueline/counter.hpp>
#include <cueline/monotonic.hpp>
#include <cueline/seqlock.hpp>
#include <cueline/timeline.hpp>

namespace cueline {

/// The audio thread writes it, and any thread may read it.
struct EngineReport {
    Seqlock<BlockTime> block_time;
    Seqlock<Timeline> timeline;
    Counter blocks;
    Counter frames;
    Counter unhandled;
    Counter refused;
    Counter refused_unconfirmed;
    Counter not_finite;
    Counter not_finite_inputs;
    Counter cues_pending;
    Counter cues_late;
    Counter cues_dropped_late;
    Counter cues_refused;
    Counter cues_cancelled;
};

}  // namespace cueline
