"""Arrays of samples: checked, converted to float32 for C++, and to another sample rate by soxr."""

from __future__ import annotations

import os
import sys

from cueline.arguments import checked_integer, shown
from cueline.errors import ArgumentError, ArgumentTypeError, MissingPackageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, SupportsIndex

    import numpy as np
    import numpy.typing as npt

__all__ = [
    "MAX_SAMPLES",
    "checked_samplerate",
    "checked_samples",
    "first_not_finite",
    "of_pcm",
    "optional_soxr",
    "require_finite",
    "resampled",
]

MAX_SAMPLES = 2**31 - 1
_MAX_CHANNELS = 1024
_LOWEST_RATE, _HIGHEST_RATE = 1000, 768_000  # an engine's
_INT16_SCALE = 2.0**-15
_SCALES = {  # the way out for integers that could mean more than one thing, as 24 bits in an int32
    "int8": "array / 2**7",
    "int32": "array / 2**31, or array / 2**23 for 24 bits",
    "uint8": "array / 2**7 - 1",
}
_READS = "cueline.load(path, samplerate=engine.samplerate) reads"
_PATH_WAY_OUT = {"array": f"engine.load(slot, path) loads a file, and {_READS} one"}  # publish()'s


def checked_samples(array: npt.ArrayLike, name: str = "array", if_empty: str | None = None) -> npt.NDArray[np.float32]:
    """Return ``array`` as contiguous float32 of shape (frames, channels): the same array if it already is that.

    It may be empty, unless ``if_empty`` says what to do instead. Errors call it ``name``. Floats of other widths are
    rounded; int16 is divided by 32768. Raises ArgumentError, ArgumentTypeError.
    """
    import numpy as np  # here, because `import cueline` must stay quick

    # Not np.ma, which takes 10 ms to import: whoever has a masked array has imported it.
    if isinstance(array, getattr(sys.modules.get("numpy.ma"), "MaskedArray", ())):
        raise ArgumentTypeError(
            f"{name} must not be masked, because its masked samples would sound: use {name}.filled(0)"
        )
    if isinstance(array, (str, os.PathLike)):
        way_out = _PATH_WAY_OUT.get(name, f"{_READS} a file")
        raise ArgumentTypeError(f"{name} must hold floats or int16, got {shown(array)}: {way_out}")
    if isinstance(array, range):  # NumPy would make all of its numbers first
        raise ArgumentTypeError(f"{name} must hold floats or int16, got {shown(array)}")
    try:
        given = np.asarray(array)
    except (TypeError, ValueError) as error:
        raise ArgumentTypeError(f"{name} must be an array of floats, got {shown(array)}: {error}") from None
    is_int16 = given.dtype.kind == "i" and given.dtype.itemsize == 2
    if given.dtype.kind != "f" and not is_int16:
        raise ArgumentTypeError(f"{name} must hold floats or int16, got {given.dtype}{_scale_of(given.dtype)}")
    if given.ndim not in (1, 2):
        raise ArgumentError(f"{name} must have shape (frames,) or (frames, channels), got {given.shape}")
    if given.size == 0 and if_empty is not None:
        raise ArgumentError(f"{name} must not be empty, got shape {given.shape}: {if_empty}")
    if given.size > MAX_SAMPLES:
        raise ArgumentError(f"{name} must hold at most {MAX_SAMPLES} samples, got {given.size}")
    samples = given[:, np.newaxis] if given.ndim == 1 else given
    if samples.shape[1] > _MAX_CHANNELS:
        raise ArgumentError(
            f"{name} must have at most {_MAX_CHANNELS} channels, got shape {given.shape}: "
            "frames come first, so transpose the array if channels do"
        )
    if is_int16:
        scaled = np.empty(samples.shape, np.float32)
        np.multiply(samples, np.float32(_INT16_SCALE), out=scaled)
        return scaled
    try:
        with np.errstate(over="raise", under="ignore", invalid="ignore"):
            return np.ascontiguousarray(samples, dtype=np.float32)
    except FloatingPointError:
        greatest = float(np.finfo(np.float32).max)
        raise ArgumentError(f"{name} must hold numbers that fit float32, up to {greatest:.3g}, got more") from None


def _scale_of(dtype: np.dtype[np.generic]) -> str:
    if dtype.kind not in "iu":
        return ""
    scaled = _SCALES.get(dtype.newbyteorder("=").name)
    return f": scale it to floats, full scale -1 to 1{f', as in {scaled}' if scaled else ''}"


def checked_samplerate(name: str, samplerate: SupportsIndex) -> int:
    """Return ``samplerate`` as an int that an engine could have. Raises ArgumentError, ArgumentTypeError."""
    rate = checked_integer(name, samplerate)
    if not _LOWEST_RATE <= rate <= _HIGHEST_RATE:
        raise ArgumentError(f"{name} must be from {_LOWEST_RATE} to {_HIGHEST_RATE} Hz, got {rate}")
    return rate


def first_not_finite(samples: npt.NDArray[np.float32]) -> tuple[int, int] | None:
    """Return the frame and the channel of the first sample that is NaN or infinite, or None."""
    import numpy as np

    if np.isfinite(samples).all():
        return None
    frame, channel = np.argwhere(~np.isfinite(samples))[0]
    return int(frame), int(channel)


def resampled(
    samples: npt.NDArray[np.float32], samplerate: int, wanted: int, name: str = "array"
) -> npt.NDArray[np.float32]:
    """Return ``samples`` of ``samplerate`` at the rate ``wanted``: the same array if these are equal.

    Raises ArgumentError if nothing would be left, if too much would come of it, or if a sample is not finite;
    MissingPackageError.
    """
    if samplerate == wanted:
        return samples
    soxr = optional_soxr(name, samplerate, wanted)
    frames, channels = samples.shape
    if frames * wanted // samplerate * channels > MAX_SAMPLES:
        raise ArgumentError(
            f"{name} must hold at most {MAX_SAMPLES} samples at {wanted} Hz, got {frames} frames at {samplerate} Hz"
        )
    require_finite(samples, samplerate, wanted, name)
    converted: npt.NDArray[np.float32] = soxr.resample(samples, samplerate, wanted, quality="VHQ")
    if len(converted) == 0:
        raise ArgumentError(f"{name} must be at least one frame long at {wanted} Hz, got {frames} at {samplerate} Hz")
    return converted


def require_finite(samples: npt.NDArray[np.float32], samplerate: int, wanted: int, name: str) -> None:
    """Raise ArgumentError if a sample that is to be converted is NaN or infinite."""
    if (place := first_not_finite(samples)) is not None:
        raise ArgumentError(
            f"{name} must hold finite numbers to be converted from {samplerate} to {wanted} Hz, got {samples[place]} "
            f"at frame {place[0]}, channel {place[1]}: numpy.nan_to_num() replaces such samples"
        )


def optional_soxr(name: str, samplerate: int, wanted: int) -> Any:
    """Return the module soxr, which converts the rate of what errors call ``name``. Raises MissingPackageError."""
    try:
        import soxr  # optional
    except ImportError as error:
        raise MissingPackageError(
            f"{name} has {samplerate} Hz, and soxr, which converts it to {wanted} Hz, cannot be imported ({error}): "
            "pip install 'cueline[files]'"
        ) from None
    return soxr


def of_pcm(data: bytes | bytearray | memoryview, channels: int, name: str) -> npt.NDArray[np.int16]:
    """Return the samples of PCM data as an array of shape (frames, channels): 16 bits, little-endian, interleaved.

    Raises ArgumentError if that is no whole number of frames.
    """
    import numpy as np

    frame_bytes = 2 * channels
    count = memoryview(data).nbytes
    if rest := count % frame_bytes:
        raise ArgumentError(
            f"{name} must be whole frames of {frame_bytes} bytes (16 bits, {channels} channels), got {count} bytes: "
            f"keep the last {rest} for the next call"
        )
    if count == 0:
        return np.empty((0, channels), np.int16)
    return np.frombuffer(memoryview(data).tobytes(), "<i2").reshape(-1, channels)
