"""The command ``cueline doctor``: looks, measures, and tells what it found."""

from __future__ import annotations

import argparse
import json

from cueline.console import PlainConsole
from cueline.doctor.checkup import checkup
from cueline.doctor.machine import this_machine
from cueline.doctor.report import account, print_report
from cueline.doctor.wakeups import BLOCKSIZE, SAMPLERATE, measure

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Examine this machine as ``options`` say, tell what was found, and return the exit status: that of the worst."""
    console = PlainConsole()
    if not options.json:
        console.print(
            f"Running the null device for {options.seconds:g} s: blocks of {BLOCKSIZE} frames, {SAMPLERATE} Hz ..."
        )
    wakeups = measure(options.seconds)
    findings = checkup(this_machine(), wakeups)
    if options.json:
        print(json.dumps(account(findings, wakeups), indent=2))
    else:
        print_report(console, findings, wakeups)
    return int(max(finding.verdict for finding in findings))
