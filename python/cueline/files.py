"""Sound files: load() reads one into an array. soundfile reads it and soxr converts its rate: ``cueline[files]``."""

from __future__ import annotations

import contextlib
import os
import stat
import sys

from cueline.arguments import shown
from cueline.errors import ArgumentError, ArgumentTypeError, MissingPackageError
from cueline.samples import MAX_SAMPLES, checked_samplerate, checked_samples, first_not_finite, resampled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, SupportsIndex

    import numpy as np
    import numpy.typing as npt

__all__ = ["file_name", "load", "optional_soundfile"]

_UNKNOWN = 2**63 - 1  # frames, as libsndfile says for a FLAC file without a length


def load(path: str | os.PathLike[str], *, samplerate: SupportsIndex) -> npt.NDArray[np.float32]:
    """Read a sound file, and return its samples at ``samplerate`` frames a second (1000 to 768000).

    Returns a float32 array of shape (frames, channels), full scale -1 to 1. libsndfile reads the file: WAV, RF64, FLAC,
    AIFF, Ogg, MP3 and more. If the file has another rate, soxr converts it. Both come with
    ``pip install 'cueline[files]'``.

    Raises FileNotFoundError, PermissionError and other OSErrors as ``open()`` does. Raises ArgumentError for a file
    that is not a sound file, is damaged, has no samples, has more than 2147483647 of them, or has samples that are NaN
    or infinite; ArgumentTypeError for a path that is neither a string nor a Path; MissingPackageError; MemoryError.
    """
    rate = checked_samplerate("samplerate", samplerate)
    name = _readable(path)
    soundfile = optional_soundfile("reads")
    try:
        with soundfile.SoundFile(name if sys.platform == "win32" else os.fsencode(name)) as file:
            own_rate = checked_samplerate(f"the samplerate of {name!r}", file.samplerate)
            _require_room(name, file.frames, file.channels, own_rate)
            _require_room(name, file.frames * rate // own_rate, file.channels, rate)
            read = file.read(file.frames, dtype="float32", always_2d=True)
    except TypeError:  # soundfile takes any file of this name for raw samples
        raise ArgumentError(
            f"{name!r} has raw samples, by its name, and they have no header: read it with soundfile.read(path, "
            "samplerate=, channels=, subtype=), or give it the ending of its format"
        ) from None
    except soundfile.SoundFileError as error:
        why = getattr(error, "error_string", "").strip() or str(error)
        raise ArgumentError(f"{name!r} is not a sound file that can be read: {why}") from None
    samples = checked_samples(read, repr(name), if_empty="the file has no frames")
    if (place := first_not_finite(samples)) is not None:
        raise ArgumentError(
            f"{name!r} has {samples[place]} at frame {place[0]}, channel {place[1]}: "
            "read it with soundfile.read(), and replace such samples with numpy.nan_to_num()"
        )
    return resampled(samples, own_rate, rate, repr(name))


def optional_soundfile(what: str) -> Any:
    """Return the module soundfile, which ``what`` ("reads", "writes") sound files. Raises MissingPackageError."""
    try:
        import soundfile  # optional, and here because it takes long
    except (ImportError, OSError) as error:  # OSError: without libsndfile
        raise MissingPackageError(
            f"soundfile, which {what} sound files, cannot be imported ({error}): pip install 'cueline[files]'"
        ) from None
    return soundfile


def file_name(path: str | os.PathLike[str], *, not_a_path: str = "", not_a_file: str = "") -> str:
    """Return ``path`` as a string. Raises ArgumentError if it is a pipe or a device.

    ``not_a_path`` and ``not_a_file`` are the ends of its errors: they say what to do instead.
    """
    try:
        name = os.fspath(path)
    except TypeError:
        name = None
    if not isinstance(name, str):
        raise ArgumentTypeError(f"path must be a string or a Path, got {shown(path)}{not_a_path}")
    if "\0" in name:
        raise ArgumentError(f"path must not contain a NUL character, got {name!r}")
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        raise ArgumentError(f"path must be a name that a file can have, got {name!r}") from None
    with contextlib.suppress(OSError):  # open() raises it, if it is one
        kind = os.stat(name).st_mode  # noqa: PTH116
        if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
            raise ArgumentError(f"path must be a file, got {name!r}, which is a pipe or a device{not_a_file}")
    return name


def _readable(path: str | os.PathLike[str]) -> str:
    """Return ``path`` as a string, if it is a regular file that can be opened."""
    name = file_name(path, not_a_path=": engine.publish(slot, array) takes an array", not_a_file=": write it to a file")
    with open(name, "rb"):  # noqa: PTH123  # raises what soundfile only describes: a directory, no permission
        return name


def _require_room(name: str, frames: int, channels: int, samplerate: int) -> None:
    if frames >= _UNKNOWN:
        raise ArgumentError(
            f"{name!r} does not say how many frames it has, so it was not completed: read a part of it with "
            "soundfile.read(path, frames=)"
        )
    if frames * channels > MAX_SAMPLES:
        raise ArgumentError(
            f"{name!r} must hold at most {MAX_SAMPLES} samples, got {frames} frames of {channels} channels at "
            f"{samplerate} Hz: read a part of it with soundfile.read(path, start=, stop=)"
        )
