"""How late the null device's thread wakes for its blocks: measured, and judged by what a block leaves room for."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from cueline.commands.doctor.findings import Finding, fail, ok, warn
from cueline.engine import AudioEngine

__all__ = ["BLOCKSIZE", "SAMPLERATE", "Bucket", "Wakeups", "measure", "wakeup_lateness"]

BLOCKSIZE = 128
SAMPLERATE = 48_000

# What is OK, as docs/python.md tells it.
_MAX_WORST = 0.5  # of a block: the rest of it has to do for the processor's work
_MOST_P99 = 0.1  # of a block
_MAX_LOST = 0.001  # of all blocks: more than that is a FAIL

_LARGEST_BLOCKSIZE = 8192


@dataclass(frozen=True)
class Bucket:
    """So many blocks began at least so late, and less late than its end."""

    least_ns: int
    end_ns: int
    count: int


@dataclass(frozen=True)
class Wakeups:
    """A run of the null device."""

    seconds: float
    realtime_priority: bool
    memory_locked: bool
    missed: int
    """Blocks that were left out, the thread being too late for them."""
    worst_ns: int
    buckets: Sequence[Bucket]
    """In order, none of them empty."""

    block_ns = BLOCKSIZE * 1e9 / SAMPLERATE

    @property
    def blocks(self) -> int:
        """Those that were run."""
        return sum(bucket.count for bucket in self.buckets)

    @property
    def lost(self) -> int:
        """Blocks that were left out, or began when they had to be done: a gap each."""
        return self.missed + sum(bucket.count for bucket in self.buckets if bucket.least_ns >= self.block_ns)

    def late_ns(self, fraction: float) -> int:
        """Return what this fraction of all blocks was late by at most, to an eighth; those left out count as worst."""
        rank = math.ceil(fraction * (self.blocks + self.missed))
        for bucket in self.buckets:
            rank -= bucket.count
            if rank <= 0:
                return min(bucket.end_ns, self.worst_ns)
        return self.worst_ns


def measure(seconds: float) -> Wakeups:
    """Run the null device for so long. Raises DeviceError when it cannot start."""
    with AudioEngine("null", samplerate=SAMPLERATE, blocksize=BLOCKSIZE) as engine:
        time.sleep(seconds)
        engine.stop()
        stats = engine.stats()
        worst_ns, buckets = engine._lateness()
    return Wakeups(
        seconds=seconds,
        realtime_priority=stats.realtime_priority,
        memory_locked=stats.memory_locked,
        missed=stats.missed_blocks,
        worst_ns=worst_ns,
        buckets=[Bucket(*bucket) for bucket in buckets],
    )


def wakeup_lateness(wakeups: Wakeups) -> Finding:
    """Judge a run: OK where every block had half its time left, FAIL where more than one in a thousand was lost."""
    name, why = "wake-up lateness", f"what a block begins late is lost to its {wakeups.block_ns / 1e3:.0f} us"
    if wakeups.blocks == 0:
        return fail(name, f"no block within {wakeups.seconds:g} s", why, "cueline doctor --seconds 10")
    p99_ns = wakeups.late_ns(0.99)
    due = wakeups.blocks + wakeups.missed
    found = f"p99 {p99_ns / 1e3:.0f} us, worst {wakeups.worst_ns / 1e3:.0f} us, {wakeups.lost} of {due} blocks lost"
    mend = f"engine = cueline.AudioEngine(blocksize={_roomy_blocksize(wakeups)})  # Python: such blocks have room"
    if wakeups.lost > _MAX_LOST * due:
        return fail(name, found, why, mend)
    if wakeups.lost or wakeups.worst_ns > _MAX_WORST * wakeups.block_ns or p99_ns > _MOST_P99 * wakeups.block_ns:
        return warn(name, found, why, mend)
    return ok(name, found, why)


def _roomy_blocksize(wakeups: Wakeups) -> int:
    """Return the least power of two by which this run would have been OK, or the largest that an engine takes."""
    needed_ns = max(wakeups.worst_ns / _MAX_WORST, wakeups.late_ns(0.99) / _MOST_P99)
    blocksize = 2 * BLOCKSIZE
    while blocksize < _LARGEST_BLOCKSIZE and blocksize * 1e9 / SAMPLERATE < needed_ns:
        blocksize *= 2
    return blocksize
