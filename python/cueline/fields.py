"""The fields of a message: C's numbers, fixed arrays of them, and their places in the payload."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, NoReturn, get_args, get_origin

from cueline import _core
from cueline._core import PAYLOAD_BYTES
from cueline.arguments import checked_integer, shown
from cueline.errors import ArgumentError, ArgumentTypeError

__all__ = [
    "Array",
    "Field",
    "Layout",
    "Range",
    "Scalar",
    "array",
    "buffer",
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

_INFINITY = float("inf")


# Plain classes: dataclasses and named tuples would take a tenth of the time that `import cueline` takes.


class Scalar:
    """A type of number, as in C. Its place in the payload is a multiple of its size."""

    __slots__ = ("cpp", "name", "number", "numpy", "size")

    def __init__(self, name: str, number: int, size: int, cpp: str, numpy: str) -> None:
        self.name = name
        self.number = number
        """Its number in the compiled module."""
        self.size = size
        """Its size in bytes."""
        self.cpp = cpp
        self.numpy = numpy

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scalar) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

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
buffer = Annotated[int, Scalar("buffer", 2, 4, "cueline::BufferHandle", "u4")]
"""The handle of a buffer that ``AudioEngine.load_buffer`` returned, a number of 32 bits; 0 for none."""
_BOOL = Scalar("bool", 10, 1, "bool", "?")

_WAY_OUT = (
    "use cueline.u8 to u64, i8 to i64, f32, f64, buffer, bool, a tuple of one of them such as "
    "tuple[cueline.f32, cueline.f32], cueline.array(cueline.u8, 16), or "
    "Annotated[Mode, cueline.u32] where Mode is an IntEnum or an IntFlag"
)


class Range:
    """The numbers that a field accepts: ``Annotated[cueline.f32, cueline.Range(0, 1)]``.

    Both ends belong to the range. For an array, the range holds for each number. NaN is refused, unless ``nan`` is
    True. A message's constructor and ``send_many`` refuse other numbers. Raises ArgumentError, ArgumentTypeError.
    """

    __slots__ = ("_highest", "_lowest", "_nan")

    def __init__(self, lowest: float, highest: float, *, nan: bool = False) -> None:
        if not isinstance(nan, bool):
            raise ArgumentTypeError(f"nan must be True or False, got {shown(nan)}")
        self._lowest = _end("lowest", lowest)
        self._highest = _end("highest", highest)
        self._nan = nan
        if not self._lowest <= self._highest:
            raise ArgumentError(f"lowest must be at most highest, got {shown(lowest)} and {shown(highest)}")

    @property
    def lowest(self) -> float:
        """The lowest number of the range."""
        return self._lowest

    @property
    def highest(self) -> float:
        """The highest number of the range."""
        return self._highest

    @property
    def nan(self) -> bool:
        """Whether NaN is in the range too."""
        return self._nan

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Range) and _parts_of(other) == _parts_of(self)

    def __hash__(self) -> int:
        return hash(_parts_of(self))

    def __repr__(self) -> str:
        return f"cueline.Range({self.lowest!r}, {self.highest!r}{', nan=True' if self.nan else ''})"


def _parts_of(limits: Range) -> tuple[float, float, bool]:
    """Return what a range consists of."""
    return limits.lowest, limits.highest, limits.nan


def _end(name: str, value: float) -> float:
    """Return an end of a range: an int, or a float that is not NaN."""
    whole = _core._whole_number(value)
    if whole is not None:
        return whole
    number = _core._real_number(value)
    if number is None:
        raise ArgumentTypeError(f"{name} must be a number, got {shown(value)}")
    if number != number:
        raise ArgumentError(f"{name} must be a number other than NaN, got {shown(value)}")
    if number in (_INFINITY, -_INFINITY) and number != value:
        raise ArgumentError(f"{name} must fit a float, got {shown(value)}")
    return number


class Array:
    """A fixed number of values of one type."""

    __slots__ = ("length", "limits", "scalar")

    def __init__(self, scalar: Scalar, length: int, limits: Range | None = None) -> None:
        self.scalar = scalar
        self.length = length
        self.limits = limits
        """The range of each value."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Array) and (other.scalar, other.length, other.limits) == (
            self.scalar,
            self.length,
            self.limits,
        )

    def __hash__(self) -> int:
        return hash((self.scalar, self.length, self.limits))

    def __repr__(self) -> str:
        of = repr(self.scalar) if self.limits is None else f"Annotated[{self.scalar!r}, {self.limits!r}]"
        return f"cueline.array({of}, {self.length})"

    def __call__(self, *_: object, **__: object) -> NoReturn:
        """Raise ArgumentTypeError. CPython 3.10 accepts the type of a field in a string only if it can be called."""
        raise ArgumentTypeError(f"{self!r} describes a field of a message; it cannot be called")


def array(scalar: Any, count: int) -> Array:
    """Describe a field of ``count`` numbers of one type: ``Annotated[tuple[int, ...], cueline.array(cueline.u8, 16)]``.

    A type checker reads the first part, cueline the second. Without a type checker, ``cueline.array(cueline.u8, 16)``
    is enough. Raises ArgumentError, ArgumentTypeError.
    """
    one = _number(scalar)
    if one is None:
        raise ArgumentTypeError(
            f"an array must be of cueline.u8 to u64, i8 to i64, f32, f64, buffer or bool, got {_named(scalar)}"
        )
    found, limits = one
    number = checked_integer("count", count)
    most = PAYLOAD_BYTES // found.size
    if not 1 <= number <= most:
        raise ArgumentError(f"count must be from 1 to {most} for an array of {found.name} in a message, got {number}")
    return Array(found, number, limits)


class Parsed:
    """What the annotation of a field says."""

    __slots__ = ("enumeration", "length", "limits", "scalar")

    def __init__(
        self,
        scalar: Scalar,
        length: int | None = None,
        enumeration: Enumeration | None = None,
        limits: Range | None = None,
    ) -> None:
        self.scalar = scalar
        self.length = length
        self.enumeration = enumeration
        self.limits = limits


class Field:
    """A field of a message."""

    __slots__ = ("enumeration", "length", "limits", "name", "offset", "scalar")

    def __init__(self, name: str, offset: int, parsed: Parsed) -> None:
        self.name = name
        self.offset = offset
        """Its place in the payload, in bytes."""
        self.scalar = parsed.scalar
        self.length = parsed.length
        """The number of values in an array; None for one number."""
        self.enumeration = parsed.enumeration
        """The type of its value in Python, if it is an enumeration."""
        self.limits = parsed.limits
        """The declared range, if there is one."""

    def described(self) -> tuple[str, int, int, int | None, object, object]:
        """Return what the compiled module needs."""
        limits = None if self.limits is None else _parts_of(self.limits)
        return self.name, self.scalar.number, self.offset, self.length, self.enumeration, limits

    @property
    def size(self) -> int:
        """Its size in bytes."""
        return self.scalar.size * (self.length or 1)


class Layout:
    """How the messages of a class lie in memory: like a C struct of the same fields."""

    __slots__ = ("fields", "kind", "size")

    def __init__(self, kind: int, fields: tuple[Field, ...], size: int) -> None:
        self.kind = kind
        self.fields = fields
        self.size = size
        """The size of the struct in bytes: 1 if it has no fields, as in C++."""


def laid_out(owner: str, kind: int, hints: Mapping[str, Any]) -> Layout:
    """Give each field its place. Raises ArgumentError if together they are too large, and ArgumentTypeError."""
    fields: list[Field] = []
    end, alignment = 0, 1
    for name, hint in hints.items():
        if get_origin(hint) is ClassVar or hint is ClassVar:
            continue
        if type(name) is not str:
            raise ArgumentTypeError(f"a field of {owner} must have a plain string for a name, got {shown(name)}")
        parsed = _parsed(f"{owner}.{name}", hint)
        offset = -(-end // parsed.scalar.size) * parsed.scalar.size
        field = Field(name, offset, parsed)
        fields.append(field)
        end = offset + field.size
        alignment = max(alignment, field.scalar.size)
    size = max(1, -(-end // alignment) * alignment)
    if size > PAYLOAD_BYTES:
        raise ArgumentError(
            f"{owner} must have at most {PAYLOAD_BYTES} bytes of fields, got {size}: remove fields, use smaller types, "
            "or put the largest first to avoid padding"
        )
    return Layout(kind, tuple(fields), size)


def _parsed(where: str, hint: Any) -> Parsed:
    number = _number(hint)
    if number is not None:
        return Parsed(number[0], limits=number[1])
    if isinstance(hint, Array):
        return Parsed(hint.scalar, hint.length, limits=hint.limits)
    if get_origin(hint) is Annotated:
        inner, *metadata = get_args(hint)
        limits = _range_in(metadata)
        for part in metadata:
            if isinstance(part, Array):
                return Parsed(part.scalar, part.length, limits=limits or part.limits)
            number = _number(part)
            if number is not None and isinstance(inner, type) and issubclass(inner, (enum.IntEnum, enum.IntFlag)):
                return Parsed(number[0], enumeration=inner, limits=limits or number[1])
        if get_origin(inner) is tuple:
            parsed = _parsed(where, inner)
            parsed.limits = limits or parsed.limits
            return parsed
    if get_origin(hint) is tuple:
        numbers = [_number(part) for part in get_args(hint)]
        first = numbers[0] if numbers else None
        if first is not None and all(number == first for number in numbers):
            return Parsed(first[0], len(numbers), limits=first[1])
    raise ArgumentTypeError(f"{where} cannot have the type {_named(hint)} in a message: {_WAY_OUT}")


def _number(hint: Any) -> tuple[Scalar, Range | None] | None:
    """Return the type and the range that an annotation of one number gives."""
    if hint is bool:
        return _BOOL, None
    if isinstance(hint, Scalar):
        return hint, None
    if get_origin(hint) is Annotated and get_args(hint)[0] in (int, float):
        metadata = get_args(hint)[1:]
        scalar = next((part for part in metadata if isinstance(part, Scalar)), None)
        return None if scalar is None else (scalar, _range_in(metadata))
    return None


def _range_in(metadata: Iterable[Any]) -> Range | None:
    """Return the last range: it is the outermost."""
    limits = None
    for part in metadata:
        if part is Range:
            raise ArgumentTypeError("Range needs its two ends: write cueline.Range(0, 1)")
        if isinstance(part, Range):
            limits = part
    return limits


def _named(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and get_origin(hint) is None else shown(hint)
