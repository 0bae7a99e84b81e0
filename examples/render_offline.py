"""Run an engine without a clock: it renders when you call render(), and gives the same samples each time."""

import cueline

with cueline.AudioEngine("offline", samplerate=44_100, blocksize=64) as engine:
    engine.ping()
    audio = engine.render(1000)  # float32, shape (frames, channels)
    print(audio.shape, audio.dtype)
    for message in engine.messages():
        print(message)
    stats = engine.stats()
    print(f"{stats.blocks} blocks, {stats.frames} frames, {stats.commands.sent} command, {stats.events.sent} event")
