"""Where the commands print to, and what several of them print."""

from __future__ import annotations

from rich.console import Console

from cueline.engine import AudioEngine
from cueline.stats import Stats

__all__ = ["PlainConsole", "how_it_ran", "how_it_runs"]


class PlainConsole(Console):
    """A console that neither colours numbers nor breaks lines, and that tells when nobody reads it any more.

    Rich's own would exit then, as if something had been lost.
    """

    def __init__(self, *, least_width: int = 0) -> None:
        super().__init__(highlight=False, soft_wrap=True)
        self.width = max(self.width, least_width)

    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError."""
        raise BrokenPipeError


def how_it_runs(engine: AudioEngine) -> str:
    """Return the device and the format of ``engine``."""
    block_ms = engine.blocksize / engine.samplerate * 1e3
    return (
        f"{engine.device} device, {engine.samplerate} Hz, {engine.channels} channels, "
        f"blocks of {engine.blocksize} frames ({block_ms:.3f} ms)"
    )


def how_it_ran(stats: Stats) -> str:
    """Return how the blocks went, and what the audio thread was granted."""
    granted = {True: "granted", False: "not granted"}
    return (
        f"{stats.blocks} blocks, {stats.xruns} xruns; callback load mean {stats.load_mean:.2%}, "
        f"peak {stats.load_peak:.2%}; real-time priority {granted[stats.realtime_priority]}, "
        f"locked memory {granted[stats.memory_locked]}"
    )
