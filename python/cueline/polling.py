"""How long to sleep between two looks for messages. The audio thread wakes nobody, so receivers poll."""

from __future__ import annotations

import time

from cueline.arguments import checked_timeout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    class Polled(Protocol):
        """What polling uses of an engine."""

        @property
        def _polling_interval_s(self) -> float: ...

        @property
        def _why_no_block(self) -> str: ...


__all__ = ["polling_intervals"]


def polling_intervals(line: Polled, timeout: float | None) -> Iterator[float]:
    """Yield the seconds to sleep after each look that finds nothing: until just after the next block has begun.

    End after ``timeout`` seconds. Without a timeout it never ends; with 0 it yields once. Raises ArgumentError,
    ArgumentTypeError.
    """
    if timeout is None:
        while True:
            yield line._polling_interval_s
    deadline = time.monotonic() + checked_timeout(timeout)
    left = deadline - time.monotonic()
    while left > 0:
        yield min(line._polling_interval_s, left)
        left = deadline - time.monotonic()
    yield 0.0  # a last look
