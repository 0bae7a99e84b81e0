"""Measure how soon a call that waits for a message finds it, and how often it wakes up for that.

usage: waiting.py [--count N] [--blocksize FRAMES]. The engine runs on the null device. Three ways to wait take turns:
receive(), the result of a confirmation, and a loop that looks twice a block.
"""

from __future__ import annotations

import argparse
import random
import resource
import time
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

import cueline

_PATIENCE_S = 5


def main() -> None:
    """Run the measurement and print its table."""
    parser = argparse.ArgumentParser(description="Measure how soon a call that waits for a message finds it.")
    parser.add_argument("--count", type=int, default=1000, help="waits of each kind")
    parser.add_argument("--blocksize", type=int, default=128, help="frames of a block")
    options = parser.parse_args()
    with cueline.AudioEngine("null", processor="tone", blocksize=options.blocksize) as engine:
        block_ns = engine.blocksize / engine.samplerate * 1e9

        def receive() -> None:
            engine.ping()
            found.append(engine.receive(timeout=_PATIENCE_S))

        def confirm() -> None:
            engine.ping()  # its pong, at the same frame, has the time of the block
            engine.confirm(cueline.GetLevel()).result(timeout=_PATIENCE_S)

        def look_twice_a_block() -> None:
            engine.ping()
            while (message := engine.receive_msg()) is None:
                time.sleep(block_ns / 2e9)
            found.append(message)

        found: list[cueline.Message] = []
        ways: dict[str, Callable[[], None]] = {
            "receive()": receive,
            "confirmation": confirm,
            "a look twice a block": look_twice_a_block,
        }
        waits: dict[str, list[tuple[float, int]]] = {name: [] for name in ways}
        order = random.Random(0)
        for _ in range(options.count):
            for name in order.sample(list(ways), len(ways)):
                time.sleep(order.uniform(0, 2 * block_ns / 1e9))  # so that calls fall anywhere in a block
                called_ns, slept = time.monotonic_ns(), _sleeps()
                ways[name]()
                woken, seen_ns = _sleeps() - slept, time.monotonic_ns()
                found += engine.messages()
                (pong,) = [message for message in found if isinstance(message, cueline.Pong)]
                found.clear()
                waits[name].append(((seen_ns - max(pong.block_ns, called_ns)) / block_ns, woken))
    _print(waits, options.blocksize)


def _sleeps() -> int:
    """Return how often this thread has slept."""
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw


def _print(waits: dict[str, list[tuple[float, int]]], blocksize: int) -> None:
    title = f"from the block that answers until we looked, in blocks of {blocksize} frames"
    table = Table(title=title, title_justify="left", title_style="bold", box=None)
    table.add_column("")
    for column in ("median", "p90", "p99", "wake-ups a wait"):
        table.add_column(column, justify="right")
    for name, measured in waits.items():
        late = sorted(blocks for blocks, _ in measured)
        tails = [late[int(len(late) * fraction)] for fraction in (0.5, 0.9, 0.99)]
        wake_ups = sum(woken for _, woken in measured) / len(measured)
        table.add_row(name, *(f"{value:.3f}" for value in tails), f"{wake_ups:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
