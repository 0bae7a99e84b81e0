"""Prints what a run of the benchmark found, as tables."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from cueline.commands.bench.measure import Spread
from cueline.commands.bench.results import Crossing, Results

__all__ = ["WIDTH", "print_report"]

WIDTH = 120  # of the widest table: a narrower terminal breaks lines, and loses nothing


def print_report(console: Console, results: Results) -> None:
    """Print all of it."""
    machine = results.machine
    governor = f", governor {machine.governor}" if machine.governor else ""
    console.print(f"{machine.cpu}, {machine.cores} cores{governor}; {machine.kernel}")
    console.print(
        f"{machine.python} ({machine.python_compiler}); cueline {machine.cueline} ({machine.cueline_compiler})"
    )
    console.print(f"{results.effort.rounds} rounds over all of them in turn; medians, and p10..p90 over the rounds")
    console.print()
    console.print(_calls(results))
    console.print(
        "[dim]In batches: the loop's share is in it, see the first row. Single calls: one reading of Python's clock is "
        "in each, the first row is that alone. Audio running: blocks of 16 frames at 48 kHz. Ten after a "
        "sleep of 1 ms: the first finds its code gone from the caches. Python's garbage collector stands still "
        "meanwhile.[/]"
    )
    console.print()
    console.print(_targets(results))
    console.print()
    console.print(_peers(results))
    console.print(
        "[dim]xN: that many times what ours costs. ping() makes its message, with the time in it; a put of a message "
        "that is there already leaves out that part. All in one thread, nobody at the other end save where noted.[/]"
    )
    for crossing in results.crossings():
        if crossing.way.note:
            console.print(f"[dim]{crossing.way.name}: {crossing.way.note}[/]")
    for missing in results.missing:
        console.print(
            f"{missing.name} is left out, for it cannot be imported. To have it: {missing.install}", markup=False
        )
    console.print()
    console.print(_trips(results))
    console.print(
        "[dim]The audio thread wakes nobody and answers in its next block, here of 1.333 ms: that wait is cueline's "
        "round trip. The others wake each other by the system, as a real-time thread may not.[/]"
    )


def _table(title: str, first: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    table.add_column(first, no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _calls(results: Results) -> Table:
    table = _table(
        "What a call costs, in ns", "", "in batches", "p10..p90", "single", "p99", "p99.9", "times its limit"
    )
    for call in results.calls:
        costs = results.costs[call.name]
        to_limit = results.limit_ratio(call.name)
        table.add_row(
            call.name,
            *_spread(costs.batch()),
            *(str(costs.single(fraction)) for fraction in (0.5, 0.99, 0.999)),
            f"{to_limit.median:.2f} ({to_limit.p10:.2f}..{to_limit.p90:.2f})" if to_limit else "",
        )
    return table


def _targets(results: Results) -> Table:
    table = _table("Targets", "", "at most", "found", "")
    for one in results.judgements():
        table.add_row(one.target.call, one.target.text, f"{one.value:.3g}", _met(one.met))
    for crossing in results.crossings()[1:]:
        most = 1 / crossing.least_factor
        table.add_row(
            f"a message made, put and got, beside {crossing.way.name}",
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


def _spread(spread: Spread) -> tuple[str, str]:
    return f"{spread.median:.1f}", f"{spread.p10:.1f}..{spread.p90:.1f}"


def _times(factor: float) -> str:
    return f"x{factor:.0f}" if factor >= 10 else f"x{factor:.2g}"


def _met(met: bool) -> str:
    return "[green]met[/]" if met else "[red]not met[/]"
