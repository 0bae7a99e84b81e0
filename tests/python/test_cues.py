"""Cues from Python: exact, late, refused, cancelled; transactions; the clock of frames."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import itertools
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cueline
from conftest import eventually, fill, gain, tone
from cueline import Status

Gains = list[tuple[int, float]]


confirmation_py = str(Path(cueline.__file__).with_name("confirmation.py"))


def interrupt(call: Callable[[], object], lines: int, handler: Callable[[], object]) -> None:
    """Call ``call``, and ``handler`` before the nth line of confirmation.py that runs, if that many run."""
    left = lines

    def trace(frame: Any, event: str, _: object) -> Any:
        nonlocal left
        if frame.f_code.co_filename == confirmation_py and event == "line":
            if left == 0:
                handler()  # it is not traced itself
            left -= 1
        return trace

    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(None)


def rendered(blocksize: int, cues: Gains, frames: int = 3000) -> Any:
    engine = tone(blocksize, budget=1024)
    for frame, value in cues:
        assert engine.send(gain(value), at=frame) is Status.OK
    return engine.render(frames)


@settings(max_examples=60)
@given(
    cues=st.lists(st.tuples(st.integers(1, 2999), st.floats(0, 1, width=32)), max_size=40),
    blocksize=st.integers(1, 3000),
    frame=st.integers(1, 2999),
)
def test_a_cue_changes_its_own_sample_and_no_earlier_one_whatever_the_block_size(
    cues: Gains, blocksize: int, frame: int
) -> None:
    without = rendered(512, cues)
    with_one_more = rendered(blocksize, [*cues, (frame, 1.0)])
    assert np.array_equal(with_one_more[:frame], without[:frame])
    assert np.array_equal(with_one_more, rendered(64, [*cues, (frame, 1.0)]))
    alone = rendered(blocksize, [(frame, 1.0)])
    changed = np.flatnonzero(alone != rendered(blocksize, []))
    assert changed[0] == frame  # the ramp to the new gain begins there


def test_a_cue_tells_the_very_frame_it_was_applied_at() -> None:
    engine = tone()
    assert engine.send(cueline.GetLevel(), at=777) is Status.OK
    engine.render(777)
    assert engine.receive_msg() is None
    engine.render(1)
    level = engine.receive_msg()
    assert isinstance(level, cueline.Level)
    assert (level.frame, level.sequence) == (777, 1)


def test_late_cues_apply_at_once_or_are_dropped_and_both_are_counted() -> None:
    engine = tone()
    engine.render(640)
    engine.send(cueline.GetLevel(), at=10)
    engine.send(cueline.GetLevel(), at=11, late="drop")
    engine.send(cueline.GetLevel(), at=640, late="drop")
    engine.send(cueline.GetLevel(), at=0)
    engine.render(64)
    assert [message.sequence for message in engine.messages()] == [1, 3, 4]
    assert engine.stats().cues == cueline.CueStats(pending=0, late=1, dropped_late=1, refused=0, cancelled=0)


def test_a_full_schedule_refuses_with_an_event_and_evicts_nothing() -> None:
    far = 10**12  # in eight months
    with cueline.AudioEngine("null", processor="tone", budget=1024) as engine:
        for count in range(1024):
            assert engine.send(cueline.GetLevel(), at=far + count, timeout=60) is Status.OK
        assert eventually(lambda: engine.stats().cues.pending == 1024)
        engine.send(cueline.GetLevel(), at=far - 1)
        refused = engine.receive(timeout=60)
        assert isinstance(refused, cueline.Refused)
        assert (refused.sequence, refused.wanted_frame, refused.reason) == (1025, far - 1, cueline.Reason.SCHEDULE_FULL)
        assert engine.stats().cues.refused == 1
        assert eventually(lambda: engine.stats().cues.pending == 1024)


def test_worst_case_of_a_block_follows_from_the_settings() -> None:
    with cueline.AudioEngine("null", blocksize=64, budget=100) as engine:
        assert engine.worst_case() == cueline.WorstCase(commands=100 + 257, cues=2048 + 2 * (100 + 257), segments=64)
    with cueline.AudioEngine("offline") as offline, pytest.raises(cueline.DeviceError, match="no bound"):
        offline.worst_case()


def test_cancel_forgets_one_cue_and_cancel_all_all_of_them() -> None:
    engine = tone()
    engine.send(cueline.GetLevel(), at=100)
    doomed = engine.last_sequence
    engine.send(cueline.GetLevel(), at=101)
    assert engine.cancel(doomed) is Status.OK
    engine.render(128)
    assert [message.frame for message in engine.messages()] == [101]
    line = engine.open_line()
    for sender in (engine, line):
        sender.send(cueline.GetLevel(), at=1000)
    engine.render(64)
    engine.cancel_all()
    engine.render(2000)
    assert list(engine.messages()) == []
    assert engine.stats().cues.cancelled == 3


@pytest.mark.parametrize(("now", "in_time"), [(127, True), (128, False)])
def test_a_cancel_at_the_cue_s_own_frame_comes_too_late(now: int, in_time: bool) -> None:
    with tone() as engine:
        engine.send(gain(0.5), at=128)
        engine.render(now)
        assert engine.now() == now
        engine.cancel(engine.last_sequence)
        engine.render(64)
        assert engine.stats().cues.cancelled == in_time
        assert engine.stats().cues.pending == 0


def test_a_confirmed_command_tells_its_frame_or_why_not() -> None:
    engine = tone()
    in_time = engine.confirm(gain(0.5), at=500)
    cancelled = engine.confirm(gain(0.5), at=600)
    assert cancelled.cancel() is Status.OK
    assert not in_time.done()
    with pytest.raises(cueline.ConfirmationTimeout, match=r"^command 1 was neither applied nor refused within 0 s: "):
        in_time.result(timeout=0)
    engine.render(640)
    late = engine.confirm(gain(0.1), at=1)
    dropped = engine.confirm(gain(0.1), at=1, late="drop")
    engine.render(64)
    applied = in_time.result(0)
    assert (applied.frame, applied.late, applied.sequence) == (500, False, 1)
    assert (late.result(0).frame, late.result(0).late) == (640, True)
    for confirmation, reason, text in (
        (cancelled, cueline.Reason.CANCELLED, "command 2 did not take effect: it was cancelled"),
        (dropped, cueline.Reason.LATE, "command 5 did not take effect: it was read after its frame"),
    ):
        with pytest.raises(cueline.RefusedError, match=f"^{text}") as caught:
            confirmation.result(0)
        assert caught.value.reason is reason
    assert engine.receive_msg() is None  # confirmations are not events


def test_confirmations_are_settled_by_whoever_asks_and_in_any_order() -> None:
    engine = tone()
    confirmations = [engine.confirm(gain(0.1), at=frame) for frame in range(100, 200)]
    engine.render(256)
    assert [each.result(0).frame for each in reversed(confirmations)] == list(range(199, 99, -1))
    forgotten = engine.confirm(gain(0.1))
    del forgotten
    engine.render(64)
    assert engine.confirm(gain(0.1)).done() is False


def test_an_exception_at_any_line_where_outcomes_are_taken_loses_none_of_them() -> None:
    """Like Ctrl-C: in a thread that collects what others wait for too."""

    def ctrl_c() -> None:
        raise KeyboardInterrupt

    for lines in itertools.count():
        engine = tone()
        confirmations = [engine.confirm(gain(0.1)) for _ in range(3)]
        engine.render(64)
        try:
            interrupt(confirmations[1].done, lines, ctrl_c)
        except KeyboardInterrupt:
            assert [each.result(0).frame for each in confirmations] == [0, 0, 0]
        else:
            break
    assert lines > 10


def test_a_signal_handler_is_told_what_it_interrupted_was_told() -> None:
    for lines in itertools.count():
        engine = tone()
        confirmations = [engine.confirm(gain(0.1)) for _ in range(3)]
        engine.render(64)
        frames: list[int] = []

        def handler(asked: list[cueline.Confirmation] = confirmations, frames: list[int] = frames) -> None:
            frames.extend(each.result(0).frame for each in asked)

        interrupt(confirmations[1].done, lines, handler)
        if not frames:
            break
        assert frames == [0, 0, 0]
        assert all(each.done() for each in confirmations)
    assert lines > 10


def test_1024_confirmations_may_be_under_way_and_no_more() -> None:
    engine = tone(budget=1024)
    under_way = [engine.confirm(gain(0.1), at=10_000) for _ in range(1024)]
    with pytest.raises(cueline.Full, match="1024 confirmations are pending, which is the limit: wait for one"):
        engine.confirm(gain(0.1), at=10_000)
    engine.render(64)
    with pytest.raises(cueline.Full, match="confirmations"):
        engine.confirm(gain(0.1), at=10_000)
    engine.render(12_000)
    assert engine.confirm(gain(0.1)).done() is False
    assert all(each.done() for each in under_way)


def test_a_confirmation_that_was_refused_takes_no_place() -> None:
    engine = tone()
    fill(engine)
    for _ in range(1100):
        with pytest.raises(cueline.Full, match=r"^no room: the ring is full, with 1024 commands: "):
            engine.confirm(gain(0.1))
    with (
        pytest.raises(
            cueline.Full, match=r"^no room: nothing was sent; a transaction of 1 messages needs room for one"
        ),
        engine.transaction(confirm=True) as refused,
    ):
        refused.send(gain(0.1))
    engine.render(256)
    assert engine.confirm(gain(0.1)).done() is False


def test_a_confirmation_of_a_closed_engine_says_so() -> None:
    engine = tone()
    confirmation = engine.confirm(gain(0.1), at=1000)
    engine.close()
    with pytest.raises(cueline.ClosedError):
        confirmation.result(timeout=10)


def test_a_full_ring_refuses_a_confirmation_and_a_transaction_whole() -> None:
    engine = tone()
    fill(engine)
    with pytest.raises(cueline.Full, match="the ring is full, with 1024 commands"):
        engine.confirm(gain(0.1))
    dropped = engine.stats().commands.dropped
    with pytest.raises(queue.Full, match="a transaction of 2 messages needs room for one more"):
        _transaction_of(engine, 2)
    assert engine.stats().commands.dropped == dropped + 3, "it takes a place of its own, as when it is sent"


def test_a_transaction_applies_in_one_block_at_one_frame_whatever_the_budget() -> None:
    engine = tone(budget=2)
    with engine.transaction(at=333, confirm=True) as transaction:
        for _ in range(100):
            transaction.send(cueline.GetLevel())
    engine.render(512)
    assert [message.frame for message in engine.messages()] == [333] * 100
    assert transaction.confirmation is not None
    assert transaction.confirmation.result(0).frame == 333


def test_a_transaction_that_raises_or_has_no_message_sends_nothing() -> None:
    engine = tone()
    with contextlib.suppress(ZeroDivisionError), engine.transaction() as transaction:
        transaction.send(gain(0.1))
        raise ZeroDivisionError
    assert transaction.sequence == 0
    with engine.transaction(confirm=True) as empty:
        pass
    assert empty.confirmation is None
    assert engine.last_sequence == 0
    with engine.transaction() as doomed:
        doomed.send(cueline.GetLevel())
        doomed.send(cueline.GetLevel())
    engine.cancel(doomed.sequence)
    engine.render(64)
    assert len(list(engine.messages())) == 2  # the one without a frame was applied before


@pytest.mark.parametrize("on_a_line", [False, True])
def test_a_transaction_refuses_its_arguments_before_it_begins(on_a_line: bool) -> None:
    engine = tone()
    sender: Any = engine.open_line() if on_a_line else engine
    for arguments, text in [
        ({"at": -1}, "at must be a frame from 0 to"),
        ({"late": "now"}, "late must be 'apply' or 'drop', got 'now'"),
        ({"timeout": -1}, "timeout must be 0 seconds or more"),
    ]:
        with pytest.raises(cueline.ArgumentError, match=text):
            sender.transaction(**arguments)
    for arguments, text in [({"at": 0.5}, "at must be a frame"), ({"late": 3}, "late must"), ({"confirm": 1}, "conf")]:
        with pytest.raises(cueline.ArgumentTypeError, match=text):
            sender.transaction(**arguments)


def test_a_cancelled_transaction_goes_with_all_its_messages() -> None:
    engine = tone()
    with engine.transaction(at=500) as doomed:
        doomed.send(cueline.GetLevel())
        doomed.send(cueline.GetLevel())
    engine.cancel(doomed.sequence)
    engine.render(640)
    assert engine.receive_msg() is None


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda e: e.send(5), cueline.ArgumentTypeError, "message must be an object of .* got 5"),
        (lambda e: e.send(None), cueline.ArgumentTypeError, "message must be an object of .* got None"),
        (
            lambda e: e.send(cueline.Pong(1, 2)),
            cueline.ArgumentError,
            "^Pong cannot be sent: .* of kind 2",
        ),
        (lambda e: e.send(cueline.Message(9)), cueline.ArgumentError, "^Message cannot be sent: .* of kind 9"),
        (
            lambda e: e.send(gain(1), at=-1),
            cueline.ArgumentError,
            "at must be a frame from 0 to .*, or None, got -1",
        ),
        (
            lambda e: e.send(gain(1), at=2**63),
            cueline.ArgumentError,
            "or None, got 9223372036854775808",
        ),
        (
            lambda e: e.send(gain(1), at=1.5),
            cueline.ArgumentTypeError,
            "at must be a frame, which is an integer.* got 1.5",
        ),
        (
            lambda e: e.send(gain(1), at=True),
            cueline.ArgumentTypeError,
            "at must be a frame, which is an integer.* got True",
        ),
        (lambda e: e.send(gain(1), late="x"), cueline.ArgumentError, "late must be 'apply' or 'drop', got 'x'"),
        (lambda e: e.send(gain(1), late=3), cueline.ArgumentTypeError, "late must be 'apply' or 'drop', got 3"),
        (lambda e: e.send(gain(1), timeout=-1), cueline.ArgumentError, "timeout must be 0 seconds or more"),
        (lambda e: e.send(gain(1), timeout="1"), cueline.ArgumentTypeError, "timeout must be a number of seconds"),
        (lambda e: e.confirm(5), cueline.ArgumentTypeError, "message must be an object of a class"),
        (lambda e: e.confirm(gain(1)).result(-1), cueline.ArgumentError, "timeout must be 0 seconds or more"),
        (lambda e: e.cancel(0), cueline.ArgumentError, "a command's number, from 1 to 4294967295, got 0"),
        (lambda e: e.cancel(2**32), cueline.ArgumentError, "from 1 to 4294967295, got 4294967296"),
        (lambda e: e.cancel("1"), cueline.ArgumentTypeError, "sequence must be a command's number, got '1'"),
        (lambda e: e.transaction().send(gain(1)), cueline.ArgumentError, "works only inside its 'with'"),
        (lambda e: _transaction_of(e, 257), cueline.ArgumentError, "a transaction can have at most 256 messages"),
        (lambda e: e.transaction(confirm="yes"), cueline.ArgumentTypeError, "confirm must be True or False, got 'yes'"),
        (lambda e: _sent_in_a_transaction(e, 5), cueline.ArgumentTypeError, "message must be an object of .* got 5"),
        (lambda e: _sent_in_a_transaction(e, gain(1), at=-1), cueline.ArgumentError, "at must be a frame from 0"),
        (lambda e: _used_twice(e), cueline.ArgumentError, "a transaction can be used only once"),
        (lambda e: e.frame_at(-1), cueline.ArgumentError, "monotonic_ns must be 0 or more, got -1"),
        (lambda e: e.time_at("x"), cueline.ArgumentTypeError, "frame must be an integer, got 'x'"),
        (lambda e: e.time_at(5), cueline.DeviceError, "no block has been rendered yet"),
        (lambda e: e.send(gain(1), late=None), cueline.ArgumentTypeError, "late must be 'apply' or 'drop', got None"),
        (
            lambda e: e.confirm(gain(1), late=None),
            cueline.ArgumentTypeError,
            "late must be 'apply' or 'drop', got None",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_numbers(
    call: Callable[[Any], object], error: type[Exception], text: str
) -> None:
    engine = tone()
    with pytest.raises(error, match=text):
        call(engine)
    assert engine.stats().commands.dropped == 0


def _transaction_of(engine: cueline.AudioEngine, count: int) -> None:
    with engine.transaction() as transaction:
        for _ in range(count):
            transaction.send(gain(1))


def _sent_in_a_transaction(engine: cueline.AudioEngine, message: object, at: int | None = None) -> None:
    with engine.transaction(at) as transaction:
        transaction.send(gain(1) if at is None else message)
        with contextlib.suppress(cueline.Full):  # an error comes at once, not when the transaction ends
            transaction.send(message)
            raise AssertionError("it was accepted")


def _used_twice(engine: cueline.AudioEngine) -> None:
    with engine.transaction() as transaction:
        pass
    with transaction:
        pass


def test_what_a_number_s_own_code_raises_comes_out_of_a_send() -> None:
    class Interrupted:
        def __index__(self) -> int:
            raise KeyboardInterrupt

    engine = tone()
    with pytest.raises(KeyboardInterrupt):
        engine.send(gain(1), at=Interrupted())
    with pytest.raises(KeyboardInterrupt):
        engine.cancel(Interrupted())
    assert engine.stats().commands.sent == 0


def test_what_is_sent_to_a_closed_engine_is_refused() -> None:
    engine = tone()
    line = engine.open_line()
    engine.close()
    for call in (
        lambda: engine.send(gain(1)),
        lambda: engine.cancel(1),
        lambda: engine.confirm(gain(1)),
        lambda: line.send(gain(1)),
        engine.open_line,
    ):
        with pytest.raises(cueline.ClosedError):
            call()


def test_send_with_a_timeout_waits_for_room_without_the_gil() -> None:
    engine = tone()
    fill(engine)
    went_on = threading.Event()
    renderer = threading.Thread(target=lambda: (went_on.wait(10), engine.render(256)))
    renderer.start()
    with pytest.raises(cueline.Full, match=r"^no room within 0.01 s: the ring is full, with 1024 commands: "):
        engine.send(gain(0.1), timeout=0.01)
    assert engine.stats().commands.dropped == 1 + 1  # one by fill()
    went_on.set()
    assert engine.send(gain(0.1), timeout=10) is Status.OK
    renderer.join()


def _send_whole(engine: cueline.AudioEngine, timeout: float | None) -> int:
    with engine.transaction(timeout=timeout) as transaction:
        for _ in range(3):
            transaction.send(cueline.StopBuffer(0))
    return transaction.sequence


SENDING = {  # what each takes places for, and how it sends
    "send": (1, lambda e, timeout: e.send(cueline.StopBuffer(0), timeout=timeout)),
    "publish": (1, lambda e, timeout: e.publish(0, np.ones(4, np.float32), timeout=timeout)),
    "publish nothing": (1, lambda e, timeout: e.publish(0, None, timeout=timeout)),
    "confirm": (1, lambda e, timeout: e.confirm(cueline.StopBuffer(0), timeout=timeout)),
    "transaction": (4, _send_whole),
    "send_many": (5, lambda e, timeout: e.send_many(np.zeros(5, cueline.dtype(cueline.StopBuffer)), timeout=timeout)),
}


@pytest.fixture
def full() -> cueline.AudioEngine:
    """Return a player without room in its ring."""
    engine = cueline.AudioEngine("offline", processor="player")
    fill(engine)
    return engine


@pytest.mark.parametrize("how", SENDING)
def test_a_timeout_of_0_never_waits_and_returns_or_raises_at_once(full: cueline.AudioEngine, how: str) -> None:
    _, send = SENDING[how]
    if how in ("confirm", "transaction"):
        with pytest.raises(cueline.Full, match=r"^no room: "):
            send(full, 0)
    else:
        assert send(full, 0) is Status.FULL if how != "send_many" else send(full, 0) == 0


@pytest.mark.parametrize("how", SENDING)
def test_a_timeout_in_seconds_raises_when_it_is_over(full: cueline.AudioEngine, how: str) -> None:
    commands, send = SENDING[how]
    dropped = full.stats().commands.dropped
    with pytest.raises(cueline.Full, match=r"^no room within 0\.001 s: "):
        send(full, 0.001)
    assert full.stats().commands.dropped == dropped + commands


def once_it_waits(sender: cueline.AudioEngine | cueline.Line, act: Callable[[], object]) -> threading.Thread:
    """Start a thread that calls ``act`` once another thread's call waits for room."""

    def run() -> None:
        while not sender._unsent:
            time.sleep(0.001)
        act()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.parametrize("how", SENDING)
def test_a_timeout_of_none_waits_until_there_is_room(full: cueline.AudioEngine, how: str) -> None:
    """A signal handler makes room: it runs while the call waits."""
    _, send = SENDING[how]
    dropped = full.stats().commands.dropped
    before = signal.signal(signal.SIGINT, lambda *_: full.render(1024))
    try:
        waker = once_it_waits(full, lambda: signal.raise_signal(signal.SIGINT))
        assert send(full, None) is not Status.FULL
        waker.join()
    finally:
        signal.signal(signal.SIGINT, before)
    assert full.stats().commands.dropped == dropped


@pytest.mark.parametrize("how", SENDING)
def test_what_a_ctrl_c_gives_up_is_counted(full: cueline.AudioEngine, how: str) -> None:
    commands, send = SENDING[how]
    dropped = full.stats().commands.dropped
    waker = once_it_waits(full, lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        send(full, None)
    waker.join()
    assert full.stats().commands.dropped == dropped + commands


@pytest.mark.parametrize("how", SENDING)
def test_what_waits_when_its_engine_closes_is_counted(full: cueline.AudioEngine, how: str) -> None:
    commands, send = SENDING[how]
    dropped = full.stats().commands.dropped
    waker = once_it_waits(full, full.close)
    with pytest.raises(cueline.ClosedError):
        send(full, 600)
    waker.join()
    assert full.stats().commands.dropped == dropped + commands


@pytest.mark.parametrize("how", ["send", "confirm", "transaction", "send_many"])
def test_what_waits_when_its_line_closes_is_counted(full: cueline.AudioEngine, how: str) -> None:
    commands, send = SENDING[how]
    line = full.open_line()
    fill(line)
    dropped = line.stats().commands.dropped
    waker = once_it_waits(line, line.close)
    with pytest.raises(cueline.ClosedError):
        send(line, 600)
    waker.join()
    assert full.stats().lines[1].commands.dropped == dropped + commands


def interrupted_at(step: int, call: Callable[[], object]) -> bool:
    """Call ``call``. Raise KeyboardInterrupt before that step of cueline's Python code, and return whether it came."""
    package = str(Path(cueline.__file__).parent)
    left = step

    def trace(frame: Any, event: str, _: object) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.startswith(package):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode" and frame.f_lineno is not None:  # without a line, CPython 3.12 ends a generator: no signal
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
        return trace

    sys._getframe().f_trace_opcodes = True  # CPython 3.12 traces opcodes only if some frame wanted it before settrace
    sys.settrace(trace)
    try:
        call()
    except cueline.Full:
        pass
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(None)
    return False


@pytest.mark.filterwarnings("ignore:coroutine '.*' was never awaited")
@pytest.mark.parametrize("room", [0, 3])
@pytest.mark.parametrize("how", [*SENDING, "asend"])
def test_a_call_that_is_interrupted_anywhere_is_accounted_for(how: str, room: int) -> None:
    """It sends and drops all of its commands together, or did not begin. No confirmation keeps its place."""
    commands, send = SENDING.get(how, (1, None))
    many = np.zeros(5, cueline.dtype(cueline.StopBuffer))
    if how == "asend":
        send = lambda e, timeout: asyncio.run(e.asend(cueline.StopBuffer(0), timeout=timeout))  # noqa: E731
    elif how == "send_many":
        send = lambda e, timeout: e.send_many(many, timeout=timeout)  # noqa: E731
    send(
        cueline.AudioEngine("offline", processor="player"), 0
    )  # so that what is made once is there: steps stay the same
    if how == "asend":
        gc.collect()
        gc.freeze()  # so that each of the next collections looks at a few objects
    for step in itertools.count():
        engine = cueline.AudioEngine("offline", processor="player")
        for _ in range(1024 - room):
            engine.ping()
        before = engine.stats().commands
        interrupted = interrupted_at(step, functools.partial(send, engine, 0.001))
        if how == "asend":
            gc.collect()  # a task that ended by an exception is part of a cycle
        after = engine.stats().commands
        assert after.sent - before.sent + after.dropped - before.dropped in (0, commands), f"step {step}"
        if how in ("confirm", "transaction"):
            engine.render(128)
            engine._confirmations.collect(engine)
            assert engine._confirmations.under_way == {}
            assert engine._confirmations._reports == {}
        if not interrupted:
            assert after.sent - before.sent + after.dropped - before.dropped == commands
            break
    gc.unfreeze()
    assert step > 3


OFFLINE = {  # how many commands each takes, and how it sends a cue
    "send": (1, lambda e, at: e.send(cueline.PlayBuffer(0), at=at)),
    "publish": (1, lambda e, at: e.publish(0, None, at=at)),
    "transaction": (3, lambda e, at: _sent_whole_at(e, at)),
    "send_many": (2, lambda e, at: e.send_many(_plays_at(at, at))),
    "asend": (1, lambda e, at: asyncio.run(e.asend(cueline.PlayBuffer(0), at=at))),
}


def _sent_whole_at(engine: cueline.AudioEngine, at: int) -> None:
    with engine.transaction(at=at) as transaction:
        transaction.send(cueline.PlayBuffer(0))
        transaction.send(cueline.PlayBuffer(0))


def _plays_at(*frames: int) -> Any:
    array = np.zeros(len(frames), cueline.dtype(cueline.PlayBuffer))
    array["gain"] = array["rate"] = 1
    array["frame"] = frames
    return array


@pytest.mark.parametrize("how", OFFLINE)
def test_offline_no_cue_is_refused_for_lack_of_room(how: str) -> None:
    commands, send = OFFLINE[how]
    with cueline.AudioEngine("offline", processor="player", budget=1) as engine:
        calls = 3000 if how != "asend" else 1500
        for call in range(calls):
            send(engine, 1000 + call)
        assert (engine.stats().commands.sent, engine.stats().commands.dropped) == (calls * commands, 0)
        engine.render(128)
        assert engine.stats().cues.pending == calls * commands
        engine.render(1000 + calls)
        assert engine.stats().cues == cueline.CueStats(pending=0, late=0, dropped_late=0, refused=0, cancelled=0)


def test_offline_a_hundred_thousand_cues_in_one_array_all_sound_in_order() -> None:
    frames = 100_000
    with cueline.AudioEngine("offline", processor="tone", outputs=1) as engine:
        steps = np.zeros(frames, cueline.dtype(cueline.GetLevel))
        steps["frame"] = 1 + np.random.default_rng(1).permutation(frames)
        assert engine.send_many(steps) == frames
        assert engine.send_many(steps[:0]) == 0
        engine.render(1)
        assert engine.stats().cues.pending == frames
        answered: list[int] = []
        for _ in range(frames // 1000 + 1):
            engine.render(1000)  # the event ring holds 1024
            answered += engine.receive_many()["frame"].tolist()
        assert answered == list(range(1, frames + 1))


def test_offline_cues_beyond_the_ring_are_confirmed_and_cancelled() -> None:
    with cueline.AudioEngine("offline", processor="player", outputs=1) as engine:
        for _ in range(2000):
            engine.send(cueline.PlayBuffer(0), at=100)
        doomed = engine.confirm(cueline.PlayBuffer(0), at=50_000)
        for _ in range(2000):
            engine.send(cueline.PlayBuffer(0), at=50_000)
        kept = engine.confirm(cueline.StopBuffer(0), at=200)
        assert doomed.cancel() is Status.OK
        engine.render(1000)
        assert kept.result(0).frame == 200
        with pytest.raises(cueline.RefusedError, match="it was cancelled"):
            doomed.result(0)
        engine.cancel_all()
        engine.render(1000)
        assert engine.stats().cues.cancelled == 2001
        assert engine.stats().cues.pending == 0


def test_offline_a_command_without_a_frame_finds_the_ring_full() -> None:
    with cueline.AudioEngine("offline", processor="player") as engine:
        fill(engine)
        assert engine.send(cueline.StopBuffer(0)) is Status.FULL
        assert engine.send(cueline.StopBuffer(0), at=0) is Status.FULL, "frame 0 is no cue"
        mixed = _plays_at(0, 1000, 0)
        assert engine.send_many(mixed) == 0, "the first is no cue, and the order stays"
        assert engine.send_many(mixed[1:]) == 2
        assert engine.stats().commands.sent == 1026


def test_an_interrupted_receive_into_a_list_loses_no_message() -> None:
    for step in itertools.count():
        engine = tone()
        engine.ping()
        engine.render(64)
        inbox: list[cueline.Message] = []
        interrupted = interrupted_at(step, functools.partial(engine.receive, timeout=0, into=inbox))
        assert [message.sequence for message in [*inbox, *engine.messages()]] == [1], f"step {step}"
        if not interrupted:
            break
    assert step > 3
    with pytest.raises(cueline.ArgumentTypeError, match=r"^into must be a list or None, got 5$"):
        engine.receive(timeout=0, into=5)  # type: ignore[arg-type]


def test_publish_waits_for_a_buffer_too() -> None:
    with cueline.AudioEngine("offline", processor="player") as engine:
        for _ in range(384):
            engine.publish(0, np.ones(4, np.float32))
        with pytest.raises(
            cueline.Full, match=r"^no room within 0\.001 s: 384 buffers are in use, which is the limit: "
        ):
            engine.publish(0, np.ones(4, np.float32), timeout=0.001)
        assert (engine.stats().buffers.refused, engine.stats().commands.dropped) == (1, 0)
        engine.render(64)
        assert engine.publish(0, np.ones(4, np.float32), timeout=None) is Status.OK


def test_frames_and_the_clock_map_both_ways() -> None:
    engine = tone()
    engine.render(640)
    assert engine.now() == 640
    for frame in (0, 1, 576, 640, 10**9):
        assert engine.frame_at(engine.time_at(frame)) == frame
    assert engine.time_at(48_000 + 576) - engine.time_at(576) == 1_000_000_000
    assert engine.frame_at(0) == 0
    assert abs(engine.time_at(576) - time.monotonic_ns()) < 60e9


def test_a_frame_too_far_for_the_clock_is_refused_with_the_farthest() -> None:
    engine = tone()
    engine.render(64)
    with pytest.raises(
        cueline.ArgumentError, match="within 285 years of now, up to 432000000000000, got 4611686018427387904"
    ):
        engine.time_at(2**62)
    farthest = 432_000_000_000_000 - 1
    assert engine.time_at(farthest) - engine.time_at(0) == pytest.approx(9e18)
    assert engine.frame_at(engine.time_at(farthest)) == farthest


def test_a_running_engine_s_frames_follow_the_clock() -> None:
    with cueline.AudioEngine("null", processor="tone", blocksize=64) as engine:
        assert eventually(lambda: engine.stats().blocks > 10)
        wanted = engine.frame_at(time.monotonic_ns() + 50_000_000)
        assert engine.confirm(gain(0.1), at=wanted).result(timeout=20).frame >= wanted
        engine.stats()  # on a busy machine it was late
