"""``cueline ping``: ping the audio thread, and show where the time of each round trip goes."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from cueline._core import RING_CAPACITY, Message, Status
from cueline.commands import charts
from cueline.commands.console import CtrlC, PlainConsole, how_it_ran, how_it_runs
from cueline.commands.round_trips import RoundTrip, RoundTrips
from cueline.engine import AudioEngine
from cueline.messages import Pong
from cueline.ring_errors import Empty
from cueline.stats import Stats

__all__ = ["run"]

_PATIENCE_S = 0.05  # the longest wait before Ctrl-C is noticed
_LAST_PATIENCE_S = 0.5  # the longest wait for pongs after Ctrl-C
_SEQUENCES = 2**32 - 1  # 0 is not one of them

_PARTS: dict[str, Callable[[RoundTrip], int]] = {
    "round_trip": lambda trip: trip.total_ns,
    "call": lambda trip: trip.send_ns,
    "until_block": lambda trip: trip.block_ns,
    "until_look": lambda trip: trip.look_ns,
}


def run(options: argparse.Namespace) -> int:
    """Ping as ``options`` say, print the results, and return the exit status."""
    if options.histogram is not None:
        charts.check_chart(options.histogram)
    console = PlainConsole(least_width=80)
    with (
        AudioEngine(
            options.device, processor="silence", samplerate=options.samplerate, blocksize=options.blocksize
        ) as engine,
        CtrlC() as ctrl_c,
    ):
        block_ms = engine.blocksize / engine.samplerate * 1e3
        if not options.json:
            console.print(f"PING the audio thread: {how_it_runs(engine)}")
        pinger = _Pinger(engine, ctrl_c, None if options.json or options.flood else console)
        with contextlib.suppress(KeyboardInterrupt):
            if options.flood:
                pinger.flood(options.count)
            else:
                pinger.at_intervals(options.count, options.interval)
            pinger.wait_for_the_rest()
        stats = engine.stats()

    if options.json:
        print(json.dumps(_results(pinger.trips, stats, block_ms), indent=2))
    else:
        _print_summary(console, pinger.trips, stats, block_ms, explain=not options.flood and stats.device != "offline")
    if options.histogram is not None:
        _draw(options, pinger.trips, stats, block_ms)
    return 0 if pinger.trips.count == stats.commands.sent and _dropped(stats) == 0 else 1


def _dropped(stats: Stats) -> int:
    return stats.commands.dropped + stats.events.dropped


class _Pinger:
    """Sends pings and receives pongs. If it has a console, it prints each pong."""

    def __init__(self, engine: AudioEngine, ctrl_c: CtrlC, console: Console | None) -> None:
        self.trips = RoundTrips()
        self._engine = engine
        self._ctrl_c = ctrl_c
        self._console = console
        self._sent = 0
        self._under_way: deque[tuple[int, int, int]] = deque()  # sequence, time of the call, time of its return
        self._block_s = engine.blocksize / engine.samplerate

    def at_intervals(self, count: int, interval_s: float) -> None:
        """Send ``count`` pings (0: for ever), one every ``interval_s`` seconds (0: when the answer has come)."""
        next_s = time.monotonic()
        for _ in itertools.count() if count == 0 else range(count):
            if self._ctrl_c.came:
                return
            self._send()
            if interval_s == 0:
                self.wait_for_the_rest()
            next_s = max(next_s + interval_s, time.monotonic())  # after a stall, do not catch up in a burst
            while not self._ctrl_c.came and (left_s := next_s - time.monotonic()) > 0:
                self._receive(left_s)

    def flood(self, count: int) -> None:
        """Send ``count`` pings (0: for ever), with as many under way as the ring holds."""
        while not self._ctrl_c.came and (count == 0 or self._sent < count):
            room = RING_CAPACITY - len(self._under_way)
            for _ in range(room if count == 0 else min(room, count - self._sent)):
                self._send()
            self._receive(self._block_s)
            for message in self._engine.messages():
                self._take(message)

    def wait_for_the_rest(self) -> None:
        """Wait for the pongs under way: as long as they need, plus a second; after Ctrl-C, half a second at most."""
        blocks = 2 + len(self._under_way)  # as many as with a budget of one message a block
        began_s = time.monotonic()
        patience_s = 1 + blocks * self._block_s
        while self._under_way and (left_s := began_s + patience_s - time.monotonic()) > 0:
            if self._ctrl_c.came:
                patience_s = min(patience_s, _LAST_PATIENCE_S)
            self._receive(left_s)

    def _send(self) -> None:
        called_ns = time.monotonic_ns()
        status = self._engine.ping()
        returned_ns = time.monotonic_ns()
        if status is not Status.OK:
            return  # the engine has counted it
        sequence = self._sent % _SEQUENCES + 1  # the number that the line gave it: nobody else uses this engine
        self._sent += 1
        self._under_way.append((sequence, called_ns, returned_ns))
        if self._engine.device == "offline":
            self._engine.render(self._engine.blocksize)

    def _receive(self, timeout_s: float) -> None:
        with contextlib.suppress(Empty):
            self._take(self._engine.receive(timeout=min(timeout_s, _PATIENCE_S)))

    def _take(self, message: Message) -> None:
        seen_ns = time.monotonic_ns()
        if not isinstance(message, Pong):
            return
        sequence, called_ns, returned_ns = self._under_way.popleft()
        while sequence != message.sequence:  # pongs come in order, so the ones before it are lost
            sequence, called_ns, returned_ns = self._under_way.popleft()
        trip = RoundTrip.measured(
            sequence,
            message.frame,
            called_ns=called_ns,
            returned_ns=returned_ns,
            block_ns=message.block_ns,
            seen_ns=seen_ns,
        )
        self.trips.add(trip)
        if self._console is not None:
            self._console.print(
                f"pong {trip.sequence} at frame {trip.frame}: [bold]{trip.total_ns / 1e6:.3f} ms[/] = "
                f"{trip.total_ns / 1e9 / self._block_s:.2f} blocks [dim](the call {trip.send_ns / 1e6:.3f} ms, "
                f"until its block {trip.block_ns / 1e6:.3f} ms, until we looked {trip.look_ns / 1e6:.3f} ms)[/]"
            )


def _print_summary(console: Console, trips: RoundTrips, stats: Stats, block_ms: float, *, explain: bool) -> None:
    sent, received, dropped = stats.commands.sent, trips.count, _dropped(stats)
    console.print(f"--- {stats.device} device ---")
    style = "bold green" if received == sent and dropped == 0 else "bold red"
    missing = f", {sent - received} not answered" if sent > received else ""
    console.print(f"[{style}]{sent} sent, {received} received, {dropped} dropped{missing}[/]")
    if trips.kept:
        console.print(_table(trips, block_ms))
    console.print(how_it_ran(stats))
    if explain:
        console.print(
            "[dim]Up to about one block is normal: the audio thread reads commands once a block, and we look for its "
            "answer just after each block begins.[/]"
        )


def _table(trips: RoundTrips, block_ms: float) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("", no_wrap=True)
    for name in ("min", "median", "avg", "p99", "max"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, part, unit_ms in (
        ("round trip, in blocks", _PARTS["round_trip"], block_ms),
        ("round trip, in ms", _PARTS["round_trip"], 1),
        ("  the call of ping()", _PARTS["call"], 1),
        ("  until its block began", _PARTS["until_block"], 1),
        ("  until we looked", _PARTS["until_look"], 1),
    ):
        spread = trips.spread(part)
        if spread is not None:
            table.add_row(name, *(f"{ns / 1e6 / unit_ms:.3f}" for ns in asdict(spread).values()))
    return table


def _results(trips: RoundTrips, stats: Stats, block_ms: float) -> dict[str, Any]:
    spreads = {name: trips.spread(part) for name, part in _PARTS.items()}
    return {
        "sent": stats.commands.sent,
        "received": trips.count,
        "dropped": _dropped(stats),
        "block_ms": block_ms,
        "spread_ms": {
            name: spread and {which: ns / 1e6 for which, ns in asdict(spread).items()}
            for name, spread in spreads.items()
        },
        "stats": asdict(stats),
        "pongs": [asdict(trip) | {"total_ns": trip.total_ns} for trip in trips.kept],
    }


def _draw(options: argparse.Namespace, trips: RoundTrips, stats: Stats, block_ms: float) -> None:
    charts.draw_histogram(
        options.histogram,
        [trip.total_ns / 1e6 for trip in trips.kept],
        block_ms=block_ms,
        title=f"{trips.count} pings of the audio thread: {stats.device} device, "
        f"{stats.samplerate} Hz, {stats.blocksize} frames",
    )
