"""WAV files with 16 bits a sample, rendered piece by piece. soundfile writes them: ``cueline[files]``."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from cueline.errors import ArgumentError
from cueline.files import optional_soundfile

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from typing_extensions import Self

__all__ = ["WavFile"]

_FULL_SCALE = 2**15
_BYTES = 2  # a sample
_MOST_BYTES = 2**32 - 2**12  # of samples in a WAV file, whose sizes have 32 bits: leaves room for the header


class WavFile:
    """A WAV file of ``frames`` frames, or an RF64 file if that is more than 4 GiB. ``-`` is stdout.

    libsndfile goes back to write the header, and a pipe cannot go back. So samples for a pipe, a device or stdout are
    first written to a temporary file. Raises MissingPackageError, and ArgumentError if there is no room for the file,
    or if it cannot be opened.
    """

    def __init__(self, path: str, samplerate: int, channels: int, frames: float) -> None:
        self._soundfile = optional_soundfile("writes")
        self._path = path
        goes_through = path == "-" or (os.path.exists(path) and not stat.S_ISREG(os.stat(path).st_mode))  # noqa: PTH110, PTH116
        most = shutil.disk_usage(tempfile.gettempdir() if goes_through else _existing_parent(path)).free
        if not channels * _BYTES * frames <= most:
            raise ArgumentError(
                f"cannot write {path}: {frames / samplerate:g} seconds of {channels} channels at {samplerate} Hz need "
                f"{channels * _BYTES * frames:.3g} bytes, and {most:.3g} are free: render less at once, or fewer "
                "channels"
            )
        self.frames = round(frames)
        try:
            self._target = os.fdopen(os.dup(1), "wb") if path == "-" else Path(path).open("wb")  # noqa: SIM115  # __exit__ closes it
        except OSError as error:
            raise ArgumentError(f"cannot write {path}: {error.strerror}") from None
        self.is_stdout = os.path.sameopenfile(self._target.fileno(), 1)
        """Whether the file is stdout, so that nothing else may be printed there."""
        if self._target.isatty():
            self._target.close()
            raise ArgumentError(f"{path} is a terminal, which does not play samples: name a file, or use a pipe")
        self._file = tempfile.TemporaryFile() if goes_through else self._target  # noqa: SIM115
        self._samplerate, self._channels = samplerate, channels

    def __enter__(self) -> Self:
        self._sound = self._soundfile.SoundFile(
            self._file.fileno(),
            "w",
            self._samplerate,
            self._channels,
            subtype="PCM_16",
            format="WAV" if self._channels * _BYTES * self.frames <= _MOST_BYTES else "RF64",
            closefd=False,
        )
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._target, self._file:
            self._sound.close()  # the header counts what was written, also after an exception
            if self._file is not self._target and exc_type is None:
                self._file.seek(0)
                shutil.copyfileobj(self._file, self._target)

    def write(self, audio: npt.NDArray[np.float32]) -> None:
        """Append ``audio`` of shape (frames, channels), full scale -1 to 1. Samples beyond that are clipped."""
        samples = (audio * _FULL_SCALE).round().clip(-_FULL_SCALE, _FULL_SCALE - 1).astype("int16")
        try:
            self._sound.write(samples)
        except self._soundfile.SoundFileError as error:
            raise ArgumentError(f"cannot write {self._path}: {error}") from None


def _existing_parent(path: str) -> Path:
    """Return the folder of ``path``, or the nearest one above it: opening the file says later what is missing."""
    folder = Path(path).absolute().parent
    return next(parent for parent in (folder, *folder.parents) if parent.is_dir())
