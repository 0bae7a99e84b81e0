"""The tone processor from Python: the sound, what sets it, its level."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pytest

import cueline
from conftest import fill
from cueline import Status


@pytest.fixture
def tone() -> Iterator[cueline.AudioEngine]:
    with cueline.AudioEngine("offline", processor="tone") as engine:
        yield engine


def loudest_frequency(audio: npt.NDArray[np.float32], samplerate: int) -> float:
    spectrum = np.abs(np.fft.rfft(audio[:, 0] * np.hanning(len(audio))))
    return float(np.argmax(spectrum)) * samplerate / len(audio)


def level_of(engine: cueline.AudioEngine) -> cueline.Level:
    """Ask, and render the block that answers."""
    assert engine.get_level() is Status.OK
    engine.render(1)
    message = engine.receive(0)
    assert isinstance(message, cueline.Level)
    return message


def test_the_default_processor_is_silence() -> None:
    for processor in (None, "silence"):
        engine = cueline.AudioEngine("offline", processor=processor)
        assert engine.processor == "silence"
        assert not engine.render(1000).any()


def test_the_tone_sounds_on_all_channels() -> None:
    engine = cueline.AudioEngine("offline", processor="tone", channels=3)
    assert engine.processor == "tone"
    audio = engine.render(48_000)
    assert loudest_frequency(audio, 48_000) == 440
    assert np.abs(audio).max() == pytest.approx(0.2, rel=1e-3)
    assert (audio[:, 0:1] == audio).all()


def test_set_tone_sets_frequency_and_gain(tone: cueline.AudioEngine) -> None:
    assert tone.set_tone(frequency=1000, gain=0.5) is Status.OK
    assert loudest_frequency(tone.render(48_000), 48_000) == 1000
    tone.set_tone(frequency=2000.0)
    tone.render(960)
    audio = tone.render(48_000)
    assert loudest_frequency(audio, 48_000) == 2000
    assert np.abs(audio).max() == pytest.approx(0.5, rel=1e-2), "as it was"
    tone.set_tone(gain=0)
    tone.render(960)
    assert not tone.render(1000).any()
    assert tone.stats().unhandled == 0


def test_set_tone_takes_the_ends_of_its_ranges(tone: cueline.AudioEngine) -> None:
    assert tone.set_tone(frequency=24_000, gain=1) is Status.OK
    assert tone.set_tone(frequency=0, gain=0.0) is Status.OK
    assert tone.set_tone(frequency=np.float32(100)) is Status.OK


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "set_tone() needs a frequency, a gain, or both, got neither"),
        ({"frequency": 24_001}, "frequency must be from 0 to 24000 Hz, got 24001"),
        ({"frequency": -0.5}, "frequency must be from 0 to 24000 Hz, got -0.5"),
        ({"frequency": math.inf}, "frequency must be from 0 to 24000 Hz, got inf"),
        ({"frequency": math.nan, "gain": 1}, "frequency must be from 0 to 24000 Hz, got nan"),
        ({"gain": 1.01}, "gain must be from 0 to 1, got 1.01"),
        ({"gain": -1}, "gain must be from 0 to 1, got -1"),
        ({"gain": math.nan}, "gain must be from 0 to 1, got nan"),
    ],
)
def test_set_tone_refuses_what_is_out_of_range(
    tone: cueline.AudioEngine, arguments: dict[str, float], text: str
) -> None:
    with pytest.raises(cueline.ArgumentError) as caught:
        tone.set_tone(**arguments)
    assert str(caught.value) == text
    assert tone.stats().commands.sent == 0


@pytest.mark.parametrize("value", ["loud", True, 1j, [1]])
def test_set_tone_refuses_what_is_no_number(tone: cueline.AudioEngine, value: object) -> None:
    with pytest.raises(cueline.ArgumentTypeError, match="gain must be a number, got "):
        tone.set_tone(gain=value)  # type: ignore[arg-type]


def test_levels_tell_how_loud_it_was(tone: cueline.AudioEngine) -> None:
    tone.render(960)
    level_of(tone)
    tone.render(47_999)
    level = level_of(tone)
    assert level.peak == pytest.approx(0.2, rel=1e-3)
    assert level.rms == pytest.approx(0.2 / math.sqrt(2), rel=1e-3)
    assert level.frame == 960 + 1 + 47_999
    assert level.sequence == 2


def test_a_level_covers_the_frames_since_the_one_before(tone: cueline.AudioEngine) -> None:
    tone.get_level()
    audio = tone.render(500)
    tone.get_level()
    tone.render(1)
    before, level = tone.messages()
    assert isinstance(before, cueline.Level)
    assert isinstance(level, cueline.Level)
    assert (before.frame, before.peak, before.rms) == (0, 0, 0)
    assert level.frame == 500
    assert level.peak == np.abs(audio).max()
    assert level.rms == pytest.approx(np.sqrt(np.mean(np.square(audio, dtype=np.float64))))


def test_a_level_and_a_pong_can_be_told_apart(tone: cueline.AudioEngine) -> None:
    tone.ping()
    tone.get_level()
    tone.render(1)
    assert [type(message) for message in tone.messages()] == [cueline.Pong, cueline.Level]


def test_the_tone_runs_on_the_null_device() -> None:
    with cueline.AudioEngine("null", processor="tone") as engine:
        engine.set_tone(gain=1)
        while True:
            engine.get_level()
            level = engine.receive(10)
            assert isinstance(level, cueline.Level)
            if level.peak > 0.99:
                break


CALLS: list[Callable[[cueline.AudioEngine], Status]] = [
    lambda engine: engine.set_tone(gain=1),
    lambda engine: engine.get_level(),
]


@pytest.mark.parametrize("call", CALLS)
def test_a_full_ring_refuses(tone: cueline.AudioEngine, call: Callable[[cueline.AudioEngine], Status]) -> None:
    fill(tone)
    dropped = tone.stats().commands.dropped
    assert call(tone) is Status.FULL
    assert tone.stats().commands.dropped == dropped + 1


@pytest.mark.parametrize(("call", "name"), [(CALLS[0], "set_tone"), (CALLS[1], "get_level")])
def test_another_processor_says_which_one_is_needed(
    offline: cueline.AudioEngine, call: Callable[[cueline.AudioEngine], Status], name: str
) -> None:
    with pytest.raises(cueline.ProcessorError) as caught:
        call(offline)
    assert str(caught.value) == (
        f"{name}() needs the tone processor, and this engine's is 'silence': use AudioEngine(processor='tone')"
    )
    assert offline.stats().commands.sent == 0


@pytest.mark.parametrize("call", CALLS)
def test_a_closed_engine_says_so(tone: cueline.AudioEngine, call: Callable[[cueline.AudioEngine], Status]) -> None:
    tone.close()
    with pytest.raises(cueline.ClosedError):
        call(tone)
