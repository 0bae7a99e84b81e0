"""A groove that speeds up and fades: three drums made in NumPy, a bar that repeats, a ramp of the tempo, and a fade."""

import cueline
from cueline import Beat

with cueline.AudioEngine() as engine:  # JACK, else the sound card, else silence
    for slot, sound in enumerate((cueline.sounds.kick, cueline.sounds.snare, cueline.sounds.hat)):
        engine.publish(slot, sound(engine.samplerate))
    kick, snare, hat = (cueline.PlayBuffer(slot, gain=0.5) for slot in range(3))
    bar = [(0, kick), (1, snare), (2, kick), (2.5, kick), (3, snare), *((eighth / 2, hat) for eighth in range(8))]

    groove = engine.sequence(bar, at=Beat(1), loop_beats=4, swing=0.6)
    engine.timeline.ramp(180, beats=8, at=Beat(5))  # from 120
    engine.parameters.automate("gain", [cueline.Set(1, at=Beat(9)), cueline.Linear(0, at=Beat(17))])
    engine.wait_until(Beat(17))
    print(f"{groove.played} drum hits in {engine.now() / engine.samplerate:.1f} seconds")
