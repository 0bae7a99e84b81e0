"""A JACK server of our own, with a dummy sound card as its clock."""

from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["ServerError", "jack_server"]

_NAME = "cueline-stall"  # always the same: JACK remembers eight names, and too much about dead servers
_CLIENT_TIMEOUT_MS = 10_000  # a client that stalls must be measured, not removed


class ServerError(Exception):
    """The server did not start."""


@contextmanager
def jack_server(log: Path, *, samplerate: int, block_frames: int) -> Iterator[dict[str, str]]:
    """Run a server, and yield the environment in which its clients find it. Raises ServerError.

    Waits while another such server or a test's runs on this machine, because they would disturb each other:
    tests/cpp/jack_server.hpp says why, and takes the same lock.
    """
    environment = {**os.environ, "JACK_DEFAULT_SERVER": _NAME}
    options = ["-n", _NAME, "-t", str(_CLIENT_TIMEOUT_MS)]
    device = ["-d", "dummy", "-r", str(samplerate), "-p", str(block_frames)]
    with (Path(tempfile.gettempdir()) / "cueline-test-jack.lock").open("a") as lock, log.open("w") as output:
        fcntl.flock(lock, fcntl.LOCK_EX)
        server = subprocess.Popen(["jackd", *options, *device], stdout=output, stderr=output)
        try:
            found = subprocess.run(["jack_wait", "-s", _NAME, "-w", "-t", "10"], stdout=output, stderr=output)
            if found.returncode != 0 or server.poll() is not None:
                raise ServerError(f"jackd did not start: see {log}")
            time.sleep(0.2)
            yield environment
        finally:
            server.terminate()
            try:
                server.wait(5)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
