"""How an engine fares, in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cueline import _core

__all__ = ["BufferStats", "CueStats", "RingStats", "Stats", "ring_stats"]


@dataclass(frozen=True)
class RingStats:
    """How one ring fared since the engine was made."""

    sent: int
    """Messages that it accepted."""
    dropped: int
    """Messages that it refused, being full."""
    high_water: int
    """Most that waited at a block's boundary; the ring's capacity once one was refused."""


@dataclass(frozen=True)
class CueStats:
    """How the commands fared that were sent for a frame. A transaction counts as one."""

    pending: int
    """Commands that waited for their frame as the last block ended; a transaction's each, and one for the whole."""
    late: int
    """Applied after their frame, for the audio thread read them after it."""
    dropped_late: int
    """Left out for that, as their sender wished."""
    refused: int
    """For which the schedule had no room."""
    cancelled: int


@dataclass(frozen=True)
class BufferStats:
    """How an engine's buffers fare, those that ``publish`` hands over."""

    in_use: int
    """Buffers there are now: in slots, on their way to the audio thread, and on their way back."""
    limit: int
    """Most that there may be; then ``publish`` refuses."""
    published: int
    """Buffers that were accepted."""
    refused: int
    """Buffers that were refused because ``limit`` were in use."""
    bytes: int
    """Memory that those in use take."""
    memory_locked: bool
    """Whether all of it is locked."""


@dataclass(frozen=True)
class Stats:
    """How an engine fares. Each number is a snapshot of its own, taken while the audio goes on."""

    device: str
    samplerate: int
    """Frames a second."""
    blocksize: int
    """Frames in a block."""
    channels: int
    blocks: int
    frames: int
    unhandled: int
    """Commands of a kind that nobody knew."""
    xruns: int
    """Times the device missed its beat."""
    missed_blocks: int
    """Blocks left out by them."""
    load_mean: float
    """Time the callback took, as a fraction of the block: mean."""
    load_peak: float
    """The most of it in any one block."""
    realtime_priority: bool
    """Whether the audio thread was granted it."""
    memory_locked: bool
    """Whether the memory of the engine and its device was locked (a processor's own is its own matter)."""
    commands: RingStats
    """Of the engine's own line; a line has its own."""
    events: RingStats
    confirmations: RingStats
    cues: CueStats
    buffers: BufferStats


def ring_stats(counts: _core.RingStats) -> RingStats:
    """Return what C++ counted."""
    return RingStats(sent=counts.sent, dropped=counts.dropped, high_water=counts.high_water)
