"""A session of random commands, and what the looper and its reference make of it."""

from __future__ import annotations

import random
from typing import Any

import cueline
import numpy as np
from reference import KNOBS, Load, Reference, Sound, ends_of

from looper import Looper
from looper.messages import LoadPad, SetLoop, SetStems, StopPads, Trigger, UnloadPad

PADS_USED = 48  # more than there are voices

Action = tuple[int, Any]  # a frame and a command, or a name and what to write


def sound_of(rng: np.random.Generator) -> Sound:
    """Return noise of one or two channels that dies away."""
    frames = int(rng.integers(4, 3_000))
    noise = rng.uniform(-0.1, 0.1, (frames, int(rng.integers(1, 3))))
    return (noise * np.exp(-np.arange(frames) / rng.uniform(5, 3_000))[:, None]).astype(np.float32)


def session(
    seed: int, pieces: int = 24, frames: int = 900
) -> list[tuple[int, list[tuple[str, int, float]], list[Action]]]:
    """Return pieces of a session: how many frames, what is written to the parameters before them, commands in them."""
    rng, chance = np.random.default_rng(seed), random.Random(seed)
    now, made = 0, []
    for piece in range(pieces):
        length = chance.randrange(1, 2 * frames)
        writes = [
            (knob, chance.randrange(PADS_USED), chance.uniform(0, {"gain": 1, "speed": 4}.get(knob, 2)))
            for knob in KNOBS
            for _ in range(chance.randrange(4))
        ]
        if chance.random() < 0.3:
            writes.append(("exclusive", 0, float(chance.random() < 0.3)))
        actions: list[Action] = []
        for _ in range(60):
            pad, at = chance.randrange(PADS_USED), now + chance.randrange(length)
            start = chance.randrange(2_000)
            command: Any = chance.choices(
                [
                    Trigger(pad=pad, grid=chance.choice([0, 0, 1, 100, 1_000, 4_800])),
                    SetLoop(pad=pad, start=start, end=start + chance.randrange(900)),
                    SetLoop(pad=pad),
                    SetStems(pad=pad, mask=chance.randrange(32)),
                    StopPads(pad=pad, count=1),
                    StopPads(),
                    Load(pad, *(sound_of(rng) for _ in range(chance.randrange(1, 6)))),
                    UnloadPad(pad=pad),
                ],
                [30, 8, 2, 4, 4, 0.2, 60 if piece == 0 else 5, 1],
            )[0]
            actions.append((at, command))
        made.append((length, writes, actions))
        now += length
    return made


def message_of(command: Any, looper: Looper) -> Any:
    if not isinstance(command, Load):
        return command
    handles = [looper.engine.load_buffer(stem) for stem in command.stems]
    return LoadPad(pad=command.pad, stems=(*handles, *[0] * (5 - len(handles))))


def result_of(confirmation: cueline.Confirmation) -> tuple[int, int] | str:
    try:
        applied = confirmation.result(timeout=0)
    except cueline.RefusedError as refused:
        return refused.name
    return applied.value, applied.frame


class Played:
    """What a session gave."""

    def __init__(self) -> None:
        self.pieces: list[Sound] = []
        self.ended: list[Any] = []
        self.outcomes: dict[int, tuple[int, int] | str] = {}
        self.meters: list[Any] = []

    @property
    def audio(self) -> Sound:
        return np.concatenate(self.pieces)


def play(looper_type: type[Looper], seed: int, blocksize: int) -> Played:
    played, confirmations = Played(), {}
    with looper_type("offline", blocksize=blocksize) as looper:
        for length, writes, actions in session(seed):
            for name, pad, value in writes:
                if name == "exclusive":
                    looper.engine.parameters["exclusive"] = value
                else:
                    getattr(looper, name)[pad] = value
            for at, command in actions:
                confirmation = looper.engine.confirm(message_of(command, looper), at)
                if isinstance(command, (Trigger, SetLoop)):
                    confirmations[confirmation.sequence] = confirmation
            played.pieces.append(looper.engine.render(length))
            played.ended += looper.engine.messages()
            played.meters.append(
                np.stack([looper.engine.meters.array("pads").peak, looper.engine.meters.array("pads").playhead], axis=1)
            )
            played.outcomes.update({number: result_of(each) for number, each in confirmations.items() if each.done()})
        assert looper.engine.stats().unhandled == 0
    played.ended = sorted(ends_of(played.ended))
    return played


def expect(seed: int) -> Played:
    played, sequence, reference = Played(), 0, Reference()
    for length, writes, actions in session(seed):
        for name, pad, value in writes:
            if name == "exclusive":
                reference.exclusive = bool(value)
            else:
                reference.knobs[name].write(pad, value, reference.frame)
        for at, command in actions:
            sequence += 1
            reference.send(command, at, sequence)
        played.pieces.append(reference.render(length))
        played.meters.append(reference.meters.copy())
    played.ended = sorted(reference.ended)
    played.outcomes = reference.outcomes
    return played
