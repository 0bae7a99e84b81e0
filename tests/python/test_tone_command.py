"""The command ``cueline tone``, and its level meter."""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import sys
import wave
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile

import cueline
from conftest import interrupted_at, shown_on_a_terminal
from cueline.commands import cli
from cueline.commands.console import PlainConsole
from cueline.commands.level_display import Heard, LiveMeter, bar, dbfs
from cueline.commands.wav import WavFile
from cueline.typed import unpickled
from jack_server import JackServer


def tone(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cueline", "tone", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_plays_and_prints_its_level_line_by_line() -> None:
    done = tone("--device", "null", "--seconds", "2.5", "--gain", "0.2")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == (
        "TONE 440 Hz at a gain of 0.2: null device, 48000 Hz, 2 outputs, blocks of 128 frames (2.667 ms)"
    )
    levels = [line for line in lines if "rms -17.0 dBFS   peak -14.0 dBFS" in line]
    assert len(levels) >= 2, "one a second"
    assert any(line.endswith("s played: rms -17.0 dBFS, peak -14.0 dBFS") for line in lines)
    assert "\x1b" not in done.stdout


def test_json_has_the_whole_account() -> None:
    done = tone("--device", "null", "--seconds", "0.5", "--gain", "0.5", "--frequency", "1000", "--json")
    account = json.loads(done.stdout)
    assert account["peak"] == pytest.approx(0.5, abs=0.001)
    assert account["rms"] == pytest.approx(0.5 / 2**0.5, abs=0.005)
    assert account["frequency"] == 1000
    assert 0.4 < account["seconds"] < 30
    assert account["stats"]["device"] == "null"


WAV = [sys.executable, "-m", "cueline", "tone", "--seconds", "1.25", "--wav"]


def frames_of(sound: bytes) -> int:
    """Return the frames of a WAV file. Its header must count exactly the bytes that follow."""
    with wave.open(io.BytesIO(sound)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 48_000)
        assert struct.unpack("<I", sound[4:8]) == (len(sound) - 8,)
        assert len(file.readframes(10**9)) == 4 * file.getnframes() == len(sound) - 44
        return file.getnframes()


@pytest.mark.parametrize("file", ["-", "/dev/stdout"])
def test_a_wav_file_goes_through_a_pipe_and_nothing_else_does(file: str) -> None:
    done = subprocess.run([*WAV, file, "--metronome", "120"], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert frames_of(done.stdout) == 60_000
    assert b"stdout: 60000 frames of 120 clicks a minute, 2 outputs at 48000 Hz\n" in done.stderr
    assert not Path("-").exists()


def test_a_wav_file_goes_into_a_fifo(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with subprocess.Popen([*WAV, fifo], stdout=subprocess.PIPE) as process:
        assert frames_of(fifo.read_bytes()) == 60_000
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"60000 frames" in said


def test_a_wav_file_and_json_do_not_share_stdout() -> None:
    done = tone("--wav", "-", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == ("cueline: --json prints to stdout, where --wav writes the samples: leave one of them out\n")


def test_a_wav_file_does_not_go_to_a_terminal() -> None:
    status, output = shown_on_a_terminal(*WAV, "-")
    assert (status, output) == (2, b"")


@pytest.mark.parametrize("seconds", ["1e12", "1e308"])
def test_a_wav_file_that_has_no_room_is_refused_before_it_is_made(seconds: str, tmp_path: Path) -> None:
    file = tmp_path / "kept.wav"
    file.write_text("kept")
    for path in (str(file), "-", str(tmp_path / "new.wav")):
        done = tone("--seconds", seconds, "--wav", path)
        assert (done.returncode, done.stdout, file.read_text()) == (2, "", "kept")
        assert done.stderr.startswith(f"cueline: cannot write {path}: ")
        assert "are free: render less at once, or fewer channels" in done.stderr
        assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(("frames", "begins"), [(2**30 - 2**10, b"RIFF"), (2**30, b"RF64")])
def test_a_wav_file_of_more_than_4_gib_has_a_64_bit_header(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, frames: int, begins: bytes
) -> None:
    """It is interrupted after a second: what counts is the header."""
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=2**40))
    file = tmp_path / "long.wav"
    with WavFile(str(file), 48_000, 2, frames) as sound:
        sound.write(np.full((48_000, 2), 0.5, np.float32))
    assert file.read_bytes()[:4] == begins
    samples, samplerate = soundfile.read(file)
    assert (samples.shape, samplerate) == ((48_000, 2), 48_000)
    assert (samples == 0.5).all()


def test_an_interrupted_wav_file_counts_what_it_has(tmp_path: Path) -> None:
    with WavFile(str(tmp_path / "short.wav"), 48_000, 2, 4_000) as file:
        file.write(np.zeros((1_000, 2), np.float32))
    assert frames_of((tmp_path / "short.wav").read_bytes()) == 1_000


def test_samples_are_rounded_to_16_bits_and_clipped(tmp_path: Path) -> None:
    with WavFile(str(tmp_path / "a.wav"), 48_000, 1, 5) as file:
        file.write(np.array([[2], [1], [-2], [2**-15], [-0.6 * 2**-15]], np.float32))
    written = soundfile.read(tmp_path / "a.wav", dtype="int16")[0]
    assert written.tolist() == [2**15 - 1, 2**15 - 1, -(2**15), 1, -1]


def test_a_wav_file_without_the_extra_says_what_to_install(tmp_path: Path) -> None:
    """No other option of the command needs it."""
    program = "import sys; sys.modules['soundfile'] = None; from cueline.commands.cli import main; sys.exit(main())"
    asked = [sys.executable, "-c", program, "tone", "--seconds", "0.1"]
    done = subprocess.run(
        [*asked, "--wav", tmp_path / "a.wav"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("cueline: soundfile, which writes sound files, cannot be imported")
    assert done.stderr.endswith("pip install 'cueline[files]'\n")
    assert list(tmp_path.iterdir()) == []
    assert subprocess.run([*asked, "--device", "null"], capture_output=True, timeout=60, check=False).returncode == 0


def test_silence_is_heard_as_silence() -> None:
    account = json.loads(tone("--device", "null", "--seconds", "0.5", "--gain", "0", "--json").stdout)
    assert (account["rms"], account["peak"]) == (0, 0)
    lines = tone("--device", "null", "--seconds", "0.1", "--gain", "0").stdout.splitlines()
    assert any(line.endswith("rms  -inf dBFS   peak  -inf dBFS") for line in lines)


def test_on_a_terminal_it_draws_a_bar() -> None:
    status, output = shown_on_a_terminal(
        sys.executable,
        "-m",
        "cueline",
        "tone",
        "--device",
        "null",
        "--seconds",
        "0",
        interrupt_after="▕",
        times=2,
    )
    assert status == 0
    assert "█" in output.decode()
    assert b"s played: rms" in output
    assert LiveMeter.interval_s == 1 / 15


def test_ctrl_c_fades_out_and_prints_the_summary() -> None:
    status, output, errors = interrupted_at(
        "dBFS", sys.executable, "-u", "-m", "cueline", "tone", "--device", "null", "--seconds", "0"
    )
    assert (status, errors) == (0, "")
    assert "s played: rms" in output


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--device", "offline"], "tone needs a device with a clock, and 'offline' has none"),
        (["--device", "null", "--gain", "2"], "gain must be from 0 to 1, got 2.0"),
        (["--device", "null", "--frequency", "30000"], "frequency must be from 0 to 24000 Hz, got 30000.0"),
    ],
)
def test_what_cannot_be_played_is_said_in_one_line(arguments: list[str], text: str) -> None:
    done = tone(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"cueline: {text}")
    assert done.stderr.count("\n") == 1


def test_it_says_that_the_server_died() -> None:
    with (
        JackServer() as server,
        subprocess.Popen(
            [sys.executable, "-u", "-m", "cueline", "tone", "--seconds", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stdout.readline().startswith("TONE 440 Hz at a gain of 0.2: jack device")
        assert "dBFS" in process.stdout.readline(), "it plays"
        server.kill()
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert errors == "cueline: the JACK server is gone: start it again, and then the engine\n"


def test_the_bar_goes_from_60_db_below_full_scale_to_it() -> None:
    assert bar(dbfs(1), dbfs(1), 10) == "█" * 10
    assert bar(-60, -60, 10) == " " * 10
    assert bar(-30, -12, 10) == "█████   │ "
    assert bar(-33, -32, 10) == "████▌     ", "the peak's mark hides nothing of the bar"
    assert bar(dbfs(0), dbfs(0), 3) == "   "
    assert bar(dbfs(2), dbfs(2), 3) == "███"
    assert dbfs(0.5) == pytest.approx(-6.02, abs=0.01)


def level(frame: int, peak: float, rms: float) -> cueline.Level:
    made = unpickled(cueline.Level, struct.pack("<HBBIQff32x", 66, 0, 0, 0, frame, peak, rms))
    assert isinstance(made, cueline.Level)
    return made


def test_what_was_heard_is_all_levels_together_by_their_frames() -> None:
    heard = Heard()
    assert (heard.frames, heard.peak, heard.rms) == (0, 0, 0)
    heard.add(level(100, 0.75, 0.5))
    heard.add(level(100, 0, 0))
    heard.add(level(400, 0.25, 0.25))
    assert (heard.frames, heard.peak) == (400, 0.75)
    assert heard.rms == pytest.approx(((0.5**2 * 100 + 0.25**2 * 300) / 400) ** 0.5)


def test_the_bar_holds_a_peak_for_a_while() -> None:
    with LiveMeter(PlainConsole()) as meter:
        drawn = []
        for at_s, peak in ((0.0, 1.0), (1.0, 0.5), (1.6, 0.5), (1.7, 0.6)):
            meter.show(level(0, peak, 0.01), at_s)
            drawn.append(str(meter.text))
    assert ["peak   0.0" in text for text in drawn] == [True, True, False, False]
    assert "peak  -6.0" in drawn[2]
    assert "peak  -4.4" in drawn[3]


def test_a_device_that_takes_its_time_is_given_it() -> None:
    """Blocks take more than a second, and each answer comes with a block."""
    account = json.loads(
        tone("--device", "null", "--seconds", "0.1", "--blocksize", "2000", "--samplerate", "1000", "--json").stdout
    )
    assert account["stats"]["events"]["sent"] >= 1


def test_a_device_that_is_lost_meanwhile_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Losing(cueline.AudioEngine):
        looks = 0

        def send(self, *arguments: Any, **options: Any) -> cueline.Status:
            self.looks += 1
            if self.looks > 1:
                raise cueline.DeviceError("the card was pulled out: put it back")
            return super().send(*arguments, **options)

    monkeypatch.setattr("cueline.commands.tone.AudioEngine", Losing)
    assert cli.main(["tone", "--device", "null", "--seconds", "0", "--json"]) == 2
    assert capsys.readouterr() == ("", "cueline: the card was pulled out: put it back\n")
