"""Hand the audio thread sounds while it plays: made in NumPy, swapped by pointer, freed on this side."""

import numpy as np

import cueline


def note(hertz: float, samplerate: int) -> np.ndarray:
    """Return a quarter of a second that dies away."""
    seconds = np.arange(samplerate // 4) / samplerate
    return 0.2 * np.sin(2 * np.pi * hertz * seconds) * np.exp(-12 * seconds)


with cueline.AudioEngine(processor="player") as engine:
    start = engine.now() + engine.samplerate // 10
    for count, hertz in enumerate((220, 277, 330, 440)):
        engine.publish(count, note(hertz, engine.samplerate))  # copied, so that it may be thrown away
        engine.send(cueline.PlayBuffer(slot=count), at=start + count * engine.samplerate // 8)
    for _ in range(4):
        ended = engine.receive(timeout=5)
        assert isinstance(ended, cueline.BufferEnded)
        print(f"slot {ended.slot} ended {ended.frame - start} frames after the first began")
        engine.publish(ended.slot, None)  # the slot is empty again
    print(engine.stats().buffers)
