"""``cueline record``: record a device's inputs to a sound file, with a level meter and the count of lost frames."""

from __future__ import annotations

import argparse
import json
import math
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cueline.commands.console import CtrlC, PlainConsole, how_it_ran, how_it_runs
from cueline.commands.level_display import Heard, Meter, dbfs, meter_for
from cueline.engine import AudioEngine
from cueline.errors import ArgumentError, DeviceError, LossWarning
from cueline.files import optional_soundfile

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from cueline.recording import Recording
    from cueline.saving import Saving

__all__ = ["run"]

_BUFFER_S = 30.0  # a slow disk may take this long before frames are lost
_BLOCKS_A_S = 30  # between two of these, it looks for Ctrl-C


def run(options: argparse.Namespace) -> int:
    """Record as ``options`` say, print the results, and return the exit status."""
    engine = _engine(options)
    console, stopping = PlainConsole(), False
    levels = _Levels(engine.samplerate, meter_for(console, quiet=options.json))
    with engine, CtrlC() as ctrl_c, engine.open_recording(buffer_seconds=_BUFFER_S) as recording:
        saving = _begun(recording, options)
        if not options.json:
            console.print(f"RECORD {options.file}: {how_it_runs(engine)}")
            if engine.device == "null":
                console.print("[dim]The null device has no sound card: it records silence.[/]")
        with engine.open_recording() as shown, levels.meter:
            for block in shown.blocks(max(1, engine.samplerate // _BLOCKS_A_S), duration=options.seconds or None):
                levels.add(block.samples, saving.lost_frames)
                if ctrl_c.came and not stopping:
                    stopping = True
                    recording.stop()
                if saving.done and saving.frames <= levels.frames:
                    break
        levels.end()
        _wait(saving)
        stats = engine.stats()

    heard, lost = levels.heard, saving.lost_frames
    if options.json:
        results = {
            "file": options.file,
            "samplerate": stats.samplerate,
            "channels": engine.inputs,
            "frames": saving.frames,
            "lost": lost,
            "rms": heard.rms,
            "peak": heard.peak,
            "stats": asdict(stats),
        }
        print(json.dumps(results, indent=2))
    else:
        console.print(f"--- {stats.device} device ---")
        console.print(
            f"{saving.frames / stats.samplerate:.1f} s recorded, {saving.frames} frames, {lost} of them lost: rms "
            f"{dbfs(heard.rms):.1f} dBFS, peak {dbfs(heard.peak):.1f} dBFS"
        )
        console.print(how_it_ran(stats))
        if heard.peak == 0 and engine.device != "null":
            console.print("Every sample is 0: is something connected to the input, and is it not muted?")
    return 0 if saving.frames > 0 and lost == 0 else 1


def _engine(options: argparse.Namespace) -> AudioEngine:
    """Return an engine with inputs. Raises DeviceError if there is no device that has any."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "this engine is silent")  # the error below says more
        engine = AudioEngine(
            options.device,
            samplerate=options.samplerate,
            blocksize=options.blocksize,
            inputs=options.inputs,
            outputs=0,
        )
    if engine.device == "offline":
        raise DeviceError("record needs a device with a clock, and 'offline' has none: leave out --device")
    if options.device is None and engine.device == "null":
        reasons = "; ".join(engine._absent)
        raise DeviceError(
            f"no device has inputs. {reasons}. `cueline devices` lists all; --device null records silence"
        )
    return engine


def _begun(recording: Recording, options: argparse.Namespace) -> Saving:
    """Begin to write the file, with 24 bits if its format has them, and return its Saving."""
    if Path(options.file).exists():
        raise ArgumentError(f"{options.file} is there already: name another file, or remove it")
    ending = Path(options.file).suffix[1:]
    subtype = "PCM_24" if optional_soundfile("writes").check_format(ending, "PCM_24") else None
    try:
        return recording.save(options.file, duration=options.seconds or None, subtype=subtype)
    except OSError as error:
        raise ArgumentError(f"cannot write {options.file}: {error.strerror}") from None


def _wait(saving: Saving) -> None:
    """Wait until the file is complete. What was lost is printed later, so it needs no warning."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LossWarning)
            saving.wait()
    except OSError as error:
        raise ArgumentError(str(error)) from None


class _Level(NamedTuple):
    """The level of the frames since the previous level, up to ``frame``."""

    frame: int
    peak: float
    rms: float


class _Levels:
    """Measures the level of blocks, and shows it."""

    def __init__(self, samplerate: int, meter: Meter) -> None:
        self.meter = meter
        self.heard = Heard()
        self._samplerate = samplerate
        self._blocks: list[npt.NDArray[np.float32]] = []  # not shown yet
        self._waiting = 0  # frames in them

    @property
    def frames(self) -> int:
        """How many frames were added."""
        return self.heard.frames + self._waiting

    def add(self, samples: npt.NDArray[np.float32], lost: int) -> None:
        """Add a block, and show the level if it is time. ``lost`` is the number of frames that were lost so far."""
        self._blocks.append(samples)
        self._waiting += len(samples)
        if self._waiting >= self.meter.interval_s * self._samplerate:
            level = self._measure()
            self.meter.show(level, level.frame / self._samplerate, f"{lost} frames lost")

    def end(self) -> None:
        """Add the blocks that were not shown yet to the level of everything heard."""
        if self._blocks:
            self._measure()

    def _measure(self) -> _Level:
        import numpy as np  # here, because the other commands need not wait for it

        samples = np.concatenate(self._blocks, dtype=float)
        self._blocks, self._waiting = [], 0
        frame = self.heard.frames + len(samples)
        level = _Level(frame, float(abs(samples).max()), math.sqrt((samples**2).mean()))
        self.heard.add(level)
        return level
