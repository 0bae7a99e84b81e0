"""Blocks of a recording at another sample rate than the engine's."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING

from cueline.recorded import Block

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt

    from cueline.converting import Converter

    Run = Callable[[int], tuple[Block, bool]]
    """Reads frames up to the next gap, at most so many. Returns them, and whether that was the end."""

__all__ = ["ConvertedBlocks"]

_PIECE = 512  # frames of the engine that are read at once, at least


class ConvertedBlocks:
    """Reads runs of a recording, and converts them to blocks at another rate.

    A run is converted from its first frame to its last one. At a gap, the next run begins; or, while ``fills_gaps`` is
    set, the run goes on with zeros. In what it returns, the samples are at the other rate. Numbers of frames and of
    lost frames are always the engine's.
    """

    def __init__(self, converter: Converter, samplerate: int, engine_rate: int) -> None:
        self.fills_gaps = False
        self._converter = converter
        self._samplerate, self._engine_rate = samplerate, engine_rate
        self._following: Block | None = None  # was read and not converted
        self._missing = 0  # frames before those
        self._open = False  # whether the converter has a run
        self._first = 0  # the run's first frame
        self._taken = 0  # how many samples of the run take() has returned
        self._held: collections.deque[npt.NDArray[np.float32]] = collections.deque()  # the next ones of the run
        self._zeros: collections.deque[tuple[int, int]] = collections.deque()  # first and end of those in the run
        self._lost = 0  # frames before the run
        self._ended = False

    def may_grow(self, count: int, run: Run) -> bool:
        """Return whether the next block may get more samples, up to ``count``, later than now."""
        held = self._fill(count, run)
        return held < count and (self._open or not (held or self._ended))

    def take(self, count: int, run: Run) -> tuple[Block, bool]:
        """Return the next samples of a run, ``count`` at most, and whether they are the last ones of the recording."""
        some = min(count, self._fill(count, run))
        over = self._ended and not self._open and some == 0
        first = self._frame()
        samples = self._pop(some)
        self._taken += some
        lost = self._zeros_up_to(self._frame()) if self._open or self._held else self._zeros_up_to(None)
        if some > 0 or over:
            lost += self._lost
            self._lost = 0
        return Block(first, samples, lost), over

    def _fill(self, count: int, run: Run) -> int:
        """Convert until ``count`` samples are held, the run is over, or nothing waits. Return how many are held."""
        held = sum(map(len, self._held))
        while held < count and (self._open or held == 0):
            if self._following is None:
                wanted = -(-(count - held) * self._engine_rate // self._samplerate)
                block, self._ended = run(max(wanted, _PIECE))
                if len(block.samples) == 0 and block.lost == 0:
                    held += self._close_run() if self._ended else 0
                    break
                self._following, self._missing = block, block.lost
            held += self._convert(self._following)
        return held

    def _convert(self, block: Block) -> int:
        """Convert the block that follows, or some of the zeros before it. Return how many samples came of that."""
        import numpy as np

        if not self._open:
            self._begin_run(block)
        if self._missing > 0 and not self.fills_gaps:
            return self._close_run()
        if self._missing > 0:
            zeros = np.zeros((min(self._missing, _PIECE), block.samples.shape[1]), np.float32)
            first = block.frame - self._missing
            self._zeros.append((first, first + len(zeros)))
            self._missing -= len(zeros)
            return self._hold(self._converter.convert(zeros))
        self._following = None
        return self._hold(self._converter.convert(block.samples))

    def _begin_run(self, block: Block) -> None:
        self._open, self._taken = True, 0
        if not self.fills_gaps:
            self._lost += self._missing
            self._missing = 0
        self._first = block.frame - self._missing

    def _close_run(self) -> int:
        if not self._open:
            return 0
        self._open = False
        return self._hold(self._converter.end())

    def _hold(self, samples: npt.NDArray[np.float32]) -> int:
        if len(samples) > 0:
            self._held.append(samples)
        return len(samples)

    def _pop(self, count: int) -> npt.NDArray[np.float32]:
        import numpy as np

        samples = np.concatenate([*self._held, self._converter.nothing])
        self._held.clear()
        self._hold(samples[count:])
        return samples[:count]

    def _frame(self) -> int:
        """Return the engine's frame that is nearest to the next sample of the run."""
        return self._first + (2 * self._taken * self._engine_rate + self._samplerate) // (2 * self._samplerate)

    def _zeros_up_to(self, end: int | None) -> int:
        """Return how many zeros are in the run before the frame ``end``, of those that were not counted before."""
        count = 0
        while self._zeros and (end is None or self._zeros[0][0] < end):
            first, after = self._zeros.popleft()
            stop = after if end is None else min(after, end)
            count += stop - first
            if stop < after:
                self._zeros.appendleft((stop, after))
        return count
