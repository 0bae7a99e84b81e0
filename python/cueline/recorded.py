"""What a recording returns: blocks of frames, the gaps between them, and its position."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["Block", "Gap", "RecordingPosition"]


class Block(NamedTuple):
    """Frames of a recording, which follow each other."""

    frame: int
    """The engine's frame of the first one."""
    samples: npt.NDArray[np.float32]
    """The samples, of shape (frames, channels), at the recording's own ``samplerate``."""
    lost: int
    """How many of the engine's frames are missing before them.

    With ``gaps="zeros"``: how many were missing here, and are zeros now.
    """


class Gap(NamedTuple):
    """Frames of the engine that a recording lost, because nobody read it in time."""

    frame: int
    """The first of them."""
    frames: int


class RecordingPosition(NamedTuple):
    """A recording after the block that ended last, in the engine's frames: ``frame - first == recorded + lost``."""

    first: int
    """The engine's frame at which it began."""
    frame: int
    """The engine's frame up to which it recorded."""
    recorded: int
    lost: int
