"""What became of a command: the audio thread's own word, waited for on a thread or on an asyncio loop."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import TYPE_CHECKING, Any
from weakref import ref

from cueline import _core
from cueline.errors import ConfirmationTimeout, Full, RefusedError
from cueline.messages import Applied, Refused
from cueline.polling import polling_intervals

if TYPE_CHECKING:
    from typing import Literal, SupportsIndex

    from cueline.engine import AudioEngine

__all__ = ["Confirmation", "Confirmations", "confirm"]


class Confirmation:
    """What became of one command, once the audio thread has told: ``await`` it, or ask its ``result()``.

    Any thread may use it.
    """

    def __init__(self, engine: AudioEngine, line: _core.Sender, sequence: int) -> None:
        self.sequence = sequence
        """The command's number on its line."""
        self._engine = engine
        self._line = line
        self._outcome: Applied | Refused | None = None

    def __repr__(self) -> str:
        return f"<cueline.Confirmation of command {self.sequence}: {self._outcome or 'under way'}>"

    def done(self) -> bool:
        """Return whether it is told. Never blocks."""
        if self._outcome is None:
            self._engine._confirmations.collect(self._engine)
        return self._outcome is not None

    def result(self, timeout: float | None = None) -> Applied:
        """Wait until it is told, without the GIL, and return it: its ``frame``, and whether that was ``late``.

        ``timeout`` is in seconds; 0 looks once, None waits for ever, as it does on an engine that stands still. Raises
        RefusedError with the reason when the command did not take effect, ConfirmationTimeout (a TimeoutError) when it
        is not told in time, ClosedError, ForkedError, and DeviceError when the audio has ended: nothing more will be told.
        """
        for nap in polling_intervals(self._engine, timeout):
            if (applied := self._look()) is not None:
                return applied
            time.sleep(nap)
        raise ConfirmationTimeout(f"command {self.sequence} was neither applied nor refused within {timeout} s")

    def cancel(self) -> _core.Status:
        """Have the audio thread forget the command, if it waits for its frame. As the line's ``cancel``.

        Raises ClosedError when the line that it was sent by is closed; ``engine.cancel_all()`` still reaches it.
        """
        return self._line.cancel(self.sequence)

    def __await__(self) -> Generator[Any, None, Applied]:
        return self._wait().__await__()

    async def _wait(self) -> Applied:
        import asyncio  # only here: it takes longer to import than all the rest

        for nap in polling_intervals(self._engine, None):
            if (applied := self._look()) is not None:
                return applied
            await asyncio.sleep(nap)
        raise AssertionError("without a timeout there is always another nap")

    def _look(self) -> Applied | None:
        if not self.done():
            self._engine._require_usable()
        if isinstance(self._outcome, Refused):
            raise RefusedError(self._outcome)
        return self._outcome


class Confirmations:
    """Those of one engine that are under way, of all its lines.

    It has no lock: a signal handler, another thread or an exception may come in between any two lines. What was told
    stays in ``_told`` until whoever waits for it has it, so that none is lost then, and all of them see it.
    """

    def __init__(self) -> None:
        self._under_way: dict[tuple[int, int], ref[Confirmation]] = {}  # by line and sequence
        self._told: dict[tuple[int, int], _core.Message] = {}  # also before it is known to be under way

    def expect(self, engine: AudioEngine, line: _core.Sender, sequence: int) -> Confirmation:
        """Return the confirmation of a command that was sent."""
        confirmation = Confirmation(engine, line, sequence)
        key = (line.number, sequence)
        self._under_way[key] = ref(confirmation)
        self._settle(key)
        return confirmation

    def collect(self, engine: AudioEngine) -> None:
        """Take what the audio thread has told, and settle what it is about."""
        engine._receive_confirmations(self._told)
        for key in list(self._told):
            self._settle(key)

    def _settle(self, key: tuple[int, int]) -> None:
        # Whoever comes second, who expects it or who was told of it, finds both; and who comes twice does no harm.
        waiting, outcome = self._under_way.get(key), self._told.get(key)
        if waiting is None or outcome is None:
            return
        confirmation = waiting()
        if confirmation is not None:  # else nobody wants to know any more
            assert isinstance(outcome, (Applied, Refused))
            confirmation._outcome = outcome
        self._told.pop(key, None)
        self._under_way.pop(key, None)


def confirm(
    engine: AudioEngine,
    line: _core.Sender,
    message: object,
    at: SupportsIndex | None,
    late: Literal["apply", "drop"],
    timeout: float | None,
) -> Confirmation:
    """Send on ``line`` with a confirmation. Raises Full, and what ``line.send`` raises."""
    engine._confirmations.collect(engine)  # those that nobody asks for would take up room
    sequence = line._send_confirmed(message, at, late, timeout)
    if sequence == 0:
        raise Full(f"as many commands wait as the ring holds, {_core.RING_CAPACITY}: the command was dropped")
    return engine._confirmations.expect(engine, line, sequence)
