"""The audio thread's report on a command: whether it took effect. A thread or an asyncio task waits for it."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import TYPE_CHECKING, Any
from weakref import ref

from cueline import _core
from cueline.arguments import refusing_unmade, shown
from cueline.errors import ArgumentTypeError, ConfirmationTimeout, Error
from cueline.messages import Applied, Reason, Refused
from cueline.polling import polling_intervals

if TYPE_CHECKING:
    from typing import Literal, Protocol

    from cueline.beats import When
    from cueline.polling import Polled

    class Confirms(Protocol):
        """What sends a command and returns its confirmation: an engine or a line."""

        def confirm(
            self,
            message: object,
            at: When = None,
            *,
            late: Literal["apply", "drop"] = "apply",
            timeout: float | None = 0,
        ) -> Confirmation: ...

    class ConfirmingEngine(Polled, Protocol):
        """What confirmations use of an engine."""

        _confirmations: Confirmations

        @property
        def _reasons(self) -> list[str]: ...

        def _require_usable(self) -> None: ...
        def _receive_confirmations(self, told: dict[tuple[int, int], _core.Message]) -> None: ...


__all__ = ["Confirmation", "Confirmations", "RefusedError"]

_WHY = {
    Reason.LATE: "it was read after its frame, with late='drop', or the processor scheduled it too late",
    Reason.SCHEDULE_FULL: "the schedule had no room: at most 1024 cues of a line wait there, and 2048 of all lines",
    Reason.CANCELLED: "it was cancelled",
    Reason.UNKNOWN: "the processor does not handle this message, or rejected its values",
}


_FIRST_OWN_REASON = 256


class RefusedError(Error, RuntimeError):
    """A command did not take effect. ``refused`` is the audio thread's report: the reason and the frame.

    ``name`` is the reason's name: one of Reason, such as ``"LATE"``, or one that the processor declares.
    """

    def __init__(self, refused: Refused, name: str = "") -> None:
        if not isinstance(refused, Refused):
            raise ArgumentTypeError(f"refused must be a cueline.Refused, got {shown(refused)}")
        if not isinstance(name, str):
            raise ArgumentTypeError(f"name must be a string, got {shown(name)}")
        reason = refused.reason
        why = _WHY.get(reason)
        if why is None and name:
            why = f"the processor refused it: {name}"
        elif why is None and reason >= _FIRST_OWN_REASON:
            why = f"the processor refused it for reason {int(reason)}, which it does not name"
        elif why is None:
            why = f"for reason {int(reason)}, which this version of cueline has no name for"
        super().__init__(f"command {refused.sequence} did not take effect: {why}")
        self.refused = refused
        self.name = name or getattr(reason, "name", "")

    def __reduce__(self) -> tuple[Any, ...]:  # Exception's own would pass the text to __init__
        return type(self), (self.refused, self.name), vars(self)

    @property
    def reason(self) -> Reason:
        """Why the command did not take effect: a Reason, or the processor's own number, an int from 256 on."""
        return self.refused.reason


@refusing_unmade
class Confirmation:
    """The report on one command: ``await`` it, or call ``result()``.

    Any thread may use it.
    """

    def __init__(self, engine: ConfirmingEngine, line: _core.Sender) -> None:
        self.sequence = 0
        """The command's number on its line."""
        self._engine = engine
        self._line = line
        self._outcome: Applied | Refused | None = None

    def __repr__(self) -> str:
        outcome = self._outcome or f"under way{self._engine._why_no_block}"
        return f"<cueline.Confirmation of command {self.sequence}: {outcome}>"

    def done(self) -> bool:
        """Return whether the audio thread has reported on the command. Never blocks. Raises ForkedError."""
        if self._outcome is None:
            self._engine._confirmations.collect(self._engine)
        return self._outcome is not None

    def result(self, timeout: float | None = None) -> Applied:
        """Wait for the report, without the GIL, and return it: its ``frame``, whether that was ``late``, its ``value``.

        ``timeout`` is in seconds. 0 looks once. None waits for ever, even while the engine is stopped. Raises
        RefusedError with the reason if the command did not take effect, ConfirmationTimeout (a TimeoutError) if the
        time is over, DeviceError if the audio has ended and no report can come, ClosedError, ForkedError.
        """
        for interval in polling_intervals(self._engine, timeout):
            if (applied := self._look()) is not None:
                return applied
            time.sleep(interval)
        raise ConfirmationTimeout(
            f"command {self.sequence} was neither applied nor refused within {timeout} s{self._engine._why_no_block}"
        )

    def cancel(self) -> _core.Status:
        """Cancel the command if it still waits for its frame. Returns and raises what the line's ``cancel`` does.

        Raises ClosedError if the line that sent it is closed; use ``engine.cancel_all()`` then.
        """
        return self._line.cancel(self.sequence)

    def __await__(self) -> Generator[Any, None, Applied]:
        return self._wait().__await__()

    async def _wait(self) -> Applied:
        import asyncio  # here, because `import cueline` must stay quick

        for interval in polling_intervals(self._engine, None):
            if (applied := self._look()) is not None:
                return applied
            await asyncio.sleep(interval)
        raise AssertionError("without a timeout, the intervals never end")

    def _look(self) -> Applied | None:
        if not self.done():
            self._engine._require_usable()
        if isinstance(self._outcome, Refused):
            own = self._outcome.reason - _FIRST_OWN_REASON
            names = self._engine._reasons
            raise RefusedError(self._outcome, names[own] if 0 <= own < len(names) else "")
        return self._outcome


class Confirmations:
    """The confirmations of one engine that are under way, on all its lines.

    There is no lock: a signal handler, another thread or an exception may come between any two statements. A report
    stays in ``_reports`` until its confirmation has it, so that none is lost and every thread sees it. The compiled
    module adds a confirmation to ``under_way`` in the call that sends its command.
    """

    def __init__(self) -> None:
        self.under_way: dict[tuple[int, int], ref[Confirmation]] = {}  # by line and sequence
        self._reports: dict[tuple[int, int], _core.Message] = {}

    def send(
        self,
        engine: ConfirmingEngine,
        line: _core.Sender,
        message: object,
        at: When,
        late: Literal["apply", "drop"],
        timeout: float | None,
    ) -> Confirmation:
        """Send on ``line`` with a confirmation. Raises Full, and what ``line.send`` raises."""
        confirmation = self.new(engine, line)
        line._send_confirmed(message, at, late, timeout, confirmation, self.under_way)
        return confirmation

    def new(self, engine: ConfirmingEngine, line: _core.Sender) -> Confirmation:
        """Return the confirmation of a command that is about to be sent on ``line``."""
        self.collect(engine)  # reports that nobody collects would take up places
        return Confirmation(engine, line)

    def collect(self, engine: ConfirmingEngine) -> None:
        """Take the reports that have come, and give each to its confirmation."""
        engine._receive_confirmations(self._reports)
        for key in list(self._reports):
            self._settle(key)

    def _settle(self, key: tuple[int, int]) -> None:
        # To settle twice does no harm. Without a GIL, a report may come before its confirmation is under way.
        waiting, outcome = self.under_way.get(key), self._reports.get(key)
        if waiting is None or outcome is None:
            return
        confirmation = waiting()
        if confirmation is not None:  # else its user has dropped it
            assert isinstance(outcome, (Applied, Refused))
            confirmation._outcome = outcome
        self._reports.pop(key, None)
        self.under_way.pop(key, None)
