"""Waiting for messages on a line: the next one, the next one of some classes, or the answer to a command."""

from __future__ import annotations

import time

from cueline import _core
from cueline.arguments import shown
from cueline.errors import ArgumentTypeError
from cueline.polling import polling_intervals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    from cueline.beats import When
    from cueline.ring_errors import Empty

__all__ = ["empty", "kinds_of", "messages", "receive", "request", "take"]


def kinds_of(types: tuple[object, ...]) -> tuple[int, ...]:
    """Return the kinds of some message classes. Raises ArgumentTypeError."""
    if not types:
        return ()
    from cueline.typed import layout_of

    for cls in types:
        if not isinstance(cls, type) and (cls is None or isinstance(cls, (int, float))):
            what = shown(cls)
            raise ArgumentTypeError(f"receive() takes message classes, got {what}: did you mean timeout={what}?")
    return tuple(layout_of(cls).kind for cls in types)


def take(line: _core.Sender, kinds: tuple[int, ...], sequence: int = 0) -> _core.Message | None:
    """Take the oldest message of ``kinds``, or of any kind; with ``sequence``, only an answer to that command."""
    return line._receive_of(kinds, sequence) if kinds else line.receive_msg()


def receive(
    line: _core.Sender, types: tuple[object, ...], timeout: float | None, into: list[_core.Message] | None
) -> _core.Message:
    """Wait for a message: see AudioEngine.receive()."""
    if into is not None and not isinstance(into, list):
        raise ArgumentTypeError(f"into must be a list or None, got {shown(into)}")
    if into is not None and types:
        raise ArgumentTypeError("into works only without message classes")
    kinds = kinds_of(types)
    for interval in polling_intervals(line, timeout):
        if (message := take(line, kinds) if into is None else line._receive_onto(into)) is not None:
            return message
        time.sleep(interval)
    raise empty(line, types, timeout)


def request(
    line: _core.Sender,
    message: object,
    answer: type,
    at: When,
    late: Literal["apply", "drop"],
    timeout: float | None,
) -> _core.Message:
    """Send a message and wait for its answer: see AudioEngine.request()."""
    from cueline.typed import layout_of

    kinds = (layout_of(answer).kind,)
    intervals = polling_intervals(line, timeout)  # its time begins with the first look below
    sequence = line._send_numbered(message, at, late, timeout)
    for interval in intervals:
        if (found := take(line, kinds, sequence)) is not None:
            return found
        time.sleep(interval)
    raise empty(line, (answer,), timeout)


def messages(line: _core.Sender) -> Iterator[_core.Message]:
    """Iterate over the messages that have come, at most as many as the ring holds."""
    for _ in range(_core.RING_CAPACITY):
        message = line.receive_msg()
        if message is None:
            return
        yield message


def empty(line: _core.Sender, types: tuple[object, ...], timeout: float | None) -> Empty:
    """Return the exception that says what did not come."""
    from cueline.ring_errors import Empty

    what = " or ".join(cls.__name__ for cls in types if isinstance(cls, type)) or "message"
    return Empty(f"no {what} within {timeout} s{line._why_no_block}")
