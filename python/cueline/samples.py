"""Arrays of samples: checked, and converted to float32 for C++."""

from __future__ import annotations

from cueline.arguments import shown
from cueline.errors import ArgumentError, ArgumentTypeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["checked_samples"]

_MAX_SAMPLES = 2**31 - 1
_MAX_CHANNELS = 1024


def checked_samples(array: npt.ArrayLike, name: str = "array", if_empty: str | None = None) -> npt.NDArray[np.float32]:
    """Return ``array`` as contiguous float32 of shape (frames, channels): the same array if it already is that.

    It may be empty, unless ``if_empty`` says what to do instead. Errors call it ``name``. Floats of other widths are
    rounded. Raises ArgumentError, ArgumentTypeError.
    """
    import numpy as np  # here, because `import cueline` must stay quick

    if isinstance(array, np.ma.MaskedArray):
        raise ArgumentTypeError(
            f"{name} must not be masked, because its masked samples would sound: use {name}.filled(0)"
        )
    if isinstance(array, range):  # NumPy would make all of its numbers first
        raise ArgumentTypeError(f"{name} must hold floats, got {shown(array)}")
    try:
        given = np.asarray(array)
    except (TypeError, ValueError) as error:
        raise ArgumentTypeError(f"{name} must be an array of floats, got {shown(array)}: {error}") from None
    if given.dtype.kind != "f":
        hint = ": scale it to floats, full scale -1 to 1" if given.dtype.kind in "iu" else ""
        raise ArgumentTypeError(f"{name} must hold floats, got {given.dtype}{hint}")
    if given.ndim not in (1, 2):
        raise ArgumentError(f"{name} must have shape (frames,) or (frames, channels), got {given.shape}")
    if given.size == 0 and if_empty is not None:
        raise ArgumentError(f"{name} must not be empty, got shape {given.shape}: {if_empty}")
    if given.size > _MAX_SAMPLES:
        raise ArgumentError(f"{name} must hold at most {_MAX_SAMPLES} samples, got {given.size}")
    samples = given[:, np.newaxis] if given.ndim == 1 else given
    if samples.shape[1] > _MAX_CHANNELS:
        raise ArgumentError(
            f"{name} must have at most {_MAX_CHANNELS} channels, got shape {given.shape}: "
            "frames come first, so transpose the array if channels do"
        )
    try:
        with np.errstate(over="raise", under="ignore", invalid="ignore"):
            return np.ascontiguousarray(samples, dtype=np.float32)
    except FloatingPointError:
        greatest = float(np.finfo(np.float32).max)
        raise ArgumentError(f"{name} must hold numbers that fit float32, up to {greatest:.3g}, got more") from None
