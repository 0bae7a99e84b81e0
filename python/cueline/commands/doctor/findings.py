"""What a check returns: the verdict, the finding, why it matters, and a command that fixes it."""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = ["Finding", "Verdict", "fail", "ok", "warn"]


class Verdict(enum.IntEnum):
    """How fit the machine is. The number is the command's exit status."""

    OK = 0
    WARN = 1
    """It works until other programs load the machine."""
    FAIL = 2
    """The sound will have gaps."""


@dataclass(frozen=True)
class Finding:
    """The result of one check."""

    name: str
    verdict: Verdict
    found: str
    why: str
    """Why it matters."""
    fix: str | None = None
    """A line to copy, for Debian and Ubuntu; a ``#`` comment in it says what to do next. None if the verdict is OK."""


def ok(name: str, found: str, why: str) -> Finding:
    """Return a finding with the verdict OK."""
    return Finding(name, Verdict.OK, found, why)


def warn(name: str, found: str, why: str, fix: str) -> Finding:
    """Return a finding with the verdict WARN."""
    return Finding(name, Verdict.WARN, found, why, fix)


def fail(name: str, found: str, why: str, fix: str) -> Finding:
    """Return a finding with the verdict FAIL."""
    return Finding(name, Verdict.FAIL, found, why, fix)
