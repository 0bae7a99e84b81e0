"""Lines: several connections to one engine, their answers, closing them, and what a cancel reaches."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest

import cueline
from conftest import eventually, fill, gain, tone
from cueline import Status


def running_threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def test_lines_have_rings_of_their_own_and_answers_name_them() -> None:
    engine = cueline.AudioEngine("offline", blocksize=64)
    with engine.open_line() as first, engine.open_line() as second:
        assert (first.number, second.number) == (1, 2)
        fill(engine)
        assert first.ping() is Status.OK
        assert second.ping() is Status.OK
        engine.render(64)
        by_line = {message.line for message in engine.messages()}
        assert by_line == {0, 1, 2}
        assert first.stats() == cueline.RingStats(sent=1, dropped=0, high_water=1)
        assert engine.stats().lines == (engine.stats().commands, first.stats(), second.stats())
    assert first.closed
    with pytest.raises(cueline.ClosedError, match="this line is closed: open another one"):
        first.ping()
    first.close()


def test_a_line_confirms_cancels_and_sends_transactions() -> None:
    engine = tone()
    line = engine.open_line()
    engine.send(gain(0.1), at=100)
    confirmation = line.confirm(gain(0.1), at=100)
    assert confirmation.sequence == 1
    line.cancel(confirmation.sequence)
    with line.transaction(at=200, confirm=True) as transaction:
        transaction.send(cueline.GetLevel())
    engine.render(256)
    with pytest.raises(cueline.RefusedError):
        confirmation.result(0)
    assert transaction.confirmation is not None
    assert transaction.confirmation.result(0).line == line.number
    level = engine.receive_msg()
    assert level is not None
    assert (level.line, level.frame) == (1, 200)


def cancel_all_of_the_engine(engine: cueline.AudioEngine, _: cueline.Confirmation) -> None:
    engine.cancel_all()


def cancel_by_the_next_port(engine: cueline.AudioEngine, confirmation: cueline.Confirmation) -> None:
    with engine.open_line() as line:
        line.cancel(confirmation.sequence)


def cancel_by_number_on_the_engine(engine: cueline.AudioEngine, confirmation: cueline.Confirmation) -> None:
    engine.cancel(confirmation.sequence)


@pytest.mark.parametrize(
    ("cancel", "reaches"),
    [(cancel_all_of_the_engine, True), (cancel_by_the_next_port, True), (cancel_by_number_on_the_engine, False)],
)
def test_a_cue_outlives_its_line_and_some_cancels_reach_it(
    cancel: Callable[[cueline.AudioEngine, cueline.Confirmation], None], reaches: bool
) -> None:
    with tone() as engine:
        with engine.open_line() as line:
            confirmation = line.confirm(gain(0.5), at=1000)
        engine.render(64)
        with pytest.raises(cueline.ClosedError, match="this line is closed"):
            confirmation.cancel()
        cancel(engine, confirmation)
        engine.render(1000)
        if reaches:
            with pytest.raises(cueline.RefusedError, match="it was cancelled"):
                confirmation.result(0)
        else:
            assert confirmation.result(0).frame == 1000


def test_eight_lines_can_be_open_and_a_closed_one_s_place_is_free() -> None:
    engine = tone()
    lines = [engine.open_line() for _ in range(8)]
    with pytest.raises(cueline.LinesTakenError, match="all 8 lines are open: close one first"):
        engine.open_line()
    for _ in range(5):
        lines[2].ping()
    lines[2].close()
    again = engine.open_line()
    assert again.number == 3
    again.ping()
    engine.render(64)
    assert [message.sequence for message in engine.messages()] == [1, 2, 3, 4, 5, 6]


def test_a_line_keeps_its_engine() -> None:
    line = cueline.AudioEngine("offline").open_line()
    gc.collect()
    assert line.ping() is Status.OK


def test_an_engine_that_keeps_its_own_line_is_collected_and_its_audio_thread_ends() -> None:
    class Synth(cueline.AudioEngine):
        line: cueline.Line
        confirmation: cueline.Confirmation

    threads = running_threads()
    engine = Synth("null", processor="tone")
    engine.start()
    engine.line = engine.open_line()
    engine.confirmation = engine.line.confirm(gain(0.1))
    assert running_threads() > threads
    alive = weakref.ref(engine)
    del engine
    gc.collect()
    assert alive() is None
    assert eventually(lambda: running_threads() == threads)


def test_threads_on_lines_of_their_own_lose_nothing() -> None:
    each = 2000
    with cueline.AudioEngine("null", blocksize=64, budget=1024) as engine:
        lines = [engine.open_line() for _ in range(4)]

        def send(line: cueline.Line) -> None:
            for _ in range(each):
                while line.ping() is Status.FULL:
                    time.sleep(0.001)

        threads = [threading.Thread(target=send, args=(line,)) for line in lines]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [line.stats().sent for line in lines] == [each] * 4

        def answers() -> int:
            events = engine.stats().events
            return events.sent + events.dropped  # the ring may overflow: nobody receives meanwhile

        assert eventually(lambda: answers() == 4 * each)
        last = dict.fromkeys(range(1, 5), 0)
        for pong in engine.messages():
            assert pong.sequence > last[pong.line]
            last[pong.line] = pong.sequence
        assert any(last.values())


def test_an_engine_cancels_what_was_sent_before_on_any_line_though_it_was_not_read_yet() -> None:
    engine = tone()
    with engine.open_line() as line:
        doomed = line.confirm(gain(0.5), at=1000)  # the engine's line is read first
        engine.cancel_all()
        kept = line.confirm(gain(0.5), at=1000)
        engine.render(2000)
        with pytest.raises(cueline.RefusedError, match="it was cancelled"):
            doomed.result(0)
        assert kept.result(0).frame == 1000
        assert engine.stats().cues.cancelled == 1


def test_only_an_engine_opens_lines() -> None:
    with (
        tone().open_line() as line,
        pytest.raises(cueline.ArgumentTypeError, match=r"must be an AudioEngine, got"),
    ):
        cueline.Line(line)  # type: ignore[arg-type]
