"""A metronome: clicks as a sequence, each confirmed by the audio thread."""

from __future__ import annotations

from cueline.engine import AudioEngine
from cueline.messages import Click

__all__ = ["Metronome"]

_BEATS = 4  # in a bar: the first click is higher


class Metronome:
    """``bpm`` clicks a minute on an engine with the tone processor, from ``first_frame`` on.

    The engine's timeline keeps its own tempo, because a tempo has other limits than ``bpm``.
    """

    def __init__(self, engine: AudioEngine, bpm: float, gain: float, first_frame: int) -> None:
        beats = engine.timeline.tempo / bpm  # quarter notes of the timeline from click to click
        clicks = [(beats * place, Click(1000.0 if place else 1500.0, gain)) for place in range(_BEATS)]
        self._sequence = engine.sequence(clicks, at=first_frame, loop_beats=beats * _BEATS)

    @property
    def on_time(self) -> int:
        """Clicks that sounded exactly at their frame."""
        return self._sequence.played - self._sequence.late

    @property
    def late(self) -> int:
        """Clicks that sounded after their frame."""
        return self._sequence.late

    def stop(self) -> None:
        """Cancel the clicks that have not sounded."""
        self._sequence.stop()
