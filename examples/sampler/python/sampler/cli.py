"""The command: `sampler play`, `sampler render OUT.wav`, `sampler make-sounds DIR`."""

from __future__ import annotations

import argparse
import contextlib
import math
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import cueline
import soundfile
from rich.console import Console

from sampler.drums import DRUMS, make_sounds
from sampler.pattern import HOUSE, Pattern
from sampler.player import Player, render
from sampler.sampler import Sampler
from sampler.view import View, account

__all__ = ["command", "main"]

_LEAD_S = 0.1  # before the first hit


def command() -> None:
    """Run the command line, and exit."""
    sys.exit(main())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``arguments``, and return the exit status: 2 for an error."""
    options = _options(arguments)
    try:
        status: int = options.run(options)
    except (cueline.Error, soundfile.SoundFileError, ValueError, OSError) as error:
        print(f"sampler: {error}", file=sys.stderr)
        return 2
    return status


def _play(options: argparse.Namespace) -> int:
    sampler = Sampler(_number_or_name(options.device), samplerate=options.samplerate, blocksize=options.blocksize)
    if sampler.engine.device == "offline":
        raise ValueError("'offline' renders when told to: play on another device, or `sampler render FILE.wav`")
    pattern = _pattern(options)
    console = Console(highlight=False)
    with sampler, _sounds(options, sampler.engine.samplerate) as sounds:
        for pad, path in enumerate(sounds):
            sampler.load(pad, path)
        player = Player(
            sampler,
            pattern,
            bpm=options.bpm,
            swing=options.swing,
            bars=options.bars or None,
            first_frame=sampler.engine.after(_LEAD_S),
        )
        console.print(f"{options.bpm:g} bpm on {sampler.engine.device}; Ctrl-C ends it")
        view = View(sampler, player, console)
        try:
            with view:
                while not player.done:
                    player.step()
                    player.ended.clear()
                    view.update()
                    time.sleep(view.interval_s)
        except KeyboardInterrupt:
            pass
        player.stop()
        console.print(account(sampler, player))
    return 0


def _render(options: argparse.Namespace) -> int:
    sampler = Sampler("offline", samplerate=options.samplerate, blocksize=options.blocksize)
    pattern = _pattern(options)
    with sampler, _sounds(options, sampler.engine.samplerate) as sounds:
        for pad, path in enumerate(sounds):
            sampler.load(pad, path)
        player = Player(sampler, pattern, bpm=options.bpm, swing=options.swing, bars=options.bars)
        frames = render(sampler, player, options.file)
        print(f"{options.file}: {frames} frames at {sampler.engine.samplerate} Hz")
        print(account(sampler, player))
    return 0


def _make_sounds(options: argparse.Namespace) -> int:
    for path in make_sounds(options.folder, options.samplerate or 48_000):
        print(path)
    return 0


def _pattern(options: argparse.Namespace) -> Pattern:
    return Pattern(HOUSE if options.pattern is None else options.pattern.read_text(), list(DRUMS))


@contextlib.contextmanager
def _sounds(options: argparse.Namespace, samplerate: int) -> Iterator[list[Path]]:
    """Yield the drums' files: the user's, or temporary ones."""
    if options.sounds is not None:
        yield [options.sounds / f"{name}.wav" for name in DRUMS]
        return
    with tempfile.TemporaryDirectory(prefix="sampler-") as folder:
        yield make_sounds(Path(folder), samplerate)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="sampler", description="An eight-pad drum sampler on cueline.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    sound = argparse.ArgumentParser(add_help=False)
    sound.add_argument("--samplerate", type=int, help="frames per second (default: the device's)")

    playing = argparse.ArgumentParser(add_help=False, parents=[sound])
    playing.add_argument("--pattern", type=Path, metavar="FILE", help="a text file with a pattern (default: house)")
    playing.add_argument("--sounds", type=Path, metavar="DIR", help="folder of kick.wav and so on (default: made now)")
    playing.add_argument("--bpm", type=_number, default=120, help="beats per minute (default: 120)")
    playing.add_argument("--swing", type=_number, default=0, help="delay of each second sixteenth, 0 to 1 (default: 0)")
    playing.add_argument("--blocksize", type=int, help="frames per block (default: the device's)")

    play = commands.add_parser("play", parents=[playing], help="play a pattern")
    play.add_argument("--device", help="jack, portaudio, null, or a name from `cueline devices` (default: the first)")
    play.add_argument("--bars", type=_count, default=0, help="number of bars; 0 plays until Ctrl-C (default: 0)")
    play.set_defaults(run=_play)

    to_file = commands.add_parser("render", parents=[playing], help="write a pattern into a WAV file, to the sample")
    to_file.add_argument("file", type=Path, metavar="OUT.wav")
    to_file.add_argument("--bars", type=_count, default=2, help="number of bars (default: 2)")
    to_file.set_defaults(run=_render)

    make = commands.add_parser("make-sounds", parents=[sound], help="write the drums into a folder as WAV files")
    make.add_argument("folder", type=Path, metavar="DIR")
    make.set_defaults(run=_make_sounds)
    return parser.parse_args(arguments)


def _number_or_name(device: str | None) -> int | str | None:
    return int(device) if device is not None and device.isdecimal() else device


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"must be a finite number, got {text}")
    return number


def _count(text: str) -> int:
    count = int(text)
    if count < 0:
        raise argparse.ArgumentTypeError(f"must be at least 0, got {count}")
    return count
