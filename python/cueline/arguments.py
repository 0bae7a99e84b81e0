"""Checks of arguments before they reach C++, so that no user's code, such as ``__index__``, runs inside C++."""

from __future__ import annotations

import functools
import reprlib

from cueline import _core
from cueline.errors import ArgumentError, ArgumentTypeError, ClosedError, UnknownNameError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, NoReturn, SupportsIndex, TypeVar

    _F = TypeVar("_F", bound=Callable[..., None])
    _T = TypeVar("_T")

__all__ = [
    "SetWhenMade",
    "checked_channels",
    "checked_connect",
    "checked_count",
    "checked_device",
    "checked_flag",
    "checked_integer",
    "checked_latency",
    "checked_midi_delay",
    "checked_name",
    "checked_number",
    "checked_pair",
    "checked_timeout",
    "refuse_attribute",
    "refuse_attribute_of",
    "refuse_name",
    "refuse_unmade",
    "refusing_channels",
    "refusing_unmade",
    "require_new",
    "shown",
]

_LONGEST_MIDI_DELAY_S = 10
_LONGEST_LATENCY_S = 10


def checked_integer(name: str, value: SupportsIndex) -> int:
    """Return ``value`` as an int from -(2**63 - 1) to 2**63 - 1. The caller checks the range that it needs."""
    number = _core._whole_number(value)
    if number is None:
        raise ArgumentTypeError(f"{name} must be an integer, got {shown(value)}")
    if number.bit_length() > 63:
        raise ArgumentError(f"{name} must be an integer of at most 63 bits, got one of {number.bit_length()} bits")
    return number


def checked_count(name: str, value: SupportsIndex) -> int:
    """Return ``value`` as an int of 0 or more."""
    number = checked_integer(name, value)
    if number < 0:
        raise ArgumentError(f"{name} must be 0 or more, got {number}")
    return number


def checked_channels(name: str, channels: SupportsIndex | Sequence[SupportsIndex]) -> int | list[int]:
    """Return ``channels``: how many, or a list of their numbers. C++ checks the ranges."""
    if isinstance(channels, (tuple, list)):
        return [checked_integer(f"a channel of {name}", channel) for channel in channels]
    number = _core._whole_number(channels)
    if number is None:
        raise ArgumentTypeError(
            f"{name} must be a number of channels, or a tuple of their numbers, got {shown(channels)}"
        )
    return checked_integer(name, number)


def checked_device(device: str | SupportsIndex | None) -> str | int | None:
    """Return ``device``: a name, a number or None."""
    if device is None or isinstance(device, str):
        return checked_name("device", device)
    try:
        number = checked_integer("device", device)
    except ArgumentTypeError:
        raise ArgumentTypeError(f"device must be a name, a number or None, got {shown(device)}") from None
    return number


def checked_pair(name: str, value: _T | tuple[_T, _T]) -> tuple[_T | None, _T]:
    """Return the value for the inputs, or None if ``value`` is one for both, and the value for the outputs."""
    if not isinstance(value, tuple):
        return None, value
    if len(value) != 2 or value[0] is None or value[1] is None:
        raise ArgumentError(f"{name} must be one value, or a pair: for the inputs and the outputs, got {shown(value)}")
    return value


def checked_flag(name: str, value: bool) -> bool:
    """Return ``value``: True or False."""
    if not isinstance(value, bool):
        raise ArgumentTypeError(f"{name} must be True or False, got {shown(value)}")
    return value


def checked_connect(name: str, connect: bool | str | None) -> bool | str | None:
    """Return ``connect``: True, False, a regular expression or None."""
    return connect if isinstance(connect, bool) else checked_name(name, connect)


def checked_name(name: str, value: str | None) -> str | None:
    """Return ``value``: a printable string or None."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise ArgumentTypeError(f"{name} must be a string or None, got {shown(value)}")
    if not (value and value.isprintable() and len(value) <= 200):
        raise ArgumentError(f"{name} must be a string of 1 to 200 printable characters, got {shown(value)}")
    return value


def checked_latency(latency: float | str | None) -> float | str | None:
    """Return ``latency``: ``"low"``, ``"high"``, a number of seconds, or None."""
    if latency is None:
        return None
    if isinstance(latency, str):
        if latency not in ("low", "high"):
            raise ArgumentError(f"latency must be 'low', 'high' or a number of seconds, got {shown(latency)}")
        return latency
    return checked_number("latency", latency, _LONGEST_LATENCY_S, "seconds")


def checked_midi_delay(seconds: float | None) -> float | None:
    """Return ``midi_delay``: a number of seconds, or None."""
    return None if seconds is None else checked_number("midi_delay", seconds, _LONGEST_MIDI_DELAY_S, "seconds", 1e-6)


def checked_number(name: str, value: float, most: float, unit: str = "", least: float = 0) -> float:
    """Return ``value`` as a float from ``least`` to ``most``."""
    number = _core._real_number(value)
    if number is None:
        raise ArgumentTypeError(f"{name} must be a number, got {shown(value)}")
    if not least <= number <= most:  # so that NaN is refused too
        raise ArgumentError(f"{name} must be from {least:g} to {most:g}{unit and ' '}{unit}, got {shown(value)}")
    return number


def require_new(made: object, what: str) -> None:
    """Raise ArgumentError if this was called for the same object before.

    A constructor calls it first. Otherwise C++ would make a second object in the place of the first.
    """
    call = object()
    if vars(made).setdefault("_making", call) is not call:  # in one step: two threads may come at once
        raise ArgumentError(f"this {what} exists already, or its constructor has failed: make another one")


def refusing_channels(constructor: _F) -> _F:
    """Return ``constructor``, wrapped: it refuses the argument ``channels`` and says what has replaced that."""

    @functools.wraps(constructor)
    def refuse_or_make(*given: Any, **named: Any) -> None:
        if "channels" in named:
            raise ArgumentTypeError(
                f"channels was replaced by outputs and inputs: use outputs={shown(named['channels'])}"
            )
        constructor(*given, **named)

    return refuse_or_make  # type: ignore[return-value]


class SetWhenMade:
    """An attribute that a constructor sets. It raises ClosedError if the constructor did not run, or has failed."""

    def __get__(self, instance: object, owner: type) -> Any:
        if instance is not None:
            refuse_unmade()
        return self


def refuse_unmade() -> NoReturn:
    """Raise ClosedError for an object whose constructor has not finished."""
    raise ClosedError("this object was never made: its constructor did not run, or has failed")


def refusing_unmade(cls: type[_T]) -> type[_T]:
    """Return ``cls``, whose attributes raise ClosedError if its constructor did not run."""
    cls.__getattr__ = _refuse_unset  # type: ignore[attr-defined]
    return cls


def _refuse_unset(made: object, name: str) -> NoReturn:
    slots = getattr(type(made), "__slots__", None)
    if not name.startswith("__") and (name in slots if slots is not None else not vars(made)):
        refuse_unmade()
    raise AttributeError(f"{type(made).__name__!r} object has no attribute {name!r}")


def refuse_attribute(what: str, name: str) -> NoReturn:
    """Raise AttributeError: ``what`` are items, not attributes."""
    raise AttributeError(f"{what} are not attributes: use {what}[{name!r}]")


_CHOSEN = ("device", "processor", "samplerate", "blocksize", "inputs", "outputs")


def refuse_attribute_of(sender: _core.Sender, name: str) -> NoReturn:
    """Raise AttributeError: attribute ``name`` of an engine or a line cannot be set. It says what to use instead."""
    cls = type(sender)
    is_engine = isinstance(sender, _core.Engine)
    what = "an engine" if is_engine else "a line"
    if name in _CHOSEN and is_engine:
        raise AttributeError(f"{name!r} of {what} is chosen when it is made: make another engine")
    if hasattr(cls, name):
        raise AttributeError(f"{name!r} of {what} cannot be set: to replace it, derive a class from {cls.__name__}")
    values = {kind: list(getattr(sender, kind, ())) for kind in ("parameters", "meters")}  # a line has none
    for controls, names in values.items():
        if name in names:
            raise AttributeError(f"{name!r} is no attribute of {what}: use engine.{controls}[{name!r}]")
    known = ", ".join(map(repr, values["parameters"])) or "none"
    parameters = f", and no parameter of its processor, which has {known}" if is_engine else ""
    raise AttributeError(
        f"{name!r} is no attribute of {what}{parameters}: "
        f"to add attributes of your own to {what}, derive a class from {cls.__name__}"
    )


def refuse_name(what: str, name: object, known: Iterable[str], prefix: str) -> NoReturn:
    """Raise UnknownNameError, with the names that exist. In the engine, ``prefix`` comes before each of them."""
    all_known = list(known)
    names = ", ".join(map(repr, all_known))
    way_out = ""
    if isinstance(name, str) and prefix and name.startswith(prefix) and name.removeprefix(prefix) in all_known:
        way_out = f"; without the part's name: {name.removeprefix(prefix)!r}"
    raise UnknownNameError(f"no {what} {shown(name)}: the processor has {names or 'none'}{way_out}")


def checked_timeout(timeout: float) -> float:
    """Return ``timeout`` in seconds. A number too large for a float becomes infinity."""
    seconds = _core._real_number(timeout)
    if seconds is None:
        raise ArgumentTypeError(f"timeout must be a number of seconds or None, got {shown(timeout)}")
    if not seconds >= 0:  # so that NaN is refused too
        raise ArgumentError(f"timeout must be 0 seconds or more, or None, got {shown(timeout)}")
    return seconds


def shown(value: object) -> str:
    """Return a short, printable repr of ``value``, even if its own repr raises."""
    try:
        return reprlib.repr(value).encode("utf-8", "backslashreplace").decode()
    except Exception:
        return f"a {type(value).__name__}"
