"""Turn a knob and watch a meter: only the latest value matters."""

import time

import cueline

with cueline.AudioEngine(processor="tone") as engine:  # JACK, else the sound card, else silence
    for name in engine.parameters:
        print(engine.parameters.spec(name))

    for step in range(1, 21):
        engine.parameters["frequency"] = 220 + 22 * step  # never blocks; the audio thread ramps, without a click
        engine.parameters["gain"] = step / 100
        time.sleep(0.03)
        level, frame = engine.meters.read("level")  # peak and rms of the same twentieth of a second
        print(f"frame {frame:6}  {'#' * round(200 * level.rms):30} peak {level.peak:.3f}")

    for gain in (0.3, 0.1, 0.0):  # usually all within one block: only the last one applies; none takes room in a ring
        engine.parameters["gain"] = gain
    time.sleep(0.1)
    print(engine.parameters, engine.stats().commands)

    try:
        engine.parameters["gain"] = 2
    except cueline.ArgumentError as refused:
        print(refused)
