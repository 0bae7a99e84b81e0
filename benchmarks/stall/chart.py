"""Draw the result: for each load, a bar per contender, as long as the longest gap in its sound."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from drawings import OURS, PEERS, same_every_time, save
from stall.report import LOAD_NAMES, Row

__all__ = ["draw_stall"]

_COLOURS = {"sounddevice": PEERS[0], "rtmixer": PEERS[1], "cueline": OURS[0]}
_NAMES = {"sounddevice": "sounddevice, Python callback", "rtmixer": "python-rtmixer, C callback", "cueline": "cueline"}
_HEADING = 0.95  # rows for a load's heading
_BETWEEN = 0.35  # rows between loads


def draw_stall(folder: Path, rows: Sequence[Row], *, block_ms: float, caption: str) -> Path:
    """Draw ``stall.svg`` and return its path. Equal rows make equal files."""
    loads = dict.fromkeys(row.load for row in rows)
    height = len(rows) + (_HEADING + _BETWEEN) * len(loads)
    with same_every_time():
        figure = Figure(figsize=(7.2, 1.1 + 0.2 * height), layout="constrained")
        axes = figure.subplots()
        shown: dict[float, Row] = {}
        place = 0.0
        for load in loads:
            _write(axes, f"... {LOAD_NAMES[load]}", block_ms, place, fontweight="bold")
            place += _HEADING
            for row in rows:
                if row.load == load:
                    shown[place] = row
                    axes.barh(place, row.summary.gap_worst_ms, 0.78, color=_COLOURS[row.contender])
                    _write(axes, _verdict(row), row.summary.gap_worst_ms, place)
                    place += 1
            place += _BETWEEN
        axes.axvline(block_ms, color="#111111", linewidth=0.8, linestyle="--")
        axes.set_title("Longest time without new sound, while Python ...", loc="left", fontweight="bold", fontsize=10)
        axes.set_xlabel(
            f"ms; dashed: one block, {block_ms:.2f} ms: a bar that ends there has no gap\n{caption}", loc="left"
        )
        axes.set_xlim(0, 1.8 * max(row.summary.gap_worst_ms for row in rows))
        axes.set_ylim(place - 0.6, -0.7)
        axes.set_yticks(list(shown), [_NAMES[row.contender] for row in shown.values()])
        for label, row in zip(axes.get_yticklabels(), shown.values(), strict=True):
            if row.contender == "cueline":
                label.set(color=OURS[0], fontweight="bold")
        axes.tick_params(axis="y", length=0)
        axes.spines[["top", "right"]].set_visible(False)
        return save(figure, folder, "stall")


def _write(axes: Axes, text: str, x: float, y: float, **style: Any) -> None:
    axes.annotate(text, (x, y), xytext=(5, 0), textcoords="offset points", va="center", **style)


def _verdict(row: Row) -> str:
    seen = row.summary
    if seen.missed == 0:
        return f"none of {seen.cycles:,} deadlines missed"
    return f"{seen.gap_worst_ms:.0f} ms; {seen.missed:,} of {seen.cycles:,} deadlines missed"
