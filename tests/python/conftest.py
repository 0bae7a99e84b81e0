"""Shared by the tests: engines, waiting, required tools, and ways to hold the GIL."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

import cueline
from cueline.commands.bench.echo import reaches_itself

# ALSA's configuration in the tests, and in the programs that they run. PortAudio reads it when it is loaded.
os.environ["ALSA_CONFIG_PATH"] = str(Path(__file__).parents[1] / "alsa.conf")

# Whether the address sanitizer runs in this process (make sanitize): it replaces mlock.
sanitized = "libasan" in os.environ.get("LD_PRELOAD", "")

# Whether Python has a GIL, and uses it.
HAS_GIL = getattr(sys, "_is_gil_enabled", lambda: True)()  # from Python 3.13 on
needs_gil = pytest.mark.skipif(not HAS_GIL, reason="needs a GIL, which is not here")

# In the programs that the tests run, a default device may be a silent one.
NO_SOUND = os.environ["PYTHONWARNINGS"] = "ignore:this engine is silent"

# A busy machine may take its time: how long an example takes fails no test.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# A test run in the background may start with Ctrl-C ignored, and so would the programs that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


# Tools that this run may lack. Set-up installs all others, so no test skips because of them. Only `make wheel` names
# more tools here, for a machine without a compiler.
MAY_LACK = os.environ.get("CUELINE_TESTS_MAY_LACK", "clang++-22").split()


def require_loopback() -> None:
    """Return if a process reaches its own computer by a network, which is not so where the wheel is tried."""
    if not reaches_itself():
        if "network" in MAY_LACK:
            pytest.skip("needs network, which is not here")
        pytest.fail("needs a network, or at least the loopback: this computer does not reach itself by UDP")


def require(tool: str) -> None:
    """Return if ``tool``, a command or a library, is here. Otherwise skip the test if this run may lack it, or fail."""
    if not (_loads(tool) if ".so." in tool else shutil.which(tool)):
        if tool in MAY_LACK:
            pytest.skip(f"needs {tool}, which is not here")
        pytest.fail(f"needs {tool}, which is not here; type: sh tools/setup.sh test")


def cmake(*arguments: object) -> None:
    """Run cmake, and assert that it succeeds. A busy machine may take its time."""
    done = subprocess.run(["cmake", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


@pytest.fixture
def offline() -> Iterator[cueline.AudioEngine]:
    with cueline.AudioEngine("offline", blocksize=64) as engine:
        yield engine


@pytest.fixture
def running() -> Iterator[cueline.AudioEngine]:
    with cueline.AudioEngine("null") as engine:
        yield engine


def tone(blocksize: int = 64, **arguments: Any) -> cueline.AudioEngine:
    """Return an offline engine with the tone processor."""
    return cueline.AudioEngine("offline", processor="tone", outputs=1, blocksize=blocksize, **arguments)


def gain(value: float) -> cueline.SetTone:
    """Return a message that sets only the tone's gain."""
    return cueline.SetTone(frequency_hz=float("nan"), gain=value)


def eventually(condition: Callable[[], bool], *, within_s: float = 60) -> bool:
    """Return whether ``condition`` becomes true in time."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


def thread_numbers() -> set[str]:
    """Return the numbers of this process's threads. One that was joined may still be among them for a moment."""
    return set(os.listdir("/proc/self/task"))  # noqa: PTH208


def hold_the_gil(seconds: float) -> None:
    """Sleep in C without releasing the GIL: no other Python thread runs meanwhile."""
    if sys.platform == "win32":
        ctypes.PyDLL("kernel32").Sleep(int(seconds * 1e3))
    else:
        ctypes.PyDLL(None).usleep(int(seconds * 1e6))


def fill(engine: cueline.AudioEngine | cueline.Line) -> int:
    """Ping until the command ring refuses, and return how many it took."""
    accepted = 0
    while engine.ping() is cueline.Status.OK:
        accepted += 1
    return accepted


def in_child(action: Callable[[], None], *, within_s: float = 60) -> int:
    """Fork, call ``action`` in the child, and return its exit status: 0 if nothing was raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a fork with threads, or with an engine that runs: this test is about that
        child = os.fork()
    if child == 0:
        try:
            action()
        except BaseException:
            os._exit(3)
        os._exit(0)
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    pytest.fail("the child hangs")


def interrupted_at(line: str, *command: str | Path) -> tuple[int, str, str]:
    """Run a command, and press Ctrl-C once it has printed a line with ``line``.

    Return its exit status, its output after that line, and its errors.
    """
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert any(line in printed for printed in iter(process.stdout.readline, ""))
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    return status_in_a_shell(process), output, errors


def status_in_a_shell(process: subprocess.Popen[Any]) -> int:
    """Return the exit status as a shell does: 128 plus its number, if a signal ended the process.

    After ``python -m``, CPython ends itself by SIGINT if Ctrl-C came while it evaluated a string, as it does to define
    a named tuple, although the program returned 130.
    """
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


def shown_on_a_terminal(
    *command: str | Path, interrupt_after: str = "", times: int = 1, **variables: str
) -> tuple[int, bytes]:
    """Run a command on a terminal with colours, and return its exit status and its output.

    Press Ctrl-C once it has shown ``interrupt_after`` that many times.
    """
    import pty

    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "80", "NO_COLOR": ""} | variables
    with subprocess.Popen(command, stdout=theirs, env=environment) as process:
        os.close(theirs)
        output = b""
        while chunk := _read(ours):
            output += chunk
            if interrupt_after and output.count(interrupt_after.encode()) >= times:
                interrupt_after = ""
                process.send_signal(signal.SIGINT)
    os.close(ours)
    return status_in_a_shell(process), output


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # the other end is closed
        return b""
