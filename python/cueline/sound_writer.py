"""SoundWriter: writes a sound file piece by piece, and raises every error of the disk. soundfile encodes it."""

from __future__ import annotations

import contextlib
import io
import os
from typing import TYPE_CHECKING

from cueline.arguments import shown
from cueline.errors import ArgumentError
from cueline.files import optional_soundfile

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import numpy.typing as npt

__all__ = ["SoundWriter"]

_BITS = {"PCM_S8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
_NOT_WRITTEN = ("RAW", "SD2")  # RAW has no header, and SD2 is two files
_HIGHEST_VORBIS_HZ = 200_000  # beyond it, libsndfile crashes
_SFC_RF64_AUTO_DOWNGRADE = 0x1210  # libsndfile's: when an RF64 file is closed, make it a WAV file if that is enough


class SoundWriter:
    """A sound file that is written. The ending of ``path`` says which format. One thread at a time uses it.

    An older file is replaced. Raises ArgumentError before that if soundfile does not write such a file; OSErrors as
    ``open()`` does; MissingPackageError.
    """

    def __init__(self, path: str, samplerate: int, channels: int, subtype: str | None) -> None:
        self._soundfile = optional_soundfile("writes")
        kind = self._kind(path, subtype)
        _refuse_what_crashes(kind, samplerate, subtype)
        options = {"samplerate": samplerate, "channels": channels, "subtype": subtype, "format": kind}
        try:
            self._soundfile.SoundFile(io.BytesIO(), "w", **options).close()  # before an older file is lost
        except (self._soundfile.SoundFileError, ValueError, TypeError) as error:
            raise ArgumentError(
                f"soundfile does not write {kind} with {channels} channels at {samplerate} Hz and subtype "
                f"{shown(subtype)}: {getattr(error, 'error_string', '').strip() or error}"
            ) from None
        self._disk = _Disk(path)
        try:
            self._sound = self._soundfile.SoundFile(self._disk, "w", **options)
        except BaseException:
            self._disk.close()
            raise
        if self._disk.error is not None:
            self.close()  # raises it
        if kind == "RF64":
            with contextlib.suppress(AttributeError):  # soundfile's own names: without them, it stays an RF64 file
                library = self._soundfile._snd
                library.sf_command(self._sound._file, _SFC_RF64_AUTO_DOWNGRADE, self._soundfile._ffi.NULL, 1)

    def write(self, samples: npt.NDArray[np.float32]) -> None:
        """Append ``samples`` of shape (frames, channels). Raises OSError if the file lacks something."""
        bits = _BITS.get(self._sound.subtype)
        with self._complete():
            self._sound.write(samples if bits is None else _quantised(samples, bits))

    def close(self) -> None:
        """Complete the file and close it. Raises OSError if the file lacks something."""
        try:
            with self._complete():
                self._sound.close()
        finally:
            self._disk.close()

    @contextlib.contextmanager
    def _complete(self) -> Iterator[None]:
        """Raise OSError if the body does not write all. The disk's own error says more than libsndfile's."""
        try:
            yield
        except (self._soundfile.SoundFileError, AssertionError) as error:
            self._disk.require_no_error()
            why = getattr(error, "error_string", "").strip() or str(error)
            raise OSError(why or "not all frames were written") from error
        self._disk.require_no_error()

    def _kind(self, path: str, subtype: str | None) -> str:
        """Return soundfile's name of the format. Raises ArgumentError."""
        kind = os.path.splitext(path)[1][1:].upper()  # noqa: PTH122  # it may be any string
        kind = {"AIF": "AIFF", "OGA": "OGG"}.get(kind, kind)
        formats = [name for name in self._soundfile.available_formats() if name not in _NOT_WRITTEN]
        if kind not in formats:
            ends = ", ".join(f".{name.lower()}" for name in sorted(formats))
            raise ArgumentError(f"path must end with the name of a format, got {path!r}: use one of {ends}")
        return "RF64" if kind == "WAV" and self._soundfile.check_format("RF64", subtype) else kind


def _refuse_what_crashes(kind: str, samplerate: int, subtype: str | None) -> None:
    """Raise ArgumentError for files whose writing crashes in libsndfile."""
    name = subtype.upper() if isinstance(subtype, str) else subtype  # soundfile takes both, and checks other types
    if kind == "OGG" and name in (None, "VORBIS") and samplerate > _HIGHEST_VORBIS_HZ:
        raise ArgumentError(
            f"samplerate of an Ogg file must be at most {_HIGHEST_VORBIS_HZ} Hz, got {samplerate}: save a .wav file, "
            "or open the recording with samplerate=48_000"
        )
    if isinstance(name, str) and name.startswith("ALAC"):
        raise ArgumentError(
            f"subtype must not be ALAC, got {subtype!r}: libsndfile crashes if its temporary file has no room. Save a "
            ".flac file"
        )


class _Disk:
    """The file under a sound file: libsndfile ignores some errors of the disk, and this keeps the first one.

    After an error it writes only within what is there already. So libsndfile can still complete the header.
    """

    def __init__(self, path: str) -> None:
        self.error: BaseException | None = None
        self._path = path
        self._raw = open(path, "wb", buffering=0)  # noqa: PTH123, SIM115  # close() closes it
        self._size = 0

    # libsndfile calls these, which must not raise.

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place, and return it; -1 after an error."""
        try:
            return self._raw.seek(offset, whence)
        except BaseException as error:  # a KeyboardInterrupt too
            self._keep(error)
            return -1

    def tell(self) -> int:
        """Return the place."""
        return self.seek(0, os.SEEK_CUR)

    def write(self, data: bytes) -> int:
        """Write ``data``, and return how many bytes: all or none."""
        end = self.tell() + len(data)
        if self.error is not None and end > self._size:
            return 0
        try:
            rest = memoryview(data)
            while len(rest) > 0:  # on a full disk, the first write may be short, and the next one says why
                rest = rest[self._raw.write(rest) or 0 :]
        except BaseException as error:
            self._keep(error)
            with contextlib.suppress(OSError):
                self._raw.truncate(self._size)  # half a piece of a compressed file would be no sound
            return 0
        self._size = max(self._size, end)
        return len(data)

    def require_no_error(self) -> None:
        """Raise the first error."""
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        """Let all reach the disk, close the file in any case, and raise the first error."""
        if not self._raw.closed:
            try:
                with self._raw:
                    os.fsync(self._raw.fileno())
            except OSError as error:
                self._keep(error)
        self.require_no_error()

    def _keep(self, error: BaseException) -> None:
        if self.error is None:
            self.error = error
            if isinstance(error, OSError):
                error.filename = self._path


def _quantised(samples: npt.NDArray[np.float32], bits: int) -> npt.NDArray[np.int32]:
    """Return samples for a file of so many bits, in the upper bits of 32. Those beyond full scale are clipped.

    libsndfile itself would round down in a WAV file.
    """
    import numpy as np

    full_scale = 2.0 ** (bits - 1)
    whole = np.rint(samples * full_scale, dtype=np.float64).clip(-full_scale, full_scale - 1)
    shifted: npt.NDArray[np.int32] = whole.astype(np.int32) << (32 - bits)
    return shifted
