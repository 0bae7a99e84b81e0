"""The audio thread while Python is busy: its own counters show what it did."""

from __future__ import annotations

import gc
import importlib
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

import cueline
from conftest import eventually, hold_the_gil
from cueline import Status

half_a_second = 0.5
pings = 200  # in the ring before Python is disturbed; fewer than one block's budget


@dataclass(frozen=True)
class Account:
    blocks: int
    answered: int
    xruns: int


class Ticking(Protocol):
    """Runs a block every ``block_s`` seconds, and answers pings in it."""

    block_s: float

    def account(self) -> Account: ...
    def send(self, count: int) -> None: ...
    def answers(self) -> int: ...


def compiled_processor() -> object:
    """Return a processor that numba compiled from Python."""
    import numba

    @numba.cfunc(cueline.RENDER_SIGNATURE, error_model="numpy")
    def render(audio, channels, frames, frame, samplerate, parameters, meters, events, state):  # noqa: ARG001
        sound = numba.carray(audio, (channels, frames))
        for i in range(frames):
            for channel in range(channels):
                sound[channel, i] = np.sin((frame + i) / samplerate)

    return cueline.cfunc_processor(render)


class Engine:
    """The real thing."""

    def __init__(self, processor: object = None) -> None:
        self._engine = cueline.AudioEngine("null", processor=processor)
        self._engine.start()
        self.block_s = self._engine.blocksize / self._engine.samplerate
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
        self.block_s = 128 / 48000
        self._blocks = self._answered = self._xruns = self._asked = self._taken = 0
        self._over = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        due = time.perf_counter()
        while not self._over:
            due += self.block_s
            time.sleep(max(0.0, due - time.perf_counter()))
            self._blocks += 1
            self._answered = self._asked
            if time.perf_counter() > due + self.block_s:
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


def hold_in_c(_: Path) -> None:
    hold_the_gil(half_a_second)


def loop_in_python(_: Path) -> None:
    end = time.perf_counter() + half_a_second
    while time.perf_counter() < end:
        sum(range(1000))


def collect_garbage(_: Path) -> None:
    gc.collect()


def import_storm(folder: Path) -> None:
    for module in folder.glob("storm_*.py"):
        importlib.import_module(module.stem)


def write_modules(folder: Path) -> None:
    """Write a hundred modules that each take longer than a block to compile, with the GIL held."""
    text = "\n".join(f"def function_{number}(a, b={number}):\n    return [a * b + {number}]" for number in range(400))
    for number in range(100):
        (folder / f"storm_{number}.py").write_text(text)


disturbances = pytest.mark.parametrize("disturb", [hold_in_c, loop_in_python, collect_garbage, import_storm])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_modules(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return tmp_path


def wrong_while(disturb: Callable[[Path], None], folder: Path, ticking: Ticking) -> str:
    """Return what ``ticking`` did wrong while another thread ran ``disturb``, or ''."""
    for name in [name for name in sys.modules if name.startswith("storm_")]:
        del sys.modules[name]
    importlib.invalidate_caches()
    garbage = [[number] for number in range(1_000_000)] if disturb is collect_garbage else []
    ticking.answers()

    thread = threading.Thread(target=disturb, args=[folder])
    unanswered = ticking.account()
    ticking.send(pings)
    begun, before = time.perf_counter(), ticking.account()
    thread.start()
    thread.join()
    after, ended = ticking.account(), time.perf_counter()
    del garbage

    due = (ended - begun) / ticking.block_s
    assert due > 10, "too short to say anything"
    blocks = after.blocks - before.blocks
    if abs(blocks - due) > 2 + 0.02 * due:
        return f"{blocks} blocks where {due:.0f} were due"
    if after.answered - unanswered.answered != pings:
        return f"{after.answered - unanswered.answered} answers sent to {pings} pings"
    if (answers := ticking.answers()) != pings:
        return f"{answers} answers there afterwards to {pings} pings"
    if after.xruns > before.xruns:
        return f"{after.xruns - before.xruns} xruns"
    return ""


def right_in_the_end(disturb: Callable[[Path], None], folder: Path, ticking: Ticking) -> list[str]:
    """Try until nothing is wrong, and return what was: on a busy machine a block can be late for other reasons."""
    wrong = [wrong_while(disturb, folder, ticking)]
    while wrong[-1] and len(wrong) < 8:
        wrong.append(wrong_while(disturb, folder, ticking))
    return wrong


@disturbances
def test_the_audio_goes_on_whatever_python_does(disturb: Callable[[Path], None], folder: Path) -> None:
    engine = Engine()
    try:
        wrong = right_in_the_end(disturb, folder, engine)
        assert "" in wrong, wrong
    finally:
        engine.close()


@disturbances
def test_a_processor_that_numba_compiled_goes_on_likewise(disturb: Callable[[Path], None], folder: Path) -> None:
    engine = Engine(compiled_processor())
    try:
        wrong = right_in_the_end(disturb, folder, engine)
        assert "" in wrong, wrong
    finally:
        engine.close()


@disturbances
def test_the_check_catches_a_callback_that_needs_the_gil(disturb: Callable[[Path], None], folder: Path) -> None:
    callback = PythonCallback()
    try:
        assert all(wrong_while(disturb, folder, callback) for _ in range(3))
    finally:
        callback.close()


def test_such_a_callback_left_alone_is_found_right(folder: Path) -> None:
    """The check above catches the disturbance, not the callback itself."""
    callback = PythonCallback()
    try:
        wrong = right_in_the_end(lambda _: time.sleep(half_a_second), folder, callback)
        assert "" in wrong, wrong
    finally:
        callback.close()
