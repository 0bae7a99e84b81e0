"""The results of the ring harness, read from its JSON and judged: groups, best peers, shares of a limit, targets."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

__all__ = [
    "Finding",
    "Group",
    "InputError",
    "Limit",
    "Result",
    "Run",
    "Target",
    "describe",
    "groups_of",
    "judge",
    "limit_of",
    "read_run",
    "share_of_limit",
    "slices_missing",
]

Record = TypeVar("Record")


class InputError(Exception):
    """A file has the wrong content."""


@dataclass(frozen=True)
class Limit:
    """The limit of the machine, measured in the same run."""

    name: str
    placement: str
    unit: str
    median: float | None = None
    low: float | None = None
    high: float | None = None
    slices: int = 0


@dataclass(frozen=True)
class Result:
    """One ring at one work. If it has no median, no slice of this placement was seen."""

    work: str
    bytes: int
    placement: str
    ring: str
    peer: bool
    unit: str
    better: Literal["more", "less"]
    comparable: bool = True
    median: float | None = None
    low: float | None = None
    high: float | None = None
    p99: float | None = None
    p99_9: float | None = None
    slices: int = 0
    limit: str | None = None

    def figure(self, name: str) -> float | None:
        """Return the figure with this name: median, p99 or p99_9."""
        value: float | None = getattr(self, name)
        return value


@dataclass(frozen=True)
class Target:
    """A bound on our figure divided by the best peer's. Without bytes or placement it applies to all of them."""

    work: str
    bytes: int | None = None
    placement: str | None = None
    at_least: float | None = None
    at_most: float | None = None
    figure: Literal["median", "p99", "p99_9"] = "median"

    def is_for(self, result: Result) -> bool:
        """Return whether this target applies to the result's group."""
        return (
            result.work == self.work
            and self.bytes in (None, result.bytes)
            and self.placement in (None, result.placement)
        )

    def met_by(self, ratio: float) -> bool:
        """Return whether the ratio is within the bound, or equal to it."""
        return (self.at_least is None or ratio >= self.at_least) and (self.at_most is None or ratio <= self.at_most)

    @property
    def bound(self) -> str:
        """Return the bound in words."""
        if self.at_least is not None:
            return f"at least {self.at_least:g}"
        return f"at most {self.at_most:g}"


@dataclass(frozen=True)
class Run:
    """One file of the harness: one compiler on one machine."""

    compiler: str
    cueline: str
    machine: Mapping[str, Any]
    limits: tuple[Limit, ...]
    results: tuple[Result, ...]
    targets: tuple[Target, ...]


@dataclass(frozen=True)
class Group:
    """The rings that did the same work, best first. Only these are compared with each other."""

    results: tuple[Result, ...]

    @property
    def first(self) -> Result:
        """Return any of them, for what they have in common."""
        return self.results[0]

    def best_peer(self, figure: str = "median") -> float | None:
        """Return the best figure of a comparable peer, or None if there is none."""
        figures = [
            value
            for result in self.results
            if result.peer and result.comparable and (value := result.figure(figure)) is not None
        ]
        if not figures:
            return None
        return max(figures) if self.first.better == "more" else min(figures)

    def ratio(self, result: Result, figure: str = "median") -> float | None:
        """Return the result's figure divided by the best peer's, or None if one is missing."""
        best, own = self.best_peer(figure), result.figure(figure)
        return own / best if best and own is not None else None


@dataclass(frozen=True)
class Finding:
    """The result of a target in one group. Without a ratio there was no peer."""

    group: str
    ring: str
    figure: str
    bound: str
    ratio: float | None
    met: bool

    def __str__(self) -> str:
        """Return a line of the report."""
        about = f"{self.ring}: target {self.bound} times the best peer"
        if self.figure != "median":
            about += f" in its {self.figure.replace('_', '.')}"
        if self.ratio is None:
            return f"{about}: no peer to compare with"
        return f"{about}, reached {self.ratio:.3f}: {'met' if self.met else 'not met'}"


def _read_record(kind: type[Record], entry: object, where: str) -> Record:
    if not isinstance(entry, Mapping):
        raise InputError(f"{where} is no object")
    known = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]  # all kinds here are dataclasses
        if field.name in entry:
            known[field.name] = entry[field.name]
        elif field.default is dataclasses.MISSING:
            raise InputError(f"{where} has no '{field.name}'")
    return kind(**known)


def read_run(content: Mapping[str, Any], name: str) -> Run:
    """Read the content of one file of the harness. Errors mention ``name``, the file's name."""

    def records(kind: type[Record], key: str) -> tuple[Record, ...]:
        entries = content.get(key, [])
        if not isinstance(entries, list):
            raise InputError(f"{name}: {key} is no list")
        return tuple(_read_record(kind, entry, f"{name}: {key}[{index}]") for index, entry in enumerate(entries))

    results = records(Result, "results")
    for index, result in enumerate(results):
        if result.better not in ("more", "less"):
            raise InputError(f"{name}: results[{index}]: better is 'more' or 'less', got {result.better!r}")
    targets = records(Target, "targets")
    for index, target in enumerate(targets):
        if (target.at_least is None) == (target.at_most is None):
            raise InputError(f"{name}: targets[{index}] needs either at_least or at_most")
        if target.figure not in ("median", "p99", "p99_9"):
            raise InputError(f"{name}: targets[{index}]: no figure is named {target.figure!r}")
    return Run(
        compiler=str(content.get("compiler", name)),
        cueline=str(content.get("cueline", "")),
        machine=content.get("machine", {}),
        limits=records(Limit, "limits"),
        results=results,
        targets=targets,
    )


def groups_of(results: Iterable[Result]) -> list[Group]:
    """Return the groups in the order of the file, each best first. Results without a median are left out."""
    found: dict[tuple[str, int, str], list[Result]] = {}
    for result in results:
        if result.median is not None:
            found.setdefault((result.work, result.bytes, result.placement), []).append(result)

    def worse(result: Result) -> tuple[float, str]:
        median = result.median or 0.0
        return (-median if result.better == "more" else median, result.ring)

    return [Group(tuple(sorted(members, key=worse))) for members in found.values()]


def describe(work: str, bytes_: int | None, placement: str | None) -> str:
    """Return a group's name in words."""
    words = {"near": "cores near", "far": "cores far apart"}
    parts = [work]
    if bytes_ is not None:
        parts.append(f"{bytes_} bytes")
    if placement is not None:
        parts.append(words.get(placement, placement))
    return ", ".join(parts)


def limit_of(run: Run, result: Result) -> Limit | None:
    """Return the limit that the result names, measured in its placement."""
    for limit in run.limits:
        if limit.name == result.limit and limit.placement == result.placement and limit.median:
            return limit
    return None


def share_of_limit(run: Run, result: Result) -> float | None:
    """Return which part of the limit the ring reaches. 1 is all of it, whether more or less is better."""
    limit = limit_of(run, result)
    if limit is None or not limit.median or not result.median:
        return None
    return result.median / limit.median if result.better == "more" else limit.median / result.median


def judge(run: Run, group: Group) -> list[Finding]:
    """Return the result of each target, for each ring of ours in the group that is to be compared."""
    first = group.first
    findings = []
    for target in run.targets:
        if not target.is_for(first):
            continue
        for result in group.results:
            if result.peer or not result.comparable:
                continue
            ratio = group.ratio(result, target.figure)
            met = ratio is not None and target.met_by(ratio)
            name = describe(first.work, first.bytes, first.placement)
            findings.append(Finding(name, result.ring, target.figure, target.bound, ratio, met))
    return findings


def slices_missing(run: Run) -> list[str]:
    """Return in words each work with a target or a result where no slice of our rings was seen."""
    seen = [group.first for group in groups_of(run.results) if any(not result.peer for result in group.results)]
    wanted = {describe(target.work, target.bytes, target.placement): target for target in run.targets}
    missing = [name for name, target in wanted.items() if not any(target.is_for(result) for result in seen)]
    names_seen = {describe(result.work, result.bytes, result.placement) for result in seen}
    for result in run.results:
        name = describe(result.work, result.bytes, result.placement)
        if name not in names_seen and name not in missing:
            missing.append(name)
    return missing
