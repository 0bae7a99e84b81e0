"""The command: check the observer, run the rounds, print a table, and optionally write JSON and a chart.

usage: python -m stall [--programs FOLDER] [--json OUT] [--svg FOLDER] ...; ``make stall`` runs it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from cueline.commands.console import PlainConsole
from stall.contender import CONTENDERS, LOADS, messages_a_second, samplerate
from stall.experiment import FAULTS, SKIPS, Room
from stall.jack import ServerError, jack_server
from stall.program import ProgramError
from stall.report import as_json, recording_rows_of, recordings_table_of, rows_of, table_of

_ATTEMPTS = 5  # to find a fault: on a busy machine the player misses other deadlines too


def check_observer(room: Room, console: PlainConsole) -> bool:
    """Return whether the observer finds each fault that the player makes on purpose."""
    for fault in FAULTS:
        for _ in range(_ATTEMPTS):
            seen = room.check(fault)
            gap_blocks = round(seen.gap_ms / 1e3 * room.samplerate / room.block_frames)
            found = (seen.missed, gap_blocks) == (fault.missed, fault.gap_blocks)
            if found:
                break
        console.print(
            f"{fault.name}, {fault.times} times {fault.blocks}: {seen.missed} missed (must be {fault.missed}), "
            f"longest gap {gap_blocks} blocks (must be {fault.gap_blocks}): {'found' if found else 'WRONG'}"
        )
        if not found:
            return False
    return True


def check_source(room: Room, console: PlainConsole) -> bool:
    """Return whether a recording shows just the numbers that the source leaves out."""
    for skips in SKIPS:
        must = (skips.times * skips.blocks * room.block_frames, skips.times)
        for _ in range(_ATTEMPTS):
            seen = room.check_source(skips)
            if found := (seen.lost, seen.gaps) == must:
                break
        console.print(
            f"left out {skips.times} times {skips.blocks}: {seen.lost} frames lost (must be {must[0]}), "
            f"{seen.gaps} gaps (must be {must[1]}): {'found' if found else 'WRONG'}"
        )
        if not found:
            return False
    return True


def about(room: Room, seconds: float, rounds: int) -> dict[str, Any]:
    """Return the conditions of the measurement."""
    versions: dict[str, str | None] = {}
    for package in ("cueline", "sounddevice", "rtmixer", "numpy"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return {
        "versions": {"python": platform.python_version(), **versions},
        "machine": {"cores": os.cpu_count(), "kernel": platform.release(), "user": os.geteuid()},
        "samplerate": room.samplerate,
        "block_frames": room.block_frames,
        "seconds": seconds,
        "rounds": rounds,
        "messages_a_second": messages_a_second,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Returns its exit status: 1 if something could not be run, or the observer fails its check."""
    parser = argparse.ArgumentParser(
        prog="stall", description="Measure what happens to the sound, both ways, while Python stalls."
    )
    parser.add_argument("--programs", type=Path, default=Path("build/stall/benchmarks/stall"), metavar="FOLDER")
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--seconds", type=float, default=3, help="length of each run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--block-frames", type=int, default=128)
    parser.add_argument("--json", type=Path, metavar="OUT", help="write all of it as one JSON object")
    parser.add_argument(
        "--svg", type=Path, metavar="FOLDER", help="draw stall.svg and stall-recordings.svg into this folder"
    )
    asked = parser.parse_args(arguments)
    console = PlainConsole(least_width=160)
    with tempfile.TemporaryDirectory() as scratch:
        log = Path(scratch) / "jackd.log"
        try:
            with jack_server(log, samplerate=samplerate, block_frames=asked.block_frames) as environment:
                room = Room(environment, asked.programs, samplerate, asked.block_frames)
                return run_all(room, asked, console)
        except (ServerError, ProgramError) as error:
            print(f"stall: {error}", file=sys.stderr)
            return 1


def run_all(room: Room, asked: argparse.Namespace, console: PlainConsole) -> int:
    """Check the observer, run all rounds, and report. Raises ProgramError."""
    console.print("[bold]The observer, with a player that is broken on purpose[/]")
    if not check_observer(room, console):
        print("stall: the observer misses known faults: its results would mean nothing", file=sys.stderr)
        return 1
    console.print("[bold]A recording, with a source that leaves out numbers on purpose[/]")
    if not check_source(room, console):
        print("stall: the recording does not show known gaps: its results would mean nothing", file=sys.stderr)
        return 1
    runs, recordings = [], []
    for number in range(1, asked.rounds + 1):
        for load in LOADS:
            for contender in asked.contenders:
                runs.append(room.run(contender, load, asked.seconds))
                recordings.append(room.record(contender, load, asked.seconds))
        console.print(f"round {number} of {asked.rounds} is done")
    rows = rows_of(runs)
    console.print(table_of(rows, room.block_frames / room.samplerate * 1e3))
    recording_rows = recording_rows_of(recordings)
    console.print(recordings_table_of(recording_rows))
    beat_ms = max(row.summary.beat_worst_ms for row in rows)
    console.print(f"longest time between two cycles of the server: {beat_ms:.1f} ms")
    if asked.json is not None:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        content = as_json(rows, runs, recordings, about(room, asked.seconds, asked.rounds))
        asked.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    if asked.svg is not None:
        from stall.chart import draw_recordings, draw_stall  # here, because matplotlib is slow to load

        asked.svg.mkdir(parents=True, exist_ok=True)
        caption = (
            f"each bar: {asked.rounds} x {asked.seconds:g} s through JACK, {room.block_frames} frames a block at "
            f"{room.samplerate / 1000:g} kHz"
        )
        block_ms = room.block_frames / room.samplerate * 1e3
        draw_stall(asked.svg, rows, block_ms=block_ms, caption=f"{caption}; {messages_a_second} messages a second")
        draw_recordings(asked.svg, recording_rows, caption=caption)
    return 0


if __name__ == "__main__":
    sys.exit(main())
