"""What cueline raises: each an Error, and each also what a Python user would catch anyway."""

from __future__ import annotations

import queue

__all__ = [
    "ArgumentError",
    "ArgumentTypeError",
    "ClosedError",
    "ConfirmationTimeout",
    "DeviceError",
    "Empty",
    "Error",
    "ForkedError",
    "Full",
    "LinesTakenError",
    "MissingPackageError",
    "ProcessorError",
    "UnknownNameError",
]


class Error(Exception):
    """Any error of cueline's."""


class ArgumentError(Error, ValueError):
    """An argument is out of its range; the text has the range and the value."""


class ArgumentTypeError(Error, TypeError):
    """An argument is of a type that cannot be meant; the text has the value."""


class ClosedError(Error, RuntimeError):
    """The engine was closed."""


class DeviceError(Error, RuntimeError):
    """The device cannot do what was asked of it; the text says why, and the way out."""


class ForkedError(Error, RuntimeError):
    """The engine belongs to the process that this one was forked from."""


class Empty(Error, queue.Empty):
    """No message came in time."""


class Full(Error, queue.Full):
    """There was no room, within the time given; the text has the numbers."""

    accepted = 0
    """How many messages were accepted before, of those that a ``send_many`` was to send."""


class ConfirmationTimeout(Error, TimeoutError):
    """What was waited for did not come in time."""


class LinesTakenError(Error, RuntimeError):
    """As many lines are open as there can be."""


class MissingPackageError(Error, ImportError):
    """An optional package is needed for this; the text says how to get it."""


class ProcessorError(Error, RuntimeError):
    """The processor does not do what was asked of it, or does not fit the engine; the text says why, and what does."""


class UnknownNameError(Error, KeyError):
    """The engine's processor has nothing of this name; the text has the names that there are."""

    def __str__(self) -> str:
        return Exception.__str__(self)  # KeyError's own is a repr
