"""Hand the audio thread sounds while it plays: made in NumPy, swapped by pointer, freed on this side."""

import time

import numpy as np

import cueline

with cueline.AudioEngine(processor="player") as engine:
    seconds = np.arange(engine.samplerate) / engine.samplerate
    for hertz in (220, 277, 330):
        sound = 0.2 * np.sin(2 * np.pi * hertz * seconds) * np.exp(-3 * seconds)
        status = engine.publish(0, sound)  # copied; what lies in slot 0 is swapped at the next block
        time.sleep(0.1)
        print(f"{hertz} Hz: {status.name}, {engine.stats().buffers}")
    engine.publish(0, None)  # the slot is empty again
