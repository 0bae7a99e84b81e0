"""What a check returns: a verdict, what was found, why it matters, and the line that mends it."""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = ["Finding", "Verdict", "fail", "ok", "warn"]


class Verdict(enum.IntEnum):
    """How fit the machine is; as a number, the command's exit status."""

    OK = 0
    WARN = 1
    """It will do until something else wants the machine too."""
    FAIL = 2
    """There will be gaps in the sound."""


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    name: str
    verdict: Verdict
    found: str
    why: str
    """Why it matters."""
    mend: str | None = None
    """One line to copy, for Debian and Ubuntu; what to do after it stands behind a ``#``. None where all is OK."""


def ok(name: str, found: str, why: str) -> Finding:
    """Return that all is well with it."""
    return Finding(name, Verdict.OK, found, why)


def warn(name: str, found: str, why: str, mend: str) -> Finding:
    """Return that it is not as it should be."""
    return Finding(name, Verdict.WARN, found, why, mend)


def fail(name: str, found: str, why: str, mend: str) -> Finding:
    """Return that audio cannot rest on it."""
    return Finding(name, Verdict.FAIL, found, why, mend)
