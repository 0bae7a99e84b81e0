"""Saving: a thread that writes a recording to a sound file, by a SoundWriter: ``cueline[files]``."""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
import warnings
import weakref
from typing import TYPE_CHECKING

from cueline.errors import (
    ClosedError,
    DeviceError,
    Error,
    ForkedError,
    LossWarning,
    StreamEnded,
    StreamTimeout,
)
from cueline.files import file_name
from cueline.loss import level_of_the_user
from cueline.polling import polling_intervals
from cueline.sound_writer import SoundWriter
from cueline.streams import require_an_end

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    import numpy as np
    import numpy.typing as npt

    from cueline.recorded import Block
    from cueline.streams import StreamingEngine

    class SavedRecording(Protocol):
        """What saving uses of a recording."""

        _engine: StreamingEngine
        _samplerate: int

        @property
        def channels(self) -> int: ...
        def _may_grow(self, count: int) -> bool: ...
        def _take(self, count: int) -> Block | None: ...
        def _end_now(self) -> None: ...


__all__ = ["Saving"]


class Saving:
    """The writing of a recording to a file. ``Recording.save()`` begins it. Any thread may use it.

    In a forked child, all but ``path`` raises ForkedError: the parent writes the file.
    """

    def __init__(self, recording: SavedRecording, path: str | os.PathLike[str]) -> None:
        self._recording = recording
        self._engine = recording._engine
        self.path = file_name(path)
        """The file's path."""
        self._frames = 0
        self._lost = 0
        self._seen = 0  # how many of them the user has seen
        self._empty_looks = 0  # looks of the thread that found nothing
        self._error: BaseException | None = None
        self._reported = False
        self._untold: list[str] = []  # what the user has to hear when this is dropped, or at Python's end
        self._finishing = threading.Event()
        self._process = os.getpid()

    def __repr__(self) -> str:
        try:
            count = f"{self.frames} frames{'' if self.done else ' so far'}"
        except ForkedError as error:
            count = type(error).__name__
        return f"<cueline.Saving to {self.path!r}: {count}>"

    @property
    def frames(self) -> int:
        """How many frames were written so far. After an error, the file may have some more or fewer."""
        self._require_own_process()
        return self._frames

    @property
    def lost_frames(self) -> int:
        """How many frames of the engine were lost so far between the file's first and last one."""
        self._require_own_process()
        self._seen = self._lost
        if self._error is None:
            self._untold.clear()
        return self._lost

    @property
    def done(self) -> bool:
        """Whether the file is complete: nothing more will be written."""
        self._require_own_process()
        return not self._thread.is_alive()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the file is complete: after the recording's end, or after the ``duration`` of save().

        ``timeout`` is in seconds; None waits for ever. Gives a LossWarning if frames were lost and you have not read
        ``lost_frames``. Raises StreamTimeout (a TimeoutError) when the time is over; OSError if the file could not be
        written; DeviceError if the device was lost, or if it would wait for ever on the offline device; StreamEnded if
        the device has another sample rate. After an error, the file has the frames that came before it; a compressed
        file lacks the last of them.
        """
        begin = self._empty_looks
        for interval in polling_intervals(self._engine, timeout):
            if self.done:
                self._report()
                return
            if self._empty_looks > begin + 1:  # the second look began after this call
                with contextlib.suppress(ClosedError):  # then the thread ends soon
                    require_an_end(self._engine, timeout, "this recording")
            self._thread.join(interval)
        if not self.done:
            raise StreamTimeout(f"{self.path!r} is not complete after {timeout} s{self._engine._why_no_block}")
        self._report()

    def _begin(self, blocks: Iterator[Block], subtype: str | None) -> None:
        self._file = SoundWriter(self.path, self._recording._samplerate, self._recording.channels, subtype)
        self._thread = threading.Thread(target=self._write_all, args=(blocks,), name="cueline saves", daemon=True)
        weakref.finalize(self, _tell, self._untold, self._process)  # first, so that it comes after _finish() at the end
        atexit.register(self._finish)  # a daemon: a forgotten engine must not keep the program from its end
        self._thread.start()

    def _write_all(self, blocks: Iterator[Block]) -> None:
        try:
            with contextlib.closing(self._file):
                for block in blocks:
                    self._lost += block.lost
                    self._write(block.samples)
        except OSError as error:
            self._error = OSError(f"cannot write {self.path!r} after {self._frames} frames: {error.strerror or error}")
        except Exception as error:  # wait() and close() raise it
            self._error = error
        finally:
            if self._error is not None:
                self._untold.append(f"{self.path!r} is incomplete, and nobody called wait() or close(): {self._error}")
            elif self._lost > self._seen:
                self._untold.append(self._what_it_lacks())
            atexit.unregister(self._finish)

    def _write(self, samples: npt.NDArray[np.float32]) -> None:
        self._file.write(samples)
        self._frames += len(samples)

    def _read(self, count: int) -> Block:
        """Do what Recording.read() does, and also end when _finish() was called or the engine can do no more."""
        recording = self._recording
        while not self._finishing.is_set() and recording._may_grow(count):
            try:
                self._engine._require_usable()
            except (ClosedError, DeviceError) as error:
                if isinstance(error, DeviceError):
                    self._error = error
                recording._end_now()
                break
            self._empty_looks += 1
            self._finishing.wait(self._engine._polling_interval_s)
        block = recording._take(count)
        if block is None:
            raise StreamEnded
        return block

    def _finish(self) -> None:
        """Let the thread write what was recorded up to now, and wait until the file is complete.

        In a forked child, do nothing: the thread is in the parent, which also says what was lost.
        """
        if os.getpid() != self._process:
            self._reported = True
            return
        with contextlib.suppress(Error):  # closed before
            self._recording._end_now()
        self._finishing.set()
        self._thread.join()

    def _require_own_process(self) -> None:
        if os.getpid() != self._process:
            raise ForkedError(f"the parent process writes {self.path!r}: make an engine here, and save its recording")

    def _report(self) -> None:
        """Raise what went wrong, or warn of what was lost."""
        self._reported = True
        self._untold.clear()
        seen, self._seen = self._seen, self._lost
        if self._error is not None:
            raise self._error
        if self._lost > seen:
            warnings.warn(self._what_it_lacks(), LossWarning, stacklevel=level_of_the_user())

    def _what_it_lacks(self) -> str:
        return (
            f"frames that {self.path!r} lacks, because the disk or the program was too slow: {self._lost} (open "
            "the recording with more buffer_seconds, or read lost_frames). Its gaps say where they are missing"
        )


def _tell(messages: list[str], process: int) -> None:
    for message in messages if os.getpid() == process else []:
        warnings.warn(message, LossWarning, stacklevel=1)  # no code of the user called this
