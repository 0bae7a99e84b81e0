"""The results of all runs: a table, the same for a page of the docs, a chart, and one JSON object."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from midi_jitter.delays import Summary
from stall.report import LOAD_NAMES, table_by_load

__all__ = ["NAMES", "PageError", "Row", "as_json", "draw_jitter", "markdown_of", "put_into_page", "table_of"]

NAMES = {
    "sounddevice": "python-rtmidi, sounddevice",
    "rtmixer": "python-rtmidi, python-rtmixer",
    "callback": "the same, MIDI in a callback",
    "send": "python-rtmidi, cueline's send()",
    "cueline": "cueline",
}
_TITLES = ("median", "99th percentile", "jitter", "notes lost")
_HEAD = f"| while Python | | {' | '.join(_TITLES)} |\n"


class PageError(Exception):
    """The page has no place for the table."""


@dataclass(frozen=True)
class Row:
    """One contender under one load, over all rounds."""

    load: str
    contender: str
    seen: Summary
    own: Mapping[str, int]
    """The contender's own counts, of all rounds together."""
    realtime: bool
    """Whether one of its threads had real-time priority in every round."""


def table_of(rows: Sequence[Row], samplerate: int) -> Table:
    """Return the table for the terminal."""
    title = "From a note to its sound, in frames (ms), while Python ..."
    return table_by_load(
        title,
        [*_TITLES, "extra sounds"],
        rows,
        NAMES,
        lambda row: [*_cells(row.seen, samplerate), f"{row.seen.extra:,}"],
    )


def markdown_of(rows: Sequence[Row], samplerate: int, caption: str) -> str:
    """Return the table for the docs, and a line about where the figures come from."""
    lines = [_HEAD.rstrip(), f"| --- | --- |{' --- |' * len(_TITLES)}"]
    load = ""
    for row in rows:
        again, load = row.load == load, row.load
        cells = ["" if again else f"{LOAD_NAMES[load]} ", NAMES[row.contender], *_cells(row.seen, samplerate)]
        lines.append(f"| {cells[0]}| {' | '.join(cells[1:])} |")
    return "\n".join([*lines, "", caption]) + "\n"


def put_into_page(page: Path, table: str) -> None:
    """Replace the page's table with this head, and the line below it. Raises PageError if it has not one."""
    text = page.read_text(encoding="utf-8")
    whole, count = re.subn(f"^{re.escape(_HEAD)}(?:\\|.*\n)*\n.+\n", lambda _: table, text, flags=re.MULTILINE)
    if count != 1:
        raise PageError(f"{page} must have one table with this head and a line below it: {_HEAD.rstrip()}")
    page.write_text(whole, encoding="utf-8")


def _cells(seen: Summary, samplerate: int) -> list[str]:
    frames = (seen.median, seen.p99, seen.jitter)
    return [*(_in_both(count, samplerate) for count in frames), f"{seen.lost:,} of {seen.sent:,}"]


def _in_both(frames: int | None, samplerate: int) -> str:
    return "none" if frames is None else f"{frames:,} ({frames / samplerate * 1e3:.1f} ms)"


def draw_jitter(folder: Path, rows: Sequence[Row], *, samplerate: int, block_frames: int, caption: str) -> Path:
    """Draw ``midi-jitter.svg`` and return its path. Equal rows make equal files."""
    from drawings import OURS, PEERS  # here, because matplotlib is slow to load
    from stall.chart import Bar, draw_bars

    colours = {"sounddevice": PEERS[0], "rtmixer": PEERS[1], "callback": PEERS[2], "send": OURS[1], "cueline": OURS[0]}
    bars = []
    for row in rows:
        ms = (row.seen.jitter or 0) / samplerate * 1e3
        lost = f"; {row.seen.lost:,} of {row.seen.sent:,} notes lost" if row.seen.lost else ""
        words = "no note heard" if row.seen.jitter is None else f"{ms:.1f} ms" if ms else "no jitter"
        bars.append(Bar(row.load, NAMES[row.contender], colours[row.contender], ms, words + lost))
    block_ms = block_frames / samplerate * 1e3
    note = f"ms from the shortest delay to the longest; dashed: one block, {block_ms:.2f} ms"
    return draw_bars(
        folder, "midi jitter", bars, "Jitter of MIDI notes, while Python ...", f"{note}\n{caption}", block_ms
    )


def as_json(rows: Sequence[Row], about: Mapping[str, Any]) -> dict[str, Any]:
    """Return the results as one object."""
    return {**about, "rows": [dataclasses.asdict(row) | {"jitter": row.seen.jitter} for row in rows]}
