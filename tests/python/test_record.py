"""The command ``cueline record``: on the null device with loopback, whose input is a tone, and as a program."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import cueline
from conftest import eventually, interrupted_at, shown_on_a_terminal
from cueline.commands import cli
from jack_server import JackServer

NULL = ("--device", "null", "--samplerate", "48000")


def record(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cueline", "record", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


class Hearing(cueline.AudioEngine):
    """Plays a tone, which comes back as the input."""

    def __init__(self, device: str, **options: Any) -> None:
        super().__init__(device, processor="tone", loopback=True, **options | {"outputs": 1})


def recorded(path: Path, capsys: pytest.CaptureFixture[str], seconds: str) -> tuple[int, dict[str, Any]]:
    """Record in this process, and return the exit status and the account."""
    status = cli.main(["record", str(path), *NULL, "--seconds", seconds, "--json"])
    output, errors = capsys.readouterr()
    assert errors == ""
    return status, json.loads(output)


@pytest.mark.parametrize(("ending", "subtype"), [("flac", "PCM_24"), ("wav", "PCM_24"), ("ogg", "VORBIS")])
def test_it_records_the_input_to_a_file_of_the_format_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ending: str, subtype: str
) -> None:
    monkeypatch.setattr("cueline.commands.record.AudioEngine", Hearing)
    file = tmp_path / f"take.{ending}"
    status, account = recorded(file, capsys, "0.5")
    assert (status, account["frames"], account["lost"], account["channels"]) == (0, 24_000, 0, 1)
    assert account["peak"] == pytest.approx(0.2, abs=0.001)
    assert account["rms"] == pytest.approx(0.2 / 2**0.5, abs=0.01)  # the tone begins softly
    assert (account["file"], account["samplerate"]) == (str(file), 48_000)
    written = soundfile.info(file)
    assert (written.frames, written.samplerate, written.channels, written.subtype) == (24_000, 48_000, 1, subtype)
    if subtype == "PCM_24":
        tone = soundfile.read(file)[0][4_800:]
        turn = 2 * np.cos(2 * np.pi * 440 / 48_000)
        np.testing.assert_allclose(tone[:-2] + tone[2:], turn * tone[1:-1], atol=1e-6, err_msg="it is one sine")


def test_lost_frames_are_counted_and_are_zeros_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Losing(Hearing):
        def open_recording(self, **options: Any) -> cueline.Recording:
            recording = super().open_recording(**options)
            if options:  # it is the one that is saved
                slow_until(lambda: recording.lost_frames > 0)
            return recording

    def slow_until(condition: Callable[[], bool]) -> None:
        write = soundfile.SoundFile.write

        def slow(*arguments: Any) -> None:
            assert eventually(condition)
            write(*arguments)

        monkeypatch.setattr(soundfile.SoundFile, "write", slow)

    monkeypatch.setattr("cueline.commands.record.AudioEngine", Losing)
    monkeypatch.setattr("cueline.commands.record._BUFFER_S", 0.05)
    status, account = recorded(tmp_path / "take.flac", capsys, "0.5")
    assert (status, account["frames"]) == (1, 24_000)
    samples = soundfile.read(tmp_path / "take.flac")[0]
    assert len(samples) == 24_000
    assert 0 < account["lost"] <= np.count_nonzero(samples == 0)


def test_a_disk_that_is_full_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(soundfile.SoundFile, "write", full)
    file = tmp_path / "take.flac"
    assert cli.main(["record", str(file), *NULL, "--json"]) == 2
    assert capsys.readouterr() == (
        "",
        f"cueline: cannot write '{file}' after 0 frames: No space left on device\n",
    )


def test_a_disk_without_room_for_the_end_of_an_ogg_file_is_said(tmp_path: Path) -> None:
    """The encoder writes most of so short a file when it is closed."""
    program = """
import resource, signal, sys
from cueline.commands.cli import command
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
sys.exit(command())
"""
    file = tmp_path / "take.ogg"
    done = subprocess.run(
        [sys.executable, "-c", program, "record", file, *NULL, "--seconds", "0.1"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert re.fullmatch(
        rf"cueline: cannot write '{re.escape(str(file))}' after \d+ frames: File too large\n", done.stderr
    )


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, the names of files are Unicode")
def test_a_name_may_have_any_bytes(tmp_path: Path) -> None:
    file = tmp_path / "take\udc80.wav"
    done = record(file, *NULL, "--seconds", "0.1")
    assert (done.returncode, done.stderr) == (0, "")
    played = subprocess.run(
        [sys.executable, "-m", "cueline", "play", file, *NULL], capture_output=True, text=True, timeout=60, check=False
    )
    assert (played.returncode, played.stderr) == (0, "")
    assert "4800 of 4800 frames" in played.stdout


def test_it_prints_its_level_line_by_line_and_a_summary(tmp_path: Path) -> None:
    done = record(tmp_path / "take.wav", *NULL, "--seconds", "2.5", "--inputs", "2")
    assert (done.returncode, done.stderr) == (0, "")
    first, silence, *levels, _, summary, ran = done.stdout.splitlines()
    assert first.startswith(f"RECORD {tmp_path / 'take.wav'}: null device, 48000 Hz, 2 inputs, 0 outputs")
    assert silence == "The null device has no sound card: it records silence."
    assert levels == [f"    {second}.0 s   rms  -inf dBFS   peak  -inf dBFS   0 frames lost" for second in (1, 2)], (
        "one a second"
    )
    assert summary == "2.5 s recorded, 120000 frames, 0 of them lost: rms -inf dBFS, peak -inf dBFS"
    assert "xruns" in ran
    assert soundfile.info(tmp_path / "take.wav").channels == 2


def test_ctrl_c_ends_it_with_a_whole_file(tmp_path: Path) -> None:
    file = tmp_path / "take.flac"
    status, output, errors = interrupted_at(
        "dBFS", sys.executable, "-u", "-m", "cueline", "record", file, "--device", "null"
    )
    assert (status, errors) == (0, "")
    samples, _ = soundfile.read(file)
    assert f" s recorded, {len(samples)} frames, 0 of them lost" in output
    assert len(samples) >= 48_000


def test_on_a_terminal_it_draws_a_bar(tmp_path: Path) -> None:
    status, output = shown_on_a_terminal(
        *(sys.executable, "-m", "cueline", "record", tmp_path / "take.flac", "--device", "null"),
        interrupt_after="▕",
        times=2,
    )
    assert status == 0
    assert b"0 frames lost" in output
    assert b" s recorded" in output


def test_a_file_is_whole_when_the_server_dies(tmp_path: Path) -> None:
    file = tmp_path / "take.wav"
    with (
        JackServer() as server,
        subprocess.Popen(
            [sys.executable, "-u", "-m", "cueline", "record", file],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        assert "jack device" in process.stdout.readline()
        assert "dBFS" in process.stdout.readline(), "it records"
        server.kill()
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert errors == "cueline: the JACK server is gone: start it again, and then the engine\n"
    assert len(soundfile.read(file)[0]) >= 48_000


def test_without_an_input_it_says_where_to_find_one_and_makes_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "cueline-test-nobody")
    done = record(tmp_path / "take.flac")
    assert (done.returncode, done.stdout) == (2, "")
    assert re.match("cueline: no device has inputs. jack: (no JACK server runs here|the library libjack)", done.stderr)
    assert done.stderr.endswith("`cueline devices` lists all; --device null records silence\n")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("inputs", ["0", "x", "3,0", ","])
def test_inputs_that_are_no_channels_are_refused_with_what_they_may_be(inputs: str) -> None:
    done = record("take.flac", *NULL, "--inputs", inputs)
    assert done.returncode == 2
    assert f"must be a number of channels, or channel numbers from 1 on, such as 3,4, got '{inputs}'" in done.stderr


@pytest.mark.parametrize(
    ("name", "options", "text"),
    [
        ("kept.flac", [], "kept.flac is there already: name another file, or remove it"),
        ("take.xyz", [], "path must end with the name of a format, got 'take.xyz': use one of .aiff, "),
        ("take", [], "path must end with the name of a format, got 'take': use one of .aiff, "),
        ("none/take.flac", [], "cannot write none/take.flac: No such file or directory"),
        ("take.mp3", ["--inputs", "8"], "soundfile does not write MP3 with 8 channels at 48000 Hz and subtype None: "),
        ("take.flac", ["--device", "offline"], "record needs a device with a clock, and 'offline' has none"),
    ],
)
def test_what_cannot_be_recorded_is_said_in_one_line(
    name: str, options: list[str], text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("kept.flac").write_text("kept")
    done = record(name, *NULL, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"cueline: {text}")
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["kept.flac"]
    assert Path("kept.flac").read_text() == "kept"
