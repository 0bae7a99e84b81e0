"""The display in the terminal while the sampler plays: pads, levels, playheads, counters."""

from __future__ import annotations

import math

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sampler.messages import PADS
from sampler.player import Player
from sampler.sampler import Sampler

__all__ = ["View", "account"]

_FLOOR_DB = -48.0
_LOOKS_A_SECOND = 20


class View:
    """A table that each ``update()`` draws again. Without a terminal it shows nothing. Use it in a ``with``."""

    def __init__(self, sampler: Sampler, player: Player, console: Console) -> None:
        self._sampler = sampler
        self._player = player
        # It draws only on this thread, in update(). A thread of rich would read meters at the same time.
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None

    def __enter__(self) -> View:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    interval_s = 1 / _LOOKS_A_SECOND

    def update(self) -> None:
        """Draw the present state."""
        if self._live is not None:
            self._live.update(self.picture(), refresh=True)

    def picture(self) -> RenderableType:
        """Return the table of the present state."""
        table = Table("pad", "", "level", "playhead", box=None, padding=(0, 1))
        samplerate = self._sampler.engine.samplerate
        for pad in range(PADS):
            loaded = self._sampler.loaded[pad]
            level = self._sampler.level(pad)
            through = level.playhead * samplerate / loaded.frames if loaded is not None else 0
            name = loaded.name if loaded is not None else "empty"
            table.add_row(str(pad), name, _bar(_loudness(level.peak), 24), Text(_dot(through, 24), "cyan"))
        peak, rms = self._sampler.engine.meters["master"]
        table.add_row("", "all", _bar(_loudness(peak), 24), f"rms {_db(rms)}")
        return Group(table, Text(account(self._sampler, self._player), "dim"))


def account(sampler: Sampler, player: Player) -> str:
    """Return one line of counters: hits sent, late and refused, events dropped, xruns."""
    stats = sampler.engine.stats()
    return (
        f"{player.sent} hits sent, {player.missed} late and left out, "
        f"{stats.commands.dropped} refused for now, {stats.events.dropped} events dropped, {stats.xruns} xruns"
    )


def _db(value: float) -> str:
    return f"{20 * math.log10(value):.1f} dBFS" if value > 0 else "silent"


def _loudness(peak: float) -> float:
    return min(1.0, max(0.0, 1 - 20 * math.log10(peak) / _FLOOR_DB)) if peak > 0 else 0.0


def _bar(part: float, width: int) -> Text:
    full = round(part * width)
    return Text("█" * full + "·" * (width - full), "red" if part >= 1 else "green")


def _dot(part: float, width: int) -> str:
    at = min(width - 1, int(part * width))
    return "─" * width if part <= 0 else "─" * at + "●" + "─" * (width - 1 - at)
