"""The list of devices, from the call and from the command."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import sysconfig
import warnings
from pathlib import Path

import pytest

import cueline
from conftest import require
from cueline import _core
from cueline.portaudio_file import look_in_packages, packaged_file
from jack_server import JackServer


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cueline", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return command("devices", *arguments)


@pytest.fixture
def _no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "cueline-test-nobody")


@pytest.mark.usefixtures("_no_server")
def test_there_are_always_the_devices_that_need_no_library() -> None:
    null, offline = cueline.devices()[-2:]
    assert (null.device, null.host_api, null.samplerate, null.blocksize) == ("null", "cueline", 48_000, 128)
    assert (offline.device, offline.host_api, offline.is_default) == ("offline", "cueline", False)


def test_one_is_the_default_and_it_is_what_an_engine_gets() -> None:
    def default() -> str:
        marked = [found for found in cueline.devices() if found.is_default]
        assert len(marked) == 1
        with cueline.AudioEngine() as engine:
            got = engine.stats().device
            assert (engine.samplerate, engine.blocksize) == (marked[0].samplerate, marked[0].blocksize)
        assert got == (marked[0].device if isinstance(marked[0].device, str) else "portaudio")
        return got

    with JackServer():
        assert default() == "jack"
    assert default() != "jack"


def test_all_that_are_listed_can_be_opened() -> None:
    with JackServer(256):
        listed = cueline.devices()
        assert {"JACK", "JACK Audio Connection Kit", "cueline"} <= {found.host_api for found in listed}
        for found in listed:
            with cueline.AudioEngine(found.device, outputs=min(2, found.outputs)) as engine:
                assert engine.samplerate == found.samplerate
        jack = listed[0]
        assert (jack.device, jack.name, jack.outputs, jack.samplerate, jack.blocksize) == (
            "jack",
            "system",
            2,
            48_000,
            256,
        )
        assert 0 < jack.low_latency < 1


def test_the_command_prints_a_table_with_the_default_starred() -> None:
    with JackServer():
        done = run()
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["device", "host", "API", "name", "in", "out", "rate", "block", "latency,", "ms"]
    assert lines[1].split()[:4] == ["*", "jack", "JACK", "system"]
    assert [line for line in lines if line.startswith("*")][1:] == [
        "* the default of AudioEngine(). To use another, pass its 'device' as device="
    ]


@pytest.mark.usefixtures("_no_server")
def test_the_command_says_what_is_missing_and_nothing_else_does() -> None:
    require("libjack.so.0")
    done = run()
    assert (done.returncode, done.stderr) == (0, ""), "ALSA and JACK have a lot to say"
    assert "jack: no JACK server runs here: start one" in done.stdout
    account = json.loads(run("--json").stdout)
    assert account["devices"][-1]["device"] == "offline"
    assert account["absent"][0].startswith("jack: no JACK server runs here")


@pytest.mark.usefixtures("_no_server")
def test_the_list_says_why_a_device_is_missing() -> None:
    require("libjack.so.0")
    listed = cueline.devices()
    with pytest.raises(cueline.DeviceError) as refused:
        cueline.AudioEngine("jack")
    assert listed.absent[0] == f"jack: {refused.value}"
    with JackServer():
        assert not [why for why in cueline.devices().absent if why.startswith("jack")]


def test_a_silent_engine_that_was_asked_for_does_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cueline.AudioEngine("null").close()


@pytest.mark.usefixtures("_no_server")
def test_a_command_says_in_one_line_why_it_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONWARNINGS")
    done = command("ping", "--count", "1")
    assert done.returncode == 0
    assert re.fullmatch(r"cueline: this engine is silent: .*name the device: --device null\n", done.stderr)


def test_this_build_has_both_audio_libraries() -> None:
    assert _core.MISSING_AUDIO == ""


SYSTEMS = {
    "win-amd64": ("win32", "libportaudio64bit.dll"),
    "win-arm64": ("win32", "libportaudioarm64.dll"),
    "macosx-11.0-arm64": ("darwin", "libportaudio.dylib"),
    "macosx-10.9-x86_64": ("darwin", "libportaudio.dylib"),
}
# What sounddevice's wheels have, for Windows and macOS alike.
BROUGHT = [
    "libportaudio.dylib",
    *(f"libportaudio{name}.dll" for name in ("32bit", "32bit-asio", "64bit", "64bit-asio", "arm64", "arm64-asio")),
]


@pytest.fixture
def sounddevice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of PortAudio in a package that pretends to be sounddevice's."""
    folder = tmp_path / "_sounddevice_data" / "portaudio-binaries"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise AssertionError('it was imported')")
    for name in BROUGHT:
        (folder / name).touch()
    monkeypatch.syspath_prepend(tmp_path)
    return folder


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of files that the compiled module gets from here on."""
    files: list[str] = []
    monkeypatch.setattr(_core, "look_for_portaudio_at", files.append)
    return files


@pytest.mark.usefixtures("_no_server")
@pytest.mark.parametrize("platform", SYSTEMS)
def test_portaudio_is_looked_for_where_sounddevice_brings_it(
    platform: str, sounddevice: Path, looked_at: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    system, name = SYSTEMS[platform]
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(sysconfig, "get_platform", lambda: platform)
    cueline.devices()
    cueline.AudioEngine("offline").close()
    assert looked_at == [str(sounddevice / name)] * 2
    (sounddevice / name).unlink()
    assert packaged_file() is None, "no other file of the package is for this system"


def test_portaudio_is_looked_for_in_no_package_on_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr("cueline.portaudio_file.packaged_file", lambda: pytest.fail("it looked"))
    look_in_packages()


def test_without_sounddevice_no_file_is_named(looked_at: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(sysconfig, "get_platform", lambda: "win-amd64")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    look_in_packages()
    assert looked_at == []
