"""Saving: a thread that writes a recording to a sound file. soundfile writes it: ``cueline[files]``."""

from __future__ import annotations

import atexit
import contextlib
import io
import os
import threading
import warnings
import weakref
from typing import TYPE_CHECKING

from cueline.arguments import shown
from cueline.errors import (
    ArgumentError,
    ClosedError,
    DeviceError,
    Error,
    LossWarning,
    StreamEnded,
    StreamTimeout,
)
from cueline.files import file_name, optional_soundfile
from cueline.loss import level_of_the_user
from cueline.polling import polling_intervals
from cueline.streams import require_an_end

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Protocol

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

_BITS = {"PCM_S8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
_SFC_RF64_AUTO_DOWNGRADE = 0x1210  # libsndfile's: when an RF64 file is closed, make it a WAV file if that is enough


class Saving:
    """The writing of a recording to a file. ``Recording.save()`` begins it. Any thread may use it."""

    def __init__(self, recording: SavedRecording, path: str | os.PathLike[str]) -> None:
        self._recording = recording
        self._engine = recording._engine
        self.path = file_name(path)
        """The file's path."""
        self.frames = 0
        """How many frames are in the file so far."""
        self._lost = 0
        self._seen = 0  # how many of them the user has seen
        self._empty_looks = 0  # looks of the thread that found nothing
        self._error: BaseException | None = None
        self._reported = False
        self._untold: list[str] = []  # what the user has to hear when this is dropped, or at Python's end
        self._finishing = threading.Event()
        self._soundfile = optional_soundfile("writes")

    def __repr__(self) -> str:
        return f"<cueline.Saving to {self.path!r}: {self.frames} frames{'' if self.done else ' so far'}>"

    @property
    def lost_frames(self) -> int:
        """How many frames of the engine were lost so far between the file's first and last one."""
        self._seen = self._lost
        if self._error is None:
            self._untold.clear()
        return self._lost

    @property
    def done(self) -> bool:
        """Whether the file is complete: nothing more will be written."""
        return not self._thread.is_alive()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the file is complete: after the recording's end, or after the ``duration`` of save().

        ``timeout`` is in seconds; None waits for ever. Gives a LossWarning if frames were lost and you have not read
        ``lost_frames``. Raises StreamTimeout (a TimeoutError) when the time is over; OSError if the file could not be
        written; DeviceError if the device was lost, or if it would wait for ever on the offline device; StreamEnded if
        the device has another sample rate. After an error, the file has the frames that came before it.
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
        self._file = self._opened(self._recording._samplerate, self._recording.channels, subtype)
        self._thread = threading.Thread(target=self._write_all, args=(blocks,), name="cueline saves", daemon=True)
        weakref.finalize(self, _tell, self._untold)  # before the next line: at Python's end, it comes after _finish()
        atexit.register(self._finish)  # a daemon: a forgotten engine must not keep the program from its end
        self._thread.start()

    def _write_all(self, blocks: Iterator[Block]) -> None:
        try:
            with self._file:
                for block in blocks:
                    self._lost += block.lost
                    self._write(block.samples)
        except (self._soundfile.SoundFileError, AssertionError, OSError) as error:
            why = getattr(error, "error_string", "").strip() or str(error) or "not all frames were written"
            self._error = OSError(f"cannot write {self.path!r} after {self.frames} frames: {why}")
        except Exception as error:  # wait() and close() raise it
            self._error = error
        finally:
            if self._error is not None:
                self._untold.append(f"{self.path!r} is incomplete, and nobody called wait() or close(): {self._error}")
            elif self._lost > self._seen:
                self._untold.append(self._what_it_lacks())
            atexit.unregister(self._finish)

    def _write(self, samples: npt.NDArray[np.float32]) -> None:
        bits = _BITS.get(self._file.subtype)
        self._file.write(samples if bits is None else _quantised(samples, bits))
        self.frames += len(samples)

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
        """Let the thread write what was recorded up to now, and wait until the file is complete."""
        with contextlib.suppress(Error):  # closed before, or in a forked child, where the thread is not
            self._recording._end_now()
        self._finishing.set()
        self._thread.join()

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

    def _opened(self, samplerate: int, channels: int, subtype: str | None) -> Any:
        kind = os.path.splitext(self.path)[1][1:].upper()  # noqa: PTH122  # it may be any string
        kind = {"AIF": "AIFF", "OGA": "OGG"}.get(kind, kind)
        formats = self._soundfile.available_formats()
        if kind not in formats or kind == "RAW":
            ends = ", ".join(f".{name.lower()}" for name in sorted(formats) if name != "RAW")
            raise ArgumentError(f"path must end with the name of a format, got {self.path!r}: use one of {ends}")
        if kind == "WAV" and self._soundfile.check_format("RF64", subtype):
            kind = "RF64"
        options = {"samplerate": samplerate, "channels": channels, "subtype": subtype, "format": kind}
        try:
            self._soundfile.SoundFile(io.BytesIO(), "w", **options).close()  # before an older file is lost
            with open(self.path, "wb"):  # noqa: PTH123  # raises what soundfile only describes: no permission
                pass
            file = self._soundfile.SoundFile(self.path, "w", **options)
        except (self._soundfile.SoundFileError, ValueError, TypeError) as error:
            raise ArgumentError(
                f"soundfile does not write {kind} with {channels} channels at {samplerate} Hz and subtype "
                f"{shown(subtype)}: {getattr(error, 'error_string', '').strip() or error}"
            ) from None
        if kind == "RF64":
            with contextlib.suppress(AttributeError):  # soundfile's own names: without them, it stays an RF64 file
                library = self._soundfile._snd
                library.sf_command(file._file, _SFC_RF64_AUTO_DOWNGRADE, self._soundfile._ffi.NULL, 1)
        return file


def _tell(messages: list[str]) -> None:
    for message in messages:
        warnings.warn(message, LossWarning, stacklevel=1)  # no code of the user called this


def _quantised(samples: npt.NDArray[np.float32], bits: int) -> npt.NDArray[np.int32]:
    """Return samples for a file of so many bits, in the upper bits of 32. Those beyond full scale are clipped.

    libsndfile itself would round down in a WAV file.
    """
    import numpy as np

    full_scale = 2.0 ** (bits - 1)
    whole = np.rint(samples * full_scale, dtype=np.float64).clip(-full_scale, full_scale - 1)
    shifted: npt.NDArray[np.int32] = whole.astype(np.int32) << (32 - bits)
    return shifted
