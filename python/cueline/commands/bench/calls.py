"""Our own calls, the least possible cost of each, and the targets for the difference."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal

from cueline._core import RING_CAPACITY, Status, _Baseline
from cueline.commands.bench.measure import Contender, Costs, ratio
from cueline.commands.bench.messages import COPY_MANY, PARAMETER, RECEIVE_MANY, SEND_MANY, SENDS, message_calls
from cueline.engine import AudioEngine

__all__ = ["LIMITS", "PING", "RECEIVE", "TARGETS", "Judgement", "Target", "judge", "our_calls"]

LOOP = "nothing: the loop alone"
EMPTY_CALL = "an empty method"
CLOCK_CALL = "a method reading the clock"
PING = "ping(), accepted"
PING_REFUSED = "ping(), refused"
PING_RUNNING = "ping(), accepted, audio running"
PING_REFUSED_RUNNING = "ping(), refused, audio running"
PING_COLD = "ping(), ten after a sleep"
CLOCK_COLD = "reading the clock, ten after a sleep"
RECEIVE_NOTHING = "receive_msg(), nothing there"
RECEIVE = "receive_msg(), a message"

_PINGS = (PING, PING_REFUSED, PING_RUNNING, PING_REFUSED_RUNNING)

_MANY = (SEND_MANY, RECEIVE_MANY)

_SLEEP_S = 0.001

LIMITS = {
    **dict.fromkeys(_PINGS, CLOCK_CALL),
    PING_COLD: CLOCK_COLD,
    **dict.fromkeys(_MANY, COPY_MANY),
    **dict.fromkeys((RECEIVE_NOTHING, RECEIVE, *SENDS, PARAMETER), EMPTY_CALL),
}
"""For each of our calls: the contender with the least possible cost."""


@dataclass(frozen=True)
class Target:
    """The largest value that a figure of a call should have."""

    call: str
    figure: Literal["ratio", "median", "p99.9"]
    at_most: float
    text: str


@dataclass(frozen=True)
class Judgement:
    """A target, the measured value, and whether the target is met."""

    target: Target
    value: float
    met: bool


TARGETS = (
    *(Target(call, "ratio", 1.5, f"1.5 times {CLOCK_CALL}") for call in _PINGS),
    *(Target(call, "p99.9", 999, "p99.9 under 1 us") for call in _PINGS),
    Target(RECEIVE_NOTHING, "ratio", 1.5, f"1.5 times {EMPTY_CALL}"),
    Target(RECEIVE, "median", 150, "150 ns"),
    *(Target(call, "median", 300, "300 ns") for call in SENDS),
    *(Target(call, "ratio", 2, f"2 times {COPY_MANY}") for call in _MANY),
)


def judge(target: Target, costs: Mapping[str, Costs]) -> Judgement:
    """Return whether the costs meet the target. A p99.9 includes one reading of the clock."""
    own = costs[target.call]
    if target.figure == "ratio":
        value = ratio(own, costs[LIMITS[target.call]]).median
    elif target.figure == "median":
        value = own.batch().median
    else:
        value = own.single(0.999)
    return Judgement(target, value, value <= target.at_most)


def our_calls(stack: ExitStack) -> list[Contender]:
    """Return our own contenders, on engines that ``stack`` closes."""
    offline = AudioEngine("offline", processor="silence", blocksize=1, budget=RING_CAPACITY)
    full = AudioEngine("offline", processor="silence")
    # A block every third of a millisecond: about every other batch of calls contains one.
    running = AudioEngine("null", processor="silence", blocksize=16, budget=RING_CAPACITY)
    # Its blocks read one command each: the ring stays almost full.
    overrun = AudioEngine("null", processor="silence", blocksize=16, budget=1)
    for engine in (offline, full, running, overrun):
        stack.callback(engine.close)
        stack.callback(engine.stats)  # before that: no LossWarning about what they lose on purpose
    while full.ping() is Status.OK:
        pass

    def take_all(_: int = 0) -> None:
        offline.render(1)
        for _message in offline.messages():
            pass

    def answer(calls: int) -> None:
        take_all()
        for _ in range(calls):
            offline.ping()
        offline.render(1)

    def settle() -> None:
        while running.stats().events.sent < running.stats().commands.sent:
            time.sleep(0.0005)
        for _message in running.messages():
            pass
        running.stop()

    def sleep(_: int) -> None:
        take_all()
        time.sleep(_SLEEP_S)  # the next call finds its code and data gone from the caches

    def overfill(_: int) -> None:
        overrun.start()
        while overrun.ping() is Status.OK:
            pass

    baseline = {"baseline": _Baseline()}
    quiet = {"engine": offline}
    return [
        Contender(LOOP, "pass", {}),
        Contender(EMPTY_CALL, "baseline.nothing()", baseline),
        Contender(CLOCK_CALL, "baseline.clock()", baseline),
        Contender(PING, "engine.ping()", quiet, take_all),
        Contender(PING_REFUSED, "engine.ping()", {"engine": full}),
        Contender(PING_RUNNING, "engine.ping()", {"engine": running}, lambda _: running.start(), settle),
        Contender(PING_REFUSED_RUNNING, "engine.ping()", {"engine": overrun}, overfill, overrun.stop),
        Contender(PING_COLD, "engine.ping()", quiet, sleep, calls=10),
        Contender(CLOCK_COLD, "baseline.clock()", baseline, sleep, calls=10),
        Contender(RECEIVE_NOTHING, "engine.receive_msg()", {"engine": full}),
        Contender(RECEIVE, "engine.receive_msg()", quiet, answer),
        *message_calls(stack),
    ]
