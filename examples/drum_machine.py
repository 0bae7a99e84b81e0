"""A drum machine: sixteen steps of three sounds, with swing, at a tempo that you change while it plays."""

import sys

import numpy as np

import cueline

GROOVE = {"kick": "x.....x.x.......", "snare": "....x.......x..o", "hat": "x.x.x.xox.x.x.xo"}
FILL = {"kick": "x.......x.......", "snare": "..o.o.o.x.oox.xx", "hat": "x...x...x...x..."}
GAINS = {"x": 0.4, "o": 0.15}  # loud and soft


def events(pattern: dict[str, str]) -> list[tuple[float, cueline.Message]]:
    """Return (beat, message) for each step that sounds. A step is a sixteenth note, and a beat a quarter."""
    return [
        (step / 4, cueline.PlayBuffer(slot, gain=GAINS[sign]))
        for slot, steps in enumerate(pattern.values())
        for step, sign in enumerate(steps)
        if sign in GAINS
    ]


def start(engine: cueline.AudioEngine) -> cueline.Sequence:
    """Load the sounds, and play the groove from beat 0 on."""
    for slot, name in enumerate(GROOVE):
        engine.publish(slot, getattr(cueline.sounds, name)(engine.samplerate))
    return engine.sequence(events(GROOVE), at=cueline.Beat(0), loop_beats=4, swing=0.6, swing_grid=0.25)


if "--live" in sys.argv:
    with cueline.AudioEngine(processor="player") as engine:
        start(engine)
        while text := input("A tempo from 60 to 200, or Enter to end it: "):
            engine.timeline.ramp(float(text), beats=4)
else:
    with cueline.AudioEngine("offline", processor="player", outputs=1) as engine:
        engine.timeline.tempo = 96
        drums = start(engine)
        engine.timeline.ramp(128, beats=4, at=cueline.Beat(4))  # the second bar gets faster
        drums.replace(events(FILL), at=cueline.Beat(12))
        drums.stop(at=cueline.Beat(16))
        sound = engine.render(engine.samplerate * 10)[:, 0]
    print(f"{drums.played} hits; the last one ends {np.flatnonzero(sound)[-1] / engine.samplerate:.2f} s in")
