"""Tells what was found: as text, with a histogram, or as one object."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from cueline.commands.doctor.findings import Finding, Verdict
from cueline.commands.doctor.lateness import BLOCKSIZE, SAMPLERATE, Wakeups

__all__ = ["account", "histogram", "print_report"]

_STYLES = {Verdict.OK: "bold green", Verdict.WARN: "bold yellow", Verdict.FAIL: "bold red"}
_FRACTIONS = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999, "max": 1.0}
_LONGEST_BAR = 50


def print_report(console: Console, findings: Sequence[Finding], wakeups: Wakeups) -> None:
    """Print all of it: a line for each check, and under it what mends it."""
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        verdict = Text(f"{finding.verdict.name:<4}", style=_STYLES[finding.verdict])
        told = f"  {finding.name:<{width}}  {finding.found}"
        console.print(Text.assemble(verdict, told, (f"  ({finding.why})" if finding.mend is None else "", "dim")))
        if finding.mend is not None:
            console.print(Text.assemble(" " * 6, (finding.why, "dim"), ":"))
            console.print(Text.assemble(" " * 6, (finding.mend, "cyan")))
    console.print()
    if wakeups.blocks:
        for line in histogram(wakeups):
            console.print(Text(line))
        console.print()
    worst = max(finding.verdict for finding in findings)
    counts = ", ".join(f"{sum(one.verdict is verdict for one in findings)} {verdict.name}" for verdict in Verdict)
    console.print(Text(counts, style=_STYLES[worst]))
    if worst is not Verdict.OK:
        console.print(Text("The lines to copy are for Debian and Ubuntu.", style="dim"))


def histogram(wakeups: Wakeups) -> list[str]:
    """Return how late how many blocks began, in lines of text: a bar for each doubling."""
    rows: dict[int, int] = {}  # where it ends, in microseconds -> how many
    for bucket in wakeups.buckets:
        end_us = 2 ** math.ceil(math.log2(max(bucket.end_ns / 1e3, 1)))
        rows[end_us] = rows.get(end_us, 0) + bucket.count
    most = max(rows.values())
    ends = [2**power for power in range(int(math.log2(min(rows))), int(math.log2(max(rows))) + 1)]
    told = ", ".join(f"{name} {wakeups.late_ns(fraction) / 1e3:.1f}" for name, fraction in _FRACTIONS.items())
    return [
        f"How late {wakeups.blocks} blocks of {BLOCKSIZE} frames at {SAMPLERATE} Hz began, in us: {told}; "
        f"{wakeups.missed} left out",
        *(_row(end_us, rows.get(end_us, 0), most) for end_us in ends),
    ]


def _row(end_us: int, count: int, most: int) -> str:
    bar = "#" * math.ceil(count / most * _LONGEST_BAR)  # one block is to be seen, too
    return f"  under {end_us:>8} us {count:>8} {bar}".rstrip()


def account(findings: Sequence[Finding], wakeups: Wakeups) -> dict[str, Any]:
    """Return all of it as plain values, for JSON."""
    return {
        "verdict": max(finding.verdict for finding in findings).name,
        "checks": [
            {
                "name": finding.name,
                "verdict": finding.verdict.name,
                "found": finding.found,
                "why": finding.why,
                "mend": finding.mend,
            }
            for finding in findings
        ],
        "wakeups": {
            "seconds": wakeups.seconds,
            "samplerate": SAMPLERATE,
            "blocksize": BLOCKSIZE,
            "block_ns": wakeups.block_ns,
            "blocks": wakeups.blocks,
            "missed": wakeups.missed,
            "lost": wakeups.lost,
            "late_ns": {name: wakeups.late_ns(fraction) for name, fraction in _FRACTIONS.items()}
            if wakeups.blocks
            else None,
            "histogram_ns": [[bucket.least_ns, bucket.end_ns, bucket.count] for bucket in wakeups.buckets],
        },
    }
