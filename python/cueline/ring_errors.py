"""Empty and Full: errors of a ring, and of Python's ``queue`` too. Import them late, because ``queue`` is slow."""

from __future__ import annotations

import queue

from cueline.errors import Error

__all__ = ["Empty", "Full"]


class Empty(Error, queue.Empty):
    """No message, or no frame of a recording, came in time."""


class Full(Error, queue.Full):
    """There was no room, or none within the timeout; the message has the numbers."""

    accepted = 0
    """How many messages send_many() sent, or how many frames write() wrote, before it raised this."""
