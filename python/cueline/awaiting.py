"""Sending and receiving on an asyncio loop: other tasks run between two tries.

There is no await between taking a message and returning it, so a cancellation cannot lose one.
"""

from __future__ import annotations

from cueline import _core
from cueline.arguments import shown
from cueline.errors import ClosedError
from cueline.polling import polling_intervals
from cueline.receiving import empty, kinds_of, take

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from typing_extensions import Self

    from cueline.beats import When

__all__ = ["Arrivals", "Turns", "areceive", "asend"]

_CALLS_IN_A_TURN = 32


class Turns:
    """Counts calls, so that a task that never has to wait still lets the other tasks run."""

    def __init__(self) -> None:
        self._calls = 0

    def over(self) -> bool:
        """Return True for every 32nd call. Any thread may call it: a lost count does no harm."""
        self._calls = (self._calls + 1) % _CALLS_IN_A_TURN
        return self._calls == 0


async def areceive(line: _core.Sender, turns: Turns, types: tuple[object, ...], timeout: float | None) -> _core.Message:
    """Wait for a message: see AudioEngine.areceive()."""
    kinds = kinds_of(types)
    if turns.over():
        await _sleep(0)
    for interval in polling_intervals(line, timeout):
        if (message := take(line, kinds)) is not None:
            return message
        await _sleep(interval)
    raise empty(line, types, timeout)


async def asend(
    line: _core.Sender,
    turns: Turns,
    message: object,
    at: When,
    late: Literal["apply", "drop"],
    timeout: float | None,
) -> None:
    """Wait for room and send: see AudioEngine.asend()."""
    if turns.over():
        await _sleep(0)
    sending = _core.PendingSend(line, message, at, late)
    try:
        for interval in polling_intervals(line, timeout):
            if sending.try_send():
                return
            await _sleep(interval)
    finally:  # the time is over, the task was cancelled, or the line or engine was closed
        sending.give_up()
    from cueline.ring_errors import Full

    raise Full(
        f"no room within {shown(timeout)} s: the ring is full, with {_core.RING_CAPACITY} commands{line._why_no_block}"
    )


async def _sleep(seconds: float) -> None:
    import asyncio  # here, because `import cueline` must stay quick

    await asyncio.sleep(seconds)


class Arrivals:
    """The iterator of ``async for``: the messages of an engine or a line. Several loops may run at once."""

    def __init__(self, line: _core.Sender, turns: Turns) -> None:
        self._line = line
        self._turns = turns

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> _core.Message:
        try:
            return await areceive(self._line, self._turns, (), None)
        except ClosedError:
            raise StopAsyncIteration from None
