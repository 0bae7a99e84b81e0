"""How one ring fared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cueline import _core

__all__ = ["RingStats", "ring_stats"]


@dataclass(frozen=True)
class RingStats:
    """How one ring fared since the engine was made."""

    sent: int
    """Messages that it accepted."""
    dropped: int
    """Messages that it refused, being full."""
    high_water: int
    """Most that waited at a block's boundary; the ring's capacity once one was refused."""


def ring_stats(counts: _core.RingCounts) -> RingStats:
    """Return what C++ counted."""
    return RingStats(sent=counts.sent, dropped=counts.dropped, high_water=counts.high_water)
