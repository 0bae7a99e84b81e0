"""verdict.py: whether a run of the tests proves something: all ran, but those that lack a tool."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path
from typing import NamedTuple


class Verdict(NamedTuple):
    """What is wrong with a run, and what there is to say of it in a line."""

    faults: list[str]
    summary: str


def verdict(report: Path, may_lack: list[str]) -> Verdict:
    """Judge a JUnit report of pytest's, of a run that may do without the tools ``may_lack``."""
    faults, lacking, passed = [], Counter[str](), 0
    for case in ET.parse(report).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            faults.append(f"{name} failed")
        elif skip is None:
            passed += 1
        elif (said := re.fullmatch("needs (.+), which is not here", skip.get("message", ""))) and said[1] in may_lack:
            lacking[said[1]] += 1
        else:
            faults.append(f"{name} was skipped, and not for want of a tool: {skip.get('message')}")
    if passed < 10 * lacking.total() or passed == 0:
        faults.append(f"{passed} tests passed and {lacking.total()} were skipped: too many to prove anything")
    told = ", ".join(f"{count} need {tool}" for tool, count in sorted(lacking.items()))
    return Verdict(faults, f"{passed} passed, {lacking.total()} skipped ({told or 'none'})")
