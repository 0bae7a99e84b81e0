"""Sending and receiving on an asyncio loop: between two looks the other tasks run.

A message is taken and returned without an await in between, so that no cancellation comes in there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cueline import _core
from cueline.arguments import shown
from cueline.errors import ClosedError, Empty, Full
from cueline.polling import polling_intervals

if TYPE_CHECKING:
    from typing import Literal, SupportsIndex

    from typing_extensions import Self

    from cueline.engine import AudioEngine

__all__ = ["Arrivals", "Turns", "areceive", "asend"]

_AT_ONCE = 32


class Turns:
    """Says when a task that always finds a message, or room for one, should let the others run."""

    def __init__(self) -> None:
        self._calls = 0

    def over(self) -> bool:
        """Return whether this call is the last of so many. Any thread may call it; a count lost does not matter."""
        self._calls = (self._calls + 1) % _AT_ONCE
        return self._calls == 0


async def areceive(engine: AudioEngine, timeout: float | None) -> _core.Message:
    """Wait for a message: see AudioEngine.areceive()."""
    if engine._turns.over():
        await _pause(0)
    for nap in polling_intervals(engine, timeout):
        if (message := engine.receive_msg()) is not None:
            return message
        await _pause(nap)
    raise Empty(f"no message within {timeout} s")


async def asend(
    engine: AudioEngine,
    line: _core.Sender,
    message: object,
    at: SupportsIndex | None,
    late: Literal["apply", "drop"],
    timeout: float | None,
) -> None:
    """Wait for room and send: see AudioEngine.asend()."""
    if engine._turns.over():
        await _pause(0)
    for nap in polling_intervals(engine, timeout):
        if line._try_send(message, at, late) is _core.Status.OK:
            return
        try:
            await _pause(nap)
        except BaseException:  # cancelled: it has been refused, and nobody tries again
            line._count_dropped(1)
            raise
    line._count_dropped(1)
    raise Full(f"no room within {shown(timeout)} s: as many commands wait as the ring holds, {_core.RING_CAPACITY}")


async def _pause(seconds: float) -> None:
    import asyncio  # only here: it takes longer to import than all the rest

    await asyncio.sleep(seconds)


class Arrivals:
    """The messages of an engine as they come: what ``async for`` asks. Any number of them may go on at once."""

    def __init__(self, engine: AudioEngine) -> None:
        self._engine = engine

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> _core.Message:
        try:
            return await areceive(self._engine, None)
        except ClosedError:
            raise StopAsyncIteration from None
