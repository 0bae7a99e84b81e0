"""WAV files with 16 bits a sample."""

from __future__ import annotations

import io
import os
import wave
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from cueline.errors import ArgumentError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from typing_extensions import Self

__all__ = ["WavFile"]

_FULL_SCALE = 2**15 - 1
_BYTES = 2  # a sample
_MOST_BYTES = 2**32 - 1 - 36  # of samples: the size in the header has 32 bits, and counts 36 bytes of the header too


class WavFile:
    """A WAV file of ``frames`` frames that is written piece by piece. ``path`` may be a pipe; ``-`` is stdout.

    The header comes first and has the length, so nothing has to seek. Raises ArgumentError if the file would be too
    long, before it is opened, or if it cannot be opened.
    """

    def __init__(self, path: str, samplerate: int, channels: int, frames: float) -> None:
        most = _MOST_BYTES // (channels * _BYTES)
        if not 0 <= frames <= most:
            raise ArgumentError(
                f"a WAV file holds at most 4 GiB, which is {most / samplerate:.0f} seconds of {channels} channels at "
                f"{samplerate} Hz, got {frames / samplerate:g} seconds: render less at once, or fewer channels"
            )
        self.frames = round(frames)
        self._samplerate, self._channels, self._written = samplerate, channels, 0
        try:
            self._file = os.fdopen(os.dup(1), "wb") if path == "-" else Path(path).open("wb")  # noqa: SIM115  # __exit__ closes it
        except OSError as error:
            raise ArgumentError(f"cannot write {path}: {error.strerror}") from None
        self.is_stdout = os.path.sameopenfile(self._file.fileno(), 1)
        """Whether the file is stdout, so that nothing else may be printed there."""
        if self._file.isatty():
            self._file.close()
            raise ArgumentError(f"{path} is a terminal, which does not play samples: name a file, or use a pipe")

    def __enter__(self) -> Self:
        self._file.write(self._header(self.frames))
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._file:
            interrupted = self._written < self.frames
            if interrupted and self._file.seekable() and not self.is_stdout:  # stdout's file may hold more than ours
                self._file.seek(0)
                self._file.write(self._header(self._written))

    def write(self, audio: npt.NDArray[np.float32]) -> None:
        """Append ``audio`` of shape (frames, channels), full scale -1 to 1. Samples beyond that are clipped."""
        samples = (audio.clip(-1, 1) * _FULL_SCALE).round().astype("<i2")
        self._file.write(samples.tobytes())
        self._written += len(audio)

    def _header(self, frames: int) -> bytes:
        made = io.BytesIO()
        with wave.open(made, "wb") as sound:
            sound.setparams((self._channels, _BYTES, self._samplerate, frames, "NONE", "not compressed"))
            sound.writeframesraw(b"")
            return made.getvalue()
