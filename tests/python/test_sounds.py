"""cueline.sounds: each sound is bounded, begins at once, fades to 0, and is the same each time."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

import cueline

if TYPE_CHECKING:
    from collections.abc import Callable

    Sound = Callable[[int], np.ndarray[tuple[int], np.dtype[np.float32]]]

SOUNDS = {
    cueline.sounds.kick: (0.4, 0.9),
    cueline.sounds.snare: (0.25, 0.9),
    cueline.sounds.hat: (0.08, 0.6),
    cueline.sounds.click: (0.03, 0.8),
}


@pytest.mark.parametrize("rate", [1_000, 8_000, 44_100, 48_000, 192_000, 768_000])
@pytest.mark.parametrize("sound", SOUNDS)
def test_a_sound_lasts_as_long_and_is_as_loud_as_it_says(sound: Sound, rate: int) -> None:
    lasts, peak = SOUNDS[sound]
    samples = sound(rate)
    assert samples.dtype == np.float32
    assert samples.shape == (round(lasts * rate),)
    assert np.isfinite(samples).all()
    assert peak / 4 < np.abs(samples).max() <= np.float32(peak)
    assert samples[-1] == 0
    early = samples[: max(2, len(samples) // 2)]
    assert np.abs(early).max() == np.abs(samples).max(), "the attack comes first"


@pytest.mark.parametrize("sound", SOUNDS)
def test_a_sound_is_the_same_each_time_and_a_new_array(sound: Sound) -> None:
    first = sound(48_000)
    kept = first.copy()
    first[:] = 7
    assert (sound(48_000) == kept).all()


def test_a_click_begins_with_its_peak() -> None:
    assert cueline.sounds.click(48_000)[0] == np.float32(0.8)


def test_noise_has_no_pitch_and_no_offset() -> None:
    noise = cueline.sounds._noise(48_000, 1)
    assert abs(noise.mean()) < 0.02
    assert abs(noise.std() - 3**-0.5) < 0.01
    for lag in (1, 2, 3, 64, 1_000):
        assert abs((noise[lag:] * noise[:-lag]).mean()) < 0.02
    assert abs((noise * cueline.sounds._noise(48_000, 2)).mean()) < 0.02


@pytest.mark.parametrize("sound", SOUNDS)
def test_a_sample_rate_that_no_engine_has_is_refused(sound: Callable[[object], object]) -> None:
    for rate in (0, -1, 999, 768_001):
        with pytest.raises(cueline.ArgumentError, match=f"samplerate must be from 1000 to 768000 Hz, got {rate}"):
            sound(rate)
    with pytest.raises(cueline.ArgumentTypeError, match="samplerate"):
        sound(48_000.5)


def test_sounds_are_there_after_a_plain_import_that_takes_no_numpy() -> None:
    program = "import sys, cueline; assert 'numpy' not in sys.modules; print(len(cueline.sounds.kick(48_000)))"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert told.stdout == "19200\n"
    assert "sounds" in dir(cueline)
    assert "sounds" in cueline.__all__
