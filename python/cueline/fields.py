"""The fields of a message: C's numbers, fixed arrays of them, and their places in the payload."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, get_args, get_origin

from cueline._core import PAYLOAD_BYTES
from cueline.arguments import checked_integer, shown
from cueline.errors import ArgumentError, ArgumentTypeError

__all__ = [
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

Enumeration = type[enum.IntEnum] | type[enum.IntFlag]


# Plain classes: dataclasses and named tuples would take a tenth of the time that `import cueline` takes.


class Scalar:
    """A type of number, as in C. Its place in the payload is a multiple of its size."""

    __slots__ = ("cpp", "name", "number", "numpy", "size")

    def __init__(self, name: str, number: int, size: int, cpp: str, numpy: str) -> None:
        self.name = name
        self.number = number
        """Its number in the compiled module."""
        self.size = size
        """In bytes."""
        self.cpp = cpp
        self.numpy = numpy

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scalar) and other.number == self.number

    def __hash__(self) -> int:
        return hash(self.number)

    def __repr__(self) -> str:
        return f"cueline.{self.name}"


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
"""A float of 32 bits. A finite number that is too large for it is refused."""
f64 = Annotated[float, Scalar("f64", 9, 8, "double", "f8")]
"""A float of 64 bits, like Python's own."""
_BOOL = Scalar("bool", 10, 1, "bool", "?")

_WAY_OUT = (
    "use cueline.u8 to u64, i8 to i64, f32, f64, bool, a tuple of one of them such as tuple[cueline.f32, cueline.f32], "
    "cueline.array(cueline.u8, 16), or Annotated[Mode, cueline.u32] where Mode is an IntEnum or an IntFlag"
)


class Array:
    """A fixed number of values of one type."""

    __slots__ = ("length", "scalar")

    def __init__(self, scalar: Scalar, length: int) -> None:
        self.scalar = scalar
        self.length = length

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Array) and (other.scalar, other.length) == (self.scalar, self.length)

    def __hash__(self) -> int:
        return hash((self.scalar, self.length))

    def __repr__(self) -> str:
        return f"cueline.array({self.scalar!r}, {self.length})"


def array(scalar: Any, count: int) -> Array:
    """Describe a field of ``count`` numbers of one type: ``Annotated[tuple[int, ...], cueline.array(cueline.u8, 16)]``.

    A type checker reads the first part, cueline the second. Without a type checker, ``cueline.array(cueline.u8, 16)``
    is enough. Raises ArgumentError, ArgumentTypeError.
    """
    found = _scalar(scalar)
    if found is None:
        raise ArgumentTypeError(
            f"an array must be of cueline.u8 to u64, i8 to i64, f32, f64 or bool, got {_named(scalar)}"
        )
    number = checked_integer("count", count)
    most = PAYLOAD_BYTES // found.size
    if not 1 <= number <= most:
        raise ArgumentError(f"count must be from 1 to {most} for an array of {found.name} in a message, got {number}")
    return Array(found, number)


class Field:
    """A field of a message."""

    __slots__ = ("enumeration", "length", "name", "offset", "scalar")

    def __init__(
        self, name: str, scalar: Scalar, length: int | None, offset: int, enumeration: Enumeration | None
    ) -> None:
        self.name = name
        self.scalar = scalar
        self.length = length
        """The number of values in an array; None for one number."""
        self.offset = offset
        """Its place in the payload, in bytes."""
        self.enumeration = enumeration
        """The type of its value in Python, if it is an enumeration."""

    @property
    def size(self) -> int:
        """In bytes."""
        return self.scalar.size * (self.length or 1)


class Layout:
    """How the messages of a class lie in memory: like a C struct of the same fields."""

    __slots__ = ("fields", "kind", "size")

    def __init__(self, kind: int, fields: tuple[Field, ...], size: int) -> None:
        self.kind = kind
        self.fields = fields
        self.size = size
        """Of the struct, in bytes: 1 if it has no fields, as in C++."""


def laid_out(owner: str, kind: int, hints: Mapping[str, Any]) -> Layout:
    """Give each field its place. Raises ArgumentError if together they are too large, and ArgumentTypeError."""
    fields: list[Field] = []
    end, alignment = 0, 1
    for name, hint in hints.items():
        if get_origin(hint) is ClassVar or hint is ClassVar:
            continue
        scalar, length, enumeration = _parsed(f"{owner}.{name}", hint)
        offset = -(-end // scalar.size) * scalar.size
        field = Field(name, scalar, length, offset, enumeration)
        fields.append(field)
        end = offset + field.size
        alignment = max(alignment, scalar.size)
    size = max(1, -(-end // alignment) * alignment)
    if size > PAYLOAD_BYTES:
        raise ArgumentError(
            f"{owner} must have at most {PAYLOAD_BYTES} bytes of fields, got {size}: remove fields, use smaller types, "
            "or put the largest first to avoid padding"
        )
    return Layout(kind, tuple(fields), size)


def _parsed(where: str, hint: Any) -> tuple[Scalar, int | None, Enumeration | None]:
    scalar = _scalar(hint)
    if scalar is not None:
        return scalar, None, None
    if isinstance(hint, Array):
        return hint.scalar, hint.length, None
    if get_origin(hint) is Annotated:
        kind, *metadata = get_args(hint)
        for part in metadata:
            if isinstance(part, Array):
                return part.scalar, part.length, None
            scalar = _scalar(part)
            if scalar is not None and isinstance(kind, type) and issubclass(kind, (enum.IntEnum, enum.IntFlag)):
                return scalar, None, kind
    if get_origin(hint) is tuple:
        scalars = [_scalar(part) for part in get_args(hint)]
        first = scalars[0] if scalars else None
        if first is not None and all(scalar is first for scalar in scalars):
            return first, len(scalars), None
    raise ArgumentTypeError(f"{where} cannot have the type {_named(hint)} in a message: {_WAY_OUT}")


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
