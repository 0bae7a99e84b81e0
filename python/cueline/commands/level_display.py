"""Level displays: the level of all audio so far, and the present level as a bar or as lines."""

from __future__ import annotations

import math
from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.text import Text

__all__ = ["Heard", "Level", "LineMeter", "LiveMeter", "Meter", "NoMeter", "bar", "dbfs", "meter_for"]

_FLOOR_DB = -60.0  # the left end of the bar
_HOLD_S = 1.5
_WIDEST = 60
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_ENDS = ("▕", "▏")
_ASCII = str.maketrans(_EIGHTHS + "│", "    #####|")  # for a terminal that is not UTF-8
_ASCII_ENDS = ("[", "]")


def dbfs(level: float) -> float:
    """Return ``level`` in dBFS: 0 for full scale, which is 1; minus infinity for silence."""
    return 20 * math.log10(level) if level > 0 else -math.inf


class Level(Protocol):
    """The level of the frames since the previous Level: the tone's message, or one that a command computes."""

    @property
    def frame(self) -> int:
        """The frame after the last one that was measured."""

    @property
    def peak(self) -> float:
        """The peak. Full scale is 1."""

    @property
    def rms(self) -> float:
        """The RMS of all channels. Full scale is 1."""


class Heard:
    """The level of everything that was heard so far."""

    def __init__(self) -> None:
        self.peak = 0.0
        self.frames = 0
        self._squares = 0.0

    @property
    def rms(self) -> float:
        """The RMS of everything that was heard."""
        return math.sqrt(self._squares / self.frames) if self.frames else 0.0

    def add(self, level: Level) -> None:
        """Add a level, which covers the frames since the previous level. Add every level, in order."""
        self._squares += level.rms**2 * (level.frame - self.frames)
        self.frames = level.frame
        self.peak = max(self.peak, level.peak)


class Meter(Protocol):
    """A display for levels."""

    interval_s: float
    """Seconds between two levels."""

    def __enter__(self) -> Meter: ...

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def show(self, level: Level, at_s: float, also: str = "") -> None:
        """Show the level at ``at_s`` seconds after the start, and a text."""

    def note(self, text: str) -> None:
        """Print a line of text."""


class NoMeter:
    """Shows nothing."""

    interval_s = 1.0

    def __enter__(self) -> NoMeter:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, level: Level, at_s: float, also: str = "") -> None:
        """Do nothing."""

    def note(self, text: str) -> None:
        """Do nothing."""


class LineMeter:
    """Prints a line for each level."""

    interval_s = 1.0

    def __init__(self, console: Console) -> None:
        self._console = console

    def __enter__(self) -> LineMeter:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, level: Level, at_s: float, also: str = "") -> None:
        """Print the level."""
        self._console.print(_line(at_s, level.rms, level.peak, also))

    def note(self, text: str) -> None:
        """Print the line."""
        self._console.print(text)


class LiveMeter:
    """Draws a bar on a terminal: its length is the RMS, its mark holds the peak. It is erased at the end."""

    interval_s = 1 / 15

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self.text = Text()
        self._held = 0.0
        self._held_since_s = 0.0

    def __enter__(self) -> LiveMeter:
        self._live.__enter__()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.__exit__(exc_type, exc, traceback)

    def show(self, level: Level, at_s: float, also: str = "") -> None:
        """Draw the level."""
        if level.peak >= self._held or at_s - self._held_since_s > _HOLD_S:
            self._held, self._held_since_s = level.peak, at_s
        text = _line(at_s, level.rms, self._held, also) + "  "
        width = max(1, min(_WIDEST, self._console.width - len(text) - 2))
        drawn, (left, right) = bar(dbfs(level.rms), dbfs(self._held), width), _ENDS
        if self._console.options.ascii_only:
            drawn, (left, right) = drawn.translate(_ASCII), _ASCII_ENDS
        self.text = Text.assemble(text, (left, "dim"), (drawn, _style(level.peak)), (right, "dim"))
        self._live.update(self.text, refresh=True)

    def note(self, text: str) -> None:
        """Print the line."""
        self._console.print(text)


def meter_for(console: Console, *, quiet: bool) -> Meter:
    """Return the display for this console: a bar on a terminal, otherwise lines; with ``quiet``, nothing."""
    if quiet:
        return NoMeter()
    return LiveMeter(console) if console.is_terminal and not console.is_dumb_terminal else LineMeter(console)


def _line(at_s: float, rms: float, peak: float, also: str) -> str:
    line = f"{at_s:7.1f} s   rms {dbfs(rms):5.1f} dBFS   peak {dbfs(peak):5.1f} dBFS"
    return f"{line}   {also}" if also else line


def bar(rms_db: float, peak_db: float, width: int) -> str:
    """Return a bar of ``width`` characters: -60 dBFS is its left end, 0 its right one."""
    eighths = round(_fraction(rms_db) * width * 8)
    full, rest = divmod(eighths, 8)
    characters = list(("█" * full + _EIGHTHS[rest])[:width].ljust(width))
    if peak_db > _FLOOR_DB:
        at = min(width - 1, int(_fraction(peak_db) * width))
        if characters[at] == " ":
            characters[at] = "│"
    return "".join(characters)


def _fraction(db: float) -> float:
    return min(1.0, max(0.0, 1 - db / _FLOOR_DB))


def _style(peak: float) -> str:
    if dbfs(peak) > -1:
        return "red"
    return "yellow" if dbfs(peak) > -6 else "green"
