"""The results of all runs: a table, and one JSON object."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from stall.account import Summary, summarise
from stall.experiment import Run

__all__ = ["CONTENDER_NAMES", "LOAD_NAMES", "Row", "as_json", "rows_of", "table_of"]

CONTENDER_NAMES = {
    "sounddevice": "sounddevice (Python callback)",
    "rtmixer": "python-rtmixer (C callback)",
    "cueline": "cueline (C++ callback)",
}
LOAD_NAMES = {
    "idle": "idles",
    "busy": "runs a busy thread",
    "garbage": "collects garbage among 2 million objects",
    "gil": "holds the GIL in C, 100 ms at a time",
}


@dataclass(frozen=True)
class Row:
    """One contender under one load, over all rounds."""

    load: str
    contender: str
    rounds: int
    summary: Summary
    own: Mapping[str, int]
    """The contender's own counts, of all rounds together."""
    sent: int
    """Messages that it accepted."""
    arrived: int
    """Those of them that its callback had taken before it stopped."""
    refused: int
    realtime: bool
    """Whether one of its threads had real-time priority in every round."""


def rows_of(runs: Sequence[Run]) -> list[Row]:
    """Return a row for each load and contender, in the order of the first round."""
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.load, run.contender), []).append(run)
    rows = []
    for (load, contender), members in groups.items():
        own: Counter[str] = Counter()
        for run in members:
            own.update(run.said["own"])
        row = Row(
            load=load,
            contender=contender,
            rounds=len(members),
            summary=summarise([run.seen for run in members]),
            own=dict(own),
            sent=sum(run.said["sent"] for run in members),
            arrived=sum(run.said["arrived"] for run in members),
            refused=sum(run.said["refused"] for run in members),
            realtime=all(run.said["realtime"] for run in members),
        )
        rows.append(row)
    return rows


def table_of(rows: Sequence[Row], block_ms: float) -> Table:
    """Return the table for the terminal."""
    title = f"While Python sends and ... (a block is {block_ms:.2f} ms; a round and gap: median, worst)"
    table = Table(title=title, title_justify="left", title_style="bold", box=None)
    table.add_column("contender", no_wrap=True)
    for name in ("deadlines missed", "a round", "longest gap, ms", "messages arrived", "lost by the server"):
        table.add_column(name, justify="right")
    table.add_column("its own counts")
    for load in dict.fromkeys(row.load for row in rows):
        table.add_row(f"[bold]... {LOAD_NAMES[load]}[/]")
        for row in rows:
            if row.load == load:
                table.add_row(*_cells(row))
    return table


def _cells(row: Row) -> list[str]:
    seen = row.summary
    return [
        f"  {CONTENDER_NAMES[row.contender]}{'' if row.realtime else ', without real-time priority'}",
        f"{seen.missed:,} of {seen.cycles:,}",
        f"{seen.missed_median:,.0f}, {seen.missed_worst:,}",
        f"{seen.gap_median_ms:.1f}, {seen.gap_worst_ms:.1f}",
        f"{row.arrived:,} of {row.sent + row.refused:,}",
        f"{seen.lost:,}",
        ", ".join(f"{name} {value:,}" for name, value in row.own.items()),
    ]


def as_json(rows: Sequence[Row], runs: Sequence[Run], about: Mapping[str, Any]) -> dict[str, Any]:
    """Return the results as one object."""
    return {
        **about,
        "rows": [dataclasses.asdict(row) for row in rows],
        "runs": [dataclasses.asdict(run) for run in runs],
    }
