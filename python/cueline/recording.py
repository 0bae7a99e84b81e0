"""Recording: samples of the engine's inputs or outputs, with a frame on every one of them."""

from __future__ import annotations

import collections
import time
from typing import TYPE_CHECKING, NamedTuple

from cueline import _core
from cueline.arguments import checked_integer, checked_number, shown
from cueline.errors import ArgumentError, ArgumentTypeError, StreamEnded
from cueline.polling import polling_intervals
from cueline.ring_errors import Empty
from cueline.streams import buffer_frames, refuse_new_samplerate, require_an_end, start, stop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Literal, SupportsIndex

    import numpy as np
    import numpy.typing as npt
    from typing_extensions import Self

    from cueline.streams import StreamingEngine

__all__ = ["Block", "Gap", "Recording", "RecordingPosition", "take"]

_GAPS = 1024
_LONGEST_S = 10**6


class Block(NamedTuple):
    """Frames of a recording, which follow each other."""

    frame: int
    """The engine's frame of the first one."""
    samples: npt.NDArray[np.float32]
    """The samples, of shape (frames, channels)."""
    lost: int
    """How many frames are missing before them; with ``gaps="zeros"``, how many of them are zeros in place of those."""


class Gap(NamedTuple):
    """Frames that a recording lost, because nobody read it in time."""

    frame: int
    """The first of them."""
    frames: int


class RecordingPosition(NamedTuple):
    """A recording after the block that ended last: ``frame - first == recorded + lost``."""

    first: int
    """The engine's frame at which it began."""
    frame: int
    """The engine's frame up to which it recorded."""
    recorded: int
    lost: int


class Recording(_core.Recording):
    """Samples of the engine's inputs or outputs. ``AudioEngine.open_recording()`` makes one.

    One thread at a time reads. If nobody reads in time, the newest frames are lost, and the next block says how many.
    As a context manager, it closes at the end.
    """

    def __init__(
        self, engine: StreamingEngine, source: str, channels: SupportsIndex | None, buffer_seconds: float
    ) -> None:
        if not isinstance(engine, _core.Engine):
            raise ArgumentTypeError(f"engine must be an AudioEngine, got {shown(engine)}: use engine.open_recording()")
        if source not in ("inputs", "outputs"):
            raise ArgumentError(f"source must be 'inputs' or 'outputs', got {shown(source)}")
        count = getattr(engine, source) if channels is None else checked_integer("channels", channels)
        super().__init__(engine, buffer_frames(engine, buffer_seconds), count, source == "outputs")
        self._engine: StreamingEngine = engine
        self.gaps: collections.deque[Gap] = collections.deque(maxlen=_GAPS)
        """The latest 1024 gaps that were read."""

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
        self.close()

    def __repr__(self) -> str:
        return f"<cueline.Recording of {self.channels} channels>" if not self.closed else "<cueline.Recording, closed>"

    @property
    def lost_frames(self) -> int:
        """How many frames were lost so far, read or not."""
        return self.position().lost

    def position(self) -> RecordingPosition:
        """Return where it began, up to where it recorded, and what was lost. Raises ClosedError, ForkedError."""
        return RecordingPosition(*self._state()[:-1])

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
        if it would wait for ever on the offline device.
        """
        count = self._checked(frames)
        for interval in polling_intervals(self._engine, timeout):
            if not self._ready(count)[1]:
                break
            require_an_end(self._engine, timeout, "this recording")
            time.sleep(interval)
        return self._taken_in(timeout, count)

    async def aread(self, frames: SupportsIndex, *, timeout: float | None = None) -> Block:
        """Do what read() does, in an asyncio task. If it is cancelled, no frame is lost."""
        import asyncio  # here, because `import cueline` must stay quick

        count = self._checked(frames)
        for interval in polling_intervals(self._engine, timeout):
            if not self._ready(count)[1]:
                break
            require_an_end(self._engine, timeout, "this recording")
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

        With ``gaps="zeros"``, all blocks but the last have so many frames, with zeros in place of those that were lost.
        With ``gaps="split"``, a block ends at a gap. Raises what read() raises, but not StreamEnded after stop().
        """
        count = self._checked(frames)
        if gaps not in ("zeros", "split"):
            raise ArgumentError(f"gaps must be 'zeros' or 'split', got {shown(gaps)}")
        left = None
        if duration is not None:
            left = round(checked_number("duration", duration, _LONGEST_S, "seconds") * self._engine.samplerate)
        return self._zero_filled(count, left) if gaps == "zeros" else self._split(count, left)

    def _split(self, count: int, left: int | None) -> Iterator[Block]:
        while left is None or left > 0:
            try:
                block = self.read(count if left is None else min(count, left))
            except StreamEnded:
                refuse_new_samplerate(self._state()[-1])
                return
            if left is not None:
                left = max(0, left - block.lost - len(block.samples))
            yield block

    def _zero_filled(self, count: int, left: int | None) -> Iterator[Block]:
        import numpy as np  # here, because `import cueline` must stay quick

        zeros, held, next_frame = 0, np.empty((0, self.channels), np.float32), 0
        while left is None or left > 0:
            wanted = count if left is None else min(count, left)
            samples = np.zeros((wanted, self.channels), np.float32)
            filled = lost = frame = 0
            while filled < wanted:
                if zeros == 0 and len(held) == 0:
                    try:
                        block = self.read(wanted - filled)
                    except StreamEnded:
                        break
                    zeros, held, next_frame = block.lost, block.samples, block.frame - block.lost
                    continue
                if filled == 0:
                    frame = next_frame
                some = min(zeros or len(held), wanted - filled)
                if zeros > 0:
                    zeros -= some
                    lost += some
                else:
                    samples[filled : filled + some] = held[:some]
                    held = held[some:]
                filled += some
                next_frame += some
            if filled > 0:
                yield Block(frame, samples[:filled], lost)
            if filled < wanted:
                refuse_new_samplerate(self._state()[-1])
                return
            if left is not None:
                left -= filled

    def _checked(self, frames: SupportsIndex) -> int:
        count = checked_integer("frames", frames)
        if not 1 <= count <= self.capacity:
            raise ArgumentError(
                f"frames must be from 1 to {self.capacity}, what the buffer holds, got {count}: "
                "open the recording with more buffer_seconds"
            )
        return count

    def _take(self, count: int) -> Block | None:
        import numpy as np  # here, because `import cueline` must stay quick

        samples = np.empty((min(count, self._ready(count)[0]) or 1, self.channels), np.float32)
        frame, lost, found, ended = self._read(samples)
        if lost > 0:
            self.gaps.append(Gap(frame - lost, lost))
        if found == 0 and lost == 0:
            if ended:
                raise StreamEnded("this recording has ended, and all of it was read")
            return None
        return Block(frame, samples[:found], lost)

    def _taken_in(self, timeout: float | None, count: int) -> Block:
        block = self._take(count)
        if block is None:
            self._engine._require_usable()
            raise Empty(f"no frames within {timeout} s{self._engine._why_no_block}")
        return block


def take(engine: StreamingEngine, seconds: float, source: str, at: SupportsIndex | None) -> npt.NDArray[np.float32]:
    """Record so many seconds: see AudioEngine.record()."""
    import numpy as np  # here, because `import cueline` must stay quick

    require_an_end(engine, None, "record()")
    frames = round(checked_number("seconds", seconds, _LONGEST_S, "seconds") * engine.samplerate)
    with Recording(engine, source, None, seconds + 1 / engine.samplerate) as recording:
        if frames == 0:
            return np.empty((0, recording.channels), np.float32)
        first = engine.after(0) if at is None else checked_integer("at", at)
        recording.start(first)
        recording.stop(first + frames)
        return np.concatenate([block.samples for block in recording.blocks(min(frames, recording.capacity))])
