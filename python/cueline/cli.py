"""The command ``cueline``: reads the arguments and calls what they ask for."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import cueline
from cueline import ping

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0 well, 1 something was lost, 2 it could not run."""
    options = _parser().parse_args(arguments)
    try:
        return ping.run(options)
    except cueline.Error as error:
        print(f"cueline: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cueline", description="A line from Python to the real-time thread of an audio engine."
    )
    parser.add_argument("--version", action="version", version=f"cueline {cueline.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_ping(commands.add_parser("ping", help=ping.__doc__, description=ping.__doc__))
    return parser


def _add_ping(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-c",
        "--count",
        type=_count,
        default=10,
        metavar="N",
        help="pings to send; 0: until Ctrl-C (10)",
    )
    parser.add_argument(
        "-i",
        "--interval",
        type=_seconds,
        default=0.1,
        metavar="S",
        help="seconds between pings (0.1)",
    )
    parser.add_argument("-d", "--device", metavar="D", help="null or offline (the best there is)")
    parser.add_argument("--samplerate", type=int, default=48_000, help="frames a second (48000)")
    parser.add_argument("--blocksize", type=int, default=128, help="frames in a block (128)")
    parser.add_argument(
        "-f",
        "--flood",
        action="store_true",
        help="send as fast as the line takes them, as many under way as a ring holds",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    parser.add_argument("--histogram", type=Path, metavar="FILE.svg", help="draw the round trips into this file")


def _count(text: str) -> int:
    count = int(text)
    if count < 0:
        raise argparse.ArgumentTypeError(f"must be 0 or more, got {count}")
    return count


def _seconds(text: str) -> float:
    seconds = float(text)
    if not (seconds >= 0 and math.isfinite(seconds)):
        raise argparse.ArgumentTypeError(f"must be 0 seconds or more, got {text}")
    return seconds
