"""A real JACK server without a sound card, for the duration of a test."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from conftest import require

NAME = "cueline-test"


class JackServer:
    """Runs ``jackd -d dummy``; JACK_DEFAULT_SERVER names it to this process, and to those that it starts.

    One test at a time has one, on the whole machine: tests/cpp/jack_server.hpp says why, and takes the same lock.
    ``beside`` starts a second one.
    """

    def __init__(self, blocksize: int = 128, name: str = NAME) -> None:
        self.blocksize = blocksize
        self._name = name
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> JackServer:
        import fcntl

        require("jackd")
        self._lock = (Path(tempfile.gettempdir()) / "cueline-test-jack.lock").open("a")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        os.environ["JACK_DEFAULT_SERVER"] = NAME
        self.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end()
        del os.environ["JACK_DEFAULT_SERVER"]
        self._lock.close()

    def start(self, blocksize: int | None = None) -> None:
        """Start it, and return when it answers. A jackd may never do so: then start another."""
        for _ in range(3):
            self._process = subprocess.Popen(
                ["jackd", "-n", self._name, "-d", "dummy", "-r", "48000", "-p", str(blocksize or self.blocksize)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            deadline = time.monotonic() + 30
            while self._process.poll() is None and time.monotonic() < deadline:
                if self._answers():
                    return
                time.sleep(0.05)
            self.kill()
        raise AssertionError("jackd did not come up")

    def kill(self) -> None:
        """End it as a crash would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(timeout=10)
        self._process = None

    @contextmanager
    def beside(self, name: str) -> Iterator[None]:
        """Run another server, with this name."""
        other = JackServer(self.blocksize, name)
        other.start()
        try:
            yield
        finally:
            other.end()

    def end(self) -> None:
        """End it as a user would."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=10)
            self._process = None

    def _answers(self) -> bool:
        done = subprocess.run(
            ["jack_wait", "-s", self._name, "-c"], capture_output=True, text=True, timeout=10, check=False
        )
        return "running" in done.stdout.splitlines()


def recorded(port: str, seconds: int, folder: Path) -> npt.NDArray[np.float64]:
    """Return what another client, JACK's own recorder, hears of an output port."""
    path = folder / "recorded.wav"
    subprocess.run(
        ["jack_rec", "-f", path, "-d", str(seconds), "-b", "16", port], check=True, capture_output=True, timeout=60
    )
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (48_000, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
