"""The audio thread while Python is busy: its own counters show what it did."""

from __future__ import annotations

import gc
import importlib
import itertools
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

import cueline
from conftest import eventually, hold_the_gil, needs_gil
from cueline import Status

pings = 50  # in the ring before a step; fewer than one block's budget
step_s = 0.05  # how long a step keeps the GIL, or more: many blocks' time
least_blocks = 5  # that pass in a good step. A thread that needs the GIL runs one when it gets it, and waits again
good_steps = 6


@dataclass(frozen=True)
class Account:
    blocks: int
    answered: int
    xruns: int


class Ticking(Protocol):
    """Runs a block every few milliseconds, and answers pings in it."""

    def account(self) -> Account: ...
    def send(self, count: int) -> None: ...
    def answers(self) -> int: ...


def compiled_processor() -> object:
    """Return a processor that numba compiled from Python."""
    import numba

    @numba.cfunc(cueline.RENDER_SIGNATURE, error_model="numpy")
    def render(inputs, ins, outputs, outs, frames, frame, samplerate, parameters, arrays, meters, events, samples, buffers, state):  # fmt: skip  # noqa: ARG001, E501
        sound = numba.carray(outputs, (outs, frames))
        for i in range(frames):
            for channel in range(outs):
                sound[channel, i] = np.sin((frame + i) / samplerate)

    return cueline.cfunc_processor(render)


class Engine:
    """The real thing."""

    def __init__(self, processor: object = None) -> None:
        self._engine = cueline.AudioEngine("null", processor=processor)
        self._engine.start()
        assert eventually(lambda: self._engine.stats().blocks > 10)

    def account(self) -> Account:
        stats = self._engine.stats()
        return Account(stats.blocks, stats.events.sent, stats.xruns)

    def send(self, count: int) -> None:
        for _ in range(count):
            assert self._engine.ping() is Status.OK

    def answers(self) -> int:
        return len(list(self._engine.messages()))

    def close(self) -> None:
        self._engine.close()


class PythonCallback:
    """The mutant: blocks run on a thread that needs the GIL, like a callback in Python."""

    def __init__(self) -> None:
        self._block_s = 128 / 48000
        self._blocks = self._answered = self._xruns = self._asked = self._taken = 0
        self._over = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        due = time.perf_counter()
        while not self._over:
            due += self._block_s
            time.sleep(max(0.0, due - time.perf_counter()))
            self._blocks += 1
            self._answered = self._asked
            if time.perf_counter() > due + self._block_s:
                self._xruns += 1
                due = time.perf_counter()

    def account(self) -> Account:
        return Account(self._blocks, self._answered, self._xruns)

    def send(self, count: int) -> None:
        self._asked += count

    def answers(self) -> int:
        answers, self._taken = self._answered - self._taken, self._answered
        return answers

    def close(self) -> None:
        self._over = True
        self._thread.join()


def hold_in_c(_: Iterator[str]) -> None:
    hold_the_gil(step_s)


def loop_in_python(_: Iterator[str]) -> None:
    end = time.perf_counter() + step_s
    while time.perf_counter() < end:
        sum(range(1000))


def collect_garbage(_: Iterator[str]) -> None:
    gc.collect()


def import_storm(modules: Iterator[str]) -> None:
    importlib.import_module(next(modules))


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Iterator[str]]:
    """Name modules without end. Each takes many blocks' time to compile, in which Python keeps the GIL."""
    text = "\n".join(f"def function_{number}(a, b={number}):\n    return [a * b + {number}]" for number in range(4000))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write() -> Iterator[str]:
        for number in itertools.count():
            (tmp_path / f"storm_{number}.py").write_text(text)
            importlib.invalidate_caches()
            yield f"storm_{number}"
            del sys.modules[f"storm_{number}"]

    return write()


@pytest.fixture
def _long_turns() -> Iterator[None]:
    """Let a thread keep the GIL for as long as it computes."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(60)
    yield
    sys.setswitchinterval(before)


disturbances = pytest.mark.parametrize("disturb", [hold_in_c, loop_in_python, collect_garbage, import_storm])


def wrong_while(disturb: Callable[[Iterator[str]], None], modules: Iterator[str], ticking: Ticking) -> str:
    """Return what ``ticking`` did wrong in one step of ``disturb``, or ''."""
    ticking.answers()
    ticking.send(pings)
    before = ticking.account()
    disturb(modules)
    after = ticking.account()
    if (blocks := after.blocks - before.blocks) < least_blocks:
        return f"{blocks} blocks"
    if (answers := ticking.answers()) != pings:
        return f"{answers} answers to {pings} pings"
    if after.xruns > before.xruns:
        return f"{after.xruns - before.xruns} xruns"
    return ""


def require_good_steps(disturb: Callable[[Iterator[str]], None], modules: Iterator[str], ticking: Ticking) -> None:
    """Step until enough steps were good, or fail with what was wrong in the others.

    On a busy machine a block is late for other reasons, too: then it takes more steps.
    """
    garbage = [[number] for number in range(500_000)] if disturb is collect_garbage else []
    good, wrong = 0, list[str]()
    while good < good_steps and len(wrong) < 100:
        if found := wrong_while(disturb, modules, ticking):
            wrong.append(found)
        else:
            good += 1
    assert good == good_steps, wrong
    del garbage


@disturbances
@pytest.mark.usefixtures("_long_turns")
def test_the_audio_goes_on_whatever_python_does(
    disturb: Callable[[Iterator[str]], None], modules: Iterator[str]
) -> None:
    with closing(Engine()) as engine:
        require_good_steps(disturb, modules, engine)


@disturbances
@pytest.mark.usefixtures("_long_turns")
def test_a_processor_that_numba_compiled_goes_on_likewise(
    disturb: Callable[[Iterator[str]], None], modules: Iterator[str]
) -> None:
    with closing(Engine(compiled_processor())) as engine:
        require_good_steps(disturb, modules, engine)


@needs_gil
@disturbances
@pytest.mark.usefixtures("_long_turns")
def test_the_check_catches_a_callback_that_needs_the_gil(
    disturb: Callable[[Iterator[str]], None], modules: Iterator[str]
) -> None:
    garbage = [[number] for number in range(500_000)] if disturb is collect_garbage else []
    with closing(PythonCallback()) as callback:
        assert all(wrong_while(disturb, modules, callback) for _ in range(good_steps))
    del garbage


def test_such_a_callback_left_alone_is_found_right(modules: Iterator[str]) -> None:
    """The check above catches the disturbance, not the callback itself."""
    with closing(PythonCallback()) as callback:
        if all(wrong_while(lambda _: time.sleep(step_s), modules, callback) for _ in range(100)):
            pytest.skip("needs a quiet machine, which is not here")


def others_run_during(call: Callable[[], object]) -> bool:
    """Return whether another Python thread ran during ``call``. It can only run if ``call`` releases the GIL."""
    ran: list[None] = []
    gate = threading.Lock()
    gate.acquire()

    def run() -> None:
        with gate:
            ran.append(None)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)  # in seconds: nobody takes the GIL from us
    other = threading.Thread(target=run)
    try:
        other.start()
        gate.release()
        call()
        return bool(ran)
    finally:
        sys.setswitchinterval(interval)
        other.join()


def test_an_engine_that_is_deleted_lets_other_threads_run() -> None:
    """It waits for the audio thread meanwhile. On a busy machine the other thread may come too late: many tries."""

    def deleted() -> bool:
        engines = [cueline.AudioEngine("null", blocksize=8192)]
        engines[0].start()
        return others_run_during(engines.clear)

    assert any(deleted() for _ in range(100))


@needs_gil
def test_stats_releases_the_gil_only_while_it_frees_buffers() -> None:
    with cueline.AudioEngine("offline", processor="player", outputs=1) as engine:
        assert not others_run_during(engine.stats)

        def freed() -> bool:
            engine.publish(0, np.ones(5_000_000, np.float32))
            engine.render(128)
            engine.publish(0, None)
            engine.render(128)
            return others_run_during(engine.stats)

        assert any(freed() for _ in range(100))
        assert engine.stats().buffers.in_use == 0
