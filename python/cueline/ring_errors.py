"""Empty and Full: errors of a ring, and of Python's ``queue`` too. Import them late, because ``queue`` is slow."""

from __future__ import annotations

import queue

from cueline.errors import Error

__all__ = ["Empty", "Full"]


class Empty(Error, queue.Empty):
    """No message came in time."""


class Full(Error, queue.Full):
    """There was no room, or none within the timeout; the message has the numbers."""

    accepted = 0
    """How many messages a ``send_many`` sent before that."""
