"""A metronome: clicks sent ahead of their time, each a cue for its own frame, and the audio thread's word for each."""

from __future__ import annotations

from cueline.confirmation import Confirmation, RefusedError
from cueline.engine import AudioEngine
from cueline.errors import ConfirmationTimeout, Full
from cueline.messages import Click

__all__ = ["Metronome"]

_AHEAD_S = 1.0  # how long Python may stall without a click being late
_FEWEST_BLOCKS_AHEAD = 4
_BEATS = 4  # in a bar: the first of them is higher


class Metronome:
    """Clicks at ``bpm`` a minute on an engine with the tone processor, from ``first_frame`` on."""

    def __init__(self, engine: AudioEngine, bpm: float, gain: float, first_frame: int) -> None:
        self.on_time = 0
        """Clicks that sounded, each at the frame that it was for."""
        self.late = 0
        """Clicks that sounded after it."""
        self._engine = engine
        self._bpm = bpm
        self._gain = gain
        self._first_frame = first_frame
        self._samplerate = engine.samplerate  # as it begins: frames are counted by it
        self._beat = 0
        self._under_way: list[tuple[int, Confirmation]] = []

    def frame_of(self, beat: int) -> int:
        """Return the frame of a beat, counted from 0: the nearest, so that no error adds up."""
        return self._first_frame + round(beat * 60 * self._samplerate / self._bpm)

    def keep_ahead(self) -> None:
        """Send the clicks of the time to come, and hear of those that were. Call it more often than once a second."""
        ahead = max(round(_AHEAD_S * self._samplerate), _FEWEST_BLOCKS_AHEAD * self._engine.blocksize)
        until = self._engine.now() + ahead
        while (frame := self.frame_of(self._beat)) < until and self._send(frame):
            self._beat += 1
        self._hear()

    def stop(self) -> None:
        """Forget the clicks that have not sounded."""
        self._engine.cancel_all()
        self._hear()

    def _send(self, frame: int) -> bool:
        click = Click(frequency_hz=1000.0 if self._beat % _BEATS else 1500.0, gain=self._gain)
        try:
            self._under_way.append((frame, self._engine.confirm(click, at=frame)))
        except Full:
            return False  # the next time, then
        return True

    def _hear(self) -> None:
        still: list[tuple[int, Confirmation]] = []
        for frame, confirmation in self._under_way:
            try:
                applied = confirmation.result(0)
            except ConfirmationTimeout:
                still.append((frame, confirmation))
            except RefusedError:
                pass  # cancelled
            else:
                self.on_time += applied.frame == frame
                self.late += applied.frame != frame
        self._under_way = still
