"""Message classes: which classes are allowed, and what their instances accept, refuse and return."""

from __future__ import annotations

import copy
import ctypes
import enum
import fractions
import gc
import inspect
import itertools
import math
import pickle
import re
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cueline
from conftest import HAS_GIL
from cueline.typed import layout_of, unpickled

C_TYPES: dict[str, Any] = {
    "u8": ctypes.c_uint8,
    "u16": ctypes.c_uint16,
    "u32": ctypes.c_uint32,
    "u64": ctypes.c_uint64,
    "i8": ctypes.c_int8,
    "i16": ctypes.c_int16,
    "i32": ctypes.c_int32,
    "i64": ctypes.c_int64,
    "f32": ctypes.c_float,
    "f64": ctypes.c_double,
    "bool": ctypes.c_bool,
}
HINTS = {name: bool if name == "bool" else getattr(cueline, name) for name in C_TYPES}
INTEGERS = {
    name: (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if name[0] == "i" else (0, 2**bits - 1)
    for name in C_TYPES
    if name[0] in "ui" and (bits := int(name[1:]))
}
VALUES: dict[str, st.SearchStrategy[Any]] = {
    **{name: st.integers(*ends) for name, ends in INTEGERS.items()},
    "f32": st.floats(width=32),
    "f64": st.floats(),
    "bool": st.booleans(),
}


@cueline.message(50_256)  # kinds that no other test has
class SetTone:
    """A voice's tone."""

    voice: cueline.u32
    frequency_hz: cueline.f32
    gain: cueline.f32 = 0.2

    LOUD: ClassVar[float] = 0.5

    def is_loud(self) -> bool:
        return self.gain > __class__.LOUD  # type: ignore[name-defined]

    @property
    def period_s(self) -> float:
        return 1 / self.frequency_hz

    @classmethod
    def silent(cls, voice: int) -> SetTone:
        return cls(voice, 0, 0)


@cueline.message(50_257)
class Everything:
    a: bool
    b: cueline.u16
    c: cueline.i8
    d: cueline.i32 = -7
    e: tuple[cueline.f32, cueline.f32] = (1, 2)
    f: Annotated[tuple[int, ...], cueline.array(cueline.u8, 3)] = (1, 2, 3)
    g: cueline.f64 = 0.5


def refused(call: Callable[[], object], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(text)}$"):
        call()


def defined(hints: dict[str, Any], *, kind: int = 50_300, name: str = "Made", **others: Any) -> Any:
    return cueline.message(kind)(type(name, (), {"__annotations__": hints, "__module__": __name__, **others}))


def test_a_message_is_made_by_place_or_by_name() -> None:
    made = SetTone(voice=1, frequency_hz=440.0, gain=0.2)
    assert isinstance(made, cueline.Message)
    assert made == SetTone(1, 440) == SetTone(1, gain=0.2, frequency_hz=440)
    assert made == SetTone.__new__(SetTone, 1, frequency_hz=440) == type.__call__(SetTone, 1, 440, gain=0.2)
    assert made != SetTone(2, 440)
    assert made.kind == 50_256
    assert (made.voice, made.frequency_hz, made.gain) == (1, 440, pytest.approx(0.2))
    assert made.payload == struct.pack("<Iff28x", 1, 440, 0.2)
    assert repr(made) == "SetTone(voice=1, frequency_hz=440.0, gain=0.2)"
    match made:
        case SetTone(voice, frequency_hz, gain=0.0):
            pytest.fail("it has a gain")
        case SetTone(voice, frequency_hz):
            assert (voice, frequency_hz) == (1, 440)


def test_a_name_that_is_not_the_very_string_of_the_class_is_found() -> None:
    assert SetTone(**{"".join(["fre", "quency_hz"]): 440, "".join(["vo", "ice"]): 1}) == SetTone(1, 440)


def test_the_class_keeps_what_it_has() -> None:
    assert SetTone.__doc__ == "A voice's tone."
    assert (SetTone.__module__, SetTone.__qualname__) == (__name__, "SetTone")
    assert SetTone(1, 2, 0.75).is_loud()
    assert not SetTone(1, 2).is_loud()
    assert SetTone(1, 2).period_s == 0.5
    assert SetTone.silent(3) == SetTone(3, 0, 0)
    assert str(inspect.signature(SetTone)) == "(voice, frequency_hz, gain=0.2)"
    assert SetTone.__match_args__ == ("voice", "frequency_hz", "gain")  # type: ignore[attr-defined]


def test_a_message_is_a_value() -> None:
    made = SetTone(1, 440)
    assert len({made, SetTone(1, 440), SetTone(2, 440)}) == 2
    assert copy.copy(made) is made
    assert copy.deepcopy(made) is made
    for name in ("voice", "kind", "frame", "anything"):
        with pytest.raises(AttributeError):
            setattr(made, name, 3)
    with pytest.raises(TypeError, match="not an acceptable base type"):
        type("Louder", (SetTone,), {})


def test_what_was_received_shows_where_it_arose() -> None:
    received = unpickled(SetTone, struct.pack("<HBBIQIff28x", 50_256, 0, 0, 7, 4096, 1, 440, 0.2))  # type: ignore[arg-type]
    assert repr(received) == "SetTone(voice=1, frequency_hz=440.0, gain=0.2, sequence=7, frame=4096)"
    assert received != SetTone(1, 440)


@pytest.mark.parametrize("name", C_TYPES)
def test_a_number_lies_where_c_has_it(name: str) -> None:
    hints = {"first": bool, "number": HINTS[name], "numbers": cueline.array(HINTS[name], 2), "last": cueline.u8}
    made = layout_of(defined(hints))
    c_type = C_TYPES[name]
    in_c = type("Made", (ctypes.Structure,), {
        "_fields_": [("first", ctypes.c_bool), ("number", c_type), ("numbers", c_type * 2), ("last", ctypes.c_uint8)]
    })  # fmt: skip
    assert [field.offset for field in made.fields] == [getattr(in_c, field.name).offset for field in made.fields]
    assert made.size == ctypes.sizeof(in_c)


@given(st.data(), st.lists(st.sampled_from(list(C_TYPES)), max_size=8))
def test_values_come_back_from_the_bytes_that_c_would_have(data: st.DataObject, types: list[str]) -> None:
    names = [f"field{place}" for place in range(len(types))]
    in_c = type("Made", (ctypes.Structure,), {"_fields_": [(n, C_TYPES[t]) for n, t in zip(names, types, strict=True)]})
    if ctypes.sizeof(in_c) > 40:
        return
    made = defined({name: HINTS[of] for name, of in zip(names, types, strict=True)})
    values = [data.draw(VALUES[of]) for of in types]
    message = made(*values)
    assert message.payload == bytes(in_c(*values)).ljust(40, b"\0")
    assert message == made(**dict(zip(reversed(names), reversed(values), strict=True)))
    state = message.__reduce__()[1][1]
    for held in (message, unpickled(made, state)):
        for name, value in zip(names, values, strict=True):
            found = getattr(held, name)
            assert found == value or (math.isnan(found) and math.isnan(value))
            assert type(found) is type(value)


@given(
    st.tuples(
        st.booleans(),
        VALUES["u16"],
        VALUES["i8"],
        VALUES["i32"],
        st.tuples(VALUES["f32"], VALUES["f32"]),
        st.tuples(*[VALUES["u8"]] * 3),
        VALUES["f64"],
    )
)
def test_a_message_comes_back_from_a_pickle_and_from_its_text(values: tuple[Any, ...]) -> None:
    message = Everything(*values)
    again = pickle.loads(pickle.dumps(message))
    assert again == message
    assert type(again) is Everything
    assert hash(again) == hash(message)
    assert repr(again) == repr(message)
    assert eval(repr(message), {"Everything": Everything, "inf": math.inf, "nan": math.nan}) == message or (
        "nan" in repr(message)  # the repr of a NaN does not say which NaN it is
    )


def test_bytes_between_the_fields_are_not_looked_at() -> None:
    """A struct from C++ may have any value."""
    whole = struct.pack("<HBBIQ", 50_257, 0, 0, 0, 0) + bytes(40)
    noisy = bytearray(whole)
    padding = {1, 5, 6, 7, 23, *range(32, 40)}
    for place in padding:
        noisy[16 + place] = 0xFF
    made = {unpickled(Everything, bytes(state)) for state in (whole, noisy)}  # type: ignore[arg-type]
    assert len(made) == 1
    for place in set(range(32)) - padding:
        other = bytearray(whole)
        other[16 + place] = 2
        assert unpickled(Everything, bytes(other)) not in made  # type: ignore[arg-type]


def test_a_truth_from_elsewhere_is_one_to_cpp() -> None:
    """In C++, a bool that is neither 0 nor 1 is undefined behaviour."""
    made = cueline.Message(50_257, b"\2")
    assert made.payload[0] == 1
    assert made == Everything(True, 0, 0, 0, (0, 0), (0, 0, 0), 0)


@pytest.mark.parametrize("name", INTEGERS)
def test_an_integer_out_of_range_is_refused_with_the_range(name: str) -> None:
    made = defined({"number": HINTS[name]})
    least, most = INTEGERS[name]
    assert made(least).number == least
    assert made(most).number == most
    for wrong in (least - 1, most + 1, -(2**64), 2**64):
        refused(
            lambda wrong=wrong: made(wrong),
            cueline.ArgumentError,
            f"number must be from {least} to {most}, got {wrong}",
        )
    refused(lambda: made(True), cueline.ArgumentTypeError, "number must be an integer, got True")
    refused(lambda: made(1.0), cueline.ArgumentTypeError, "number must be an integer, got 1.0")
    refused(lambda: made("1"), cueline.ArgumentTypeError, "number must be an integer, got '1'")


def test_a_float_may_be_anything_but_one_that_would_become_infinite() -> None:
    single, double = defined({"number": cueline.f32}), defined({"number": cueline.f64}, kind=50_301, name="Double")
    most = 3.4028234663852886e38
    for made in (single, double):
        assert made(math.inf).number == math.inf
        assert made(-math.inf).number == -math.inf
        assert math.isnan(made(math.nan).number)
        assert made(most).number == most
        assert made(1).number == 1.0
        refused(lambda made=made: made(True), cueline.ArgumentTypeError, "number must be a number, got True")
        refused(lambda made=made: made("1"), cueline.ArgumentTypeError, "number must be a number, got '1'")
        refused(lambda made=made: made(1j), cueline.ArgumentTypeError, "number must be a number, got 1j")
    limits = "number must be from -3.4028235e+38 to 3.4028235e+38, got "
    for wrong in (1e39, -1e39, 10**39):
        refused(lambda wrong=wrong: single(wrong), cueline.ArgumentError, f"{limits}{wrong}")
    with pytest.raises(
        cueline.ArgumentError, match=r"^number must be from -1\.797\d+e\+308 to 1\.797\d+e\+308, got 1000"
    ):
        double(10**400)
    assert double(1e39).number == 1e39


def test_numpys_numbers_are_numbers() -> None:
    assert SetTone(np.uint32(7), np.float32(0.5), np.float64(1)) == SetTone(7, 0.5, 1)
    assert SetTone(np.int64(7), np.int8(1), fractions.Fraction(1, 2)) == SetTone(7, 1, 0.5)
    made = Everything(np.True_, 1, 2, f=np.array([7, 8, 9], np.uint8), e=np.ones(2))
    assert (made.a, made.f, made.e) == (True, (7, 8, 9), (1, 1))
    refused(
        lambda: SetTone(np.int64(-1), 1),
        cueline.ArgumentError,
        f"voice must be from 0 to 4294967295, got {np.int64(-1)!r}",
    )


def test_what_a_number_raises_goes_through() -> None:
    class Strange(fractions.Fraction):
        def __index__(self) -> int:
            raise KeyError("an index of its own mind")

        def __float__(self) -> float:
            raise KeyError("a float of its own mind")

    with pytest.raises(KeyError, match="an index of"):
        SetTone(Strange(1), 1)
    with pytest.raises(KeyError, match="a float of"):
        SetTone(1, Strange(1))


class Shifting(str):
    """A name whose hash is another one each time."""

    hashes = itertools.count()

    def __hash__(self) -> int:
        return next(self.hashes)


@pytest.mark.parametrize("construct", [SetTone, SetTone.__new__, type.__call__])
def test_a_name_with_a_hash_that_changes_is_the_name_that_it_reads(construct: Any) -> None:
    first = () if construct is SetTone else (SetTone,)
    assert construct(*first, 1, **{Shifting("frequency_hz"): 440}) == SetTone(1, 440)
    with pytest.raises(cueline.ArgumentTypeError, match="SetTone has no field 'pitch'"):
        construct(*first, 1, **{Shifting("pitch"): 440})
    with pytest.raises(cueline.ArgumentTypeError, match="Message has no argument 'pitch'"):
        cueline.Message(**{Shifting("kind"): 1000, Shifting("pitch"): b""})
    assert cueline.Message(**{Shifting("kind"): 1000}).kind == 1000


def test_a_class_has_fields_with_plain_names() -> None:
    for name in (Shifting("number"), 3):
        with pytest.raises(cueline.ArgumentTypeError, match="a field of Made must have a plain string for a name"):
            defined({name: cueline.u8})  # type: ignore[dict-item]


@cueline.message(50_258)
class Ranged:
    gain: Annotated[cueline.f32, cueline.Range(0, 0.1)]
    level: Annotated[cueline.f64, cueline.Range(-1, 1, nan=True)] = math.nan
    slot: Annotated[cueline.u8, cueline.Range(2, 7)] = 2
    pair: Annotated[tuple[cueline.i16, cueline.i16], cueline.Range(-5, 5)] = (0, 0)
    large: Annotated[cueline.u64, cueline.Range(1, 2**63 + 1)] = 1


def test_a_field_takes_what_its_range_holds() -> None:
    made = Ranged(0.1, 1, 7, (-5, 5), 2**63 + 1)
    assert (made.gain, made.level, made.slot, made.pair) == (pytest.approx(0.1), 1, 7, (-5, 5))
    assert made.large == 2**63 + 1
    assert math.isnan(Ranged(0).level)


OUTSIDE: list[tuple[dict[str, Any], str]] = [
    ({"gain": 0.11}, "gain must be from 0 to 0.1, got 0.11"),
    ({"gain": -1}, "gain must be from 0 to 0.1, got -1"),
    ({"gain": math.nan}, "gain must be from 0 to 0.1, got nan"),
    ({"gain": math.inf}, "gain must be from 0 to 0.1, got inf"),
    ({"level": 2}, "level must be from -1 to 1, or nan, got 2"),
    ({"slot": 1}, "slot must be from 2 to 7, got 1"),
    ({"slot": 300}, "slot must be from 2 to 7, got 300"),
    ({"pair": (0, 6)}, "pair[1] must be from -5 to 5, got 6"),
    ({"pair": (-6, 6)}, "pair[0] must be from -5 to 5, got -6"),
    ({"large": 2**63 + 2}, "large must be from 1 to 9223372036854775809, got 9223372036854775810"),
    ({"large": 0}, "large must be from 1 to 9223372036854775809, got 0"),
]


def test_a_range_without_its_ends_is_refused() -> None:
    with pytest.raises(cueline.ArgumentTypeError, match=r"write cueline\.Range\(0, 1\)"):

        @cueline.message(700)
        class Bare:
            gain: Annotated[cueline.f32, cueline.Range]  # type: ignore[valid-type]


@pytest.mark.parametrize(("values", "text"), OUTSIDE)
def test_a_field_refuses_what_its_range_does_not_hold(values: dict[str, Any], text: str) -> None:
    refused(lambda: Ranged(**{"gain": 0, **values}), cueline.ArgumentError, text)


def test_a_range_is_written_where_the_type_is() -> None:
    """In a tuple, in an array, around either, and on an enumeration."""
    unit = Annotated[cueline.f32, cueline.Range(0, 1)]
    for hint in (
        tuple[unit, unit],  # type: ignore[valid-type]
        cueline.array(unit, 2),
        Annotated[tuple[float, ...], cueline.array(unit, 2)],
        Annotated[tuple[float, ...], cueline.array(cueline.f32, 2), cueline.Range(0, 1)],
        Annotated[tuple[unit, unit], "a remark"],  # type: ignore[valid-type]
        Annotated[tuple[cueline.f32, cueline.f32], cueline.Range(0, 1)],
        Annotated[
            tuple[float, ...], cueline.array(Annotated[cueline.f32, cueline.Range(0, 9)], 2), cueline.Range(0, 1)
        ],
    ):
        made = defined({"numbers": hint})
        assert made((0, 1)).numbers == (0, 1)
        refused(lambda made=made: made((0, 2)), cueline.ArgumentError, "numbers[1] must be from 0 to 1, got 2")
    made = defined({"reason": Annotated[cueline.Reason, cueline.u32, cueline.Range(1, 4)]})
    assert made(2).reason is cueline.Reason.SCHEDULE_FULL
    refused(lambda: made(5), cueline.ArgumentError, "reason must be from 1 to 4, got 5")


def test_a_pickle_with_a_number_outside_the_range_is_refused() -> None:
    for wrong in (1.0, -0.5, math.nan):
        sent = cueline.Message(50_258, struct.pack("<fxxxxdBxhhxxQ", wrong, 0, 2, 0, 0, 1))  # as C++ could send it
        with pytest.raises(cueline.ArgumentError, match=f"^gain must be from 0 to 0.1, got {wrong}$"):
            pickle.loads(pickle.dumps(sent))
    assert pickle.loads(pickle.dumps(Ranged(0.1))) == Ranged(0.1)


@pytest.mark.parametrize("name", ["lowest", "highest", "nan", "other"])
def test_a_range_cannot_be_changed(name: str) -> None:
    unit = cueline.Range(0, 1)
    with pytest.raises(AttributeError):
        setattr(unit, name, 2)
    assert unit == cueline.Range(0, 1) == pickle.loads(pickle.dumps(unit)) == copy.copy(unit)


def test_a_default_outside_the_range_is_refused() -> None:
    hint = Annotated[cueline.f32, cueline.Range(0, 1)]
    refused(lambda: defined({"gain": hint}, gain=2), cueline.ArgumentError, "gain must be from 0 to 1, got 2")


def test_a_range_that_makes_no_sense_is_refused() -> None:
    call: Any = cueline.Range
    for made, text in [
        (lambda: call(1, 0), "lowest must be at most highest, got 1 and 0"),
        (lambda: call(math.nan, 0), "lowest must be a number other than NaN, got nan"),
        (lambda: call(0, fractions.Fraction(10**400)), "highest must fit a float, got "),
        (lambda: defined({"a": Annotated[cueline.u8, call(0, 300)]}), "a must be from 0 to 255, got 300"),
    ]:
        with pytest.raises(cueline.ArgumentError) as raised:
            made()
        assert str(raised.value).startswith(text)
    for made, text in [
        (lambda: call("0", 1), "lowest must be a number, got '0'"),
        (lambda: call(0, 1, nan=1), "nan must be True or False, got 1"),
        (lambda: defined({"a": Annotated[cueline.u8, call(0, 0.5)]}), "a must be an integer, got 0.5"),
        (lambda: defined({"a": cueline.array(Annotated[bool, call(0, 1)], 2)}), "an array must be of"),
    ]:
        with pytest.raises(cueline.ArgumentTypeError) as wrong:
            made()
        assert str(wrong.value).startswith(text)


def test_ranges_are_equal_if_they_hold_the_same() -> None:
    assert cueline.Range(0, 1) == cueline.Range(0.0, np.int64(1)) != cueline.Range(0, 1, nan=True)
    assert len({cueline.Range(0, 1), cueline.Range(0, 1), cueline.Range(0, 2)}) == 2
    assert eval(repr(cueline.Range(0, 0.5, nan=True))) == cueline.Range(0, 0.5, nan=True)
    unit = Annotated[cueline.f32, cueline.Range(0, 1)]
    assert cueline.array(unit, 2) == cueline.array(unit, 2) != cueline.array(cueline.f32, 2)


def test_cuelines_own_commands_refuse_what_their_processors_would_not_play() -> None:
    for made, text in [
        (lambda: cueline.PlayBuffer(0, gain=5), "gain must be from 0 to 4, got 5"),
        (lambda: cueline.PlayBuffer(2048), "slot must be from 0 to 2047, got 2048"),
        (lambda: cueline.StopBuffer(2048), "slot must be from 0 to 2047, got 2048"),
        (lambda: cueline.PlayBuffer(0, pan=-1.5), "pan must be from -1 to 1, got -1.5"),
        (lambda: cueline.PlayBuffer(0, rate=0), "rate must be from 1e-06 to 64, got 0"),
        (lambda: cueline.SetVoice(1, rate=65), "rate must be from 1e-06 to 64, or nan, got 65"),
        (lambda: cueline.SetVoice(1, loop=3), "loop must be from 0 to 2, got 3"),
        (lambda: cueline.SetSlot(0, release_s=61), "release_s must be from 0 to 60, or nan, got 61"),
        (lambda: cueline.SetTone(384_001, 0.2), "frequency_hz must be from 0 to 384000, or nan, got 384001"),
        (lambda: cueline.SetTone(440, 1.5), "gain must be from 0 to 1, or nan, got 1.5"),
        (lambda: cueline.Click(math.nan), "frequency_hz must be from 0 to 384000, got nan"),
        (lambda: cueline.Click(gain=-0.5), "gain must be from 0 to 1, got -0.5"),
    ]:
        refused(made, cueline.ArgumentError, text)
    engine = cueline.AudioEngine("offline", processor=cueline.player_processor(2048))
    assert cueline.PlayBuffer(engine.buffer_slots - 1).slot == 2047
    fastest = cueline.AudioEngine("offline", processor="tone", samplerate=768_000)
    assert cueline.SetTone(fastest.parameters.spec("frequency").highest, math.nan).frequency_hz == 384_000


class Endless:
    """A sequence that says how long it is, and has no end."""

    def __init__(self, length: Any) -> None:
        self.length = length
        self.read = 0

    def __len__(self) -> int:
        if isinstance(self.length, Exception):
            raise self.length
        return self.length  # type: ignore[no-any-return]

    def __getitem__(self, place: int) -> int:
        self.read += 1
        assert self.read < 1000, "it is read without an end"
        return 1


def test_an_array_asks_for_the_length_first_and_reads_one_item_too_many_at_most() -> None:
    for length, got, most in [
        (10**12, 10**12, 0),
        (2, 2, 0),
        (3, "more", 4),
        (TypeError(), "more", 4),
        (OverflowError(), "more", 4),
    ]:
        endless = Endless(length)
        text = f"f must be a sequence of 3 numbers, got {got}"
        refused(lambda endless=endless: Everything(True, 2, 3, f=endless), cueline.ArgumentError, text)
        assert endless.read == most
    refused(
        lambda: Everything(True, 2, 3, f=range(10**30)),  # type: ignore[arg-type]
        cueline.ArgumentError,
        "f must be a sequence of 3 numbers, got more",
    )
    refused(
        lambda: Everything(True, 2, 3, f=np.array(3)),  # type: ignore[arg-type]
        cueline.ArgumentTypeError,
        "f must be a sequence of 3 numbers, got array(3)",
    )
    released = memoryview(b"abc")
    released.release()
    with pytest.raises(cueline.ArgumentTypeError, match="f must be a sequence of 3 numbers, got <"):
        Everything(True, 2, 3, f=released)  # type: ignore[arg-type]
    with pytest.raises(KeyError, match="its own mind"):
        Everything(True, 2, 3, f=Endless(KeyError("its own mind")))  # type: ignore[arg-type]


def test_a_truth_and_an_array_take_what_they_are() -> None:
    refused(lambda: Everything(1, 2, 3), cueline.ArgumentTypeError, "a must be True or False, got 1")
    for wrong, text in [
        ((1, 2), "f must be a sequence of 3 numbers, got 2"),
        ((1, 2, 256), "f[2] must be from 0 to 255, got 256"),
        ([-1, 2, 3], "f[0] must be from 0 to 255, got -1"),
    ]:
        refused(lambda wrong=wrong: Everything(True, 2, 3, f=wrong), cueline.ArgumentError, text)
    for wrong in (3, "abc", {1, 2, 3}):
        text = f"f must be a sequence of 3 numbers, got {wrong!r}"
        refused(lambda wrong=wrong: Everything(True, 2, 3, f=wrong), cueline.ArgumentTypeError, text)  # type: ignore[arg-type]
    assert Everything(True, 2, 3, f=b"abc").f == (97, 98, 99)  # type: ignore[arg-type]


def test_too_many_too_few_and_other_fields_are_refused() -> None:
    how = "SetTone(voice, frequency_hz, gain=0.2)"
    call: Any = SetTone
    for made, text in [
        (lambda: call(), f"SetTone needs voice, frequency_hz: {how}"),
        (lambda: call(gain=1), f"SetTone needs voice, frequency_hz: {how}"),
        (lambda: call(1), f"SetTone needs frequency_hz: {how}"),
        (lambda: call(1, 2, 3, 4), f"SetTone has 3 fields, got 4 values: {how}"),
        (lambda: call(1, 2, 3, pitch=4), f"SetTone has no field 'pitch': {how}"),
        (lambda: call(1, 2, voice=4), f"SetTone got voice twice: {how}"),
        (lambda: call.__new__(call, 1, **{4: 2}), f"SetTone has no field 4: {how}"),
        (lambda: cueline.GetLevel(1), "GetLevel has 0 fields, got 1 values: GetLevel()"),  # type: ignore[call-arg]
    ]:
        refused(made, cueline.ArgumentTypeError, text)


@given(st.integers(-(2**70), 2**70))
def test_a_kind_is_from_256_to_65535(kind: int) -> None:
    if 256 <= kind <= 65535:
        return
    with pytest.raises(cueline.ArgumentError, match=r"^kind must be .*got .*"):
        cueline.message(kind)


def test_a_kind_is_refused_with_its_number() -> None:
    text = "kind must be from 256 to 65535, got 255: lower kinds are cueline's own"
    refused(lambda: cueline.message(255), cueline.ArgumentError, text)
    refused(lambda: cueline.message(65536), cueline.ArgumentError, "kind must be from 256 to 65535, got 65536")
    refused(lambda: cueline.message("256"), cueline.ArgumentTypeError, "kind must be an integer, got '256'")  # type: ignore[arg-type]
    text = "a message needs a kind: @cueline.message(256) class Made"
    refused(lambda: cueline.message(type("Made", (), {})), cueline.ArgumentTypeError, text)  # type: ignore[arg-type]


def test_a_kind_of_another_class_is_refused_and_both_are_named() -> None:
    text = f"kind 50256 already belongs to {__name__}.SetTone: give {__name__}.Other another kind, from 256 to 65535"
    refused(lambda: defined({}, kind=50_256, name="Other"), cueline.ArgumentError, text)
    assert type(cueline.Message(50_256)) is SetTone


@pytest.mark.parametrize("first", [True, False])
def test_a_file_that_runs_twice_is_told_so(first: bool, tmp_path: Path) -> None:
    """Once as the program, and once as a module that its helper imports."""
    note = "import cueline\n@cueline.message(500)\nclass Note:\n    pass\n"
    (tmp_path / "app.py").write_text("import helper\n" + note if first else note + "import helper\n")
    (tmp_path / "helper.py").write_text("from app import Note\n")
    done = subprocess.run(
        [sys.executable, "app.py"], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path
    )
    one, other = ("app", "__main__") if first else ("__main__", "app")
    assert done.stderr.splitlines()[-1] == (
        f"cueline.errors.ArgumentError: kind 500 already belongs to {one}.Note, and {other}.Note comes from the same "
        f"lines: app.py runs twice, as {one} and as {other}. Move Note to a module of its own, and import that"
    )


def test_a_class_can_be_defined_again_and_the_last_one_counts() -> None:
    first = defined({"number": cueline.u8}, kind=50_310, name="Again")
    made = first(7)
    second = defined({"number": cueline.u16, "other": cueline.u8}, kind=50_310, name="Again")
    assert type(cueline.Message(50_310, b"\1\1\2")) is second
    assert cueline.Message(50_310, b"\1\1\2") == second(257, 2)
    assert (made.number, type(made)) == (7, first)


def test_two_classes_that_are_defined_at_once_do_not_get_the_same_kind() -> None:
    """The second one is defined within the definition of the first, as by another thread."""
    others: list[Any] = []

    class Meanwhile:
        """A default that defines another class when it is read."""

        def __init__(self, name: str, kind: int) -> None:
            self.name, self.kind = name, kind

        def __index__(self) -> int:
            if not others:
                others.append(None)
                others[0] = defined({"number": cueline.u8}, kind=self.kind, name=self.name)
            return 7

    with pytest.raises(cueline.ArgumentError, match=r"kind 50311 already belongs to test_typed_messages\.Beta"):
        defined({"number": cueline.u8}, kind=50_311, name="Alpha", number=Meanwhile("Beta", 50_311))
    assert type(cueline.Message(50_311)) is others.pop()
    alpha = defined({"number": cueline.u8}, kind=50_312, name="Alpha", number=Meanwhile("Alpha", 50_312))
    assert type(cueline.Message(50_312)) is alpha, "the definition that ends last counts"
    assert alpha().number == 7


NOTEBOOK = """
import cueline
@cueline.message(600)
class Foo:
    number: cueline.u8

@cueline.message(600)
class Bar:
    number: cueline.u8
    other: cueline.u8 = 3

print(type(cueline.Message(600)).__name__, Bar(1))

from helper import Note
@cueline.message(601)
class Mine:
    pass

"""


def test_a_class_that_was_renamed_in_an_interactive_session_takes_over_the_kind(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("import cueline\n@cueline.message(601)\nclass Note:\n    pass\n")
    (tmp_path / "app.py").write_text(NOTEBOOK)
    command: dict[str, Any] = {"capture_output": True, "text": True, "timeout": 60, "check": False, "cwd": tmp_path}
    session = subprocess.run([sys.executable, "-iq"], input=NOTEBOOK, **command)
    assert session.stdout == "Bar Bar(number=1, other=3)\n", session.stderr
    assert "UserWarning: kind 600 belonged to __main__.Foo: its messages are now __main__.Bar" in session.stderr
    assert "kind 601 already belongs to helper.Note: give __main__.Mine another kind" in session.stderr
    program = subprocess.run([sys.executable, "app.py"], **command)
    assert "kind 600 already belongs to __main__.Foo: give __main__.Bar another kind" in program.stderr


@pytest.mark.parametrize(
    ("hint", "shown"),
    [
        (int, "int"),
        (float, "float"),
        (str, "str"),
        (complex, "complex"),
        (list[cueline.u8], "list["),
        (tuple[cueline.u8, cueline.u16], "tuple["),
        (tuple[cueline.u8, ...], "tuple["),
        (tuple[()], "tuple["),
        (cueline.u8 | None, ""),
        (Annotated[str, cueline.u8], ""),
        (Annotated[enum.Flag, cueline.u8], ""),
        (enum.IntEnum, "IntEnum"),
        (Annotated[int, "a remark"], ""),
        (SetTone, "SetTone"),
        (None, "NoneType"),
    ],
)
def test_a_type_that_c_has_not_is_refused_with_what_can_be(hint: Any, shown: str) -> None:
    with pytest.raises(cueline.ArgumentTypeError) as raised:
        defined({"field": hint})
    text = str(raised.value)
    assert text.startswith(f"Made.field cannot have the type {shown}")
    assert text.endswith(
        "in a message: use cueline.u8 to u64, i8 to i64, f32, f64, buffer, bool, a tuple of one of them such as "
        "tuple[cueline.f32, cueline.f32], cueline.array(cueline.u8, 16), or Annotated[Mode, cueline.u32] where Mode is "
        "an IntEnum or an IntFlag"
    )


def test_a_message_that_is_too_large_is_refused_with_its_size() -> None:
    assert layout_of(defined({"a": cueline.array(cueline.u64, 5)})).size == 40
    way_out = "remove fields, use smaller types, or put the largest first to avoid padding"
    for hints, size in [
        ({"a": cueline.array(cueline.u64, 5), "b": bool}, 48),
        ({"a": cueline.u8, "b": cueline.array(cueline.u64, 4), "c": bool}, 48),
        ({f"a{place}": cueline.u8 for place in range(41)}, 41),
    ]:
        text = f"Made must have at most 40 bytes of fields, got {size}: {way_out}"
        refused(lambda hints=hints: defined(hints), cueline.ArgumentError, text)
    assert len(layout_of(defined({f"a{place}": cueline.u8 for place in range(40)})).fields) == 40


def test_an_array_may_stand_in_a_string() -> None:
    """Under ``from __future__ import annotations``, all annotations are strings."""
    assert layout_of(defined({"a": "cueline.array(cueline.u64, 5)"})).size == 40
    text = "cueline.array(cueline.u64, 5) describes a field of a message; it cannot be called"
    refused(lambda: cueline.array(cueline.u64, 5)(), cueline.ArgumentTypeError, text)  # type: ignore[operator]


@pytest.mark.parametrize("count", [0, -1, 6, 2**80])
def test_an_array_holds_what_a_message_has_room_for(count: int) -> None:
    with pytest.raises(cueline.ArgumentError):
        cueline.array(cueline.u64, count)
    with pytest.raises(cueline.ArgumentTypeError, match="an array must be of"):
        cueline.array(int, 3)


@pytest.mark.parametrize("name", ["kind", "sequence", "frame", "payload", "line", "flags"])
def test_a_field_named_as_every_messages_is_refused(name: str) -> None:
    text = f"Made.{name} needs another name: every message already has a {name}"
    refused(lambda: defined({name: cueline.u8}), cueline.ArgumentError, text)


@pytest.mark.parametrize(
    "name", ["class", "double", "xor", "_hidden", "a__b", "größe", "Made", "two words", "std", "cueline"]
)
def test_a_name_that_cpp_cannot_have_is_refused(name: str) -> None:
    with pytest.raises(cueline.ArgumentError, match="name"):
        defined({name: cueline.u8})


def test_a_class_of_a_name_that_cpp_cannot_have_is_refused() -> None:
    text = "a message's class cannot be named 'union', which already has a meaning in C++: use union_ instead"
    refused(lambda: defined({}, kind=50_304, name="union"), cueline.ArgumentError, text)


def test_a_name_that_is_a_macro_in_cpp_is_refused_or_looks_like_one() -> None:
    text = "a field of Made cannot be named 'errno', which already has a meaning in C++: use errno_ instead"
    refused(lambda: defined({"errno": cueline.u8}), cueline.ArgumentError, text)
    text = "a field of Made cannot be named 'NOTE_ON', which could be a macro in C++: use lower case"
    refused(lambda: defined({"NOTE_ON": cueline.u8}), cueline.ArgumentError, text)
    text = "a message's class cannot be named 'INT8_MAX', which could be a macro in C++: use lower case"
    refused(lambda: defined({}, kind=50_304, name="INT8_MAX"), cueline.ArgumentError, text)


def test_a_default_is_checked_and_stands_behind_what_has_none() -> None:
    text = "number must be from 0 to 255, got 256"
    refused(lambda: defined({"number": cueline.u8}, number=256), cueline.ArgumentError, text)
    text = "Made.b has no default, but a before it has one: move it to the front, or give it a default"
    refused(lambda: defined({"a": cueline.u8, "b": cueline.u8}, a=1), cueline.ArgumentTypeError, text)
    assert defined({"a": cueline.u8, "b": cueline.u8}, a=1, b=2)().payload[:2] == b"\1\2"


def test_a_default_needs_no_repr() -> None:
    class Secret:
        def __index__(self) -> int:
            return 7

        def __repr__(self) -> str:
            raise ValueError("no text for this")

    made = defined({"number": cueline.u8}, kind=50_313, number=Secret())
    assert made().number == 7
    with pytest.raises(
        cueline.ArgumentTypeError, match=r"Made has 1 fields, got 2 values: Made\(number=<Secret instance"
    ):
        made(1, 2)


@pytest.mark.parametrize("name", ["__init__", "__post_init__", "__new__", "__slots__", "__del__"])
def test_a_class_that_makes_its_instances_otherwise_is_refused(name: str) -> None:
    text = f"Made must not define {name}: a message consists of its fields only"
    refused(lambda: defined({}, **{name: ()}), cueline.ArgumentTypeError, text)


def test_a_class_with_other_bases_is_refused() -> None:
    for bases in ((int,), (cueline.Message, dict), (Exception,)):
        with pytest.raises((cueline.ArgumentTypeError, TypeError), match=r"no base class other|conflict"):
            cueline.message(50_300)(type("Made", bases, {}))
    derived = cueline.message(50_302)(type("Derived", (cueline.Message,), {"__annotations__": {"a": cueline.u8}}))
    assert derived(3).a == 3


def test_a_class_that_no_decorator_made_has_no_instances() -> None:
    class Foo(cueline.Message):
        a: cueline.u32

    class Slotted(cueline.Message):
        __slots__ = ()

    text = "Foo has no kind: put @cueline.message(kind) above class Foo"
    for made in (Foo, lambda: Foo(700), lambda: Foo(a=1), lambda: cueline.Message.__new__(Foo, 700)):
        refused(made, cueline.ArgumentTypeError, text)  # type: ignore[arg-type]
    text = "Slotted has no kind: put @cueline.message(kind) above class Slotted"
    refused(lambda: Slotted(700), cueline.ArgumentTypeError, text)
    for wrong in ((3, b""), (SetTone, "text")):
        with pytest.raises(cueline.ArgumentTypeError, match="a message is restored from its class and its bytes, got"):
            unpickled(*wrong)  # type: ignore[arg-type]
    state = cueline.Message(700).__reduce__()[1][1]  # type: ignore[index]
    with pytest.raises(cueline.ArgumentError, match="a message of kind 700 is of class Message, not Foo"):
        unpickled(Foo, state)


def test_a_type_that_is_not_there_is_refused() -> None:
    with pytest.raises(cueline.ArgumentTypeError, match="Made has a field of an unknown type: name 'u9'"):
        defined({"field": "u9"})
    for hint in ("", "1 +", "\ud800", "1 / 0", "().none"):
        with pytest.raises(cueline.ArgumentTypeError, match="Made has a field whose type cannot be read: "):
            defined({"field": hint})


def test_types_in_strings_are_found_where_the_class_is() -> None:
    from cueline import u16 as local_name

    @cueline.message(50_303)
    class Local:
        field: local_name

    assert layout_of(Local).size == 2


def test_a_plain_message_is_made_of_a_kind_and_bytes() -> None:
    made = cueline.Message(1000, b"abc")
    assert (made.kind, made.payload) == (1000, b"abc".ljust(40, b"\0"))
    assert (made.sequence, made.frame, made.flags, made.line) == (0, 0, 0, 0)
    assert made == cueline.Message(kind=1000, payload=bytearray(b"abc")) != cueline.Message(1000)
    assert cueline.Message(65535, memoryview(bytes(40))).kind == 65535
    assert pickle.loads(pickle.dumps(made)) == made
    for kind in (-1, 65536):
        refused(
            lambda kind=kind: cueline.Message(kind), cueline.ArgumentError, f"kind must be from 0 to 65535, got {kind}"
        )
    refused(lambda: cueline.Message(1, bytes(41)), cueline.ArgumentError, "a payload is at most 40 bytes, got 41")
    refused(lambda: cueline.Message("a"), cueline.ArgumentTypeError, "kind must be an integer, got 'a'")  # type: ignore[arg-type]
    call: Any = cueline.Message
    how = 'Message(kind, payload=b"")'
    for wrong, text in [
        (lambda: call(300, 5), "payload must be contiguous bytes, got 5"),
        (lambda: call(300, "abc"), "payload must be contiguous bytes, got 'abc'"),
        (lambda: call(300, None), "payload must be contiguous bytes, got None"),
        (lambda: call(300, payload=np.zeros(8, "u1")[::2]), "payload must be contiguous bytes, got array("),
        (lambda: call(), f"Message needs kind: {how}"),
        (lambda: call(payload=b""), f"Message needs kind: {how}"),
        (lambda: call(300, b"", 3), f"Message has 2 arguments, got 3: {how}"),
        (lambda: call(300, kind=3), f"Message got kind twice: {how}"),
        (lambda: call(300, paylod=b""), f"Message has no argument 'paylod': {how}"),
    ]:
        with pytest.raises(cueline.ArgumentTypeError) as raised:
            wrong()
        assert str(raised.value).startswith(text)


def test_a_plain_message_of_a_kind_with_a_type_is_of_that_type() -> None:
    made = cueline.Message(50_256, struct.pack("<Iff", 1, 440, 0.5))
    assert type(made) is SetTone
    assert made == SetTone(1, 440, 0.5)


def test_a_reason_that_is_not_known_is_a_number() -> None:
    assert cueline.Refused(1, 2).reason is cueline.Reason.SCHEDULE_FULL
    assert cueline.Refused(1, cueline.Reason.LATE).reason is cueline.Reason.LATE
    assert cueline.Refused(1, 99).reason == 99  # type: ignore[arg-type]
    error = cueline.RefusedError(cueline.Refused(1, 99))  # type: ignore[arg-type]
    assert str(error).endswith("did not take effect: for reason 99, which this version of cueline has no name for")
    assert error.reason == 99
    with pytest.raises(cueline.ArgumentTypeError, match=r"refused must be a cueline\.Refused, got 99"):
        cueline.RefusedError(99)  # type: ignore[arg-type]
    with pytest.raises(cueline.ArgumentTypeError, match="name must be a string, got 3"):
        cueline.RefusedError(cueline.Refused(1, 2), 3)  # type: ignore[arg-type]


class Pedals(enum.IntFlag):
    SUSTAIN = 1
    SOFT = 2


def test_flags_are_read_as_what_they_make_together() -> None:
    made = defined({"pedals": Annotated[Pedals, cueline.u8]}, kind=50_305, name="Pressed", pedals=Pedals.SOFT)
    both = made(Pedals.SUSTAIN | Pedals.SOFT)
    assert both.pedals is Pedals.SUSTAIN | Pedals.SOFT
    assert both.payload[0] == 3
    assert repr(both) == f"Pressed(pedals={Pedals(3)!r})"
    assert made().pedals is Pedals.SOFT
    assert made(0).pedals == Pedals(0)
    assert made(255).pedals == 255
    refused(lambda: made(256), cueline.ArgumentError, "pedals must be from 0 to 255, got 256")


def test_a_message_is_no_work_for_the_garbage_collector() -> None:
    assert not gc.is_tracked(SetTone(1, 2))
    gc.collect()  # what earlier tests left, in circles, would otherwise go whenever the collector runs
    before = sys.getrefcount(SetTone)
    made = [SetTone(1, 2) for _ in range(1000)]
    assert sys.getrefcount(SetTone) == before + (1000 if HAS_GIL else 0)  # without a GIL, nobody counts
    del made
    assert sys.getrefcount(SetTone) == before


def test_a_refusal_leaves_nothing_behind() -> None:
    gc.collect()  # what earlier tests left, in circles, would otherwise go whenever the collector runs
    before = sys.getrefcount(SetTone)
    for _ in range(100):
        for wrong in ((), (-1, 2), (1, "a"), (1, 2, 3, 4)):
            with pytest.raises(cueline.Error):
                SetTone(*wrong)
    assert sys.getrefcount(SetTone) == before


def test_numpy_knows_the_whole_message() -> None:
    made = cueline.dtype(Everything)
    assert made.itemsize == 56
    assert made.names == ("kind", "line", "sequence", "frame", "a", "b", "c", "d", "e", "f", "g")
    assert made.metadata == {"cueline": Everything}
    message = Everything(True, 65535, -128, -5, (0.5, 2), (7, 8, 9), 1e300)
    row = np.frombuffer(message.__reduce__()[1][1], made)[0]
    for field in layout_of(Everything).fields:
        found, value = row[field.name], getattr(message, field.name)
        assert tuple(found) == value if field.length else found == value
    header = {"kind": 50_257, "line": 9, "sequence": 0x89AB_CDEF, "frame": 0x0123_4567_89AB_CDEF}
    numbers = (header["kind"], 255, header["line"], header["sequence"], header["frame"])
    as_c_has_it = struct.pack("=HBBIQ40s", *numbers, b"")
    plain = cueline.dtype()
    for known in (made, plain):
        row = np.frombuffer(as_c_has_it, known)[0]
        assert {name: row[name] for name in header} == header
    assert (plain.itemsize, plain.names) == (56, ("kind", "line", "sequence", "frame", "payload"))
    assert bytes(np.frombuffer(message.__reduce__()[1][1], plain)[0]["payload"]) == message.payload
    for wrong in (int, cueline.Message, 3):
        with pytest.raises(cueline.ArgumentTypeError, match=r"cls must be a class made with @cueline\.message"):
            cueline.dtype(wrong)  # type: ignore[arg-type]


CHECKED = """
from typing import TYPE_CHECKING, Annotated
import cueline

@cueline.message(256)
class SetTone(cueline.Message):
    voice: cueline.u32
    levels: Annotated[tuple[float, ...], cueline.array(cueline.f32, 2)]
    gain: cueline.f32 = 0.2

tone = SetTone(1, (0.5, 0.25), gain=0.5)
number: int = tone.voice
message: cueline.Message = tone
match message:
    case SetTone(voice=voice):
        number = voice
    case cueline.Pong(sequence=sequence):
        number = sequence

@cueline.message(257)
class Panic:
    pass

@cueline.message(258)
class AllOff(cueline.Message):
    if TYPE_CHECKING:
        def __init__(self) -> None: ...

@cueline.message(259)
class Reset(cueline.Message):
    pass

def stop(engine: cueline.AudioEngine) -> None:
    engine.send(Panic())
    engine.send(AllOff())
    match engine.receive_msg():
        case Panic() | AllOff():
            pass
"""
WRONG = {
    "SetTone()": "call-arg",
    "SetTone('1', (1, 2))": "arg-type",
    "SetTone(1, (1, 2), pitch=3)": "call-arg",
    "tone.voice = 3": "misc",
    "tone.pitch": "attr-defined",
    "Reset()": "call-arg",
}


def test_a_type_checker_knows_what_a_message_takes(tmp_path: Path) -> None:
    (tmp_path / "right.py").write_text(CHECKED)
    (tmp_path / "wrong.py").write_text(CHECKED + "\n".join(WRONG) + "\n")
    asked = [sys.executable, "-m", "mypy", "--strict", f"--cache-dir={tmp_path}", "right.py", "wrong.py"]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path)
    first = len(CHECKED.splitlines()) + 1
    found = re.findall(r"^(\w+\.py):(\d+): error: .*\[([\w-]+)\]$", done.stdout, flags=re.MULTILINE)
    assert found == [("wrong.py", str(first + place), code) for place, code in enumerate(WRONG.values())], done.stdout


def test_types_of_fields_are_equal_if_they_mean_the_same() -> None:
    assert cueline.array(cueline.u8, 16) == cueline.array(cueline.u8, 16)
    assert len({cueline.array(cueline.u8, 16), cueline.array(cueline.u8, 16)}) == 1
    assert cueline.array(cueline.u8, 16) != cueline.array(cueline.i8, 16)
    assert cueline.array(cueline.u8, 16) != cueline.array(cueline.u8, 15)
    assert copy.deepcopy(cueline.u8) == cueline.u8
