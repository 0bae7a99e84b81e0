"""Drive engines from Python for minutes or hours, and account for every ping.

Threads ping at random rates, the receiver is sometimes slow, other engines come and go, and garbage is collected in
between. The exit status is 1 if a pong is lost or out of order, or if memory grows.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from printed_account import print_account
from rich.console import Console

import cueline
from cueline import Status

MAX_GROWTH_KIB = 16 * 1024


@dataclass
class Account:
    """Counts of the pings of one engine, or of many."""

    engines: int = 0
    blocks: int = 0
    sent: int = 0
    received: int = 0
    refused: int = 0
    dropped: int = 0
    out_of_order: int = 0
    xruns: int = 0

    @property
    def lost(self) -> int:
        return self.sent - self.received - self.dropped

    def add(self, other: Account) -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


class Line:
    """An engine, and what its receiver has seen. Any thread may ping, one thread receives."""

    def __init__(self, *, forgets: bool = False) -> None:
        self.engine = cueline.AudioEngine("null", blocksize=64)
        self.engine.start()
        self._forgets = forgets
        self._received = self._out_of_order = self._last = 0

    def drain(self) -> None:
        for message in self.engine.messages():
            if self._forgets and message.sequence % 1000 == 0:
                continue
            self._received += 1
            if not isinstance(message, cueline.Pong) or message.sequence <= self._last:
                self._out_of_order += 1
            self._last = message.sequence

    def account(self) -> Account:
        stats = self.engine.stats()
        return Account(
            engines=1,
            blocks=stats.blocks,
            sent=stats.commands.sent,
            received=self._received,
            refused=stats.commands.dropped,
            dropped=stats.events.dropped,
            out_of_order=self._out_of_order,
            xruns=stats.xruns,
        )

    def settle(self) -> Account:
        """Wait until all pings have been answered and received. Return the final counts."""
        self.engine.start()
        end = self.engine.stats().blocks + 200  # blocks read all that waits in the first few
        while self.account().lost and self.engine.stats().blocks < end:
            self.drain()
            time.sleep(0.002)
        return self.account()


def ping_at_random(line: Line, chance: random.Random, over: threading.Event) -> None:
    """Ping at random rates: from one in 50 ms to as fast as Python can."""
    while not over.is_set():
        end = time.monotonic() + chance.uniform(0.05, 0.45)
        pace = chance.randrange(4)
        while not over.is_set() and time.monotonic() < end:
            if line.engine.ping() is Status.FULL:
                time.sleep(chance.uniform(0, 0.002))
            if pace == 0:
                time.sleep(chance.uniform(0, 0.05))
            elif pace == 1 or (pace == 2 and chance.randrange(100) == 0):
                time.sleep(chance.uniform(0, 0.001))


def receive_at_random(line: Line, chance: random.Random, over: threading.Event) -> None:
    """Receive events, mostly in time, sometimes far too late."""
    while not over.is_set():
        line.drain()
        time.sleep(0.3 if chance.randrange(2000) == 0 else chance.uniform(0, 0.003))


def churn(total: Account, chance: random.Random, over: threading.Event) -> None:
    """Make engines, ping through them, stop and start them under load, then close them or just drop them."""
    while not over.is_set():
        line = Line()
        for _ in range(chance.randrange(8)):
            for _ in range(chance.randrange(1500)):
                line.engine.ping()
            if chance.random() < 0.5:
                line.engine.stop()
            if chance.random() < 0.5:
                line.drain()
            time.sleep(chance.uniform(0, 0.005))
            line.engine.start()
        total.add(line.settle())
        if chance.random() < 0.5:
            line.engine.close()
        if chance.random() < 0.1:
            gc.collect()


def resident_kib() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") // 1024


def soak(seconds: float, seed: int, *, forgets: bool) -> int:
    console = Console()
    console.print(f"soak from Python: {seconds:g} s, --seed {seed}", highlight=False)
    seeds = random.Random(seed)
    over = threading.Event()
    line = Line(forgets=forgets)
    churned = Account()
    works = [(ping_at_random, line)] * 3 + [(receive_at_random, line), (churn, churned)]
    threads = [
        threading.Thread(target=work, args=[subject, random.Random(seeds.random()), over]) for work, subject in works
    ]
    for thread in threads:
        thread.start()

    def is_enough(now: Account) -> bool:
        """However slow the machine is, the soak goes on until it proves something."""
        return now.received >= 2000 + 100 * seconds and now.refused > 0 and churned.engines >= seconds

    # The first look at memory comes after a while.
    end = time.monotonic() + seconds
    every = min(max(seconds / 12, 1), 60)
    time.sleep(every)
    memory_at_start = resident_kib()
    while (left := end - time.monotonic()) > 0 or not is_enough(line.account()):
        now = line.account()
        console.print(
            f"sent {now.sent}, received {now.received}, refused {now.refused}, dropped {now.dropped}, "
            f"xruns {now.xruns}, memory {resident_kib()} KiB",
            highlight=False,
            soft_wrap=True,
        )
        time.sleep(min(every, left) if left > 0 else every)
    memory_at_end = resident_kib()
    over.set()
    for thread in threads:
        thread.join()
    total = line.settle()
    line.engine.close()
    total.add(churned)

    grew = memory_at_end > memory_at_start + MAX_GROWTH_KIB
    print_account(
        console,
        [
            ("engines started", total.engines, ""),
            ("blocks", total.blocks, ""),
            ("pings sent", total.sent, ""),
            ("pongs received", total.received, ""),
            ("refused when sent", total.refused, ""),
            ("answers refused", total.dropped, ""),
            ("lost", total.lost, "must be 0" if total.lost else ""),
            ("out of order", total.out_of_order, "must be 0" if total.out_of_order else ""),
            ("xruns", total.xruns, ""),
            ("memory at start, KiB", memory_at_start, ""),
            ("memory at end, KiB", memory_at_end, f"grew by more than {MAX_GROWTH_KIB} KiB" if grew else ""),
        ],
    )
    sound = not (total.lost or total.out_of_order or grew)
    console.print("all accounted for" if sound else "FAILED")
    return 0 if sound else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--mutant", choices=["forgets"], help="a fault that the counts must show")
    options = parser.parse_args()
    return soak(options.minutes * 60, options.seed, forgets=options.mutant == "forgets")


if __name__ == "__main__":
    sys.exit(main())
