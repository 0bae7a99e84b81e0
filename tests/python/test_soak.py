"""The soak test for a few seconds, and a mutant that it must catch. `make soak` runs it for longer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SOAK = Path(__file__).parents[1] / "soak/soak.py"


def soak(*arguments: str) -> subprocess.CompletedProcess[str]:
    # The address sanitizer keeps freed memory, by default 256 MiB: that would look like a leak.
    asan = f"{os.environ.get('ASAN_OPTIONS', '')}:quarantine_size_mb=1"
    return subprocess.run(
        [sys.executable, SOAK, "--minutes", "0.05", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ | {"ASAN_OPTIONS": asan},
    )


def test_a_few_seconds_are_accounted_for() -> None:
    done = soak()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all accounted for" in done.stdout


def test_the_soak_catches_a_receiver_that_forgets() -> None:
    done = soak("--mutant", "forgets")
    assert done.returncode == 1, done.stdout + done.stderr
    lost = next(line for line in done.stdout.splitlines() if " lost " in line)
    assert "must be 0" in lost
