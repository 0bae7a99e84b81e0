"""The command ``cueline latency``: chirps that come back late, quietly, among noise, or not at all."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

import cueline
from conftest import status_in_a_shell
from cueline.commands import cli
from cueline.commands.latency import arrival_of, chirp
from jack_server import JackServer

CHIRP = chirp(48_000)
HEARD = 52_800  # frames: the chirp, and a second


def latency(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cueline", "latency", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("blocksize", [16, 1000])
def test_the_null_devices_round_trip_is_one_block(blocksize: int) -> None:
    done = latency("--device", "null", "--blocksize", str(blocksize), "--count", "2")
    assert (done.returncode, done.stderr) == (0, "")
    trip = f"{blocksize} frames, {blocksize / 48:.3f} ms"
    assert done.stdout.splitlines()[:-1] == [
        "LATENCY from output 1 to input 1: null device, 48000 Hz, 1 input, 1 output, "
        f"blocks of {blocksize} frames ({blocksize / 48:.3f} ms)",
        "The null device has no sound card: each output comes back as the input of its number, a block later.",
        f"chirp 1: {trip}",
        f"chirp 2: {trip}",
        "--- null device ---",
        f"round trip: {trip}; 2 of 2 chirps found",
        f"the device reports {trip}: {blocksize} in, 0 out; measured: 0 frames more",
    ]


def test_json_has_the_whole_account() -> None:
    done = latency("--device", "null", "--samplerate", "44100", "--count", "1", "--gain", "0.5", "--json")
    account = json.loads(done.stdout)
    assert (account["chirps"], account["round_trips"], account["frames"]) == (1, [128], 128)
    assert account["reported"] == {"input": 128, "output": 0}
    assert account["peak"] == pytest.approx(0.5, abs=0.001)
    assert account["stats"]["samplerate"] == 44_100


def delayed(frames: int, gain: float) -> npt.NDArray[np.float32]:
    heard = np.zeros(HEARD, np.float32)
    heard[frames : frames + len(CHIRP)] = gain * CHIRP
    return heard


def noise(seed: int) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, 0.01, HEARD).astype(np.float32)


def hum() -> npt.NDArray[np.float32]:
    return (0.1 * np.sin(2 * np.pi * 50 / 48_000 * np.arange(HEARD))).astype(np.float32)


@pytest.mark.parametrize("gain", [1, 0.001, -0.5])
@pytest.mark.parametrize("frames", [0, 1, 1_234, 48_000])
def test_a_chirp_is_found_at_its_frame_however_quiet_and_of_either_sign(frames: int, gain: float) -> None:
    assert arrival_of(CHIRP, delayed(frames, gain)) == frames


@pytest.mark.parametrize("seed", range(5))
def test_a_chirp_is_found_among_noise_and_hum_that_are_louder(seed: int) -> None:
    assert arrival_of(CHIRP, delayed(5_000, 0.005) + noise(seed) + hum()) == 5_000


@pytest.mark.parametrize("seed", range(5))
def test_no_chirp_is_found_in_silence_noise_and_hum(seed: int) -> None:
    for heard in (np.zeros(HEARD, np.float32), noise(seed), hum(), noise(seed) + hum()):
        assert arrival_of(CHIRP, heard) is None


def test_commands_that_are_late_change_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The playback begins at another frame than the recording."""

    class Late(cueline.AudioEngine):
        def after(self, _seconds: float) -> int:
            return self.now() + 2_000

        def open_recording(self, **options: object) -> cueline.Recording:
            recording = super().open_recording(**options)
            start = recording.start
            monkeypatch.setattr(recording, "start", lambda at: start(at + 300))
            return recording

    monkeypatch.setattr("cueline.commands.latency.AudioEngine", Late)
    assert cli.main(["latency", "--device", "null", "--blocksize", "512", "--count", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["round_trips"] == [512]


def test_sound_that_is_not_the_chirp_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cueline.commands.latency.arrival_of", lambda *_: None)
    assert cli.main(["latency", "--device", "null", "--count", "1", "--gain", "0.1"]) == 1
    said = capsys.readouterr().out
    assert "chirp 1: not found\n" in said
    assert (
        "no chirp was found in input 1, which has sound of up to -20.0 dBFS: "
        "connect output 1 to input 1, and turn it up, or use a greater --gain than 0.1\n"
    ) in said


@pytest.fixture
def server() -> Iterator[JackServer]:
    with JackServer() as running:
        yield running


@pytest.mark.usefixtures("server")
def test_it_says_that_the_input_is_silent() -> None:
    done = latency("--device", "jack", "--count", "1")
    assert (done.returncode, done.stderr) == (1, "")
    assert (
        "no chirp came back, because input 1 is silent: connect output 1 to input 1 with a cable, or with JACK; "
        "is one of them muted?\n"
    ) in done.stdout


@pytest.mark.usefixtures("server")
def test_it_measures_what_is_connected_meanwhile() -> None:
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "cueline", "latency", "--device", "jack", "--count", "1000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert "jack device" in process.stdout.readline()
        assert process.stdout.readline() == "chirp 1: not found\n"
        subprocess.run(["jack_connect", "cueline:out_1", "cueline:in_1"], check=True, timeout=10)
        assert any(line.endswith(": 128 frames, 2.667 ms\n") for line in iter(process.stdout.readline, ""))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert status_in_a_shell(process) == 130


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--device", "offline"], "latency needs a device with a clock, and 'offline' has none"),
        (["--device", "null", "--gain", "0"], "--gain must be more than 0 and at most 1, got 0"),
        (["--device", "null", "--input", "0"], "a channel of inputs must be from 1 to 1024, got 0"),
    ],
)
def test_what_cannot_be_measured_is_said_in_one_line(arguments: list[str], text: str) -> None:
    done = latency(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"cueline: {text}")
    assert done.stderr.count("\n") == 1


def test_without_a_device_with_sound_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Silent(cueline.AudioEngine):
        _absent = ["jack: it is not there", "portaudio: no input device"]  # type: ignore[assignment]  # noqa: RUF012

    def silent(_device: None, **_options: object) -> cueline.AudioEngine:
        return Silent("null", inputs=1)

    monkeypatch.setattr("cueline.commands.latency.AudioEngine", silent)
    assert cli.main(["latency"]) == 2
    assert capsys.readouterr() == (
        "",
        "cueline: no device has inputs and outputs. jack: it is not there; portaudio: no input device. "
        "`cueline devices` lists all; with --device null, the outputs come back as inputs\n",
    )
