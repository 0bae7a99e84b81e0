"""Line: a connection to an engine for one more thread: commands, their answers and their confirmations."""

from __future__ import annotations

from cueline import _core
from cueline.arguments import SetWhenMade, refuse_attribute_of, require_new, shown
from cueline.awaiting import Arrivals, Turns, areceive, asend
from cueline.bulk import receive_many, send_many
from cueline.errors import ArgumentError, ArgumentTypeError
from cueline.receiving import messages, receive, request
from cueline.transaction import Transaction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Any, Literal, SupportsIndex, TypeVar, overload

    from typing_extensions import Self

    from cueline.beats import When
    from cueline.bulk import Records
    from cueline.confirmation import Confirmation, ConfirmingEngine
    from cueline.stats import LineStats

    MessageT = TypeVar("MessageT", bound=_core.Message)

__all__ = ["Line"]


class Line(_core.Line):
    """A sender's own connection to an engine. If a thread floods it, other lines keep their room and their share.

    ``AudioEngine.open_line()`` makes one. It has a ring for its commands, one for the messages that answer them, and
    one for its confirmations. The commands of one line keep their order. As a context manager it closes at the end. The
    audio thread still reads what was sent before; answers that come later go to the engine. Any Python thread may use
    it.
    """

    def __init__(self, engine: ConfirmingEngine, events: Literal["own", "all"] = "own") -> None:
        if not isinstance(engine, _core.Engine):
            raise ArgumentTypeError(f"engine must be an AudioEngine, got {shown(engine)}: use engine.open_line()")
        if not isinstance(events, str):
            raise ArgumentTypeError(f"events must be 'own' or 'all', got {shown(events)}")
        if events not in ("own", "all"):
            raise ArgumentError(f"events must be 'own' or 'all', got {shown(events)}")
        require_new(self, "line")
        super().__init__(engine, events == "all")
        self._engine = engine
        self._turns = Turns()
        from cueline.stats import line_stats  # now: see AudioEngine

        self._read_stats = line_stats

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
        _engine = _turns = _read_stats = SetWhenMade()

        def __setattr__(self, name: str, value: object) -> None:
            if type(self) is Line and not name.startswith("_"):
                refuse_attribute_of(self, name)
            super().__setattr__(name, value)

    def __repr__(self) -> str:
        return f"<cueline.Line {self.number}{', closed' if self.closed else ''}>"

    if TYPE_CHECKING:

        @overload
        def receive(
            self, *, timeout: float | None = None, into: list[_core.Message] | None = None
        ) -> _core.Message: ...
        @overload
        def receive(self, *types: type[MessageT], timeout: float | None = None) -> MessageT: ...
        def receive(self, *types: Any, timeout: float | None = None, into: Any = None) -> Any: ...  # noqa: D102
        @overload
        async def areceive(self, *, timeout: float | None = None) -> _core.Message: ...
        @overload
        async def areceive(self, *types: type[MessageT], timeout: float | None = None) -> MessageT: ...
        async def areceive(self, *types: Any, timeout: float | None = None) -> Any: ...  # noqa: D102

    else:

        def receive(
            self, *types: type, timeout: float | None = None, into: list[_core.Message] | None = None
        ) -> _core.Message:
            """Wait for a message of this line, or for one of some classes: see AudioEngine.receive()."""
            return receive(self, types, timeout, into)

        async def areceive(self, *types: type, timeout: float | None = None) -> _core.Message:
            """Wait for a message of this line in an asyncio task: see AudioEngine.areceive()."""
            return await areceive(self, self._turns, types, timeout)

    def request(
        self,
        message: object,
        answer: type[MessageT],
        at: When = None,
        *,
        late: Literal["apply", "drop"] = "apply",
        timeout: float | None = None,
    ) -> MessageT:
        """Send a message, and return its answer of class ``answer``: see AudioEngine.request()."""
        return request(self, message, answer, at, late, timeout)  # type: ignore[return-value]

    def messages(self) -> Iterator[_core.Message]:
        """Iterate over the messages that have come, at most 1024. Raises what receive_msg() raises."""
        return messages(self)

    def receive_many(self, max: SupportsIndex = _core.RING_CAPACITY) -> Records:  # noqa: A002  # as asyncio and re do
        """Take the messages that have come, as an array: see AudioEngine.receive_many()."""
        return receive_many(self, max)

    def __aiter__(self) -> Arrivals:
        """Iterate over messages as they come, until the line or the engine is closed."""
        return Arrivals(self, self._turns)

    async def asend(
        self,
        message: object,
        at: When = None,
        *,
        late: Literal["apply", "drop"] = "apply",
        timeout: float | None = None,
    ) -> None:
        """Send a message from an asyncio task, and wait for room if there is none: see AudioEngine.asend()."""
        await asend(self, self._turns, message, at, late, timeout)

    def send_many(self, array: Records, *, late: Literal["apply", "drop"] = "apply", timeout: float | None = 0) -> int:
        """Send an array of messages, and return how many were accepted: see AudioEngine.send_many()."""
        return send_many(self, array, late, timeout)

    def confirm(
        self,
        message: object,
        at: When = None,
        *,
        late: Literal["apply", "drop"] = "apply",
        timeout: float | None = 0,
    ) -> Confirmation:
        """Send a message, and return its confirmation: see AudioEngine.confirm()."""
        return self._engine._confirmations.send(self._engine, self, message, at, late, timeout)

    def transaction(
        self,
        at: When = None,
        *,
        late: Literal["apply", "drop"] = "apply",
        timeout: float | None = 0,
        confirm: bool = False,
    ) -> Transaction:
        """Return a ``with`` block that sends all its messages or none: see AudioEngine.transaction()."""
        return Transaction(self._engine, self, at, late, timeout, confirm)

    def stats(self) -> LineStats:
        """Return the counters of the line, for all lines that ever had this number. Raises ForkedError."""
        return self._read_stats(self._line_stats())


_core._bind_inherited(Line)  # these methods are called most
