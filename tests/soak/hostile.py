"""Call the Python API with hostile values, many thousand times: no crash, no hang, and only cueline's errors.

A fuzzer with a seed makes most of the calls. Hypothesis makes every tenth, and finds the shortest example of a fault.
The calls run in a process of their own, so that a crash is seen. The exit status is 1 if something was wrong. With
--threads 8, eight threads make calls of the same objects at once.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import faulthandler
import os
import random
import reprlib
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import hypothesis
from hostile_calls import CALLS, Call, World, made, prepared
from hostile_values import VALUES
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

T = TypeVar("T")

CALLS_IN_A_WORLD = 400
CALLS_IN_AN_EXAMPLE = 20
FAULTS = 3  # the exit status of the process that makes the calls
LOG_LINE = 2000  # bytes


class Seeded:
    """Choices from a seed."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)

    def pick(self, options: Sequence[T]) -> T:
        return self._random.choice(options)

    def hostile(self) -> Any:
        chance = self._random
        match chance.randrange(12):
            case 0:
                return chance.getrandbits(chance.randrange(1, 80)) * chance.choice((1, -1))
            case 1:
                return struct.unpack("d", chance.randbytes(8))[0]
            case 2:
                return "".join(chr(chance.randrange(0x11_0000)) for _ in range(chance.randrange(8)))
            case 3:
                return chance.randbytes(chance.randrange(60))
            case _:
                return chance.choice(VALUES)()


_ANYTHING = st.one_of(
    st.sampled_from(VALUES).map(lambda make: make()),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.binary(max_size=60),
    st.decimals(),
    st.fractions(),
    st.complex_numbers(),
    st.lists(st.floats(), max_size=5),
)


class Drawn:
    """Choices of Hypothesis."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data

    def pick(self, options: Sequence[T]) -> T:
        return options[self._data.draw(st.integers(0, len(options) - 1))]  # it would hash hostile options

    def hostile(self) -> Any:
        return self._data.draw(_ANYTHING)


class Faults:
    """What was wrong: a line for each kind, with its first example. The log has the call that is under way."""

    def __init__(self, log: Path, longest_s: int, thread: int | None = None) -> None:
        self.calls = self.refused = 0
        self._longest_s = longest_s
        self._log = log.open("r+b", buffering=0)
        self._thread = thread  # one of several
        self._counts: Counter[str] = Counter()
        self._examples: dict[str, str] = {}

    def make(self, call: Call, world: World, chance: Seeded | Drawn, where: str) -> BaseException | None:
        """Make a call, count it, and return what it raised and should not have raised."""
        self.calls += 1
        function, arguments = prepared(call, world, chance)
        types = ", ".join(f"{name}: {type(value)!r}" for name, value in arguments.items())
        line = f"{call.name}({types}); {where}".encode()[:LOG_LINE].ljust(LOG_LINE)
        os.pwrite(self._log.fileno(), line + b"\n", (self._thread or 0) * (LOG_LINE + 1))
        signal.alarm(self._longest_s)
        refused, error = made(call, function, arguments)
        if self._thread is None:  # else another thread's call may be under way: the last one's alarm remains
            signal.alarm(0)
        self.refused += refused
        if error is not None:
            kind = f"{call.name} raises {type(error).__name__}"
            self._counts[kind] += 1
            at = traceback.extract_tb(error.__traceback__)[-1]
            shown = ", ".join(f"{name}={_shown(value)}" for name, value in arguments.items())
            self._examples.setdefault(kind, f"{shown}\n    {error}\n    {at.filename}:{at.lineno}; {where}")
        return error

    def add(self, other: Faults) -> None:
        """Add what another thread found."""
        self.calls += other.calls
        self.refused += other.refused
        self._counts += other._counts
        self._examples = other._examples | self._examples

    @property
    def found(self) -> bool:
        """Whether there is one."""
        return bool(self._counts)

    def report(self, wanted: int) -> int:
        """Print all of it, and return the exit status."""
        for kind, count in self._counts.most_common():
            print(f"{count} times {kind}, first with {self._examples[kind]}")
        print(f"{self.calls} calls, {self.refused} of them refused, {self._counts.total()} faults")
        if self.calls < wanted or not 0.2 < self.refused / self.calls < 0.8:
            print("too little happened to prove anything")
            return FAULTS
        return FAULTS if self._counts else 0


def _shown(value: Any) -> str:
    try:
        return reprlib.repr(value)
    except BaseException:
        return f"<{type(value)!r}>"


def fuzz(calls: int, seed: str, faults: Faults, mutant: Call | None) -> None:
    """Make ``calls`` calls, with a new world now and then."""
    for number in range(-(-calls // CALLS_IN_A_WORLD)):
        where = f"--seed {seed}, world {number}"
        chance, world = Seeded(f"{seed} {number}"), World()
        for place in range(min(CALLS_IN_A_WORLD, calls - number * CALLS_IN_A_WORLD)):
            call = chance.pick(CALLS)
            faults.make(mutant if mutant and place == 0 else call, world, chance, where)
        world.close()


def fuzz_together(calls: int, seed: str, each: Sequence[Faults], mutant: Call | None) -> None:
    """Make ``calls`` calls, or a few more, on a thread for each of ``each``. All threads share a world at a time."""

    def work(thread: int, number: int, world: World) -> None:
        where = f"--seed {seed} --threads {len(each)}, world {number}, thread {thread}"
        chance = Seeded(f"{seed} {number} {thread}")
        for place in range(CALLS_IN_A_WORLD // len(each)):
            first = mutant is not None and place == thread == 0
            each[thread].make(mutant if first else chance.pick(CALLS), world, chance, where)  # type: ignore[arg-type]

    for number in range(-(-calls // (CALLS_IN_A_WORLD // len(each) * len(each)))):
        world = World(shared=True)
        threads = [threading.Thread(target=work, args=(thread, number, world)) for thread in range(len(each))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        world.close()
    signal.alarm(0)


def explore(calls: int, seed: str, faults: Faults) -> None:
    """Have Hypothesis make at least ``calls`` calls."""

    @hypothesis.seed(seed)
    @settings(
        max_examples=-(-calls // CALLS_IN_AN_EXAMPLE),
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def example(data: st.DataObject) -> None:
        chance = Drawn(data)
        with contextlib.closing(World()) as world:
            for _ in range(CALLS_IN_AN_EXAMPLE):
                if error := faults.make(chance.pick(CALLS), world, chance, "by Hypothesis"):
                    raise error

    try:
        example()
    except Exception:
        if not faults.found:  # else it is one of them
            raise


def inside(calls: int, seed: str, log: Path, longest_s: int, threads: int, mutant: Call | None) -> int:
    """Make the calls, report what was wrong, and return the exit status."""
    faults = Faults(log, longest_s)
    warnings.simplefilter("ignore")
    faulthandler.enable()
    faulthandler.register(signal.SIGALRM, chain=True)  # then it ends the process, which hangs
    if threads > 1:
        each = [Faults(log, longest_s, thread) for thread in range(threads)]
        fuzz_together(calls, seed, each, mutant)
        for found in each:
            faults.add(found)
    else:
        fuzz(calls - calls // 10, seed, faults, mutant)
        explore(calls // 10, seed, faults)
    return faults.report(calls)


MUTANTS = {
    "raises": lambda: int("x"),
    "crashes": lambda: ctypes.string_at(0),
    "hangs": lambda: time.sleep(3600),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=200_000)
    parser.add_argument("--seed", default=str(random.SystemRandom().randrange(2**32)))
    parser.add_argument("--longest", type=int, default=60, metavar="S", help="seconds after which a call hangs")
    parser.add_argument("--mutant", choices=MUTANTS, help="a fault that must be seen")
    parser.add_argument("--threads", type=int, default=1, help="that make calls of the same objects at once")
    parser.add_argument("--log", type=Path, help=argparse.SUPPRESS)  # this is the process that makes the calls
    options = parser.parse_args()
    mutant = Call("mutant", lambda *_: MUTANTS[options.mutant]) if options.mutant else None
    if options.log:
        return inside(options.calls, options.seed, options.log, options.longest, options.threads, mutant)
    print(f"hostile calls from Python: {options.calls}, --seed {options.seed}", flush=True)
    with tempfile.NamedTemporaryFile() as log:
        same = [
            f"--calls={options.calls}",
            f"--seed={options.seed}",
            f"--log={log.name}",
            f"--longest={options.longest}",
            f"--threads={options.threads}",
        ]
        same += [f"--mutant={options.mutant}"] if options.mutant else []
        environment = os.environ | {
            "ALSA_CONFIG_PATH": str(Path(__file__).parents[1] / "alsa.conf"),  # without a device for PortAudio
            # With the address sanitizer, NumPy gets a MemoryError for terabytes, as it does without.
            "ASAN_OPTIONS": f"{os.environ.get('ASAN_OPTIONS', '')}:allocator_may_return_null=1",
        }
        status = subprocess.run([sys.executable, __file__, *same], env=environment, check=False).returncode
        if status not in (0, FAULTS):
            under_way = "\n".join(line.strip() for line in Path(log.name).read_text("utf-8", "replace").splitlines())
            print(f"the process ended with {status} in {under_way}")
    print("FAILED" if status else "only cueline's errors")
    return 1 if status else 0


if __name__ == "__main__":
    sys.exit(main())
