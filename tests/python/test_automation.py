"""Automation: the public test cases of the Web Audio specification, with its numbers, and what is cueline's own."""

# ruff: noqa: ARG001
from __future__ import annotations

import gc
import math
import weakref
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pytest

import cueline
from cueline import Beat, Curve, Exponential, Linear, ParameterSpec, Set, Target

FRAMES = 300_000
Values = npt.NDArray[np.float64]


@numba.cfunc(cueline.RENDER_SIGNATURE, error_model="numpy")
def record(
    inputs, ins, outputs, outs, frames, frame, samplerate, parameters, arrays, meters, events, samples, buffers, state
):
    """Keep each frame's value of x, and the values that the pairs of pad[17] stand for."""
    values = numba.carray(parameters, frames)
    pairs = numba.carray(arrays, (20, 2))
    kept = numba.carray(state, (2, FRAMES), np.float64)
    for i in range(frames):
        kept[0, frame + i] = values[i]
        kept[1, frame + i] = pairs[17, 0] + i * pairs[17, 1]
    for i in range(outs * frames):
        outputs[i] = 0


class Recorder:
    """An engine that keeps the values of x, from -1000 to 1000, at first 0, and of the array pad, from 0 to 2."""

    def __init__(self, samplerate: int = 48_000, blocksize: int = 64) -> None:
        self.kept = np.zeros((2, FRAMES))
        processor = cueline.cfunc_processor(
            record,
            parameters=[ParameterSpec("x", -1000, 1000), ParameterSpec("pad", 0, 2, default=1, count=20)],
            state=self.kept,
        )
        self.engine = cueline.AudioEngine("offline", processor=processor, samplerate=samplerate, blocksize=blocksize)
        self.engine.start()

    def automate(self, *events: Any) -> cueline.Automation:
        return self.engine.parameters.automate("x", events)

    def render(self, frames: int) -> Values:
        first = self.engine.now()
        self.engine.render(frames)
        return self.kept[0, first : first + frames]


def values_of(*events: Any, frames: int, samplerate: int = 48_000, blocksize: int = 64) -> Values:
    recorder = Recorder(samplerate, blocksize)
    recorder.automate(*events)
    return recorder.render(frames)


def near(found: Values, expected: npt.ArrayLike, tolerance: float = 1e-12) -> None:
    np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), rtol=0, atol=tolerance)


# A hundred intervals of 0.03 s at 44,100 Hz, each with a value of its own, that goes up and down in turn.


def in_intervals(event: Callable[[float, int, int], Any]) -> tuple[Values, list[tuple[float, float]]]:
    interval = 1323
    starts = [100 - k + (0 if k % 2 == 0 else -2) for k in range(100)]
    ends = [100 - k + (-2 if k % 2 == 0 else 0) for k in range(100)]
    events: list[Any] = []
    for k, (start, end) in enumerate(zip(starts, ends, strict=True)):
        events += [Set(start, at=k * interval), event(end, k * interval, (k + 1) * interval)]
    found = values_of(*events, frames=100 * interval, samplerate=44_100)
    return found.reshape(100, interval), [(float(a), float(b)) for a, b in zip(starts, ends, strict=True)]


def test_set_in_a_hundred_intervals() -> None:
    interval = 1323
    found = values_of(
        *(Set(100 - k, at=k * interval) for k in range(100)), frames=100 * interval, samplerate=44_100
    ).reshape(100, interval)
    near(found, 100 - np.arange(100)[:, None], 0)


def test_linear_in_a_hundred_intervals() -> None:
    found, ends = in_intervals(lambda value, _, end: Linear(value, at=end))
    place = np.arange(1323) / 1323
    near(found, [start + (end - start) * place for start, end in ends])


def test_exponential_in_a_hundred_intervals() -> None:
    found, ends = in_intervals(lambda value, _, end: Exponential(value, at=end) if value else Linear(value, at=end))
    place = np.arange(1323) / 1323
    for row, (start, end) in zip(found, ends, strict=True):
        if start > 0 and end > 0:
            near(row, start * (end / start) ** place)


def test_target_in_a_hundred_intervals() -> None:
    constant = 0.01
    found, ends = in_intervals(lambda value, start, _: Target(value, at=start, time_constant=constant))
    decay = np.exp(-np.arange(1323) / 44_100 / constant)
    near(found, [end + (start - end) * decay for start, end in ends])


def test_curve_in_intervals() -> None:
    curve = np.float32(np.sin(2 * np.pi * np.arange(512) / 512))
    interval, count = 1323, 20
    found = values_of(
        *(Curve(curve, at=k * interval, over=interval) for k in range(count)),
        frames=count * interval,
        samplerate=44_100,
    ).reshape(count, interval)
    expected = np.interp(np.arange(interval) * 511 / interval, np.arange(512), curve)
    near(found, np.broadcast_to(expected, found.shape))


# Single rules.


def test_exponential_from_zero_or_across_it_stays_and_jumps() -> None:
    for start, end in ((0.0, 1.0), (1.0, -1.0), (-1.0, 1.0)):
        found = values_of(Set(start, at=0), Exponential(end, at=100), frames=200)
        near(found[:100], start, 0)
        near(found[100:], end, 0)
    near(values_of(Set(-1, at=0), Exponential(-4, at=100), frames=101), -(4.0 ** (np.arange(101) / 100)))


def test_a_first_ramp_begins_where_the_parameter_is_when_it_is_read() -> None:
    recorder = Recorder()
    recorder.engine.parameters["x"] = 2
    recorder.render(128)
    recorder.automate(Linear(4, at=328))
    near(recorder.render(300), 2 + 2 * np.minimum(np.arange(300) / 200, 1))


def test_a_ramp_whose_end_is_over_jumps() -> None:
    recorder = Recorder()
    recorder.render(128)
    for event in (Linear(4, at=100), Exponential(5, at=100)):
        recorder.automate(event)
        near(recorder.render(128), event.value, 0)


def test_target_of_no_time_jumps_and_one_reaches_its_value() -> None:
    near(values_of(Target(0.5, at=10, time_constant=0), frames=20)[10:], 0.5, 0)
    found = values_of(Target(0.5, at=0, time_constant=0.001), frames=2_000)
    assert found[48] == pytest.approx(0.5 * (1 - math.exp(-1)), abs=1e-15)
    assert set(found[1_920:]) == {0.5}


def test_a_ramp_replaces_the_target_before_it() -> None:
    # The specification: a target that has not begun lends the ramp its time, and the value before it.
    found = values_of(Set(1, at=0), Target(0, at=100, time_constant=0.1), Linear(3, at=200), frames=300)
    near(found[:100], 1, 0)
    near(found[100:200], 1 + 2 * np.arange(100) / 100)
    near(found[200:], 3, 0)


def test_a_ramp_after_a_curve_begins_at_its_end() -> None:
    found = values_of(Curve([0, 1, 0.5], at=0, over=128), Linear(1.5, at=256), frames=300, samplerate=12_800)
    near(found[:129], np.interp(np.arange(129) / 64, [0, 1, 2], [0, 1, 0.5]))
    near(found[128:257], 0.5 + np.arange(129) / 128)


def test_events_of_one_time_keep_their_order() -> None:
    # The numbers are those of the case "insert same event at same time", at 16,384 Hz.
    found = values_of(
        Set(99, at=128),
        Set(1, at=128),
        Linear(99, at=256),
        Linear(2, at=256),
        Exponential(99, at=384),
        Exponential(3, at=384),
        Curve([3, 4], at=384, over=128),
        Set(99, at=639),
        Set(1, at=639),
        Set(5, at=639),
        frames=1_024,
        samplerate=16_384,
    )
    assert [found[frame] for frame in (128, 256, 384, 512, 640)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("first", [Linear, Exponential])
def test_a_ramp_goes_to_the_first_of_the_events_of_its_time_and_the_last_one_counts(first: Any) -> None:
    other = Exponential if first is Linear else Linear
    found = values_of(Set(1, at=0), first(2, at=256), Set(99, at=256), other(3, at=256), frames=512, samplerate=16_384)
    ramp = 1 + np.arange(256) / 256 if first is Linear else 2.0 ** (np.arange(256) / 256)
    near(found[:256], ramp)
    near(found[256:], 3, 0)


def test_a_target_at_the_end_of_a_ramp() -> None:
    found = values_of(
        Set(1, at=0),
        Linear(3, at=256),
        Set(100, at=256),
        Target(0, at=256, time_constant=0.1),
        frames=512,
        samplerate=16_384,
    )
    near(found[:256], 1 + 2 * np.arange(256) / 256)
    near(found[256:], 100 * np.exp(-np.arange(256) / 1638.4))


@pytest.mark.parametrize("shape", [Linear, Exponential])
def test_of_several_ramps_to_one_time_the_first_is_heard_and_the_last_one_stays(shape: Any) -> None:
    found = values_of(Set(1, at=0), *(shape(value, at=64) for value in (2, 7, 10)), frames=128, samplerate=16_384)
    near(found[63], 1 + 63 / 64 if shape is Linear else 2 ** (63 / 64))
    near(found[64:], 10, 0)


def test_the_order_in_which_events_are_given_does_not_matter() -> None:
    events = [Set(1, at=10), Linear(2, at=60), Set(0.5, at=200), Exponential(4, at=300)]
    near(values_of(*events, frames=400), values_of(*events[::-1], frames=400), 0)


# Hold, which is cancelAndHoldAtTime(). All begin with a ramp from 0 to 1 in a quarter of the half second.

HALF, START, HELD = 24_000, 6_000, 12_000


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (Linear(0, at=HALF), lambda passed: 1 - passed / (HALF - START)),
        (Exponential(0.001, at=HALF), lambda passed: 0.001 ** (passed / (HALF - START))),
        (Target(0, at=START, time_constant=0.05), lambda passed: np.exp(-passed / 2_400)),
        (Curve([1, 0], at=START, over=HALF - START), lambda passed: 1 - passed / (HALF - START)),
        (Curve([1, 0], at=START, over=3_000), lambda passed: np.maximum(0, 1 - passed / 3_000)),
    ],
)
def test_hold_keeps_the_value_that_there_is(event: Any, expected: Callable[[Any], Any]) -> None:
    recorder = Recorder()
    automation = recorder.automate(Set(0, at=0), Linear(1, at=START), event, Set(7, at=HALF))
    held = automation.hold(at=HELD)
    found = recorder.render(HALF + 1_000)
    near(found[:START], np.arange(START) / START)
    near(found[START:HELD], expected(np.arange(HELD - START)))
    near(found[HELD:], expected(HELD - START))
    assert set(found[HELD:]) == {found[HELD]}
    assert held.result(0).frame == HELD
    with pytest.raises(cueline.RefusedError, match="it was cancelled"):
        automation.confirmation.result(0)


@pytest.mark.parametrize(
    "event",
    [
        Target(0, at=18_000, time_constant=0.1),
        Target(0, at=12_000, time_constant=0.1),
        Curve([-1, 1], at=18_000, over=4_800),
        Curve([-1, 1], at=12_000, over=4_800),
        Linear(3, at=HALF),
    ],
)
def test_hold_cancels_what_begins_there_or_later(event: Any) -> None:
    recorder = Recorder()
    automation = recorder.automate(Set(0.5, at=0), Set(0.5, at=12_000), event)
    automation.hold(at=12_000)
    near(recorder.render(HALF + 100), 0.5, 0)


def test_hold_without_a_time_holds_with_the_next_block() -> None:
    recorder = Recorder()
    automation = recorder.automate(Set(0, at=0), Linear(1, at=1_000))
    recorder.render(512)
    automation.hold()
    near(recorder.render(1_000), 0.512, 1e-15)
    assert recorder.engine.parameters["x"] == pytest.approx(0.512)


# Cancel, which is cancelScheduledValues().


def test_cancel_removes_a_curve_and_what_comes_later_and_leaves_what_came_before() -> None:
    # At 8,000 Hz, the numbers of the case "cancel setValueCurve".
    recorder = Recorder(8_000)
    automation = recorder.automate(
        Set(0.5, at=0), Set(1.5, at=2_000), Curve([1, -1], at=2_000, over=2_000), Set(99, at=4_000)
    )
    automation.cancel(at=2_400)
    recorder.automate(Set(3, at=3_000))
    found = recorder.render(8_000)
    near(found[:2_000], 0.5, 0)
    near(found[2_000:3_000], 1.5, 0)
    near(found[3_000:], 3, 0)


@pytest.mark.parametrize("event", [Linear(3, at=1_000), Exponential(3, at=1_000), Curve([1, 3], at=500, over=500)])
def test_cancel_takes_a_ramp_back_to_where_it_began(event: Any) -> None:
    recorder = Recorder()
    automation = recorder.automate(Set(1, at=500), event, Set(7, at=1_000))
    recorder.render(640)
    automation.cancel()
    near(recorder.render(600), 1, 0)


def test_cancel_leaves_a_target_that_has_begun_and_a_ramp_that_ends_before() -> None:
    recorder = Recorder()
    automation = recorder.automate(Set(1, at=0), Linear(2, at=100), Target(0, at=300, time_constant=0.01))
    recorder.render(64)
    automation.cancel(at=301)
    found = recorder.render(500)
    near(found[:36], 1 + np.arange(64, 100) / 100)
    near(found[236:], 2 * np.exp(-np.arange(264) / 480))
    recorder.automate(Set(1, at=600), Target(0, at=700, time_constant=0.01)).cancel(at=700)
    near(recorder.render(500)[36:], 1, 0)


# What is cueline's own.


def test_the_same_samples_at_every_block_size() -> None:
    def rendered(blocksize: int) -> Values:
        recorder = Recorder(blocksize=blocksize)
        timeline = recorder.engine.timeline
        timeline.ramp(170, beats=3, at=Beat(0.5))
        timeline.set_tempo(90, at=Beat(2.3))
        timeline.locate(2, at=Beat(4.7))
        recorder.engine.parameters.automate(
            "x",
            [
                Set(1, at=Beat(0.3)),
                Exponential(0.01, at=Beat(1.1)),
                Linear(5, at=Beat(2.9)),
                Target(-3, at=Beat(3), time_constant=0.05),
                Curve([0, 7, -2, 3], at=Beat(3.3), over=2),
            ],
        )
        recorder.engine.parameters.automate(
            ("pad", 17), [Linear(0.1, at=3_000), Set(1, at=9_001), Exponential(0.1, at=30_011)]
        )
        found = recorder.render(150_000).copy()
        recorder.engine.close()
        return found

    expected = rendered(64)
    assert len(np.unique(expected)) > 50_000
    for blocksize in (1, 7, 128, 1_000):
        np.testing.assert_array_equal(rendered(blocksize), expected)


def test_in_beats_it_follows_the_tempo_and_meets_each_beat_exactly() -> None:
    recorder = Recorder()
    recorder.engine.timeline.ramp(60, beats=4, at=Beat(2))
    recorder.automate(Set(1, at=Beat(1)), Linear(0.2, at=Beat(7)))
    found = recorder.render(250_000)
    frames = np.arange(250_000)
    beats = np.array([recorder.engine.timeline.beat_at(int(frame)) for frame in frames[::97]])
    near(found[::97], np.where(beats < 1, 0, 1 - 0.8 * np.clip((beats - 1) / 6, 0, 1)), 1e-12)


def test_a_tempo_that_jumps_bends_the_ramp_and_it_still_ends_at_its_beat() -> None:
    recorder = Recorder()
    recorder.automate(Set(0, at=Beat(0)), Linear(8, at=Beat(8)))
    near(recorder.render(48_000)[-1], 2, 1e-3)
    recorder.engine.timeline.tempo = 240
    near(recorder.render(12_000 * 6), 2 + np.arange(72_000) / 12_000, 1e-9)
    near(recorder.render(100), 8, 0)


def test_while_the_timeline_stands_a_ramp_in_beats_waits() -> None:
    recorder = Recorder()
    recorder.automate(Set(0, at=Beat(0)), Linear(1, at=Beat(2)))
    recorder.engine.timeline.stop(at=12_000)
    near(recorder.render(24_000)[12_000:], 0.25, 1e-12)
    recorder.engine.timeline.start()
    near(recorder.render(36_000), 0.25 + np.arange(36_000) / 48_000, 1e-9)


def test_an_element_of_an_array() -> None:
    recorder = Recorder(blocksize=1)
    for at in (0, 200):
        recorder.engine.parameters.automate(("pad", 17), [Set(0.5, at=at), Linear(2, at=at + 100)])
    recorder.engine.render(400)
    ramp = 0.5 + 1.5 * np.minimum(np.arange(200) / 100, 1)
    near(recorder.kept[1, :400], np.concatenate([ramp, ramp]))
    assert recorder.engine.parameters.array("pad")[17] == 2
    assert recorder.engine.parameters.array("pad")[16] == 1


def test_the_pairs_of_an_array_come_near_a_bend() -> None:
    # The bound of the docs: over 64 frames, an eighth of the square of 64 times the second derivative.
    recorder = Recorder(blocksize=1_000)
    recorder.engine.parameters.automate(("pad", 17), [Set(2, at=0), Exponential(0.02, at=4_800)])
    recorder.engine.render(4_800)
    bend = (math.log(100) / 4_800) ** 2 * 2
    off = np.abs(recorder.kept[1, :4_800] - 2 * 100.0 ** (-np.arange(4_800) / 4_800))
    assert 0 < off.max() <= 64**2 * bend / 8


def test_reading_shows_the_value_at_the_end_of_the_last_block() -> None:
    recorder = Recorder()
    recorder.automate(Set(0.25, at=100), Linear(1, at=300))
    shown = []
    for _ in range(6):
        recorder.engine.render(64)
        shown.append(recorder.engine.parameters["x"])
    assert shown == [0, *(recorder.kept[0, 64 * block - 1] for block in range(2, 7))]
    assert shown[-1] == 1


def test_a_write_ends_it_and_its_later_events_are_cancelled() -> None:
    recorder = Recorder()
    automation = recorder.automate(Set(0, at=0), Linear(1, at=1_000), Set(9, at=2_000))
    recorder.engine.render(512)
    recorder.engine.parameters["x"] = 0.7
    found = recorder.render(4_096)
    assert found[959] == 0.7  # its ramp takes 0.02 s
    assert set(found[960:]) == {0.7}
    assert recorder.engine.parameters["x"] == 0.7
    with pytest.raises(cueline.RefusedError, match="it was cancelled"):
        automation.confirmation.result(0)
    assert recorder.engine.stats().cues.cancelled == 2


def test_a_later_automation_takes_over_at_its_first_event() -> None:
    recorder = Recorder()
    recorder.automate(Set(0, at=0), Linear(10, at=1_000), Set(99, at=1_500))
    recorder.automate(Set(5, at=200), Linear(6, at=300))
    found = recorder.render(2_000)
    near(found[:200], np.arange(200) / 100)
    near(found[200:300], 5 + np.arange(100) / 100)
    near(found[300:], 6, 0)


def test_curves_are_unloaded_when_they_are_over_cancelled_or_never_come() -> None:
    recorder = Recorder()
    engine = recorder.engine
    recorder.automate(*(Curve([0, 1], at=100 * k, over=100) for k in range(10)))
    assert engine.stats().buffers.curves == 10
    recorder.render(150)
    automation = recorder.automate(Curve([0, 1], at=5_000, over=100), Set(2, at=6_000))
    engine.parameters["x"] = 0
    recorder.render(1_000)
    assert engine.stats().buffers.curves == 1
    engine.cancel(automation._sequence)
    recorder.render(64)
    assert engine.stats().buffers.curves == 0
    curves = [Curve([0, 1], at=100 * k, over=100) for k in range(33)]
    recorder.automate(*curves)
    with pytest.raises(cueline.Full, match="64 curves are loaded, which is the limit"):
        recorder.automate(*curves)
    recorder.engine.parameters["x"] = 0
    with pytest.raises(cueline.ArgumentError, match="at most 64 curves, got 65: join them, or begin another"):
        recorder.engine.parameters.automate("x", [Curve([0, 1], at=100 * k, over=100) for k in range(65)], timeout=None)
    recorder.render(4_000)
    assert engine.stats().buffers.curves == 0


def test_master_gain_of_the_player_fades_in_beats() -> None:
    with cueline.AudioEngine("offline", processor="player", outputs=1) as engine:
        engine.play(np.ones(200_000, np.float32), at=0)
        engine.parameters.automate("gain", [Set(1, at=Beat(2)), Linear(0, at=Beat(4))])
        audio = engine.render(120_000)[:, 0]
    expected = 1 - np.clip((np.arange(120_000) - 48_000) / 48_000, 0, 1)
    np.testing.assert_allclose(audio, expected, rtol=0, atol=1e-6)


def test_the_tone_is_automated_from_its_first_frame() -> None:
    with cueline.AudioEngine("offline", processor="tone", outputs=1) as engine:
        engine.parameters.automate("gain", [Set(1, at=0), Linear(0.5, at=48_000)])
        engine.parameters.automate("frequency", [Set(100, at=0), Exponential(200, at=48_000)])
        audio = engine.render(48_000)[:, 0]
        assert engine.parameters["frequency"] == pytest.approx(200, rel=1e-4)
    frames = np.arange(48_000)
    phase = np.cumsum(100 * 2.0 ** (np.arange(48_001) / 48_000)) / 48_000
    expected = (1 - frames / 96_000) * np.sin(2 * np.pi * (phase[:-1] - phase[0]))
    assert np.abs(audio - expected).max() < 0.02


def test_no_engine_waits_for_the_collector_because_of_its_parameters() -> None:
    gc.disable()
    try:
        engine = cueline.AudioEngine("offline", processor="tone")
        parameters, gone = engine.parameters, weakref.ref(engine)
        del engine
        assert gone() is None
        with pytest.raises(cueline.ClosedError, match="keep a reference"):
            parameters.automate("gain", [Set(1, at=0)])
    finally:
        gc.enable()


def test_a_curve_reaches_the_ends_of_the_range_which_float32_may_round_out_of_it() -> None:
    with cueline.AudioEngine("offline") as engine:
        for end in (0.01, 1):
            engine.parameters.automate("threshold", [Curve([0.5, end], at=engine.stats().frames, over=100)])
            engine.render(101)
            assert engine.parameters["threshold"] == end
        with pytest.raises(cueline.ArgumentError, match=r"threshold must be from 0\.01 to 1"):
            engine.parameters.automate("threshold", [Curve([1, np.nextafter(0.01, 0)], at=0, over=100)])


# What is refused.


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: Set(float("nan"), at=0), ValueError, "value must be a finite number, got nan"),
        (lambda: Set("1", at=0), TypeError, "value must be a number, got '1'"),  # type: ignore[arg-type]
        (lambda: Set(1, at=-1), ValueError, "at must be 0 or more, got -1"),
        (lambda: Set(1, at=0.5), TypeError, r"at must be a frame, .*engine.after\(seconds\)"),  # type: ignore[arg-type]
        (lambda: Linear(1, at=cueline.next_bar()), TypeError, r"engine.timeline.next_bar\(\) is a Beat"),  # type: ignore[arg-type]
        (lambda: Exponential(0, at=0), ValueError, "must not be 0, got 0: end at a small one"),
        (lambda: Target(1, at=0, time_constant=-1), ValueError, "time_constant must be from 0 to 3600 seconds, got -1"),
        (lambda: Target(1, at=0, time_constant=float("nan")), ValueError, "time_constant"),
        (lambda: Curve([1], at=0, over=10), ValueError, "at least 2, got 1"),
        (lambda: Curve([1, float("inf")], at=0, over=10), ValueError, "values of a Curve must be finite"),
        (lambda: Curve([[1, 2]], at=0, over=10), TypeError, "a list or an array of numbers"),  # type: ignore[list-item]
        (lambda: Curve("ab", at=0, over=10), TypeError, "a list or an array of numbers"),  # type: ignore[arg-type]
        (lambda: Curve([0, True], at=0, over=10), TypeError, "a list or an array of numbers"),
        (lambda: Curve([1, 2], at=0, over=0), ValueError, "over must be 1 frame or more, got 0"),
        (lambda: Curve([1, 2], at=0, over=0.5), TypeError, "over must be an integer"),
        (lambda: Curve([1, 2], at=Beat(1), over=0), ValueError, "over must be from 1e-06"),
        (lambda: Curve([1, 2], at=0, over=Beat(4)), TypeError, "a plain number: of beats if at is a Beat"),  # type: ignore[arg-type]
    ],
)
def test_bad_events_are_refused_with_the_way_out(make: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(cueline.Error, match=text) as refused:
        make()
    assert isinstance(refused.value, error)


@pytest.mark.parametrize(
    ("name", "events", "text"),
    [
        ("y", [Set(1, at=0)], "no parameter 'y'"),
        ("pad", [Set(1, at=0)], r"'pad' is an array of 20 parameters: automate an element, as in \('pad', 0\)"),
        (("pad", 20), [Set(1, at=0)], "an index of pad must be from 0 to 19, got 20"),
        (("pad", -1), [Set(1, at=0)], "an index of pad must be from 0 to 19, got -1"),
        (("pad", 17), [Set(1, at=0), Linear(2.5, at=9)], r"pad\[17\] must be from 0 to 2, got 2.5"),
        ("x", [], "at least one of Set, Linear, Exponential, Target or Curve, got none"),
        ("x", 5, "events must be a list"),
        ("x", [5], "an event must be a Set"),
        ("x", [Set(1, at=0), Set(1, at=Beat(1))], "all at frames or all at Beats"),
        ("x", [Curve([0, 2_000], at=0, over=5)], "x must be from -1000 to 1000, got 2000"),
        ("x", [Set(0, at=k) for k in range(1_024)], "at most 1023 segments, got 1024"),
    ],
)
def test_bad_automations_are_refused_and_nothing_is_sent(name: Any, events: Any, text: str) -> None:
    recorder = Recorder()
    with pytest.raises(cueline.Error, match=text):
        recorder.engine.parameters.automate(name, events)
    assert recorder.engine.last_sequence == 0


@pytest.mark.parametrize(
    ("event", "refused"),
    [
        (Set(1, at=99), False),
        (Set(1, at=101), True),
        (Linear(1, at=150), True),
        (Exponential(1, at=199), True),
        (Target(1, at=101, time_constant=1), True),
        (Curve([0, 1], at=199, over=5), True),
        (Curve([0, 1], at=50, over=51), True),
        (Curve([0, 1], at=50, over=50), False),
        (Set(1, at=200), False),
        (Linear(1, at=200), False),
    ],
)
def test_no_event_may_fall_within_a_curve(event: Any, refused: bool) -> None:
    recorder = Recorder()
    events = [Curve([0, 1], at=100, over=100), event]
    if not refused:
        recorder.automate(*events)
        return
    with pytest.raises(cueline.ArgumentError, match="no event may fall within a Curve, which is from "):
        recorder.automate(*events)


def test_an_automation_in_beats_is_cancelled_at_a_beat() -> None:
    recorder = Recorder()
    automation = recorder.automate(Set(1, at=Beat(0)), Set(2, at=Beat(1)), Set(3, at=Beat(2)))
    with pytest.raises(cueline.ArgumentTypeError, match="is in beats: at must be a Beat, or None, got 5"):
        automation.cancel(at=5)
    automation.cancel(at=Beat(2))
    found = recorder.render(72_000)
    assert (found[23_999], found[24_000], found[-1]) == (1, 2, 2)


def test_if_there_is_no_room_nothing_is_sent() -> None:
    engine = cueline.AudioEngine("null", processor="tone")
    for _ in range(1_020):
        engine.ping()
    with pytest.raises(cueline.Full, match="nothing was sent; this takes 5 commands"):
        engine.parameters.automate("gain", [Set(0, at=k) for k in range(5)])
    assert engine.last_sequence == 1_020
    engine.parameters.automate("gain", [Set(0, at=k) for k in range(4)])
    engine.stats()
    engine.close()


def test_a_part_automates_its_own_parameters() -> None:
    processors = {"first": "player", "second": "tone"}
    with cueline.AudioEngine("offline", processor=processors, outputs=1) as engine:
        engine.part("second").parameters.automate("gain", [Set(0.25, at=0), Linear(1, at=100)])
        engine.parameters.automate("first.gain", [Set(0.5, at=0), Linear(2, at=100)])
        engine.render(200)
        assert (engine.parameters["first.gain"], engine.parameters["second.gain"]) == (2, 1)
        with pytest.raises(cueline.UnknownNameError):
            engine.part("second").parameters.automate("second.gain", [Set(0, at=0)])


def test_no_write_is_lost_while_an_automation_shows_its_values() -> None:
    with cueline.AudioEngine("null", processor="tone", blocksize=16) as engine:
        for turn in range(50):
            engine.parameters.automate("gain", [Set(0, at=engine.now()), Linear(1, at=engine.now() + 480_000)])
            engine.wait_until(engine.now() + 32, timeout=10)
            wanted = (turn % 10) / 10
            engine.parameters["gain"] = wanted
            assert engine.parameters["gain"] == wanted
            engine.wait_until(engine.now() + 64, timeout=10)
            assert engine.parameters["gain"] == wanted
        engine.stats()
