"""Pads from Python: sounds, gains and pans, meters, events; and what is refused, in which words."""

from __future__ import annotations

import math
from pathlib import Path

import cueline
import numpy as np
import pytest
import soundfile

from sampler import PADS, LoopPad, PadEnded, Reason, Sampler, SoundError, Trigger
from sampler.drums import DRUMS, make_sounds

ONES = np.ones(48_000, np.float32)


def ends_of(sampler: Sampler) -> list[tuple[int, Reason, int, int]]:
    return [
        (told.pad, told.reason, told.frame, told.sequence)
        for told in sampler.engine.messages()
        if isinstance(told, PadEnded)
    ]


def test_a_file_sounds_as_it_is(sampler: Sampler, tmp_path: Path) -> None:
    sound = np.random.default_rng(7).uniform(-0.5, 0.5, (100, 2)).astype(np.float32)
    soundfile.write(tmp_path / "noise.wav", sound, 48_000, subtype="FLOAT")
    sampler.load(5, tmp_path / "noise.wav")
    sampler.trigger(5, at=33)
    audio = sampler.engine.render(200)
    assert np.array_equal(audio[33:133], sound)
    assert not audio[:33].any()
    assert not audio[133:].any()
    loaded = sampler.loaded[5]
    assert loaded is not None
    assert loaded == ("noise", 100)


def test_files_of_16_and_24_bits_and_flac_are_read(sampler: Sampler, tmp_path: Path) -> None:
    for name, subtype in (("a.wav", "PCM_16"), ("b.wav", "PCM_24"), ("c.flac", "PCM_16")):
        soundfile.write(tmp_path / name, np.full(10, 0.5), 48_000, subtype=subtype)
        sampler.load(0, tmp_path / name)
        sampler.trigger(0)
        assert np.allclose(sampler.engine.render(64)[:10], 0.5, atol=1e-4)


def test_each_trigger_is_answered_with_why_its_pad_ended(sampler: Sampler) -> None:
    sampler.load(0, ONES)  # command 1
    sampler.trigger(0)  # 2
    sampler.engine.render(100)
    sampler.trigger(0)  # 3
    sampler.engine.render(100)
    sampler.stop(0)  # 4
    sampler.trigger(7)  # 5: an empty pad
    sampler.engine.render(100)
    assert sampler.engine.last_sequence == 5
    assert ends_of(sampler) == [
        (0, Reason.TRIGGERED, 100, 2),
        (0, Reason.STOPPED, 200, 3),
        (7, Reason.EMPTY, 200, 5),
    ]


def test_a_loop_goes_round_until_it_is_told_not_to(sampler: Sampler) -> None:
    sound = np.linspace(0.1, 0.9, 30).astype(np.float32)
    sampler.load(1, sound)
    sampler.loop(1)
    sampler.trigger(1)
    assert np.array_equal(sampler.engine.render(300)[:, 0], np.tile(sound, 10))
    sampler.loop(1, False)
    assert np.array_equal(sampler.engine.render(60)[:, 0], np.append(sound, np.zeros(30)))
    assert ends_of(sampler) == [(1, Reason.PLAYED, 330, 3)]


def test_gain_pan_and_master_are_parameters(sampler: Sampler) -> None:
    names = [f"gain {pad}" for pad in range(PADS)] + [f"pan {pad}" for pad in range(PADS)] + ["master"]
    assert list(sampler.engine.parameters) == names
    sampler.load(2, ONES)
    sampler.set_gain(2, 0.5)
    sampler.set_pan(2, 1)
    sampler.trigger(2)
    first = sampler.engine.render(10)
    assert np.allclose(first, [0, 0.5 * math.sqrt(2)])  # those of a silent pad are there at once
    sampler.set_pan(2, -1)
    sampler.set_master(0.5)
    audio = sampler.engine.render(2_000)
    assert np.abs(np.diff(audio, axis=0)).max() < 0.01  # those of another glide
    assert np.allclose(audio[-1], [0.25 * math.sqrt(2), 0])
    with pytest.raises(cueline.ArgumentError, match="gain 2 must be from 0 to 1"):
        sampler.set_gain(2, 1.5)


def test_level_and_playhead_are_meters(sampler: Sampler) -> None:
    sampler.load(3, ONES)
    sampler.trigger(3, 0.5)
    sampler.engine.render(24_000)
    assert sampler.level(3) == (0.5, 0.5)
    assert sampler.engine.meters["master"] == (0.5, 0.5)
    assert sampler.level(4) == (0, 0)
    sampler.engine.render(48_000)
    assert sampler.level(3) == (0, 0)


def test_stop_all_stops_all_at_one_frame(sampler: Sampler) -> None:
    for pad in range(PADS):
        sampler.load(pad, ONES)
        sampler.trigger(pad)
    sampler.stop_all(at=1_000)
    audio = sampler.engine.render(2_000)
    assert {(reason, frame) for _, reason, frame, _ in ends_of(sampler)} == {(Reason.STOPPED, 1_000)}
    assert audio[999, 0] == 8
    assert not audio[1_240:].any()


def test_an_unloaded_pad_is_empty(sampler: Sampler) -> None:
    sampler.load(0, ONES)
    sampler.trigger(0)
    sampler.engine.render(64)
    sampler.unload(0)
    assert sampler.loaded[0] is None
    assert not sampler.engine.render(480)[240:].any()
    assert ends_of(sampler) == [(0, Reason.EMPTY, 64, 2)]


def test_nonsense_from_elsewhere_is_refused_on_the_audio_thread_and_counted(sampler: Sampler) -> None:
    for message in (
        Trigger(pad=200),
        Trigger(pad=0, velocity=math.nan),
        Trigger(pad=0, velocity=-1.0),
        LoopPad(pad=8, loops=1),
        cueline.Message(257, b"\xff" * 40),
        PadEnded(pad=0, reason=Reason.PLAYED),
    ):
        sampler.engine.send(message)
    assert not sampler.engine.render(64).any()
    assert sampler.engine.stats().unhandled == 6


@pytest.mark.parametrize("pad", [-1, 8])
def test_a_pad_that_there_is_not_is_refused(sampler: Sampler, pad: int) -> None:
    for call in (
        lambda: sampler.load(pad, ONES),
        lambda: sampler.trigger(pad),
        lambda: sampler.stop(pad),
        lambda: sampler.loop(pad),
        lambda: sampler.set_gain(pad, 0.5),
        lambda: sampler.set_pan(pad, 0.5),
        lambda: sampler.level(pad),
        lambda: sampler.unload(pad),
    ):
        with pytest.raises(ValueError, match=f"pad must be from 0 to 7, got {pad}"):
            call()


@pytest.mark.parametrize("velocity", [-0.1, 1.1, math.nan])
def test_a_velocity_out_of_range_is_refused(sampler: Sampler, velocity: float) -> None:
    with pytest.raises(ValueError, match="velocity must be from 0 to 1, got"):
        sampler.trigger(0, velocity)


def test_files_that_cannot_be_had_are_refused_with_the_way_out(sampler: Sampler, tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no sound")
    (tmp_path / "cut.wav").write_bytes(b"RIFF")
    soundfile.write(tmp_path / "slow.wav", ONES[:100], 44_100)
    soundfile.write(tmp_path / "wide.wav", np.zeros((100, 3)), 48_000)
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 48_000)
    soundfile.write(tmp_path / "nan.wav", np.full(10, np.nan), 48_000, subtype="FLOAT")
    for name, words in (
        ("none.wav", "there is no such file"),
        (".", "not a sound file that can be read"),
        ("text.wav", "not a sound file that can be read"),
        ("cut.wav", "not a sound file that can be read"),
        ("slow.wav", "has 44100 frames per second, and the engine 48000: convert it .*samplerate=44100"),
        ("wide.wav", "has 3 channels, and a pad plays one or two"),
        ("empty.wav", "no sound in it"),
        ("nan.wav", "NaN or infinite samples"),
    ):
        with pytest.raises(SoundError, match=words):
            sampler.load(0, tmp_path / name)
    with pytest.raises(SoundError, match="3 channels"):
        sampler.load(0, np.zeros((100, 3), np.float32))
    assert sampler.loaded == [None] * PADS
    assert sampler.engine.stats().buffers.published == 0


def test_an_engine_at_the_files_rate_takes_it(tmp_path: Path) -> None:
    paths = make_sounds(tmp_path, 44_100)
    assert [path.stem for path in paths] == list(DRUMS)
    with Sampler("offline", samplerate=44_100) as sampler:
        for pad, path in enumerate(paths):
            sampler.load(pad, path)
            sampler.trigger(pad, at=441 * pad)
        audio = sampler.engine.render(44_100)
    assert np.abs(audio).max() > 0.3


def test_a_pad_for_which_there_is_no_room_says_so(sampler: Sampler) -> None:
    while sampler.engine.ping() is cueline.Status.OK:
        pass
    with pytest.raises(cueline.Full, match="no room to load pad 0 for 1 s: is the audio running"):
        sampler.load(0, ONES)
    assert sampler.loaded[0] is None
    assert sampler.engine.stats().commands.dropped > 0  # the last ping's: who looks at it gets no warning
