"""Calls that send and receive typed messages, one by one and as arrays, and that set a parameter."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import cycle

from cueline._core import RING_CAPACITY
from cueline.bulk import dtype
from cueline.commands.bench.measure import Contender
from cueline.engine import AudioEngine
from cueline.messages import GetLevel, SetTone

__all__ = [
    "COPY_MANY",
    "PARAMETER",
    "RECEIVE_MANY",
    "SEND",
    "SENDS",
    "SEND_AT",
    "SEND_MADE",
    "SEND_MANY",
    "message_calls",
]

SEND = "send(), a message made before"
SEND_MADE = "send(), a message made in the call"
SEND_AT = "send(), for a frame"
SENDS = (SEND, SEND_MADE, SEND_AT)
SEND_MANY = "send_many() of 1000, each message"
RECEIVE_MANY = "receive_many() of 1000, each message"
COPY_MANY = "a copy of 1000, each message"
PARAMETER = "a parameter set"

_MANY = 1000
_LINES = 10  # one for each call of a batch: each call finds room for a thousand messages, or a thousand that wait


def message_calls(stack: ExitStack) -> list[Contender]:
    """Return the contenders, on engines that ``stack`` closes."""
    tone = _tone(stack)
    lines = [_tone(stack) for _ in range(_LINES)]

    import numpy as np

    questions = np.zeros(_MANY, dtype(GetLevel))
    words = questions.view(np.uint64)  # as structures, NumPy would copy them field by field
    copies = [np.empty_like(words) for _ in lines]

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
        Contender(
            COPY_MANY,
            "copy(next_place(), words)",
            {"copy": np.copyto, "next_place": cycle(copies).__next__, "words": words},
            calls=_LINES,
            messages=_MANY,
        ),
        Contender(PARAMETER, "tone.parameters['gain'] = 0.5", {"tone": tone}),
    ]


def _tone(stack: ExitStack) -> AudioEngine:
    engine = AudioEngine("offline", processor="tone", blocksize=1, outputs=1, budget=RING_CAPACITY)
    stack.callback(engine.close)
    stack.callback(engine.stats)  # before that: no LossWarning about cues that are late on purpose
    return engine
