"""``cueline tone``: play a test tone or a metronome with a level meter, or render it to a file."""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import sys
import time
from dataclasses import asdict
from typing import Any

from cueline._core import Status
from cueline.commands.console import CtrlC, PlainConsole, how_it_ran, how_it_runs
from cueline.commands.level_display import Heard, Meter, dbfs, meter_for
from cueline.commands.metronome import Metronome
from cueline.commands.wav import WavFile
from cueline.engine import AudioEngine
from cueline.errors import ArgumentError, DeviceError
from cueline.messages import FormatChanged, GetLevel, Level
from cueline.stats import Stats

__all__ = ["run"]

_INTERVAL_S = 1 / 30  # between two polls for Ctrl-C and levels
_SHORT_INTERVAL_S = 1 / 300  # the same while waiting for one level
_PATIENCE_S = 0.5  # in addition to the blocks that an answer takes


def run(options: argparse.Namespace) -> int:
    """Play as ``options`` say, print the results, and return the exit status."""
    if options.wav is not None:
        return _render(options)
    engine = AudioEngine(
        options.device,
        processor="tone",
        samplerate=options.samplerate,
        blocksize=options.blocksize,
        outputs=options.outputs,
    )
    if engine.device == "offline":
        raise DeviceError(
            "tone needs a device with a clock, and 'offline' has none: leave out --device, or render with --wav FILE"
        )
    _set_up(engine, options)  # before it starts, so that it begins with these values

    console = PlainConsole()
    if not options.json:
        console.print(f"TONE {_what(options)} at a gain of {options.gain:g}: {how_it_runs(engine)}")
        if engine.device == "null":
            console.print("[dim]The null device has no sound card: there is nothing to hear.[/]")
    metronome = _metronome(engine, options)
    player = _Player(engine, meter_for(console, quiet=options.json), metronome)
    with engine, CtrlC() as ctrl_c:
        with contextlib.suppress(KeyboardInterrupt), player.meter:
            player.play(options.seconds, ctrl_c)
            player.fade_out()
        stats = engine.stats()

    heard = player.heard
    if options.json:
        print(json.dumps(_results(options, heard, stats, metronome), indent=2))
    else:
        console.print(f"--- {stats.device} device ---")
        console.print(
            f"{heard.frames / stats.samplerate:.1f} s played: rms {dbfs(heard.rms):.1f} dBFS, "
            f"peak {dbfs(heard.peak):.1f} dBFS"
        )
        if metronome is not None:
            console.print(f"{metronome.on_time} clicks exactly at their frame, {metronome.late} late")
        console.print(how_it_ran(stats))
    return 0 if heard.frames > 0 else 1


def _what(options: argparse.Namespace) -> str:
    return f"{options.frequency:g} Hz" if options.metronome is None else f"{options.metronome:g} clicks a minute"


def _set_up(engine: AudioEngine, options: argparse.Namespace) -> None:
    """Set the tone's frequency and gain. With a metronome, the tone itself is silent."""
    engine.parameters.update(frequency=options.frequency, gain=options.gain)
    if options.metronome is not None:
        engine.parameters["gain"] = 0


def _metronome(engine: AudioEngine, options: argparse.Namespace) -> Metronome | None:
    if options.metronome is None:
        return None
    return Metronome(engine, options.metronome, options.gain, engine.samplerate // 10)


def _render(options: argparse.Namespace) -> int:
    """Render to a WAV file as ``options`` say, and return the exit status."""
    if options.device not in (None, "offline"):
        raise DeviceError(f"--wav renders offline, but --device {options.device} plays: leave one of them out")
    if options.seconds == 0:
        raise ArgumentError("--seconds must be more than 0 with --wav, got 0: a file needs an end")
    engine = AudioEngine(
        "offline",
        processor="tone",
        samplerate=options.samplerate,
        blocksize=options.blocksize,
        outputs=options.outputs,
    )
    _set_up(engine, options)
    metronome = _metronome(engine, options)
    file = WavFile(options.wav, engine.samplerate, engine.outputs, options.seconds * engine.samplerate)
    if file.is_stdout and options.json:
        raise ArgumentError("--json prints to stdout, where --wav writes the samples: leave one of them out")
    with file:
        while (left := file.frames - engine.now()) > 0:
            file.write(engine.render(min(left, engine.samplerate // 2)))
    if metronome is not None:
        metronome.stop()
    if options.json:
        results = {
            "file": options.wav,
            "frames": file.frames,
            **_clicks(options, metronome),
            "stats": asdict(engine.stats()),
        }
        print(json.dumps(results, indent=2))
        return 0
    name, out = ("stdout", sys.stderr) if file.is_stdout else (options.wav, sys.stdout)
    format_text = f"{engine.outputs} outputs at {engine.samplerate} Hz"
    print(f"{name}: {file.frames} frames of {_what(options)}, {format_text}", file=out)
    if metronome is not None:
        print(f"{metronome.on_time} clicks exactly at their frame, {metronome.late} late", file=out)
    return 0


def _clicks(options: argparse.Namespace, metronome: Metronome | None) -> dict[str, Any]:
    if metronome is None:
        return {}
    return {"metronome": {"bpm": options.metronome, "on_time": metronome.on_time, "late": metronome.late}}


def _results(options: argparse.Namespace, heard: Heard, stats: Stats, metronome: Metronome | None) -> dict[str, Any]:
    return {
        "frequency": options.frequency,
        "gain": options.gain,
        "seconds": heard.frames / stats.samplerate,
        "rms": heard.rms,
        "peak": heard.peak,
        **_clicks(options, metronome),
        "stats": asdict(stats),
    }


class _Player:
    """Plays the tone and measures its level."""

    def __init__(self, engine: AudioEngine, meter: Meter, metronome: Metronome | None) -> None:
        self.meter = meter
        self.heard = Heard()
        self._engine = engine
        self._metronome = metronome
        self._under_way = 0  # levels requested, not yet received

    def play(self, seconds: float, ctrl_c: CtrlC) -> None:
        """Play for ``seconds`` (0: for ever), or until Ctrl-C."""
        began_s = time.monotonic()
        end_s = began_s + (seconds or math.inf)
        look_s = began_s + self.meter.interval_s
        while not ctrl_c.came and (now_s := time.monotonic()) < end_s:
            if now_s >= look_s:
                look_s = max(look_s + self.meter.interval_s, now_s)  # after a stall, it does not catch up in a burst
                self._request()
            time.sleep(min(_INTERVAL_S, end_s - now_s))
            self._hear(self._arrived())
        self._hear(self._levels())
        if self._metronome is not None:
            self._metronome.stop()

    def fade_out(self) -> None:
        """Set the gain to 0, and wait until the audio is silent. This does not count as heard."""
        self._engine.parameters["gain"] = 0
        deadline_s = self._deadline_s()
        while not any(level.peak == 0 for level in self._levels()) and time.monotonic() < deadline_s:
            pass

    def _request(self) -> None:
        if self._engine.send(GetLevel()) is Status.OK:
            self._under_way += 1

    def _levels(self) -> list[Level]:
        """Request a level; return it and those that came before it, or fewer if it takes too long."""
        self._request()
        levels = self._arrived()
        deadline_s = self._deadline_s()
        while self._under_way and time.monotonic() < deadline_s:
            time.sleep(_SHORT_INTERVAL_S)
            levels += self._arrived()
        return levels

    def _arrived(self) -> list[Level]:
        """Return the levels that have arrived."""
        levels = []
        for message in self._engine.messages():
            if isinstance(message, Level):
                self._under_way -= 1
                levels.append(message)
            elif isinstance(message, FormatChanged):
                self.meter.note(f"The device changed its format: {how_it_runs(self._engine)}")
        return levels

    def _hear(self, levels: list[Level]) -> None:
        for level in levels:
            self.heard.add(level)
            self.meter.show(level, level.frame / self._engine.samplerate)

    def _deadline_s(self) -> float:
        return time.monotonic() + 2 * self._engine.blocksize / self._engine.samplerate + _PATIENCE_S
