"""Play sixteen notes on exact samples: four sounds made in NumPy, played by cues."""

import numpy as np

import cueline

with cueline.AudioEngine(processor="player") as engine:  # JACK, else the sound card, else silence
    rate = engine.samplerate
    seconds = np.arange(rate * 2 // 5) / rate
    for slot, hertz in enumerate((220, 277.2, 329.6, 440)):
        engine.publish(slot, 0.3 * np.sin(2 * np.pi * hertz * seconds) * np.exp(-8 * seconds))

    start = engine.after(0.1)  # the frame a tenth of a second from now
    for step in range(16):
        engine.send(cueline.PlayBuffer(slot=3 * step % 4), at=start + step * rate // 8)
    for _ in range(16):
        ended = engine.receive(timeout=5)  # the audio thread reports the end of each note
        print("a note ended", ended.frame - start, "frames after the first began")
