"""Loops that begin on the next bar line, and stay in phase while the tempo changes, because each beat is a slice."""

import sys

import numpy as np
import numpy.typing as npt

import cueline

RECORDED_AT = 120  # quarter notes a minute
LOOPS = {"low": (45, 45, 48, 43), "high": (69, 76, 72, 79)}  # a note for each beat of a bar


def recording(samplerate: int, notes: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Return a loop of one bar, with a row for each beat: a decaying sine."""
    time = np.arange(samplerate * 60 // RECORDED_AT) / samplerate
    tones = [np.sin(2 * np.pi * 440 * 2 ** ((note - 69) / 12) * time) * np.exp(-3 * time) for note in notes]
    return np.asarray(0.3 * np.array(tones), np.float32)


class Loops:
    """Starts and stops loops on bar lines. A slice cuts off the one before it, if the tempo is higher than recorded."""

    def __init__(self, engine: cueline.AudioEngine) -> None:
        self.engine = engine
        self.playing: dict[str, cueline.Sequence] = {}
        for row, name in enumerate(LOOPS):
            for beat, samples in enumerate(recording(engine.samplerate, LOOPS[name])):
                engine.publish(4 * row + beat, samples)

    def start(self, name: str) -> None:
        """Begin with a loop on the next bar line."""
        row = list(LOOPS).index(name)
        slices = [(beat, cueline.PlayBuffer(4 * row + beat, choke_group=row + 1)) for beat in range(4)]
        self.playing[name] = self.engine.sequence(slices, at=cueline.next_bar(), loop_beats=4)

    def stop(self, name: str) -> None:
        """End it there."""
        self.playing.pop(name).stop(at=cueline.next_bar())


if "--live" in sys.argv:
    with cueline.AudioEngine(processor="player") as engine:
        loops = Loops(engine)
        while text := input(f"{', '.join(LOOPS)}, a tempo, or Enter to end it: "):
            if text in LOOPS:
                (loops.stop if text in loops.playing else loops.start)(text)
            else:
                engine.timeline.tempo = float(text)
else:
    with cueline.AudioEngine("offline", processor="player", outputs=1) as engine:
        loops = Loops(engine)
        loops.start("low")
        parts = [engine.render(engine.samplerate)]  # half of the first bar
        loops.start("high")  # it waits for the second bar
        engine.timeline.ramp(150, beats=8, at=cueline.Beat(4))
        parts.append(engine.render(6 * engine.samplerate))
        sound, lines = np.concatenate(parts)[:, 0], [engine.timeline.frame_at(bar) for bar in (0, 4, 8, 12)]
    print(f"bar lines at the frames {lines}")
