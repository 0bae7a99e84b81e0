"""Checks what a user passed before it goes down to C++, so that no code of theirs ever runs in there."""

from __future__ import annotations

import math
import numbers
import operator
import reprlib
from collections.abc import Iterable
from typing import NoReturn, SupportsIndex

from cueline.errors import ArgumentError, ArgumentTypeError, UnknownNameError

__all__ = [
    "checked_count",
    "checked_device",
    "checked_integer",
    "checked_latency",
    "checked_name",
    "checked_number",
    "checked_timeout",
    "refuse_attribute",
    "refuse_name",
    "shown",
]

_LONGEST_LATENCY_S = 10


def checked_integer(name: str, value: SupportsIndex) -> int:
    """Return ``value`` as an int that fits 64 bits; what its range is, is for others to say."""
    try:
        # By its name: NumPy's own, of which some versions only warn that it is no index.
        number = operator.index(value) if type(value).__name__ not in ("bool", "bool_") else None
    except TypeError:
        number = None
    if number is None:
        raise ArgumentTypeError(f"{name} must be an integer, got {shown(value)}")
    if number.bit_length() > 63:
        raise ArgumentError(f"{name} must be an integer of at most 63 bits, got one of {number.bit_length()}")
    return int(number)


def checked_count(name: str, value: SupportsIndex) -> int:
    """Return ``value`` as an int that is not negative."""
    number = checked_integer(name, value)
    if number < 0:
        raise ArgumentError(f"{name} must be 0 or more, got {number}")
    return number


def checked_device(device: str | SupportsIndex | None) -> str | int | None:
    """Return the name or the number of a device, or None."""
    if device is None or isinstance(device, str):
        return checked_name("device", device)
    try:
        number = checked_integer("device", device)
    except ArgumentTypeError:
        raise ArgumentTypeError(f"device must be a name, a number or None, got {shown(device)}") from None
    return number


def checked_name(name: str, value: str | None) -> str | None:
    """Return the printable text ``value``, or None."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise ArgumentTypeError(f"{name} must be a text or None, got {shown(value)}")
    if not (value and value.isprintable() and len(value) <= 200):
        raise ArgumentError(f"{name} must be a text of 1 to 200 characters that can be printed, got {shown(value)}")
    return value


def checked_latency(latency: float | str | None) -> float | str | None:
    """Return ``"low"``, ``"high"``, seconds, or None."""
    if latency is None or latency in ("low", "high"):
        return latency
    if isinstance(latency, str):
        raise ArgumentError(f"latency must be 'low', 'high', or in seconds, got {shown(latency)}")
    return checked_number("latency", latency, _LONGEST_LATENCY_S, "seconds")


def checked_number(name: str, value: float, most: float, unit: str = "", least: float = 0) -> float:
    """Return ``value``, which is from ``least`` to ``most``, in ``unit`` where it has one."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise ArgumentTypeError(f"{name} must be a number, got {shown(value)}")
    if not least <= value <= most:  # so that NaN is refused too
        raise ArgumentError(f"{name} must be from {least:g} to {most:g}{unit and ' '}{unit}, got {shown(value)}")
    return float(value)


def refuse_attribute(what: str, name: str) -> NoReturn:
    """Raise that ``what``, which are had by their names, have no attribute of this one."""
    raise AttributeError(f"{what} are had by their names, {what}[{name!r}], and not as attributes")


def refuse_name(what: str, name: object, known: Iterable[str]) -> NoReturn:
    """Raise that there is no ``what`` of this name, but others."""
    names = ", ".join(map(repr, known))
    raise UnknownNameError(f"no {what} {shown(name)}: the engine's processor has {names or 'none'}")


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
