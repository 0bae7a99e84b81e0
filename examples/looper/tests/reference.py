"""The looper in NumPy, one frame after the other: the same operations on the same floats, in the same order."""

from __future__ import annotations

import heapq
import math
from typing import Any

import cueline
import numpy as np
import numpy.typing as npt

from looper.messages import PADS, PadEnded, Reason, SetLoop, SetStems, StopPads, Trigger, UnloadPad

Sound = npt.NDArray[np.float32]

SAMPLERATE = 48_000
VOICES = 32
KNOBS = ("gain", "speed", "low", "mid", "high")
FADE = SAMPLERATE // 200
WINDOW = SAMPLERATE // 50
RAMP = SAMPLERATE // 50


def step_of(hertz: float) -> Sound:
    return np.array(1 - math.exp(-2 * math.pi * hertz / SAMPLERATE), np.float32)


def which(places: npt.NDArray[np.bool_]) -> list[int]:
    found: list[int] = np.flatnonzero(places).tolist()
    return found


class Load:
    """What becomes a LoadPad: a pad and its stems."""

    def __init__(self, pad: int, *stems: Sound) -> None:
        self.pad = pad
        self.stems = stems


class Ramps:
    """The parameters: a value of each pad that moves in a straight line."""

    def __init__(self) -> None:
        self.target = np.ones(PADS)
        self.half_from = np.zeros(PADS)
        self.half_step = np.zeros(PADS)
        self.first = np.zeros(PADS, np.int64)
        self.end = np.zeros(PADS, np.int64)

    def before(self, frame: int) -> npt.NDArray[np.float64]:
        steps = np.maximum(frame - self.first, 0)
        return np.where(frame >= self.end, self.target, (self.half_from + self.half_step * steps) * 2)

    def write(self, pad: int, value: float, frame: int) -> None:
        self.half_from[pad] = self.before(frame)[pad] / 2
        self.half_step[pad] = (value / 2 - self.half_from[pad]) / RAMP
        self.target[pad] = value
        self.first[pad] = frame
        self.end[pad] = frame + RAMP

    def jump(self, pad: int) -> None:
        self.end[pad] = 0


class Pad:
    """What a pad has."""

    def __init__(self) -> None:
        self.stems: tuple[Sound, ...] = ()
        self.mask = ~0
        self.frames = self.start = self.end = self.waiting = 0
        self.sum = np.zeros((0, 2), np.float32)

    def add_up(self) -> None:
        self.sum = np.zeros((self.frames, 2), np.float32)
        for number, stem in enumerate(self.stems):
            if self.mask >> number & 1:
                self.sum += stem[: self.frames].reshape(self.frames, -1)


class Reference:
    """Takes commands with their frames and sequences, and renders."""

    def __init__(self) -> None:
        self.frame = 0
        self.exclusive = False
        self.knobs = {name: Ramps() for name in KNOBS}
        self.pads = [Pad() for _ in range(PADS)]
        self.schedule: list[tuple[int, int, int, Any]] = []
        self.arrived = 0
        self.started = 0
        self.ended: list[tuple[int, int, Reason, int]] = []
        self.outcomes: dict[int, tuple[int, int] | str] = {}
        self.meters = np.zeros((PADS, 2))
        # The voices, one place for each.
        self.pad = np.zeros(VOICES, int)
        self.plays = np.zeros(VOICES, bool)
        self.jumped = np.zeros(VOICES, bool)
        self.attacks = np.zeros(VOICES, bool)
        self.fade_left = np.zeros(VOICES, int)
        self.position = np.zeros(VOICES)
        self.order = np.zeros(VOICES, int)
        self.trigger = np.zeros(VOICES, int)
        self.filters = np.zeros((4, VOICES, 2), np.float32)
        self.last = np.zeros((VOICES, 2), np.float32)
        self.tail = np.zeros((VOICES, 2), np.float32)
        self.peak = np.zeros(VOICES, np.float32)

    def send(self, command: Any, frame: int, sequence: int) -> None:
        heapq.heappush(self.schedule, (frame, self.arrived, sequence, command))
        self.arrived += 1

    def render(self, frames: int) -> Sound:
        heard = np.zeros((frames, 2), np.float32)
        for index in range(frames):
            while self.schedule and self.schedule[0][0] <= self.frame:
                _, _, sequence, command = heapq.heappop(self.schedule)
                self._apply(command, sequence)
            heard[index] = self._next_frame()
        return heard

    def _sounds(self) -> npt.NDArray[np.bool_]:
        return self.plays | self.jumped | (self.fade_left > 0)

    def _apply(self, command: Any, sequence: int) -> None:
        pad = self.pads[command if isinstance(command, int) else command.pad]
        if isinstance(command, Load):
            pad.stems = command.stems
            pad.start, pad.end = 0, min(map(len, command.stems))
            pad.frames = pad.end
            pad.add_up()
            self._jump(command.pad)
        elif isinstance(command, UnloadPad):
            self._stop(command.pad, 1, Reason.UNLOADED)
            pad.frames = 0
        elif isinstance(command, SetLoop):
            self._move_loop(pad, command, sequence)
        elif isinstance(command, SetStems):
            pad.mask = command.mask
            if pad.frames:
                pad.add_up()
            self._jump(command.pad)
        elif isinstance(command, Trigger):
            self._forget(pad)
            frame = self.frame if command.grid == 0 else -(-self.frame // command.grid) * command.grid
            if frame == self.frame:
                self._start(command.pad, sequence)
            else:
                pad.waiting = sequence
                self.send(command.pad, frame, sequence)
        elif isinstance(command, StopPads):
            self._stop(command.pad, command.count, Reason.STOPPED)
        elif pad.waiting == sequence:  # a trigger whose frame has come
            pad.waiting = 0
            self._start(command, sequence)

    def _move_loop(self, pad: Pad, command: SetLoop, sequence: int) -> None:
        end = command.end or pad.frames
        if pad.frames == 0:
            self.outcomes[sequence] = "the pad is empty"
        elif end > pad.frames or end - command.start < 4:
            self.outcomes[sequence] = "the loop is shorter than 4 frames, or ends behind the stems"
        else:
            pad.start, pad.end = command.start, end
            if (self.position[self.plays & (self.pad == command.pad)] >= end).any():
                self._jump(command.pad)

    def _forget(self, pad: Pad) -> None:
        if pad.waiting:
            self.outcomes[pad.waiting] = "CANCELLED"
            pad.waiting = 0

    def _jump(self, number: int) -> None:
        for voice in which(self.plays & (self.pad == number)):
            self.jumped[voice], self.attacks[voice] = True, False
            if self.position[voice] >= self.pads[number].end:
                self.position[voice] = self.pads[number].start

    def _end(self, voice: int, reason: Reason) -> None:
        self.plays[voice], self.jumped[voice], self.attacks[voice] = False, True, False
        self.ended.append((self.frame, int(self.pad[voice]), reason, int(self.trigger[voice])))

    def _stop(self, first: int, count: int, reason: Reason) -> None:
        for pad in self.pads[first : first + count]:
            self._forget(pad)
        for voice in which(self.plays & (self.pad >= first) & (self.pad < first + count)):
            self._end(voice, reason)

    def _start(self, number: int, sequence: int) -> None:
        pad = self.pads[number]
        if pad.frames == 0:
            self.outcomes[sequence] = "the pad is empty"
            return
        if self.exclusive:
            for voice in which(self.plays & (self.pad != number)):
                self._end(voice, Reason.EXCLUSIVE)
        sounds = self._sounds()
        own = which(sounds & (self.pad == number))
        free = which(~sounds)
        fading = which(sounds & ~self.plays)
        playing = which(self.plays)
        places = next(places for places in (own, free, fading, playing) if places)
        voice = places[0] if places is free else min(places, key=self.order.__getitem__)
        if self.plays[voice]:
            self._end(voice, Reason.TRIGGERED if self.pad[voice] == number else Reason.STOLEN)
        if not self._sounds()[voice] or self.pad[voice] != number:
            for ramps in self.knobs.values():
                ramps.jump(number)
        if self._sounds()[voice] and self.pad[voice] != number:
            self.meters[self.pad[voice]] = 0
            self.peak[voice] = 0
        self.jumped[voice] = self._sounds()[voice]
        self.attacks[voice] = self.plays[voice] = True
        self.pad[voice] = number
        self.position[voice] = pad.start
        self.started += 1
        self.order[voice] = self.started
        self.trigger[voice] = sequence
        self.filters[:, voice] = 0
        self.outcomes[sequence] = (voice, self.frame)

    def _next_frame(self) -> Sound:
        one = np.float32(1)
        values = {name: ramps.before(self.frame + 1)[self.pad] for name, ramps in self.knobs.items()}
        gain, low, mid, high = (values[name].astype(np.float32)[:, None] for name in ("gain", "low", "mid", "high"))
        here, following = np.zeros((2, VOICES, 2), np.float32)
        whole = self.position.astype(int)
        for voice in which(self.plays):
            pad = self.pads[self.pad[voice]]
            here[voice] = pad.sum[whole[voice]]
            following[voice] = pad.sum[whole[voice] + 1 if whole[voice] + 1 < pad.end else pad.start]
        part = (self.position - whole).astype(np.float32)[:, None]
        sample = here + (following - here) * part
        # The isolator: two one-pole low-passes a band edge.
        low1, low2, mid1, mid2 = self.filters
        plays = self.plays[:, None]
        for state, step, source in (
            (low1, step_of(250), lambda: sample),
            (low2, step_of(250), lambda: low1),
            (mid1, step_of(2_500), lambda: sample - low2),
            (mid2, step_of(2_500), lambda: mid1),
        ):
            state += np.where(plays, step * (source() - state), np.float32(0))
        rest = sample - low2
        isolated = sample + (low - one) * low2 + (mid - one) * mid2 + (high - one) * (rest - mid2)
        heard = np.where(plays, isolated * gain, np.float32(0))
        self._advance(values["speed"])
        # The fade of what was heard before a jump.
        jumped = self.jumped[:, None]
        self.tail = np.where(jumped, np.where(self.attacks[:, None], self.last, self.last - heard), self.tail)
        self.fade_left[self.jumped] = FADE
        self.jumped[:] = False
        fades = self.fade_left > 0
        fade = (self.fade_left.astype(np.float32) / np.float32(FADE))[:, None]
        heard = np.where(fades[:, None], heard + self.tail * fade, heard)
        self.fade_left[fades] -= 1
        self.last = heard.copy()
        self.peak = np.maximum(self.peak, np.abs(heard).max(axis=1))
        silent = fades & ~self._sounds()
        self.last[silent] = self.peak[silent] = 0
        self.meters[self.pad[silent]] = 0
        self.frame += 1
        if self.frame % WINDOW == 0:
            for voice in which(self._sounds()):
                self.meters[self.pad[voice]] = self.peak[voice], self.position[voice] if self.plays[voice] else 0
                self.peak[voice] = 0
        total: Sound = np.add.accumulate(heard, axis=0, dtype=np.float32)[-1]
        return total

    def _advance(self, speed: npt.NDArray[np.float64]) -> None:
        for voice in which(self.plays):
            pad = self.pads[self.pad[voice]]
            self.position[voice] += speed[voice]
            if self.position[voice] >= pad.end:
                self.position[voice] -= pad.end - pad.start


def ends_of(messages: list[cueline.Message]) -> list[tuple[int, int, Reason, int]]:
    return [(each.frame, each.pad, each.reason, each.sequence) for each in messages if isinstance(each, PadEnded)]
