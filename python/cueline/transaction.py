"""Commands that go together: accepted whole or not at all, applied in one block at one frame."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from cueline import _core
from cueline.arguments import shown
from cueline.errors import ArgumentError, ArgumentTypeError, Full

if TYPE_CHECKING:
    from typing import Literal, SupportsIndex

    from typing_extensions import Self

    from cueline.confirmation import Confirmation, ConfirmingEngine

__all__ = ["Transaction"]


class Transaction:
    """A ``with`` whose messages go in whole as it ends, or not at all. An exception inside sends none of them.

    One thread uses it, once. One without messages sends nothing, and has neither a sequence nor a confirmation.
    """

    def __init__(
        self,
        engine: ConfirmingEngine,
        line: _core.Sender,
        at: SupportsIndex | None,
        late: Literal["apply", "drop"],
        timeout: float | None,
        confirm: bool,
    ) -> None:
        if not isinstance(confirm, bool):
            raise ArgumentTypeError(f"confirm must be True or False, got {shown(confirm)}")
        self.sequence = 0
        """The number that stands for all of it, once it is accepted: what ``cancel`` takes."""
        self.confirmation: Confirmation | None = None
        """What became of it, if that was asked for, once it is accepted."""
        self._engine = engine
        self._line = line
        self._delivery = (at, late, timeout)
        self._confirm = confirm
        self._messages: list[object] = []
        self._open = False
        self._over = False

    def __enter__(self) -> Self:
        if self._over or self._open:
            raise ArgumentError("a transaction is used once: make another one")
        self._open = True
        return self

    def send(self, message: object) -> None:
        """Add a message. It goes when the ``with`` ends.

        Raises ArgumentError outside of it, and for more than 256 messages; otherwise as the line's ``send``.
        """
        if not self._open:
            raise ArgumentError("a transaction's messages are sent inside its 'with'")
        at, late, _ = self._delivery
        self._line._require_sendable(message, at, late)
        if len(self._messages) == _core.MAX_MEMBERS:
            raise ArgumentError(f"a transaction has at most {_core.MAX_MEMBERS} messages, and this is one more")
        self._messages.append(message)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open = False
        self._over = True
        if exc_type is not None or not self._messages:
            return
        if self._confirm:
            self._engine._confirmations.collect(self._engine)
        self.sequence = self._line._send_whole(self._messages, *self._delivery, self._confirm)
        if self.sequence == 0:
            raise Full(
                f"a transaction of {len(self._messages)} messages needs room for one more than that, of the "
                f"{_core.RING_CAPACITY} that the ring holds: none of it was sent"
            )
        if self._confirm:
            self.confirmation = self._engine._confirmations.expect(self._engine, self._line, self.sequence)
