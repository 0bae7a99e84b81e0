"""Arrays of parameters and of meters: setting, reading, errors, threads."""

# ruff: noqa: ARG001
# mypy: allow-untyped-defs
from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numba
import numpy as np
import pytest

import cueline
from cueline import ArgumentError, ArgumentTypeError, MeterSpec, ParameterSpec

PADS = 216


@numba.cfunc(cueline.RENDER_SIGNATURE, error_model="numpy")
def render(
    inputs, ins, outputs, outs, frames, frame, samplerate, parameters, arrays, meters, events, samples, buffers, state
):
    """Show the values of the array `gain` in the last frame, and the change per frame, as meters."""
    values = numba.carray(parameters, (2, frames))
    elements = numba.carray(arrays, (PADS + 3, 2))
    shown = numba.carray(meters, (PADS + 1, 8))
    for channel in range(outs):
        for i in range(frames):
            outputs[channel * frames + i] = values[1, i]
    for pad in range(PADS):
        shown[pad, 0] = elements[pad, 0] + (frames - 1) * elements[pad, 1]
        shown[pad, 1] = elements[pad, 1]
    shown[PADS, 0] = elements[PADS + 2, 0]


@pytest.fixture
def engine() -> Iterator[cueline.AudioEngine]:
    processor = cueline.cfunc_processor(
        render,
        parameters=(
            ParameterSpec("before"),
            ParameterSpec("gain", 0, 2, default=1, unit="full scale", ramp=0.01, count=PADS),
            ParameterSpec("behind", 0, 10, default=3, ramp=0),
            ParameterSpec("jump", -1, 1, ramp=0, count=3),
        ),
        meters=(MeterSpec("pads", fields=("value", "change"), count=PADS), MeterSpec("last")),
    )
    with cueline.AudioEngine("offline", processor=processor, blocksize=64, samplerate=48_000) as engine:
        yield engine


def shown(engine: cueline.AudioEngine) -> list[float]:
    engine.render(64)
    values: list[float] = engine.meters.array("pads").value.tolist()
    return values


def test_an_element_is_set_and_read(engine: cueline.AudioEngine) -> None:
    gains = engine.parameters.array("gain")
    assert len(gains) == PADS
    assert list(gains) == [1.0] * PADS
    gains[17] = 0.5
    gains[-1] = Fraction(1, 4)  # type: ignore[assignment]
    gains[np.int64(3)] = np.float32(2)
    assert (gains[17], gains[PADS - 1], gains[-199], gains[3]) == (0.5, 0.25, 0.5, 2.0)
    assert shown(engine) == [{17: 0.5, PADS - 1: 0.25, 3: 2.0}.get(pad, 1.0) for pad in range(PADS)]
    assert engine.parameters["before"] == 0
    assert engine.parameters["behind"] == 3


@pytest.mark.parametrize(
    ("where", "values"),
    [
        (slice(None), 0.5),
        (slice(2, 5), [0.1, 0.2, 0.3]),
        (slice(2, 5), (0.1, Fraction(1, 2), 1)),
        (slice(None), np.linspace(0, 2, PADS)),
        (slice(None), np.linspace(0, 2, PADS, dtype=np.float32)),
        (slice(None), np.linspace(0, 2, 2 * PADS)[::2]),
        (slice(None), np.linspace(0, 2, PADS)[::-1]),
        (slice(None), np.linspace(0, 2, PADS).astype(">f8")),
        (slice(None), np.arange(PADS) % 3),
        (slice(None, None, 5), np.linspace(0, 2, 44)),
        (slice(None, None, -7), np.linspace(0, 2, 31)),
        (slice(60, 70), np.linspace(0, 2, 10)),
        (slice(5, 5), []),
        (slice(200, 1000), 0),
    ],
)
def test_a_slice_is_set_as_in_a_numpy_array(engine: cueline.AudioEngine, where: slice, values: Any) -> None:
    gains = engine.parameters.array("gain")
    expected = np.ones(PADS)
    expected[where] = np.asarray(values, float)
    gains[where] = values
    assert list(gains) == expected.tolist()
    assert gains[where] == expected[where].tolist()
    assert shown(engine) == expected.tolist()


def test_numpy_copies_it(engine: cueline.AudioEngine) -> None:
    gains = engine.parameters.array("gain")
    gains[:] = np.linspace(0, 2, PADS)
    copied = np.asarray(gains)
    assert copied.dtype == np.float64
    assert copied.tolist() == list(gains)
    copied[:] = 0
    assert gains[-1] == 2
    assert np.asarray(gains, np.float32).dtype == np.float32
    assert np.array(gains).sum() == pytest.approx(PADS)
    with pytest.raises(ValueError, match="can only be copied"):
        gains.__array__(copy=False)


def test_a_view_is_live(engine: cueline.AudioEngine) -> None:
    first, second = engine.parameters.array("gain"), engine.parameters.array("gain")
    first[3] = 0.75
    assert second[3] == 0.75
    assert repr(first) == "<cueline.ParameterArray 'gain' of 216>"


@pytest.mark.parametrize(
    ("where", "value", "error", "text"),
    [
        (17, 2.5, ArgumentError, r"gain\[17\] must be from 0 to 2 full scale, got 2.5"),
        (-1, math.nan, ArgumentError, r"gain\[215\] must be from 0 to 2 full scale, got nan"),
        (17, 10**400, ArgumentError, r"gain\[17\] must be from 0 to 2 full scale, got 1000"),
        (17, True, ArgumentTypeError, r"gain\[17\] must be a number, got True"),
        (17, [1.0], ArgumentTypeError, r"gain\[17\] must be a number, got \[1.0\]"),
        (216, 1, ArgumentError, r"an index of gain must be from -216 to 215, got 216"),
        (-217, 1, ArgumentError, r"an index of gain must be from -216 to 215, got -217"),
        (10**30, 1, ArgumentError, r"an index of gain must be from -216 to 215, got 1000"),
        ("a", 1, ArgumentTypeError, r"an index of gain must be an integer or a slice, got 'a'"),
        (1.0, 1, ArgumentTypeError, r"an index of gain must be an integer or a slice, got 1.0"),
        (slice(None), 2.5, ArgumentError, r"gain\[0:216\] must be from 0 to 2 full scale, got 2.5"),
        (slice(2, 5), [0, 0, 3], ArgumentError, r"gain\[4\] must be from 0 to 2 full scale, got 3"),
        (slice(2, 5), np.array([0, 0, 3.0]), ArgumentError, r"gain\[4\] must be from 0 to 2 full scale, got 3"),
        (slice(5, 2, -1), np.array([0, 0, 3.0]), ArgumentError, r"gain\[3\] must be from 0 to 2 full scale"),
        (slice(2, 5), np.array([0, math.nan, 0]), ArgumentError, r"gain\[3\] must be .* got nan"),
        (slice(2, 5), [0, "x", 0], ArgumentTypeError, r"gain\[3\] must be a number, got 'x'"),
        (slice(2, 5), [0, 1], ArgumentError, r"gain\[2:5\] takes 3 values or one number, got 2 values"),
        (slice(2, 5), np.zeros(4), ArgumentError, r"gain\[2:5\] takes 3 values or one number, got 4 values"),
        (slice(2, 8, 2), range(10**12), ArgumentError, r"gain\[2:8:2\] takes 3 values .* got 1000000000000 values"),
        (slice(2, 5), np.zeros((3, 1)), ArgumentTypeError, r"gain\[2\] must be a number, got"),
        (slice(2, 5), np.array([1, 2, 1]) * 1j, ArgumentTypeError, r"gain\[2\] must be a number, got"),
        (slice(2, 4), np.ma.array([0.0, 1.0], mask=[False, True]), ArgumentTypeError, r"gain\[3\] must be a number"),
        (slice(2, 5), {0, 1, 2}, ArgumentTypeError, r"gain\[2:5\] must be a number or a sequence of numbers"),
        (slice(2, 5), None, ArgumentTypeError, r"gain\[2:5\] must be a number or a sequence of numbers, got None"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_and_changes_nothing(
    engine: cueline.AudioEngine, where: Any, value: Any, error: type[Exception], text: str
) -> None:
    gains = engine.parameters.array("gain")
    with pytest.raises(error, match=text):
        gains[where] = value
    assert list(gains) == [1.0] * PADS
    assert shown(engine) == [1.0] * PADS


@pytest.mark.parametrize("raised", [KeyboardInterrupt, MemoryError, RuntimeError])
def test_what_the_values_own_code_raises_comes_through(
    engine: cueline.AudioEngine, raised: type[BaseException]
) -> None:
    class Values:
        def __len__(self) -> int:
            raise raised

        def __getitem__(self, index: int) -> float:
            return 0.0

    with pytest.raises(raised):
        engine.parameters.array("gain")[:] = Values()  # type: ignore[assignment]


def test_an_array_has_no_single_value(engine: cueline.AudioEngine) -> None:
    way_out = r"'gain' is an array of 216 parameters: use parameters.array\('gain'\)"
    with pytest.raises(ArgumentTypeError, match=way_out):
        engine.parameters["gain"]
    with pytest.raises(ArgumentTypeError, match=way_out):
        engine.parameters["gain"] = 1
    with pytest.raises(ArgumentTypeError, match=r"'pads' is an array of 216 meters: use meters.array\('pads'\)"):
        engine.meters["pads"]
    assert repr(engine.parameters) == (
        "<cueline.Parameters {'before': 0.0, 'gain': 'array of 216', 'behind': 3.0, 'jump': 'array of 3'}>"
    )
    assert "array of 216" in engine.parameters._repr_html_()
    engine.render(64)
    assert repr(engine.meters) == "<cueline.Meters {'pads': 'array of 216', 'last': 0.0}>"
    assert "array of 216" in engine.meters._repr_html_()


def test_the_specs_have_the_count(engine: cueline.AudioEngine) -> None:
    assert engine.parameters.spec("gain") == ParameterSpec("gain", 0, 2, 1, "full scale", 0.01, PADS)
    assert engine.parameters.spec("before").count == 1
    assert engine.meters.spec("pads") == MeterSpec("pads", "", ("value", "change"), PADS)


def test_a_single_parameter_is_an_array_of_one(engine: cueline.AudioEngine) -> None:
    behind = engine.parameters.array("behind")
    behind[0] = 7
    assert list(behind) == [7.0]
    assert engine.parameters["behind"] == 7
    assert set(engine.render(64)[:, 1]) == {7.0}


def test_unknown_names_are_refused(engine: cueline.AudioEngine) -> None:
    with pytest.raises(cueline.UnknownNameError, match="no parameter 'pan': the processor has 'before', 'gain'"):
        engine.parameters.array("pan")
    with pytest.raises(cueline.UnknownNameError, match="no meter 'pan': the processor has 'pads', 'last'"):
        engine.meters.array("pan")


def test_a_view_of_a_closed_engine_raises(engine: cueline.AudioEngine) -> None:
    gains = engine.parameters.array("gain")
    engine.close()
    for act in (lambda: gains[0], lambda: gains[:], lambda: list(gains), lambda: np.asarray(gains)):
        with pytest.raises(cueline.ClosedError):
            act()
    with pytest.raises(cueline.ClosedError):
        gains[0] = 1
    with pytest.raises(cueline.ClosedError):
        gains[:] = np.ones(PADS)
    with pytest.raises(cueline.ClosedError):
        engine.meters.array("pads")
    assert len(gains) == PADS


def test_an_elements_ramp_is_a_function_of_the_frame(engine: cueline.AudioEngine) -> None:
    engine.render(64)
    engine.parameters.array("gain")[17] = 2  # from 1, in 480 frames
    engine.render(64)
    pads = engine.meters.array("pads")
    assert type(pads).__name__ == "pads"
    assert pads.value.shape == pads.change.shape == (PADS,)
    assert pads.value[17] == pytest.approx(1 + 64 / 480)
    assert pads.change[17] == pytest.approx(1 / 480)
    assert pads.change[16] == 0
    engine.render(480)
    pads = engine.meters.array("pads")
    assert (pads.value[17], pads.change[17]) == (2, 0)


def test_a_meter_of_one_field_is_an_array(engine: cueline.AudioEngine) -> None:
    engine.parameters.array("jump")[2] = -0.5
    engine.render(64)
    last = engine.meters.array("last")
    assert last.shape == (1,)
    assert last.tolist() == [-0.5]
    assert engine.meters["last"] == -0.5


def test_counts_are_checked() -> None:
    wrong = ((0, ArgumentError), (4097, ArgumentError), (2.0, ArgumentTypeError), (True, ArgumentTypeError))
    for count, error in wrong:
        with pytest.raises(error, match=r"the count of 'gain' must be .* got"):
            cueline.cfunc_processor(render, parameters=[ParameterSpec("gain", count=count)])  # type: ignore[arg-type]
        with pytest.raises(error, match=r"the count of 'peak' must be .* got"):
            cueline.cfunc_processor(render, meters=[MeterSpec("peak", count=count)])  # type: ignore[arg-type]
    too_many = cueline.cfunc_processor(render, parameters=[ParameterSpec("a", count=4096), ParameterSpec("b")])
    with pytest.raises(ArgumentError, match="at most 4096 parameters, and declares 4097"):
        cueline.AudioEngine("offline", processor=too_many)


def test_many_threads_write_and_read_and_the_last_values_are_heard(engine: cueline.AudioEngine) -> None:
    """Each thread has elements of its own. What it set last must be what is heard."""
    stop = threading.Event()
    wrong: list[str] = []

    def write(first: int) -> None:
        gains = engine.parameters.array("gain")
        for number in range(300):
            gains[first::4] = (number % 100) / 100
            gains[first] = 0.5
        gains[first::4] = first / 4

    def read() -> None:
        while not stop.is_set():
            pads = engine.meters.array("pads").value
            if pads.min() < 0 or pads.max() > 2:
                wrong.append("a value out of range was read")

    threads = [threading.Thread(target=write, args=(first,)) for first in range(4)]
    readers = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads + readers:
        thread.start()
    for _ in range(50):
        engine.render(64)
    for thread in threads:
        thread.join()
    stop.set()
    for reader in readers:
        reader.join()
    engine.render(640)
    assert not wrong
    assert shown(engine) == [pad % 4 / 4 for pad in range(PADS)]
