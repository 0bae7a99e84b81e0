"""Kill, stop and restart a JACK server under a running engine, and account for every ping.

Threads ping while the server dies and comes back with another block size, sometimes in the middle of a start. The exit
status is 1 if a pong is lost or out of order, or if a loss of the server is not reported exactly once.
"""

from __future__ import annotations

import argparse
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

import cueline

sys.path.insert(0, str(Path(__file__).parents[1] / "python"))

from printed_account import print_account

from jack_server import JackServer

PATIENCE_S = 60  # a hang ends the run
WINDOW = 400  # pings under way on a line: the event ring has room for all pongs and for a DeviceLost


class Pinger(threading.Thread):
    """Pings on a line of its own, also while the engine is lost. An engine that is lost accepts none."""

    def __init__(self, line: cueline.Line, receiver: Receiver, chance: random.Random) -> None:
        super().__init__(daemon=True)
        self._line = line
        self._receiver = receiver
        self._chance = chance
        self.over = threading.Event()
        self.accepted = self.lost = 0

    def run(self) -> None:
        while not self.over.is_set():
            if self.accepted - self._receiver.pongs[self._line.number] >= WINDOW:
                time.sleep(0.001)
                continue
            try:
                status = self._line.ping()
            except cueline.DeviceError:
                self.lost += 1
                time.sleep(0.001)
                continue
            self.accepted += status == cueline.Status.OK
            if self._chance.randrange(20) == 0:
                time.sleep(self._chance.uniform(0, 0.002))


class Receiver(threading.Thread):
    """Receives all events of the engine and its lines, and counts them."""

    def __init__(self, engine: cueline.AudioEngine, lines: list[cueline.Line], *, forgets: bool) -> None:
        super().__init__(daemon=True)
        self.over = threading.Event()
        self._senders: list[cueline.AudioEngine | cueline.Line] = [engine, *lines]
        self._forgets = forgets
        self._last: Counter[int] = Counter()  # sequence, by line
        self.pongs: Counter[int] = Counter()  # by line
        self.losses = self.formats = self.out_of_order = 0

    def run(self) -> None:
        while not self.over.is_set():
            self._drain_all()
            time.sleep(0.001)
        self._drain_all()

    def _drain_all(self) -> None:
        for sender in self._senders:
            self._drain(sender)

    def _drain(self, sender: cueline.AudioEngine | cueline.Line) -> None:
        while True:
            try:
                message = sender.receive_msg()
            except cueline.DeviceError:
                return  # it is lost, and all that came before has been received
            if message is None:
                return
            if isinstance(message, cueline.DeviceLost):
                self.losses += 1
            elif isinstance(message, cueline.FormatChanged):
                self.formats += 1
            elif not (self._forgets and message.sequence % 100 == 0):
                self.pongs[message.line] += 1
                if message.sequence <= self._last[message.line]:
                    self.out_of_order += 1
                self._last[message.line] = message.sequence


def await_(what: str, condition: Callable[[], bool]) -> None:
    """Wait until ``condition`` is true. A hang ends the run."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"FAILED: {what} did not happen within {PATIENCE_S} s")
        time.sleep(0.001)


class Soak:
    """The server, the engine on it, and what has happened to them."""

    def __init__(self, server: JackServer, seed: int, *, forgets: bool) -> None:
        self.chance = random.Random(seed)
        self.server = server
        self.engine = cueline.AudioEngine("jack", processor="tone")
        lines = [self.engine.open_line() for _ in range(2)]
        self.receiver = Receiver(self.engine, lines, forgets=forgets)
        self.pingers = [Pinger(line, self.receiver, random.Random(self.chance.random())) for line in lines]
        self.done: Counter[str] = Counter()

    def run(self, rounds: int, progress: Callable[[int], None]) -> None:
        self.engine.start()
        for thread in (self.receiver, *self.pingers):
            thread.start()
        for number in range(rounds):
            self.play_for_a_while()
            self.end_the_server()
            self.bring_back()
            progress(number + 1)
        for pinger in self.pingers:
            pinger.over.set()
            pinger.join(PATIENCE_S)
        deadline = time.monotonic() + 10
        while self.unaccounted() and time.monotonic() < deadline:
            time.sleep(0.001)
        self.engine.stop()
        self.receiver.over.set()
        self.receiver.join(PATIENCE_S)

    def play_for_a_while(self) -> None:
        blocks = self.engine.stats().blocks + self.chance.randrange(100)
        await_("a block", lambda: self.engine.stats().blocks > blocks)
        if self.chance.random() < 0.3:
            self.engine.stop()
            self.engine.start()
            self.done["stops and starts"] += 1

    def end_the_server(self) -> None:
        losses = self.receiver.losses
        if self.chance.random() < 0.3:
            # In the middle of a start. It raises, or the loss is reported after it.
            self.engine.stop()
            killer = threading.Timer(self.chance.uniform(0, 0.1), self.server.kill)
            killer.start()
            try:
                self.engine.start()
            except cueline.DeviceError:
                self.done["starts that raised"] += 1
                killer.join()
                return
            killer.join()
            self.done["kills"] += 1
        elif self.chance.random() < 0.5:
            self.server.kill()
            self.done["kills"] += 1
        else:
            self.server.end()
            self.done["ends"] += 1
        await_("a DeviceLost", lambda: self.receiver.losses > losses)

    def bring_back(self) -> None:
        self.server.start(self.chance.choice([64, 128, 256]))
        self.engine.start()

    def unaccounted(self) -> int:
        return sum(line.commands.sent for line in self.engine.stats().lines) - self.receiver.pongs.total()


def soak(rounds: int, seed: int, *, forgets: bool) -> int:
    console = Console()
    console.print(f"soak of a JACK server: {rounds} rounds, --seed {seed}", highlight=False)

    def progress(number: int) -> None:
        if number % 10 == 0:
            console.print(f"{number} rounds", highlight=False)

    with JackServer() as server:
        run = Soak(server, seed, forgets=forgets)
        run.run(rounds, progress)
        stats = run.engine.stats()
        run.engine.close()
    sent = sum(line.commands.sent for line in stats.lines)
    received = run.receiver.pongs.total()
    accepted = sum(pinger.accepted for pinger in run.pingers)
    ended = run.done["kills"] + run.done["ends"]
    expected: list[tuple[str, int, int | None]] = [
        ("rounds", ended + run.done["starts that raised"], rounds),
        ("servers killed under the engine", run.done["kills"], None),
        ("servers ended under the engine", run.done["ends"], None),
        ("starts that raised as the server died", run.done["starts that raised"], None),
        ("stops and starts in between", run.done["stops and starts"], None),
        ("losses reported", run.receiver.losses, ended),
        ("formats reported", run.receiver.formats, None),
        ("blocks", stats.blocks, None),
        ("pings sent", sent, accepted),
        ("pings refused when sent", sum(line.commands.dropped for line in stats.lines), 0),
        ("pings raised while it was lost", sum(pinger.lost for pinger in run.pingers), None),
        ("pongs received", received, None),
        ("pongs dropped", sum(line.events.dropped for line in stats.lines), 0),
        ("lost", sent - received, 0),
        ("out of order", run.receiver.out_of_order, 0),
    ]
    account = [
        (name, number, "" if must_be in (None, number) else f"must be {must_be}") for name, number, must_be in expected
    ]
    print_account(console, account)
    faults = any(complaint for _, _, complaint in account)
    console.print("FAILED" if faults else "all accounted for")
    return 1 if faults else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--mutant", choices=["forgets"], help="a fault that the counts must show")
    options = parser.parse_args()
    return soak(options.rounds, options.seed, forgets=options.mutant == "forgets")


if __name__ == "__main__":
    sys.exit(main())
