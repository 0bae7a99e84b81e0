"""Let a tone glide by messages: it is ramped on the audio thread, so that nothing clicks."""

import time

import cueline

with cueline.AudioEngine(processor="tone") as engine:  # JACK or a sound card where there is one; silent otherwise
    for semitone in (0, 4, 7, 12):
        engine.set_tone(frequency=220 * 2 ** (semitone / 12), gain=0.2)  # never blocks
        time.sleep(0.3)
        engine.get_level()
        level = engine.receive(timeout=1)  # peak and rms of what was rendered
        print(f"{engine.stats().device} device: {level}")
    engine.set_tone(gain=0)
    time.sleep(0.1)
