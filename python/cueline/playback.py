"""Playback: samples from Python that are mixed into the engine's outputs, or that its processor plays."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from cueline import _core
from cueline.arguments import SetWhenMade, checked_flag, checked_integer, require_new, shown
from cueline.confirmation import RefusedError
from cueline.converting import converter_of
from cueline.errors import ArgumentError, ArgumentTypeError, ClosedError, Error, StreamTimeout
from cueline.polling import polling_intervals
from cueline.ring_errors import Full
from cueline.samples import checked_samples, of_pcm
from cueline.streams import (
    ClearPlayback,
    buffer_frames,
    refuse_new_samplerate,
    refuse_refused_start,
    require_an_end,
    start,
    stop,
    stream_name,
    will_play,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Literal, SupportsIndex

    import numpy as np
    import numpy.typing as npt
    from typing_extensions import Self

    from cueline.beats import When
    from cueline.confirmation import Confirmation
    from cueline.converting import Converter
    from cueline.streams import StreamingEngine

__all__ = ["Playback", "PlaybackPosition"]


class PlaybackPosition(NamedTuple):
    """A playback after the block that ended last, in the engine's frames: ``written == played + cleared + waiting``."""

    frame: int
    """The engine's frame after that block."""
    written: int
    played: int
    """Frames that went to the device."""
    cleared: int
    waiting: int
    """Frames that were not played yet. The present block may be playing some of them."""
    underrun: int
    """Frames of silence that were played because no frames waited."""


class Playback(_core.Playback):
    """Samples that are mixed into the outputs, or played by the processor. ``AudioEngine.open_playback()`` makes one.

    One thread at a time writes; any thread may make the other calls. If nothing is there to play, it is silent, counts
    the missing frames, and goes on with what is written next. As a context manager, it waits at the end until all was
    played, and then closes. After an exception, and if it is stopped or was never started, it only closes. When it
    closes, what is being played fades out.
    """

    def __init__(
        self,
        engine: StreamingEngine,
        channels: int | None,
        buffer_seconds: float,
        samplerate: SupportsIndex | None = None,
        stream: str | None = None,
    ) -> None:
        if not isinstance(engine, _core.Engine):
            raise ArgumentTypeError(f"engine must be an AudioEngine, got {shown(engine)}: use engine.open_playback()")
        require_new(self, "playback")
        name = "" if stream is None else stream_name("stream", stream)
        if channels is None:
            channels = engine._stream_channels(name, True) or 1
        frames, self._engine_rate = buffer_frames(engine, buffer_seconds), engine.samplerate
        self._samplerate, self._converter = converter_of(
            "a playback", samplerate, self._engine_rate, channels, to_engine=True
        )
        if self._converter is not None:
            frames += self._converter.delay
        super().__init__(engine, frames, channels, name)
        self._engine: StreamingEngine = engine
        self._starting: Confirmation | None = None
        self._accepted = 0
        self._clears = 0  # a write() that waits ends if this grows
        self._last_position: PlaybackPosition | None = None  # set by close()
        self._writing = threading.RLock()  # another thread may clear() between a conversion and its write

    if not TYPE_CHECKING:  # see AudioEngine
        _engine = _samplerate = _converter = _accepted = _clears = _writing = SetWhenMade()

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
            if exc_type is None and self._engine.device != "offline":
                self._drain_while_it_plays()
        finally:
            self.close()

    def close(self) -> None:
        """Close it. What waits is dropped; what is being played fades out. position() and heard() stay as they are."""
        with contextlib.suppress(Error):  # it is closed already, or this is a forked child
            self._last_position = self.position()
        super().close()

    def __repr__(self) -> str:
        return f"<cueline.Playback of {self.channels} channels>" if not self.closed else "<cueline.Playback, closed>"

    @property
    def samplerate(self) -> int:
        """The sample rate of what you write, in frames a second."""
        return self._samplerate

    @property
    def accepted(self) -> int:
        """How many frames were accepted so far, at this playback's own ``samplerate``.

        After a cancelled awrite(), continue there.
        """
        return self._accepted

    def try_write(self, samples: npt.ArrayLike, *, last: bool = False) -> int:
        """Write as many frames of ``samples`` as there is room for, and return how many. Never waits.

        ``samples`` is that of write(). If all were taken and they are the ``last`` ones for now, no underrun is counted
        after them. Raises what write() raises.
        """
        array = self._checked(samples, last)
        self._require_going(0)
        return self._put(array, 0, last, self._clears)

    def write(self, samples: npt.ArrayLike, *, last: bool = False, timeout: float | None = None) -> int:
        """Write all of ``samples``, wait for room without the GIL, and return how many frames were written.

        These are all frames, unless another thread called clear() meanwhile, which also drops the rest.

        ``samples`` has shape (frames, channels), or (frames,) for one channel. It holds floats, full scale -1 to 1, or
        int16 numbers. Bytes are PCM data: int16, little-endian, interleaved. If they are the ``last`` ones for now, no
        underrun is counted after them. If the playback has another rate than the engine, it converts them, and holds
        the latest ones back until others follow, or until ``last``, drain() or clear().

        Raises Full if there was no room within ``timeout`` seconds: its ``accepted`` is the number of frames that were
        written. Raises ArgumentError, ArgumentTypeError, StreamEnded if the device has another sample rate, DeviceError
        on the offline device if it would wait for ever, RefusedError if its start was refused or cancelled,
        ClosedError, ForkedError.
        """
        array = self._checked(samples, last)
        done, clears = 0, self._clears
        for interval in polling_intervals(self._engine, timeout):
            self._require_going(0)
            done += self._put(array, done, last, clears)
            if done == len(array) or self._clears != clears:
                return done
            self._require_going(timeout)
            time.sleep(interval)
        raise self._full(timeout, done)

    @contextlib.contextmanager
    def room(
        self, frames: SupportsIndex, *, last: bool = False, timeout: float | None = None
    ) -> Iterator[npt.NDArray[np.float32]]:
        """Wait for room, and lend it for a ``with`` block: fill the array, without a copy.

        The array has shape (frames, channels) and lies in the ring. It has fewer frames where the ring wraps around,
        and if there is less room. When the ``with`` ends, all of it is written; after an exception, nothing is.
        ``last``, ``timeout`` and what it raises are those of write(). It raises ArgumentError for a playback that
        converts its samples.
        """
        if self._converter is not None:
            raise ArgumentError(
                f"a playback that converts samples of {self._samplerate} Hz cannot lend room: use write()"
            )
        checked_flag("last", last)
        most = checked_integer("frames", frames)
        if not 1 <= most <= self.capacity:
            raise ArgumentError(f"frames must be from 1 to {self.capacity}, what the buffer holds, got {most}")
        for interval in polling_intervals(self._engine, timeout):
            self._require_going(0)
            samples = self._room(most)
            if len(samples) > 0:
                break
            self._require_going(timeout)
            time.sleep(interval)
        else:
            raise self._full(timeout, 0)
        accepted = self._accepted
        yield samples
        if self._accepted != accepted:
            raise ArgumentError(
                "samples were written while room for others was lent: end the with block of room() first"
            )
        self._push(len(samples), last)
        self._accepted += len(samples)

    async def awrite(self, samples: npt.ArrayLike, *, last: bool = False, timeout: float | None = None) -> int:
        """Do what write() does, in an asyncio task. If it is cancelled, what was written stays written."""
        import asyncio  # here, because `import cueline` must stay quick

        array = self._checked(samples, last)
        done, clears = 0, self._clears
        for interval in polling_intervals(self._engine, timeout):
            self._require_going(0)
            done += self._put(array, done, last, clears)
            if done == len(array) or self._clears != clears:
                return done
            self._require_going(timeout)
            await asyncio.sleep(interval)
        raise self._full(timeout, done)

    def clear(
        self,
        at: When = None,
        *,
        late: Literal["apply", "drop"] = "apply",
        timeout: float | None = 0,
    ) -> Confirmation:
        """Drop what was written so far, at the frame ``at`` or with the next block, and return the confirmation.

        What is being played fades out in 64 frames, but not in a stream of the processor. A write() that waits on
        another thread ends, and the rest of its frames is dropped. What you write after this call stays. drain() waits
        until it has applied and the fade is over: then position() and heard() count it. ``late`` and ``timeout`` are
        those of start(). Raises what start() raises.
        """
        self._position()  # raises in a forked child: there, the lock may never be free
        with self._writing:
            self._clears += 1
            self._complete_all()
            command = ClearPlayback(self._clear_up_to(), self._handle)
        return self._engine.confirm(command, at, late=late, timeout=timeout)

    def drain(self, timeout: float | None = None) -> None:
        """Wait until all was played or cleared. No underrun is counted at the end.

        ``timeout`` is in seconds; None waits for ever. Raises StreamTimeout (a TimeoutError) when the time is over, and
        what write() raises.
        """
        self._complete_all()
        for interval in polling_intervals(self._engine, timeout):
            waiting = self.position().waiting
            if waiting == 0:
                return
            self._require_going(timeout)
            time.sleep(interval)
        raise StreamTimeout(f"{waiting} frames still wait after {timeout} s{self._engine._why_no_block}")

    def _drain_while_it_plays(self) -> None:
        while self._engine._state == "running":
            frame, *_, phase = self._position()
            if not will_play(self._starting, frame, phase):
                return
            with contextlib.suppress(StreamTimeout, RefusedError):  # then look again: somebody may have stopped it
                self.drain(0.1)
                return

    def position(self) -> PlaybackPosition:
        """Return how many frames were written, played and cleared, and how many wait: one snapshot. Raises ForkedError.

        After close() it stays as it was then.
        """
        try:
            return PlaybackPosition(*self._position()[:-1])
        except ClosedError:
            if self._last_position is None:
                raise
            return self._last_position

    def heard(self) -> int:
        """Return how many frames have left the loudspeaker: those played, less the output latency. It is an estimate.

        It counts frames at this playback's own ``samplerate``, as you wrote them, but not those that clear() dropped.
        It counts from the block that ended last, with the latency that the device reports. Raises ForkedError.
        """
        frames = max(0, self.position().played - self._engine.output_latency)
        if self._converter is None:
            return frames
        return min(self._accepted, round(frames * self._samplerate / self._engine_rate))

    def _put(self, array: npt.NDArray[np.float32], first: int, last: bool, clears: int) -> int:
        """Write the frames of ``array`` from ``first`` on, as many as there is room for, and return how many.

        Write none if clear() was called since ``clears`` was read.
        """
        with self._writing:
            if self._clears != clears:
                return 0
            if self._converter is None:
                count = self._write(array, first, last)
            else:
                count = self._put_converted(self._converter, array[first:], last)
            self._accepted += count
        return count

    def _put_converted(self, converter: Converter, array: npt.NDArray[np.float32], last: bool) -> int:
        import numpy as np  # here, because `import cueline` must stay quick

        # It takes only frames whose converted frames all have room, so nothing has to be held for later.
        count = min(len(array), converter.fits(self.capacity - self.position().waiting))
        made = converter.convert(array[:count])
        complete = last and count == len(array)
        self._write(np.concatenate([made, converter.end()]) if complete else made, 0, complete)
        return count

    def _complete_all(self) -> None:
        """Write what waits in the converter, and mark all as complete: no underrun is counted after it."""
        self._position()  # as in clear()
        with self._writing:
            if self._converter is None:
                self._complete()
            else:
                self._write(self._converter.end(), 0, True)

    def _require_going(self, timeout: float | None) -> None:
        require_an_end(self._engine, timeout, "this playback")
        phase = self._position()[-1]
        refuse_new_samplerate(phase)
        if timeout != 0:
            refuse_refused_start(self._starting, phase)

    def _full(self, timeout: float | None, accepted: int) -> Full:
        error = Full(f"no room for all frames within {timeout} s{self._engine._why_no_block}")
        error.accepted = accepted
        return error

    def _checked(self, samples: npt.ArrayLike, last: bool) -> npt.NDArray[np.float32]:
        checked_flag("last", last)
        if isinstance(samples, (bytes, bytearray)) or (isinstance(samples, memoryview) and _has_bytes(samples)):
            samples = of_pcm(samples, self.channels, "samples")
        array = checked_samples(samples, "samples")
        if array.shape[1] != self.channels:
            raise ArgumentError(
                f"samples must have shape (frames, {self.channels}), got {array.shape}: open the playback with "
                "channels=, or transpose the array if its channels come first"
            )
        return array


def _has_bytes(view: memoryview) -> bool:
    try:
        return view.itemsize == 1
    except ValueError:  # it was released: checked_samples() says so
        return False
