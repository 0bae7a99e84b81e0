"""The results of a run, arranged for tables, JSON and charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cueline.commands.bench.calls import LIMITS, TARGETS, Judgement, judge
from cueline.commands.bench.imports import AT_MOST, ImportTimes
from cueline.commands.bench.machine import Machine
from cueline.commands.bench.measure import Contender, Costs, Effort, Spread, ratio, together
from cueline.commands.bench.peers import OURS, Missing, Way

__all__ = ["Crossing", "Results", "account"]

WITHIN = {"queue.SimpleQueue": 2.5, "collections.deque": 2.5}
"""How many times their cost cueline may take to make, put and get a message. For all other peers it is 1."""


@dataclass(frozen=True)
class Crossing:
    """The costs of one message over one peer, and each cost as a multiple of cueline's."""

    way: Way
    put: Spread
    send: Spread
    get: Spread
    whole: Spread
    """To make, put and get it."""
    put_factor: float
    send_factor: float
    get_factor: float
    whole_factor: float
    """If it is above 1, cueline is that many times faster."""

    @property
    def least_factor(self) -> float:
        """The target: the least that ``whole_factor`` should be."""
        return 1 / WITHIN.get(self.way.name, 1)

    @property
    def met(self) -> bool:
        """Whether the target is met."""
        return self.whole_factor >= self.least_factor


@dataclass(frozen=True)
class Results:
    """The results of a run."""

    machine: Machine
    effort: Effort
    calls: Sequence[Contender]
    ways: Sequence[Way]
    trips: Sequence[Contender]
    missing: Sequence[Missing]
    costs: Mapping[str, Costs]
    imports: ImportTimes

    def judgements(self) -> list[Judgement]:
        """Return the targets of our own calls, and whether they are met."""
        return [judge(target, self.costs) for target in TARGETS]

    def limit_ratio(self, call: str) -> Spread | None:
        """Return a call's cost as a multiple of the least possible; None if it is not one of our calls."""
        return ratio(self.costs[call], self.costs[LIMITS[call]]) if call in LIMITS else None

    def crossings(self) -> list[Crossing]:
        """Return the costs of one message over cueline, then over each peer."""
        return [self._crossing(way) for way in (OURS, *self.ways)]

    def _crossing(self, way: Way) -> Crossing:
        put, send, get = (self.costs[name] for name in (way.put, way.send, way.get))
        our_send, our_get = self.costs[OURS.send], self.costs[OURS.get]
        whole = together(send, get)
        return Crossing(
            way,
            put.batch(),
            send.batch(),
            get.batch(),
            whole.batch(),
            put_factor=ratio(put, our_send).median,
            send_factor=ratio(send, our_send).median,
            get_factor=ratio(get, our_get).median,
            whole_factor=ratio(whole, together(our_send, our_get)).median,
        )


def account(results: Results) -> dict[str, Any]:
    """Return all results as plain values, for JSON. Times are in nanoseconds."""
    judgements = results.judgements()
    return {
        "machine": asdict(results.machine),
        "effort": asdict(results.effort),
        "calls": [
            _timings(call, results.costs[call.name])
            | {
                "limit": LIMITS.get(call.name),
                "ratio": (spread := results.limit_ratio(call.name)) and asdict(spread),
                "targets": [
                    {"what": one.target.text, "at_most": one.target.at_most, "value": one.value, "met": one.met}
                    for one in judgements
                    if one.target.call == call.name
                ],
            }
            for call in results.calls
        ],
        "peers": [_factors(crossing) for crossing in results.crossings()],
        "round_trips": [_timings(trip, results.costs[trip.name]) for trip in results.trips],
        "missing": [asdict(one) for one in results.missing],
        "imports": asdict(results.imports) | {"at_most": AT_MOST, "met": results.imports.met},
    }


def _timings(contender: Contender, costs: Costs) -> dict[str, Any]:
    return {
        "name": contender.name,
        "statement": contender.statement,
        "batch_ns": asdict(costs.batch()),
        "single_ns": {"median": costs.single(0.5), "p99": costs.single(0.99), "p99.9": costs.single(0.999)},
    }


def _factors(crossing: Crossing) -> dict[str, Any]:
    return {
        "name": crossing.way.name,
        "note": crossing.way.note,
        "put_ns": asdict(crossing.put),
        "make_and_put_ns": asdict(crossing.send),
        "get_ns": asdict(crossing.get),
        "whole_ns": asdict(crossing.whole),
        "factor": {
            "put": crossing.put_factor,
            "make_and_put": crossing.send_factor,
            "get": crossing.get_factor,
            "whole": crossing.whole_factor,
        },
        "target": {"at_least": crossing.least_factor, "value": crossing.whole_factor, "met": crossing.met},
    }
