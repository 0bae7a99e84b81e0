"""Counts of what the observer saw: missed deadlines, and the longest gap between two blocks of sound."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Account", "RecordError", "Summary", "count", "summarise"]


class RecordError(Exception):
    """The observer's record cannot be used."""


@dataclass(frozen=True)
class Account:
    """One contender under one load, once."""

    cycles: int
    """Cycles that the server ran."""
    missed: int
    """Those of them that ended without a new block of the contender."""
    gap_ms: float
    """Longest time from one cycle with a new block to the next, in cycles that the server ran. At least one block."""
    jumped: int
    """New blocks that were not the next piece of the tone, so that something between was never heard."""
    lost: int
    """Cycles that the server left out because it was late: no contender's fault, and not counted above."""
    beat_ms: float
    """Longest time between two of the server's cycles, by the machine's clock."""


@dataclass(frozen=True)
class Summary:
    """One contender under one load, over all rounds."""

    cycles: int
    missed: int
    """Of all rounds together."""
    missed_median: float
    """Of one round."""
    missed_worst: int
    gap_median_ms: float
    gap_worst_ms: float
    lost: int
    beat_worst_ms: float


def count(lines: Iterable[str], *, samplerate: int, block_frames: int) -> Account:
    """Count what the observer printed. Raises RecordError for a wrong line and for an empty record."""
    clock: dict[int, int] = {}
    heard: list[tuple[int, str]] = []
    for line in lines:
        match line.split():
            case ["clock", frame, ns]:
                clock.setdefault(int(frame), int(ns))
            case ["heard", frame, _, what]:
                heard.append((int(frame), what))
            case _:
                raise RecordError(f"the observer printed {line.strip()!r}")
    if len(clock) < 2:
        raise RecordError("the observer's clock saw no cycles: has the server stopped?")

    first, last = min(clock), max(clock)
    within = [(frame, what) for frame, what in heard if first <= frame <= last]
    new = {frame for frame, what in within if what in ("continued", "jumped")}
    # The clock may be late too, and miss a cycle in which a block was heard.
    cycles = sorted(clock.keys() | new)
    # A gap at the beginning or end of the record counts as far as it was seen.
    longest_run = max(
        len(list(run)) if missed else 0 for missed, run in itertools.groupby(cycles, lambda c: c not in new)
    )
    # By time, because after a delay the server's count of frames may continue anywhere.
    due = (clock[last] - clock[first]) / 1e9 * samplerate / block_frames + 1
    beats = [later - earlier for earlier, later in itertools.pairwise(sorted(clock.values()))]
    return Account(
        cycles=len(cycles),
        missed=len(cycles) - len(new),
        gap_ms=(longest_run + 1) * block_frames / samplerate * 1e3,
        jumped=sum(what == "jumped" for _, what in within),
        lost=max(0, round(due) - len(cycles)),
        beat_ms=max(beats) / 1e6,
    )


def summarise(accounts: Sequence[Account]) -> Summary:
    """Return medians and the worst of the rounds, of which there is at least one."""
    missed = [account.missed for account in accounts]
    gaps = [account.gap_ms for account in accounts]
    return Summary(
        cycles=sum(account.cycles for account in accounts),
        missed=sum(missed),
        missed_median=statistics.median(missed),
        missed_worst=max(missed),
        gap_median_ms=statistics.median(gaps),
        gap_worst_ms=max(gaps),
        lost=sum(account.lost for account in accounts),
        beat_worst_ms=max(account.beat_ms for account in accounts),
    )
