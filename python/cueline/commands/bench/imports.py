"""How long ``import cueline`` takes, compared with ``import numpy``. Each runs in fresh interpreters."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from cueline.commands.bench.measure import Spread, percentile

__all__ = ["AT_MOST", "ImportTimes", "time_imports"]

AT_MOST = 0.25
"""The target: at most this fraction of NumPy's time."""

_PROGRAM = "import time; began = time.perf_counter_ns(); import {}; print(time.perf_counter_ns() - began)"


@dataclass(frozen=True)
class ImportTimes:
    """The times of both imports, in nanoseconds, without the start of the interpreter."""

    cueline: Spread
    numpy: Spread
    ratio: float
    """The median of cueline's times, as a fraction of the median of NumPy's."""

    @property
    def met(self) -> bool:
        """Whether the target is met."""
        return self.ratio <= AT_MOST


def time_imports(rounds: int, *, between: Callable[[], None] = lambda: None) -> ImportTimes:
    """Import both modules in turn, ``rounds`` times each, in a new process each time.

    One more round comes first and does not count: it fills the caches of compiled files. ``between`` is called after
    each process.
    """
    times: dict[str, list[float]] = {"cueline": [], "numpy": []}
    for _ in range(1 + rounds):
        for module, found in times.items():
            # A Ctrl-C reaches this process too: the child says nothing about it, and ``between`` may raise.
            process = subprocess.run(
                [sys.executable, "-c", _PROGRAM.format(module)],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                check=False,
            )
            between()
            found.append(int(process.stdout))
    ours, theirs = times["cueline"][1:], times["numpy"][1:]
    return ImportTimes(Spread.of(ours), Spread.of(theirs), percentile(ours, 0.5) / percentile(theirs, 0.5))
