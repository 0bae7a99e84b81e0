"""Player: a pattern as a sequence of hits, live or for a file."""

from __future__ import annotations

import time
from pathlib import Path

import soundfile

from sampler.messages import PadEnded, Trigger
from sampler.pattern import STEPS_A_BAR, STEPS_A_BEAT, Pattern, beat_of, frame_of
from sampler.sampler import Sampler

__all__ = ["Player", "render"]

_QUIET_S = 0.02  # longer than a pad takes to fade


class Player:
    """Plays a pattern on a sampler from ``first_frame`` on, for ``bars`` bars or until it is stopped.

    It sets the tempo of the engine's timeline. Hits that reach the audio thread too late are left out and counted: no
    drum is better than a late one.
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
        steps = 2 * pattern.steps if self._steps is None else self._steps  # even: every second step swings
        hits = [(beat_of(hit.step, swing), Trigger(pad=hit.pad, velocity=hit.velocity)) for hit in pattern.hits(steps)]
        if self._steps is None and not hits:
            raise ValueError("a pattern without a hit has no end to play to")
        self._engine.timeline.tempo = bpm
        self._sequence = self._engine.sequence(
            hits, at=first_frame, loop_beats=steps / STEPS_A_BEAT if self._steps is None else None, late="drop"
        )

    @property
    def sent(self) -> int:
        """Hits that the audio thread has played."""
        return self._sequence.played

    @property
    def missed(self) -> int:
        """Hits that were left out, because they came too late."""
        return self._sequence.late

    @property
    def end_frame(self) -> int | None:
        """The frame after the last bar."""
        return None if self._steps is None else self.frame_of(self._steps)

    @property
    def done(self) -> bool:
        """Whether all hits were played, and all triggered pads have ended."""
        return self._sequence.done() and self._told + self._engine.stats().events.dropped >= self.sent

    def frame_of(self, step: int) -> int:
        """Return the frame of a step, counted from 0."""
        return self._first_frame + frame_of(step, self._bpm, self._samplerate, self._swing)

    def step(self) -> None:
        """Receive the events of the pads. It never blocks."""
        for message in self._engine.messages():
            if isinstance(message, PadEnded):
                self.ended.append(message)
                self._told += 1

    def stop(self) -> None:
        """Cancel the hits to come, and silence all pads."""
        self._sequence.stop()
        self._sequence.wait(1)
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
    piece = engine.samplerate // 10
    with soundfile.SoundFile(path, "w", engine.samplerate, engine.outputs, subtype="FLOAT", format="WAV") as file:
        while (left := player.end_frame - engine.now()) > 0 or not player.done:
            longest = max((loaded.frames for loaded in sampler.loaded if loaded is not None), default=0)
            if left <= -longest:
                sampler.stop_all()
            file.write(engine.render(min(piece, left) if left > 0 else piece))
            player.step()
    return engine.now()
