"""Times in beats: what ``at=`` takes beside a frame."""

from __future__ import annotations

from cueline import _core
from cueline.arguments import checked_number, shown
from cueline.errors import ArgumentError, ArgumentTypeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, SupportsIndex

    When = SupportsIndex | _core.MusicalTime | None
    """What ``at=`` takes: a frame, a Beat, a Grid, or None: as soon as the audio thread reads the command."""

__all__ = ["Beat", "Grid", "checked_beat", "next_bar", "next_beat", "next_grid"]

_FINEST_GRID = 1 / 1024


class Beat(_core.MusicalTime):
    """A beat of the timeline: a number of quarter notes, from 0. Its frame changes with the tempo.

    ``at=cueline.Beat(8.5)`` is the middle of the ninth quarter note. It is immutable. Raises ArgumentError for a number
    below 0, for NaN and for infinity; ArgumentTypeError.
    """

    __slots__ = ()

    def __init__(self, beat: float) -> None:
        super().__init__(False, checked_beat("beat", beat))

    @property
    def beat(self) -> float:
        """The number of the beat: quarter notes, from 0."""
        return self._beats

    def __eq__(self, other: object) -> bool:
        return self._beats == other._beats if isinstance(other, Beat) else NotImplemented

    def __lt__(self, other: Beat) -> bool:
        return self._beats < other._beats if isinstance(other, Beat) else NotImplemented

    def __le__(self, other: Beat) -> bool:
        return self._beats <= other._beats if isinstance(other, Beat) else NotImplemented

    def __add__(self, beats: float) -> Beat:
        """Return the beat that many quarter notes later."""
        number = _core._real_number(beats)
        return NotImplemented if number is None else Beat(self._beats + number)

    __radd__ = __add__

    def __sub__(self, beats: float) -> Beat:
        """Return the beat that many quarter notes earlier."""
        number = _core._real_number(beats)
        return NotImplemented if number is None else Beat(self._beats - number)

    def __hash__(self) -> int:
        return hash((Beat, self._beats))

    def __repr__(self) -> str:
        return f"Beat({self._beats!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Beat, (self._beats,)


class Grid(_core.MusicalTime):
    """The first line of a grid after the audio thread has read the command: see next_bar() and next_grid().

    It is immutable.
    """

    __slots__ = ()

    def __init__(self, beats: float | None) -> None:
        super().__init__(True, 0.0 if beats is None else _checked_grid(beats))

    @property
    def beats(self) -> float | None:
        """The distance of its lines, in quarter notes; None for bars."""
        return self._beats or None

    def __eq__(self, other: object) -> bool:
        return self._beats == other._beats if isinstance(other, Grid) else NotImplemented

    def __hash__(self) -> int:
        return hash((Grid, self._beats))

    def __repr__(self) -> str:
        return "next_bar()" if self.beats is None else f"next_grid({self._beats!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Grid, (self.beats,)


def next_bar() -> Grid:
    """Return the first bar line after the audio thread has read the command, for ``at=``.

    A bar line at the same frame counts too. Each command finds its own bar line, so two commands may get different
    ones. All messages of a transaction get the same bar line.
    """
    return Grid(None)


def next_beat() -> Grid:
    """Return the first quarter note after the audio thread has read the command, for ``at=``: ``next_grid(1)``."""
    return Grid(1)


def next_grid(beats: float) -> Grid:
    """Return the first multiple of ``beats`` after the audio thread has read the command, for ``at=``.

    The multiples count from beat 0, and beats are quarter notes: 0.25 is a sixteenth note. Raises ArgumentError for a
    number below 1/1024 or above 1e9; ArgumentTypeError.
    """
    return Grid(_checked_grid(beats))


def _checked_grid(beats: float) -> float:
    return checked_number("beats", beats, _core.HIGHEST_BEAT, "quarter notes", _FINEST_GRID)


def checked_beat(name: str, value: float | Beat) -> float:
    """Return ``value`` as a beat: a finite float of 0 or more. Takes a Beat too."""
    if isinstance(value, Beat):
        return value.beat
    number = _core._real_number(value)
    if number is None:
        raise ArgumentTypeError(f"{name} must be a number of quarter notes, got {shown(value)}")
    if not 0 <= number < float("inf"):  # so that NaN is refused too
        raise ArgumentError(f"{name} must be a finite number of quarter notes of 0 or more, got {shown(value)}")
    return number + 0.0  # -0.0 becomes 0.0
