"""The command ``cueline play``: a sound file, on the null device."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from conftest import interrupted_at
from jack_server import JackServer


def play(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cueline", "play", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def bell(tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "bell.flac", np.full(8_000, 0.5), 16_000)
    return tmp_path / "bell.flac"


def test_it_plays_a_file_to_its_end_at_the_rate_of_the_device(bell: Path) -> None:
    done = play(bell, "--device", "null", "--samplerate", "48000", "--gain", "0.5")
    assert (done.returncode, done.stderr) == (0, "")
    first, *_, played, ran = done.stdout.splitlines()
    assert first.startswith(f"PLAY {bell}, 0.5 s of 1 channel, at a gain of 0.5: null device, 48000 Hz")
    assert played == "0.5 s played, 24000 of 24000 frames"
    assert "xruns" in ran


def test_json_has_the_whole_account(bell: Path) -> None:
    account = json.loads(play(bell, "--device", "null", "--samplerate", "48000", "--json").stdout)
    assert (account["file"], account["frames"], account["channels"]) == (str(bell), 24_000, 1)
    assert (account["played"], account["gain"]) == (24_000, 1)
    assert account["stats"]["buffers"]["published"] == 1


def test_ctrl_c_fades_out_and_prints_how_far_it_played(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "long.wav", np.zeros((48_000 * 600, 1), np.int16), 48_000, subtype="PCM_U8")
    status, output, errors = interrupted_at(
        "PLAY", sys.executable, "-u", "-m", "cueline", "play", str(tmp_path / "long.wav"), "--device", "null"
    )
    assert (status, errors) == (0, "")
    assert " of 28800000 frames\n" in output


def test_it_says_that_the_server_died(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "long.wav", np.zeros((48_000 * 600, 1), np.int16), 48_000, subtype="PCM_U8")
    with (
        JackServer() as server,
        subprocess.Popen(
            [sys.executable, "-u", "-m", "cueline", "play", tmp_path / "long.wav"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        assert "jack device" in process.stdout.readline()
        server.kill()
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert errors == "cueline: the JACK server is gone: start it again, and then the engine\n"


def test_it_says_which_channels_are_left_out(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "surround.wav", np.zeros((480, 6)), 48_000)
    assert "plays 2 of its 6 channels: --outputs 6 plays all" in play(tmp_path / "surround.wav", "-d", "null").stdout
    assert "of its 6" not in play(tmp_path / "surround.wav", "-d", "null", "--outputs", "6").stdout


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["none.wav"], "cannot read none.wav: No such file or directory"),
        (["tone"], "cannot read tone: No such file or directory: `cueline tone` plays a test tone"),
        ([__file__], f"'{__file__}' is not a sound file that can be read: "),
        ([__file__, "--gain", "5"], "gain must be from 0 to 4, got 5"),
        ([__file__, "--device", "offline"], "play needs a device with a clock, and 'offline' has none"),
    ],
)
def test_what_cannot_be_played_is_said_in_one_line(arguments: list[str], text: str) -> None:
    done = play(*arguments, *(() if "offline" in arguments else ("--device", "null")))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"cueline: {text}")
    assert done.stderr.count("\n") == 1
