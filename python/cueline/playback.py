"""Playback: samples from Python that are mixed into the engine's outputs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from cueline import _core
from cueline.arguments import shown
from cueline.errors import ArgumentError, ArgumentTypeError, StreamTimeout
from cueline.polling import polling_intervals
from cueline.ring_errors import Full
from cueline.samples import checked_samples
from cueline.streams import ClearPlayback, buffer_frames, refuse_new_samplerate, require_an_end, start, stop

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Literal, SupportsIndex

    import numpy as np
    import numpy.typing as npt
    from typing_extensions import Self

    from cueline.confirmation import Confirmation
    from cueline.streams import StreamingEngine

__all__ = ["Playback", "PlaybackPosition"]


class PlaybackPosition(NamedTuple):
    """A playback after the block that ended last, in frames: ``written == played + cleared + waiting``."""

    frame: int
    """The engine's frame after that block."""
    written: int
    played: int
    """Frames that went to the device."""
    cleared: int
    waiting: int
    """Frames that were not played yet. A block that is at work may be playing some of them."""
    underrun: int
    """Frames of silence that came because nothing was there."""


class Playback(_core.Playback):
    """Samples that are mixed into the outputs. ``AudioEngine.open_playback()`` makes one.

    One thread at a time writes. If nothing is there to play, it is silent, counts the missing frames, and goes on with
    what is written next. As a context manager, it waits at the end until all was played, and then closes; after an
    exception it only closes. When it closes, what is being played fades out.
    """

    def __init__(self, engine: StreamingEngine, channels: int, buffer_seconds: float) -> None:
        if not isinstance(engine, _core.Engine):
            raise ArgumentTypeError(f"engine must be an AudioEngine, got {shown(engine)}: use engine.open_playback()")
        super().__init__(engine, buffer_frames(engine, buffer_seconds), channels)
        self._engine: StreamingEngine = engine

    start = start
    stop = stop

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if exc_type is None and self._engine._state == "running" and self._engine.device != "offline":
                self.drain()
        finally:
            self.close()

    def __repr__(self) -> str:
        return f"<cueline.Playback of {self.channels} channels>" if not self.closed else "<cueline.Playback, closed>"

    def try_write(self, samples: npt.ArrayLike, *, last: bool = False) -> int:
        """Write as many frames of ``samples`` as there is room for, and return how many. Never waits.

        ``samples`` is that of write(). If all of them were taken and they are the ``last`` ones for now, it is no
        underrun when they have been played. Raises what write() raises.
        """
        array = self._checked(samples)
        self._require_going(0)
        return self._write(array, 0, last)

    def write(self, samples: npt.ArrayLike, *, last: bool = False, timeout: float | None = None) -> None:
        """Write all of ``samples``, and wait for room without the GIL.

        ``samples`` has shape (frames, channels), or (frames,) for one channel. It holds floats, full scale -1 to 1, or
        int16 numbers. If they are the ``last`` ones for now, it is no underrun when they have been played.

        Raises Full if there was no room within ``timeout`` seconds: its ``accepted`` is the number of frames that were
        written. Raises ArgumentError, ArgumentTypeError, StreamEnded if the device has another sample rate, DeviceError
        on the offline device if it would wait for ever, ClosedError, ForkedError.
        """
        array = self._checked(samples)
        done = 0
        for interval in polling_intervals(self._engine, timeout):
            self._require_going(0)
            done += self._write(array, done, last)
            if done == len(array):
                return
            self._require_going(timeout)
            time.sleep(interval)
        raise self._full(timeout, done)

    async def awrite(self, samples: npt.ArrayLike, *, last: bool = False, timeout: float | None = None) -> None:
        """Do what write() does, in an asyncio task. If it is cancelled, what was written stays written."""
        import asyncio  # here, because `import cueline` must stay quick

        array = self._checked(samples)
        done = 0
        for interval in polling_intervals(self._engine, timeout):
            self._require_going(0)
            done += self._write(array, done, last)
            if done == len(array):
                return
            self._require_going(timeout)
            await asyncio.sleep(interval)
        raise self._full(timeout, done)

    def clear(
        self,
        at: SupportsIndex | None = None,
        *,
        late: Literal["apply", "drop"] = "apply",
        timeout: float | None = 0,
    ) -> Confirmation:
        """Drop what was written so far, at the frame ``at`` or with the next block, and return the confirmation.

        What is being played fades out in 64 frames. What you write after this call stays. Raises what start() raises.
        """
        return self._engine.confirm(ClearPlayback(self._clear_up_to(), self._handle), at, late=late, timeout=timeout)

    def drain(self, timeout: float | None = None) -> None:
        """Wait until all was played. It is no underrun that nothing follows.

        Raises StreamTimeout (a TimeoutError) when the time is over, and what write() raises.
        """
        self._complete()
        for interval in polling_intervals(self._engine, timeout):
            waiting = self.position().waiting
            if waiting == 0:
                return
            self._require_going(timeout)
            time.sleep(interval)
        raise StreamTimeout(f"{waiting} frames still wait after {timeout} s{self._engine._why_no_block}")

    def position(self) -> PlaybackPosition:
        """Return what was written, played, cleared and waits, in one snapshot. Raises ClosedError, ForkedError."""
        return PlaybackPosition(*self._position()[:-1])

    def heard(self) -> int:
        """Return how many frames have left the loudspeaker: those played, less the output latency. It is an estimate.

        It counts from the block that ended last, with the latency that the device reports.
        """
        return max(0, self.position().played - self._engine.output_latency)

    def _require_going(self, timeout: float | None) -> None:
        require_an_end(self._engine, timeout, "this playback")
        refuse_new_samplerate(self._position()[-1])

    def _full(self, timeout: float | None, accepted: int) -> Full:
        error = Full(f"no room for all frames within {timeout} s{self._engine._why_no_block}")
        error.accepted = accepted
        return error

    def _checked(self, samples: npt.ArrayLike) -> npt.NDArray[np.float32]:
        import numpy as np  # here, because `import cueline` must stay quick

        if isinstance(samples, (bytes, bytearray, memoryview)):
            raise ArgumentError(
                f"samples must be an array, got {shown(samples)}: for 16 bits, use numpy.frombuffer(data, numpy.int16)"
            )
        if isinstance(samples, np.ndarray) and samples.dtype == np.int16:
            samples = samples.astype(np.float32) / 32768
        array = checked_samples(samples, "samples")
        if array.shape[1] != self.channels:
            raise ArgumentError(f"samples must have {self.channels} channels, got {array.shape[1]}")
        return array
