"""Counts of what a recording lost, from the number that the source gave each frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Recorded", "count", "worst_of"]

_NUMBERS = 1 << 24  # in the source


@dataclass(frozen=True)
class Recorded:
    """What one recording got, from its first frame to its last."""

    frames: int
    """Frames that the source played between the two."""
    lost: int
    """Those of them that are not in the recording."""
    gaps: int
    gap_ms: float
    """Longest gap; 0 if there is none."""


def count(samples: npt.NDArray[np.float32], samplerate: int) -> Recorded:
    """Count what a recording lost. Zeros, and frames that came before, are none of the source's frames."""
    numbers = np.rint(samples.astype(np.float64) * _NUMBERS).astype(np.int64)
    numbers = numbers[numbers > 0]
    if len(numbers) == 0:
        return Recorded(0, 0, 0, 0.0)
    latest = np.maximum.accumulate(numbers)
    new = latest[np.concatenate([[True], np.diff(latest) > 0])]
    missing = np.diff(new) - 1
    return Recorded(
        frames=int(new[-1] - new[0]) + 1,
        lost=int(missing.sum()),
        gaps=int((missing > 0).sum()),
        gap_ms=int(missing.max(initial=0)) / samplerate * 1e3,
    )


def worst_of(rounds: Sequence[Recorded]) -> Recorded:
    """Return all rounds together, of which there is at least one: sums, and the longest gap."""
    return Recorded(
        frames=sum(one.frames for one in rounds),
        lost=sum(one.lost for one in rounds),
        gaps=sum(one.gaps for one in rounds),
        gap_ms=max(one.gap_ms for one in rounds),
    )
