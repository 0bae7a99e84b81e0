"""cueline.sounds: a kick, a snare, a hat and a click, computed with NumPy, so that a first program needs no file.

Each function takes a sample rate in frames a second (1000 to 768000) and returns a new float32 array of shape
(frames,): one channel, full scale -1 to 1. The same rate gives the same samples each time. The first samples are the
attack, and the last ones fade to 0. Raises ArgumentError, ArgumentTypeError.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cueline.samples import checked_samplerate

if TYPE_CHECKING:
    from typing import SupportsIndex

    import numpy.typing as npt

    Floats = npt.NDArray[np.floating[Any]]

__all__ = ["click", "hat", "kick", "snare"]

_FADE_S = 0.005  # at the end of each sound


def kick(samplerate: SupportsIndex) -> npt.NDArray[np.float32]:
    """Return a bass drum of 0.4 seconds: a sine that falls from 180 Hz to 45 Hz, with a peak below 0.9."""
    seconds = _seconds(samplerate, 0.4)
    fall_s = 0.03
    cycles = 45 * seconds + 135 * fall_s * (1 - np.exp(-seconds / fall_s))
    return _finished(0.9 * np.sin(2 * np.pi * cycles) * np.exp(-seconds / 0.12), seconds)


def snare(samplerate: SupportsIndex) -> npt.NDArray[np.float32]:
    """Return a snare drum of 0.25 seconds: noise over two tones, 185 Hz and 330 Hz, with a peak below 0.9."""
    seconds = _seconds(samplerate, 0.25)
    skin = np.sin(2 * np.pi * 185 * seconds) + 0.5 * np.sin(2 * np.pi * 330 * seconds)
    wires = _noise(len(seconds), 1)
    sound = 0.25 * skin * np.exp(-seconds / 0.05) + 0.5 * wires * np.exp(-seconds / 0.08)
    return _finished(sound, seconds)


def hat(samplerate: SupportsIndex) -> npt.NDArray[np.float32]:
    """Return a closed hi-hat of 0.08 seconds: noise without its low frequencies, with a peak of at most 0.6."""
    seconds = _seconds(samplerate, 0.08)
    noise = _noise(len(seconds) + 2, 2)
    bright = (2 * noise[1:-1] - noise[:-2] - noise[2:]) / 4  # its second difference: 12 dB an octave
    return _finished(0.6 * bright * np.exp(-seconds / 0.02), seconds)


def click(samplerate: SupportsIndex) -> npt.NDArray[np.float32]:
    """Return a metronome's click of 0.03 seconds: a tone of 1500 Hz whose first sample is its peak, 0.8.

    Below 3000 frames a second the tone has half the sample rate at most.
    """
    seconds = _seconds(samplerate, 0.03)
    frequency = min(1500.0, checked_samplerate("samplerate", samplerate) / 2)
    return _finished(0.8 * np.cos(2 * np.pi * frequency * seconds) * np.exp(-seconds / 0.006), seconds)


def _seconds(samplerate: SupportsIndex, lasts: float) -> Floats:
    """Return the time of each frame of a sound that lasts so many seconds."""
    rate = checked_samplerate("samplerate", samplerate)
    return np.arange(round(lasts * rate)) / rate


def _finished(sound: Floats, seconds: Floats) -> npt.NDArray[np.float32]:
    """Return ``sound`` with a fade to 0 at its end."""
    until_end = seconds[-1] - seconds
    finished: npt.NDArray[np.float32] = (sound * np.minimum(1, until_end / _FADE_S)).astype(np.float32)
    return finished


def _noise(frames: int, seed: int) -> Floats:
    """Return white noise from -1 to 1, by the mixing function of SplitMix64.

    NumPy's own generators may give other numbers in another version.
    """
    bits = (np.arange(1, frames + 1, dtype=np.uint64) + np.uint64(seed << 32)) * np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)
    noise: Floats = bits.astype(np.float64) / 2.0**63 - 1
    return noise
