"""Rendered offline, each hit sounds from its very frame on, whatever the tempo and the block size."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import Sound, drums, expected, load_drums

from sampler import Hit, PadEnded, Pattern, Player, Reason, Sampler
from sampler.drums import DRUMS
from sampler.pattern import HOUSE, frame_of
from sampler.player import render

TEMPI = [120, 97.3, 133.33, 174, 61.7]
BLOCKSIZES = [16, 100, 128, 1024, 4096]


def hits_of(player: Player, pattern: Pattern, bars: int) -> list[tuple[int, Hit]]:
    return [(player.frame_of(hit.step), hit) for hit in pattern.hits(bars * 16)]


@pytest.mark.parametrize("blocksize", BLOCKSIZES)
@pytest.mark.parametrize("bpm", TEMPI)
def test_an_impulse_on_each_hit_is_on_the_exact_sample(tmp_path: Path, bpm: float, blocksize: int) -> None:
    pattern = Pattern("kick x-o-xx--ooX-x-xx", ["kick"])
    with Sampler("offline", blocksize=blocksize) as sampler:
        sampler.load(0, np.ones(1, np.float32))
        player = Player(sampler, pattern, bpm=bpm, bars=3)
        render(sampler, player, tmp_path / "out.wav")
    audio, samplerate = soundfile.read(tmp_path / "out.wav", dtype="float32")
    steps = [step for step in range(48) if "x-o-xx--ooX-x-xx"[step % 16] != "-"]
    assert np.flatnonzero(audio[:, 0]).tolist() == [
        round(Fraction(step * 15 * samplerate) / Fraction(bpm)) for step in steps
    ]
    assert np.array_equal(audio[:, 0], audio[:, 1])


@pytest.mark.parametrize("blocksize", [37, 512])
@pytest.mark.parametrize("bpm", [120, 133.33])
def test_the_whole_beat_is_what_its_drums_and_frames_say(tmp_path: Path, bpm: float, blocksize: int) -> None:
    pattern = Pattern(HOUSE, list(DRUMS))
    with Sampler("offline", blocksize=blocksize) as sampler:
        sounds = load_drums(sampler)
        player = Player(sampler, pattern, bpm=bpm, swing=0.25, bars=2)
        frames = render(sampler, player, tmp_path / "out.wav")
    audio: Sound = soundfile.read(tmp_path / "out.wav", dtype="float32")[0]
    assert audio.shape == (frames, 2)
    hits = hits_of(player, pattern, 2)
    assert len(hits) == player.sent
    np.testing.assert_allclose(audio, expected(sounds, hits, frames), atol=2e-6)
    for late in range(len(hits)):  # the check would see any of them a frame late
        moved = [(frame + (number == late), hit) for number, (frame, hit) in enumerate(hits)]
        assert np.abs(audio - expected(sounds, moved, frames)).max() > 0.01


def test_the_command_renders_the_same(tmp_path: Path) -> None:
    path = tmp_path / "beat.wav"
    command = [
        sys.executable,
        "-m",
        "sampler",
        "render",
        str(path),
        "--bars",
        "1",
        "--bpm",
        "111",
        "--blocksize",
        "200",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "0 late and left out" in done.stdout
    audio, samplerate = soundfile.read(path, dtype="float32")
    hits = [(frame_of(hit.step, 111, 48_000), hit) for hit in Pattern(HOUSE, list(DRUMS)).hits(16)]
    assert samplerate == 48_000
    np.testing.assert_allclose(audio, expected(drums(), hits, len(audio)), atol=2e-6)


def test_each_pad_tells_where_it_ended(tmp_path: Path) -> None:
    pattern = Pattern("rim x---x---\nkick ----x---", list(DRUMS))
    with Sampler("offline") as sampler:
        sounds = load_drums(sampler)
        player = Player(sampler, pattern, bpm=120, bars=1)
        render(sampler, player, tmp_path / "out.wav")
    ended = {(told.pad, told.frame) for told in player.ended}
    assert all(isinstance(told, PadEnded) and told.reason is Reason.PLAYED for told in player.ended)
    rim, kick = len(sounds[6]), len(sounds[0])
    assert ended == {(6, step * 6_000 + rim) for step in (0, 4, 8, 12)} | {(0, step * 6_000 + kick) for step in (4, 12)}


def test_a_pad_that_goes_round_ends_with_the_file(tmp_path: Path) -> None:
    with Sampler("offline") as sampler:
        load_drums(sampler)
        sampler.loop(0)
        player = Player(sampler, Pattern("kick x---------------", list(DRUMS)), bpm=200, bars=2)
        frames = render(sampler, player, tmp_path / "out.wav")
    assert player.end_frame is not None
    assert player.end_frame < frames < player.end_frame + 2 * 48_000
    assert player.ended[-1].reason is Reason.STOPPED
    audio = soundfile.read(tmp_path / "out.wav", dtype="float32")[0]
    assert not audio[-480:].any()
