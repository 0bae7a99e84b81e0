"""cueline's exceptions. Each is an Error, and also the built-in exception that a Python user expects.

Empty and Full are in ring_errors.
"""

from __future__ import annotations

__all__ = [
    "ArgumentError",
    "ArgumentTypeError",
    "ClosedError",
    "ConfirmationTimeout",
    "DeviceError",
    "Error",
    "ForkedError",
    "LinesTakenError",
    "LossWarning",
    "MissingPackageError",
    "ProcessorError",
    "StreamEnded",
    "StreamTimeout",
    "StreamsTakenError",
    "TimelineTimeout",
    "UnknownNameError",
]


class Error(Exception):
    """The base class of cueline's exceptions."""


class ArgumentError(Error, ValueError):
    """An argument is out of range; the message has the range and the value."""


class ArgumentTypeError(Error, TypeError):
    """An argument has the wrong type; the message has the value."""


class ClosedError(Error, RuntimeError):
    """The engine, the line or the stream is closed."""


class DeviceError(Error, RuntimeError):
    """The device failed, or cannot do this; the message says why, and what to do."""


class ForkedError(Error, RuntimeError):
    """The engine belongs to the parent process of a fork."""


class ConfirmationTimeout(Error, TimeoutError):
    """A confirmation did not come in time."""


class LinesTakenError(Error, RuntimeError):
    """All lines are open already."""


class LossWarning(RuntimeWarning):
    """An engine lost messages, or a saved recording lost frames, and the program has not looked at the counts since."""


class MissingPackageError(Error, ImportError):
    """An optional package is missing; the message says how to install it."""


class ProcessorError(Error, RuntimeError):
    """The processor cannot do this, or does not fit the engine; the message says why, and what works."""


class StreamEnded(Error, EOFError):
    """The stream has ended: the recording was stopped and all was read, or the device has another sample rate."""


class StreamTimeout(Error, TimeoutError):
    """A playback did not play everything in time, or a file was not complete in time."""


class StreamsTakenError(Error, RuntimeError):
    """As many streams as an engine can have are open already."""


class TimelineTimeout(Error, TimeoutError):
    """A beat or a frame did not come in time."""


class UnknownNameError(Error, KeyError):
    """The processor has no parameter or meter of this name; the message has the names that exist."""

    def __str__(self) -> str:
        return Exception.__str__(self)  # KeyError's own returns a repr
