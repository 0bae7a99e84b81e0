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
from cueline.errors import ArgumentError, DeviceError
from cueline.files import optional_soundfile

if TYPE_CHECKING:
    from types import TracebackType

    import numpy as np
    import numpy.typing as npt
    from typing_extensions import Self

    from cueline.recording import Recording

__all__ = ["run"]

_BUFFER_S = 30.0  # a slow disk may take this long before frames are lost
_BLOCKS_A_S = 30  # between two of these, it looks for Ctrl-C


def run(options: argparse.Namespace) -> int:
    """Record as ``options`` say, print the results, and return the exit status."""
    engine = _engine(options)
    console = PlainConsole()
    with _File(options.file, engine.samplerate, engine.inputs) as file, CtrlC() as ctrl_c, engine:
        if not options.json:
            console.print(f"RECORD {options.file}: {how_it_runs(engine)}")
            if engine.device == "null":
                console.print("[dim]The null device has no sound card: it records silence.[/]")
        recorder = _Recorder(engine.samplerate, file, meter_for(console, quiet=options.json))
        with engine.open_recording(buffer_seconds=_BUFFER_S) as recording, recorder.meter:
            recorder.record(recording, options.seconds or None, ctrl_c)
        stats = engine.stats()

    heard = recorder.heard
    if options.json:
        results = {
            "file": options.file,
            "samplerate": stats.samplerate,
            "channels": engine.inputs,
            "frames": heard.frames,
            "lost": recorder.lost,
            "rms": heard.rms,
            "peak": heard.peak,
            "stats": asdict(stats),
        }
        print(json.dumps(results, indent=2))
    else:
        console.print(f"--- {stats.device} device ---")
        console.print(
            f"{heard.frames / stats.samplerate:.1f} s recorded, {heard.frames} frames, {recorder.lost} of them lost: "
            f"rms {dbfs(heard.rms):.1f} dBFS, peak {dbfs(heard.peak):.1f} dBFS"
        )
        console.print(how_it_ran(stats))
        if heard.peak == 0 and engine.device != "null":
            console.print("Every sample is 0: is something connected to the input, and is it not muted?")
    return 0 if heard.frames > 0 and recorder.lost == 0 else 1


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


class _Level(NamedTuple):
    """The level of the frames since the last one, up to ``frame``."""

    frame: int
    peak: float
    rms: float


class _Recorder:
    """Writes a recording to a file, and measures its level."""

    def __init__(self, samplerate: int, file: _File, meter: Meter) -> None:
        self.meter = meter
        self.heard = Heard()
        self.lost = 0
        self._samplerate = samplerate
        self._file = file

    def record(self, recording: Recording, seconds: float | None, ctrl_c: CtrlC) -> None:
        """Record for ``seconds`` (None: for ever), or until Ctrl-C. Lost frames are zeros in the file."""
        done = shown = 0
        peak = squares = 0.0
        for block in recording.blocks(max(1, self._samplerate // _BLOCKS_A_S), duration=seconds):
            self._file.write(block.samples)
            done += len(block.samples)
            self.lost += block.lost
            peak = max(peak, float(abs(block.samples).max()))
            squares += float((block.samples.astype(float) ** 2).mean(axis=1).sum())
            if done - shown >= self.meter.interval_s * self._samplerate:
                self._show(done, peak, math.sqrt(squares / (done - shown)))
                shown, peak, squares = done, 0.0, 0.0
            if ctrl_c.came:
                recording.stop()  # the blocks that were recorded before still come
        if done > shown:
            self.heard.add(_Level(done, peak, math.sqrt(squares / (done - shown))))

    def _show(self, frame: int, peak: float, rms: float) -> None:
        level = _Level(frame, peak, rms)
        self.heard.add(level)
        self.meter.show(level, frame / self._samplerate, f"{self.lost} frames lost")


class _File:
    """A new sound file, of the format that the name's ending says, with 24 bits where it has them. Valid after any end.

    Raises MissingPackageError, and ArgumentError if it is there already or cannot be written.
    """

    def __init__(self, path: str, samplerate: int, channels: int) -> None:
        soundfile = optional_soundfile("writes")
        self._path, self._error = path, soundfile.SoundFileError
        ending = Path(path).suffix[1:].upper()
        if ending not in soundfile.available_formats():
            raise ArgumentError(f"{path} must end with a format of soundfile, such as .flac or .wav")
        subtype = "PCM_24" if soundfile.check_format(ending, "PCM_24") else None
        try:
            self._target = Path(path).open("xb")  # noqa: SIM115  # __exit__ closes it
        except FileExistsError:
            raise ArgumentError(f"{path} is there already: name another file, or remove it") from None
        except OSError as error:
            raise ArgumentError(f"cannot write {path}: {error.strerror}") from None
        try:
            self._sound = soundfile.SoundFile(self._target, "w", samplerate, channels, subtype, format=ending)
        except (ValueError, soundfile.SoundFileError) as error:
            self._target.close()
            Path(path).unlink()
            why = getattr(error, "error_string", "") or str(error)
            raise ArgumentError(f"cannot write {path} with {channels} channels at {samplerate} Hz: {why}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._target:
            self._sound.close()

    def write(self, samples: npt.NDArray[np.float32]) -> None:
        """Append samples of shape (frames, channels)."""
        try:
            self._sound.write(samples)
        except self._error as error:
            raise ArgumentError(f"cannot write {self._path}: {error}") from None
