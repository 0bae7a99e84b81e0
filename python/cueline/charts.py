"""Charts, drawn with matplotlib: optional, as ``cueline[charts]``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cueline.errors import ArgumentError, MissingPackageError

__all__ = ["check_chart", "draw_histogram"]


def check_chart(path: Path) -> None:
    """Raise ArgumentError or MissingPackageError where no chart could be drawn into ``path``."""
    if path.suffix != ".svg":
        raise ArgumentError(f"a chart is an SVG file: its name must end in .svg, got '{path}'")
    if not path.parent.is_dir():
        raise ArgumentError(f"there is no folder '{path.parent}' to draw '{path.name}' in: make it first")
    try:
        with path.open("a"):
            pass
    except OSError as error:
        raise ArgumentError(f"'{path}' cannot be written: {error.strerror}") from None
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise MissingPackageError("charts need matplotlib: pip install 'cueline[charts]'") from None


def draw_histogram(path: Path, times_ms: Sequence[float], *, block_ms: float, title: str) -> None:
    """Draw how often which time was taken, with a line at each whole block."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"svg.hashsalt": "cueline", "svg.fonttype": "none"}):
        figure = Figure(figsize=(7, 3.5), layout="constrained")
        axes = figure.add_subplot()
        axes.hist(times_ms, bins=min(60, max(10, len(times_ms) // 5)), color="#3b6ea5")
        for block in range(1, min(20, int(max(times_ms, default=0) / block_ms)) + 1):
            axes.axvline(block * block_ms, color="#999999", linewidth=0.8, linestyle="--")
        axes.set_title(title)
        axes.set_xlabel(f"round trip in ms (dashed: whole blocks of {block_ms:.3f} ms)")
        axes.set_ylabel("pings")
        figure.savefig(path, format="svg", metadata={"Date": None})
