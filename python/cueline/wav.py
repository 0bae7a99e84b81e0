"""Sound into a WAV file: 16 bits a sample."""

from __future__ import annotations

import wave
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
    """A WAV file to be written, piece by piece. Raises ArgumentError when it cannot be."""

    def __init__(self, path: str, samplerate: int, channels: int) -> None:
        try:
            self._file = wave.open(path, "wb")  # noqa: SIM115  # closed by __exit__
        except OSError as error:
            raise ArgumentError(f"cannot write {path}: {error.strerror}") from None
        self._file.setnchannels(channels)
        self._file.setsampwidth(2)
        self._file.setframerate(samplerate)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def write(self, audio: npt.NDArray[np.float32]) -> None:
        """Append ``audio``, of shape (frames, channels), full scale -1 to 1; what goes beyond is cut off."""
        samples = (audio.clip(-1, 1) * _FULL_SCALE).round().astype("<i2")
        self._file.writeframes(samples.tobytes())
