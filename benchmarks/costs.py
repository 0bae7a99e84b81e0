"""The results of Google Benchmark, read from its JSON: rows by family, and whether the cost is linear in messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from findings import InputError

__all__ = ["Costs", "Growth", "Row", "growth_of", "read_costs"]

COUNTED_FROM = 16  # messages; below this, the steps of the clock are larger than the cost of a message
LINEAR_WITHIN = 1.5  # greatest ratio of the dearest to the cheapest further message
SHARE_TARGET_PERCENT = 2.0
SHARE_TARGET_MESSAGES = 256

# Google Benchmark's own numbers; all others in a row are counters.
_OWN_NUMBERS = (
    *("family_index", "per_family_instance_index", "repetitions", "repetition_index", "threads"),
    *("iterations", "real_time", "cpu_time"),
)


@dataclass(frozen=True)
class Row:
    """One benchmark: its family, its argument if it has one, and its counters or else its time."""

    family: str
    argument: str | None
    count: int | None
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Costs:
    """One file of Google Benchmark."""

    compiler: str
    rows: tuple[Row, ...]

    def families(self) -> dict[str, list[Row]]:
        """Return the rows of each family, in the order of the file."""
        families: dict[str, list[Row]] = {}
        for row in self.rows:
            families.setdefault(row.family, []).append(row)
        return families


@dataclass(frozen=True)
class Growth:
    """How the median grows with the messages of a block: (messages, over an empty block, since the row before)."""

    family: str
    per_message_ns: tuple[tuple[int, float, float], ...]
    share_percent: float | None  # of a block, for the number of messages in the target

    @property
    def further_ns(self) -> tuple[float, float] | None:
        """Return what a further message costs, cheapest and dearest, or None if there are too few rows."""
        further = [since for messages, _, since in self.per_message_ns if messages > COUNTED_FROM]
        return (min(further), max(further)) if len(further) > 1 else None

    @property
    def linear(self) -> bool | None:
        """Return whether the cost is linear, without steps, or None if there are too few rows."""
        if self.further_ns is None:
            return None
        cheapest, dearest = self.further_ns
        return dearest <= LINEAR_WITHIN * cheapest

    def lines(self) -> list[str]:
        """Return the report's lines on it."""
        lines = []
        if self.further_ns is not None:
            cheapest, dearest = self.further_ns
            verdict = "linear" if self.linear else f"not linear: more than {LINEAR_WITHIN:g} times apart"
            lines.append(
                f"from {COUNTED_FROM} messages on, each further one costs {cheapest:.1f} to {dearest:.1f} ns: {verdict}"
            )
        if self.share_percent is not None:
            met = "met" if self.share_percent < SHARE_TARGET_PERCENT else "not met"
            lines.append(
                f"target under {SHARE_TARGET_PERCENT:g} % of a block for {SHARE_TARGET_MESSAGES} messages, "
                f"reached {self.share_percent:.3f} %: {met}"
            )
        return lines


def read_costs(content: Mapping[str, Any], name: str) -> Costs:
    """Read the content of one file of Google Benchmark. ``name`` is the file's name."""
    rows = []
    for index, entry in enumerate(content["benchmarks"]):
        if entry.get("run_type", "iteration") != "iteration":
            continue  # an aggregate of other rows
        if entry.get("error_occurred"):
            raise InputError(f"{name}: {entry.get('name')} failed: {entry.get('error_message')}")
        if "name" not in entry:
            raise InputError(f"{name}: benchmarks[{index}] has no 'name'")
        family, *parts = entry["name"].split("/")
        argument = count = None
        for part in parts:
            key, _, value = part.partition(":")
            if value.isdigit() and key not in ("iterations", "min_time", "repeats"):
                argument, count = key, int(value)
        figures = {key: float(value) for key, value in entry.items() if key not in _OWN_NUMBERS and _is_number(value)}
        if not figures:
            figures = {f"time_{entry.get('time_unit', 'ns')}": float(entry["real_time"])}
        rows.append(Row(family, argument, count, figures))
    return Costs(str(content["context"].get("compiler", name)), tuple(rows))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def growth_of(family: str, rows: list[Row]) -> Growth | None:
    """Return how the cost of this family grows with messages, or None if the family has no such argument."""
    medians = {
        row.count: row.figures["median_ns"]
        for row in rows
        if row.argument == "messages" and row.count is not None and "median_ns" in row.figures
    }
    if 0 not in medians or len(medians) < 2:
        return None
    counts = sorted(medians)
    per_message = tuple(
        (
            count,
            (medians[count] - medians[0]) / count,
            (medians[count] - medians[before]) / (count - before),
        )
        for before, count in pairwise(counts)
    )
    shares = [row.figures.get("share_percent") for row in rows if row.count == SHARE_TARGET_MESSAGES]
    return Growth(family, per_message, shares[0] if shares else None)
