"""A drum pattern in text, and the exact frame of each of its hits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

__all__ = ["HOUSE", "Hit", "Pattern", "PatternError", "beat_of", "frame_of"]

STEPS_A_BEAT = 4
STEPS_A_BAR = 16
VELOCITIES = {"X": 1.0, "x": 0.8, "o": 0.4}
RESTS = "-."

HOUSE = """
kick        X---x---X---x---|X---x---X---x-o-
clap        ----x-------x---|----x-------x---
closed-hat  o-o-o-o-o-o-o-o-|o-o-o-o-o-o-ooox
open-hat    --x---x---x---x-|--x---x---x---x-
rim         ---o--o----o----|---o--o---o-----
cowbell     ----------------|-----------o--o-
tom         ----------------|------------xx-x
snare       ----o-------o---|----o-------o-oo
"""


class PatternError(ValueError):
    """A pattern that cannot be read. The text says where, and what is allowed."""


class Hit(NamedTuple):
    """A pad to trigger: the step, counted from 0, and the velocity, from 0 to 1."""

    step: int
    pad: int
    velocity: float


class Pattern:
    """Lines with a pad's name and its steps, which are sixteenths: ``X`` loud, ``x``, ``o`` soft, ``-`` or ``.`` none.

    ``|`` and blanks between steps are ignored. ``#`` begins a comment. Lines that are shorter than the longest repeat.
    ``names`` are the names of the pads, in order. Raises PatternError.
    """

    def __init__(self, text: str, names: Sequence[str]) -> None:
        lines: dict[int, str] = {}
        for number, line in enumerate(text.splitlines(), 1):
            name, *rest = line.split("#")[0].split() or [""]
            if not name:
                continue
            if name not in names:
                raise PatternError(f"line {number}: no pad is called {name!r}: there are {', '.join(names)}")
            steps = "".join(rest).replace("|", "")
            for step in steps:
                if step not in VELOCITIES and step not in RESTS:
                    raise PatternError(f"line {number}: a step is one of X x o - and ., got {step!r}")
            if not steps:
                raise PatternError(f"line {number}: {name} has no steps")
            if names.index(name) in lines:
                raise PatternError(f"line {number}: {name} has a line already")
            lines[names.index(name)] = steps
        if not lines:
            raise PatternError("a pattern has at least one line: a pad's name and its steps, as in 'kick x---x---'")
        self.steps = max(map(len, lines.values()))
        """Number of steps before the pattern repeats."""
        self._hits = [
            [
                Hit(step, pad, VELOCITIES[steps[step % len(steps)]])
                for pad, steps in sorted(lines.items())
                if steps[step % len(steps)] in VELOCITIES
            ]
            for step in range(self.steps)
        ]

    def hits(self, steps: int | None = None) -> Iterator[Hit]:
        """Yield the hits of the first ``steps`` steps, in order; without ``steps``, repeat for ever."""
        if steps is None and not any(self._hits):
            raise PatternError("a pattern without a hit has no end to play to")
        step = 0
        while steps is None or step < steps:
            for hit in self._hits[step % self.steps]:
                yield hit._replace(step=step)
            step += 1


def beat_of(step: int, swing: float = 0) -> float:
    """Return the beat of a step, in quarter notes. ``swing``, from 0 to 1, delays every second step by this part."""
    return float((step + Fraction(swing) * (step % 2)) / STEPS_A_BEAT)


def frame_of(step: int, bpm: float, samplerate: int, swing: float = 0) -> int:
    """Return the frame of a step at a constant tempo, counted from the beginning and rounded: errors do not add up."""
    place = step + Fraction(swing) * (step % 2)
    return round(place * 60 * samplerate / (Fraction(bpm) * STEPS_A_BEAT))
