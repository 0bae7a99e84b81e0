"""A metronome: clicks as cues, sent ahead of time and confirmed by the audio thread."""

from __future__ import annotations

from cueline.confirmation import Confirmation, RefusedError
from cueline.engine import AudioEngine
from cueline.errors import ConfirmationTimeout
from cueline.messages import Click
from cueline.ring_errors import Full

__all__ = ["Metronome"]

_AHEAD_S = 1.0  # Python may stall this long before a click is late
_FEWEST_BLOCKS_AHEAD = 4
_BEATS = 4  # in a bar: the first click is higher


class Metronome:
    """``bpm`` clicks a minute on an engine with the tone processor, from ``first_frame`` on."""

    def __init__(self, engine: AudioEngine, bpm: float, gain: float, first_frame: int) -> None:
        self.on_time = 0
        """Clicks that sounded exactly at their frame."""
        self.late = 0
        """Clicks that sounded after their frame."""
        self._engine = engine
        self._bpm = bpm
        self._gain = gain
        self._first_frame = first_frame
        self._samplerate = engine.samplerate  # the rate at the start, even if the device changes it later
        self._beat = 0
        self._under_way: list[tuple[int, Confirmation]] = []

    def frame_of(self, beat: int) -> int:
        """Return the nearest frame of a beat, counted from 0. Rounding errors do not add up."""
        return self._first_frame + round(beat * 60 * self._samplerate / self._bpm)

    def keep_ahead(self) -> None:
        """Send the next clicks, and count those that sounded. Call it more often than once a second."""
        ahead = max(round(_AHEAD_S * self._samplerate), _FEWEST_BLOCKS_AHEAD * self._engine.blocksize)
        until = self._engine.now() + ahead
        while (frame := self.frame_of(self._beat)) < until and self._send(frame):
            self._beat += 1
        self._count()

    def stop(self) -> None:
        """Cancel the clicks that have not sounded."""
        self._engine.cancel_all()
        self._count()

    def _send(self, frame: int) -> bool:
        click = Click(frequency_hz=1000.0 if self._beat % _BEATS else 1500.0, gain=self._gain)
        try:
            self._under_way.append((frame, self._engine.confirm(click, at=frame)))
        except Full:
            return False  # keep_ahead() tries again the next time
        return True

    def _count(self) -> None:
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
