"""How late the null device begins its blocks: measured, and compared with the length of a block."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from cueline.commands.doctor.findings import Finding, fail, ok, warn
from cueline.engine import AudioEngine

__all__ = ["BLOCKSIZE", "SAMPLERATE", "Bucket", "Lateness", "lateness", "measure"]

BLOCKSIZE = 128
SAMPLERATE = 48_000

# The limits for OK. docs/command-line.md has them too.
_MAX_WORST = 0.5  # of a block: the rest is left for the processor
_MAX_P99 = 0.1  # of a block
_MAX_LOST = 0.001  # of all blocks: more is a FAIL

_LARGEST_BLOCKSIZE = 8192


@dataclass(frozen=True)
class Bucket:
    """How many blocks began from ``least_ns`` to less than ``end_ns`` late."""

    least_ns: int
    end_ns: int
    count: int


@dataclass(frozen=True)
class Lateness:
    """The lateness of the blocks in one run of the null device."""

    seconds: float
    realtime_priority: bool
    memory_locked: bool
    missed: int
    """Blocks that were left out because the thread was too late for them."""
    worst_ns: int
    buckets: Sequence[Bucket]
    """In order; none is empty."""

    block_ns = BLOCKSIZE * 1e9 / SAMPLERATE

    @property
    def blocks(self) -> int:
        """The number of blocks that ran."""
        return sum(bucket.count for bucket in self.buckets)

    @property
    def lost(self) -> int:
        """Blocks that were left out, or began when they should have ended: each is a gap in the sound."""
        return self.missed + sum(bucket.count for bucket in self.buckets if bucket.least_ns >= self.block_ns)

    def late_ns(self, fraction: float) -> int:
        """Return the lateness that this fraction of all blocks did not exceed, exact to an eighth.

        Blocks that were left out count as the worst.
        """
        rank = math.ceil(fraction * (self.blocks + self.missed))
        for bucket in self.buckets:
            rank -= bucket.count
            if rank <= 0:
                return min(bucket.end_ns, self.worst_ns)
        return self.worst_ns


def measure(seconds: float) -> Lateness:
    """Run the null device for ``seconds``. Raises DeviceError if it cannot start."""
    with AudioEngine("null", processor="silence", samplerate=SAMPLERATE, blocksize=BLOCKSIZE) as engine:
        time.sleep(seconds)
        engine.stop()
        stats = engine.stats()
        worst_ns, buckets = engine._lateness()
    return Lateness(
        seconds=seconds,
        realtime_priority=stats.realtime_priority,
        memory_locked=stats.memory_locked,
        missed=stats.missed_blocks,
        worst_ns=worst_ns,
        buckets=[Bucket(*bucket) for bucket in buckets],
    )


def lateness(run: Lateness) -> Finding:
    """Judge a run: OK if every block had half its time left, FAIL if more than one in a thousand was lost."""
    name, why = "lateness", f"a block that begins late has less than its {run.block_ns / 1e3:.0f} us"
    if run.blocks == 0:
        return fail(name, f"no block within {run.seconds:g} s", why, "cueline doctor --seconds 10")
    p99_ns = run.late_ns(0.99)
    due = run.blocks + run.missed
    found = f"p99 {p99_ns / 1e3:.0f} us, worst {run.worst_ns / 1e3:.0f} us, {run.lost} of {due} blocks lost"
    fix = f"engine = cueline.AudioEngine(blocksize={_roomy_blocksize(run)})  # in Python: larger blocks"
    if run.lost > _MAX_LOST * due:
        return fail(name, found, why, fix)
    if run.lost or run.worst_ns > _MAX_WORST * run.block_ns or p99_ns > _MAX_P99 * run.block_ns:
        return warn(name, found, why, fix)
    return ok(name, found, why)


def _roomy_blocksize(run: Lateness) -> int:
    """Return the least power of two with which this run would be OK, or the largest block size."""
    needed_ns = max(run.worst_ns / _MAX_WORST, run.late_ns(0.99) / _MAX_P99)
    blocksize = 2 * BLOCKSIZE
    while blocksize < _LARGEST_BLOCKSIZE and blocksize * 1e9 / SAMPLERATE < needed_ns:
        blocksize *= 2
    return blocksize
