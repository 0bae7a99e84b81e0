"""The command ``cueline doctor``: measures, checks, and reports."""

from __future__ import annotations

import argparse
import json
import sys

import cueline
from cueline.commands.console import PlainConsole
from cueline.commands.doctor.checkup import checkup
from cueline.commands.doctor.lateness import BLOCKSIZE, SAMPLERATE, measure
from cueline.commands.doctor.machine import this_machine
from cueline.commands.doctor.report import account, print_report

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Check this machine as ``options`` say, report, and return the exit status: the worst verdict."""
    if sys.platform != "linux":
        raise cueline.Error("the doctor looks at Linux's settings, and this is another system: use `cueline ping`")
    console = PlainConsole()
    if not options.json:
        console.print(
            f"Running the null device for {options.seconds:g} s: blocks of {BLOCKSIZE} frames, {SAMPLERATE} Hz ..."
        )
    measured = measure(options.seconds)
    findings = checkup(this_machine(), measured)
    if options.json:
        print(json.dumps(account(findings, measured), indent=2))
    else:
        print_report(console, findings, measured)
    return int(max(finding.verdict for finding in findings))
