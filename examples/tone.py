"""Let a tone glide: the audio thread ramps its frequency, so nothing clicks."""

import time

import cueline

with cueline.AudioEngine(processor="tone") as engine:  # JACK, else the sound card, else silence
    for semitone in (0, 4, 7, 12):
        engine.parameters["frequency"] = 220 * 2 ** (semitone / 12)  # never blocks
        time.sleep(0.3)
        engine.send(cueline.GetLevel())
        level = engine.receive(timeout=1)  # peak and rms since the last one
        print(f"{engine.stats().device} device: {level}")
    engine.parameters["gain"] = 0
    time.sleep(0.1)
