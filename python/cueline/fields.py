"""What a message may carry: numbers as C has them, fixed arrays of them, and where they lie."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, get_args, get_origin

from cueline.arguments import checked_integer, shown
from cueline.errors import ArgumentError, ArgumentTypeError

__all__ = [
    "PAYLOAD_BYTES",
    "Array",
    "Field",
    "Layout",
    "Scalar",
    "array",
    "f32",
    "f64",
    "i8",
    "i16",
    "i32",
    "i64",
    "laid_out",
    "u8",
    "u16",
    "u32",
    "u64",
]

PAYLOAD_BYTES = 40
Enumeration = type[enum.IntEnum] | type[enum.IntFlag]


@dataclass(frozen=True)
class Scalar:
    """One number, as C has it; it lies at a multiple of its size."""

    name: str
    number: int
    """What the compiled part calls it."""
    size: int
    """In bytes."""
    cpp: str
    numpy: str


u8 = Annotated[int, Scalar("u8", 0, 1, "std::uint8_t", "u1")]
"""An unsigned integer of 8 bits."""
u16 = Annotated[int, Scalar("u16", 1, 2, "std::uint16_t", "u2")]
"""An unsigned integer of 16 bits."""
u32 = Annotated[int, Scalar("u32", 2, 4, "std::uint32_t", "u4")]
"""An unsigned integer of 32 bits."""
u64 = Annotated[int, Scalar("u64", 3, 8, "std::uint64_t", "u8")]
"""An unsigned integer of 64 bits."""
i8 = Annotated[int, Scalar("i8", 4, 1, "std::int8_t", "i1")]
"""A signed integer of 8 bits."""
i16 = Annotated[int, Scalar("i16", 5, 2, "std::int16_t", "i2")]
"""A signed integer of 16 bits."""
i32 = Annotated[int, Scalar("i32", 6, 4, "std::int32_t", "i4")]
"""A signed integer of 32 bits."""
i64 = Annotated[int, Scalar("i64", 7, 8, "std::int64_t", "i8")]
"""A signed integer of 64 bits."""
f32 = Annotated[float, Scalar("f32", 8, 4, "float", "f4")]
"""A float of 32 bits: a finite number that would become infinite is refused."""
f64 = Annotated[float, Scalar("f64", 9, 8, "double", "f8")]
"""A float of 64 bits, as Python has them."""
_BOOL = Scalar("bool", 10, 1, "bool", "?")

_WAY_OUT = (
    "use cueline.u8 to u64, i8 to i64, f32, f64, bool, a tuple of equal ones such as tuple[cueline.f32, cueline.f32], "
    "cueline.array(cueline.u8, 16), or Annotated[Mode, cueline.u32] where Mode is an IntEnum or an IntFlag"
)


@dataclass(frozen=True)
class Array:
    """So many equal numbers, one behind the other."""

    scalar: Scalar
    count: int


def array(scalar: Any, count: int) -> Array:
    """Describe a field of ``count`` equal numbers: ``Annotated[tuple[int, ...], cueline.array(cueline.u8, 16)]``.

    A type checker reads its first part, cueline its second; ``cueline.array(cueline.u8, 16)`` alone will do where none
    is used. Raises ArgumentError, ArgumentTypeError.
    """
    found = _scalar(scalar)
    if found is None:
        raise ArgumentTypeError(f"an array is of cueline.u8 to u64, i8 to i64, f32, f64 or bool, got {_named(scalar)}")
    number = checked_integer("count", count)
    most = PAYLOAD_BYTES // found.size
    if not 1 <= number <= most:
        raise ArgumentError(f"an array of {found.name} has from 1 to {most} of them in a message, got {number}")
    return Array(found, number)


@dataclass(frozen=True)
class Field:
    """A field of a message."""

    name: str
    scalar: Scalar
    count: int | None
    """Of an array; None for one number."""
    offset: int
    """In the payload, in bytes."""
    enumeration: Enumeration | None = None
    """What its number is shown as."""

    @property
    def size(self) -> int:
        """In bytes."""
        return self.scalar.size * (self.count or 1)


@dataclass(frozen=True)
class Layout:
    """How the messages of a class lie in memory: as C would lay out a struct of the same fields."""

    kind: int
    fields: tuple[Field, ...]
    size: int
    """Of the struct, in bytes; C gives one to a struct without fields."""


def laid_out(owner: str, kind: int, hints: Mapping[str, Any]) -> Layout:
    """Give each field its place. Raises ArgumentError when it is too large, ArgumentTypeError."""
    fields: list[Field] = []
    end, alignment = 0, 1
    for name, hint in hints.items():
        if get_origin(hint) is ClassVar or hint is ClassVar:
            continue
        scalar, count, enumeration = _parsed(f"{owner}.{name}", hint)
        offset = -(-end // scalar.size) * scalar.size
        field = Field(name, scalar, count, offset, enumeration)
        fields.append(field)
        end = offset + field.size
        alignment = max(alignment, scalar.size)
    size = max(1, -(-end // alignment) * alignment)
    if size > PAYLOAD_BYTES:
        raise ArgumentError(
            f"{owner} is {size} bytes, and a message carries {PAYLOAD_BYTES}: "
            "leave fields out, take smaller ones, or put the largest first so that no room is left between them"
        )
    return Layout(kind, tuple(fields), size)


def _parsed(where: str, hint: Any) -> tuple[Scalar, int | None, Enumeration | None]:
    scalar = _scalar(hint)
    if scalar is not None:
        return scalar, None, None
    if isinstance(hint, Array):
        return hint.scalar, hint.count, None
    if get_origin(hint) is Annotated:
        kind, *metadata = get_args(hint)
        for part in metadata:
            if isinstance(part, Array):
                return part.scalar, part.count, None
            scalar = _scalar(part)
            if scalar is not None and isinstance(kind, type) and issubclass(kind, (enum.IntEnum, enum.IntFlag)):
                return scalar, None, kind
    if get_origin(hint) is tuple:
        scalars = [_scalar(part) for part in get_args(hint)]
        first = scalars[0] if scalars else None
        if first is not None and all(scalar == first for scalar in scalars):
            return first, len(scalars), None
    raise ArgumentTypeError(f"{where} cannot be {_named(hint)} in a message: {_WAY_OUT}")


def _scalar(hint: Any) -> Scalar | None:
    if hint is bool:
        return _BOOL
    if isinstance(hint, Scalar):
        return hint
    if get_origin(hint) is Annotated and get_args(hint)[0] in (int, float):
        return next((part for part in get_args(hint)[1:] if isinstance(part, Scalar)), None)
    return None


def _named(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and get_origin(hint) is None else shown(hint)
