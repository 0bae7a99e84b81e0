"""Send a glide of a thousand cues in one call, and receive all messages in one call."""

import numpy as np

import cueline

with cueline.AudioEngine("offline", processor="tone", blocksize=64) as engine:
    glide = np.zeros(1000, cueline.dtype(cueline.SetTone))
    glide["frame"] = np.arange(1000) * 48  # one each millisecond; 0 would mean: as soon as it is read
    glide["frequency_hz"] = np.geomspace(220, 880, 1000)
    glide["gain"] = 0.2
    print(f"{engine.send_many(glide)} of {len(glide)} accepted")
    audio = engine.render(48_000)
    print(f"{len(audio)} frames, peak {np.abs(audio).max():.3f}")

    for _ in range(5):
        engine.ping()
        engine.send(cueline.GetLevel())
        engine.render(4800)
    came = engine.receive_many()
    levels = cueline.select(came, cueline.Level)
    print(f"{len(came)} messages came, {len(levels)} of them levels: rms {np.round(levels['rms'], 3)}")
