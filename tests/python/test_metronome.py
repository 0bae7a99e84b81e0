"""The metronome: rendered clicks are on their exact samples; live ones are confirmed by the audio thread."""

from __future__ import annotations

import json
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cueline
from cueline.commands.metronome import Metronome


def cueline_command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cueline", *arguments], capture_output=True, text=True, cwd=cwd, check=False, timeout=60
    )


def read(path: Path) -> Any:
    with wave.open(str(path)) as file:
        assert file.getsampwidth() == 2
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return samples.reshape(-1, file.getnchannels()) / (2**15 - 1)


def onsets(sound: Any) -> list[int]:
    """Return the frames at which sound begins after at least 5 ms of silence."""
    heard = np.flatnonzero(sound)
    return [int(frame) for frame in heard[np.diff(heard, prepend=-1000) > 240]]


@pytest.mark.parametrize(("bpm", "blocksize"), [("120", "128"), ("137", "1000"), ("3000", "64")])
def test_a_rendered_metronome_has_its_clicks_on_the_exact_samples(tmp_path: Path, bpm: str, blocksize: str) -> None:
    ran = cueline_command(
        *("tone", "--metronome", bpm, "--blocksize", blocksize, "--seconds", "3", "--wav", "m.wav"),
        *("--outputs", "1", "--gain", "0.5"),
        cwd=tmp_path,
    )
    assert ran.returncode == 0, ran.stderr
    sound = read(tmp_path / "m.wav")[:, 0]
    assert len(sound) == 3 * 48_000
    frames = [4_800 + round(beat * 60 * 48_000 / int(bpm)) for beat in range(1 + int(3 * int(bpm) / 60))]
    expected = [frame for frame in frames if frame < len(sound)]
    if bpm == "3000":  # a click begins where the last one ends: the level tells them apart
        assert [int(frame) for frame in np.flatnonzero(sound > 0.499)] == expected
    else:
        assert onsets(sound) == expected
    assert np.allclose(sound[expected], 0.5, atol=1e-4), "a click's first sample is its highest"
    assert f"{len(expected)} clicks exactly at their frame, 0 late" in ran.stdout


@settings(max_examples=40)
@given(frame=st.integers(0, 3000), blocksize=st.integers(1, 3000), pieces=st.lists(st.integers(1, 900), max_size=5))
def test_a_click_begins_on_its_frame_whatever_the_blocks(frame: int, blocksize: int, pieces: list[int]) -> None:
    engine = cueline.AudioEngine("offline", processor="tone", outputs=1, blocksize=blocksize)
    engine.parameters["gain"] = 0
    engine.send(cueline.SetTone(frequency_hz=440, gain=0))
    silence = np.concatenate([engine.render(piece)[:, 0] for piece in [1, *pieces]])
    at = len(silence) + frame
    engine.send(cueline.Click(gain=0.25), at=at)
    sound = engine.render(frame + 2_000)[:, 0]
    assert np.flatnonzero(sound)[0] == frame
    assert sound[frame] == np.float32(0.25)
    assert not sound[frame + 960 :].any(), "it lasts 20 ms"


def test_a_live_metronome_hears_that_all_clicks_were_on_time(tmp_path: Path) -> None:
    ran = cueline_command("tone", "--metronome", "600", "--device", "null", "--seconds", "1.5", "--json", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    account = json.loads(ran.stdout)
    assert account["metronome"]["bpm"] == 600
    assert account["metronome"]["on_time"] >= 1
    assert account["metronome"]["late"] == account["stats"]["cues"]["late"]
    assert account["peak"] > 0.1


def test_a_metronome_stopped_forgets_the_clicks_to_come() -> None:
    engine = cueline.AudioEngine("offline", processor="tone", outputs=1)
    engine.parameters["gain"] = 0
    metronome = Metronome(engine, 60, 0.5, 100)
    engine.render(1)
    metronome.stop()
    assert not engine.render(48_000)[2_000:].any()
    metronome.stop()
    assert (metronome.on_time, metronome.late) == (0, 0)
    assert engine.stats().cues.cancelled == 1


def test_a_metronome_that_comes_too_late_joins_in() -> None:
    engine = cueline.AudioEngine("offline", processor="tone", outputs=1)
    engine.render(48_000)
    metronome = Metronome(engine, 120, 0.5, 47_000)
    engine.render(30_000)
    metronome.stop()
    assert (metronome.on_time, metronome.late) == (1, 0)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--metronome", "0"), "must be from 1 to 3000 clicks a minute, got '0'"),
        (("--metronome", "nan"), "must be from 1 to 3000 clicks a minute, got 'nan'"),
        (("--wav", "x.wav", "--seconds", "0"), "--seconds must be more than 0 with --wav, got 0"),
        (("--wav", "x.wav", "--device", "null"), "--wav renders offline, but --device null plays"),
        (("--wav", "no/such/folder.wav"), "cannot write no/such/folder.wav: No such file or directory"),
    ],
)
def test_what_cannot_be_rendered_is_refused(tmp_path: Path, arguments: tuple[str, ...], text: str) -> None:
    ran = cueline_command("tone", *arguments, cwd=tmp_path)
    assert ran.returncode == 2
    assert text in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_refused_in_one_line(tmp_path: Path) -> None:
    ran = cueline_command("tone", "--wav", "no/such/folder.wav", cwd=tmp_path)
    assert ran.stderr == "cueline: cannot write no/such/folder.wav: No such file or directory\n"


def test_a_tone_can_be_rendered_too(tmp_path: Path) -> None:
    ran = cueline_command("tone", "--wav", "t.wav", "--seconds", "0.5", "--json", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["frames"] == 24_000
    sound = read(tmp_path / "t.wav")
    assert sound.shape == (24_000, 2)
    assert abs(sound[4_800:].max() - 0.2) < 1e-3
