"""The command ``cueline``: reads the arguments and runs the module of that command."""

from __future__ import annotations

import argparse
import io
import math
import os
import signal
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import cueline

__all__ = ["command", "main"]

_DOCTOR_STATUS = "Exit status: 0: all OK. 1: a WARN. 2: a FAIL, or the doctor could not run, and stderr says why."
_HIGHEST_TEMPO = 3000  # a click takes 20 ms
_LONGEST_S = 86_400


def command() -> int:
    """Run ``main`` as a program, and ignore Ctrl-C while the interpreter shuts down after it."""
    if sys.stdout is None:  # Python found it closed
        return _fail("cannot write the output: stdout is closed")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # names of devices and files may have any letters
    try:
        return main()
    except KeyboardInterrupt:
        return 130  # Ctrl-C came while main() returned
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    0: success. 1: something was lost. 2: the command could not run. 130: Ctrl-C before there was a result. 141: nobody
    reads the output. For the doctor, 1: a WARN. 2: a FAIL, or it could not run, and stderr says why.
    """
    try:
        parser = _parser()
        options = parser.parse_args(arguments)
        if options.command is None:
            parser.print_help()
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            status = 0 if options.command is None else _run(options)
        sys.stdout.flush()
        return status
    except cueline.Error as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return 130  # like a shell: 128 plus the signal's number
    except BrokenPipeError:  # the reader of our output has closed it
        _discard_the_rest()
        return 141
    except OSError as error:
        _discard_the_rest()
        return _fail(f"cannot write the output: {error}")


def _run(options: argparse.Namespace) -> int:
    """Import the command's module here, where main() catches a Ctrl-C, and run it.

    Each import has its own line: PyInstaller does not see a name that is made up as the program runs.
    """
    match options.command:
        case "ping":
            from cueline.commands.ping import run
        case "tone":
            from cueline.commands.tone import run
        case "play":
            from cueline.commands.play import run
        case "record":
            from cueline.commands.record import run
        case "latency":
            from cueline.commands.latency import run
        case "devices":
            from cueline.commands.devices import run
        case "doctor":
            from cueline.commands.doctor import run
        case "header":
            from cueline.commands.header import run
        case _:
            from cueline.commands.bench import run
    return run(options)


def _show_warning(message: Warning | str, *_where: object, **_options: object) -> None:
    if sys.stderr is not None:
        text = str(message).replace("AudioEngine('null')", "--device null")  # what a terminal has
        print(f"cueline: {text}", file=sys.stderr)


def _fail(why: str) -> int:
    if sys.stderr is not None:  # print() would take stdout instead
        print(f"cueline: {why}", file=sys.stderr)
    return 2


def _discard_the_rest() -> None:
    """Discard what stdout still holds: Python would try to write it again at exit, and print an error."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


class _Print(argparse.Action):
    """Prints what its function returns, and exits. The text is not wrapped, so that a shell can use it."""

    def __init__(self, option_strings: Sequence[str], dest: str, const: Callable[[], str], help: str) -> None:  # noqa: A002
        super().__init__(option_strings, dest, nargs=0, const=const, help=help, default=argparse.SUPPRESS)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(self.const())
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cueline", description="A line from Python to the real-time thread of an audio engine."
    )
    parser.add_argument("--version", action="version", version=f"cueline {cueline.__version__}")
    about_folder = "print the folder of {}, to build against cueline"
    for flag, folder, of in (
        ("--includedir", cueline.get_include, "the C++ headers"),
        ("--cmakedir", cueline.get_cmake_dir, "the CMake package"),
    ):
        parser.add_argument(flag, action=_Print, const=folder, help=about_folder.format(of))
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    about_ping = "Ping the audio thread, and show where the time of each round trip goes."
    _add_ping(commands.add_parser("ping", help=about_ping, description=about_ping))
    about_bench = "Measure what a call from Python costs, compared with the least possible cost and other libraries."
    _add_bench(commands.add_parser("bench", help=about_bench, description=about_bench))
    about_tone = "Play a test tone or a metronome with a level meter, or render it to a file."
    _add_tone(commands.add_parser("tone", help=about_tone, description=about_tone))
    about_play = "Play a sound file."
    _add_play(commands.add_parser("play", help=about_play, description=about_play))
    about_record = "Record the inputs of a device to a sound file, with a level meter and the count of lost frames."
    _add_record(commands.add_parser("record", help=about_record, description=about_record))
    about_latency = "Measure the time from an output to an input, with a cable between them or a microphone."
    _add_latency(commands.add_parser("latency", help=about_latency, description=about_latency))
    about_header = "Print a C++ header with the same messages as a Python module."
    _add_header(commands.add_parser("header", help=about_header, description=about_header))
    about_devices = "List the devices that an engine can run on, and say why others are missing."
    _add_devices(commands.add_parser("devices", help=about_devices, description=about_devices))
    about_doctor = "Check whether this machine is fit for real-time audio, and show how to fix what is not."
    _add_doctor(commands.add_parser("doctor", help=about_doctor, description=about_doctor, epilog=_DOCTOR_STATUS))
    return parser


def _add_tone(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-s", "--seconds", type=_seconds, default=5.0, metavar="S", help="seconds to play; 0: until Ctrl-C (5)"
    )
    sound = parser.add_mutually_exclusive_group()
    sound.add_argument("--frequency", type=float, default=440.0, metavar="HZ", help="frequency of the sine (440)")
    sound.add_argument(
        "--metronome",
        type=_tempo,
        metavar="BPM",
        help="play clicks instead of the tone, this many a minute",
    )
    parser.add_argument("--gain", type=float, default=0.2, metavar="G", help="from 0 to 1, full scale (0.2)")
    _add_device(parser)
    _add_outputs(parser)
    parser.add_argument(
        "--wav", metavar="FILE", help="render to this file, offline, instead of playing; -: to stdout, for a pipe"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")


def _add_play(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="a sound file: WAV, FLAC, Ogg, MP3 and more (needs cueline[files])")
    parser.add_argument("--gain", type=float, default=1.0, metavar="G", help="from 0 to 4 (1)")
    _add_device(parser)
    _add_outputs(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")


def _add_record(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="a new sound file: its ending says which format it has (needs cueline[files])")
    parser.add_argument(
        "-s", "--seconds", type=_seconds, default=0.0, metavar="S", help="seconds to record; 0: until Ctrl-C (0)"
    )
    _add_device(parser)
    parser.add_argument(
        "--inputs",
        type=_channels,
        default=1,
        metavar="N",
        help="number of input channels, or their numbers on the device, such as 3,4 (1)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")


def _add_latency(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-c", "--count", type=_some, default=3, metavar="N", help="chirps to play, one a second (3)")
    parser.add_argument("--gain", type=float, default=0.2, metavar="G", help="from 0 to 1, full scale (0.2)")
    parser.add_argument("--output", type=_whole, default=1, metavar="N", help="number of the output channel (1)")
    parser.add_argument("--input", type=_whole, default=1, metavar="N", help="number of the input channel (1)")
    _add_device(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")


def _add_header(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("module", help="a Python file, or a module name; it is imported")
    parser.add_argument("--namespace", metavar="NAME", help="put the structs into this namespace; may be a::b")


def _add_devices(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")


def _add_bench(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-q", "--quick", action="store_true", help="fewer rounds: ten seconds instead of a minute")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    parser.add_argument("--svg", type=Path, metavar="DIR", help="draw charts into this folder")


def _add_doctor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seconds",
        type=_some_seconds,
        default=10.0,
        metavar="S",
        help="how long to measure the lateness of blocks on the null device (10)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")


def _add_ping(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-c",
        "--count",
        type=_count,
        default=10,
        metavar="N",
        help="pings to send; 0: until Ctrl-C (10)",
    )
    pace = parser.add_mutually_exclusive_group()
    pace.add_argument(
        "-i",
        "--interval",
        type=_seconds,
        default=0.1,
        metavar="S",
        help="seconds between pings; 0: send the next one when the answer has come (0.1)",
    )
    pace.add_argument(
        "-f",
        "--flood",
        action="store_true",
        help="send as fast as possible, with as many pings under way as the ring holds",
    )
    _add_device(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    parser.add_argument("--histogram", type=Path, metavar="FILE.svg", help="draw a histogram of the round trips")


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-d",
        "--device",
        type=_device,
        metavar="D",
        help="jack, portaudio, null, offline, or a PortAudio device's number or words of its name "
        "(JACK if a server runs, else PortAudio, else null)",
    )
    parser.add_argument("--samplerate", type=_whole, metavar="N", help="frames a second (the device's default)")
    parser.add_argument("--blocksize", type=_whole, metavar="N", help="frames in a block (the device's default)")


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--outputs",
        type=_channels,
        default=2,
        metavar="N",
        help="number of output channels, or their numbers on the device, such as 3,4 (2)",
    )


def _device(text: str) -> str | int:
    return _whole(text) if text.isdecimal() else text


def _channels(text: str) -> int | list[int]:
    try:
        channels = [int(number) for number in text.split(",") if number]
    except ValueError:
        channels = []
    if not channels or min(channels) < 1:
        raise argparse.ArgumentTypeError(
            f"must be a number of channels, or channel numbers from 1 on, such as 3,4, got '{text}'"
        )
    return channels if "," in text else channels[0]


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number, got '{text}'") from None


def _count(text: str) -> int:
    count = _whole(text)
    if count < 0:
        raise argparse.ArgumentTypeError(f"must be 0 or more, got {count}")
    return count


def _some(text: str) -> int:
    count = _whole(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, got {count}")
    return count


def _seconds(text: str) -> float:
    seconds = _number(text)
    if not (seconds >= 0 and math.isfinite(seconds)):
        raise argparse.ArgumentTypeError(f"must be 0 seconds or more, got '{text}'")
    return seconds


def _tempo(text: str) -> float:
    tempo = _number(text)
    if not 1 <= tempo <= _HIGHEST_TEMPO:
        raise argparse.ArgumentTypeError(f"must be from 1 to {_HIGHEST_TEMPO} clicks a minute, got '{text}'")
    return tempo


def _some_seconds(text: str) -> float:
    seconds = _number(text)
    if not 0 < seconds <= _LONGEST_S:
        raise argparse.ArgumentTypeError(f"must be more than 0 and at most {_LONGEST_S} seconds, got '{text}'")
    return seconds


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
