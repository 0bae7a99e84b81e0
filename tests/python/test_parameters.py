"""engine.parameters and engine.meters: setting, reading, errors, threads."""

from __future__ import annotations

import math
import os
import pickle
import threading
from collections.abc import Iterator, Mapping, MutableMapping
from decimal import Decimal
from fractions import Fraction
from itertools import count
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cueline
from conftest import eventually
from cueline import meters
from cueline.arguments import checked_latency, checked_timeout


@pytest.fixture
def tone() -> Iterator[cueline.AudioEngine]:
    with cueline.AudioEngine("offline", processor="tone", blocksize=64) as engine:
        yield engine


# --- Parameters -------------------------------------------------------------------------------------------------------


def test_parameters_are_a_mapping_of_what_was_last_set(tone: cueline.AudioEngine) -> None:
    assert isinstance(tone.parameters, MutableMapping)
    assert dict(tone.parameters) == {"frequency": 440.0, "gain": 0.2}
    tone.parameters["gain"] = 0.5
    tone.parameters.update(frequency=1000)
    assert tone.parameters == {"frequency": 1000.0, "gain": 0.5}
    assert list(tone.parameters) == ["frequency", "gain"]
    assert len(tone.parameters) == 2
    assert "gain" in tone.parameters
    assert "volume" not in tone.parameters
    assert 3 not in tone.parameters
    assert tone.parameters.get("volume", 7) == 7
    assert tone.parameters.setdefault("gain", 0.1) == 0.5
    assert list(tone.parameters.items()) == [("frequency", 1000.0), ("gain", 0.5)]
    assert list(tone.parameters.keys()) == list(tone.parameters)
    assert list(tone.parameters.values()) == [1000.0, 0.5]
    assert repr(tone.parameters) == "<cueline.Parameters {'frequency': 1000.0, 'gain': 0.5}>"


def test_the_spec_says_what_a_parameter_is(tone: cueline.AudioEngine) -> None:
    assert tone.parameters.spec("gain") == cueline.ParameterSpec("gain", 0.0, 1.0, 0.2, "", 0.02)
    assert tone.parameters.spec("frequency") == cueline.ParameterSpec("frequency", 0.0, 24_000.0, 440.0, "Hz", 0.02)
    with pytest.raises(AttributeError):
        tone.parameters.spec("gain").highest = 2.0  # type: ignore[misc]


def test_a_processor_without_parameters_has_none() -> None:
    engine = cueline.AudioEngine("offline", processor="silence")
    assert dict(engine.parameters) == {}
    assert dict(engine.meters) == {}
    with pytest.raises(cueline.UnknownNameError, match="no parameter 'gain': the processor has none"):
        engine.parameters["gain"] = 0.5


def test_a_gain_is_heard_as_it_was_set_and_without_a_click(tone: cueline.AudioEngine) -> None:
    tone.parameters["gain"] = 1
    before = tone.render(4800)[:, 0]
    tone.parameters["gain"] = 0.25
    after = tone.render(4800)[:, 0]
    assert np.abs(before[960:]).max() == pytest.approx(1, rel=1e-3)
    assert np.abs(after[960:]).max() == pytest.approx(0.25, rel=1e-3)
    steps = np.abs(np.diff(np.concatenate([before, after])))
    assert steps.max() < 2 * np.pi * 440 / 48_000 + 1 / 960 + 1e-6


def test_a_thousand_writes_leave_the_command_ring_as_it_was_and_the_last_one_counts(tone: cueline.AudioEngine) -> None:
    tone.render(64)
    for number in range(1000):
        tone.parameters["gain"] = number / 2000
    tone.parameters["gain"] = 0.75
    assert tone.stats().commands == cueline.RingStats(sent=0, dropped=0, high_water=0)
    tone.render(960)
    assert np.abs(tone.render(4800)).max() == pytest.approx(0.75, rel=1e-3)
    assert tone.stats().commands.sent == 0


def test_a_message_moves_it_unseen_and_the_next_write_counts_though_it_is_the_same(tone: cueline.AudioEngine) -> None:
    tone.parameters["gain"] = 0.5
    tone.render(2000)
    tone.send(cueline.SetTone(frequency_hz=math.nan, gain=0))
    tone.render(2000)
    assert not tone.render(1000).any()
    assert tone.parameters["gain"] == 0.5
    tone.parameters["gain"] = 0.5
    tone.render(2000)
    assert np.abs(tone.render(1000)).max() == pytest.approx(0.5, rel=1e-2)


NUMBERS = [
    0, 1, 0.5, np.float16(0.25), np.float32(0.25), np.float64(0.25), np.longdouble(0.25), np.int8(1), np.uint64(1),
    Fraction(1, 4), Decimal("0.25"),
]  # fmt: skip


@pytest.mark.parametrize("value", NUMBERS)
def test_whatever_is_a_real_number_in_the_range_can_be_set(tone: cueline.AudioEngine, value: float) -> None:
    tone.parameters["gain"] = value
    assert tone.parameters["gain"] == float(value)
    assert type(tone.parameters["gain"]) is float
    assert cueline.SetTone(440, value).gain == float(value)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1.5, "1.5"), (-0.5, "-0.5"), (2, "2"), (float("nan"), "nan"), (float("inf"), "inf"), (-(10**400), "-1")],
)
def test_values_outside_the_range_are_refused_with_the_numbers(
    tone: cueline.AudioEngine, value: float, shown: str
) -> None:
    with pytest.raises(cueline.ArgumentError, match=f"gain must be from 0 to 1, got {shown}"):
        tone.parameters["gain"] = value
    with pytest.raises(cueline.ArgumentError, match="frequency must be from 0 to 24000 Hz, got"):
        tone.parameters["frequency"] = value - 10**6 if value == 2 else 24_000.5
    assert tone.parameters == {"frequency": 440.0, "gain": 0.2}


def type_name(value: object) -> str:
    """Return a name that is the same in each process: those that run tests side by side compare them."""
    return type(value).__name__


class Floating:
    """An object that can be converted to a float, and is no number."""

    def __float__(self) -> float:
        return 0.5


@pytest.mark.filterwarnings("error")  # NumPy's of a number that lost its imaginary part
@pytest.mark.parametrize(
    "value",
    [
        True, False, "0.5", None, 1j, [0.5], np.array([0.5]), np.array(0.5), np.array("3"), object(), np.True_,
        np.complex64(0.5), np.ma.masked, np.ma.array(0.5, mask=False), np.ma.array(0, mask=True), np.str_("0.5"),
        np.timedelta64(0, "s"), np.datetime64(0, "s"), Decimal("sNaN"), Floating(), b"0",
    ],
    ids=type_name,
)  # fmt: skip
def test_what_is_no_number_is_refused(tone: cueline.AudioEngine, value: Any) -> None:
    with pytest.raises(cueline.ArgumentTypeError, match="gain must be a number, got"):
        tone.parameters["gain"] = value
    assert tone.parameters["gain"] == 0.2
    with pytest.raises(cueline.ArgumentTypeError, match="gain must be a number, got"):
        cueline.SetTone(440, value)
    with pytest.raises(cueline.ArgumentTypeError, match="timeout must be a number of seconds or None, got"):
        checked_timeout(value)
    with pytest.raises(cueline.Error, match=r"latency must be (a number|'low', 'high' or a number of seconds), got"):
        checked_latency(np.zeros(3) if value is None else value)


@pytest.mark.parametrize(
    "value",
    [True, 1.0, "1", None, np.True_, np.array(1), np.array([1]), np.ma.masked, np.ma.array(1, mask=True),
     np.timedelta64(1, "s"), Decimal(1), Fraction(1)],
    ids=type_name,
)  # fmt: skip
def test_what_is_no_integer_is_refused(value: Any) -> None:
    with pytest.raises(cueline.ArgumentTypeError, match="slot must be an integer, got"):
        cueline.StopBuffer(value)
    with pytest.raises(
        cueline.ArgumentTypeError, match="outputs must be a number of channels, or a tuple of their numbers, got"
    ):
        cueline.AudioEngine("offline", outputs=value)


TOO_LARGE: list[Any] = [10**400, Fraction(10**400), Decimal("1e400")]
if np.finfo(np.longdouble).maxexp > np.finfo(np.float64).maxexp:  # on Windows, both are the same
    TOO_LARGE.append(np.longdouble("1e4000"))


@pytest.mark.parametrize("value", TOO_LARGE, ids=type_name)
def test_a_number_larger_than_every_double_is_refused_and_does_not_become_infinite(
    tone: cueline.AudioEngine, value: Any
) -> None:
    for sign in (1, -1):
        with pytest.raises(cueline.ArgumentError, match="gain must be from 0 to 1, got"):
            tone.parameters["gain"] = sign * value
        with pytest.raises(cueline.ArgumentError, match=r"number must be from -1\.797"):
            Double(sign * value)
    assert Double(Decimal("-inf")).number == -math.inf
    assert Double(np.longdouble("inf")).number == math.inf
    assert math.isnan(Double(Decimal("nan")).number)


@cueline.message(50_400)
class Double:
    number: cueline.f64


def _rounded(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.nan


_ENGINE = cueline.AudioEngine("offline", processor="tone")


@given(
    name=st.sampled_from(["frequency", "gain"]),
    value=st.floats(allow_nan=True, allow_infinity=True) | st.integers() | st.booleans() | st.fractions() | st.text(),
)
def test_a_value_is_taken_if_and_only_if_it_is_a_number_in_the_range(name: str, value: object) -> None:
    engine = _ENGINE
    spec = engine.parameters.spec(name)
    before = engine.parameters[name]
    number = isinstance(value, int | float | Fraction) and not isinstance(value, bool)
    if number and spec.lowest <= _rounded(value) <= spec.highest:  # type: ignore[arg-type]
        engine.parameters[name] = value  # type: ignore[assignment]
        assert engine.parameters[name] == float(value)  # type: ignore[arg-type]
        return
    with pytest.raises(cueline.ArgumentError if number else cueline.ArgumentTypeError) as refused:
        engine.parameters[name] = value  # type: ignore[assignment]
    assert name in str(refused.value)
    assert engine.parameters[name] == before


@pytest.mark.parametrize("name", ["volume", "", "Gain", 3, None, ("gain",), [], {}])
def test_unknown_names_are_a_key_error_that_names_those_there_are(tone: cueline.AudioEngine, name: str) -> None:
    for act in (
        lambda: tone.parameters[name],
        lambda: tone.parameters.__setitem__(name, 0.5),
        lambda: tone.parameters.spec(name),
    ):
        with pytest.raises(cueline.UnknownNameError) as refused:
            act()
        assert isinstance(refused.value, KeyError)
        assert str(refused.value) == f"no parameter {name!r}: the processor has 'frequency', 'gain'"
    for act in (lambda: tone.meters[name], lambda: tone.meters.spec(name), lambda: tone.meters.read(name)):
        with pytest.raises(cueline.UnknownNameError) as refused:
            act()
        assert str(refused.value) == f"no meter {name!r}: the processor has 'level'"


class Shifting(str):
    """A name whose hash is another one each time."""

    hashes = count()

    def __hash__(self) -> int:
        return next(self.hashes)


def test_a_name_is_what_it_reads(tone: cueline.AudioEngine) -> None:
    tone.parameters[Shifting("gain")] = 0.5
    assert tone.parameters[Shifting("gain")] == 0.5
    assert Shifting("gain") in tone.parameters
    assert tone.meters.read(Shifting("level")) == tone.meters.read("level")
    assert [] not in tone.parameters
    assert {} not in tone.meters


def test_parameters_cannot_be_deleted(tone: cueline.AudioEngine) -> None:
    with pytest.raises(cueline.ArgumentTypeError, match="can be set but not deleted, got 'gain'"):
        del tone.parameters["gain"]
    with pytest.raises(cueline.ArgumentTypeError, match="can be set but not deleted"):
        tone.parameters.clear()
    assert len(tone.parameters) == 2


# --- Meters -----------------------------------------------------------------------------------------------------------


def test_a_meter_of_one_field_is_a_float_and_names_that_python_has_not_go_by_numbers() -> None:
    one = meters._maker("load", ("part",))
    assert one((0.25,)) == 0.25
    odd = meters._maker("left channel", ("peak", "class", "peak level"))
    assert odd((1.0, 2.0, 3.0))._asdict() == {"peak": 1.0, "_1": 2.0, "_2": 3.0}


def test_a_meter_of_several_fields_is_a_named_tuple_and_has_a_frame(tone: cueline.AudioEngine) -> None:
    assert isinstance(tone.meters, Mapping)
    assert not isinstance(tone.meters, MutableMapping)
    assert list(tone.meters) == ["level"]
    assert tone.meters.spec("level") == cueline.MeterSpec("level", "", ("peak", "rms"))
    assert tone.meters["level"] == (0.0, 0.0)
    assert tone.meters.read("level") == ((0.0, 0.0), 0)
    tone.parameters["gain"] = 0.5
    tone.render(4800 + 100)
    level = tone.meters["level"]
    assert level.peak == pytest.approx(0.5, rel=1e-3)
    assert level.rms == pytest.approx(0.5 / 2**0.5, rel=1e-3)
    assert tone.meters.read("level") == cueline.MeterReading(level, frame=4800)
    assert tone.meters == {"level": level}
    assert repr(tone.meters) == f"<cueline.Meters {{'level': level(peak={level.peak!r}, rms={level.rms!r})}}>"


def test_a_meter_s_value_can_be_sent_to_another_process(tone: cueline.AudioEngine) -> None:
    tone.render(4800)
    reading = tone.meters.read("level")
    there = pickle.loads(pickle.dumps(reading))
    assert there == reading
    assert there.value.peak == reading.value.peak
    assert type(there.value) is type(reading.value)


def test_a_name_taken_for_an_attribute_is_refused_with_the_way_to_say_it(tone: cueline.AudioEngine) -> None:
    with pytest.raises(AttributeError, match=r"parameters are not attributes: use parameters\['gain'\]"):
        tone.parameters.gain = 0.7
    with pytest.raises(AttributeError, match=r"meters are not attributes: use meters\['level'\]"):
        tone.meters.level = 0.7


def test_meters_are_read_only(tone: cueline.AudioEngine) -> None:
    with pytest.raises(TypeError):
        tone.meters["level"] = 1  # type: ignore[index]
    with pytest.raises(AttributeError):
        tone.meters = {}  # type: ignore[assignment,misc]
    with pytest.raises(AttributeError):
        tone.parameters = {}  # type: ignore[assignment,misc]


def test_a_meter_moves_while_the_audio_runs() -> None:
    with cueline.AudioEngine("null", processor="tone") as engine:
        assert eventually(lambda: engine.meters.read("level").frame > 0)
        before = engine.meters.read("level").frame
        assert eventually(lambda: engine.meters.read("level").frame > before)
        assert engine.meters["level"].peak > 0


# --- Threads, and engines that are no more ----------------------------------------------------------------------------


def test_any_thread_may_set_and_read() -> None:
    wrong: list[str] = []

    def work(engine: cueline.AudioEngine, number: int) -> None:
        frame = 0
        for _ in range(5000):
            engine.parameters["gain"] = number / 10
            if engine.parameters["gain"] * 10 not in (1, 2, 3, 4):
                wrong.append("a gain that nobody set")
            level, now = engine.meters.read("level")
            if not 0 <= level.rms <= level.peak <= 1:
                wrong.append(f"torn: {level}")
            if now < frame:
                wrong.append("it went back")
            frame = now

    with cueline.AudioEngine("null", processor="tone", blocksize=16) as engine:
        engine.parameters["gain"] = 0.1
        threads = [threading.Thread(target=work, args=(engine, number)) for number in (1, 2, 3, 4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_a_closed_engine_refuses_both_and_still_says_what_there_was(tone: cueline.AudioEngine) -> None:
    tone.close()
    for act in (
        lambda: tone.parameters["gain"],
        lambda: tone.parameters.__setitem__("gain", 0.5),
        lambda: tone.meters["level"],
        lambda: tone.meters.read("level"),
    ):
        with pytest.raises(cueline.ClosedError):
            act()
    assert list(tone.parameters) == ["frequency", "gain"]
    assert tone.parameters.spec("gain").highest == 1
    assert repr(tone.parameters) == "<cueline.Parameters ['frequency', 'gain'], closed>"
    assert repr(tone.meters) == "<cueline.Meters ['level'], closed>"


def test_a_view_that_outlives_its_engine_finds_it_closed() -> None:
    engine = cueline.AudioEngine("null", processor="tone")
    engine.start()
    parameters, meters = engine.parameters, engine.meters
    del engine
    with pytest.raises(cueline.ClosedError):
        parameters["gain"] = 0.5
    with pytest.raises(cueline.ClosedError):
        meters["level"]


@pytest.mark.filterwarnings("ignore:this process forks while an engine runs")
def test_a_forked_child_is_refused_both() -> None:
    with cueline.AudioEngine("null", processor="tone") as engine:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                engine.parameters["gain"] = 0.5
            except cueline.ForkedError:
                try:
                    engine.meters["level"]
                except cueline.ForkedError:
                    code = 0
            os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
