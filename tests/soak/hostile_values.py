"""Hostile values of every kind: what a program may pass by mistake, and what nobody would pass on purpose."""

from __future__ import annotations

import array
import collections
import decimal
import enum
import fractions
import gc
import struct
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

import cueline

T = TypeVar("T")
Meddling = Callable[[], object]


class Hostile(Exception):
    """A hostile object's own exception, which a call may pass on."""


class Raises:
    """Raises in whatever it is asked."""

    def _raise(self, *_: object) -> Any:
        raise Hostile

    __index__ = __int__ = __float__ = __complex__ = __bool__ = __len__ = __iter__ = __next__ = _raise
    __getitem__ = __contains__ = __eq__ = __lt__ = __gt__ = __le__ = __ge__ = __array__ = _raise
    __cueline_processor__ = __await__ = __enter__ = __exit__ = __repr__ = __str__ = __hash__ = _raise


class Lies:
    """Returns what the language forbids, and what nobody expects."""

    __slots__ = ()
    __class__ = int  # type: ignore[assignment]

    def __index__(self) -> Any:
        return "one"

    def __float__(self) -> Any:
        return 10**400

    def __len__(self) -> int:
        return -1

    def __iter__(self) -> Any:
        return 5

    def __bool__(self) -> Any:
        return 3

    def __eq__(self, other: object) -> Any:
        return "perhaps"

    def __hash__(self) -> Any:
        return 1

    def __repr__(self) -> Any:
        return 7

    def __array__(self, *_: object, **__: object) -> Any:
        return "no array"

    def __cueline_processor__(self) -> Any:
        return "no capsule"


class Meddles:
    """Does something to an engine in the middle of a call, then returns a number that would do."""

    def __init__(self, meddling: Meddling) -> None:
        self._meddling = meddling

    def _number(self, *_: object) -> Any:
        self._meddling()
        return 1

    __index__ = __int__ = __len__ = __hash__ = _number

    def __float__(self) -> float:
        return self._number() / 1000  # a wait may take a second

    def __bool__(self) -> bool:
        return bool(self._number())

    def __eq__(self, _: object) -> bool:
        return bool(self._number())

    def __iter__(self) -> Any:
        return iter([self._number()] * 4)

    def __repr__(self) -> str:
        self._meddling()
        return "Meddles()"

    def __array__(self, *_: object, **__: object) -> Any:
        self._meddling()
        return np.zeros(4, np.float32)


class _Text(str):
    """A string whose hash changes, and which equals nothing."""

    __slots__ = ()
    hashes = 0

    def __hash__(self) -> int:
        _Text.hashes += 1
        return _Text.hashes

    def __eq__(self, _: object) -> bool:
        return False


class _Number(int):
    def __index__(self) -> Any:
        raise Hostile

    def __float__(self) -> Any:
        raise Hostile

    def __le__(self, _: object) -> Any:
        raise Hostile


class _Real(float):
    def __float__(self) -> Any:
        raise Hostile


class _Bytes(bytes):
    def __len__(self) -> int:
        return 10**6


class _Enum(enum.IntEnum):
    HUGE = 2**70


class _Meta(type):
    def __instancecheck__(cls, _: object) -> bool:
        raise Hostile

    def __getattribute__(cls, name: str) -> Any:
        if name == "__name__":
            raise Hostile
        return super().__getattribute__(name)


class _Class(metaclass=_Meta):
    pass


def _loop() -> list[Any]:
    made: list[Any] = []
    made.append(made)
    return made


def _released() -> memoryview:
    view = memoryview(bytearray(40))
    view.release()
    return view


def _unaligned(dtype: Any) -> Any:
    return np.frombuffer(bytearray(np.dtype(dtype).itemsize * 3 + 1), np.uint8)[1:].view(dtype)


def _objects(value: object) -> Any:
    made = np.empty(4, object)
    for place in range(4):
        made[place] = value
    return made


def _deep() -> Any:
    made: Any = 1.0
    for _ in range(500):
        made = [made]
    return made


@cueline.message(60_001)
class Numbers:
    """One field of most types."""

    a: cueline.u8
    b: cueline.i16
    c: cueline.u32
    d: cueline.f32
    e: cueline.f64
    f: bool
    g: cueline.i64 = 0


@cueline.message(60_002)
class Arrays:
    """Arrays of several types."""

    a: tuple[cueline.f32, cueline.f32, cueline.f32, cueline.f32]
    b: cueline.array(cueline.u8, 9)  # type: ignore[valid-type]
    c: cueline.array(bool, 3)  # type: ignore[valid-type]


_NUMPY_SCALARS = [
    np.True_,
    np.int8(-1),
    np.uint64(2**64 - 1),
    np.float16("inf"),
    np.float32("nan"),
    np.longdouble("1e4000"),
    np.complex128(1 + 2j),
    np.datetime64("NaT"),
    np.timedelta64(0, "s"),
    np.str_("tone"),
    np.bytes_(b"tone"),
    np.void(b"12345678"),
    np.ma.masked,
]

_ARRAYS: list[Callable[[], Any]] = [
    lambda: np.array(3),
    lambda: np.array("3"),
    lambda: np.array([3]),
    lambda: np.array([], np.float32),
    lambda: np.zeros((0, 3), np.float32),
    lambda: np.zeros((3, 0)),
    lambda: np.zeros((2, 2, 2)),
    lambda: np.full(8, np.nan, np.float32),
    lambda: np.full(8, 1e300),
    lambda: np.zeros(8, ">f4"),
    lambda: np.zeros(8, np.int32),
    lambda: np.zeros(8, np.longdouble),
    lambda: np.zeros(8, bool),
    lambda: np.zeros(8, object),
    lambda: _objects(Raises()),
    lambda: np.zeros(8, "U3"),
    lambda: np.zeros(8, "M8[s]"),
    lambda: np.zeros((8, 2), np.float32)[::-2, ::-1],
    lambda: np.broadcast_to(np.float32(1), (50, 3)),
    lambda: np.broadcast_to(np.float32(1), (2**40, 2)),
    lambda: np.broadcast_to(np.float32(1), (2, 2**40)),
    lambda: _unaligned(np.float32),
    lambda: np.ma.masked_array(np.zeros(4, np.float32), [True, False, True, False]),
    lambda: np.zeros(4, np.float32).view(np.recarray),
    lambda: np.zeros(3, cueline.dtype()),
    lambda: np.zeros(3, cueline.dtype(cueline.SetTone)),
    lambda: np.zeros(3, cueline.dtype(cueline.Pong)),
    lambda: np.zeros((3, 1), cueline.dtype(Numbers)),
    lambda: np.zeros(3, cueline.dtype(Numbers))[::-1],
    lambda: np.zeros(1500, cueline.dtype(cueline.SetTone)),
    lambda: np.frombuffer(bytes(range(224)), cueline.dtype()),
    lambda: np.full(4, -1, np.int64).view("V8"),
    lambda: np.zeros(3, [("kind", "u2"), ("frame", "u8")]),
    lambda: np.zeros(3, np.dtype("V56")),
    lambda: np.zeros(3, np.dtype({"names": ["kind"], "formats": ["O"], "itemsize": 56})),
    lambda: np.zeros(3, np.dtype("V56", metadata={"cueline": 5})),
    lambda: _unaligned(cueline.dtype()),
]

_NUMBERS: list[Any] = [
    None, True, False, 0, 1, -1, 7, 255, 256, 1023, 1024, 2**31 - 1, 2**31, 2**32, 2**53 + 1, 2**63 - 1, 2**63, 2**64,
    -(2**63), 10**400, 0.0, -0.0, 0.5, 1.0, -1.0, 5e-324, 1e-310, 1.7e308, float("inf"), float("-inf"), float("nan"),
    1j, complex("nan"), decimal.Decimal("0.5"), decimal.Decimal("sNaN"), decimal.Decimal("1e999999"),
    fractions.Fraction(1, 3), fractions.Fraction(10**400), _Number(0), _Real(0.001), _Enum.HUGE, cueline.Status.FULL,
    *_NUMPY_SCALARS,
]  # fmt: skip

_TEXTS: list[Any] = [
    "", "\0", "a\0b", "\ud800", "é" * 100, "é" * 200, "x" * 201, "𝄞", "\u202e", "tone\n", "gain", "frequency", "level",
    "tone", "player", "silence", "low", "apply", "drop", "nothing", "(", "[a-", "(a+)+$", _Text("gain"), _Text("apply"),
    b"", b"gain", bytes(40), bytes(41), _Bytes(b"x"), bytearray(40), memoryview(bytes(40)), memoryview(bytes(80))[::2],
]  # fmt: skip

_OBJECTS: list[Callable[[], Any]] = [
    Raises, Lies, _Class, object, _loop, _released, _deep, dict, set, list, tuple, lambda: (1.0, 2.0, 3.0, 4.0),
    lambda: [Raises()] * 4, lambda: [float("nan")] * 9, lambda: range(9), lambda: range(10**9), lambda: iter([1.0] * 4),
    lambda: (1.0 for _ in range(4)), lambda: collections.UserList([1.0] * 4), lambda: array.array("f", [1.0] * 4),
    lambda: {"a": 1}, lambda: slice(None), lambda: ..., lambda: NotImplemented, lambda: Raises, lambda: cueline,
    lambda: print, lambda: type, lambda: (lambda *_: None), lambda: BaseException(), lambda: cueline.Message,
    lambda: cueline.SetTone, lambda: cueline.Pong, lambda: Numbers, lambda: Arrays, lambda: cueline.u8,
    lambda: cueline.SetTone(440, 0.1), lambda: cueline.GetLevel(), lambda: cueline.Pong(1, 2),
    lambda: cueline.Message(9), lambda: cueline.Message(300, bytes(40)), lambda: struct.Struct("f"),
    lambda: cueline.Refused(0, cueline.Reason.LATE), lambda: Numbers(1, 2, 3, 4, 5, True),
]  # fmt: skip

VALUES: list[Callable[[], Any]] = [
    *((lambda value=value: value) for value in (*_NUMBERS, *_TEXTS)),
    *_ARRAYS,
    *_OBJECTS,
    lambda: Meddles(gc.collect),
]
"""Functions that make a hostile value."""
