"""Lines: several connections to one engine, their answers, closing them, and what a cancel reaches."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import cueline
from conftest import eventually, fill, gain, thread_numbers, tone
from cueline import Status


def test_lines_have_rings_of_their_own_and_get_their_own_answers() -> None:
    engine = cueline.AudioEngine("offline", blocksize=64)
    with engine.open_line() as first, engine.open_line() as second:
        assert (first.number, second.number) == (1, 2)
        fill(engine)
        assert first.ping() is Status.OK
        assert second.ping() is Status.OK
        engine.render(64)
        for line in (engine, first, second):
            assert {message.line for message in line.messages()} == {line.number}
        counted = cueline.RingStats(sent=1, dropped=0, high_water=1)
        assert first.stats().commands == first.stats().events == counted
        assert [line.commands for line in engine.stats().lines] == [engine.stats().commands, counted, counted]
    assert first.closed
    with pytest.raises(cueline.ClosedError, match="this line is closed: open another one"):
        first.ping()
    first.close()


def test_a_line_receives_in_every_way() -> None:
    engine = cueline.AudioEngine("offline", blocksize=64)
    with engine.open_line() as line:
        for _ in range(6):
            line.ping()
        engine.render(64)
        assert line.receive_msg().sequence == 1
        assert line.receive(timeout=0).sequence == 2
        inbox: list[cueline.Message] = []
        assert line.receive(timeout=0, into=inbox) == inbox[0]
        assert asyncio.run(line.areceive(timeout=0)).sequence == 4
        assert line.receive_many(1)["sequence"].tolist() == [5]
        assert [message.sequence for message in line.messages()] == [6]
        with pytest.raises(cueline.Empty, match="no message within 0 s"):
            line.receive(timeout=0)
        assert engine.receive_msg() is None


def test_a_request_returns_its_own_answer_and_keeps_the_other_messages_in_order() -> None:
    with cueline.AudioEngine("null", processor="tone", blocksize=64) as engine, engine.open_line() as line:
        for sender in (line, engine):
            sender.ping()
            sender.send(cueline.GetLevel())
            level = sender.request(cueline.GetLevel(), cueline.Level, timeout=60)
            assert isinstance(level, cueline.Level)
            assert (level.line, level.sequence) == (sender.number, 3)
            assert [message.sequence for message in sender.messages()] == [1, 2]


def test_a_request_without_an_answer_says_what_it_waited_for() -> None:
    engine = tone()
    with pytest.raises(cueline.Empty, match="no Level within 0 s: the offline device makes blocks only in render"):
        engine.request(cueline.GetLevel(), cueline.Level, timeout=0)
    fill(engine)
    with pytest.raises(cueline.Full, match="no room: "):
        engine.request(cueline.GetLevel(), cueline.Level, timeout=0)


def test_receive_takes_the_wanted_classes_and_leaves_the_others_in_order() -> None:
    engine = tone()
    for _ in range(2):
        engine.ping()
        engine.send(cueline.GetLevel())
    engine.render(64)
    assert engine.receive(cueline.Level, timeout=0).sequence == 2
    assert engine.receive(cueline.Level, cueline.DeviceLost, timeout=0).sequence == 4
    with pytest.raises(cueline.Empty, match="no Level or DeviceLost within 0 s"):
        engine.receive(cueline.Level, cueline.DeviceLost, timeout=0)
    engine.ping()
    engine.render(64)
    assert [message.sequence for message in engine.messages()] == [1, 3, 5]


def test_what_receive_leaves_has_a_bound_and_the_rest_is_counted() -> None:
    engine = tone()
    for _ in range(3):
        for _ in range(500):
            engine.ping()
        engine.render(1024)
        with pytest.raises(cueline.Empty):
            engine.receive(cueline.Level, timeout=0)
    assert engine.stats().events.dropped == 1500 - 1024
    assert engine.stats().lines[0].events.dropped == 1500 - 1024
    assert next(message.sequence for message in engine.messages()) == 1500 - 1024 + 1


@pytest.mark.parametrize(
    ("types", "why"),
    [
        ((3,), r"receive\(\) takes message classes, got 3: did you mean timeout=3\?"),
        ((None,), "did you mean timeout=None"),
        ((int,), "cls must be a class made with @cueline.message, got <class 'int'>"),
    ],
)
def test_receive_refuses_what_is_no_message_class(types: tuple[Any, ...], why: str) -> None:
    with pytest.raises(cueline.ArgumentTypeError, match=why):
        tone().receive(*types, timeout=0)


def test_a_line_for_all_events_hears_what_answers_nobody() -> None:
    engine = cueline.AudioEngine("offline", blocksize=64)
    with engine.open_line(events="all") as everything, engine.open_line() as own:
        with engine.open_line() as gone:
            gone.ping()
        engine.ping()
        engine.render(64)
        assert [message.line for message in everything.messages()] == [gone.number]
        assert own.receive_msg() is None
        assert [message.line for message in engine.messages()] == [0, gone.number]
    with pytest.raises(cueline.ArgumentError, match="events must be 'own' or 'all', got 'some'"):
        engine.open_line(events="some")  # type: ignore[arg-type]
    for wrong in (None, np.zeros(2)):
        with pytest.raises(cueline.ArgumentTypeError, match="events must be 'own' or 'all', got"):
            engine.open_line(events=wrong)  # type: ignore[arg-type]


def test_a_closed_line_still_gives_what_came_before() -> None:
    engine = cueline.AudioEngine("offline", blocksize=64)
    line = engine.open_line()
    line.ping()
    engine.render(64)
    line.close()
    assert engine.open_line().receive_msg() is None, "the next owner of the number gets its own events only"
    assert line.receive(timeout=0).sequence == 1
    with pytest.raises(cueline.ClosedError, match="this line is closed"):
        line.receive(timeout=0)


def test_an_engine_has_as_many_lines_as_it_was_made_for() -> None:
    engine = cueline.AudioEngine("offline", lines=64)
    lines = [engine.open_line() for _ in range(63)]
    for line in lines:
        line.ping()
    engine.render(64)
    assert [line.receive(timeout=0).line for line in lines] == list(range(1, 64))
    way_out = "all 64 lines are open, the engine's own among them: close one, or declare more"
    with pytest.raises(cueline.LinesTakenError, match=way_out):
        engine.open_line()
    with pytest.raises(cueline.LinesTakenError, match="all 1 lines are open"):
        cueline.AudioEngine("offline", lines=1).open_line()
    for lines_wanted in (0, 65):
        with pytest.raises(cueline.ArgumentError, match=f"lines must be from 1 to 64, got {lines_wanted}"):
            cueline.AudioEngine("offline", lines=lines_wanted)


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
    level = line.receive_msg()
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
    with pytest.raises(cueline.LinesTakenError, match="all 9 lines are open"):
        engine.open_line()
    for _ in range(5):
        lines[2].ping()
    lines[2].close()
    again = engine.open_line()
    assert again.number == 3
    again.ping()
    engine.render(64)
    assert [message.sequence for message in engine.messages()] == [1, 2, 3, 4, 5]
    assert [message.sequence for message in again.messages()] == [6]


def test_a_confirmation_outlives_its_line_though_another_one_has_its_number() -> None:
    engine = tone()
    with engine.open_line() as line:
        first = line.confirm(gain(0.1))
    engine.render(64)
    assert first.result(0).sequence == 1
    with engine.open_line() as line:
        second = line.confirm(gain(0.1))
    with engine.open_line() as line:
        third = line.confirm(gain(0.1))
        engine.render(64)
        assert (second.result(0).sequence, third.result(0).sequence) == (2, 3)


def test_each_line_may_have_as_many_confirmations_under_way_as_its_ring_holds() -> None:
    engine = tone()
    with engine.open_line() as line:
        kept = [sender.confirm(gain(0.1), at=10**6 + number) for sender in (engine, line) for number in range(1024)]
        for sender in (engine, line):
            with pytest.raises(cueline.Full, match="1024 confirmations are pending"):
                sender.confirm(gain(0.1))
        engine.render(10**6 + 2048)
        assert all(confirmation.done() for confirmation in kept)


def test_a_line_keeps_its_engine() -> None:
    line = cueline.AudioEngine("offline").open_line()
    gc.collect()
    assert line.ping() is Status.OK


def test_an_engine_that_keeps_its_own_line_is_collected_and_its_audio_thread_ends() -> None:
    class Synth(cueline.AudioEngine):
        line: cueline.Line
        confirmation: cueline.Confirmation

    before = thread_numbers()
    engine = Synth("null", processor="tone")
    engine.start()
    engine.line = engine.open_line()
    engine.confirmation = engine.line.confirm(gain(0.1))
    its_own = thread_numbers() - before
    assert its_own
    alive = weakref.ref(engine)
    del engine
    gc.collect()
    assert alive() is None
    assert eventually(lambda: not its_own & thread_numbers())


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
        assert [line.stats().commands.sent for line in lines] == [each] * 4

        def answers(line: cueline.Line) -> int:
            events = line.stats().events
            return events.sent + events.dropped  # the ring overflows: nobody receives meanwhile

        assert eventually(lambda: all(answers(line) == each for line in lines))
        for line in lines:
            assert [pong.sequence for pong in line.messages()] == list(range(1, 1025))
        engine.stats()  # so that nothing warns of the pings that were refused: they were sent again


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
