"""Measure the path from an output to an input: play noise, record it, and compare the two frame by frame."""

import sys

import numpy as np

import cueline


def measure(engine: cueline.AudioEngine) -> None:
    """Play a fifth of a second of noise, and print its delay, its gain and its spectrum in the input."""
    noise = np.random.default_rng(1).uniform(-0.3, 0.3, engine.samplerate // 5).astype(np.float32)
    with engine, engine.open_recording(channels=1) as recording, engine.open_playback(start=False) as playback:
        playback.write(noise, last=True)
        began = playback.start().result(timeout=5).frame  # of the first sample of the noise
        recording.stop(at=began + 3 * len(noise))
        blocks = list(recording.blocks())
        expected = recording.frame_of(playback, began) - blocks[0].frame  # by the latencies that the device reports
    heard = np.concatenate([block.samples[:, 0] for block in blocks])
    found = int(np.argmax(np.correlate(heard, noise, "valid")))
    lost = sum(block.lost for block in blocks)
    answer = heard[found : found + len(noise)]
    gain = answer @ noise / (noise @ noise)
    print(f"it came {found - expected} frames later than the device reports, with a gain of {gain:.3f}")
    print(f"{np.count_nonzero(answer == noise)} of {len(noise)} samples are the same, {lost} frames were lost")
    spectrum = np.abs(np.fft.rfft(answer) / np.fft.rfft(noise))
    for hertz in (100, 1000, 10_000):
        near = spectrum[hertz // 10 : hertz // 5]  # a fifth of a second has a value for each 5 Hz
        print(f"{hertz // 2:5} to {hertz:5} Hz: {20 * np.log10(near.mean()):+.1f} dB")


if "--live" in sys.argv:  # connect an output to an input
    measure(cueline.AudioEngine(inputs=1))
else:
    measure(cueline.AudioEngine("null", inputs=1, outputs=1, loopback=True))
