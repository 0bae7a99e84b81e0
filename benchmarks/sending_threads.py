"""What a send costs on 1, 2, 4 and 8 threads, each with a line of its own, with the GIL and without.

Run it with a free-threaded Python. It runs itself with PYTHON_GIL=1 and PYTHON_GIL=0 in turn, so that both have the
same machine, and prints medians over the rounds. In a burst, all threads send from the same moment on. Between bursts,
the offline engine reads what was sent.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import threading
import time

import cueline

THREADS = (1, 2, 4, 8)
BURST = 1000  # commands of each thread: fewer than a ring holds


class Start:
    """Lets threads begin at one moment. They look for it all the time: to be woken takes as long as a burst."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._arrived: list[None] = []
        self._begun = 0

    def wait(self, turn: int) -> None:
        """Wait for the beginning of this turn."""
        self._arrived.append(None)
        while self._begun < turn:
            os.sched_yield()

    def begin(self, turn: int) -> None:
        """Begin this turn when all threads wait for it."""
        while len(self._arrived) < self._threads * turn:
            os.sched_yield()
        self._begun = turn


def measured(threads: int, bursts: int) -> dict[str, float]:
    """Return the rate of all threads together in calls a second, and the time of a call on one of them in ns."""
    start, end = Start(threads), threading.Barrier(threads + 1)
    spans: list[tuple[int, int]] = []
    calls: list[int] = []

    def work(line: cueline.Line) -> None:
        message, now, mine = cueline.GetLevel(), time.perf_counter_ns, []
        for turn in range(1, 2 * bursts, 2):
            start.wait(turn)
            first = now()
            for _ in range(BURST):
                line.send(message)
            spans.append((first, now()))
            end.wait()
            start.wait(turn + 1)
            for _ in range(BURST):
                before = now()
                line.send(message)
                mine.append(now() - before)
            end.wait()
        calls.extend(mine)

    rates = []
    with cueline.AudioEngine("offline", processor="tone", lines=threads + 1) as engine:
        lines = [engine.open_line() for _ in range(threads)]
        workers = [threading.Thread(target=work, args=[line]) for line in lines]
        for worker in workers:
            worker.start()
        for turn in range(1, 2 * bursts + 1):
            start.begin(turn)
            end.wait()
            if turn % 2 == 1:
                span_ns = max(last for _, last in spans) - min(first for first, _ in spans)
                rates.append(threads * BURST / span_ns * 1e9)
                spans.clear()
            engine.render(engine.blocksize)
            for line in lines:
                line.receive_many()
        for worker in workers:
            worker.join()
    calls.sort()
    return {
        "rate": statistics.median(rates),
        "p50": calls[len(calls) // 2],
        "p99": calls[len(calls) * 99 // 100],
        "p99.9": calls[len(calls) * 999 // 1000],
    }


def in_a_process(gil: str, threads: int, bursts: int) -> dict[str, float]:
    """Measure in a process of its own, with the GIL ("1") or without ("0")."""
    command = [sys.executable, __file__, "--inside", str(threads), "--bursts", str(bursts)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | {"PYTHON_GIL": gil})
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--bursts", type=int, default=300)
    parser.add_argument("--inside", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        print(json.dumps(measured(options.inside, options.bursts)))
        return
    found: dict[tuple[str, int], list[dict[str, float]]] = {}
    for _ in range(options.rounds):
        for threads in THREADS:
            for gil in ("1", "0"):
                found.setdefault((gil, threads), []).append(in_a_process(gil, threads, options.bursts))
    print("threads  GIL   calls/us  ratio   p50 ns  p99 ns  p99.9 ns")
    for threads in THREADS:
        ratio = statistics.median(
            off["rate"] / on["rate"] for on, off in zip(found["1", threads], found["0", threads], strict=True)
        )
        for gil, name in (("1", "on"), ("0", "off")):
            rounds = found[gil, threads]
            middle = {key: statistics.median(each[key] for each in rounds) for key in rounds[0]}
            print(
                f"{threads:7}  {name:3} {middle['rate'] / 1e6:9.2f}  {ratio if gil == '0' else 1:5.2f}"
                f"  {middle['p50']:7.0f} {middle['p99']:7.0f} {middle['p99.9']:9.0f}"
            )


if __name__ == "__main__":
    main()
