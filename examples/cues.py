"""Play notes that begin on exact samples, whatever the block size and whatever Python does meanwhile."""

import numpy as np

import cueline

BEAT = 12_000  # frames: four notes a second at 48 kHz


def note(frequency_hz: float, gain: float) -> cueline.SetTone:
    """Return a message that sets the tone."""
    return cueline.SetTone(frequency_hz=frequency_hz, gain=gain)


engine = cueline.AudioEngine("offline", processor="tone", outputs=1, blocksize=100)
engine.send(note(440, 0))  # no frame: applies as soon as it is read, so it begins silent
for beat, frequency in enumerate((220, 277.18, 329.63, 440), start=1):
    engine.send(note(frequency, 0.5), at=beat * BEAT)
    engine.send(note(frequency, 0), at=beat * BEAT + 2_000, late="drop")  # left out if it comes too late

sound = engine.render(5 * BEAT)[:, 0]
heard = np.flatnonzero(sound)
onsets = heard[np.diff(heard, prepend=-BEAT) > 1_000]  # the first sound after a silence
print(
    "onsets at", [int(frame) for frame in onsets], "- the first sample of each is nearly 0, because the tone fades in"
)
print(engine.stats().cues)

# Live, frame_at() and time_at() convert between frames and the clock.
print(f"frame {engine.now()} comes next; a second after frame 0 is frame", engine.frame_at(engine.time_at(0) + 10**9))
