"""The command ``cueline bench``: measures, then prints tables or JSON and draws charts."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import ExitStack

from cueline.commands import charts
from cueline.commands.bench import echo, peers
from cueline.commands.bench.calls import our_calls
from cueline.commands.bench.imports import time_imports
from cueline.commands.bench.machine import this_machine
from cueline.commands.bench.measure import Effort, measure
from cueline.commands.bench.report import WIDTH, print_report
from cueline.commands.bench.results import Results, account
from cueline.commands.console import CtrlC, PlainConsole
from cueline.errors import MissingPackageError

__all__ = ["FULL", "QUICK", "benchmark", "run"]

FULL = Effort(rounds=250)
QUICK = Effort(rounds=40)


def run(options: argparse.Namespace) -> int:
    """Measure as ``options`` say, show the results, and return the exit status: 0 even if a target is missed."""
    if getattr(sys, "frozen", False):  # it would start itself over and over
        raise MissingPackageError(
            "cueline bench starts other Pythons, and a frozen application has none: run it where cueline is installed "
            "with pip"
        )
    if options.svg is not None:
        charts.check_folder(options.svg)
    results = benchmark(QUICK if options.quick else FULL)
    if options.json:
        print(json.dumps(account(results), indent=2))
    else:
        print_report(PlainConsole(least_width=WIDTH), results)
    if options.svg is not None:
        _draw(options, results)
    return 0


def benchmark(effort: Effort) -> Results:
    """Measure everything that is installed here."""
    # Ctrl-C takes effect between two steps: inside one, it could break multiprocessing, or get lost in it.
    with CtrlC() as ctrl_c, ExitStack() as stack:
        imports = time_imports(effort.imports, between=ctrl_c.raise_if_pressed)
        calls = our_calls(stack)
        ctrl_c.raise_if_pressed()
        found, missing = peers.peers(stack)
        ctrl_c.raise_if_pressed()
        trips = echo.round_trips(stack, peers.packaged)
        contenders = [*calls, *(one for peer in found for one in peer.contenders), *trips]
        costs = measure(contenders, effort, between=ctrl_c.raise_if_pressed)
    return Results(this_machine(), effort, calls, [peer.way for peer in found], trips, missing, costs, imports)


def _draw(options: argparse.Namespace, results: Results) -> None:
    made_on = f"{results.machine.cpu}, {results.machine.python}"
    charts.draw_bars(
        options.svg / "python-calls.svg",
        {call.name: results.costs[call.name].batch() for call in results.calls},
        unit="ns a call, median; thin line: from p10 to p90 of the rounds",
        title=f"What a call costs ({made_on})",
    )
    charts.draw_bars(
        options.svg / "python-peers.svg",
        {crossing.way.name: crossing.whole for crossing in results.crossings()},
        unit="ns to make, put and get one message, median; logarithmic",
        title=f"One message ({made_on})",
        logarithmic=True,
    )
