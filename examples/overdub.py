"""A looper: it records a loop, plays it from the next sample on, and adds what you play to it. Offline, and live."""

import sys

import numpy as np

import cueline


class Looper:
    """Records one input from the frame ``start`` on, and plays the loop from ``end`` on."""

    def __init__(self, engine: cueline.AudioEngine, start: int) -> None:
        # What you play along to an output frame is recorded this many frames later. It belongs to that frame.
        self.latency = engine.input_latency + engine.output_latency
        self.recording = engine.open_recording(channels=1, buffer_seconds=60, at=start + self.latency)
        self.playback = engine.open_playback(buffer_seconds=60, start=False)
        self.start = start

    def play(self, end: int) -> None:
        """End the loop at the frame ``end``, and play it from there on."""
        self.end, self.loop = end, np.zeros((end - self.start, 1), np.float32)
        self.playback.start(end)

    def add(self, block: cueline.Block) -> None:
        """Add a block of the recording to the loop, and write that part of the loop for its next turn."""
        first = block.frame - self.latency - self.start
        at = (first + np.arange(len(block.samples))) % len(self.loop)
        self.loop[at] += block.samples
        # If Python stalled for longer than a turn, the loop was silent. Skip that part, so that the rest is in time.
        position = self.playback.position()
        skip = max(0, max(position.frame, self.end) + position.waiting - self.end - first)
        if skip < len(at):
            self.playback.write(self.loop[at[skip:]])


turn = 24_000
takes = np.random.default_rng(1).uniform(-0.3, 0.3, (2, turn)).astype(np.float32)
with cueline.AudioEngine("offline", inputs=1, outputs=1) as engine:
    looper = Looper(engine, start=1000)
    looper.play(end=1000 + turn)
    outputs = [engine.render(1000)]
    for part in np.concatenate([*takes, np.zeros(2 * turn, np.float32)]).reshape(-1, 1000):
        outputs.append(engine.render(audio=part))
        looper.add(looper.recording.read(1000))
heard = np.concatenate(outputs)[1000:].reshape(-1, turn)
both = takes[0] + takes[1]
for number, (name, samples) in enumerate([("silence", 0 * both), ("take 1", takes[0]), ("both", both), ("both", both)]):
    print(f"turn {number}: {name}, {np.count_nonzero(heard[number] == samples)} of {turn} samples are the same")

if "--live" in sys.argv:
    with cueline.AudioEngine(inputs=1) as engine:
        input("Press Enter to begin the loop. ")
        looper = Looper(engine, engine.after(0.05))
        input("Press Enter to end it, and play on top of it. ")
        looper.play(engine.after(0.05))
        print("Ctrl-C ends it.")
        for block in looper.recording.blocks(256):
            looper.add(block)
