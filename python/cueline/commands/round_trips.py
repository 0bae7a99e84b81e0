"""Round trips of pings: the parts of each, and the spread of many."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["RoundTrip", "RoundTrips", "Spread"]

_MAX_KEPT = 100_000


@dataclass(frozen=True)
class RoundTrip:
    """One ping and its pong, in nanoseconds: three parts that add up to the whole."""

    sequence: int
    frame: int
    """The first frame of the block that answered."""
    send_ns: int
    """The time of the call ping()."""
    block_ns: int
    """From the return of ping() until the block that answered began; 0 if that block was already running."""
    look_ns: int
    """From then until we received the pong."""

    @property
    def total_ns(self) -> int:
        """From the call of ping() until we received the pong."""
        return self.send_ns + self.block_ns + self.look_ns

    @staticmethod
    def measured(
        sequence: int, frame: int, *, called_ns: int, returned_ns: int, block_ns: int, seen_ns: int
    ) -> RoundTrip:
        """Split a round trip at these times of the monotonic clock."""
        answered_ns = max(block_ns, returned_ns)
        return RoundTrip(
            sequence=sequence,
            frame=frame,
            send_ns=returned_ns - called_ns,
            block_ns=answered_ns - returned_ns,
            look_ns=max(seen_ns - answered_ns, 0),
        )


@dataclass(frozen=True)
class Spread:
    """Minimum, median, mean, 99th percentile and maximum, in nanoseconds."""

    min: float
    median: float
    avg: float
    p99: float
    max: float


class RoundTrips:
    """A collection of round trips. Its memory is bounded: of more than a hundred thousand, it keeps a random sample."""

    def __init__(self, seed: int = 0) -> None:
        self.count = 0
        self.kept: list[RoundTrip] = []
        self._random = random.Random(seed)

    def add(self, trip: RoundTrip) -> None:
        """Add a round trip (reservoir sampling: Vitter, 1985, algorithm R)."""
        self.count += 1
        if len(self.kept) < _MAX_KEPT:
            self.kept.append(trip)
        elif (place := self._random.randrange(self.count)) < _MAX_KEPT:
            self.kept[place] = trip

    def spread(self, part: Callable[[RoundTrip], int]) -> Spread | None:
        """Return the spread of one part over the kept round trips; None if there are none."""
        if not self.kept:
            return None
        times = sorted(map(part, self.kept))

        def least_above(percent: int) -> float:  # the smallest time that at least so many do not exceed
            return times[-(-len(times) * percent // 100) - 1]

        avg = sum(times) / len(times)
        return Spread(min=times[0], median=least_above(50), avg=avg, p99=least_above(99), max=times[-1])
