"""A storm of lives: six threads make, start, use, stop, close and drop engines, up to 64 at a time.

Meanwhile the main thread forks. A child finds that its parent's engines are refused, uses an engine of its own, and
exits. Whole programs exit in many ways while their engines run. The exit status is 1 if a call fails, if a child or a
program ends in another way than it must, or if threads or descriptors are left.
"""

from __future__ import annotations

import argparse
import faulthandler
import gc
import os
import random
import signal
import subprocess
import sys
import threading
import time
import traceback
import warnings
from collections import Counter

import numpy as np

import cueline
from cueline import Status

MOST_ENGINES = 64
THREADS = 6
LONGEST_S = 120  # for a whole round: many times what it takes

# Programs that end while engines run, and their exit status.
PROGRAM = """
import os, sys, threading, time, cueline
engines = [cueline.AudioEngine("null", processor="tone", blocksize=64) for _ in range(4)]
for engine in engines:
    engine.start()
    engine.ping()
offline = cueline.AudioEngine("offline")

def run(call, argument):  # Python may abort if a daemon thread prints an exception while it ends
    try:
        while True:
            call(argument)
    except cueline.Error:
        pass

threads = [threading.Thread(target=run, args=[offline.render, 2**24], daemon=True)]
threads += [threading.Thread(target=run, args=[engine.receive, 60], daemon=True) for engine in engines]
for thread in threads:
    thread.start()
"""
EXITS = {
    "": 0,
    "sys.exit(3)": 3,
    "os._exit(4)": 4,
    "raise SystemExit(5)": 5,
    "engines[0].parameters['gain'] = 2": 1,
    "threading.Thread(target=lambda: (time.sleep(0), sys.exit(6))).start()": 0,
    "del engines, engine, threads, thread": 0,
    "engines[0]._cycle = engines; del engine": 0,
    "sys.exit(os.waitstatus_to_exitcode(os.waitpid(os.fork() or os._exit(7), 0)[1]))": 7,
    "sys.exit(os.waitstatus_to_exitcode(os.waitpid(os.fork() or sys.exit(8), 0)[1]))": 8,
    "import atexit; atexit.register(engines[0].close); atexit.register(offline.close)": 0,
}


class Storm:
    """The engines that live, and the counts of those that were closed."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._engines: list[cueline.AudioEngine] = []
        self._lock = threading.Lock()

    def some(self, chance: random.Random) -> cueline.AudioEngine:
        """Return an engine that any of the threads may use at the same time: a new one while there are few."""
        with self._lock:
            if (len(self._engines) < MOST_ENGINES and chance.random() < 0.5) or not self._engines:
                device = chance.choice(("null", "null", "offline"))
                self._engines.append(cueline.AudioEngine(device, processor="player", blocksize=64))
                self.counts["engines"] += 1
            self.counts["most at once"] = max(self.counts["most at once"], len(self._engines))
            return chance.choice(self._engines)

    def end(self, engine: cueline.AudioEngine) -> None:
        """Take an engine away from the threads that choose. One that chose it before may still use it."""
        with self._lock:
            if engine in self._engines:
                self._engines.remove(engine)

    def work(self, chance: random.Random, steps: int) -> None:
        """Live with engines for a number of steps."""
        try:
            for _ in range(steps):
                self._step(self.some(chance), chance)
        except Exception:
            self.wrong.append(traceback.format_exc())

    def _step(self, engine: cueline.AudioEngine, chance: random.Random) -> None:
        acts = [self._use, self._use, self._use, self._line, self._start, self._stop, self._end, self._drop]
        try:
            chance.choice(acts)(engine, chance)
        except (cueline.ClosedError, cueline.LinesTakenError):
            self.counts["refused: closed meanwhile"] += 1

    def _start(self, engine: cueline.AudioEngine, _: random.Random) -> None:
        engine.start()

    def _stop(self, engine: cueline.AudioEngine, _: random.Random) -> None:
        engine.stop()

    def _use(self, engine: cueline.AudioEngine, chance: random.Random) -> None:
        for _ in range(chance.randrange(20)):
            if engine.ping() is Status.OK:
                self.counts["pings"] += 1
        engine.publish(chance.randrange(8), np.zeros(chance.randrange(1, 2000), np.float32))
        engine.send(cueline.PlayBuffer(0), at=engine.now() + chance.randrange(200))
        engine.stats()
        for _ in engine.messages():
            pass
        if engine.device == "offline":
            try:
                engine.render(chance.randrange(300))
            except cueline.DeviceError:
                self.counts["refused: another thread renders"] += 1

    def _line(self, engine: cueline.AudioEngine, _: random.Random) -> None:
        with engine.open_line() as line:
            line.ping()
            engine.confirm(cueline.StopBuffer(0)).done()

    def _end(self, engine: cueline.AudioEngine, _: random.Random) -> None:
        self.end(engine)
        engine.close()
        self.counts["closed"] += 1

    def _drop(self, engine: cueline.AudioEngine, chance: random.Random) -> None:
        self.end(engine)
        del engine
        if chance.random() < 0.2:
            gc.collect()
        self.counts["dropped"] += 1

    def fork(self, chance: random.Random, status: int) -> None:
        """Fork while the threads run, and check that the child exits with ``status``."""
        with self._lock:
            engines = list(self._engines)
        child = os.fork()
        if child == 0:
            signal.alarm(LONGEST_S)
            try:
                live_as_a_child(engines)
            except BaseException:
                traceback.print_exc()
                status = 1
            if status == 1 or chance.random() < 0.5:
                os._exit(status)
            sys.exit(status)
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        self.counts["forks"] += 1
        if ended != status:
            self.wrong.append(f"a forked child ended with {ended}, not with {status}")

    def close(self) -> None:
        """Close the engines that are left."""
        for engine in self._engines:
            engine.close()
        self._engines.clear()


def live_as_a_child(engines: list[cueline.AudioEngine]) -> None:
    """Use engines as a forked child may."""
    for engine in engines:
        for call in (engine.ping, engine.receive_msg, engine.stats, engine.start, engine.open_line):
            try:
                call()
            except cueline.ForkedError:
                continue
            raise AssertionError(f"{call} works in a forked child")
        engine.close()
    own = cueline.AudioEngine("null", blocksize=64)
    own.start()
    own.ping()
    assert isinstance(own.receive(timeout=LONGEST_S), cueline.Pong)


def exit_in_a_program(last_line: str, storm: Storm) -> None:
    """Run a program that ends with ``last_line`` while its engines run."""
    program = [sys.executable, "-c", PROGRAM + last_line]
    try:
        done = subprocess.run(program, capture_output=True, text=True, timeout=LONGEST_S, check=False)
    except subprocess.TimeoutExpired:
        storm.wrong.append(f"a program that ends with {last_line!r} does not end")
        return
    storm.counts["exits"] += 1
    if done.returncode != EXITS[last_line]:
        storm.wrong.append(f"a program that ends with {last_line!r} ended with {done.returncode}:\n{done.stderr}")


def left() -> tuple[int, int]:
    """Return how many threads and descriptors this process has."""
    return len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))  # noqa: PTH208


def rage(rounds: int, steps: int, chance: random.Random, *, leaks: bool) -> int:
    """Let the storm rage for some rounds, report, and return the exit status."""
    storm, kept = Storm(), []
    faulthandler.register(signal.SIGALRM, chain=True)  # then it ends the process, which hangs
    cueline.AudioEngine("null").close()  # what the first one leaves is not counted
    if os.fork() == 0:
        os._exit(0)
    os.wait()  # NumPy's threads end at the first fork
    before = left()
    for _ in range(rounds):
        signal.alarm(LONGEST_S)
        works = [(random.Random(chance.random()), steps) for _ in range(THREADS)]
        threads = [threading.Thread(target=storm.work, args=work) for work in works]
        for thread in threads:
            thread.start()
        for status in range(10, 14):
            storm.fork(chance, status)
        for thread in threads:
            thread.join()
        if leaks:
            kept.append(cueline.AudioEngine("null"))
            kept[-1].start()
        for last_line in chance.sample(list(EXITS), 4):
            exit_in_a_program(last_line, storm)
    signal.alarm(0)
    storm.close()
    del thread, threads, works
    gc.collect()
    for _ in range(100):  # a thread that was joined may still be listed for a moment
        if left() == before:
            break
        time.sleep(0.1)
    else:
        storm.wrong.append("threads and descriptors: {} and {} before, {} and {} after".format(*before, *left()))
    print(", ".join(f"{count} {name}" for name, count in storm.counts.items()))
    print("\n".join(storm.wrong))
    print("FAILED" if storm.wrong else "all ended as they must")
    return 1 if storm.wrong else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--steps", type=int, default=300, help="of each thread in a round")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--mutant", choices=["leaks"], help="a fault that must be seen")
    options = parser.parse_args()
    print(f"storm: {options.rounds} rounds, --seed {options.seed}", flush=True)
    warnings.simplefilter("ignore")  # later Pythons warn of each fork, and cueline of what was lost
    return rage(options.rounds, options.steps, random.Random(options.seed), leaks=options.mutant == "leaks")


if __name__ == "__main__":
    sys.exit(main())
