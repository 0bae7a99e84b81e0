"""Line: one more line for commands into an engine, for one more thread."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from cueline import _core
from cueline.arguments import shown
from cueline.awaiting import AwaitedEngine, asend
from cueline.bulk import send_many
from cueline.confirmation import Confirmation, ConfirmingEngine, confirm
from cueline.errors import ArgumentTypeError
from cueline.stats import RingStats, ring_stats
from cueline.transaction import Transaction

if TYPE_CHECKING:
    from typing import Literal, SupportsIndex

    from typing_extensions import Self

    from cueline.bulk import Records


__all__ = ["Line"]


class LineEngine(AwaitedEngine, ConfirmingEngine, Protocol):
    """An engine, as far as a line uses it."""


class Line(_core.Line):
    """A line of its own into an engine: a thread that floods it takes no room from the others.

    ``AudioEngine.open_line()`` makes one. Commands of one line keep their order; those of two are read in turn, one of
    each. Its answers come by the engine, with this line's number. As a context manager it closes at the end; what it
    accepted is read all the same.
    """

    def __init__(self, engine: LineEngine) -> None:
        if not isinstance(engine, _core.Engine):
            raise ArgumentTypeError(f"a line is one of an engine's, engine.open_line(), got {shown(engine)}")
        super().__init__(engine)
        self._engine = engine

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

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
        """Send a message, and wait for room on an asyncio loop where there is none. As AudioEngine.asend()."""
        await asend(self._engine, self, message, at, late, timeout)

    def send_many(
        self, array: Records, *, late: Literal["apply", "drop"] = "apply", timeout: float | None = None
    ) -> int:
        """Send an array of messages, and return how many were accepted. As AudioEngine.send_many()."""
        return send_many(self._engine, self, array, late, timeout)

    def confirm(
        self,
        message: object,
        at: SupportsIndex | None = None,
        *,
        late: Literal["apply", "drop"] = "apply",
        timeout: float | None = None,
    ) -> Confirmation:
        """Send with a confirmation. As AudioEngine.confirm()."""
        return confirm(self._engine, self, message, at, late, timeout)

    def transaction(
        self,
        at: SupportsIndex | None = None,
        *,
        late: Literal["apply", "drop"] = "apply",
        timeout: float | None = None,
        confirm: bool = False,
    ) -> Transaction:
        """Return a ``with`` whose messages go in whole, or not at all. As AudioEngine.transaction()."""
        return Transaction(self._engine, self, at, late, timeout, confirm)

    def stats(self) -> RingStats:
        """Return how its ring fared, live, over all lines that ever had this number. Raises ForkedError."""
        return ring_stats(self._command_stats())
