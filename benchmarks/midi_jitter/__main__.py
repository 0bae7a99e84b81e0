"""The command: check with known delays, run the rounds, print a table, and optionally write JSON, a chart and a page.

usage: python -m midi_jitter [--programs FOLDER] [--json OUT] [--svg FOLDER] [--page FILE] ...; ``make jitter`` runs it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cueline.commands.console import PlainConsole
from midi_jitter.contender import CONTENDERS
from midi_jitter.delays import Account, RecordError, summarise
from midi_jitter.experiment import KNOWN, Stage
from midi_jitter.report import PageError, Row, as_json, draw_jitter, markdown_of, put_into_page, table_of
from stall.contender import LOADS, samplerate
from stall.jack import ServerError, jack_server
from stall.program import ProgramError

_ATTEMPTS = 5  # to find known delays: on a busy machine JACK leaves out cycles
_BLOCK_FRAMES = 128
_PACKAGES = ("cueline", "python-rtmidi", "sounddevice", "rtmixer")


def check(stage: Stage, console: PlainConsole) -> bool:
    """Return whether known delays and known losses are measured exactly."""
    for known in KNOWN:
        for _ in range(_ATTEMPTS):
            seen = stage.check(known)
            if found := known.found_in(seen):
                break
        console.print(
            f"delays of {known.delay} and {known.delay + known.spread} frames, left out: "
            f"{f'each {known.left_out}th' if known.left_out else 'none'}: measured {seen.least} to {seen.most}, "
            f"{seen.lost} of {seen.sent} lost: {'found' if found else 'WRONG'}"
        )
        if not found:
            return False
    return True


def measure(stage: Stage, asked: argparse.Namespace, console: PlainConsole) -> list[Row]:
    """Run all rounds, in which all take turns. Raises ProgramError and RecordError."""
    accounts: dict[tuple[str, str], list[Account]] = {}
    said: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for number in range(1, asked.rounds + 1):
        for load in asked.loads:
            for contender in CONTENDERS:
                account, words = stage.run(contender, load, asked.seconds)
                accounts.setdefault((load, contender), []).append(account)
                said.setdefault((load, contender), []).append(words)
        console.print(f"round {number} of {asked.rounds} is done")
    rows = []
    for (load, contender), runs in accounts.items():
        own: Counter[str] = Counter()
        for words in said[load, contender]:
            own.update(words["own"])
        realtime = all(words["realtime"] for words in said[load, contender])
        rows.append(Row(load, contender, summarise(runs), dict(own), realtime))
    return rows


def processor_name() -> str:
    """Return the name of this machine's processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Returns its exit status: 1 if something could not be run, or a check fails."""
    parser = argparse.ArgumentParser(
        prog="midi_jitter",
        description="Measure the delay from each MIDI note to its sound, while Python collects garbage.",
    )
    parser.add_argument("--programs", type=Path, default=Path("build/stall/benchmarks/midi_jitter"), metavar="FOLDER")
    parser.add_argument("--loads", nargs="+", choices=LOADS, default=["idle", "garbage"])
    parser.add_argument("--seconds", type=float, default=3, help="length of each run")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--json", type=Path, metavar="OUT", help="write all of it as one JSON object")
    parser.add_argument("--svg", type=Path, metavar="FOLDER", help="draw midi-jitter.svg into this folder")
    parser.add_argument("--page", type=Path, metavar="FILE", help="put the table into this page of the docs")
    asked = parser.parse_args(arguments)
    console = PlainConsole(least_width=160)
    with tempfile.TemporaryDirectory() as scratch:
        try:
            log = Path(scratch) / "jackd.log"
            with jack_server(log, samplerate=samplerate, block_frames=_BLOCK_FRAMES) as environment:
                stage = Stage(environment, asked.programs, _BLOCK_FRAMES)
                console.print("[bold]A contender whose delays are known[/]")
                if not check(stage, console):
                    raise ProgramError("known delays are measured wrongly: the results would mean nothing")
                rows = measure(stage, asked, console)
            console.print(table_of(rows, samplerate))
            heard = {row.contender for row in rows if row.seen.jitter is not None}
            if silent := CONTENDERS.keys() - heard:
                raise ProgramError(f"no note was heard of {', '.join(sorted(silent))}")
            write(rows, asked)
        except (ServerError, ProgramError, RecordError, PageError) as error:
            print(f"midi_jitter: {error}", file=sys.stderr)
            return 1
    return 0


def write(rows: Sequence[Row], asked: argparse.Namespace) -> None:
    """Write the files that are asked for. Raises PageError."""
    rounds = f"{asked.rounds} x {asked.seconds:g} s"
    setting = f"through JACK, {_BLOCK_FRAMES} frames a block at {samplerate / 1000:g} kHz"
    if asked.json is not None:
        about = {
            "versions": {"python": platform.python_version()} | {package: version(package) for package in _PACKAGES},
            "machine": {"processor": processor_name(), "cores": os.cpu_count(), "kernel": platform.release()},
            "samplerate": samplerate,
            "block_frames": _BLOCK_FRAMES,
            "seconds": asked.seconds,
            "rounds": asked.rounds,
        }
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps(as_json(rows, about), indent=1) + "\n", encoding="utf-8")
    if asked.svg is not None:
        asked.svg.mkdir(parents=True, exist_ok=True)
        caption = f"each bar: {rounds} {setting}"
        draw_jitter(asked.svg, rows, samplerate=samplerate, block_frames=_BLOCK_FRAMES, caption=caption)
    if asked.page is not None:
        versions = ", ".join(f"{package} {version(package)}" for package in _PACKAGES[1:])
        machine = f"{processor_name()}, {os.cpu_count()} cores, Linux {platform.release()}"
        caption = f"{rounds} each, {setting}. {machine}; CPython {platform.python_version()}, {versions}."
        put_into_page(asked.page, markdown_of(rows, samplerate, caption))


if __name__ == "__main__":
    sys.exit(main())
