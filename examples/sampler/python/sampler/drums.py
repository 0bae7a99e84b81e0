"""Eight drums, made of sines and noise. The samples are the same every time, and each drum begins at sample 0."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

__all__ = ["DRUMS", "make_sounds"]

Sound = npt.NDArray[np.float32]
_FADE_S = 0.005  # at the end, so that no drum ends with a click


def kick(samplerate: int) -> Sound:
    """Return a sine that falls from 200 to 50 Hz."""
    seconds = _seconds(0.35, samplerate)
    cycles = 50 * seconds + 150 / 30 * (1 - np.exp(-30 * seconds))
    return _finished(0.8 * np.cos(2 * np.pi * cycles) * np.exp(-9 * seconds), samplerate)


def snare(samplerate: int) -> Sound:
    """Return a short tone with noise."""
    seconds = _seconds(0.18, samplerate)
    tone = 0.3 * np.cos(2 * np.pi * 190 * seconds) * np.exp(-30 * seconds)
    return _finished(tone + 0.35 * _noise(seconds, 1) * np.exp(-22 * seconds), samplerate)


def closed_hat(samplerate: int) -> Sound:
    """Return short noise without low frequencies."""
    seconds = _seconds(0.05, samplerate)
    return _finished(0.25 * _bright(seconds, 2) * np.exp(-90 * seconds), samplerate)


def open_hat(samplerate: int) -> Sound:
    """Return long noise without low frequencies."""
    seconds = _seconds(0.3, samplerate)
    return _finished(0.25 * _bright(seconds, 3) * np.exp(-12 * seconds), samplerate)


def clap(samplerate: int) -> Sound:
    """Return four bursts of noise: the only stereo sound."""
    seconds = _seconds(0.16, samplerate)
    bursts = np.sum([(seconds >= at) * np.exp(-180 * np.maximum(seconds - at, 0)) for at in (0, 0.011, 0.022)], axis=0)
    shape = 0.25 * (bursts + (seconds >= 0.03) * np.exp(-28 * np.maximum(seconds - 0.03, 0)))
    return _finished(np.stack([shape * _noise(seconds, 4), shape * _noise(seconds, 5)], axis=1), samplerate)


def tom(samplerate: int) -> Sound:
    """Return a sine that falls from 160 to 90 Hz."""
    seconds = _seconds(0.3, samplerate)
    cycles = 90 * seconds + 70 / 14 * (1 - np.exp(-14 * seconds))
    return _finished(0.5 * np.cos(2 * np.pi * cycles) * np.exp(-10 * seconds), samplerate)


def rim(samplerate: int) -> Sound:
    """Return a knock of two sines."""
    seconds = _seconds(0.04, samplerate)
    knock = np.cos(2 * np.pi * 1_700 * seconds) + np.cos(2 * np.pi * 480 * seconds)
    return _finished(0.2 * knock * np.exp(-110 * seconds), samplerate)


def cowbell(samplerate: int) -> Sound:
    """Return two square waves that are out of tune."""
    seconds = _seconds(0.25, samplerate)
    bell = np.sign(np.cos(2 * np.pi * 540 * seconds)) + np.sign(np.cos(2 * np.pi * 800 * seconds))
    return _finished(0.12 * bell * np.exp(-14 * seconds), samplerate)


DRUMS: dict[str, Callable[[int], Sound]] = {
    "kick": kick,
    "snare": snare,
    "closed-hat": closed_hat,
    "open-hat": open_hat,
    "clap": clap,
    "tom": tom,
    "rim": rim,
    "cowbell": cowbell,
}
"""The drums by name, in the order of their pads."""


def make_sounds(folder: Path, samplerate: int) -> list[Path]:
    """Write the drums into a folder as WAV files of 32-bit floats. Return their paths, in the order of the pads."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, drum in DRUMS.items():
        path = folder / f"{name}.wav"
        soundfile.write(path, drum(samplerate), samplerate, subtype="FLOAT")
        paths.append(path)
    return paths


def _seconds(duration_s: float, samplerate: int) -> npt.NDArray[np.float64]:
    return np.arange(round(duration_s * samplerate)) / samplerate


def _noise(seconds: npt.NDArray[np.float64], seed: int) -> npt.NDArray[np.float64]:
    noise = np.random.default_rng(seed).uniform(-1, 1, seconds.size)
    noise[:1] = 1  # so that the first sample is heard
    return noise


def _bright(seconds: npt.NDArray[np.float64], seed: int) -> npt.NDArray[np.float64]:
    return np.diff(_noise(seconds, seed), prepend=0)


def _finished(sound: npt.NDArray[np.float64], samplerate: int) -> Sound:
    fade = np.linspace(1, 0, round(_FADE_S * samplerate))
    sound[-fade.size :] *= fade if sound.ndim == 1 else fade[:, np.newaxis]
    return sound.astype(np.float32)
