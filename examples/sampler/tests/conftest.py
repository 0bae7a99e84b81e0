"""What the tests share: samplers that render when told to, a JACK server, and what the pads ought to sound like."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from sampler import Sampler
from sampler.drums import DRUMS
from sampler.pattern import Hit

Sound = npt.NDArray[np.float32]

FADE = 240  # frames that a pad takes to cross over, at 48 kHz

# Where tests are run in the background, Ctrl-C may be ignored from the start, in the programs that they run too.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def sampler() -> Iterator[Sampler]:
    """Yield one that renders when told to."""
    with Sampler("offline", blocksize=64) as made:
        yield made


@pytest.fixture
def jack(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Run a JACK server without a sound card, and yield its name."""
    if shutil.which("jackd") is None or shutil.which("jack_wait") is None:
        assert not os.environ.get("SAMPLER_NEEDS_JACK"), "jackd is not installed, and was to be"
        pytest.skip("jackd is not installed: apt-get install jackd2")
    name = "cueline-test"
    # One at a time on a machine: JACK has room for eight servers' names, and one that was killed keeps its place.
    with (Path(tempfile.gettempdir()) / f"{name}-jack.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        monkeypatch.setenv("JACK_DEFAULT_SERVER", name)
        server = _started(name)
        try:
            yield name
        finally:
            server.terminate()
            server.wait()


def _started(name: str) -> subprocess.Popen[bytes]:
    """Return a server that answers. A jackd may never do so: then start another."""
    nowhere = subprocess.DEVNULL
    for _ in range(3):
        command = ["jackd", "-n", name, "-d", "dummy", "-r", "48000", "-p", "128"]
        server = subprocess.Popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere)
        if eventually(partial(_is_up_or_ended, server, name), within_s=30) and server.poll() is None:
            return server
        server.kill()
        server.wait()
    raise AssertionError("jackd did not come up")


def _is_up_or_ended(server: subprocess.Popen[bytes], name: str) -> bool:
    return server.poll() is not None or _answers(name)


def _answers(name: str) -> bool:
    done = subprocess.run(["jack_wait", "-s", name, "-c"], capture_output=True, text=True, timeout=10, check=False)
    return "running" in done.stdout.splitlines()


def eventually(condition: Callable[[], bool], *, within_s: float = 60) -> bool:
    """Return whether ``condition`` comes to hold."""
    deadline_s = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.01)
    return True


def drums(samplerate: int = 48_000) -> list[Sound]:
    return [drum(samplerate) for drum in DRUMS.values()]


def load_drums(sampler: Sampler) -> list[Sound]:
    sounds = drums(sampler.engine.samplerate)
    for pad, (name, sound) in enumerate(zip(DRUMS, sounds, strict=True)):
        sampler.load(pad, sound, name=name)
    return sounds


def expected(sounds: Sequence[Sound], hits: Sequence[tuple[int, Hit]], frames: int, samplerate: int = 48_000) -> Sound:
    """Return what hits at these frames sound like, pad by pad: one that still sounds fades as it begins anew."""
    mix = np.zeros((frames, 2), np.float32)
    fade = samplerate // 200
    old = (np.arange(fade, 0, -1, dtype=np.float32) / np.float32(fade))[:, np.newaxis]
    for pad, sound in enumerate(sounds):
        stereo = np.broadcast_to(sound.reshape(len(sound), -1), (len(sound), 2))
        heard = np.zeros((frames + len(sound) + fade, 2), np.float32)
        until = 0
        for frame, hit in hits:
            if hit.pad != pad:
                continue
            tail = heard[frame - 1] if frame < until else np.zeros(2, np.float32)
            heard[frame:] = 0
            heard[frame : frame + len(sound)] = np.float32(hit.velocity) * stereo
            heard[frame : frame + fade] += tail * old
            until = frame + len(sound)
        mix += heard[:frames]
    return mix


def greatest_step(audio: Sound) -> float:
    """Return the greatest difference of a sample to the one before it."""
    return float(np.abs(np.diff(audio, axis=0)).max())
