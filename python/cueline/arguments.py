"""Checks what a user passed before it goes down to C++, so that no code of theirs ever runs in there."""

from __future__ import annotations

import math
import numbers
import operator
import reprlib
from typing import SupportsIndex

from cueline.errors import ArgumentError, ArgumentTypeError

__all__ = ["checked_device", "checked_integer", "checked_timeout"]


def checked_integer(name: str, value: SupportsIndex) -> int:
    """Return ``value`` as an int of 64 bits; what its range is, is for others to say."""
    try:
        number = operator.index(value) if not isinstance(value, bool) else None
    except TypeError:
        number = None
    if number is None:
        raise ArgumentTypeError(f"{name} must be an integer, got {shown(value)}")
    if number.bit_length() > 63:
        raise ArgumentError(f"{name} must be an integer of at most 64 bits, got one of {number.bit_length()}")
    return int(number)


def checked_device(device: str | None) -> str | None:
    """Return the name of a device, or None."""
    if device is not None and not isinstance(device, str):
        raise ArgumentTypeError(f"device must be a name or None, got {shown(device)}")
    if device is not None and not (device.isprintable() and len(device) <= 200):
        raise ArgumentError(f"device must be the name of a device, got {shown(device)}")
    return device


def checked_timeout(timeout: float) -> float:
    """Return ``timeout`` in seconds; one too long for a float has no end."""
    if not isinstance(timeout, numbers.Real) or isinstance(timeout, bool):
        raise ArgumentTypeError(f"timeout must be in seconds or None, got {shown(timeout)}")
    if not timeout >= 0:  # so that NaN is refused too
        raise ArgumentError(f"timeout must be 0 seconds or more, or None, got {shown(timeout)}")
    try:
        return float(timeout)
    except OverflowError:
        return math.inf


def shown(value: object) -> str:
    """Return a short repr of ``value`` that can be printed, whatever its own does."""
    try:
        return reprlib.repr(value).encode("utf-8", "backslashreplace").decode()
    except Exception:
        return f"a {type(value).__name__}"
