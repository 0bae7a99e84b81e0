"""Recording: samples of the engine's inputs or outputs, or of its processor, with a frame on every one of them."""

from __future__ import annotations

import collections
import contextlib
import threading
import time
from typing import TYPE_CHECKING

from cueline import _core
from cueline.arguments import SetWhenMade, checked_count, checked_integer, checked_number, require_new, shown
from cueline.converted import ConvertedBlocks
from cueline.converting import converter_of
from cueline.errors import ArgumentError, ArgumentTypeError, ClosedError, Error, StreamEnded
from cueline.polling import polling_intervals
from cueline.recorded import Block, Gap, RecordingPosition, cut, cut_run
from cueline.ring_errors import Empty
from cueline.streams import (
    buffer_frames,
    refuse_new_samplerate,
    refuse_refused_start,
    require_an_end,
    start,
    stop,
    stream_name,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Literal, SupportsIndex

    import numpy as np
    import numpy.typing as npt
    from typing_extensions import Self

    from cueline.confirmation import Confirmation
    from cueline.playback import Playback
    from cueline.saving import Saving
    from cueline.streams import StreamingEngine

__all__ = ["Recording", "take"]

_GAPS = 1024
_LONGEST_S = 10**6
_ALL_READ = "this recording has ended, and all of it was read"


class Recording(_core.Recording):
    """Samples of the engine's inputs or outputs, or of its processor. ``AudioEngine.open_recording()`` makes one.

    One thread at a time reads; any thread may make the other calls. If nobody reads in time, the newest frames are
    lost, and the next block says how many. As a context manager, it closes at the end. Then the file of save() is
    complete.
    """

    def __init__(
        self,
        engine: StreamingEngine,
        source: str,
        channels: SupportsIndex | None,
        buffer_seconds: float,
        samplerate: SupportsIndex | None = None,
    ) -> None:
        if not isinstance(engine, _core.Engine):
            raise ArgumentTypeError(f"engine must be an AudioEngine, got {shown(engine)}: use engine.open_recording()")
        require_new(self, "recording")
        self._source = stream_name("source", source)
        if channels is not None:
            count = checked_integer("channels", channels)
        elif self._source in ("inputs", "outputs"):
            count = getattr(engine, self._source)
        else:
            count = engine._stream_channels(self._source, False) or 1
        self._engine_rate = engine.samplerate
        self._samplerate, converter = converter_of("a recording", samplerate, self._engine_rate, count, to_engine=False)
        super().__init__(engine, buffer_frames(engine, buffer_seconds), count, self._source)
        self._engine: StreamingEngine = engine
        self._starting: Confirmation | None = None
        self._converted: ConvertedBlocks | None = None
        if converter is not None:
            self._converted = ConvertedBlocks(converter, self._samplerate, self._engine_rate)
        self._reading = threading.RLock()  # soxr converts for one thread at a time
        self._unread: collections.deque[Block] = collections.deque()  # what blocks() has read, and not yielded
        self._next: int | None = None  # the engine's frame after the last one that was read
        self._end: int | None = None  # reading ends at this frame, although the recording goes on
        self._saving: Saving | None = None
        self._last_position: RecordingPosition | None = None  # set by close()
        self.gaps: collections.deque[Gap] = collections.deque(maxlen=_GAPS)
        """The latest 1024 gaps that were read."""

    if not TYPE_CHECKING:  # see AudioEngine
        _engine = _engine_rate = _samplerate = _converted = _saving = gaps = SetWhenMade()

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
        if exc_type is None:
            self.close()
        else:  # the exception is what the user has to see
            self._close()
            if self._saving is not None:
                self._saving._untold.clear()

    def close(self) -> None:
        """Close it. What waits is dropped, but a file that save() writes gets what was recorded so far.

        It waits until that file is complete, and raises what Saving.wait() raises, unless you have called wait()
        already. position(), gaps and lost_frames stay as they are.
        """
        self._close()
        if self._saving is not None and not self._saving._reported:
            self._saving._report()

    def _close(self) -> None:
        try:
            if self._saving is not None:
                self._saving._finish()
        finally:
            with contextlib.suppress(Error):  # it is closed already, or this is a forked child
                self._last_position = self.position()
            super().close()

    def __repr__(self) -> str:
        return f"<cueline.Recording of {self.channels} channels>" if not self.closed else "<cueline.Recording, closed>"

    @property
    def samplerate(self) -> int:
        """The sample rate of what you read, in frames a second."""
        return self._samplerate

    @property
    def lost_frames(self) -> int:
        """How many frames were lost so far, read or not."""
        return self.position().lost

    def position(self) -> RecordingPosition:
        """Return where it began, up to where it recorded, and what was lost. Raises ForkedError.

        After close() it stays as it was then.
        """
        try:
            return RecordingPosition(*self._state()[:-1])
        except ClosedError:
            if self._last_position is None:
                raise
            return self._last_position

    def frame_of(self, playback: Playback, frame: SupportsIndex) -> int:
        """Return the frame at which this recording has what ``playback`` plays at the engine's frame ``frame``.

        A recording of the outputs, or of the processor, has it at the same frame. A recording of the inputs has it
        later, by the output and the input latency that the device reports now: an estimate, without the way from the
        loudspeaker to the microphone. With ``loopback=True`` it is exact. Raises ArgumentError if the two have
        different engines, ArgumentTypeError, ForkedError.
        """
        if not isinstance(playback, _core.Playback):
            raise ArgumentTypeError(f"playback must be a Playback, got {shown(playback)}")
        if playback._engine is not self._engine:
            raise ArgumentError("the playback must be one of this recording's engine: frames of two engines differ")
        latency = self._engine.output_latency + self._engine.input_latency if self._source == "inputs" else 0
        return checked_count("frame", frame) + latency

    def try_read(self, frames: SupportsIndex) -> Block | None:
        """Return the frames that wait, ``frames`` at most and up to the next gap. None if there are none. Never waits.

        Raises what read() raises, but not Empty.
        """
        return self._take(self._checked(frames))

    def read(self, frames: SupportsIndex, *, timeout: float | None = None) -> Block:
        """Wait, without the GIL, until ``frames`` frames are there, and return them. It never reads across a gap.

        It returns fewer before a gap, at the end, and when the ``timeout`` in seconds is over. Raises Empty if none
        came in time; StreamEnded (an EOFError) if the recording has ended and all was read; ArgumentError for more
        frames than ``capacity``; ArgumentTypeError, ClosedError, ForkedError; and DeviceError if the device is lost, or
        if it would wait for ever on the offline device; RefusedError if its start was refused or cancelled.
        """
        count = self._checked(frames)
        self._wait_for(count, timeout)
        return self._taken_in(timeout, count)

    def _wait_for(self, count: int, timeout: float | None) -> None:
        for interval in polling_intervals(self._engine, timeout):
            if not self._may_grow(count):
                break
            require_an_end(self._engine, timeout, "this recording")
            refuse_refused_start(self._starting, self._state()[-1])
            time.sleep(interval)

    @contextlib.contextmanager
    def view(self, frames: SupportsIndex, *, timeout: float | None = None) -> Iterator[Block]:
        """Wait like read(), and lend the frames for a ``with`` block, without a copy.

        The samples are a read-only array in the ring. It has fewer frames where the ring wraps around. When the
        ``with`` ends, the frames are read, and the audio thread may write others there. After an exception they still
        wait. Raises what read() raises, and ArgumentError for a recording that converts its samples.
        """
        if self._converted is not None:
            raise ArgumentError(
                f"a recording that converts samples to {self._samplerate} Hz cannot lend them: use read()"
            )
        count = self._checked(frames)
        self._wait_for(count, timeout)
        if self._unread:
            block = cut_run(self._unread, count)
            try:
                yield block
            except BaseException:
                self._unread.appendleft(block)
                raise
            return
        begin = self._next
        frame, lost, samples, ended = self._view(count)
        if len(samples) == 0 and lost == 0:
            if ended:
                raise StreamEnded(_ALL_READ)
            raise self._empty(timeout)
        yield Block(frame, samples, lost)
        if self._next != begin:
            raise ArgumentError("frames were read while a view of them was lent: end the with block of view() first")
        self._pop(len(samples))
        self._note(Block(frame, samples, lost))

    async def aread(self, frames: SupportsIndex, *, timeout: float | None = None) -> Block:
        """Do what read() does, in an asyncio task. If it is cancelled, no frame is lost."""
        import asyncio  # here, because `import cueline` must stay quick

        count = self._checked(frames)
        for interval in polling_intervals(self._engine, timeout):
            if not self._may_grow(count):
                break
            require_an_end(self._engine, timeout, "this recording")
            refuse_refused_start(self._starting, self._state()[-1])
            await asyncio.sleep(interval)
        return self._taken_in(timeout, count)

    def blocks(
        self,
        frames: SupportsIndex = 512,
        *,
        gaps: Literal["zeros", "split"] = "zeros",
        duration: float | None = None,
    ) -> Iterator[Block]:
        """Iterate over blocks of ``frames`` frames until the recording ends, or for ``duration`` seconds.

        With ``gaps="zeros"``, all blocks but the last have ``frames`` frames, with zeros in place of the lost ones.
        With ``gaps="split"``, a block ends at a gap. Raises what read() raises, but not StreamEnded after stop().
        """
        return self._blocks(self.read, self._checked(frames), gaps, duration)

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        gaps: Literal["zeros", "split"] = "zeros",
        duration: float | None = None,
        subtype: str | None = None,
    ) -> Saving:
        """Write what is recorded to a sound file, on a thread of its own, until the recording ends or is closed.

        The ending of ``path`` says which format: .flac, .wav, .ogg and all others of soundfile. A WAV file beyond 4 GiB
        is an RF64 file. ``subtype`` is soundfile's, as in "PCM_24" or "FLOAT"; None: the format's default. An older
        file is replaced. With ``gaps="zeros"``, zeros stand for frames that were lost; with ``gaps="split"``, the file
        lacks them. With ``duration``, the file ends after that many seconds. Meanwhile only this thread reads the
        recording.

        Returns a Saving, which counts. Raises ArgumentError for a format that soundfile does not write, for Vorbis
        above 200000 Hz and for ALAC, which may crash it, and if the recording is being saved; FileNotFoundError,
        PermissionError and other OSErrors as ``open()`` does; ArgumentTypeError, ClosedError, ForkedError, and
        MissingPackageError without ``cueline[files]``.
        """
        from cueline.saving import Saving

        self._require_no_saving()
        self._state()  # raises after close()
        saving = Saving(self, path)
        seconds = min(self.capacity / 4 / self._engine_rate, 0.1)  # while a full ring is read, it would lose frames
        count = max(1, int(seconds * self._samplerate))
        saving._begin(self._blocks(saving._read, count, gaps, duration), subtype)
        self._saving = saving
        return saving

    def _end_now(self) -> None:
        """Let reading end at the frame up to which frames were recorded so far. Later frames are not read."""
        if self._end is None:
            self._end = self.position().frame

    def _require_no_saving(self) -> None:
        if self._saving is not None and not self._saving.done:
            raise ArgumentError(f"this recording is being saved to {self._saving.path!r}: open another one to read")

    def _blocks(
        self, read: Callable[[int], Block], count: int, gaps: Literal["zeros", "split"], duration: float | None
    ) -> Iterator[Block]:
        if not isinstance(gaps, str) or gaps not in ("zeros", "split"):
            raise ArgumentError(f"gaps must be 'zeros' or 'split', got {shown(gaps)}")
        left = None
        if duration is not None:
            left = round(checked_number("duration", duration, _LONGEST_S, "seconds") * self._samplerate)
        if gaps == "zeros" and self._converted is None:
            return self._zero_filled(read, count, left)
        return self._split(read, count, left, gaps == "zeros")

    def _split(self, read: Callable[[int], Block], count: int, left: int | None, fills_gaps: bool) -> Iterator[Block]:
        while left is None or left > 0:
            if self._converted is not None:
                self._converted.fills_gaps = fills_gaps
            try:
                block = read(count if left is None else min(count, left))
            except StreamEnded:
                refuse_new_samplerate(self._state()[-1])
                return
            finally:
                if self._converted is not None:
                    self._converted.fills_gaps = False
            if left is not None:
                lost = 0 if fills_gaps else round(block.lost * self._samplerate / self._engine_rate)
                left = max(0, left - lost - len(block.samples))
            yield block

    def _zero_filled(self, read: Callable[[int], Block], count: int, left: int | None) -> Iterator[Block]:
        held: collections.deque[Block] = collections.deque()  # was read, and is yielded later
        waiting, ended = 0, False  # how many frames and zeros are held
        try:
            while not ended and (left is None or left > 0):
                wanted = count if left is None else min(count, left)
                while waiting < wanted and not ended:
                    try:
                        block = read(wanted - waiting)
                    except StreamEnded:
                        ended = True
                    else:
                        held.append(block)
                        waiting += block.lost + len(block.samples)
                filled = min(wanted, waiting)
                waiting -= filled
                if left is not None:
                    left -= filled
                if filled > 0:
                    yield cut(held, filled, self.channels)
                if ended:
                    refuse_new_samplerate(self._state()[-1])
        finally:
            self._unread.extendleft(reversed(held))

    def _checked(self, frames: SupportsIndex) -> int:
        self._require_no_saving()
        count = checked_integer("frames", frames)
        most = self.capacity * self._samplerate // self._engine_rate
        if not 1 <= count <= most:
            way_out = ": open the recording with more buffer_seconds" if count > most else ""
            raise ArgumentError(f"frames must be from 1 to {most}, what the buffer holds, got {count}{way_out}")
        return count

    def _may_grow(self, count: int) -> bool:
        """Return whether the next block may get more frames, up to ``count``, later than now."""
        if self._converted is not None:
            with self._reading:
                return self._converted.may_grow(count, self._run)
        return not self._unread and self._end is None and self._ready(count)[1]

    def _take(self, count: int) -> Block | None:
        with self._reading:
            block, ended = self._run(count) if self._converted is None else self._converted.take(count, self._run)
        if len(block.samples) == 0 and block.lost == 0:
            if ended:
                raise StreamEnded(_ALL_READ)
            return None
        return block

    def _run(self, most: int) -> tuple[Block, bool]:
        """Read the frames up to the next gap, ``most`` at most. Return them, and whether that was the end."""
        import numpy as np  # here, because `import cueline` must stay quick

        if self._unread:
            return cut_run(self._unread, most), False
        end, begin = self._end, self._next  # before the look: then all frames before the end are found
        if end is not None and begin is not None:
            most = min(most, end - begin)
            if most <= 0:
                return Block(begin, np.empty((0, self.channels), np.float32), 0), True
        samples = np.empty((min(most, self._ready(most)[0]) or 1, self.channels), np.float32)
        frame, lost, found, ended = self._read(samples)
        if found == 0 and not ended and end is not None:  # nothing follows the frames that were lost last
            frame, ended = end, True
            lost = max(0, end - (self.position().first if begin is None else begin))
        block = Block(frame, samples[:found], lost)
        self._note(block)
        return block, ended

    def _note(self, block: Block) -> None:
        """Note what was read."""
        if block.lost > 0:
            self.gaps.append(Gap(block.frame - block.lost, block.lost))
        if len(block.samples) > 0 or block.lost > 0:
            self._next = block.frame + len(block.samples)

    def _taken_in(self, timeout: float | None, count: int) -> Block:
        block = self._take(count)
        if block is None:
            raise self._empty(timeout)
        return block

    def _empty(self, timeout: float | None) -> Empty:
        self._engine._require_usable()
        return Empty(f"no frames within {timeout} s{self._engine._why_no_block}")


def take(
    engine: StreamingEngine, seconds: float, source: str, samplerate: SupportsIndex | None, at: SupportsIndex | None
) -> npt.NDArray[np.float32]:
    """Record so many seconds: see AudioEngine.record()."""
    import numpy as np  # here, because `import cueline` must stay quick

    require_an_end(engine, None, "record()")
    frames = round(checked_number("seconds", seconds, _LONGEST_S, "seconds") * engine.samplerate)
    with Recording(engine, source, None, seconds + 0.1, samplerate) as recording:  # room for a block of 0.1 s
        if frames == 0:
            return np.empty((0, recording.channels), np.float32)
        first = engine.after(0) if at is None else checked_integer("at", at)
        started = recording.start(first)
        first = started.result().frame  # later if it was late. Raises if somebody cancels it
        recording.stop(first + frames, late="drop")
        # With the duration, it also ends if that was too late, or if somebody cancels the stop.
        blocks = [block.samples for block in recording.blocks(recording.samplerate // 10, duration=seconds)]
        return np.concatenate([*blocks, np.empty((0, recording.channels), np.float32)])
