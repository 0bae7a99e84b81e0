"""The results of all runs: a table, and one JSON object."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from rich.table import Table

from stall.account import Summary, summarise
from stall.experiment import Recording, Run
from stall.recorded import Recorded, worst_of

__all__ = [
    "CONTENDER_NAMES",
    "LOAD_NAMES",
    "RecordingRow",
    "Row",
    "as_json",
    "recording_rows_of",
    "recordings_table_of",
    "rows_of",
    "table_by_load",
    "table_of",
]


class RunsOfOne(Protocol):
    """What all rows have: a contender under a load, and what it counted itself."""

    @property
    def load(self) -> str: ...
    @property
    def contender(self) -> str: ...
    @property
    def own(self) -> Mapping[str, int]: ...
    @property
    def realtime(self) -> bool: ...


AnyRun = TypeVar("AnyRun", Run, Recording)
AnyRow = TypeVar("AnyRow", bound=RunsOfOne)

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
    rows = []
    for (load, contender), members in _grouped(runs).items():
        row = Row(
            load=load,
            contender=contender,
            rounds=len(members),
            summary=summarise([run.seen for run in members]),
            own=_own_counts(members),
            sent=sum(run.said["sent"] for run in members),
            arrived=sum(run.said["arrived"] for run in members),
            refused=sum(run.said["refused"] for run in members),
            realtime=all(run.said["realtime"] for run in members),
        )
        rows.append(row)
    return rows


@dataclass(frozen=True)
class RecordingRow:
    """One contender that records under one load, over all rounds."""

    load: str
    contender: str
    rounds: int
    seen: Recorded
    own: Mapping[str, int]
    realtime: bool
    """Whether one of its threads had real-time priority in every round."""


def recording_rows_of(recordings: Sequence[Recording]) -> list[RecordingRow]:
    """Return a row for each load and contender, in the order of the first round."""
    rows = []
    for (load, contender), members in _grouped(recordings).items():
        seen = worst_of([recording.seen for recording in members])
        realtime = all(recording.said["realtime"] for recording in members)
        rows.append(RecordingRow(load, contender, len(members), seen, _own_counts(members), realtime))
    return rows


def _grouped(runs: Sequence[AnyRun]) -> dict[tuple[str, str], list[AnyRun]]:
    """Return the runs of each load and contender, in the order of the first round."""
    groups: dict[tuple[str, str], list[AnyRun]] = {}
    for run in runs:
        groups.setdefault((run.load, run.contender), []).append(run)
    return groups


def _own_counts(runs: Sequence[Run] | Sequence[Recording]) -> dict[str, int]:
    """Return the contender's own counts, of all these runs together."""
    own: Counter[str] = Counter()
    for run in runs:
        own.update(run.said["own"])
    return dict(own)


def recordings_table_of(rows: Sequence[RecordingRow]) -> Table:
    """Return the table of the recordings for the terminal."""
    return table_by_load(
        "While Python records and ...",
        ["frames lost", "gaps", "longest gap, ms"],
        rows,
        CONTENDER_NAMES,
        lambda row: [f"{row.seen.lost:,} of {row.seen.frames:,}", f"{row.seen.gaps:,}", f"{row.seen.gap_ms:.1f}"],
    )


def table_of(rows: Sequence[Row], block_ms: float) -> Table:
    """Return the table for the terminal."""
    title = f"While Python sends and ... (a block is {block_ms:.2f} ms; a round and gap: median, worst)"
    columns = ["deadlines missed", "a round", "longest gap, ms", "messages arrived", "lost by the server"]
    return table_by_load(title, columns, rows, CONTENDER_NAMES, _cells)


def table_by_load(
    title: str,
    columns: Sequence[str],
    rows: Sequence[AnyRow],
    names: Mapping[str, str],
    cells: Callable[[AnyRow], list[str]],
) -> Table:
    """Return a table with a head for each load, and a line for each contender with its cells and its own counts."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None)
    table.add_column("contender", no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right")
    table.add_column("its own counts")
    for load in dict.fromkeys(row.load for row in rows):
        table.add_row(f"[bold]... {LOAD_NAMES[load]}[/]")
        for row in rows:
            if row.load == load:
                contender = f"  {names[row.contender]}{'' if row.realtime else ', without real-time priority'}"
                own = ", ".join(f"{name} {value:,}" for name, value in row.own.items())
                table.add_row(contender, *cells(row), own)
    return table


def _cells(row: Row) -> list[str]:
    seen = row.summary
    return [
        f"{seen.missed:,} of {seen.cycles:,}",
        f"{seen.missed_median:,.0f}, {seen.missed_worst:,}",
        f"{seen.gap_median_ms:.1f}, {seen.gap_worst_ms:.1f}",
        f"{row.arrived:,} of {row.sent + row.refused:,}",
        f"{seen.lost:,}",
    ]


def as_json(
    rows: Sequence[Row], runs: Sequence[Run], recordings: Sequence[Recording], about: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the results as one object."""
    return {
        **about,
        "rows": [dataclasses.asdict(row) for row in rows],
        "runs": [dataclasses.asdict(run) for run in runs],
        "recording_rows": [dataclasses.asdict(row) for row in recording_rows_of(recordings)],
        "recordings": [dataclasses.asdict(recording) for recording in recordings],
    }
