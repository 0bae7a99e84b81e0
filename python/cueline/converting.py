"""Sample rates of streams: soxr converts them piece by piece, on the control side: ``cueline[files]``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cueline.samples import checked_samplerate, optional_soxr, require_finite

if TYPE_CHECKING:
    from typing import SupportsIndex

    import numpy as np
    import numpy.typing as npt

__all__ = ["Converter", "converter_of"]

_QUALITY = "HQ"  # 20 bits. VHQ would wait for twice as many frames, and 28 bits are for files
_MOST_CHANNELS = 64  # an engine's


class Converter:
    """Converts frames from one rate to another, piece by piece. Joined, the pieces equal what soxr makes of the whole.

    The first frame that comes out has the time of the first frame that went in. Frames come out late: by ``delay``
    frames of the new rate at most.
    """

    def __init__(self, name: str, samplerate: int, wanted: int, channels: int) -> None:
        import numpy as np

        self._rates = samplerate, wanted
        self.nothing = np.empty((0, channels), np.float32)
        """No samples."""
        self._stream = optional_soxr(name, samplerate, wanted).ResampleStream(
            samplerate, wanted, channels, dtype="float32", quality=_QUALITY
        )
        self._given = self._made = 0  # frames since it began
        self.delay = self._found_delay()

    def _found_delay(self) -> int:
        import numpy as np

        given = made = 0
        while made == 0:  # it makes frames in groups: the first group shows how late they come
            piece = np.zeros((max(64, given), self.nothing.shape[1]), np.float32)
            given += len(piece)
            made = len(self._stream.resample_chunk(piece))
        self._stream.clear()
        samplerate, wanted = self._rates
        return 2 * given * wanted // samplerate + 1  # a later group may be longer

    def fits(self, room: int) -> int:
        """Return how many frames convert() can take so that all frames that come out, end() included, fit ``room``."""
        samplerate, wanted = self._rates
        return max(0, (self._made + room - 1) * samplerate // wanted - self._given)

    def convert(self, samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the frames that are ready after these samples. Raises ArgumentError for NaN and infinities."""
        if len(samples) == 0:
            return self.nothing
        require_finite(samples, *self._rates, "samples")
        made: npt.NDArray[np.float32] = self._stream.resample_chunk(samples)
        self._given += len(samples)
        self._made += len(made)
        return made

    def end(self) -> npt.NDArray[np.float32]:
        """Return the frames that are still to come, as if silence followed, and begin anew."""
        if self._given == 0:
            return self.nothing
        made: npt.NDArray[np.float32] = self._stream.resample_chunk(self.nothing, last=True)
        self._stream.clear()
        self._given = self._made = 0
        return made


def converter_of(
    name: str, samplerate: SupportsIndex | None, engine_samplerate: int, channels: int, *, to_engine: bool
) -> tuple[int, Converter | None]:
    """Return a stream's own rate, and the converter to or from the engine's rate: None if the rates are equal.

    Raises ArgumentError, ArgumentTypeError, MissingPackageError.
    """
    own = engine_samplerate if samplerate is None else checked_samplerate("samplerate", samplerate)
    if own == engine_samplerate:
        return own, None
    channels = min(max(1, channels), _MOST_CHANNELS)  # the engine refuses others later
    rates = (own, engine_samplerate) if to_engine else (engine_samplerate, own)
    return own, Converter(name, *rates, channels)
