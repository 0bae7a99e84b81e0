"""refusal.py: how a step says that what was made must not be shipped."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


class Refused(Exception):
    """What was made must not be shipped, for these reasons."""

    def __init__(self, what: str, reasons: list[str]) -> None:
        super().__init__("\n  ".join([f"{what}:", *reasons]))


def refuse(what: str, faults: list[str]) -> None:
    """Raise Refused if there are faults."""
    if faults:
        raise Refused(what, faults)


def command(*words: str | Path, log: Path | None = None, environment: dict[str, str] | None = None) -> str:
    """Run a command on this machine, and return its output. Raises Refused with all that it said if it fails.

    What it says when it succeeds is kept in ``log``.
    """
    env = os.environ | (environment or {})
    done = subprocess.run(words, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(done.stdout + done.stderr)
    refuse(" ".join(map(str, words)), [] if done.returncode == 0 else [done.stdout, done.stderr])
    return done.stdout
