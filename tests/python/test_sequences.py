"""Sequences from Python: lists, arrays and iterators at beats. Offline, so exact to the sample; live, by counts."""

from __future__ import annotations

import contextlib
import gc
import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cueline
from conftest import eventually, in_child
from cueline import Beat, next_bar, next_grid

RATE = 48_000
BEAT = RATE // 2  # at 120 quarter notes a minute
HIT = cueline.PlayBuffer(0)
BLOCKS = (1, 64, 1000, 8192)


def offline(blocksize: int = 64) -> cueline.AudioEngine:
    """Return an engine that renders one sample for each HIT, and is silent otherwise."""
    made = cueline.AudioEngine("offline", processor="player", samplerate=RATE, blocksize=blocksize, outputs=1)
    made.publish(0, [1.0])
    return made


class Live(cueline.AudioEngine):
    """On a busy machine, threads are held up, and events are late or left out, rightly: that is no error here."""

    def close(self) -> None:
        """Look at the counts, so that no LossWarning comes."""
        with contextlib.suppress(cueline.Error):  # in a forked child
            self.stop()
            self.stats()
        super().close()


def live(**options: Any) -> Live:
    """Return an engine on the null device. Its timeline is fast, so that the tests are."""
    made = Live("null", processor="player", samplerate=RATE, outputs=1, **options)
    made.publish(0, [1.0])
    made.timeline.tempo = 900
    return made


@pytest.fixture
def engine() -> Iterator[cueline.AudioEngine]:
    with offline() as made:
        yield made


def onsets(audio: npt.NDArray[np.float32]) -> list[int]:
    """Return the frames of the hits."""
    return [int(frame) for frame in np.flatnonzero(audio[:, 0])]


def records(beats: list[float]) -> npt.NDArray[np.void]:
    """Return hits as an array."""
    array = np.zeros(len(beats), cueline.beat_dtype(cueline.PlayBuffer))
    array["beat"] = beats
    array["gain"] = 1
    array["rate"] = 1
    return array


def in_order(beats: list[float]) -> Iterator[tuple[float, cueline.Message]]:
    return ((beat, HIT) for beat in sorted(beats))


KINDS: dict[str, Callable[[list[float]], Any]] = {
    "list": lambda beats: [(beat, HIT) for beat in beats],
    "array": records,
    "iterator": in_order,
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_events_are_at_the_frames_of_their_beats_while_the_tempo_moves(kind: Callable[[list[float]], Any]) -> None:
    beats = [0.0, 3.5, 0.25, 1.0, 7.75, 2.0, 9.9, 10.0, 12.3]
    for blocksize in BLOCKS:
        with offline(blocksize) as engine:
            engine.timeline.ramp(240, beats=4, at=Beat(1))
            engine.timeline.set_tempo(60, at=Beat(8))
            song = engine.sequence(kind(beats), at=Beat(0))
            audio = engine.render(10 * RATE)
            assert onsets(audio) == [engine.timeline.frame_at(beat) for beat in sorted(beats)], blocksize
            assert song.done()
            assert (song.played, song.late, song.refused) == (9, 0, 0)


def test_a_loop_swings_and_repeats_from_the_next_bar_on() -> None:
    with offline() as engine:
        engine.render(BEAT)
        groove = engine.sequence([(0, HIT), (0.5, HIT), (1, HIT)], loop_beats=2, swing=0.6, at=next_bar())
        assert onsets(engine.render(9 * BEAT)) == [
            round((beat - 1) * BEAT) for beat in (4, 4.6, 5, 6, 6.6, 7, 8, 8.6, 9)
        ]
        assert not groove.done()
        assert repr(groove) == "<cueline.Sequence, playing>"


def test_a_grid_of_sixteenths_can_swing_too(engine: cueline.AudioEngine) -> None:
    engine.sequence([(step / 4, HIT) for step in range(8)], swing=2 / 3, swing_grid=0.25)
    assert onsets(engine.render(2 * BEAT)) == [round(BEAT / 2 * (step // 2 + step % 2 * 2 / 3)) for step in range(8)]


def test_mute_replace_and_stop(engine: cueline.AudioEngine) -> None:
    song = engine.sequence([(0, HIT)], loop_beats=1)
    assert onsets(engine.render(2 * BEAT)) == [0, BEAT]
    song.mute = True
    assert song.mute
    assert not engine.render(2 * BEAT).any()
    song.mute = False
    song.replace([(0.5, HIT)], at=Beat(5))
    assert onsets(engine.render(2 * BEAT)) == [0, 1.5 * BEAT]
    song.stop(at=Beat(8))
    assert onsets(engine.render(4 * BEAT)) == [BEAT / 2, 3 * BEAT / 2]
    assert song.done()
    assert song.wait(0)
    assert song.played == 6
    with pytest.raises(cueline.ClosedError, match="this sequence has ended, or was stopped"):
        song.replace([])


def test_a_sequence_may_be_replaced_by_an_iterator_and_back(engine: cueline.AudioEngine) -> None:
    song = engine.sequence([(0, HIT)], loop_beats=1)
    song.replace(((step / 4, HIT) for step in itertools.count()), at=Beat(1))
    song.replace([(0.125, HIT)], at=Beat(2))
    heard = [beat / BEAT for beat in onsets(engine.render(4 * BEAT))]
    assert heard == [0, 1, 1.25, 1.5, 1.75, 2.125, 3.125]


def test_any_message_can_be_an_event_the_timelines_too(engine: cueline.AudioEngine) -> None:
    engine.sequence([(0, HIT), (1, cueline.SetTempo(240)), (2, HIT)], at=None)
    assert onsets(engine.render(2 * BEAT)) == [0, 1.5 * BEAT]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_part_has_sequences_of_its_own(kind: Callable[[list[float]], Any]) -> None:
    parts = {"left": "player", "right": "player"}
    with cueline.AudioEngine("offline", processor=parts, samplerate=RATE, outputs=1) as engine:
        for name, level in (("left", 0.25), ("right", 0.5)):
            engine.part(name).publish(0, [level])
        engine.part("right").sequence(kind([1.0]), at=Beat(0))
        engine.part("left").sequence(kind([2.0]), at=Beat(0))
        song = engine.sequence([(3, engine.part("left").addressed(HIT))], at=Beat(0))
        audio = engine.render(4 * BEAT)[:, 0]
        assert song.done()
        assert np.flatnonzero(audio).tolist() == [BEAT, 2 * BEAT, 3 * BEAT]
        assert audio[BEAT] == pytest.approx(2 * audio[2 * BEAT])
        assert audio[3 * BEAT] == audio[2 * BEAT]


def test_all_sequences_share_a_line_and_answers_come_to_the_engine(engine: cueline.AudioEngine) -> None:
    for _ in range(3):
        engine.sequence([(0, HIT)])
    engine.render(BEAT)
    assert len(engine.stats().lines) == 2
    assert engine.stats().sequences.played == 3
    assert [message.line for message in engine.messages()] == [1, 1, 1]


def test_an_iterator_may_go_on_for_ever() -> None:
    taken = 0

    def steps() -> Iterator[tuple[float, cueline.Message]]:
        nonlocal taken
        for step in itertools.count():
            taken += 1
            yield step / 2, HIT

    with offline(512) as engine:
        song = engine.sequence(steps())
        assert onsets(engine.render(100 * BEAT)) == [step * BEAT // 2 for step in range(200)]
        assert taken < 210
        assert not song.done()


def broken() -> Iterator[tuple[float, cueline.Message]]:
    yield 0, HIT
    yield 1, HIT
    raise LookupError("no more notes")


@pytest.mark.parametrize("made", [offline, live])
def test_what_an_iterator_raises_comes_out_of_wait_after_what_it_had_yielded(
    made: Callable[[], cueline.AudioEngine],
) -> None:
    with made() as engine:
        song = engine.sequence(broken())
        if engine.device == "offline":
            assert onsets(engine.render(3 * BEAT)) == [0, BEAT]
        with pytest.raises(LookupError, match="no more notes"):
            song.wait(60)
        assert isinstance(song.error, LookupError)
        assert song.played == 2


@pytest.mark.parametrize("as_iterator", [False, True])
def test_what_an_iterator_raised_before_it_was_replaced_comes_out_of_wait_unless_it_was_seen(
    engine: cueline.AudioEngine, as_iterator: bool
) -> None:
    for seen in (True, False):
        song = engine.sequence(broken())
        song.replace([(0, HIT)], at=Beat(8 + engine.timeline.now()))  # so that it is not over
        engine.render(2 * BEAT)
        if seen:
            assert isinstance(song.error, LookupError)
        song.replace(iter([(0, HIT)]) if as_iterator else [(0, HIT)])
        engine.render(2 * BEAT)
        if seen:
            assert song.wait(0)
        else:
            with pytest.raises(LookupError, match="no more notes"):
                song.wait(0)


def test_what_a_replaced_iterator_raised_comes_out_of_wait(engine: cueline.AudioEngine) -> None:
    song = engine.sequence(broken(), at=Beat(0))
    song.replace(iter([(0, HIT), (1, HIT)]), at=Beat(2))
    song.replace(iter([(0, HIT)]), at=Beat(4))
    assert onsets(engine.render(5 * BEAT)) == [0, BEAT, 2 * BEAT, 3 * BEAT, 4 * BEAT]
    assert isinstance(song.error, LookupError)
    with pytest.raises(LookupError, match="no more notes"):
        song.wait(0)


@pytest.mark.parametrize("made", [offline, live])
def test_what_an_iterator_raised_is_told_at_close_unless_it_was_seen(made: Callable[[], cueline.AudioEngine]) -> None:
    def played(engine: cueline.AudioEngine) -> cueline.Sequence:
        engine.start()
        song = engine.sequence(broken())
        if engine.device == "offline":
            engine.render(3 * BEAT)
        assert eventually(song.done)
        engine.sequence(in_order([0]))  # the exception is kept beside this one
        return song

    text = r"^exceptions of sequences' iterators: 1 \(LookupError: no more notes; wait\(\) raises it\)$"
    engine = made()
    played(engine)
    with pytest.warns(cueline.LossWarning, match=text):
        engine.close()
    engine.close()  # told once
    with made() as engine:  # no warning, which is an error here: each of these has seen it
        assert isinstance(played(engine).error, LookupError)
    with made() as engine, pytest.raises(LookupError):
        played(engine).wait(0)
    with pytest.raises(ZeroDivisionError), made() as engine:
        raise ZeroDivisionError(played(engine))


@pytest.mark.parametrize(
    ("events", "error", "text"),
    [
        ([(1, HIT), (0.5, HIT)], ValueError, r"must not go back, got 0.5 after 1: yield the events in order, or pass"),
        ([(1, HIT), 5], TypeError, r"an event of the iterator must be a pair \(beat, message\), got 5"),
        ([(-1, HIT)], ValueError, "an event's beat must be a finite number of quarter notes of 0 or more, got -1"),
        (
            [(0, "x")],
            TypeError,
            "message must be an object of a class with @cueline.message, such as cueline.PlayBuffer",
        ),
    ],
)
def test_an_iterators_bad_event_comes_out_of_wait(
    engine: cueline.AudioEngine, events: list[Any], error: type[Exception], text: str
) -> None:
    song = engine.sequence(iter(events))
    engine.render(2 * BEAT)
    with pytest.raises(error, match=text):
        song.wait(0)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "text"),
    [
        (
            [[(0, HIT), (1, "x")]],
            {},
            TypeError,
            "message must be an object of a class with @cueline.message, such as cueline.PlayBuffer",
        ),
        ([[(0, HIT), 7]], {}, TypeError, r"the event at index 1 must be a pair \(beat, message\), got 7"),
        ([[(HIT, 0)]], {}, TypeError, r"must be a pair \(beat, message\), in that order, got \("),
        ([7], {}, TypeError, "events must be a list of .* an array of .* or an iterator: pass iter\\(events\\), got 7"),
        ([cueline.Status.OK], {}, TypeError, r"or an iterator: pass iter\(events\), got Status.OK"),
        ([[(float("nan"), HIT)]], {}, ValueError, "must be a finite number of quarter notes of 0 or more, got nan"),
        ([records([-1])], {}, ValueError, "an event's beat must be a finite number .* got -1"),
        ([np.zeros(3)], {}, TypeError, r"must have the dtype cueline.beat_dtype\(cls\), got dtype\('float64'\)"),
        ([np.zeros(3, cueline.dtype(cueline.PlayBuffer))], {}, TypeError, r"must have the dtype cueline.beat_dtype"),
        ([records([0, 1]).reshape(1, 2)], {}, ValueError, r"must have 1 dimension, got 2: array.reshape\(-1\)"),
        ([[(2, HIT)]], {"loop_beats": 2}, ValueError, "must be below loop_beats, which is 2, got 2: leave it out"),
        ([[(0, HIT)]], {"loop_beats": 0.01}, ValueError, "loop_beats must be from 0.0625 to 1e\\+09 quarter notes"),
        ([[(0, HIT)]], {"loop_beats": 1.5, "swing": 0.6}, ValueError, "must be a multiple of 1 with a swing"),
        ([[(0, HIT)]], {"swing": 0.4}, ValueError, "swing must be from 0.5 to 0.75, got 0.4"),
        ([[(0, HIT)]], {"swing_grid": 0}, ValueError, "swing_grid must be from 0.015625 to 4 quarter notes, got 0"),
        ([iter([])], {"loop_beats": 4}, ValueError, "loop_beats must be None for an iterator"),
        ([[(0, HIT)]], {"late": "never"}, ValueError, "late must be 'apply' or 'drop', got 'never'"),
        ([[(0, HIT)]], {"at": 1.5}, TypeError, "at must be a frame"),
        ([[(0, HIT)]], {"at": cueline.next_bar}, TypeError, r"call it: next_bar\(\)"),
        ([[(0, cueline.SetTone(440, 0.1))]], {}, cueline.ProcessorError, "SetTone"),
    ],
)
def test_bad_arguments_are_refused_at_once(
    engine: cueline.AudioEngine, arguments: list[Any], options: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        engine.sequence(*arguments, **options)
    assert engine.stats().sequences.playing == 0


def test_offline_a_wait_without_an_end_raises(engine: cueline.AudioEngine) -> None:
    song = engine.sequence([(0, HIT)])
    assert song.wait(0) is False
    with pytest.raises(cueline.DeviceError, match=r"wait\(\) would wait for ever"):
        song.wait()


def test_live_events_are_played_and_none_is_late_or_refused() -> None:
    with live() as engine:
        songs = [
            engine.sequence([(step / 8, HIT) for step in range(400)]),
            engine.sequence(records([step / 8 for step in range(400)])),
            engine.sequence((step / 8, HIT) for step in range(400)),
        ]
        assert all(song.wait(60) for song in songs)
        counts = engine.stats().sequences
        assert counts.playing == 0
        assert counts.played == 1200
        assert counts.refused == 0
        assert engine.stats().cues.refused == 0
        assert counts.late == engine.stats().cues.late, "a busy machine may be late, and says so"


def test_live_a_sequence_begins_on_a_line_of_its_grid() -> None:
    with live() as engine:
        engine.sequence([(0, HIT)], at=next_grid(2))
        ended = engine.receive(cueline.BufferEnded, timeout=60)
        assert engine.timeline.beat_at(ended.frame - 1) % 2 == pytest.approx(0, abs=0.01)


def test_live_mute_and_stop_end_the_sound_and_cancel_what_waits() -> None:
    with live() as engine:
        song = engine.sequence([(0, HIT)], loop_beats=0.25)
        other = engine.sequence([(0, HIT)], loop_beats=0.25)
        assert eventually(lambda: song.played > 3)
        song.mute = True
        assert eventually(lambda: engine.stats().cues.cancelled > 0)
        muted_at, beside = song.played, other.played
        assert eventually(lambda: other.played > beside + 10)
        assert song.played <= muted_at + 1
        song.mute = False
        assert eventually(lambda: song.played > muted_at + 3)
        song.stop()
        assert song.wait(60)
        assert not other.done()
        other.stop(at=next_bar())
        assert other.wait(60)


def test_a_collected_sequence_plays_on() -> None:
    with live() as engine:
        engine.sequence([(0, HIT)], loop_beats=0.5)
        engine.sequence((step / 2, HIT) for step in itertools.count())
        gc.collect()
        assert eventually(lambda: engine.stats().sequences.played > 10)
        assert engine.stats().sequences.playing == 2


def test_close_ends_sequences_and_leaves_no_thread() -> None:
    before = threading.active_count()
    with live() as engine:
        songs = [engine.sequence([(0, HIT)], loop_beats=1), engine.sequence((s, HIT) for s in itertools.count())]
        waiting = threading.Thread(target=songs[0].wait)
        waiting.start()
        assert eventually(lambda: songs[1].played > 1)
    waiting.join(60)
    assert not waiting.is_alive()
    assert threading.active_count() == before
    assert all(song.done() and song.wait(0) for song in songs)
    with pytest.raises(cueline.ClosedError):
        songs[0].stop()
    with pytest.raises(cueline.ClosedError):
        engine.sequence([(0, HIT)])


def test_an_engine_that_is_dropped_ends_its_sequences() -> None:
    before = threading.active_count()
    engine = live()
    engine.start()
    engine.sequence((s, HIT) for s in itertools.count())
    assert threading.active_count() == before + 1
    del engine
    gc.collect()
    assert eventually(lambda: threading.active_count() == before)


def test_a_stopped_engine_goes_on_with_its_sequences() -> None:
    with live() as engine:
        song = engine.sequence([(0, HIT)], loop_beats=0.5)
        assert eventually(lambda: song.played > 2)
        engine.stop()
        played = song.played
        assert song.wait(0.05) is False
        assert song.played == played
        engine.start()
        assert eventually(lambda: song.played > played + 2)


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::DeprecationWarning")
def test_a_forked_child_may_not_use_a_sequence() -> None:
    with live() as engine:
        song = engine.sequence([(0, HIT)], loop_beats=0.5)
        endless = engine.sequence((s, HIT) for s in itertools.count())

        def action() -> None:
            for call in (song.stop, song.done, endless.stop, lambda: engine.sequence([(0, HIT)])):
                with pytest.raises(cueline.ForkedError):
                    call()
            engine.close()

        assert in_child(action) == 0
        assert eventually(lambda: song.played > 2)


def test_events_that_are_lost_are_in_the_warning() -> None:
    engine = offline()
    engine.render(10 * BEAT)
    song = engine.sequence([(0, HIT), (9.5, HIT)], at=Beat(0))
    engine.render(BEAT)
    with pytest.warns(
        cueline.LossWarning, match="cues applied late: 1 .*events of sequences that the timeline skipped: 1 "
    ):
        engine.close()
    assert song.late == 2
    with offline() as engine:  # no warning: it was requested
        engine.render(10 * BEAT)
        song = engine.sequence([(0, HIT), (9.5, HIT)], at=Beat(0), late="drop")
        assert not engine.render(BEAT).any()
    assert song.late == 2


def test_events_that_the_processor_refuses_are_in_the_warning() -> None:
    engine = offline()
    song = engine.sequence([(0, cueline.StopVoice(12345))])
    engine.render(BEAT)
    with pytest.warns(cueline.LossWarning, match="refused: 1"):
        engine.close()
    assert song.refused == 1


def test_a_pull_has_an_end_even_if_the_beats_do_not_advance(engine: cueline.AudioEngine) -> None:
    taken = itertools.count()
    song = engine.sequence(((0, HIT) for _ in itertools.takewhile(lambda count: count < 150_000, taken)), at=None)
    engine.render(1)
    assert 0 < next(taken) < 100_000
    song.stop()


def test_an_iterable_without_a_length_is_refused_because_it_may_be_endless(engine: cueline.AudioEngine) -> None:
    class Beats:
        def __iter__(self) -> Iterator[tuple[float, cueline.Message]]:
            return in_order([0.0])

    with pytest.raises(cueline.ArgumentTypeError, match=r"or an iterator: pass iter\(events\), got <"):
        engine.sequence(Beats())
    song = engine.sequence(iter(Beats()), at=None)
    engine.render(64)
    assert song.played == 1


def test_a_length_that_lies_reserves_no_memory(engine: cueline.AudioEngine) -> None:
    class Long:
        def __len__(self) -> int:
            return 2**62

        def __iter__(self) -> Iterator[tuple[float, cueline.Message]]:
            return iter([(0, HIT)])

    song = engine.sequence(Long(), at=None)
    engine.render(64)
    assert song.played == 1


@pytest.mark.parametrize("kind", [SystemExit, GeneratorExit, KeyboardInterrupt, BaseException])
def test_what_left_render_comes_out_of_wait_at_once(engine: cueline.AudioEngine, kind: type[BaseException]) -> None:
    def leaving() -> Iterator[tuple[float, cueline.Message]]:
        yield 0, HIT
        raise kind("enough")

    song = engine.sequence(leaving(), at=Beat(0))
    with pytest.raises(kind, match="enough"):
        engine.render(64)
    for _ in range(2):
        with pytest.raises(kind, match="enough"):
            song.wait(0)
        engine.render(64)
    assert song.done()
    assert song.played == 1


def test_render_inside_an_iterator_is_refused(engine: cueline.AudioEngine) -> None:
    def rendering() -> Iterator[tuple[float, cueline.Message]]:
        yield 0, HIT
        engine.render(64)
        yield 0, HIT

    song = engine.sequence(rendering(), at=None)
    engine.render(64)
    assert engine.stats().frames == 64
    with pytest.raises(cueline.DeviceError, match="inside the iterator of a sequence: yield the events, and call it"):
        song.wait(1)
    assert song.played == 1


@pytest.mark.parametrize("blocksize", BLOCKS)
def test_events_that_pass_while_a_sequence_is_mute_are_not_late(blocksize: int) -> None:
    with offline(blocksize) as engine:
        song = engine.sequence([(step / 64, HIT) for step in range(128)], at=Beat(0))
        engine.render(BEAT // 2)
        song.mute = True
        engine.render(BEAT // 2)
        song.mute = False
        engine.render(BEAT + 1)
        assert (song.played, song.late) == (96, 0)


def locates(timeline: cueline.timeline.Timeline) -> None:
    timeline.locate(8, at=7_777)
    timeline.locate(3, at=Beat(8.31))
    timeline.set_tempo(480, at=29_001)
    timeline.locate(5, at=Beat(4.9))
    timeline.loop(5.1, 5.4, at=51_003)
    timeline.loop_off(at=66_666)
    timeline.locate(30.05, at=71_001)


LOCATED = {
    f"{name}-{loop_beats}": (kind, loop_beats)
    for name, kind in KINDS.items()
    for loop_beats in (None, 40)
    if kind is not in_order or loop_beats is None  # an iterator does not repeat
}


@pytest.mark.parametrize(("kind", "loop_beats"), LOCATED.values(), ids=LOCATED)
def test_what_a_locate_leaves_out_does_not_depend_on_the_block_size(
    kind: Callable[[list[float]], Any], loop_beats: float | None
) -> None:
    heard = set()
    for blocksize in (1, 7, 64, 1000):
        with offline(blocksize) as engine:
            locates(engine.timeline)
            song = engine.sequence(kind([step / 50 for step in range(2000)]), at=Beat(0), loop_beats=loop_beats)
            other = engine.sequence([(8, HIT), (8.01, HIT), (8.2, cueline.SetTempo(90))], at=Beat(0))
            audio = engine.render(90_000)
            heard.add(
                (tuple(onsets(audio)), audio.sum(), song.played, song.late, song.refused, other.played, other.late)
            )
    assert len(heard) == 1, [(len(each[0]), *each[1:]) for each in heard]


def test_an_engine_with_one_line_has_none_for_sequences() -> None:
    engine = cueline.AudioEngine("offline", processor="player", lines=1)
    with pytest.raises(cueline.LinesTakenError):
        engine.sequence([(0, HIT)])


@settings(max_examples=60, deadline=None)
@given(
    beats=st.lists(st.floats(0, 3.999, allow_nan=False), max_size=12),
    start=st.floats(0, 6, allow_nan=False),
    loops=st.booleans(),
    swing=st.floats(0.5, 0.75),
    tempo=st.floats(60, 900),
    pieces=st.lists(st.integers(1, 50_000), min_size=1, max_size=6),
    blocksize=st.sampled_from(BLOCKS),
)
def test_a_list_agrees_with_a_model(
    beats: list[float],
    start: float,
    loops: bool,
    swing: float,
    tempo: float,
    pieces: list[int],
    blocksize: int,
) -> None:
    def moved(beat: float) -> float:
        whole, rest = divmod(beat, 1)
        return whole + (2 * rest * swing if rest < 0.5 else swing + (2 * rest - 1) * (1 - swing))

    with offline(blocksize) as engine:
        engine.timeline.tempo = tempo
        engine.sequence([(beat, HIT) for beat in beats], at=Beat(start), loop_beats=4 if loops else None, swing=swing)
        frames = sum(pieces)
        audio = np.concatenate([engine.render(piece) for piece in pieces])
        end = frames * tempo / 60 / RATE
        rounds = range(int(end / 4) + 1) if loops else range(1)
        expected = {round((start + 4 * turn + moved(beat)) * 60 * RATE / tempo) for turn in rounds for beat in beats}
        heard = set(onsets(audio))
        slack = {frame + move for frame in expected for move in (-1, 0, 1)}  # halves may round either way
        assert heard <= slack
        assert {frame for frame in expected if frame < frames - 1} <= {f + move for f in heard for move in (-1, 0, 1)}
