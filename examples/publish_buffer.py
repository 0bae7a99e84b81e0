"""Publish sounds made in NumPy while audio runs: the audio thread swaps a pointer, and Python frees the old one."""

import numpy as np

import cueline


def note(hertz: float, samplerate: int) -> np.ndarray:
    """Return a quarter of a second of a decaying sine."""
    seconds = np.arange(samplerate // 4) / samplerate
    return 0.2 * np.sin(2 * np.pi * hertz * seconds) * np.exp(-12 * seconds)


with cueline.AudioEngine(processor="player") as engine:
    start = engine.after(0.1)
    for count, hertz in enumerate((220, 277, 330, 440)):
        engine.publish(count, note(hertz, engine.samplerate))  # copied, so you need not keep the array
        engine.send(cueline.PlayBuffer(slot=count), at=start + count * engine.samplerate // 8)
    for _ in range(4):
        ended = engine.receive(timeout=5)
        assert isinstance(ended, cueline.BufferEnded)
        print(f"slot {ended.slot} ended {ended.frame - start} frames after the first began")
        engine.publish(ended.slot, None)  # the slot is empty again
    print(engine.stats().buffers)
