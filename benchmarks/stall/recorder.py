"""One contender that records under one load, in a process of its own that the experiment starts.

usage: python -m stall.recorder CONTENDER LOAD. Records, prints a line with its port, and waits for a line. Then it
reads and stalls until its input ends, and prints which frames it got.
"""

from __future__ import annotations

import dataclasses
import json
import queue
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from stall.contender import LOADS, realtime_threads, samplerate, stalled, through_jack
from stall.recorded import count

__all__ = ["RECORDERS"]

buffer_s = 5  # cueline's default. rtmixer gets the same; sounddevice's queue has no end
read_s = 0.005  # between two looks
_LAST_S = 0.3  # from the end of the load to the end of the recording

Samples = npt.NDArray[np.float32]


class Recorder(Protocol):
    """Records one channel."""

    port: str

    def arrived(self) -> Iterator[Samples]:
        """Take what has arrived."""

    def close(self) -> dict[str, int]:
        """Stop. Return the contender's own counts of its errors."""


class SoundDevice:
    """sounddevice, with a callback in Python that puts copies into a queue."""

    def __init__(self) -> None:
        import sounddevice

        self._blocks: queue.SimpleQueue[Samples] = queue.SimpleQueue()
        self._overflows = 0
        self._stream = sounddevice.InputStream(
            device=through_jack(), samplerate=samplerate, channels=1, callback=self._take
        )
        self._stream.start()
        self.port = "PortAudio:in_0"

    def _take(self, samples: Samples, _frames: int, _time: object, status: Any) -> None:
        self._overflows += status.input_overflow
        self._blocks.put(samples[:, 0].copy())

    def arrived(self) -> Iterator[Samples]:
        while not self._blocks.empty():
            yield self._blocks.get_nowait()

    def close(self) -> dict[str, int]:
        self._stream.close()
        return {"input_overflow": self._overflows}


class RtMixer:
    """python-rtmixer: its callback is in C, and writes to a ring buffer."""

    def __init__(self) -> None:
        import rtmixer

        self._recorder = rtmixer.Recorder(device=through_jack(), samplerate=samplerate, channels=1)
        frames = 1 << (round(buffer_s * samplerate) - 1).bit_length()
        self._ring = rtmixer.RingBuffer(np.dtype(np.float32).itemsize, frames)
        self._recorder.start()
        self._action = self._recorder.record_ringbuffer(self._ring)
        self.port = "PortAudio:in_0"

    def arrived(self) -> Iterator[Samples]:
        waiting = self._ring.read_available
        if waiting > 0:
            yield np.frombuffer(self._ring.read(waiting), np.float32).copy()

    def close(self) -> dict[str, int]:
        ended = self._action not in self._recorder.actions
        self._recorder.stop()
        overflows = self._recorder.stats.input_overflows
        self._recorder.close()
        return {"input_overflows": overflows, "ended by itself": int(ended)}


class Cueline:
    """cueline: a recording."""

    def __init__(self) -> None:
        import cueline

        self._engine = cueline.AudioEngine("jack", inputs=1, outputs=0, client_name="cueline", connect=False)
        self._recording = self._engine.open_recording(buffer_seconds=buffer_s)
        self._engine.start()
        self.port = "cueline:in_1"

    def arrived(self) -> Iterator[Samples]:
        while (block := self._recording.try_read(self._recording.capacity)) is not None:
            yield block.samples[:, 0]

    def close(self) -> dict[str, int]:
        own = {"lost_frames": self._recording.lost_frames, "xruns": self._engine.stats().xruns}
        self._engine.close()
        return own


RECORDERS: dict[str, Callable[[], Recorder]] = {
    "sounddevice": SoundDevice,
    "rtmixer": RtMixer,
    "cueline": Cueline,
}


def main(arguments: list[str]) -> None:
    """Record with one contender under one load."""
    contender_name, load_name = arguments
    load = LOADS[load_name]
    kept = load.prepare()
    recorder = RECORDERS[contender_name]()
    realtime = realtime_threads()
    arrived: list[Samples] = []
    with stalled(load, recorder.port) as over:
        while not over.is_set():
            arrived += recorder.arrived()
            time.sleep(read_s)
    time.sleep(_LAST_S)
    arrived += recorder.arrived()
    own = recorder.close()
    seen = dataclasses.asdict(count(np.concatenate(arrived), samplerate))
    print(json.dumps({"seen": seen, "own": own, "realtime": realtime}), flush=True)
    del kept


if __name__ == "__main__":
    main(sys.argv[1:])
