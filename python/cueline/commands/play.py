"""``cueline play``: play a sound file."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from cueline.commands.console import CtrlC, PlainConsole, how_it_ran, how_it_runs
from cueline.engine import AudioEngine
from cueline.errors import ArgumentError, DeviceError
from cueline.files import load
from cueline.messages import BufferEnded, DeviceLost, PlayBuffer, StopBuffer
from cueline.ring_errors import Empty

__all__ = ["run"]

_INTERVAL_S = 1 / 30  # between two polls for Ctrl-C
_PATIENCE_S = 0.5  # in addition to the blocks that a stop takes


def run(options: argparse.Namespace) -> int:
    """Play the file as ``options`` say, print the results, and return the exit status."""
    start = PlayBuffer(slot=0, gain=options.gain)  # checks the gain
    engine = AudioEngine(
        options.device,
        processor="player",
        samplerate=options.samplerate,
        blocksize=options.blocksize,
        outputs=options.outputs,
    )
    if engine.device == "offline":
        raise DeviceError("play needs a device with a clock, and 'offline' has none: leave out --device")
    try:
        sound = load(options.file, samplerate=engine.samplerate)
    except OSError as error:
        hint = ": `cueline tone` plays a test tone" if options.file == "tone" else ""
        raise ArgumentError(f"cannot read {options.file}: {error.strerror}{hint}") from None
    frames, channels = sound.shape

    console = PlainConsole()
    engine.publish(0, sound)
    with CtrlC() as ctrl_c, engine:
        began = engine.confirm(start)
        if not options.json:
            _print_what(console, options, engine, frames, channels)
        ended = _ended(engine, ctrl_c)
        played = 0 if ended is None else ended.frame - began.result(0).frame
        stats = engine.stats()

    if options.json:
        results = {
            "file": options.file,
            "frames": frames,
            "channels": channels,
            "gain": options.gain,
            "played": played,
            "stats": asdict(stats),
        }
        print(json.dumps(results, indent=2))
    else:
        console.print(f"--- {stats.device} device ---")
        console.print(f"{played / stats.samplerate:.1f} s played, {played} of {frames} frames")
        console.print(how_it_ran(stats))
    return 0 if played > 0 or ctrl_c.came else 1


def _print_what(
    console: PlainConsole, options: argparse.Namespace, engine: AudioEngine, frames: int, channels: int
) -> None:
    lasts = f"{frames / engine.samplerate:.1f} s of {channels} {'channel' if channels == 1 else 'channels'}"
    console.print(f"PLAY {options.file}, {lasts}, at a gain of {options.gain:g}: {how_it_runs(engine)}")
    if channels > engine.outputs:
        console.print(f"The device plays {engine.outputs} of its {channels} channels: --outputs {channels} plays all.")
    if engine.device == "null":
        console.print("[dim]The null device has no sound card: there is nothing to hear.[/]")


def _ended(engine: AudioEngine, ctrl_c: CtrlC) -> BufferEnded | None:
    """Wait for the end of the buffer. After Ctrl-C, stop it, which fades out, and wait for that, or return None."""
    while not ctrl_c.came:
        try:
            came = engine.receive(BufferEnded, DeviceLost, timeout=_INTERVAL_S)
        except Empty:
            continue
        if isinstance(came, BufferEnded):
            return came
        engine.ping()  # raises, and says why the device was lost
    engine.send(StopBuffer(slot=0))
    try:
        return engine.receive(BufferEnded, timeout=2 * engine.blocksize / engine.samplerate + _PATIENCE_S)
    except Empty:
        return None
