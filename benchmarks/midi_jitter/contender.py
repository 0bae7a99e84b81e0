"""One contender under one load, in a process of its own that the experiment starts.

usage: python -m midi_jitter.contender CONTENDER LOAD. Prints a line with its ports for MIDI and sound, and waits for a
line. Then it plays and stalls until its input ends, and prints its own counts.
"""

from __future__ import annotations

import json
import queue
import sys
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from midi_jitter.clicks import NOTES, click
from stall.contender import LOADS, realtime_threads, samplerate, stalled, through_jack

__all__ = ["CONTENDERS"]

_READ_S = 0.001  # between two looks for notes


class Player(Protocol):
    """Starts the sound of a note."""

    port: str

    def play(self, note: int) -> None:
        """Start it as soon as possible."""

    def close(self) -> dict[str, int]:
        """Stop. Return the player's own counts."""


class SoundDevice:
    """sounddevice, with a callback in Python that takes notes from a queue."""

    def __init__(self) -> None:
        import sounddevice

        self._notes: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._sounds = [click(note)[:, None] for note in range(NOTES)]
        self._underflows = 0
        self._stream = sounddevice.OutputStream(
            device=through_jack(), samplerate=samplerate, channels=1, callback=self._render
        )
        self._stream.start()
        self.port = "PortAudio:out_0"

    def _render(self, output: npt.NDArray[np.float32], _frames: int, _time: object, status: Any) -> None:
        self._underflows += status.output_underflow
        output.fill(0)
        try:
            while True:
                output[:NOTES] += self._sounds[self._notes.get_nowait()]
        except queue.Empty:
            pass

    def play(self, note: int) -> None:
        self._notes.put(note)

    def close(self) -> dict[str, int]:
        self._stream.close()
        return {"output_underflow": self._underflows}


class RtMixer:
    """python-rtmixer: its callback is in C, and takes sounds from a queue."""

    def __init__(self) -> None:
        import rtmixer

        self._sounds = [click(note) for note in range(NOTES)]
        self._mixer = rtmixer.Mixer(device=through_jack(), samplerate=samplerate, channels=1, qsize=1024)
        self._mixer.start()
        self.port = "PortAudio:out_0"

    def play(self, note: int) -> None:
        self._mixer.play_buffer(self._sounds[note], channels=1)

    def close(self) -> dict[str, int]:
        self._mixer.stop()
        underflows = self._mixer.stats.output_underflows
        self._mixer.close()
        return {"output_underflows": underflows}


class Cueline:
    """cueline's player, with a slot for each note."""

    def __init__(self, midi_inputs: int = 0) -> None:
        import cueline

        self.engine = cueline.AudioEngine(
            "jack",
            processor="player",
            outputs=1,
            midi_inputs=midi_inputs,
            client_name="jitter-cueline",
            connect=False,
            midi_connect=False if midi_inputs else None,
        )
        for note in range(NOTES):
            self.engine.publish(note, click(note))
        self.engine.start()
        self._starts = [cueline.PlayBuffer(note) for note in range(NOTES)]
        self.port = "jitter-cueline:out_1"

    def play(self, note: int) -> None:
        self.engine.send(self._starts[note])

    def close(self) -> dict[str, int]:
        xruns = self.engine.stats().xruns
        self.engine.close()
        return {"xruns": xruns}


class ByRtMidi:
    """python-rtmidi reads JACK's MIDI: a callback in Python, or a Python thread that looks every millisecond."""

    def __init__(self, player: Callable[[], Player], *, callback: bool = False) -> None:
        import rtmidi

        # First, because it holds the GIL while it waits for JACK, and JACK waits for the callback of sounddevice.
        self._input = rtmidi.MidiIn(rtapi=rtmidi.API_UNIX_JACK, name="jitter-rtmidi")
        self._input.open_virtual_port("in")
        self._player = player()
        self._received = 0
        self._called = callback
        if callback:
            self._input.set_callback(self._start)
        self.ports = f"jitter-rtmidi:in {self._player.port}"

    def turn(self) -> None:
        if not self._called:
            while (event := self._input.get_message()) is not None:
                self._start(event)

    def _start(self, event: tuple[list[int], float], _data: object = None) -> None:
        (_status, note, _velocity), _since = event
        self._received += 1
        self._player.play(note)

    def close(self) -> dict[str, int]:
        if self._called:
            self._input.cancel_callback()
        own = self._player.close()
        self._input.close_port()
        return {"MIDI received": self._received} | own


class ByCueline:
    """cueline reads MIDI: a map for each note starts a slot of the player, at the note's frame."""

    def __init__(self) -> None:
        import cueline

        self._player = Cueline(midi_inputs=1)
        for note in range(NOTES):
            self._player.engine.midi.map(cueline.NoteOn(note), note, low=1, high=1)
        self.ports = f"jitter-cueline:midi_in_1 {self._player.port}"

    def turn(self) -> None:
        for _ in self._player.engine.messages():
            pass

    def close(self) -> dict[str, int]:
        received = self._player.engine.stats().midi.received
        return {"MIDI received": received} | self._player.close()


CONTENDERS: dict[str, Callable[[], ByRtMidi | ByCueline]] = {
    "sounddevice": lambda: ByRtMidi(SoundDevice),
    "rtmixer": lambda: ByRtMidi(RtMixer),
    "callback": lambda: ByRtMidi(RtMixer, callback=True),
    "send": lambda: ByRtMidi(Cueline),
    "cueline": ByCueline,
}


def main(arguments: list[str]) -> None:
    """Run one contender under one load."""
    contender_name, load_name = arguments
    load = LOADS[load_name]
    kept = load.prepare()
    contender = CONTENDERS[contender_name]()
    realtime = realtime_threads()
    with stalled(load, contender.ports) as over:
        while not over.wait(_READ_S):
            contender.turn()
    own = contender.close()
    print(json.dumps({"own": own, "realtime": realtime}), flush=True)
    del kept


if __name__ == "__main__":
    main(sys.argv[1:])
