"""What it costs to send typed messages, one by one and by the array, to receive them so, and to set a parameter."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import cycle

from cueline._core import RING_CAPACITY
from cueline.bulk import dtype
from cueline.commands.bench.measure import Contender
from cueline.engine import AudioEngine
from cueline.messages import GetLevel, SetTone

__all__ = ["PARAMETER", "RECEIVE_MANY", "SEND", "SENDS", "SEND_AT", "SEND_MADE", "SEND_MANY", "message_calls"]

SEND = "send(), a message that is there"
SEND_MADE = "send(), a message made for it"
SEND_AT = "send(), for a frame"
SENDS = (SEND, SEND_MADE, SEND_AT)
SEND_MANY = "send_many() of 1000, each message"
RECEIVE_MANY = "receive_many() of 1000, each message"
PARAMETER = "a parameter set"

_MANY = 1000
_LINES = 10  # as many as there are calls in a batch: each finds room for a thousand, or a thousand that wait


def message_calls(stack: ExitStack) -> list[Contender]:
    """Return the contenders, on engines that live as long as ``stack``."""
    tone = _tone(stack)
    lines = [_tone(stack) for _ in range(_LINES)]

    import numpy as np  # only here: it takes longer to import than all the rest

    questions = np.zeros(_MANY, dtype(GetLevel))

    def take(engine: AudioEngine) -> None:
        engine.render(1)
        engine.receive_many()

    def take_all(_: int) -> None:
        for line in lines:
            take(line)

    def answer_all(_: int) -> None:
        for line in lines:
            take(line)
            line.send_many(questions)
            line.render(1)

    sending = {"tone": tone, "message": SetTone(440.0, 0.2), "SetTone": SetTone}
    next_line = cycle(lines).__next__
    return [
        Contender(SEND, "tone.send(message)", sending, lambda _: take(tone)),
        Contender(SEND_MADE, "tone.send(SetTone(440.0, 0.2))", sending, lambda _: take(tone)),
        Contender(SEND_AT, "tone.send(message, at=1)", sending, lambda _: take(tone)),
        Contender(
            SEND_MANY,
            "next_line().send_many(array)",
            {"next_line": next_line, "array": questions},
            take_all,
            calls=_LINES,
            messages=_MANY,
        ),
        Contender(
            RECEIVE_MANY,
            "next_line().receive_many()",
            {"next_line": next_line},
            answer_all,
            calls=_LINES,
            messages=_MANY,
        ),
        Contender(PARAMETER, "tone.parameters['gain'] = 0.5", {"tone": tone}),
    ]


def _tone(stack: ExitStack) -> AudioEngine:
    return stack.enter_context(AudioEngine("offline", processor="tone", blocksize=1, channels=1, budget=RING_CAPACITY))
