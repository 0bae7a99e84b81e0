"""How long to sleep between two looks at what the audio thread has to tell: it wakes nobody."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cueline.arguments import checked_timeout

if TYPE_CHECKING:
    from cueline import _core

__all__ = ["polling_intervals"]


def polling_intervals(engine: _core.Engine, timeout: float | None) -> Iterator[float]:
    """Yield, for each look, how long to sleep if it finds nothing: half a block. End when ``timeout`` seconds are over.

    Without a timeout it goes on for ever; with 0 there is one look. Raises ArgumentError, ArgumentTypeError.
    """
    nap = engine._polling_interval_s
    if timeout is None:
        while True:
            yield nap
    deadline = time.monotonic() + checked_timeout(timeout)
    left = deadline - time.monotonic()
    while left > 0:
        yield min(nap, left)
        left = deadline - time.monotonic()
    yield 0.0  # a last look
