"""Transactions: commands that are sent all together or not at all, and apply at one frame."""

from __future__ import annotations

from cueline import _core
from cueline.arguments import checked_timeout, refusing_unmade, shown
from cueline.errors import ArgumentError, ArgumentTypeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Literal

    from typing_extensions import Self

    from cueline.beats import When
    from cueline.confirmation import Confirmation, ConfirmingEngine

__all__ = ["Transaction"]


@refusing_unmade
class Transaction:
    """A ``with`` block that sends its messages when it ends: all or none. An exception inside sends none.

    A transaction is used once, by one thread. Without messages it sends nothing, and has no sequence and no
    confirmation.
    """

    def __init__(
        self,
        engine: ConfirmingEngine,
        line: _core.Sender,
        at: When,
        late: Literal["apply", "drop"],
        timeout: float | None,
        confirm: bool,
        part: int = 0,
    ) -> None:
        if not isinstance(confirm, bool):
            raise ArgumentTypeError(f"confirm must be True or False, got {shown(confirm)}")
        if timeout is not None:
            checked_timeout(timeout)
        _core._require_delivery(at, late)
        self.sequence = 0
        """Once the transaction is sent, its number: pass it to ``cancel``."""
        self.confirmation: Confirmation | None = None
        """Once it is sent, the confirmation of the whole transaction, if ``confirm`` was True."""
        self._engine = engine
        self._line = line
        self._delivery = (at, late, timeout)
        self._confirm = confirm
        self._part = part  # that its messages are for, unless they say another; 0: all
        self._messages: list[object] = []
        self._open = False
        self._unused = [True]

    def __enter__(self) -> Self:
        try:
            self._unused.pop()  # one step: of two threads, one gets it
        except IndexError:
            raise ArgumentError("a transaction can be used only once: make another one") from None
        self._open = True
        return self

    def send(self, message: object) -> None:
        """Add a message. It is sent when the ``with`` ends.

        Raises ArgumentError outside the ``with`` and for more than 256 messages, and what the line's ``send`` raises.
        """
        if not self._open:
            raise ArgumentError("a transaction's send() works only inside its 'with'")
        if self._part:
            message = _core._addressed(message, self._part)
        self._line._require_sendable(message)
        if len(self._messages) >= _core.MAX_MEMBERS:
            raise ArgumentError(f"a transaction can have at most {_core.MAX_MEMBERS} messages, got one more")
        self._messages.append(message)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open = False
        if exc_type is not None or not self._messages:
            return
        confirmations = self._engine._confirmations
        confirmation = None
        if self._confirm:
            confirmation = confirmations.new(self._engine, self._line)
        self.sequence = self._line._send_whole(
            tuple(self._messages), *self._delivery, confirmation, confirmations.under_way
        )
        self.confirmation = confirmation
