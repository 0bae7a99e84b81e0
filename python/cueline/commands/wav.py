"""WAV files with 16 bits a sample."""

from __future__ import annotations

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


class WavFile:
    """A WAV file that is written piece by piece. Raises ArgumentError if it cannot be opened."""

    def __init__(self, path: str, samplerate: int, channels: int) -> None:
        try:  # if wave.open() opened it and failed, its object would print a traceback later
            self._file = Path(path).open("wb")  # noqa: SIM115  # closed by __exit__
        except OSError as error:
            raise ArgumentError(f"cannot write {path}: {error.strerror}") from None
        self._sound = wave.open(self._file, "wb")  # noqa: SIM115  # closed by __exit__
        self._sound.setnchannels(channels)
        self._sound.setsampwidth(2)
        self._sound.setframerate(samplerate)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._file:
            self._sound.close()

    def write(self, audio: npt.NDArray[np.float32]) -> None:
        """Append ``audio`` of shape (frames, channels), full scale -1 to 1. Samples beyond that are clipped."""
        samples = (audio.clip(-1, 1) * _FULL_SCALE).round().astype("<i2")
        self._sound.writeframes(samples.tobytes())
