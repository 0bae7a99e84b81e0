"""The report: text with a histogram, or one JSON object."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from cueline.commands.doctor.findings import Finding, Verdict
from cueline.commands.doctor.lateness import BLOCKSIZE, SAMPLERATE, Lateness

__all__ = ["account", "histogram", "print_report"]

_STYLES = {Verdict.OK: "bold green", Verdict.WARN: "bold yellow", Verdict.FAIL: "bold red"}
_FRACTIONS = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999, "max": 1.0}
_LONGEST_BAR = 50


def print_report(console: Console, findings: Sequence[Finding], measured: Lateness) -> None:
    """Print a line for each check, and under it the command that fixes it; then the histogram."""
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        verdict = Text(f"{finding.verdict.name:<4}", style=_STYLES[finding.verdict])
        line = f"  {finding.name:<{width}}  {finding.found}"
        console.print(Text.assemble(verdict, line, (f"  ({finding.why})" if finding.fix is None else "", "dim")))
        if finding.fix is not None:
            console.print(Text.assemble(" " * 6, (finding.why, "dim"), ":"))
            console.print(Text.assemble(" " * 6, (finding.fix, "cyan")))
    console.print()
    if measured.blocks:
        for line in histogram(measured):
            console.print(Text(line))
        console.print()
    worst = max(finding.verdict for finding in findings)
    counts = ", ".join(f"{sum(one.verdict is verdict for one in findings)} {verdict.name}" for verdict in Verdict)
    console.print(Text(counts, style=_STYLES[worst]))
    if worst is not Verdict.OK:
        console.print(Text("The commands are for Debian and Ubuntu.", style="dim"))


def histogram(measured: Lateness) -> list[str]:
    """Return a histogram of the lateness as lines of text: a bar for each power of two."""
    rows: dict[int, int] = {}  # the end of the bar in microseconds -> how many blocks
    for bucket in measured.buckets:
        end_us = 2 ** math.ceil(math.log2(max(bucket.end_ns / 1e3, 1)))
        rows[end_us] = rows.get(end_us, 0) + bucket.count
    most = max(rows.values())
    ends = [2**power for power in range(int(math.log2(min(rows))), int(math.log2(max(rows))) + 1)]
    percentiles = ", ".join(f"{name} {measured.late_ns(fraction) / 1e3:.1f}" for name, fraction in _FRACTIONS.items())
    return [
        f"How late {measured.blocks} blocks of {BLOCKSIZE} frames at {SAMPLERATE} Hz began, in us: {percentiles}; "
        f"{measured.missed} left out",
        *(_row(end_us, rows.get(end_us, 0), most) for end_us in ends),
    ]


def _row(end_us: int, count: int, most: int) -> str:
    bar = "#" * math.ceil(count / most * _LONGEST_BAR)  # even one block shows
    return f"  under {end_us:>8} us {count:>8} {bar}".rstrip()


def account(findings: Sequence[Finding], measured: Lateness) -> dict[str, Any]:
    """Return all results as plain values, for JSON."""
    return {
        "verdict": max(finding.verdict for finding in findings).name,
        "checks": [
            {
                "name": finding.name,
                "verdict": finding.verdict.name,
                "found": finding.found,
                "why": finding.why,
                "fix": finding.fix,
            }
            for finding in findings
        ],
        "lateness": {
            "seconds": measured.seconds,
            "samplerate": SAMPLERATE,
            "blocksize": BLOCKSIZE,
            "block_ns": measured.block_ns,
            "blocks": measured.blocks,
            "missed": measured.missed,
            "lost": measured.lost,
            "late_ns": {name: measured.late_ns(fraction) for name, fraction in _FRACTIONS.items()}
            if measured.blocks
            else None,
            "histogram_ns": [[bucket.least_ns, bucket.end_ns, bucket.count] for bucket in measured.buckets],
        },
    }
