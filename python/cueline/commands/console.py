"""The terminal: how the commands print, what several of them print, and Ctrl-C."""

from __future__ import annotations

import os
import signal

from rich.console import Console

from cueline.engine import AudioEngine
from cueline.stats import Stats

__all__ = ["CtrlC", "PlainConsole", "how_it_ran", "how_it_runs"]


class PlainConsole(Console):
    """A console that does not colour numbers or break lines, and that raises BrokenPipeError if its reader has gone.

    Rich's own console would exit then with status 1, which means that something was lost. With NO_COLOR, it prints
    neither colours nor bold letters. A table gets ``least_width`` columns on a narrower terminal too: a number that was
    cut would be wrong.
    """

    def __init__(self, *, least_width: int = 0) -> None:
        super().__init__(highlight=False, soft_wrap=True, color_system=None if os.environ.get("NO_COLOR") else "auto")
        if self.width < least_width:
            self.width = least_width  # otherwise it follows the terminal

    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError."""
        raise BrokenPipeError


class CtrlC:
    """Turns the first Ctrl-C or SIGTERM into a flag, so that a command can finish. The second one interrupts."""

    def __init__(self) -> None:
        self.came = False

    def __enter__(self) -> CtrlC:
        self._before = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def raise_if_pressed(self) -> None:
        """Raise KeyboardInterrupt if Ctrl-C was pressed. Call it between two steps."""
        if self.came:
            raise KeyboardInterrupt

    def _note(self, *_: object) -> None:
        self.came = True
        for number in self._before:
            signal.signal(number, signal.default_int_handler)


def how_it_runs(engine: AudioEngine) -> str:
    """Return the device and the format of ``engine`` as text."""
    block_ms = engine.blocksize / engine.samplerate * 1e3
    inputs = f"{_count(engine.inputs, 'input')}, " if engine.inputs else ""
    return (
        f"{engine.device} device, {engine.samplerate} Hz, {inputs}{_count(engine.outputs, 'output')}, "
        f"blocks of {engine.blocksize} frames ({block_ms:.3f} ms)"
    )


def how_it_ran(stats: Stats) -> str:
    """Return the block counters, and which rights the audio thread got, as text."""
    granted = {True: "granted", False: "not granted"}
    return (
        f"{stats.blocks} blocks, {stats.xruns} xruns; callback load mean {stats.load_mean:.2%}, "
        f"peak {stats.load_peak:.2%}; real-time priority {granted[stats.realtime_priority]}, "
        f"locked memory {granted[stats.memory_locked]}"
    )


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
