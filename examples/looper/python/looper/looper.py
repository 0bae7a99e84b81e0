"""Looper: 216 pads in Python, on an engine with the looper's processor."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Any

import cueline
import numpy as np
import numpy.typing as npt

from looper import _looper
from looper.messages import STEMS, LoadPad, SetLoop, SetStems, StopPads, Trigger, UnloadPad

if TYPE_CHECKING:
    from cueline.processors import CapsuleType
    from typing_extensions import Self

__all__ = ["Looper"]

_PATIENCE_S = 5.0  # how long the loader waits for room


class Looper:
    """216 pads, 0 to 215, on an engine of their own. Use ``engine`` for all that this class does not offer.

    ``device`` and the options are those of ``cueline.AudioEngine``. In a ``with``, the engine starts, and closes at the
    end. ``gain``, ``speed``, ``low``, ``mid`` and ``high`` are live arrays with a number for each pad. Calls that send
    never block: they return ``Status.OK`` or ``Status.FULL``.
    """

    def __init__(self, device: str | int | None = None, **options: Any) -> None:
        self.engine = cueline.AudioEngine(device, processor=self, **options)
        self.gain, self.speed, self.low, self.mid, self.high = (
            self.engine.parameters.array(name) for name in ("gain", "speed", "low", "mid", "high")
        )
        self._line = self.engine.open_line()  # the loader's: nothing waits behind its commands
        self._loader = ThreadPoolExecutor(1, "loader")

    def __cueline_processor__(self) -> CapsuleType:
        """Return a new processor. The engine looks for this method in its ``processor`` argument."""
        return _looper.processor()

    def __enter__(self) -> Self:
        self.engine.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._loader.shutdown(cancel_futures=True)
        self.engine.close()

    def load(
        self, pad: int, *stems: npt.NDArray[np.floating[Any]], at: int | None = None
    ) -> Future[cueline.Confirmation]:
        """Load up to five arrays of shape (frames,) or (frames, 2) into a pad, on the loader's thread.

        Returns at once. The future has the confirmation of the command, or cueline.Full if there was no room. A pad
        that plays goes on in its new stems. All of them sound, in a loop as long as the shortest.
        """
        if len(stems) > STEMS:
            raise ValueError(f"a pad has at most {STEMS} stems, got {len(stems)}")
        return self._loader.submit(self._load, pad, stems, at)

    def _load(self, pad: int, stems: Sequence[npt.NDArray[np.floating[Any]]], at: int | None) -> cueline.Confirmation:
        handles: list[int] = []
        try:
            for stem in stems:
                handles.append(self.engine.load_buffer(stem, timeout=_PATIENCE_S))
            message = LoadPad(pad=pad, stems=(*handles, *[0] * (STEMS - len(handles))))
            return self._line.confirm(message, at, timeout=_PATIENCE_S)
        except BaseException:  # the processor does not have them
            for handle in handles:
                self._line.send(cueline.UnloadBuffer(handle), timeout=_PATIENCE_S)
            raise

    def unload(self, pad: int, at: int | None = None) -> Future[cueline.Confirmation]:
        """Stop a pad and remove its stems, after the loads that were requested before."""
        return self._loader.submit(self._line.confirm, UnloadPad(pad=pad), at, timeout=_PATIENCE_S)

    def trigger(self, pad: int, grid: int = 0, at: int | None = None) -> cueline.Status:
        """Play a pad from its loop's start, at the next frame that is a multiple of ``grid``. 0 is at once."""
        return self.engine.send(Trigger(pad=pad, grid=grid), at)

    def stop(self, pad: int, grid: int = 0, at: int | None = None) -> cueline.Status:
        """Stop a pad, and cancel its trigger that waits. It fades in 5 ms."""
        return self.engine.send(StopPads(pad=pad, count=1, grid=grid), at)

    def stop_all(self, grid: int = 0, at: int | None = None) -> cueline.Status:
        """Stop all pads, and cancel all triggers that wait."""
        return self.engine.send(StopPads(grid=grid), at)

    def set_loop(self, pad: int, start: int = 0, end: int = 0, at: int | None = None) -> cueline.Status:
        """Move a pad's loop to the frames from ``start`` to before ``end``. An end of 0 is the end of the stems."""
        return self.engine.send(SetLoop(pad=pad, start=start, end=end), at)

    def set_stems(self, pad: int, *sounding: int, at: int | None = None) -> cueline.Status:
        """Set which stems of a pad sound: 0 is the first one."""
        return self.engine.send(SetStems(pad=pad, mask=sum(1 << stem for stem in sounding)), at)

    def midi_thread(self, notes: list[tuple[int, int]], grid: int = 0) -> _looper.MidiThread:
        """Start a thread in C++ that triggers pads: each note is a frame and a pad. It needs no GIL."""
        return _looper.midi_thread(self.engine, notes, grid)
