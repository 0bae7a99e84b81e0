"""Player: sends hits ahead of time, each with its own frame, live or for a file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import cueline
import soundfile

from sampler.messages import PadEnded
from sampler.pattern import STEPS_A_BAR, Hit, Pattern, frame_of
from sampler.sampler import Sampler

__all__ = ["Player", "render"]

_AHEAD_S = 0.25  # how long Python may stall before a hit is missed
_MIN_BLOCKS_AHEAD = 4
_QUIET_S = 0.02  # longer than a pad takes to fade


class Player:
    """Plays a pattern on a sampler from ``first_frame`` on, for ``bars`` bars or until it is stopped.

    Call ``step()`` more often than four times a second. It never blocks. Hits that would reach the audio thread too
    late are skipped and counted: no drum is better than a late one.
    """

    def __init__(
        self,
        sampler: Sampler,
        pattern: Pattern,
        *,
        bpm: float = 120,
        swing: float = 0,
        bars: int | None = None,
        first_frame: int = 0,
    ) -> None:
        if not 20 <= bpm <= 400:
            raise ValueError(f"bpm must be from 20 to 400, got {bpm:g}")
        if not 0 <= swing < 1:
            raise ValueError(f"swing must be from 0 to less than 1, got {swing:g}")
        self.sent = 0
        """Hits that were sent."""
        self.missed = 0
        """Hits that were not sent, because their frame had passed."""
        self.ended: list[PadEnded] = []
        """The PadEnded events so far. You may clear this list."""
        self._told = 0
        self._sampler = sampler
        self._engine = sampler.engine
        self._bpm = bpm
        self._swing = swing
        self._first_frame = first_frame
        self._samplerate = sampler.engine.samplerate  # the rate at the start; frames are counted at this rate
        self._steps = None if bars is None else bars * STEPS_A_BAR
        self._hits: Iterator[Hit] = pattern.hits(self._steps)
        self._next = next(self._hits, None)

    @property
    def end_frame(self) -> int | None:
        """The frame after the last bar."""
        return None if self._steps is None else self.frame_of(self._steps)

    @property
    def done(self) -> bool:
        """Whether all hits were sent, and all triggered pads have ended."""
        counts = self._engine.stats()
        lost = counts.cues.dropped_late + counts.events.dropped
        return self._next is None and self._told + lost >= self.sent

    def frame_of(self, step: int) -> int:
        """Return the frame of a step, counted from 0."""
        return self._first_frame + frame_of(step, self._bpm, self._samplerate, self._swing)

    def step(self) -> None:
        """Send the hits of the next quarter of a second, and receive the events of the pads."""
        now = self._engine.now()
        ahead = max(round(_AHEAD_S * self._samplerate), _MIN_BLOCKS_AHEAD * self._engine.blocksize)
        while self._next is not None and (frame := self.frame_of(self._next.step)) < now + ahead:
            if frame < now:
                self.missed += 1
            elif self._sampler.trigger(self._next.pad, self._next.velocity, frame, late="drop") is cueline.Status.FULL:
                break  # the ring is full: try again at the next step
            else:
                self.sent += 1
            self._next = next(self._hits, None)
        for message in self._engine.messages():
            if isinstance(message, PadEnded):
                self.ended.append(message)
                self._told += 1

    def stop(self) -> None:
        """Cancel the hits to come, and silence all pads. Call it once, and do not call ``step()`` after it."""
        self._next = None
        while self._engine.cancel_all() is cueline.Status.FULL:
            time.sleep(_QUIET_S)
        self._sampler.stop_all()
        if self._engine.device == "offline":
            return
        until = self._engine.now() + round(_QUIET_S * self._samplerate) + 2 * self._engine.blocksize
        deadline_s = time.monotonic() + 1
        while self._engine.now() < until and time.monotonic() < deadline_s:
            time.sleep(_QUIET_S / 4)


def render(sampler: Sampler, player: Player, path: str | Path) -> int:
    """Render what ``player`` plays, offline, into a WAV file of 32-bit floats. Return the number of frames.

    The file ends with the last bar or the last sound, whichever is later. A pad that loops is stopped after the time
    of the longest sound.
    """
    engine = sampler.engine
    if player.end_frame is None:
        raise ValueError("a file needs an end: make the player with bars")
    piece = engine.samplerate // 10  # shorter than the time by which the player is ahead
    with soundfile.SoundFile(path, "w", engine.samplerate, engine.outputs, subtype="FLOAT", format="WAV") as file:
        player.step()
        while (left := player.end_frame - engine.now()) > 0 or not player.done:
            longest = max((loaded.frames for loaded in sampler.loaded if loaded is not None), default=0)
            if left <= -longest:
                sampler.stop_all()
            file.write(engine.render(min(piece, left) if left > 0 else piece))
            player.step()
    return engine.now()
