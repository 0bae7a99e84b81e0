"""What the tests share: engines, patience, and ways to hold the GIL."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

import cueline

# Whether the address sanitizer runs in this process (make sanitize): it answers mlock in the system's place.
sanitized = "libasan" in os.environ.get("LD_PRELOAD", "")

# Where tests are run in the background, Ctrl-C may be ignored from the start, in the programs that they run too.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def offline() -> Iterator[cueline.AudioEngine]:
    with cueline.AudioEngine("offline", blocksize=64) as engine:
        yield engine


@pytest.fixture
def running() -> Iterator[cueline.AudioEngine]:
    with cueline.AudioEngine("null") as engine:
        yield engine


def eventually(condition: Callable[[], bool], *, within_s: float = 10) -> bool:
    """Return whether ``condition`` comes to hold."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


def hold_the_gil(seconds: float) -> None:
    """Sleep inside C without letting go of the GIL: no other Python thread runs meanwhile."""
    ctypes.PyDLL(None).usleep(int(seconds * 1e6))


def fill(engine: cueline.AudioEngine) -> int:
    """Ping until the command ring refuses, and return how many it took."""
    accepted = 0
    while engine.ping() is cueline.Status.OK:
        accepted += 1
    return accepted
