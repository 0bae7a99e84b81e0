"""One contender under one load, in a process of its own that the experiment starts.

usage: python -m stall.contender CONTENDER LOAD. Plays, prints a line with its port, and waits for a line. Then it sends
and stalls until its input ends, and prints its results.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["CONTENDERS", "LOADS", "messages_a_second"]

messages_a_second = 200
stalls_a_second = 2
held_s = 0.1
collected_objects = 2_000_000
samplerate = 48_000
tone_s = 120  # length of rtmixer's buffer: longer than any run


def tone(begin: int, frames: int) -> npt.NDArray[np.float32]:
    """Return the tone that the observer expects: 440 Hz at a fifth of full scale."""
    angles = np.arange(begin, begin + frames) * (2 * np.pi * 440 / samplerate)
    samples: npt.NDArray[np.float32] = (0.2 * np.sin(angles)).astype(np.float32)
    return samples


class Contender(Protocol):
    """Plays the tone, and takes messages meanwhile."""

    port: str

    def send(self) -> bool:
        """Send one message. Return whether it was accepted."""

    def close(self) -> tuple[int, dict[str, int]]:
        """Stop. Return the number of messages that arrived, and the contender's own counts of its errors."""


class SoundDevice:
    """sounddevice, with a callback in Python that takes messages from a queue."""

    def __init__(self) -> None:
        import sounddevice

        self._messages: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._frame = self._received = self._underflows = 0
        self._stream = sounddevice.OutputStream(
            device=through_jack(), samplerate=samplerate, channels=1, callback=self._render
        )
        self._stream.start()
        self.port = "PortAudio:out_0"

    def _render(self, output: npt.NDArray[np.float32], frames: int, _: object, status: Any) -> None:
        self._underflows += status.output_underflow
        try:
            while True:
                self._messages.get_nowait()
                self._received += 1
        except queue.Empty:
            pass
        output[:, 0] = tone(self._frame, frames)
        self._frame += frames

    def send(self) -> bool:
        self._messages.put(1)
        return True

    def close(self) -> tuple[int, dict[str, int]]:
        self._stream.close()
        return self._received, {"output_underflow": self._underflows}


class RtMixer:
    """python-rtmixer: its callback is in C. Python sends it sounds to play, here short pieces of silence."""

    def __init__(self) -> None:
        import rtmixer

        # As many messages as cueline's ring holds. The default of 16 is too few after a stall.
        self._mixer = rtmixer.Mixer(device=through_jack(), samplerate=samplerate, channels=1, qsize=1024)
        self._mixer.start()
        self._mixer.play_buffer(tone(0, tone_s * samplerate), channels=1)
        self._silence = np.zeros(32, np.float32)
        self._accepted = 0
        self.port = "PortAudio:out_0"

    def send(self) -> bool:
        try:
            self._mixer.play_buffer(self._silence, channels=1)
        except RuntimeError:  # "Action queue is full"
            return False
        self._accepted += 1
        return True

    def close(self) -> tuple[int, dict[str, int]]:
        self._mixer.stop()
        unplayed = len(self._mixer.actions) - 1  # the tone is still there
        underflows = self._mixer.stats.output_underflows
        self._mixer.close()
        return self._accepted - unplayed, {"output_underflows": underflows}


class Cueline:
    """cueline: C++ renders the tone, and Python sends pings."""

    def __init__(self) -> None:
        import cueline

        self._engine = cueline.AudioEngine("jack", processor="tone", client_name="cueline", connect=False)
        self._engine.start()
        self._received = 0
        self.port = "cueline:out_1"

    def send(self) -> bool:
        self._received += sum(1 for _ in self._engine.messages())
        return self._engine.ping().name == "OK"

    def close(self) -> tuple[int, dict[str, int]]:
        time.sleep(0.05)  # for the last answer
        self._received += sum(1 for _ in self._engine.messages())
        stats = self._engine.stats()  # before close(): the blocks while it stops are silent, and would count as missed
        self._engine.close()
        return self._received, {"xruns": stats.xruns, "missed_blocks": stats.missed_blocks}


def through_jack() -> int:
    """Return PortAudio's number of the JACK device."""
    import sounddevice

    (jack,) = (api for api in sounddevice.query_hostapis() if api["name"].startswith("JACK"))
    return int(jack["default_output_device"])


CONTENDERS: dict[str, Callable[[], Contender]] = {
    "sounddevice": SoundDevice,
    "rtmixer": RtMixer,
    "cueline": Cueline,
}


@dataclass(frozen=True)
class Load:
    """What a second Python thread does: ``once`` again and again, with a rest until the next beat."""

    once: Callable[[], object]
    a_second: float | None = stalls_a_second
    prepare: Callable[[], object] = lambda: None

    def run(self, over: threading.Event) -> None:
        """Stall until ``over`` is set."""
        due = time.monotonic()
        while not over.is_set():
            self.once()
            if self.a_second is not None:
                due += 1 / self.a_second
                over.wait(max(0.0, due - time.monotonic()))


LOADS: dict[str, Load] = {
    "idle": Load(lambda: None),
    "busy": Load(lambda: sum(range(1000)), a_second=None),
    "garbage": Load(gc.collect, prepare=lambda: [[] for _ in range(collected_objects)]),
    "gil": Load(lambda: ctypes.PyDLL(None).usleep(int(held_s * 1e6))),
}


def realtime_threads() -> list[int]:
    """Return the real-time priorities of this process's threads, of those that have one."""
    priorities = []
    for thread in Path("/proc/self/task").iterdir():
        try:
            fields = (thread / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):  # it has ended
            continue
        priority, policy = int(fields[37]), int(fields[38])
        if policy in (1, 2):  # SCHED_FIFO, SCHED_RR
            priorities.append(priority)
    return priorities


def end_with_input(over: threading.Event) -> None:
    """Set ``over`` when the input ends, which also happens if the experiment dies."""
    sys.stdin.read()
    over.set()


def send_until(over: threading.Event, contender: Contender) -> dict[str, Any]:
    """Send at a steady rate, as far as Python lets this thread run. Return the counts."""
    sent = refused = 0
    began = due = time.monotonic()
    while not over.is_set():
        accepted = contender.send()
        sent += accepted
        refused += not accepted
        due = max(due + 1 / messages_a_second, time.monotonic() - 1)  # late messages are sent, up to a second late
        time.sleep(max(0.0, due - time.monotonic()))
    return {"sent": sent, "refused": refused, "sent_a_second": sent / (time.monotonic() - began)}


@contextlib.contextmanager
def stalled(load: Load, port: str) -> Iterator[threading.Event]:
    """Print the port, wait for a line, and stall beside the ``with`` block. The input's end sets the event."""
    print(f"ready {port}", flush=True)
    sys.stdin.readline()

    over = threading.Event()
    stall = threading.Thread(target=load.run, args=[over])
    end = threading.Thread(target=end_with_input, args=[over], daemon=True)
    stall.start()
    end.start()
    yield over
    stall.join()


def main(arguments: list[str]) -> None:
    """Run one contender under one load."""
    contender_name, load_name = arguments
    load = LOADS[load_name]
    kept = load.prepare()
    contender = CONTENDERS[contender_name]()
    realtime = realtime_threads()
    with stalled(load, contender.port) as over:
        sending = send_until(over, contender)
    arrived, own = contender.close()
    print(json.dumps({**sending, "arrived": arrived, "own": own, "realtime": realtime}), flush=True)
    del kept


if __name__ == "__main__":
    main(sys.argv[1:])
