"""Musical time from Python: cues in beats, and what moves the timeline. Offline, so exact to the sample."""

from __future__ import annotations

import asyncio
import copy
import math
import pickle
import time
import weakref
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import cueline
from cueline import Beat, next_bar, next_beat, next_grid

RATE = 48_000
BEAT = RATE // 2  # at 120 quarter notes a minute
HIT = cueline.PlayBuffer(0)


def offline(blocksize: int = 64) -> cueline.AudioEngine:
    """Return an engine that renders one sample for each HIT, and is silent otherwise."""
    made = cueline.AudioEngine("offline", processor="player", samplerate=RATE, blocksize=blocksize, outputs=1)
    made.publish(0, np.r_[1.0, np.zeros(9)])
    return made


@pytest.fixture
def engine() -> Iterator[cueline.AudioEngine]:
    with offline() as made:
        yield made


def onsets(audio: npt.NDArray[np.float32]) -> list[int]:
    """Return the frames of the hits."""
    return [int(frame) for frame in np.flatnonzero(audio[:, 0])]


def test_a_beat_is_as_exact_as_its_frame() -> None:
    with offline() as one, offline(480) as other:
        for beat in (0.5, 1, 2.25, 4):
            one.send(HIT, at=Beat(beat))
            other.send(HIT, at=round(beat * BEAT))
        audio = one.render(5 * BEAT)
        assert np.array_equal(audio, other.render(5 * BEAT))
        assert onsets(audio) == [12_000, 24_000, 54_000, 96_000]


def test_a_ramp_moves_the_beats_that_wait_to_their_closed_form() -> None:
    beats = np.arange(0, 12, 0.75)
    # From 120 to 240 over 8 beats from beat 2: 15 quarter notes a minute more with each beat.
    ramp = 60 * RATE / 15 * np.log1p(15 * np.clip(beats - 2, 0, 8) / 120)
    expected = np.rint(np.minimum(beats, 2) * BEAT + ramp + np.maximum(beats - 10, 0) * BEAT / 2).astype(int).tolist()
    audios = []
    for blocksize in (1, 64, 1000):
        with offline(blocksize) as made:
            for beat in beats:
                made.send(HIT, at=Beat(beat))
            made.timeline.ramp(240, beats=8, at=Beat(2))
            audios.append(made.render(6 * RATE))
            assert made.timeline.tempo == pytest.approx(240)
    assert onsets(audios[0]) == expected
    assert all(np.array_equal(audio, audios[0]) for audio in audios)


def test_a_ramp_over_seconds_is_a_line_in_time(engine: cueline.AudioEngine) -> None:
    engine.timeline.ramp(60, seconds=2, at=RATE)
    engine.render(2 * RATE)
    assert engine.timeline.tempo == pytest.approx(90)
    assert engine.timeline.beat_at(3 * RATE) == pytest.approx(2 + 3)  # two seconds at 90 on average
    assert engine.timeline.frame_at(5) == 3 * RATE
    assert engine.timeline.beat_at(4 * RATE) == pytest.approx(6)


def test_the_tempo_is_read_and_set(engine: cueline.AudioEngine) -> None:
    assert engine.timeline.tempo == pytest.approx(120)
    engine.timeline.tempo = 100
    assert engine.timeline.tempo == pytest.approx(120), "the audio thread has not read it"
    engine.render(64)
    assert engine.timeline.tempo == pytest.approx(100)
    confirmation = engine.timeline.set_tempo(80, at=1000)
    engine.render(1000)
    assert confirmation.result(0).frame == 1000
    assert engine.timeline.tempo == pytest.approx(80)


def test_next_bar_and_the_next_lines_of_grids() -> None:
    for at, frame in ((next_bar(), 96_000), (next_beat(), 24_000), (next_grid(0.25), 6_000), (next_grid(3), 72_000)):
        with offline() as made:
            made.render(1000)  # from here on
            made.send(HIT, at=at)
            assert onsets(made.render(100_000)) == [frame - 1000], at


@pytest.mark.parametrize("tempo", [1, 4, 97.3, 1000])
def test_the_tempo_that_was_set_comes_back(engine: cueline.AudioEngine, tempo: float) -> None:
    engine.timeline.tempo = tempo
    engine.render(1)
    assert engine.timeline.tempo == tempo


def test_a_beat_moves_by_quarter_notes_and_the_next_bar_is_one(engine: cueline.AudioEngine) -> None:
    assert (Beat(4) + 0.5, 1 + Beat(2), Beat(4) - 1) == (Beat(4.5), Beat(3), Beat(3))
    with pytest.raises(cueline.ArgumentError, match=r"0 or more, got -1\.0"):
        Beat(1) - 2
    for wrong in ("1", None, Beat(1)):
        with pytest.raises(TypeError):
            Beat(1) + wrong  # type: ignore[operator]
    assert engine.timeline.next_bar() == Beat(0)
    engine.render(24_001)  # beyond beat 1
    assert engine.timeline.next_bar() == Beat(4)
    engine.timeline.set_signature(3, 4, at=Beat(3))
    engine.render(72_000)  # up to beat 4
    assert engine.timeline.next_bar() == Beat(6)


def test_a_time_signature_begins_at_the_next_bar(engine: cueline.AudioEngine) -> None:
    assert engine.timeline.signature == (4, 4)
    engine.render(BEAT)
    engine.timeline.set_signature(6, 8)
    engine.render(BEAT)
    assert engine.timeline.signature == (4, 4)
    engine.render(3 * BEAT)  # beat 5, and bars begin at 4, 7, 10
    assert engine.timeline.signature == (6, 8)
    engine.send(HIT, at=next_bar())
    assert onsets(engine.render(3 * BEAT)) == [2 * BEAT]


def test_beats_wait_while_the_timeline_stands(engine: cueline.AudioEngine) -> None:
    engine.timeline.stop(at=Beat(1))
    engine.send(HIT, at=Beat(1.5))
    assert onsets(engine.render(4 * BEAT)) == []
    assert not engine.timeline.running
    assert engine.timeline.now() == 1
    assert engine.timeline.frame_at(1.5) is None
    engine.timeline.start(at=5 * BEAT)
    assert onsets(engine.render(4 * BEAT)) == [BEAT + BEAT // 2]
    assert engine.timeline.running


def test_a_locate_past_a_beat_makes_its_cue_late(engine: cueline.AudioEngine) -> None:
    late = engine.confirm(HIT, at=Beat(2))
    dropped = engine.confirm(HIT, at=Beat(2), late="drop")
    engine.timeline.locate(3, at=100)
    engine.render(200)
    assert late.result(0).late
    assert late.result(0).frame == 100
    with pytest.raises(cueline.RefusedError, match="after its frame"):
        dropped.result(0)
    assert engine.timeline.now() == pytest.approx(3 + 100 / BEAT)
    assert (engine.stats().cues.late, engine.stats().cues.dropped_late) == (1, 1)


def test_a_loop_repeats_its_region_and_a_cue_comes_once(engine: cueline.AudioEngine) -> None:
    engine.timeline.loop(Beat(1), 2)
    engine.send(HIT, at=Beat(1.5))
    assert onsets(engine.render(4 * BEAT)) == [BEAT + BEAT // 2]
    assert engine.timeline.loop_region == (1, 2)
    assert engine.timeline.now() == pytest.approx(1)
    assert engine.timeline.beat_at(10 * BEAT + 6000) == pytest.approx(1.25)
    assert engine.timeline.frame_at(2) is None
    engine.timeline.loop_off()
    engine.render(64)
    assert engine.timeline.loop_region is None
    assert engine.timeline.frame_at(2) == 5 * BEAT


def test_a_beat_can_be_cancelled(engine: cueline.AudioEngine) -> None:
    first = engine.confirm(HIT, at=Beat(0.5))
    engine.send(HIT, at=Beat(1))
    engine.send(HIT, at=next_grid(1.5))
    engine.render(64)  # the grid has a line at beat 0
    assert engine.stats().cues.pending == 2
    first.cancel()
    engine.render(64)
    with pytest.raises(cueline.RefusedError) as refused:
        first.result(0)
    assert refused.value.reason is cueline.Reason.CANCELLED
    assert refused.value.refused.wanted_frame == BEAT // 2
    engine.cancel_all()
    engine.render(2 * BEAT)
    assert engine.stats().cues.cancelled == 2


def test_everything_with_at_takes_a_beat() -> None:
    with cueline.AudioEngine("offline", processor="player", samplerate=RATE, blocksize=64, outputs=1) as player:
        player.publish(0, np.r_[1.0, np.zeros(9)], at=Beat(0.25))
        player.publish(0, None, Beat(0.75))
        player.send(cueline.PlayBuffer(0), Beat(0.5))
        with player.transaction(at=Beat(1), confirm=True) as whole:
            whole.send(cueline.PlayBuffer(0))
            whole.send(cueline.StopBuffer(0))
        handle = player.confirm(cueline.UnloadBuffer(1), at=next_bar(), timeout=1)
        playback = player.open_playback(at=Beat(2))
        playback.write(np.r_[1.0, np.zeros(49)][:, np.newaxis])
        line = player.open_line()
        line.send(cueline.StopBuffer(7), at=Beat(3))
        asyncio.run(line.asend(cueline.StopBuffer(7), at=Beat(3), timeout=1))
        audio = player.render(4 * BEAT)
        assert onsets(audio) == [BEAT // 2, 2 * BEAT]
        assert whole.confirmation is not None
        assert whole.confirmation.result(0).frame == BEAT
        assert handle.result(0).frame == 0
        assert player.stats().cues.late == 0


def test_a_recording_of_some_seconds_needs_a_frame() -> None:
    with cueline.AudioEngine("null") as made, pytest.raises(cueline.ArgumentTypeError) as refused:
        made.record(1, source="outputs", at=Beat(2))  # type: ignore[arg-type]
    assert str(refused.value) == "at must be an integer, got Beat(2.0)"


def test_a_song_of_beats_finds_room_offline(engine: cueline.AudioEngine) -> None:
    for number in range(3000):
        assert engine.send(HIT, at=Beat(number / 100)) == cueline.Status.OK
    engine.render(BEAT)
    assert engine.stats().cues.refused == 0
    assert engine.stats().cues.pending == 3000 - 100


def test_a_request_at_a_beat_is_answered_there() -> None:
    with cueline.AudioEngine("null", processor="tone", samplerate=RATE, blocksize=64) as made:
        level = made.request(cueline.GetLevel(), cueline.Level, at=next_grid(1 / 16), timeout=30)
        assert level.frame % (BEAT // 16) == 0


# --- Reading -----------------------------------------------------------------------------------------------------


def test_frames_and_beats_are_read(engine: cueline.AudioEngine) -> None:
    timeline = engine.timeline
    assert timeline == engine.timeline
    assert timeline.now() == 0
    assert timeline.frame_at(8.5) == timeline.frame_at(Beat(8.5)) == 204_000
    assert timeline.frame_at(Fraction(17, 2)) == 204_000  # type: ignore[arg-type]
    assert timeline.beat_at(204_000) == 8.5
    assert timeline.frame_at(0.4 / BEAT) == 0
    assert timeline.frame_at(0.6 / BEAT) == 1
    assert repr(timeline) == "<cueline.Timeline at beat 0.000, tempo 120>"
    engine.timeline.stop()
    engine.render(64)
    assert repr(timeline) == "<cueline.Timeline at beat 0.000, tempo 120, stands still>"


def test_what_was_forgotten_is_refused(engine: cueline.AudioEngine) -> None:
    for number in range(100):
        engine.timeline.set_tempo(100 + number, at=1000 * (number + 1))
    engine.render(120_000)
    first = 1000 * (100 - 63)
    assert engine.timeline.beat_at(first) > 0
    with pytest.raises(cueline.ArgumentError) as refused:
        engine.timeline.beat_at(first - 1)
    assert (
        str(refused.value) == f"frame must be {first} or later, got {first - 1}: the timeline keeps its last 64 changes"
    )


def test_a_closed_engine_still_reads() -> None:
    with offline() as made:
        made.timeline.tempo = 90
        made.render(64)
    assert made.timeline.tempo == pytest.approx(90)
    with pytest.raises(cueline.ClosedError):
        made.timeline.tempo = 100
    with pytest.raises(cueline.ClosedError):
        made.wait_until(Beat(100))


def test_an_engine_is_freed_at_once_though_its_timeline_was_used() -> None:
    gone = weakref.finalize(made := offline(), lambda: None)
    made.timeline.tempo = 90
    del made
    assert not gone.alive


# --- Waiting -----------------------------------------------------------------------------------------------------


def test_a_thread_waits_for_a_beat_and_for_a_frame() -> None:
    with cueline.AudioEngine("null", samplerate=RATE, blocksize=64) as made:
        made.timeline.set_tempo(1000)
        made.wait_until(Beat(0.5), timeout=60)
        assert made.timeline.now() >= 0.5
        made.wait_until(made.now() + 1000, timeout=60)
        made.wait_until(Beat(0.25), timeout=0)
        with pytest.raises(cueline.TimelineTimeout, match=r"^Beat\(1000000.0\) did not come within 0.01 s$"):
            made.wait_until(Beat(1e6), timeout=0.01)
        made.timeline.stop().result(60)
        with pytest.raises(TimeoutError):
            made.wait_until(Beat(made.timeline.now() + 0.001), timeout=0)


def test_offline_no_wait_is_endless(engine: cueline.AudioEngine) -> None:
    started = time.monotonic()
    with pytest.raises(cueline.DeviceError, match=r"^wait_until\(\) would wait for ever: the offline device"):
        engine.wait_until(Beat(1))
    with pytest.raises(cueline.TimelineTimeout):
        engine.wait_until(24_000, timeout=0)
    engine.render(BEAT)
    engine.wait_until(Beat(1))
    engine.wait_until(24_000)
    assert time.monotonic() - started < 60


# --- Wrong values ------------------------------------------------------------------------------------------------

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda _: Beat(-1), "beat must be a finite number of quarter notes of 0 or more, got -1"),
        (lambda _: Beat(NAN), "beat must be a finite number of quarter notes of 0 or more, got nan"),
        (lambda _: Beat(INF), "beat must be a finite number of quarter notes of 0 or more, got inf"),
        (lambda _: next_grid(0), "beats must be from 0.000976562 to 1e+09 quarter notes, got 0"),
        (lambda _: next_grid(NAN), "beats must be from 0.000976562 to 1e+09 quarter notes, got nan"),
        (lambda t: t.set_tempo(0.5), "tempo must be from 1 to 1000 quarter notes a minute, got 0.5"),
        (lambda t: t.set_tempo(NAN), "tempo must be from 1 to 1000 quarter notes a minute, got nan"),
        (lambda t: setattr(t, "tempo", 1001), "tempo must be from 1 to 1000 quarter notes a minute, got 1001"),
        (lambda t: t.ramp(140, beats=0), "beats must be from 0.001 to 1e+06 beats, got 0"),
        (lambda t: t.ramp(140, seconds=-1), "seconds must be from 0.001 to 1e+06 seconds, got -1"),
        (lambda t: t.ramp(INF, beats=4), "tempo must be from 1 to 1000 quarter notes a minute, got inf"),
        (lambda t: t.set_signature(0), "beats must be from 1 to 64, got 0"),
        (lambda t: t.set_signature(4, 3), "unit must be 1, 2, 4, 8, 16, 32 or 64, got 3"),
        (lambda t: t.set_signature(4, 128), "unit must be 1, 2, 4, 8, 16, 32 or 64, got 128"),
        (lambda t: t.locate(-1), "beat must be from 0 to 1e+09 quarter notes, got -1"),
        (lambda t: t.locate(INF), "beat must be from 0 to 1e+09 quarter notes, got inf"),
        (lambda t: t.loop(-1, 4), "start must be from 0 to 1e+09 quarter notes, got -1"),
        (
            lambda t: t.loop(4, 4),
            "end must be at least 0.0625 beats after start, which is 4, got 4: loop_off() ends a loop",
        ),
        (lambda t: t.beat_at(-1), "frame must be 0 or more, got -1"),
        (lambda t: t.frame_at(NAN), "beat must be a finite number of quarter notes of 0 or more, got nan"),
        (lambda t: t._engine.wait_until(-1), "when must be 0 or more, got -1"),
    ],
)
def test_a_wrong_number_is_refused(engine: cueline.AudioEngine, call: Callable[[Any], Any], text: str) -> None:
    with pytest.raises(cueline.ArgumentError) as refused:
        call(engine.timeline)
    assert str(refused.value) == text
    assert engine.stats().commands.sent == 1, "the buffer"


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda _: Beat("1"), "beat must be a number of quarter notes, got '1'"),
        (lambda _: Beat(True), "beat must be a number of quarter notes, got True"),
        (lambda _: next_grid(None), "beats must be a number, got None"),
        (lambda t: t.set_tempo("fast"), "tempo must be a number, got 'fast'"),
        (lambda t: t.ramp(140), "ramp() needs beats= or seconds=, and not both: for a jump, use set_tempo()"),
        (
            lambda t: t.ramp(140, beats=1, seconds=1),
            "ramp() needs beats= or seconds=, and not both: for a jump, use set_tempo()",
        ),
        (lambda t: t.set_signature(4.0), "beats must be an integer, got 4.0"),
        (
            lambda t: t.start(at=1.5),
            "at must be a frame, which is an integer, a cueline.Beat, a next_bar(), or None, got 1.5: "
            "engine.after(seconds) is the frame that many seconds from now",
        ),
        (
            lambda t: t._engine.wait_until(1.5),
            "when must be a frame, which is an integer, or a cueline.Beat, got 1.5: engine.after(seconds) is the "
            "frame that many seconds from now",
        ),
        (
            lambda t: t._engine.wait_until(next_bar()),
            "when must be a frame, which is an integer, or a cueline.Beat, got next_bar(): engine.after(seconds) is "
            "the frame that many seconds from now",
        ),
    ],
)
def test_a_wrong_type_is_refused(engine: cueline.AudioEngine, call: Callable[[Any], Any], text: str) -> None:
    with pytest.raises(cueline.ArgumentTypeError) as refused:
        call(engine.timeline)
    assert str(refused.value) == text


def test_a_time_that_was_never_made_is_refused(engine: cueline.AudioEngine) -> None:
    with pytest.raises(cueline.ClosedError, match="never made"):
        engine.send(HIT, at=Beat.__new__(Beat))


# --- Times as objects --------------------------------------------------------------------------------------------


def test_times_are_values() -> None:
    assert Beat(1) == Beat(1.0) != Beat(2)
    assert Beat(0) == Beat(-0.0)
    assert Beat(1) < Beat(2) <= Beat(2)
    assert sorted([Beat(3), Beat(1)]) == [Beat(1), Beat(3)]
    assert len({Beat(1), Beat(1.0), next_beat(), next_grid(1), next_bar()}) == 3
    assert Beat(1) != next_beat()
    assert Beat(8.5).beat == 8.5
    assert (next_bar().beats, next_beat().beats, next_grid(0.25).beats) == (None, 1, 0.25)
    assert [repr(each) for each in (Beat(8.5), next_bar(), next_beat())] == [
        "Beat(8.5)",
        "next_bar()",
        "next_grid(1.0)",
    ]
    for each in (Beat(8.5), next_bar(), next_grid(0.25)):
        assert pickle.loads(pickle.dumps(each)) == copy.deepcopy(each) == each
        with pytest.raises(AttributeError):
            each.beat = 3  # type: ignore[union-attr,misc]
        with pytest.raises(AttributeError):
            each.other = 3  # type: ignore[union-attr,attr-defined]
