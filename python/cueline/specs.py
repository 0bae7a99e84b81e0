"""What a processor declares: its parameters and its meters."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MeterSpec", "ParameterSpec"]


@dataclass(frozen=True)
class ParameterSpec:
    """A parameter, as its processor declares it."""

    name: str
    lowest: float = 0.0
    """The lowest value, in ``unit``, like ``highest`` and ``default``."""
    highest: float = 1.0
    default: float = 0.0
    """The value until somebody sets another one."""
    unit: str = ""
    """The unit, such as ``"Hz"`` or ``"dB"``; empty: none."""
    ramp: float = 0.02
    """Seconds that a change of the value takes, 0 to 3600; 0: it jumps."""
    count: int = 1
    """If more than 1, it is an array of this many parameters: see ``Parameters.array``."""


@dataclass(frozen=True)
class MeterSpec:
    """A meter, as its processor declares it."""

    name: str
    unit: str = ""
    """The unit, such as ``"dB"``; empty: none."""
    fields: tuple[str, ...] = ("value",)
    """The names of its numbers, 1 to 8, in their order."""
    count: int = 1
    """If more than 1, it is an array of this many meters: see ``Meters.array``."""
