"""Draw the results: one small SVG for each work of the rings, and one for the cost of a block."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from costs import Costs
from findings import Group, Limit, Run, describe, groups_of, limit_of

__all__ = ["OURS", "PEERS", "draw_costs", "draw_rings", "same_every_time", "save"]

OURS = ("#c2410c", "#f0955c", "#f7c9a9")  # one tone for each compiler
PEERS = ("#5b6b7c", "#97a5b3", "#c9d1d9")


def same_every_time() -> AbstractContextManager[None]:
    """Return settings under which equal figures give equal files, with text as text."""
    return rc_context(
        {"svg.hashsalt": "cueline", "svg.fonttype": "none", "font.size": 8.0, "font.sans-serif": ["DejaVu Sans"]}
    )


def draw_rings(folder: Path, runs: Sequence[Run]) -> list[Path]:
    """Draw one chart for each work, with a panel for each size and placement. Return the files."""
    works: dict[str, dict[tuple[int, str], list[tuple[int, Run, Group]]]] = {}
    for number, run in enumerate(runs):
        for group in groups_of(run.results):
            first = group.first
            panels = works.setdefault(first.work, {})
            panels.setdefault((first.bytes, first.placement), []).append((number, run, group))
    paths = []
    for work, panels in works.items():
        bars = [
            len({result.ring for _, _, group in members for result in group.results}) for members in panels.values()
        ]
        with same_every_time():
            figure = Figure(figsize=(7.2, 0.5 + sum(0.7 + 0.24 * count for count in bars)), layout="constrained")
            axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=[2 + count for count in bars])
            for panel, members in zip(axes.flat, panels.values(), strict=True):
                _draw_group(panel, members)
            paths.append(save(figure, folder, work))
    return paths


def _draw_group(axes: Axes, members: Sequence[tuple[int, Run, Group]]) -> None:
    """Draw one panel: the rings, best first, a bar for each compiler, spread and limit as lines."""
    first = members[0][2].first
    rings: dict[str, None] = {}  # in the first compiler's order
    for _, _, group in members:
        rings.update(dict.fromkeys(result.ring for result in group.results))
    places = {ring: place for place, ring in enumerate(rings)}
    height = 0.8 / len(members)
    limited = False
    for row, (number, run, group) in enumerate(members):
        _draw_bars(
            axes,
            group,
            [places[result.ring] - 0.4 + (row + 0.5) * height for result in group.results],
            height,
            number,
        )
        limit: Limit | None = limit_of(run, next((result for result in group.results if result.limit), first))
        if limit is not None and limit.median is not None:
            limited = True
            axes.axvline(limit.median, color="#111111", linewidth=0.9, linestyle=("--", ":", "-.")[number % 3])
    notes = [first.unit, "less is better" if first.better == "less" else "more is better"]
    notes += ["dashed: the limit"] * limited
    marked = [ring if _counts(ring, members) else f"{ring} *" for ring in places]
    notes += ["*: not compared"] * any(name.endswith("*") for name in marked)
    axes.set_title(describe(first.work, first.bytes, first.placement), loc="left", fontweight="bold")
    compilers = " and ".join(run.compiler for _, run, _ in members)
    axes.set_xlabel(f"{'; '.join(notes)}\nbars from above: {compilers}", loc="left")
    axes.set_yticks(list(places.values()), marked)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(places) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.spines[["top", "right"]].set_visible(False)


def _counts(ring: str, members: Sequence[tuple[int, Run, Group]]) -> bool:
    return all(result.comparable for _, _, group in members for result in group.results if result.ring == ring)


def _draw_bars(axes: Axes, group: Group, places: Sequence[float], height: float, number: int) -> None:
    """Draw one compiler's bars, each with its spread and its figure."""
    spread_x: list[float] = []
    spread_y: list[float] = []
    for result, place in zip(group.results, places, strict=True):
        median = result.median or 0.0
        low, high = result.low or median, result.high or median
        colours = PEERS if result.peer else OURS
        axes.barh(place, median, height * 0.92, color=colours[number % len(colours)])
        axes.annotate(
            f"{median:.3g}" if median < 1000 else f"{median:.0f}",
            (max(median, high), place),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=6.5,
        )
        spread_x += [low, high, math.nan]
        spread_y += [place, place, math.nan]
    axes.plot(spread_x, spread_y, color="#111111", linewidth=0.6)  # one line with gaps: a small file


# What a benchmark varies, and the title of its chart. A parameter changes if it is written, or if it moves.
_BLOCKS = {
    "messages": "one block, by messages",
    "engines": "one block, by engines",
    "declared": "one block, by parameters declared",
    "changed": "one block, by parameters changed",
}


def draw_costs(folder: Path, costs: Sequence[Costs]) -> list[Path]:
    """Draw the cost of a block, one chart for each argument of _BLOCKS. Return the files."""
    paths = []
    for argument, title in _BLOCKS.items():
        with same_every_time():
            figure = Figure(figsize=(7.2, 3.2), layout="constrained")
            axes = figure.subplots()
            drawn = 0
            for measured in costs:
                for family, rows in measured.families().items():
                    points = [
                        (row.count, row.figures["median_ns"], row.figures.get("p99_ns", row.figures["median_ns"]))
                        for row in rows
                        if row.argument == argument and row.count is not None and "median_ns" in row.figures
                    ]
                    if not points:
                        continue
                    counts, medians, tails = zip(*points, strict=True)
                    colour = (OURS[0], PEERS[0], OURS[1], PEERS[1], OURS[2], PEERS[2])[drawn % 6]
                    axes.plot(counts, medians, "o-", color=colour, markersize=3, label=f"{family}, {measured.compiler}")
                    axes.fill_between(counts, medians, tails, color=colour, alpha=0.2, linewidth=0)
                    drawn += 1
            if drawn == 0:
                continue
            axes.set_title(f"{title}: median, and up to p99", loc="left", fontweight="bold")
            axes.set_xlabel(argument)
            axes.set_ylabel("ns a block")
            axes.set_xlim(left=0)
            axes.set_ylim(bottom=0)
            axes.spines[["top", "right"]].set_visible(False)
            axes.legend(frameon=False)
            paths.append(save(figure, folder, f"engine {argument}"))
    return paths


def save(figure: Figure, folder: Path, name: str) -> Path:
    """Write the figure without invisible decimals and white space, which are half of the file."""
    path = folder / (re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") + ".svg")
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    tags = re.sub(r' transform="rotate\(-0 [^"]*"|<!--.*?-->', "", drawn.getvalue(), flags=re.DOTALL)
    bare = re.sub(r"<[^>]*>", lambda tag: re.sub(r"(?<![\w.])(\d+\.\d)\d+", r"\1", tag[0]), tags)  # text stays as it is
    lines = (line.strip() for line in bare.splitlines())
    path.write_text("\n".join(line for line in lines if line) + "\n", encoding="utf-8")
    return path
