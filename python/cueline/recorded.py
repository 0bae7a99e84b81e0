"""What a recording returns: blocks of frames, and the gaps between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["Block", "Gap"]


class Block(NamedTuple):
    """Frames of a recording, which follow each other."""

    frame: int
    """The engine's frame of the first one."""
    samples: npt.NDArray[np.float32]
    """The samples, of shape (frames, channels)."""
    lost: int
    """How many frames are missing before them; with ``gaps="zeros"``, how many of them are zeros in place of those."""


class Gap(NamedTuple):
    """Frames that a recording lost, because nobody read it in time."""

    frame: int
    """The first of them."""
    frames: int
