"""Sending and receiving on an asyncio loop: other tasks run between two tries.

There is no await between taking a message and returning it, so a cancellation cannot lose one.
"""

from __future__ import annotations

from cueline import _core
from cueline.arguments import shown
from cueline.errors import ClosedError
from cueline.polling import polling_intervals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, Protocol, SupportsIndex

    from typing_extensions import Self

    from cueline.polling import Polled

    class AwaitedEngine(Polled, Protocol):
        """An engine, as far as this module uses it."""

        _turns: Turns

        def receive_msg(self) -> _core.Message | None: ...


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


async def areceive(engine: AwaitedEngine, timeout: float | None) -> _core.Message:
    """Wait for a message: see AudioEngine.areceive()."""
    if engine._turns.over():
        await _sleep(0)
    for interval in polling_intervals(engine, timeout):
        if (message := engine.receive_msg()) is not None:
            return message
        await _sleep(interval)
    from cueline.ring_errors import Empty

    raise Empty(f"no message within {timeout} s{engine._why_no_block}")


async def asend(
    engine: AwaitedEngine,
    line: _core.Sender,
    message: object,
    at: SupportsIndex | None,
    late: Literal["apply", "drop"],
    timeout: float | None,
) -> None:
    """Wait for room and send: see AudioEngine.asend()."""
    if engine._turns.over():
        await _sleep(0)
    sending = _core.PendingSend(line, message, at, late)
    try:
        for interval in polling_intervals(engine, timeout):
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
    """The iterator of ``async for``: an engine's messages as they come. Several loops may run at once."""

    def __init__(self, engine: AwaitedEngine) -> None:
        self._engine = engine

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> _core.Message:
        try:
            return await areceive(self._engine, None)
        except ClosedError:
            raise StopAsyncIteration from None
