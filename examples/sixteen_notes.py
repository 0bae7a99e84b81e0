"""Play sixteen notes on exact samples: four sounds made in NumPy, played by a sequence."""

import numpy as np

import cueline

with cueline.AudioEngine(processor="player") as engine:  # JACK, else the sound card, else silence
    rate = engine.samplerate
    seconds = np.arange(rate * 2 // 5) / rate
    for slot, hertz in enumerate((220, 277.2, 329.6, 440)):
        engine.publish(slot, 0.3 * np.sin(2 * np.pi * hertz * seconds) * np.exp(-8 * seconds))

    notes = [(step / 4, cueline.PlayBuffer(slot=3 * step % 4)) for step in range(16)]  # sixteenth notes
    song = engine.sequence(notes, at=cueline.next_beat())
    first = engine.receive(cueline.BufferEnded, timeout=5)  # the audio thread reports the end of each note
    for _ in range(15):
        ended = engine.receive(cueline.BufferEnded, timeout=5)
        print("a note ended", ended.frame - first.frame, "frames after the first")
    song.wait(timeout=5)
