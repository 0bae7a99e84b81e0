"""Times many contenders in turn, so that each of them has its share of the machine's good and bad moments."""

from __future__ import annotations

import random
import time
import timeit
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["Contender", "Costs", "Effort", "Spread", "measure", "percentile", "ratio", "together"]

_UNROLLED = 10  # copies of a statement in one turn of the loop, so that the loop itself costs little


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Contender:
    """A statement to be timed, and what it needs around it."""

    name: str
    statement: str
    names: Mapping[str, object]
    """What the statement's names stand for."""
    prepare: Callable[[int], object] = lambda _: None
    """Called before a batch, with the calls that it will make."""
    finish: Callable[[], object] = _nothing
    """Called after a batch."""
    calls: int = 1000
    """Most calls in a batch."""
    messages: int = 1
    """What one call sends or receives: what is told is the cost of each."""


@dataclass(frozen=True)
class Effort:
    """How much work measuring is."""

    rounds: int
    divisor: int = 1
    """What a contender's number of calls in a batch is divided by."""

    def calls(self, contender: Contender) -> int:
        """Return the calls in a batch of ``contender``: a multiple of ten."""
        return max(1, contender.calls // self.divisor // _UNROLLED) * _UNROLLED


@dataclass
class Costs:
    """What a contender's calls took, in nanoseconds."""

    batches: list[float] = field(default_factory=list)
    """The mean of each round's batch."""
    singles: list[int] = field(default_factory=list)
    """Single calls; each contains one reading of the clock."""

    def batch(self) -> Spread:
        """Return the spread over the rounds."""
        return Spread.of(self.batches)

    def single(self, fraction: float) -> int:
        """Return the time that this fraction of the single calls did not exceed."""
        return int(percentile(self.singles, fraction))


@dataclass(frozen=True)
class Spread:
    """The middle of some values, and where eight in ten of them lie."""

    median: float
    p10: float
    p90: float

    @staticmethod
    def of(values: Iterable[float]) -> Spread:
        """Return that of ``values``, of which there must be one at least."""
        every = list(values)
        return Spread(percentile(every, 0.5), percentile(every, 0.1), percentile(every, 0.9))


def percentile(values: Sequence[float], fraction: float) -> float:
    """Return the smallest of ``values`` that at least this fraction of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -int(-len(ordered) * fraction // 1) - 1)]


def ratio(costs: Costs, to: Costs) -> Spread:
    """Return how many times the other's cost, taken round by round: what slowed down both is not in it."""
    return Spread.of(one / other for one, other in zip(costs.batches, to.batches, strict=True))


def together(first: Costs, second: Costs) -> Costs:
    """Return what a call of each costs together, round by round. Single calls cannot be added up: it has none."""
    return Costs([one + other for one, other in zip(first.batches, second.batches, strict=True)])


def measure(
    contenders: Sequence[Contender], effort: Effort, *, seed: int = 0, between: Callable[[], None] = lambda: None
) -> dict[str, Costs]:
    """Time all contenders, round after round, in an order drawn anew for each, and return their costs by name.

    ``between`` is called when the one is through and the next one has not begun. Python's garbage collector stands
    still meanwhile, as it does under ``timeit``.
    """
    runs = [_Run(contender, effort.calls(contender)) for contender in contenders]
    for run in runs:
        run.once(Costs())  # the interpreter specialises code that it has run a few times
        between()
    costs = {contender.name: Costs() for contender in contenders}
    order = random.Random(seed)
    for _ in range(effort.rounds):
        for run in order.sample(runs, len(runs)):
            run.once(costs[run.contender.name])
            between()
    return costs


class _Run:
    def __init__(self, contender: Contender, calls: int) -> None:
        self.contender = contender
        self._calls = calls
        self._singles: list[int] = []
        names = {**contender.names, "_clock": time.perf_counter_ns, "_note": self._singles.append}
        self._batch = _timer("\n".join([contender.statement] * _UNROLLED), names)
        self._single = _timer(f"_began = _clock()\n{contender.statement}\n_note(_clock() - _began)", names)

    def once(self, costs: Costs) -> None:
        self.contender.prepare(self._calls)
        messages = self.contender.messages
        costs.batches.append(self._batch.timeit(self._calls // _UNROLLED) / (self._calls * messages))
        self.contender.finish()
        self._singles.clear()
        self.contender.prepare(self._calls)
        self._single.timeit(self._calls)
        self.contender.finish()
        costs.singles.extend(single // messages for single in self._singles)


def _timer(statement: str, names: dict[str, object]) -> timeit.Timer:
    return timeit.Timer(statement, timer=time.perf_counter_ns, globals=names)
