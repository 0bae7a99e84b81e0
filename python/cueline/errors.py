"""What cueline raises: each an Error, and each also what a Python user would catch anyway."""

import queue

__all__ = [
    "ArgumentError",
    "ArgumentTypeError",
    "ClosedError",
    "DeviceError",
    "Empty",
    "Error",
    "ForkedError",
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


class MissingPackageError(Error, ImportError):
    """An optional package is needed for this; the text says how to get it."""


class ProcessorError(Error, RuntimeError):
    """The engine's processor does not know what was asked of it; the text says which one does."""


class UnknownNameError(Error, KeyError):
    """The engine's processor has nothing of this name; the text has the names that there are."""

    def __str__(self) -> str:
        return Exception.__str__(self)  # KeyError's own is a repr
