"""``cueline latency``: play chirps, find them in the input, and print the round trip."""

from __future__ import annotations

import argparse
import json
import statistics
import warnings
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from cueline.commands.console import PlainConsole, how_it_ran, how_it_runs
from cueline.commands.level_display import dbfs
from cueline.engine import AudioEngine
from cueline.errors import ArgumentError, DeviceError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["arrival_of", "chirp", "run"]

_CHIRP_S = 0.1
_LOWEST_HZ, _HIGHEST = 100, 0.4  # of the chirp; the highest as a part of the samplerate
_LONGEST_S = 1  # round trip
_AHEAD_S = 0.1
_STANDS_OUT = 8  # times the mean: noise of a second reaches five times


def chirp(samplerate: int) -> npt.NDArray[np.float32]:
    """Return a sweep with a peak of 1, which fades in and out."""
    frames = round(_CHIRP_S * samplerate)
    at = np.arange(frames) / samplerate
    slope = (_HIGHEST * samplerate - _LOWEST_HZ) / _CHIRP_S
    sweep = np.sin(2 * np.pi * (_LOWEST_HZ * at + slope * at**2 / 2))
    return (sweep * np.hanning(frames)).astype(np.float32)


def arrival_of(played: npt.NDArray[np.float32], heard: npt.NDArray[np.float32]) -> int | None:
    """Return the place at which ``played`` begins in ``heard``, or None if it is not there.

    It is the place of the greatest cross-correlation, of either sign, if that stands out from all others.
    """
    size = len(heard) + len(played)
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(played, size))
    likeness = np.abs(np.fft.irfft(spectrum, size)[: len(heard) - len(played) + 1])
    place = int(likeness.argmax())
    near = len(played) // 2
    others = np.concatenate([likeness[: max(0, place - near)], likeness[place + near :]])
    usual = float(np.sqrt(np.mean(others**2)))
    return place if likeness[place] > max(_STANDS_OUT * usual, 1e-9 * len(played)) else None


def run(options: argparse.Namespace) -> int:
    """Measure as ``options`` say, print the results, and return the exit status."""
    if not 0 < options.gain <= 1:
        raise ArgumentError(f"--gain must be more than 0 and at most 1, got {options.gain:g}")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "this engine is silent")  # the error below says more
        engine = AudioEngine(
            options.device,
            samplerate=options.samplerate,
            blocksize=options.blocksize,
            inputs=(options.input,),
            outputs=(options.output,),
            loopback=options.device == "null",
        )
    if engine.device == "offline":
        raise DeviceError("latency needs a device with a clock, and 'offline' has none: leave out --device")
    if engine.device == "null" and options.device is None:
        reasons = "; ".join(engine._absent)
        raise DeviceError(
            f"no device has inputs and outputs. {reasons}. `cueline devices` lists all; with --device null, the "
            "outputs come back as inputs"
        )

    console = PlainConsole()
    path = f"from output {options.output} to input {options.input}"
    if not options.json:
        console.print(f"LATENCY {path}: {how_it_runs(engine)}")
        if engine.device == "null":
            console.print(
                "[dim]The null device has no sound card: "
                "each output comes back as the input of its number, a block later.[/]"
            )
    found: list[int] = []
    peak = 0.0
    with engine:
        for number in range(1, options.count + 1):
            frames, loudest = _round_trip(engine, options.gain)
            peak = max(peak, loudest)
            if frames is not None:
                found.append(frames)
            if not options.json:
                said = "not found" if frames is None else _in_words(frames, engine.samplerate)
                console.print(f"chirp {number}: {said}")
        reported = engine.input_latency, engine.output_latency
        stats = engine.stats()

    if options.json:
        results = {
            "chirps": options.count,
            "round_trips": found,
            "frames": statistics.median_low(found) if found else None,
            "reported": {"input": reported[0], "output": reported[1]},
            "peak": peak,
            "stats": asdict(stats),
        }
        print(json.dumps(results, indent=2))
    else:
        console.print(f"--- {stats.device} device ---")
        if found:
            _print_result(console, found, options.count, reported, stats.samplerate)
        else:
            console.print(_why_nothing(options, peak), markup=False)
        console.print(how_it_ran(stats))
    return 0 if found else 1


def _round_trip(engine: AudioEngine, gain: float) -> tuple[int | None, float]:
    """Play a chirp. Return the frames from its output to its input, or None, and the peak of the input."""
    played = gain * chirp(engine.samplerate)
    frames = len(played) + round(_LONGEST_S * engine.samplerate)
    with (
        engine.open_playback(buffer_seconds=_CHIRP_S, start=False) as playback,
        engine.open_recording(buffer_seconds=frames / engine.samplerate, start=False) as recording,
    ):
        playback.write(played, last=True)
        at = engine.after(_AHEAD_S)
        recording.start(at)
        started = playback.start(at)
        block = recording.read(frames)
        place = arrival_of(played, block.samples[:, 0])
        # On a busy machine, one of the commands may be late: what counts are the frames at which they applied.
        late = block.frame - started.result().frame
    return None if place is None else place + late, float(np.abs(block.samples).max())


def _print_result(
    console: PlainConsole, found: list[int], chirps: int, reported: tuple[int, int], samplerate: int
) -> None:
    frames = statistics.median_low(found)
    spread = f" (from {min(found)} to {max(found)})" if min(found) < max(found) else ""
    console.print(f"round trip: {_in_words(frames, samplerate)}{spread}; {len(found)} of {chirps} chirps found")
    if sum(reported) == 0:
        console.print("the device reports no latency")
        return
    more = frames - sum(reported)
    console.print(
        f"the device reports {_in_words(sum(reported), samplerate)}: {reported[0]} in, {reported[1]} out; "
        f"measured: {abs(more)} frames {'more' if more >= 0 else 'less'}"
    )


def _in_words(frames: int, samplerate: int) -> str:
    return f"{frames} frames, {frames / samplerate * 1e3:.3f} ms"


def _why_nothing(options: argparse.Namespace, peak: float) -> str:
    ends = f"output {options.output} to input {options.input}"
    if peak == 0:
        return (
            f"no chirp came back, because input {options.input} is silent: connect {ends} with a cable, or with JACK; "
            "is one of them muted?"
        )
    return (
        f"no chirp was found in input {options.input}, which has sound of up to {dbfs(peak):.1f} dBFS: "
        f"connect {ends}, and turn it up, or use a greater --gain than {options.gain:g}"
    )
