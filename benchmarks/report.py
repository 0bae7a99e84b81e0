"""Print the results of the benchmarks as tables beside their targets, and draw them.

usage: report.py FILE... [--json OUT] [--svg FOLDER]. A file is the ring harness's JSON, or Google Benchmark's.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from costs import Costs, Row, growth_of, read_costs
from findings import Group, InputError, Run, describe, groups_of, judge, read_run, share_of_limit, slices_missing

__all__ = ["main"]


def read(paths: Sequence[Path]) -> tuple[list[Run], list[Costs]]:
    """Read each file by its kind. Raises InputError if it is neither kind."""
    runs, costs = [], []
    for path in paths:
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"{path.name} cannot be read: {error}") from None
        if not isinstance(content, dict):
            raise InputError(f"{path.name} is no object")
        if "benchmarks" in content and "context" in content:
            costs.append(read_costs(content, path.stem))
        elif "results" in content:
            runs.append(read_run(content, path.stem))
        else:
            raise InputError(f"{path.name} is neither the ring harness's nor Google Benchmark's")
    return runs, costs


def text(value: float | None) -> str:
    """Return a figure with three significant digits, or nothing."""
    if value is None:
        return ""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def print_run(console: Console, run: Run) -> None:
    """Print one run of the ring harness: the machine, its limits, each group and its targets."""
    machine = ", ".join(f"{key} {value}" for key, value in run.machine.items())
    console.print(f"\n[bold]cueline {run.cueline}, {run.compiler}[/]; {machine}")
    seen = [limit for limit in run.limits if limit.median is not None]
    if seen:
        table = _table("limits of the machine, in the same run", "limit", "cores", "unit", "median", "low..high")
        for limit in seen:
            spread = f"{text(limit.low)}..{text(limit.high)}"
            table.add_row(limit.name, limit.placement, limit.unit, text(limit.median), spread)
        console.print(table)
    for group in groups_of(run.results):
        console.print(_group_table(run, group))
        for finding in judge(run, group):
            console.print(f"  {finding}", highlight=False)
    for name in slices_missing(run):
        console.print(f"{name}: no slices of ours were seen, nothing to report")


def _group_table(run: Run, group: Group) -> Table:
    first = group.first
    tails = any(result.p99 is not None or result.p99_9 is not None for result in group.results)
    shares = {result.ring: share_of_limit(run, result) for result in group.results}
    limited = any(share is not None for share in shares.values())
    columns = ["ring", "median", "low..high"]
    columns += ["p99", "p99.9"] if tails else []
    columns += ["to best peer"] + (["of limit"] if limited else [])
    name = describe(first.work, first.bytes, first.placement)
    better = "more is better" if first.better == "more" else "less is better"
    table = _table(f"{name}: {first.unit}, {better}", *columns)
    for result in group.results:
        ring = result.ring if result.comparable else f"{result.ring} (not compared)"
        cells = [ring, text(result.median), f"{text(result.low)}..{text(result.high)}"]
        if tails:
            cells += [text(result.p99), text(result.p99_9)]
        ratio = group.ratio(result)
        cells.append("" if ratio is None else f"{ratio:.2f}")
        if limited:
            share = shares[result.ring]
            cells.append("" if share is None else f"{100 * share:.0f} %")
        table.add_row(*cells, style=None if result.peer else "bold")
    return table


def print_costs(console: Console, costs: Costs) -> None:
    """Print one file of Google Benchmark: a table for each family, and how its cost grows with messages."""
    console.print(f"\n[bold]single calls and blocks, {costs.compiler}[/]")
    alone: list[Row] = []
    for family, rows in costs.families().items():
        if all(row.argument is None for row in rows):
            alone += rows
            continue
        growth = growth_of(family, rows)
        per_message = {count: figures for count, *figures in growth.per_message_ns} if growth else {}
        console.print(_rows_table(family, rows, per_message))
        for line in growth.lines() if growth else []:
            console.print(f"  {line}", highlight=False)
    if alone:
        console.print(_rows_table("single calls", alone, {}))


def _rows_table(title: str, rows: Sequence[Row], per_message: Mapping[int, Sequence[float]]) -> Table:
    names = sorted(dict.fromkeys(name for row in rows for name in row.figures), key=_figure_order)
    grown = ["ns a message, over empty", "ns a further message"] if per_message else []
    table = _table(title, rows[0].argument or "call", *names, *grown)
    for row in rows:
        cells = [text(row.figures.get(name)) for name in names]
        if per_message:
            cells += [text(value) for value in per_message.get(row.count or 0, ())]
        table.add_row(row.family if row.count is None else str(row.count), *cells)
    return table


def _figure_order(name: str) -> tuple[int, str]:
    known = ("median_ns", "p99_ns", "p99.9_ns", "max_ns")
    return (known.index(name) if name in known else len(known), name)


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None)
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    return table


def merged(runs: Sequence[Run], costs: Sequence[Costs]) -> dict[str, Any]:
    """Return the results and the findings as one object."""
    return {
        "rings": [
            dataclasses.asdict(run)
            | {
                "findings": [
                    dataclasses.asdict(finding) for group in groups_of(run.results) for finding in judge(run, group)
                ],
                "not_seen": slices_missing(run),
            }
            for run in runs
        ],
        "costs": [
            dataclasses.asdict(measured)
            | {
                "growth": [
                    dataclasses.asdict(growth) | {"linear": growth.linear}
                    for family, rows in measured.families().items()
                    if (growth := growth_of(family, rows)) is not None
                ]
            }
            for measured in costs
        ],
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Returns its exit status: 2 for a file that cannot be used. A missed target is no error."""
    parser = argparse.ArgumentParser(prog="report.py", description="Print and draw what the benchmarks measured.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="JSON of the harness or Google Benchmark")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write all of it as one JSON object")
    parser.add_argument("--svg", type=Path, metavar="FOLDER", help="draw charts into this folder")
    asked = parser.parse_args(arguments)
    try:
        runs, costs = read(asked.files)
    except InputError as error:
        print(f"report.py: {error}", file=sys.stderr)
        return 2

    console = Console(width=None if sys.stdout.isatty() else 110)
    for run in runs:
        print_run(console, run)
    for measured in costs:
        print_costs(console, measured)
    if asked.json is not None:
        asked.json.write_text(json.dumps(merged(runs, costs), indent=1) + "\n", encoding="utf-8")
    if asked.svg is not None:
        from drawings import draw_costs, draw_rings  # here, because matplotlib is slow to load

        asked.svg.mkdir(parents=True, exist_ok=True)
        for path in [*draw_rings(asked.svg, runs), *draw_costs(asked.svg, costs)]:
            console.print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
