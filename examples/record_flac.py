"""Record the inputs to a FLAC file while Python does other things. If you pass a path, it records your device."""

import sys
import tempfile
import time
from pathlib import Path

import soundfile

import cueline


def record(engine: cueline.AudioEngine, path: Path, seconds: float) -> None:
    """Record so many seconds to ``path``, on a thread of its own, and show how far it is."""
    with engine, engine.open_recording(buffer_seconds=10) as recording:
        saving = recording.save(path, duration=seconds, subtype="PCM_24")
        while not saving.done:
            sum(range(1_000_000))  # Python is busy. No frame is lost, unless the disk stalls for ten seconds
            time.sleep(0.1)
        saving.wait()  # raises if the file could not be written
        print(f"{path.name}: {saving.frames} frames, {saving.lost_frames} lost, gaps: {list(recording.gaps)}")


if len(sys.argv) > 1:
    record(cueline.AudioEngine(inputs=2, outputs=0), Path(sys.argv[1]), seconds=10)
else:  # without a sound card: a tone comes back as the input
    with tempfile.TemporaryDirectory() as folder:
        take = Path(folder, "take.flac")
        record(cueline.AudioEngine("null", processor="tone", inputs=1, outputs=1, loopback=True), take, seconds=0.5)
        samples, samplerate = soundfile.read(take)
        print(f"the file has {len(samples) / samplerate} s with a peak of {abs(samples).max():.2f}")
