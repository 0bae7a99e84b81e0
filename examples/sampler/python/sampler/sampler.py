"""Sampler: eight pads in Python, on an engine with the sampler's processor."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

import cueline
import numpy as np
import numpy.typing as npt
import soundfile

from sampler import _sampler
from sampler.messages import PADS, LoopPad, StopPad, Trigger

if TYPE_CHECKING:
    from cueline.processors import CapsuleType
    from typing_extensions import Self

__all__ = ["Loaded", "PadLevel", "Sampler", "SoundError"]

_PATIENCE_S = 1.0  # how long load() and stop_all() wait for room


class SoundError(ValueError):
    """A sound that a pad cannot play. The text has the numbers, and what to do."""


class Loaded(NamedTuple):
    """What was loaded into a pad."""

    name: str
    frames: int


class PadLevel(NamedTuple):
    """A reading of a pad's meter: the recent peak (full scale 1) and the playhead in seconds (0: silent)."""

    peak: float
    playhead: float


class Sampler:
    """Eight pads, 0 to 7, on an engine of their own. Use ``engine`` for all that this class does not offer.

    ``device`` and the options are those of ``cueline.AudioEngine``. In a ``with``, the engine starts, and closes at
    the end. It is as thread-safe as the engine. If two threads load the same pad, either sound may stay.
    """

    def __init__(self, device: str | int | None = None, **options: Any) -> None:
        self.engine = cueline.AudioEngine(device, processor=self, **options)
        self.loaded: list[Loaded | None] = [None] * PADS

    def __cueline_processor__(self) -> CapsuleType:
        """Return a new processor. The engine looks for this method in its ``processor`` argument."""
        return _sampler.processor()

    def __enter__(self) -> Self:
        self.engine.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.engine.close()

    def load(
        self, pad: int, sound: str | Path | npt.NDArray[np.floating[Any]], at: int | None = None, *, name: str = ""
    ) -> None:
        """Load a sound file, or an array of shape (frames,) or (frames, channels), into a pad.

        A pad that plays continues in its new sound. A file must have the engine's sample rate: nothing is converted.
        This thread reads, copies and frees; the audio thread swaps a pointer. Raises SoundError, cueline.Full if there
        is no room for a second, ValueError if there is no such pad.
        """
        _require_pad(pad)
        if isinstance(sound, np.ndarray):
            samples: npt.NDArray[np.floating[Any]] = sound
        else:
            samples = self._read(Path(sound))
            name = name or Path(sound).stem
        _require_sound(samples, name or "the array")
        try:
            self.engine.publish(pad, samples, at, timeout=_PATIENCE_S)
        except cueline.Full as full:
            raise cueline.Full(f"no room to load pad {pad} for {_PATIENCE_S:g} s: is the audio running?") from full
        self.loaded[pad] = Loaded(name, samples.shape[0])

    def unload(self, pad: int) -> cueline.Status:
        """Remove a pad's sound. If the pad plays, it fades and ends."""
        _require_pad(pad)
        if (status := self.engine.publish(pad, None)) is cueline.Status.OK:
            self.loaded[pad] = None
        return status

    def trigger(self, pad: int, velocity: float = 1.0, at: int | None = None, *, late: Any = "apply") -> cueline.Status:
        """Play a pad from its beginning, at a frame or at once. Never blocks: returns Status.OK or FULL."""
        _require_pad(pad)
        if not 0 <= velocity <= 1:
            raise ValueError(f"velocity must be from 0 to 1, got {velocity:g}")
        return self.engine.send(Trigger(pad=pad, velocity=velocity), at, late=late)

    def stop(self, pad: int, at: int | None = None) -> cueline.Status:
        """Stop a pad, at a frame or at once. It fades in 5 ms. Never blocks."""
        _require_pad(pad)
        return self.engine.send(StopPad(pad=pad), at)

    def stop_all(self, at: int | None = None) -> None:
        """Stop all pads together, at one frame. Raises cueline.Full if there is no room for a second."""
        with self.engine.transaction(at, timeout=_PATIENCE_S) as together:
            for pad in range(PADS):
                together.send(StopPad(pad=pad))

    def loop(self, pad: int, loops: bool = True, at: int | None = None) -> cueline.Status:
        """Set whether a pad loops, now and whenever it is triggered. Never blocks."""
        _require_pad(pad)
        return self.engine.send(LoopPad(pad=pad, loops=int(loops)), at)

    def set_gain(self, pad: int, gain: float) -> None:
        """Set a pad's gain, 0 to 1. It takes 20 ms, or no time if the pad is silent. Never blocks."""
        _require_pad(pad)
        self.engine.parameters[f"gain {pad}"] = gain

    def set_pan(self, pad: int, pan: float) -> None:
        """Set a pad's pan, -1 (left) to 1 (right), at constant power. Timed as set_gain(). Never blocks."""
        _require_pad(pad)
        self.engine.parameters[f"pan {pad}"] = pan

    def set_master(self, gain: float) -> None:
        """Set the gain of the whole output, 0 to 1. It takes 20 ms. Never blocks."""
        self.engine.parameters["master"] = gain

    def level(self, pad: int) -> PadLevel:
        """Return the latest reading of a pad's meter. Never blocks."""
        _require_pad(pad)
        return PadLevel(*self.engine.meters[f"pad {pad}"])

    def _read(self, path: Path) -> npt.NDArray[np.float32]:
        try:
            samples, samplerate = soundfile.read(path, dtype="float32", always_2d=True)
        except (OSError, soundfile.SoundFileError) as error:
            why = "there is no such file" if not path.exists() else f"not a sound file that can be read ({error})"
            raise SoundError(f"{path}: {why}; it may be WAV, FLAC, AIFF or Ogg") from None
        if samplerate != self.engine.samplerate:
            raise SoundError(
                f"{path} has {samplerate} frames per second, and the engine {self.engine.samplerate}: convert it "
                f"(sox {path.name} -r {self.engine.samplerate} other.wav), or make the engine with "
                f"samplerate={samplerate}"
            )
        return samples  # type: ignore[no-any-return]  # soundfile has no types


def _require_pad(pad: int) -> None:
    if not 0 <= pad < PADS:
        raise ValueError(f"pad must be from 0 to {PADS - 1}, got {pad}")


def _require_sound(samples: npt.NDArray[np.floating[Any]], name: str) -> None:
    if samples.ndim not in (1, 2) or samples.size == 0:
        raise SoundError(f"{name} has no sound in it: its shape is {samples.shape}")
    if samples.ndim == 2 and samples.shape[1] > 2:
        raise SoundError(f"{name} has {samples.shape[1]} channels, and a pad plays one or two: mix it down")
    if not np.isfinite(samples).all():
        raise SoundError(f"{name} has NaN or infinite samples: render it again")
