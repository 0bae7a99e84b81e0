"""Times many contenders in turn, so that fast and slow moments of the machine affect all of them."""

from __future__ import annotations

import random
import time
import timeit
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["Contender", "Costs", "Effort", "Spread", "measure", "percentile", "ratio", "together"]

_UNROLLED = 10  # copies of a statement in one pass of the loop, so that the loop itself costs little


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Contender:
    """A statement to time, and what it needs."""

    name: str
    statement: str
    names: Mapping[str, object]
    """The values of the statement's names."""
    prepare: Callable[[int], object] = lambda _: None
    """Called before a batch, with its number of calls."""
    finish: Callable[[], object] = _nothing
    """Called after a batch."""
    calls: int = 1000
    """The most calls in a batch."""
    messages: int = 1
    """How many messages one call sends or receives: the cost is reported for each message."""


@dataclass(frozen=True)
class Effort:
    """How much work to put into measuring."""

    rounds: int
    divisor: int = 1
    """Divides the number of calls in a batch."""

    def calls(self, contender: Contender) -> int:
        """Return the calls in a batch of ``contender``: a multiple of ten."""
        return max(1, contender.calls // self.divisor // _UNROLLED) * _UNROLLED

    @property
    def imports(self) -> int:
        """How many times to time an import."""
        return max(1, self.rounds // 8)


@dataclass
class Costs:
    """The times of a contender's calls, in nanoseconds."""

    batches: list[float] = field(default_factory=list)
    """The mean time of a call in each round's batch."""
    singles: list[float] = field(default_factory=list)
    """The times of single calls, each with a reading of the clock. A call for several messages counts by message."""

    def batch(self) -> Spread:
        """Return the spread over the rounds."""
        return Spread.of(self.batches)

    def single(self, fraction: float) -> float:
        """Return the time that this fraction of the single calls did not exceed."""
        return percentile(self.singles, fraction)


@dataclass(frozen=True)
class Spread:
    """The median of some values, and the range of the middle 80 %."""

    median: float
    p10: float
    p90: float

    @staticmethod
    def of(values: Iterable[float]) -> Spread:
        """Return the spread of ``values``, at least one."""
        every = list(values)
        return Spread(percentile(every, 0.5), percentile(every, 0.1), percentile(every, 0.9))


def percentile(values: Sequence[float], fraction: float) -> float:
    """Return the smallest of ``values`` that at least this fraction of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -int(-len(ordered) * fraction // 1) - 1)]


def ratio(costs: Costs, to: Costs) -> Spread:
    """Return the ratio of two costs, round by round, so that what slowed both down cancels out."""
    return Spread.of(one / other for one, other in zip(costs.batches, to.batches, strict=True))


def together(first: Costs, second: Costs) -> Costs:
    """Return the sum of two costs, round by round. It has no single calls, which cannot be added."""
    return Costs([one + other for one, other in zip(first.batches, second.batches, strict=True)])


def measure(
    contenders: Sequence[Contender], effort: Effort, *, seed: int = 0, between: Callable[[], None] = lambda: None
) -> dict[str, Costs]:
    """Time all contenders in each round, in a new random order, and return their costs by name.

    ``between`` is called between two contenders. Python's garbage collector is off during a batch, as ``timeit`` does.
    """
    runs = [_Run(contender, effort.calls(contender)) for contender in contenders]
    for run in runs:
        run.once(Costs())  # warm up: the interpreter specialises code that has run a few times
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
        costs.singles.extend(single / messages for single in self._singles)


def _timer(statement: str, names: dict[str, object]) -> timeit.Timer:
    return timeit.Timer(statement, timer=time.perf_counter_ns, globals=names)
