"""Line: a sender's own connection to an engine, for one more thread."""

from __future__ import annotations

from cueline import _core
from cueline.arguments import SetWhenMade, refuse_line_attribute, require_new, shown
from cueline.awaiting import asend
from cueline.bulk import send_many
from cueline.errors import ArgumentTypeError
from cueline.transaction import Transaction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Literal, Protocol, SupportsIndex

    from typing_extensions import Self

    from cueline.awaiting import AwaitedEngine
    from cueline.bulk import Records
    from cueline.confirmation import Confirmation, ConfirmingEngine
    from cueline.stats import RingStats

    class LineEngine(AwaitedEngine, ConfirmingEngine, Protocol):
        """An engine, as far as a line uses it."""


__all__ = ["Line"]


class Line(_core.Line):
    """A connection to an engine with a command ring of its own. If a thread floods it, other lines keep their room.

    ``AudioEngine.open_line()`` makes one. The commands of one line keep their order; the audio thread takes one command
    from each line in turn. Answers arrive at the engine, with this line's number. As a context manager it closes at the
    end; the audio thread still reads what was sent before.
    """

    def __init__(self, engine: LineEngine) -> None:
        if not isinstance(engine, _core.Engine):
            raise ArgumentTypeError(f"engine must be an AudioEngine, got {shown(engine)}: use engine.open_line()")
        require_new(self, "line")
        super().__init__(engine)
        self._engine = engine
        from cueline.stats import ring_stats  # now: see AudioEngine

        self._read_stats = ring_stats

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    if not TYPE_CHECKING:  # see AudioEngine
        _engine = _read_stats = SetWhenMade()

        def __setattr__(self, name: str, value: object) -> None:
            if type(self) is Line and not name.startswith("_"):
                refuse_line_attribute(self, name)
            super().__setattr__(name, value)

    def __repr__(self) -> str:
        return f"<cueline.Line {self.number}{', closed' if self.closed else ''}>"

    async def asend(
        self,
        message: object,
        at: SupportsIndex | None = None,
        *,
        late: Literal["apply", "drop"] = "apply",
        timeout: float | None = None,
    ) -> None:
        """Send a message from an asyncio task, and wait for room if there is none: see AudioEngine.asend()."""
        await asend(self._engine, self, message, at, late, timeout)

    def send_many(self, array: Records, *, late: Literal["apply", "drop"] = "apply", timeout: float | None = 0) -> int:
        """Send an array of messages, and return how many were accepted: see AudioEngine.send_many()."""
        return send_many(self, array, late, timeout)

    def confirm(
        self,
        message: object,
        at: SupportsIndex | None = None,
        *,
        late: Literal["apply", "drop"] = "apply",
        timeout: float | None = 0,
    ) -> Confirmation:
        """Send a message, and return its confirmation: see AudioEngine.confirm()."""
        return self._engine._confirmations.send(self._engine, self, message, at, late, timeout)

    def transaction(
        self,
        at: SupportsIndex | None = None,
        *,
        late: Literal["apply", "drop"] = "apply",
        timeout: float | None = 0,
        confirm: bool = False,
    ) -> Transaction:
        """Return a ``with`` block that sends all its messages or none: see AudioEngine.transaction()."""
        return Transaction(self._engine, self, at, late, timeout, confirm)

    def stats(self) -> RingStats:
        """Return the counters of the line's ring, for all lines that ever had this number. Raises ForkedError."""
        return self._read_stats(self._command_stats())


_core._bind_inherited(Line)  # these methods are called most
