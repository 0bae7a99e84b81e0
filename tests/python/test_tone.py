"""The tone processor from Python: its sound, its parameters, its level."""

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
    """Request the level, and render the block that answers."""
    assert engine.send(cueline.GetLevel()) is Status.OK
    engine.render(1)
    message = engine.receive(timeout=0)
    assert isinstance(message, cueline.Level)
    return message


def test_the_default_processor_is_a_player_which_is_silent_until_asked() -> None:
    for processor, name in ((None, "player"), ("player", "player"), ("silence", "silence")):
        engine = cueline.AudioEngine("offline", processor=processor)
        assert engine.processor == name
        assert not engine.render(1000).any()
    with cueline.AudioEngine("offline") as engine:
        engine.play([0.5, 0.25])
        assert engine.render(3).tolist() == [[0.5, 0.5], [0.25, 0.25], [0, 0]]


def test_the_tone_sounds_on_all_channels() -> None:
    engine = cueline.AudioEngine("offline", processor="tone", outputs=3)
    assert engine.processor == "tone"
    audio = engine.render(48_000)
    assert loudest_frequency(audio, 48_000) == 440
    assert np.abs(audio).max() == pytest.approx(0.2, rel=1e-3)
    assert (audio[:, 0:1] == audio).all()


def set_tone(engine: cueline.AudioEngine, frequency: float = math.nan, gain: float = math.nan) -> Status:
    return engine.send(cueline.SetTone(frequency_hz=frequency, gain=gain))


def test_a_message_sets_frequency_and_gain(tone: cueline.AudioEngine) -> None:
    assert set_tone(tone, frequency=1000, gain=0.5) is Status.OK
    assert loudest_frequency(tone.render(48_000), 48_000) == 1000
    set_tone(tone, frequency=2000)
    tone.render(960)
    audio = tone.render(48_000)
    assert loudest_frequency(audio, 48_000) == 2000
    assert np.abs(audio).max() == pytest.approx(0.5, rel=1e-2), "as it was"
    set_tone(tone, gain=0)
    tone.render(960)
    assert not tone.render(1000).any()
    assert tone.stats().unhandled == 0


def test_parameters_set_frequency_and_gain(tone: cueline.AudioEngine) -> None:
    tone.parameters.update(frequency=1000, gain=0.5)
    assert loudest_frequency(tone.render(48_000), 48_000) == 1000
    tone.parameters["frequency"] = 2000
    tone.render(960)
    audio = tone.render(48_000)
    assert loudest_frequency(audio, 48_000) == 2000
    assert np.abs(audio).max() == pytest.approx(0.5, rel=1e-2), "as it was"
    tone.parameters["gain"] = 0
    tone.render(960)
    assert not tone.render(1000).any()
    assert tone.stats().commands.sent == 0


def test_a_tone_set_for_a_frame_is_the_old_one_up_to_it(tone: cueline.AudioEngine) -> None:
    with cueline.AudioEngine("offline", processor="tone") as undisturbed:
        expected = undisturbed.render(4000)
    tone.send(cueline.SetTone(frequency_hz=math.nan, gain=1), at=2345)
    audio = tone.render(4000)
    assert (audio[:2345] == expected[:2345]).all()
    assert (audio[2345:2400] != expected[2345:2400]).any()


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
    tone.send(cueline.GetLevel())
    audio = tone.render(500)
    tone.send(cueline.GetLevel())
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
    tone.send(cueline.GetLevel())
    tone.render(1)
    assert [type(message) for message in tone.messages()] == [cueline.Pong, cueline.Level]


def test_the_tone_runs_on_the_null_device() -> None:
    with cueline.AudioEngine("null", processor="tone") as engine:
        engine.parameters["gain"] = 1
        while True:
            engine.send(cueline.GetLevel())
            level = engine.receive(timeout=10)
            assert isinstance(level, cueline.Level)
            if level.peak > 0.99:
                break


CALLS: list[Callable[[cueline.AudioEngine], Status]] = [
    lambda engine: set_tone(engine, gain=1),
    lambda engine: engine.send(cueline.GetLevel()),
]


@pytest.mark.parametrize("call", CALLS)
def test_a_full_ring_refuses(tone: cueline.AudioEngine, call: Callable[[cueline.AudioEngine], Status]) -> None:
    fill(tone)
    dropped = tone.stats().commands.dropped
    assert call(tone) is Status.FULL
    assert tone.stats().commands.dropped == dropped + 1


@pytest.mark.parametrize("call", CALLS)
def test_another_processor_refuses_them_at_once_and_says_which_takes_them(
    offline: cueline.AudioEngine, call: Callable[[cueline.AudioEngine], Status]
) -> None:
    with pytest.raises(cueline.ProcessorError, match=r"'player' handles .*, not .*: use .*processor='tone'"):
        call(offline)
    assert offline.stats().commands.sent == 0


@pytest.mark.parametrize("call", CALLS)
def test_a_closed_engine_says_so(tone: cueline.AudioEngine, call: Callable[[cueline.AudioEngine], Status]) -> None:
    tone.close()
    with pytest.raises(cueline.ClosedError):
        call(tone)
