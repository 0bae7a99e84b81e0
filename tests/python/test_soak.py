"""The soak tests in short, and mutants that they must catch. `make soak` runs them for longer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import require

SOAK = Path(__file__).parents[1] / "soak"


def soak(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    # The address sanitizer keeps freed memory, by default 256 MiB: that would look like a leak.
    asan = f"{os.environ.get('ASAN_OPTIONS', '')}:quarantine_size_mb=1"
    return subprocess.run(
        [sys.executable, SOAK / program, *arguments],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env=os.environ | {"ASAN_OPTIONS": asan},
    )


def test_a_few_seconds_are_accounted_for() -> None:
    done = soak("soak.py", "--minutes", "0.05")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all accounted for" in done.stdout


def test_the_soak_catches_a_receiver_that_forgets() -> None:
    done = soak("soak.py", "--minutes", "0.05", "--mutant", "forgets")
    assert done.returncode == 1, done.stdout + done.stderr
    lost = next(line for line in done.stdout.splitlines() if " lost " in line)
    assert "must be 0" in lost


def test_hostile_calls_raise_only_cuelines_errors() -> None:
    done = soak("hostile.py", "--calls", "2000")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "only cueline's errors" in done.stdout


def test_hostile_calls_of_eight_threads_at_once_raise_only_cuelines_errors() -> None:
    done = soak("hostile.py", "--calls", "2000", "--threads", "8")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "only cueline's errors" in done.stdout


@pytest.mark.parametrize(
    ("mutant", "said"),
    [
        ("raises", " times mutant raises ValueError, first with "),
        ("crashes", " in mutant(); --seed "),
        ("hangs", f"the process ended with {-signal.SIGALRM} in mutant(); --seed "),
    ],
)
@pytest.mark.parametrize("threads", ["1", "8"])
def test_the_hostile_calls_catch_a_mutant(mutant: str, said: str, threads: str) -> None:
    done = soak("hostile.py", "--calls", "400", "--longest", "5", "--mutant", mutant, "--threads", threads)
    assert done.returncode == 1, done.stdout + done.stderr
    assert said in done.stdout


def test_a_storm_of_lives_ends_as_it_must() -> None:
    done = soak("storm.py", "--rounds", "1", "--steps", "40")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all ended as they must" in done.stdout


def test_the_storm_catches_an_engine_that_is_left() -> None:
    done = soak("storm.py", "--rounds", "1", "--steps", "1", "--mutant", "leaks")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "threads and descriptors: " in done.stdout


def test_a_server_that_dies_under_an_engine_loses_no_message() -> None:
    require("jackd")
    done = soak("jack_soak.py", "--rounds", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all accounted for" in done.stdout


def test_the_soak_of_the_server_catches_a_receiver_that_forgets() -> None:
    require("jackd")
    done = soak("jack_soak.py", "--rounds", "1", "--mutant", "forgets")
    assert done.returncode == 1, done.stdout + done.stderr
    lost = next(line for line in done.stdout.splitlines() if line.startswith("│ lost "))
    assert "must be 0" in lost


def test_a_few_seconds_of_duplex_are_accounted_for() -> None:
    done = soak("duplex.py", "--minutes", "0.03", "--stalls", "gil")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all accounted for" in done.stdout


@pytest.mark.parametrize(
    ("mutant", "said"), [("forgets", "<-- must be all frames"), ("wrong", "with other samples than written")]
)
def test_the_duplex_soak_catches_a_mutant(mutant: str, said: str) -> None:
    done = soak("duplex.py", "--minutes", "0.03", "--stalls", "gil", "--mutant", mutant)
    assert done.returncode == 1, done.stdout + done.stderr
    assert any(said in line and "<--" in line for line in done.stdout.splitlines())
