"""Charts, drawn with matplotlib, which is optional: ``cueline[charts]``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from cueline.errors import ArgumentError, MissingPackageError

__all__ = ["check_chart", "check_folder", "draw_bars", "draw_histogram"]

_COLOUR = "#3b6ea5"


def check_chart(path: Path) -> None:
    """Raise ArgumentError or MissingPackageError if no chart can be drawn into ``path``."""
    if path.suffix != ".svg":
        raise ArgumentError(f"a chart's file name must end in .svg, got '{path}'")
    if not path.parent.is_dir():
        raise ArgumentError(f"there is no folder '{path.parent}' for '{path.name}': make it first")
    try:
        with path.open("a"):
            pass
    except OSError as error:
        raise ArgumentError(f"'{path}' cannot be written: {error.strerror}") from None
    _require_matplotlib()


def check_folder(path: Path) -> None:
    """Make the folder ``path`` for charts. Raise ArgumentError or MissingPackageError if none can be drawn."""
    _require_matplotlib()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArgumentError(f"cannot make the folder '{path}' for charts: {error.strerror}") from None


def _require_matplotlib() -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise MissingPackageError("charts need matplotlib: pip install 'cueline[charts]'") from None


def _style() -> AbstractContextManager[None]:
    """Return a style that makes files reproducible, and keeps text as text."""
    from matplotlib import rc_context

    return rc_context({"svg.hashsalt": "cueline", "svg.fonttype": "none"})


def draw_histogram(path: Path, times_ms: Sequence[float], *, block_ms: float, title: str) -> None:
    """Draw a histogram of the times, with a line at each whole block."""
    from matplotlib.figure import Figure

    with _style():
        figure = Figure(figsize=(7, 3.5), layout="constrained")
        axes = figure.add_subplot()
        axes.hist(times_ms, bins=min(60, max(10, len(times_ms) // 5)), color=_COLOUR)
        for block in range(1, min(20, int(max(times_ms, default=0) / block_ms)) + 1):
            axes.axvline(block * block_ms, color="#999999", linewidth=0.8, linestyle="--")
        axes.set_title(title)
        axes.set_xlabel(f"round trip in ms (dashed: whole blocks of {block_ms:.3f} ms)")
        axes.set_ylabel("pings")
        figure.savefig(path, format="svg", metadata={"Date": None})


class _Spread(Protocol):
    @property
    def median(self) -> float: ...
    @property
    def p10(self) -> float: ...
    @property
    def p90(self) -> float: ...


def draw_bars(path: Path, spreads: Mapping[str, _Spread], *, unit: str, title: str, logarithmic: bool = False) -> None:
    """Draw a bar for each median, with a thin line from the 10th to the 90th percentile across its end."""
    from matplotlib.figure import Figure

    names, medians = list(spreads), [spread.median for spread in spreads.values()]
    below = [max(0.0, spread.median - spread.p10) for spread in spreads.values()]
    above = [max(0.0, spread.p90 - spread.median) for spread in spreads.values()]
    with _style():
        figure = Figure(figsize=(8, 0.8 + 0.35 * len(names)), layout="constrained")
        axes = figure.add_subplot()
        axes.barh(names, medians, xerr=[below, above], color=_COLOUR, ecolor="#999999", log=logarithmic)
        for row, median in enumerate(medians):
            axes.annotate(
                f"{median:,.0f}" if median >= 100 else f"{median:.1f}",
                (median, row),
                xytext=(2, 3),
                textcoords="offset points",
                fontsize=8,
            )
        axes.set_xlim(left=1 if logarithmic else 0)
        axes.invert_yaxis()  # the first bar at the top
        axes.set_title(title, fontsize=10)
        axes.set_xlabel(unit)
        figure.savefig(path, format="svg", metadata={"Date": None})
