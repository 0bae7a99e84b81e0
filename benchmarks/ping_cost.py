"""What engine.ping() and engine.receive_msg() cost a Python program: on average, and call by call.

Single calls contain one reading of the clock; the first row contains nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

import cueline

CALLS = 200_000
BATCH = 100


def spread(call: Callable[[], object], between: Callable[[], object]) -> tuple[float, list[int]]:
    """Return the median cost of a call in batches, and every single call's, sorted; all in nanoseconds."""
    clock = time.perf_counter_ns
    batches = []
    for _ in range(CALLS // BATCH):
        began = clock()
        for _ in range(BATCH):
            call()
        batches.append((clock() - began) / BATCH)
        between()
    singles = []
    for number in range(CALLS):
        began = clock()
        call()
        singles.append(clock() - began)
        if number % BATCH == BATCH - 1:
            between()
    return sorted(batches)[len(batches) // 2], sorted(singles)


def main() -> None:
    """Measure, and print a table."""
    offline = cueline.AudioEngine("offline", blocksize=1, budget=1024)
    full = cueline.AudioEngine("offline")
    while full.ping() is cueline.Status.OK:
        pass
    running = cueline.AudioEngine("null")

    def answer() -> None:
        offline.render(1)
        for _ in offline.messages():
            pass

    def let_it_drain() -> None:
        while running.stats().events.sent < running.stats().commands.sent:
            time.sleep(0.001)
        for _ in running.messages():
            pass

    rows: list[tuple[str, Callable[[], object], Callable[[], object]]] = [
        ("the clock and nothing else", lambda: None, lambda: None),
        ("ping(), accepted", offline.ping, answer),
        ("ping(), refused: ring full", full.ping, lambda: None),
        ("ping(), audio thread running", running.ping, let_it_drain),
        ("receive_msg(), nothing there", offline.receive_msg, lambda: None),
    ]
    table = Table(title=f"nanoseconds a call; {CALLS:,} calls each", box=None)
    table.add_column("")
    for name in ("in batches: median", "single: median", "p99", "p99.9", "max"):
        table.add_column(name, justify="right")
    with running:
        for name, call, between in rows:
            average, singles = spread(call, between)
            points = [singles[int(len(singles) * point)] for point in (0.5, 0.99, 0.999)]
            table.add_row(name, f"{average:.0f}", *(str(ns) for ns in points), str(singles[-1]))
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
