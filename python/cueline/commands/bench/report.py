"""Prints the results of a run as tables."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from cueline.commands.bench.imports import AT_MOST, ImportTimes
from cueline.commands.bench.measure import Spread
from cueline.commands.bench.results import Crossing, Results

__all__ = ["WIDTH", "print_report"]

WIDTH = 120  # of the widest table; a narrower terminal breaks its lines


def print_report(console: Console, results: Results) -> None:
    """Print all results."""
    machine = results.machine
    governor = f", governor {machine.governor}" if machine.governor else ""
    console.print(f"{machine.cpu}, {machine.cores} cores{governor}; {machine.kernel}")
    console.print(
        f"{machine.python} ({machine.python_compiler}); cueline {machine.cueline} ({machine.cueline_compiler})"
    )
    console.print(f"{results.effort.rounds} rounds, all contenders in turn; medians, and p10..p90 of the rounds")
    console.print()
    console.print(_calls(results))
    console.print(
        "[dim]A batch includes the loop, and a single call includes one reading of Python's clock: the first row has "
        "these costs alone. Audio running: blocks of 16 frames at 48 kHz. Ten after a sleep of 1 ms: the first call "
        "finds its code gone from the caches. Python's garbage collector is off.[/]"
    )
    console.print()
    console.print(_targets(results))
    console.print()
    console.print(_peers(results))
    console.print(
        "[dim]xN: N times cueline's cost. ping() always makes its message, with the time in it; 'put' takes one that "
        "was made before. Everything runs in one thread, with nobody at the other end, unless a note says otherwise.[/]"
    )
    for crossing in results.crossings():
        if crossing.way.note:
            console.print(f"[dim]{crossing.way.name}: {crossing.way.note}[/]")
    for missing in results.missing:
        console.print(f"{missing.name} is left out because {missing.why}: {missing.remedy}", markup=False)
    console.print()
    console.print(_trips(results))
    console.print(
        "[dim]The audio thread answers in its next block, here of 1.333 ms, and wakes nobody: that wait is cueline's "
        "round trip. The others wake each other with a system call, which a real-time thread must not make.[/]"
    )
    console.print()
    console.print(_imports(results.imports))
    console.print("[dim]In fresh interpreters, in turn; the start of the interpreter is not included.[/]")


def _table(title: str, first: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    table.add_column(first, no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _calls(results: Results) -> Table:
    table = _table(
        "What a call costs, in ns", "", "in batches", "p10..p90", "single", "p99", "p99.9", "times the least cost"
    )
    for call in results.calls:
        costs = results.costs[call.name]
        to_limit = results.limit_ratio(call.name)
        table.add_row(
            call.name,
            *_spread(costs.batch()),
            *(_single(costs.single(fraction)) for fraction in (0.5, 0.99, 0.999)),
            f"{to_limit.median:.2f} ({to_limit.p10:.2f}..{to_limit.p90:.2f})" if to_limit else "",
        )
    return table


def _single(ns: float) -> str:
    return f"{ns:.1f}" if ns < 10 else f"{ns:.0f}"


def _targets(results: Results) -> Table:
    table = _table("Targets", "", "at most", "found", "")
    for one in results.judgements():
        table.add_row(one.target.call, one.target.text, f"{one.value:.3g}", _met(one.met))
    table.add_row(
        "import cueline", f"{AT_MOST:g} times import numpy", f"{results.imports.ratio:.3g}", _met(results.imports.met)
    )
    for crossing in results.crossings()[1:]:
        most = 1 / crossing.least_factor
        table.add_row(
            f"make, put and get a message, beside {crossing.way.name}",
            "its cost" if most == 1 else f"{most:g} times its cost",
            f"{1 / crossing.whole_factor:.3g}",
            _met(crossing.met),
        )
    return table


def _peers(results: Results) -> Table:
    table = _table("One message, in ns", "", "put", "", "make and put", "", "get", "", "make, put and get", "")
    for crossing in results.crossings():
        table.add_row(crossing.way.name, *_cells(crossing))
    return table


def _cells(crossing: Crossing) -> list[str]:
    pairs = (
        (crossing.put, crossing.put_factor),
        (crossing.send, crossing.send_factor),
        (crossing.get, crossing.get_factor),
        (crossing.whole, crossing.whole_factor),
    )
    return [cell for spread, factor in pairs for cell in (f"{spread.median:.1f}", _times(factor))]


def _trips(results: Results) -> Table:
    table = _table("There and back, in us", "", "in batches", "p10..p90", "single", "p99", "p99.9")
    for trip in results.trips:
        costs = results.costs[trip.name]
        batch = costs.batch()
        in_us = Spread(batch.median / 1e3, batch.p10 / 1e3, batch.p90 / 1e3)
        singles = (f"{costs.single(fraction) / 1e3:.1f}" for fraction in (0.5, 0.99, 0.999))
        table.add_row(trip.name, *_spread(in_us), *singles)
    return table


def _imports(imports: ImportTimes) -> Table:
    table = _table("Import, in ms", "", "median", "p10..p90", "times import numpy")
    for name, spread, ratio in (("cueline", imports.cueline, f"{imports.ratio:.2f}"), ("numpy", imports.numpy, "1")):
        in_ms = Spread(spread.median / 1e6, spread.p10 / 1e6, spread.p90 / 1e6)
        table.add_row(f"import {name}", *_spread(in_ms), ratio)
    return table


def _spread(spread: Spread) -> tuple[str, str]:
    return f"{spread.median:.1f}", f"{spread.p10:.1f}..{spread.p90:.1f}"


def _times(factor: float) -> str:
    return f"x{factor:.0f}" if factor >= 10 else f"x{factor:.2g}"


def _met(met: bool) -> str:
    return "[green]met[/]" if met else "[red]not met[/]"
