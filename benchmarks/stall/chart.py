"""Draw the results: for each load, a bar per contender, as long as the longest gap in its sound or its recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from drawings import OURS, PEERS, same_every_time, save
from stall.report import LOAD_NAMES, RecordingRow, Row

__all__ = ["Bar", "draw_bars", "draw_recordings", "draw_stall"]

_COLOURS = {"sounddevice": PEERS[0], "rtmixer": PEERS[1], "cueline": OURS[0]}
_NAMES = {"sounddevice": "sounddevice, Python callback", "rtmixer": "python-rtmixer, C callback", "cueline": "cueline"}
_HEADING = 0.95  # rows for a load's heading
_BETWEEN = 0.35  # rows between loads


@dataclass(frozen=True)
class Bar:
    """One contender under one load: how long its bar is, and what stands beside it."""

    load: str
    name: str
    colour: str
    ms: float
    verdict: str


def draw_stall(folder: Path, rows: Sequence[Row], *, block_ms: float, caption: str) -> Path:
    """Draw ``stall.svg`` and return its path. Equal rows make equal files."""
    bars = [_bar(row, row.summary.gap_worst_ms, _verdict(row)) for row in rows]
    title = "Longest time without new sound, while Python ..."
    note = f"ms; dashed: one block, {block_ms:.2f} ms: a bar that ends there has no gap"
    return draw_bars(folder, "stall", bars, title, f"{note}\n{caption}", block_ms)


def draw_recordings(folder: Path, rows: Sequence[RecordingRow], *, caption: str) -> Path:
    """Draw ``stall-recordings.svg`` and return its path. Equal rows make equal files."""
    bars = [_bar(row, row.seen.gap_ms, _loss(row)) for row in rows]
    title = "Longest gap in a recording, while Python ..."
    return draw_bars(folder, "stall-recordings", bars, title, f"ms\n{caption}", None)


def draw_bars(folder: Path, name: str, bars: Sequence[Bar], title: str, caption: str, dashed_at: float | None) -> Path:
    """Draw a group of bars for each load, and return the file's path. Equal bars make equal files."""
    loads = dict.fromkeys(bar.load for bar in bars)
    height = len(bars) + (_HEADING + _BETWEEN) * len(loads)
    with same_every_time():
        figure = Figure(figsize=(7.2, 1.1 + 0.2 * height), layout="constrained")
        axes = figure.subplots()
        shown: dict[float, Bar] = {}
        place = 0.0
        for load in loads:
            _write(axes, f"... {LOAD_NAMES[load]}", dashed_at or 0, place, fontweight="bold")
            place += _HEADING
            for bar in bars:
                if bar.load == load:
                    shown[place] = bar
                    axes.barh(place, bar.ms, 0.78, color=bar.colour)
                    _write(axes, bar.verdict, bar.ms, place)
                    place += 1
            place += _BETWEEN
        if dashed_at is not None:
            axes.axvline(dashed_at, color="#111111", linewidth=0.8, linestyle="--")
        axes.set_title(title, loc="left", fontweight="bold", fontsize=10)
        axes.set_xlabel(caption, loc="left")
        axes.set_xlim(0, 1.8 * max(bar.ms for bar in bars) or 1)
        axes.set_ylim(place - 0.6, -0.7)
        axes.set_yticks(list(shown), [bar.name for bar in shown.values()])
        for label, bar in zip(axes.get_yticklabels(), shown.values(), strict=True):
            if bar.colour == OURS[0]:
                label.set(color=OURS[0], fontweight="bold")
        axes.tick_params(axis="y", length=0)
        axes.spines[["top", "right"]].set_visible(False)
        return save(figure, folder, name)


def _bar(row: Row | RecordingRow, ms: float, verdict: str) -> Bar:
    return Bar(row.load, _NAMES[row.contender], _COLOURS[row.contender], ms, verdict)


def _write(axes: Axes, text: str, x: float, y: float, **style: Any) -> None:
    axes.annotate(text, (x, y), xytext=(5, 0), textcoords="offset points", va="center", **style)


def _verdict(row: Row) -> str:
    seen = row.summary
    if seen.missed == 0:
        return f"none of {seen.cycles:,} deadlines missed"
    return f"{seen.gap_worst_ms:.0f} ms; {seen.missed:,} of {seen.cycles:,} deadlines missed"


def _loss(row: RecordingRow) -> str:
    seen = row.seen
    if seen.lost == 0:
        return f"none of {seen.frames:,} frames lost"
    return f"{seen.gap_ms:.0f} ms; {seen.lost:,} of {seen.frames:,} frames lost"
