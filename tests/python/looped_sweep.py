"""A sweep that an engine plays, and recordings of what goes out and of what comes back."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

import cueline

BEGIN = 5_001  # in no block's first frame
BLOCKS = (16, 64, 100, 512, 4096)
CHANNELS = (1, 2, 16)
FADE = 64  # frames in which clear() fades out


def sweep(channels: int, frames: int = 12_000) -> npt.NDArray[np.float32]:
    """Return a sweep of its own for each channel, from 20 Hz up. It has no sample that is 0."""
    at = np.arange(1, frames + 1)[:, np.newaxis] / 48_000
    top = np.linspace(20_000, 5_000, channels)
    angle = 2 * np.pi * (20 * at + (top - 20) * at**2 / (2 * frames / 48_000))
    samples = (0.5 * np.sin(angle)).astype(np.float32)
    samples[samples == 0] = 1e-6
    return samples


class Loop:
    """Make it before the engine starts: then no command is late, however busy the machine is.

    The sweep begins at the frame ``BEGIN``, and so do the recordings. All of it fits into the buffers.
    """

    def __init__(self, engine: cueline.AudioEngine, frames: int = 12_000) -> None:
        self.engine = engine
        self.sweep = sweep(engine.outputs, frames)
        seconds = 2 * (BEGIN + frames) / engine.samplerate + 1
        self.playback = engine.open_playback(channels=engine.outputs, buffer_seconds=seconds, start=False)
        self.playback.write(self.sweep, last=True)
        self.started = self.playback.start(BEGIN)
        self.out = engine.open_recording(source="outputs", buffer_seconds=seconds, at=BEGIN)
        self.back = engine.open_recording(buffer_seconds=seconds, at=BEGIN)

    def wrong_frames(self, delay: int) -> npt.NDArray[np.intp]:
        """Check that each sample went out at its frame. Return the frames that did not come back ``delay`` later.

        Frame 0 is the sweep's first one here. The silence before it is checked too, and has negative numbers.
        """
        frames = len(self.sweep)
        out, back = self.out.read(frames, timeout=60), self.back.read(delay + frames, timeout=60)
        assert self.started.result(60).frame == out.frame == back.frame == BEGIN
        np.testing.assert_array_equal(out.samples, self.sweep)
        self.check_counts()
        assert self.playback.position()[1:] == (frames, frames, 0, 0, 0), "written, played, cleared, waiting, underrun"
        expected = np.concatenate([np.zeros((delay, self.sweep.shape[1]), np.float32), self.sweep])
        return np.flatnonzero((back.samples != expected).any(axis=1)) - delay

    def check(self, delay: int) -> None:
        """Check that each sample went out at its frame, and came back ``delay`` frames later."""
        assert self.wrong_frames(delay).tolist() == []

    def check_counts(self) -> None:
        """Check that no frame is missing in the counts, and that none was lost."""
        for recording in (self.out, self.back):
            position = recording.position()
            assert position.frame - position.first == position.recorded + position.lost
            assert position.lost == 0
        position = self.playback.position()
        assert position.written == position.played + position.cleared + position.waiting

    def check_silent_after(self, cleared: int, delay: int) -> None:
        """Check that it fades out from the frame ``cleared`` on, and that ``played`` is what went out and came back.

        On the offline device, render enough before.
        """
        self.playback.drain(60)  # to the end of the fade
        position = self.playback.position()
        frames = cleared - BEGIN + FADE + delay
        out, back = self.out.read(frames, timeout=60), self.back.read(delay + frames, timeout=60)
        assert out.frame == back.frame == BEGIN
        np.testing.assert_array_equal(back.samples[delay:], out.samples)
        whole = min(cleared - BEGIN, len(self.sweep))
        np.testing.assert_array_equal(out.samples[:whole], self.sweep[:whole])
        assert whole <= position.played <= whole + FADE
        assert out.samples[: position.played].all(), "a sample of the sweep is never 0"
        assert not out.samples[position.played :].any()
        assert position.waiting == 0
        self.check_counts()
