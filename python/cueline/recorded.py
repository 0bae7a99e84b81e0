"""What a recording returns: blocks of frames, the gaps between them, and its position."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import collections

    import numpy as np
    import numpy.typing as npt

__all__ = ["Block", "Gap", "RecordingPosition", "cut", "cut_run"]


class Block(NamedTuple):
    """Frames of a recording, which follow each other."""

    frame: int
    """The engine's frame at the first of these samples."""
    samples: npt.NDArray[np.float32]
    """The samples, of shape (frames, channels), at the recording's own ``samplerate``."""
    lost: int
    """How many of the engine's frames are missing before them.

    With ``gaps="zeros"``: how many were missing here, and are zeros now.
    """


class Gap(NamedTuple):
    """Frames of the engine that a recording lost, because nobody read it in time."""

    frame: int
    """The first lost frame."""
    frames: int


class RecordingPosition(NamedTuple):
    """A recording after the block that ended last, in the engine's frames: ``frame - first == recorded + lost``."""

    first: int
    """The engine's frame at which it began."""
    frame: int
    """The engine's frame up to which it recorded."""
    recorded: int
    lost: int


def cut_run(blocks: collections.deque[Block], most: int) -> Block:
    """Take the first of ``blocks``, or its first ``most`` frames."""
    frame, samples, lost = blocks.popleft()
    if len(samples) > most:
        blocks.appendleft(Block(frame + most, samples[most:], 0))
    return Block(frame, samples[:most], lost)


def cut(blocks: collections.deque[Block], count: int, channels: int) -> Block:
    """Take ``count`` frames of ``blocks``, which must hold so many, with zeros for those that were lost."""
    import numpy as np  # here, because `import cueline` must stay quick

    filled = zeros = 0
    first = blocks[0].frame - blocks[0].lost
    samples = np.zeros((count, channels), np.float32)
    while filled < count:
        lost = blocks[0].lost
        if lost > count - filled:  # the rest of the gap stays
            blocks[0] = blocks[0]._replace(lost=lost - (count - filled))
            return Block(first, samples, zeros + count - filled)
        filled += lost
        zeros += lost
        run = cut_run(blocks, count - filled).samples
        samples[filled : filled + len(run)] = run
        filled += len(run)
    return Block(first, samples, zeros)
