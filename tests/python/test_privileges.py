"""Real-time priority and locked memory: used and reported if granted, missed and reported if not."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import cueline
from conftest import sanitized

REPORT = """
import os, cueline
with cueline.AudioEngine('null') as engine:
    assert engine.ping() is cueline.Status.OK
    engine.receive(timeout=10)
    stats = engine.stats()
    audio = [int(task) for task in os.listdir('/proc/self/task') if int(task) != os.getpid()]
    schedulers = {os.sched_getscheduler(task) for task in audio}
    print(stats.realtime_priority, stats.memory_locked, schedulers == {os.SCHED_FIFO | os.SCHED_RESET_ON_FORK})
"""


def run(program: str, *prefix: str) -> str:
    done = subprocess.run(
        [*prefix, sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


@pytest.mark.skipif(sanitized, reason="a sanitizer answers mlock in the system's place")
def test_without_privileges_it_plays_on_and_says_so() -> None:
    prefix = ["prlimit", "--memlock=0", "--rtprio=0"]
    if os.geteuid() == 0:
        prefix = ["setpriv", "--bounding-set=-ipc_lock,-sys_nice", "--inh-caps=-ipc_lock,-sys_nice", *prefix]
    assert run(REPORT, *prefix) == "False False False"


def test_with_privileges_it_has_what_it_says() -> None:
    said_priority, said_locked, has_fifo = run(REPORT).split()
    assert said_priority == has_fifo
    if os.geteuid() == 0:
        assert (said_priority, said_locked) == ("True", "True")


def test_an_audio_thread_that_cannot_start_says_why() -> None:
    program = """
import resource, cueline
engine = cueline.AudioEngine('null')
used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**20, resource.RLIM_INFINITY))
try:
    engine.start()
except cueline.DeviceError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
engine.start()
engine.ping()
print(engine.receive(timeout=10))
"""
    first, second = run(program).splitlines()
    assert first == (
        "the null device could not start its thread (Resource temporarily unavailable): "
        "raise the limits on threads and memory (ulimit -u, ulimit -v)"
    )
    assert second.startswith("Pong(sequence=1, frame="), "and once there is room again, it starts"


def test_other_threads_keep_their_priority() -> None:
    with cueline.AudioEngine("null") as engine:
        engine.ping()
        engine.receive(timeout=10)
        assert os.sched_getscheduler(0) == os.SCHED_OTHER
