"""LossWarning: what an engine lost while the program did not look, and what is refused before it can be lost."""

from __future__ import annotations

import asyncio
import contextlib
import linecache
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from contextlib import ExitStack

import numpy as np
import numpy.typing as npt
import pytest

import cueline
from conftest import fill, gain, tone
from cueline import Status

FAR = 10**12
REFUSED = "commands refused for lack of room: 6 (set a timeout, or read stats() if you sent them again)"
LATE = "cues applied late: 2 (send them earlier, or for engine.after(seconds))"


def lose_commands(engine: cueline.AudioEngine) -> None:
    for _ in range(1030):
        engine.send(cueline.GetLevel())


def apply_late(engine: cueline.AudioEngine) -> None:
    engine.render(64)
    for _ in range(2):
        engine.send(gain(0.1), at=1)
    engine.render(64)


def lose_both(engine: cueline.AudioEngine) -> None:
    apply_late(engine)
    lose_commands(engine)


LOSSES: dict[str, tuple[Callable[[cueline.AudioEngine], None], str]] = {
    "refused": (lose_commands, REFUSED),
    "late": (apply_late, LATE),
    "both": (lose_both, f"{REFUSED}; {LATE}"),
}


def told_by(program: Callable[[], object]) -> list[tuple[str, str]]:
    """Return the text and the source line of each LossWarning that ``program`` causes."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        program()
    assert all(one.category is cueline.LossWarning for one in told)
    return [(str(one.message), linecache.getline(one.filename, one.lineno).strip()) for one in told]


@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_that_nobody_looked_at_is_told_after_the_close_with_the_callers_line(loss: str) -> None:
    lose, text = LOSSES[loss]

    def close() -> None:
        engine = tone()
        lose(engine)
        engine.close()  # here

    def leave_the_with() -> None:
        with tone() as engine:  # there
            lose(engine)

    def leave_an_exit_stack() -> None:
        with ExitStack() as stack:  # beyond
            lose(stack.enter_context(tone()))

    expected = f"{text}. stats() has all counts"
    assert told_by(close) == [(expected, "engine.close()  # here")]
    assert told_by(leave_the_with) == [(expected, "with tone() as engine:  # there")]
    assert told_by(leave_an_exit_stack) == [(expected, "with ExitStack() as stack:  # beyond")]


def test_cues_that_the_schedule_has_no_room_for_are_told() -> None:
    def program() -> None:
        with cueline.AudioEngine("null", processor="tone", blocksize=64) as engine:
            for _ in range(1026):
                assert engine.send(gain(0.1), at=FAR, timeout=None) is Status.OK
            with pytest.raises(cueline.RefusedError):
                engine.confirm(gain(0.1), at=FAR, timeout=None).result(timeout=20)

    [(text, _)] = told_by(program)
    assert text.startswith("cues refused because the schedule was full: 3 (")


def test_a_loss_is_told_once_and_the_engine_is_closed_by_then() -> None:
    engine = tone()
    lose_commands(engine)
    with pytest.raises(cueline.LossWarning):  # in the tests, warnings are errors
        engine.close()
    assert engine.closed
    assert told_by(engine.close) == []


def test_reading_stats_after_the_loss_silences_it_and_a_later_loss_is_told() -> None:
    def program(later: int) -> None:
        with tone() as engine:
            lose_commands(engine)
            engine.stats()
            for _ in range(later):
                engine.ping()

    assert told_by(lambda: program(0)) == []
    [(text, _)] = told_by(lambda: program(1))
    assert text.startswith("commands refused for lack of room: 7 (")


def test_nothing_is_told_while_an_exception_leaves_the_with() -> None:
    engine = tone()

    def program() -> None:
        with contextlib.suppress(ZeroDivisionError), engine:
            lose_commands(engine)
            raise ZeroDivisionError
        engine.close()

    assert told_by(program) == []


def test_what_raises_full_or_may_be_lost_is_not_told() -> None:
    engine = tone()

    def refuse(send: Callable[[], object]) -> None:
        with pytest.raises(cueline.Full):
            send()

    def program() -> None:
        with engine:
            for _ in range(1024):
                engine.send(cueline.GetLevel())
            refuse(lambda: engine.send(gain(0.1), timeout=0.001))
            refuse(lambda: engine.confirm(gain(0.1)))
            refuse(lambda: engine.send_many(np.zeros(5, cueline.dtype(cueline.GetLevel)), timeout=0.001))
            refuse(lambda: asyncio.run(engine.asend(gain(0.1), timeout=0)))
            refuse(lambda: send_in_a_transaction(engine))
            engine.render(640)  # as many answers as the event ring holds, and nobody receives them
            engine.send(cueline.GetLevel())
            engine.send(gain(0.1), at=1, late="drop")
            engine.render(64)

    assert told_by(program) == []
    stats = engine.stats()
    assert (stats.commands.dropped, stats.events.dropped, stats.cues.dropped_late) == (10, 1, 1)


def test_a_publish_without_room_is_told_unless_it_raises() -> None:
    def program() -> None:
        with cueline.AudioEngine("offline", processor="player") as engine:
            for _ in range(engine.stats().buffers.limit + 2):
                engine.publish(0, np.ones(4, np.float32))
            with pytest.raises(cueline.Full):
                engine.publish(0, np.ones(4, np.float32), timeout=0.001)

    [(text, _)] = told_by(program)
    assert text.startswith("commands refused for lack of room: 2 (")


def test_an_engine_that_closes_at_the_end_of_python_tells_its_loss() -> None:
    program = (
        "import cueline\n"
        "class Closing(cueline.AudioEngine):\n"
        "    def __del__(self):\n"
        "        self.close()\n"
        "engine = Closing('offline', processor='tone')\n"
        "for _ in range(1030):\n"
        "    engine.send(cueline.GetLevel())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert f"LossWarning: {REFUSED}" in done.stderr


def test_a_caller_without_a_module_name_can_close() -> None:
    """Python itself drops the warnings of such a module."""
    engine = tone()
    lose_commands(engine)
    exec("engine.close()", {"engine": engine, "__name__": None})
    assert engine.closed


def test_a_forked_child_closes_without_a_word() -> None:
    engine = tone()
    lose_commands(engine)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # about a fork beside threads
        child = os.fork()
    if child == 0:
        try:
            os._exit(len(told_by(engine.close)))
        finally:
            os._exit(100)
    assert os.waitpid(child, 0)[1] == 0
    engine.stats()


# --- Kinds


def send_in_a_transaction(engine: cueline.AudioEngine) -> None:
    with engine.transaction() as transaction:
        transaction.send(gain(0.1))


def array_of_each_kind() -> npt.NDArray[np.void]:
    array = np.zeros(3, cueline.dtype())
    array["kind"] = 64
    return array


@pytest.mark.parametrize(
    "send",
    [
        lambda engine: engine.send(gain(0.1)),
        lambda engine: engine.confirm(gain(0.1)),
        lambda engine: engine.send_many(np.zeros(3, cueline.dtype(cueline.SetTone))),
        lambda engine: engine.send_many(array_of_each_kind()),
        lambda engine: engine.open_line().send(gain(0.1)),
        lambda engine: asyncio.run(engine.asend(gain(0.1))),
        send_in_a_transaction,
    ],
)
def test_what_a_processor_does_not_handle_is_refused_at_once(send: Callable[[cueline.AudioEngine], object]) -> None:
    with cueline.AudioEngine("offline", processor="silence") as engine:
        with pytest.raises(cueline.ProcessorError) as refused:
            send(engine)
        assert str(refused.value) == (
            "the processor 'silence' handles no messages, got SetTone: use AudioEngine(processor='tone')"
        )
        assert engine.stats().commands == cueline.RingStats(0, 0, 0)


def test_the_error_names_what_the_processor_handles() -> None:
    with (
        tone() as engine,
        pytest.raises(
            cueline.ProcessorError, match=r"^the processor 'tone' handles SetTone, GetLevel, Click, not kind 3333$"
        ),
    ):
        engine.send(cueline.Message(3333))


@pytest.mark.parametrize(
    ("processor", "messages"),
    [
        ("tone", [gain(0.1), cueline.GetLevel(), cueline.Click()]),
        ("player", [cueline.PlayBuffer(0), cueline.StopBuffer(0)]),
    ],
)
def test_the_processor_that_the_error_names_handles_the_message(
    processor: str, messages: list[cueline.Message]
) -> None:
    with (
        cueline.AudioEngine("offline", processor="silence") as silence,
        cueline.AudioEngine("offline", processor=processor) as engine,
    ):
        for message in messages:
            with pytest.raises(cueline.ProcessorError, match=rf": use AudioEngine\(processor='{processor}'\)$"):
                silence.send(message)
            engine.send(message)
        engine.render(64)
        assert engine.stats().unhandled == 0


def test_a_ping_needs_no_processor_that_handles_it() -> None:
    with cueline.AudioEngine("offline") as engine:
        assert fill(engine) == 1024
        engine.stats()
