"""Eight threads at once on each part of the API: every message, confirmation, buffer and frame is accounted for.

The counts are exact, and nothing rests on time. Where there is a GIL, the threads take turns as often as they can.
HAMMER=100 in the environment makes each test that many times longer, as `make free-threaded` does.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import sysconfig
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
import pytest

import cueline
from conftest import in_child, tone
from cueline import Status, _core

THREADS = 8
TIMES = int(os.environ.get("HAMMER", "1"))


@pytest.fixture(autouse=True)
def many_turns() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def at_once(*works: Callable[[], object]) -> None:
    """Run each of ``works`` on a thread of its own, all from the same moment on. Raise what the first one raised."""
    begin = threading.Barrier(len(works))
    errors: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        begin.wait()
        try:
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def on_each_thread(work: Callable[[int], object], threads: int = THREADS) -> list[Callable[[], object]]:
    """Return ``work`` for each thread, with the thread's number."""
    return [lambda number=number: work(number) for number in range(threads)]  # type: ignore[misc]


class Blocks:
    """Blocks of an offline engine, one after the other, for as long as a ``with`` lasts."""

    def __init__(self, engine: cueline.AudioEngine) -> None:
        self._engine = engine
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._render)

    def _render(self) -> None:
        while not self._over.is_set():
            self._engine.render(self._engine.blocksize)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def test_importing_cueline_leaves_the_gil_off() -> None:
    import cueline.device_list
    import cueline.playback
    import cueline.recording  # noqa: F401

    if sys.version_info >= (3, 13) and "PYTHON_GIL" not in os.environ:
        assert sys._is_gil_enabled() is not bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


def test_each_command_of_eight_threads_on_one_line_is_answered_once() -> None:
    times, senders = 300 * TIMES, THREADS - 2
    with tone() as engine:
        received: list[list[int]] = [[], []]
        full: Counter[int] = Counter()
        finished: list[int] = []

        def send(number: int) -> None:
            for turn in range(times):
                while (engine.ping() if turn % 2 else engine.send(cueline.GetLevel())) is Status.FULL:
                    full[number] += 1
            finished.append(number)

        def receive(number: int) -> None:
            while len(finished) < senders:
                received[number].extend(message.sequence for message in engine.messages())

        with Blocks(engine):
            at_once(*on_each_thread(send, senders), *on_each_thread(receive, 2))
        engine.render(64)
        received[0].extend(message.sequence for message in engine.messages())
        stats = engine.stats()
        assert engine.last_sequence == stats.commands.sent == times * senders
        assert stats.commands.dropped == full.total()
        sequences = received[0] + received[1]
        assert len(set(sequences)) == len(sequences) == times * senders - stats.events.dropped
        assert set(sequences) <= set(range(1, times * senders + 1))


def test_all_ways_to_send_on_one_line_number_its_commands_one_by_one() -> None:
    times = 50 * TIMES
    with tone() as engine, engine.open_line() as line:
        records = np.zeros(7, cueline.dtype(cueline.GetLevel))
        accepted: Counter[int] = Counter()

        def send(number: int) -> None:
            for _ in range(times):
                accepted[number] += line.send(cueline.GetLevel()) is Status.OK
                accepted[number] += line.send_many(records)
                accepted[number] += line.cancel(1) is Status.OK
                transaction = line.transaction()
                try:
                    with transaction:
                        transaction.send(cueline.GetLevel())
                        transaction.send(cueline.GetLevel())
                except cueline.Full:
                    continue
                accepted[number] += 3

        with Blocks(engine):
            at_once(*on_each_thread(send))
        assert line.last_sequence == engine.stats().lines[1].commands.sent == accepted.total()


def test_confirmations_come_to_those_who_wait_whoever_takes_them() -> None:
    times = 30 * TIMES
    with tone() as engine, engine.open_line() as line:
        confirmed: list[list[cueline.Confirmation]] = [[] for _ in range(THREADS)]

        def confirm(number: int) -> None:
            for turn in range(times):
                sender = (engine, line)[(number + turn) % 2]
                confirmed[number].append(sender.confirm(cueline.GetLevel(), timeout=None))
                for others in confirmed[number - 1][-1:]:
                    others.result()
                if number % 3 == 0:
                    confirmed[number][-1].result()

        with Blocks(engine):
            at_once(*on_each_thread(confirm))
            outcomes = [confirmation.result() for mine in confirmed for confirmation in mine]
        assert len({(outcome.line, outcome.sequence) for outcome in outcomes}) == THREADS * times
        assert (engine._confirmations.under_way, engine._confirmations._reports) == ({}, {})
        again = [engine.confirm(cueline.GetLevel()) for _ in range(1024)]  # each gave its place back
        engine.render(64)
        assert all(confirmation.done() for confirmation in again)


def test_every_thread_gets_the_reports_that_came_before_the_close() -> None:
    for _ in range(20 * TIMES):
        engine = tone()
        confirmations = [engine.confirm(cueline.GetLevel()) for _ in range(100)]
        engine.render(64)
        engine.close()
        at_once(*on_each_thread(lambda _: [each.result(0) for each in reversed(confirmations)]))  # noqa: B023


def test_lines_that_come_and_go_are_accounted_for() -> None:
    times = 40 * TIMES
    with tone(lines=5) as engine:
        accepted: list[Counter[int]] = [Counter() for _ in range(THREADS)]

        def use(number: int) -> None:
            for _ in range(times):
                try:
                    line = engine.open_line()
                except cueline.LinesTakenError:
                    continue
                with line:
                    for _ in range(3):
                        accepted[number][line.number] += line.ping() is Status.OK
                    confirmation = line.confirm(cueline.GetLevel(), timeout=None)
                    accepted[number][line.number] += 1
                    line.receive_msg()
                    line.stats()
                confirmation.result()
                assert line.closed

        with Blocks(engine):
            at_once(*on_each_thread(use))
        lines = engine.stats().lines
        total = sum(accepted, Counter())
        assert {number: line.commands.sent for number, line in enumerate(lines) if number > 0} == total
        again = [engine.open_line() for _ in range(4)]  # each gave its place back
        assert sorted(line.number for line in again) == [1, 2, 3, 4]


def test_a_line_that_is_closed_while_eight_threads_use_it_refuses_from_then_on() -> None:
    for _ in range(20 * TIMES):
        with tone() as engine:
            line = engine.open_line()
            accepted: Counter[int] = Counter()

            def use(number: int, line: cueline.Line = line, accepted: Counter[int] = accepted) -> None:
                with contextlib.suppress(cueline.ClosedError):
                    for turn in itertools.count():
                        accepted[number] += line.ping() is Status.OK
                        line.receive_msg()
                        if (number, turn) == (0, 50):
                            line.close()

            with Blocks(engine):
                at_once(*on_each_thread(use))
            assert engine.stats().lines[1].commands.sent == accepted.total()
            assert line.closed
            with engine.open_line() as another:
                assert another.number == 1


def test_parameters_and_meters_are_whole_whoever_writes_and_reads_them() -> None:
    times = 300 * TIMES
    values = [0.1 + number / 10 for number in range(4)]
    with tone() as engine:
        engine.parameters["gain"] = values[0]

        def write(number: int) -> None:
            for _ in range(times):
                engine.parameters["gain"] = values[number]

        def read(_: int) -> None:
            for _ in range(times):
                assert engine.parameters["gain"] in values
                assert 0 <= engine.meters["level"].peak <= 1
                assert engine.meters.read("level").frame <= engine.now()

        with Blocks(engine):
            at_once(*on_each_thread(write, 4), *on_each_thread(read, 4))
        assert engine.parameters["gain"] in values


def test_buffers_of_eight_threads_are_all_freed_or_refused() -> None:
    times = 40 * TIMES
    with cueline.AudioEngine("offline", processor="player", blocksize=64) as engine:
        accepted: Counter[int] = Counter()
        refused: Counter[int] = Counter()

        def publish(number: int) -> None:
            for turn in range(times):
                samples = np.full((10 if turn % 4 else 20_000, 1), number, np.float32)
                status = engine.publish(turn % 8, samples)
                accepted[number] += status is Status.OK
                refused[number] += status is Status.NO_BUFFER
                buffers = engine.stats().buffers
                assert buffers.in_use <= buffers.limit

        with Blocks(engine):
            at_once(*on_each_thread(publish))
        for slot in range(8):
            engine.publish(slot, None)
        engine.render(64)
        buffers = engine.stats().buffers
        assert (buffers.in_use, buffers.bytes) == (0, 0)
        assert (buffers.published, buffers.refused) == (accepted.total(), refused.total())


def test_frames_that_eight_threads_write_and_read_are_all_counted() -> None:
    times = 40 * TIMES
    with cueline.AudioEngine("offline", blocksize=64, inputs=1, outputs=1, loopback=True) as engine:
        playback, recording = engine.open_playback(), engine.open_recording(source="outputs")
        written: Counter[int] = Counter()
        read: Counter[int] = Counter()

        def use(number: int) -> None:
            samples = np.ones((50, 1), np.float32)
            for _ in range(times):
                if number % 2:
                    written[number] += playback.try_write(samples)
                    position = playback.position()
                    assert position.written == position.played + position.cleared + position.waiting
                elif (block := recording.try_read(64)) is not None:
                    read[number] += len(block.samples) + block.lost
                recording.position()

        with Blocks(engine):
            at_once(*on_each_thread(use))
        recording.stop()
        engine.render(64)
        assert playback.position().written == written.total() == playback.accepted
        for block in recording.blocks():
            read[0] += len(block.samples)
        at = recording.position()
        assert read.total() == at.frame - at.first


def test_an_engine_that_eight_threads_close_warns_once_of_what_was_lost() -> None:
    for _ in range(20 * TIMES):
        engine = tone()
        while engine.ping() is Status.OK:
            pass
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            at_once(*on_each_thread(lambda _: engine.close()))  # noqa: B023
        assert [warning.category for warning in caught] == [cueline.LossWarning]


def test_an_engine_that_is_closed_under_eight_threads_refuses_from_then_on() -> None:
    for turn in range(20 * TIMES):
        engine = cueline.AudioEngine("null" if turn % 4 == 0 else "offline", processor="player", blocksize=64)
        engine.start()
        made: list[int] = []

        def use(number: int, engine: cueline.AudioEngine = engine, made: list[int] = made) -> None:
            try:
                while True:
                    engine.ping()
                    engine.publish(number, np.zeros(100, np.float32))
                    with engine.open_line() as line:
                        line.confirm(cueline.StopBuffer(0)).done()
                    engine.stats()
                    made.append(number)
                    if len(made) >= 50:  # two threads may come at once
                        engine.stats()  # so that it does not warn
                        engine.close()
            except cueline.ClosedError:
                pass

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", cueline.LossWarning)
            at_once(*on_each_thread(use))
        assert engine.closed
        assert engine.stats().buffers.in_use == 0


def test_one_of_eight_threads_that_define_a_class_of_one_kind_is_the_last() -> None:
    for _ in range(20 * TIMES):
        defined: list[type] = []

        def define(_: int, defined: list[type] = defined) -> None:
            @cueline.message(61_000)
            class Hammered:
                number: cueline.u32 = 7

            defined.append(Hammered)
            assert Hammered().number == 7  # type: ignore[attr-defined]
            assert type(cueline.Message(61_000)) in defined or len(defined) < THREADS

        at_once(*on_each_thread(define))
        assert type(cueline.Message(61_000)) in defined
        assert len(set(defined)) == THREADS


def test_a_transaction_that_two_threads_enter_is_sent_once() -> None:
    for _ in range(50 * TIMES):
        with tone() as engine:
            transaction = engine.transaction()
            entered: list[int] = []

            def use(number: int, transaction: cueline.Transaction = transaction, entered: list[int] = entered) -> None:
                with contextlib.suppress(cueline.ArgumentError), transaction:  # it can be used only once
                    entered.append(number)
                    transaction.send(cueline.GetLevel())

            at_once(*on_each_thread(use))
            assert len(entered) == 1
            assert engine.last_sequence == 2  # its head, and its member


def test_a_message_may_come_to_a_transaction_while_another_thread_ends_it() -> None:
    for _ in range(20 * TIMES):
        with tone() as engine:
            transaction = engine.transaction()
            transaction.__enter__()
            transaction.send(cueline.GetLevel())

            def add(number: int, transaction: cueline.Transaction = transaction) -> None:
                if number == 0:
                    transaction.__exit__(None, None, None)
                    return
                with contextlib.suppress(cueline.ArgumentError):  # it works only inside the transaction's with
                    for _ in range(30):
                        transaction.send(cueline.GetLevel())

            at_once(*on_each_thread(add))
            assert 2 <= engine.last_sequence <= 2 + 30 * (THREADS - 1)


def test_two_threads_that_try_one_pending_send_send_it_once() -> None:
    for _ in range(20 * TIMES):
        with tone() as engine:
            while engine.ping() is Status.OK:
                pass
            dropped = engine.stats().commands.dropped
            pending = _core.PendingSend(engine, cueline.GetLevel(), None, "apply")

            def try_it(_: int, pending: _core.PendingSend = pending) -> None:
                while not pending.try_send():
                    pass

            at_once(*on_each_thread(try_it, THREADS - 1), lambda: engine.render(64))
            assert engine.last_sequence == 1024 + 1
            pending.give_up()
            assert (engine._unsent, engine.stats().commands.dropped) == (0, dropped)


def test_what_is_requested_of_a_device_may_be_set_and_read_at_once() -> None:
    request = _core.DeviceRequest()
    names = ["x" * 1000, "y" * 1000, None]

    def use(number: int) -> None:
        for turn in range(500 * TIMES):
            if number % 2:
                request.device = names[(number + turn) % 3]
            else:
                assert request.device in names

    at_once(*on_each_thread(use))


def test_a_child_of_a_fork_while_eight_threads_use_a_line_may_close_it() -> None:
    with tone(lines=64) as engine:
        lines = [engine.open_line() for _ in range(2)]
        over = threading.Event()

        def use(number: int) -> None:
            while not over.is_set():
                lines[number % 2].ping()
                lines[number % 2].receive_msg()
                lines[number % 2].confirm(cueline.GetLevel(), timeout=None).result()
                with engine.open_line() as mine:
                    mine.ping()

        def close() -> None:
            for line in lines:
                with pytest.raises(cueline.ForkedError):
                    line.ping()
                line.close()
                assert line.closed
            lines.clear()

        def fork(_: int) -> None:
            try:
                for _ in range(20 * TIMES):
                    assert in_child(close) == 0
            finally:
                over.set()

        with Blocks(engine):
            at_once(*on_each_thread(fork, 1), *on_each_thread(use, THREADS - 1))
        engine.stats()  # so that it does not warn of pings without room
