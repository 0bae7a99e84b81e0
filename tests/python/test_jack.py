"""Engines on a real JACK server: what a second client hears, and what happens when the server dies."""

# ruff: noqa: ARG001
from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numba
import numpy as np
import numpy.typing as npt
import pytest

import cueline
from conftest import eventually, require
from jack_server import JackServer, recorded


@pytest.fixture
def server() -> Iterator[JackServer]:
    with JackServer() as running:
        yield running


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cueline", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def sine_in(samples: npt.NDArray[np.float64], frequency: float) -> tuple[float, float]:
    """Return the gain of a sine of this frequency in the samples, and the largest deviation from it."""
    angle = 2 * np.pi * frequency / 48_000 * np.arange(len(samples))
    basis = np.stack([np.sin(angle), np.cos(angle)], axis=1)
    parts, *_ = np.linalg.lstsq(basis, samples, rcond=None)
    return float(np.hypot(*parts)), float(np.abs(samples - basis @ parts).max())


def best_fit(port: str, frequency: float, folder: Path) -> tuple[float, float]:
    """Return sine_in of the best tenth of a second that a second client hears.

    On a busy machine a client comes too late now and then.
    """
    for _ in range(5):
        heard = recorded(port, 1, folder)
        fits = [sine_in(heard[begin : begin + 4800], frequency) for begin in range(4800, len(heard) - 4800, 4800)]
        gain, stray = min(fits, key=lambda fit: fit[1])
        if stray < 0.001:
            break
    return gain, stray


@pytest.mark.usefixtures("server")
def test_another_client_hears_the_tone_whole_and_at_its_frequency(tmp_path: Path) -> None:
    with cueline.AudioEngine("jack", processor="tone", client_name="tone") as engine:
        gain, stray = best_fit("tone:out_1", 440, tmp_path)
        assert gain == pytest.approx(0.2, abs=0.001)
        assert stray < 0.001
        engine.parameters.update(frequency=1000.5, gain=0.5)
        time.sleep(0.1)
        gain, stray = best_fit("tone:out_2", 1000.5, tmp_path)
        assert gain == pytest.approx(0.5, abs=0.001)
        assert stray < 0.001
        assert best_fit("tone:out_1", 1001.5, tmp_path)[1] > 0.01, "one hertz beside it is another tone"


NOTE_ON, CONTROL = cueline.dtype(cueline.NoteOn), cueline.dtype(cueline.ControlChange)


@numba.cfunc(cueline.HANDLE_SIGNATURE)
def start_note(command, frame, samplerate, events, cues, state):
    """Remember the last note."""
    note = numba.carray(command, 1, NOTE_ON)[0]
    if note.kind != 128:
        return False
    numba.carray(state, 1, np.float64)[0] = note.note / 128
    return True


@numba.cfunc(cueline.RENDER_SIGNATURE)
def render_note(
    inputs, ins, outputs, outs, frames, frame, samplerate, parameters, arrays, meters, events, samples, buffers, state
):
    """Render the last note's number."""
    sound = numba.carray(outputs, (outs, frames))
    for i in range(frames):
        for channel in range(outs):
            sound[channel, i] = numba.carray(state, 1, np.float64)[0]


def notes_and_sound(count: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Play JACK's own sequencer to a processor by numba.

    Return the notes and the frames of so many NoteOns, and the notes and the frames at which the sound changed.
    """
    processor = cueline.cfunc_processor(render_note, start_note, state=np.zeros(1))
    # Note 60 at frame 100 of each 2,000, and note 64 at frame 1,377.
    loop = ["jack_midiseq", "sequencer", "2000", "100", "60", "50", "1377", "64", "50"]
    with subprocess.Popen(loop, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as playing:
        try:
            assert eventually(lambda: b"sequencer:out" in subprocess.run("jack_lsp", capture_output=True).stdout)
            with (
                cueline.AudioEngine(
                    "jack", processor=processor, outputs=1, midi_inputs=1, midi_connect="^sequencer:out$"
                ) as engine,
                engine.open_recording(source="outputs") as recording,
            ):
                notes: list[tuple[int, int]] = []
                while len(notes) < count:
                    note = engine.receive(cueline.NoteOn, timeout=30)
                    assert note is not None
                    notes.append((note.note, note.frame))
                first = recording.position().first
                block = recording.read(notes[-1][1] + 1 - first, timeout=10)
                assert engine.stats().midi.received >= count
                assert engine.stats().midi.dropped == engine.stats().unhandled == 0
        finally:
            playing.terminate()
    samples = block.samples[:, 0]
    changes = np.flatnonzero(np.diff(samples)) + 1
    heard = [(round(float(samples[place]) * 128), block.frame + int(place)) for place in changes]
    return [(note, frame) for note, frame in notes if frame > block.frame], heard


@pytest.mark.usefixtures("server")
def test_notes_sound_at_the_frames_at_which_another_client_sends_them() -> None:
    require("jack_midiseq")
    deadline = time.monotonic() + 60
    while True:  # on a busy machine, a client comes too late now and then
        notes, sound = notes_and_sound(20)
        steps = {(note, following - frame) for (note, frame), (_, following) in pairwise(notes)}
        if (sound == notes and steps == {(60, 1277), (64, 723)}) or time.monotonic() > deadline:
            break
    assert sound == notes, "the sound changes at the frame of the event"
    assert steps == {(60, 1277), (64, 723)}, "no note is a frame early or late"


@numba.cfunc(cueline.HANDLE_SIGNATURE)
def send_note(command, frame, samplerate, events, cues, state):
    """Send a note for a ControlChange."""
    control = numba.carray(command, 1, CONTROL)[0]
    if control.kind != 130:
        return False
    note = numba.carray(events, 16, NOTE_ON)[0]
    note.kind = 128
    note.note = control.control
    note.velocity = control.value
    note.channel = control.channel
    note.port = control.port
    return True


def sent_and_came_back(frames: list[int]) -> list[int]:
    """Send a note at each of these frames after a while. Return how much later each came back, by JACK.

    On a busy machine, JACK leaves out a block now and then, and a note with it: then some are missing.
    """
    processor = cueline.cfunc_processor(render_note, send_note, state=np.zeros(1))
    with cueline.AudioEngine(
        "jack",
        processor=processor,
        client_name="singer",
        midi_inputs=1,
        midi_outputs=1,
        midi_connect=("^singer:midi_out_1$", False),
    ) as engine:
        start = engine.after(0.2)
        for frame in frames:
            engine.send(cueline.ControlChange(60, 100), at=start + frame)
        sent, came = [], []
        with contextlib.suppress(cueline.Empty):
            while len(came) < len(frames):
                note = engine.receive(cueline.NoteOn, timeout=2)
                assert note is not None
                (came if note.sequence == 0 else sent).append(note.frame)
        assert engine.stats().midi.unsent == 0
    return [after - before for before, after in zip(sent, came, strict=False)]


def test_a_note_that_a_processor_sends_leaves_at_its_frame(server: JackServer) -> None:
    """JACK brings a client's own output back one block later."""
    frames = [0, 1, 77, 128, 1000]
    deadline = time.monotonic() + 60
    while (later := sent_and_came_back(frames)) != [server.blocksize] * 5 and time.monotonic() < deadline:
        pass
    assert later == [server.blocksize] * 5


@pytest.mark.usefixtures("server")
def test_a_client_that_comes_later_is_connected_and_its_control_is_learned_and_mapped() -> None:
    processor = cueline.cfunc_processor(render_note, send_note, state=np.zeros(1))
    with cueline.AudioEngine("jack", processor="tone", midi_inputs=1, midi_connect=False) as engine:
        engine.midi.connect("^singer:midi_out_1$")
        assert "singer:midi_out_1" not in engine.midi.inputs()
        with cueline.AudioEngine("jack", processor=processor, client_name="singer", midi_outputs=1) as singer:
            assert "singer:midi_out_1" in engine.midi.inputs()
            assert any(name.endswith(":midi_in_1") for name in singer.midi.outputs())
            learning = threading.Thread(target=lambda: learned.append(engine.midi.learn(timeout=60).result()))
            learned: list[cueline.Message] = []
            learning.start()
            while learning.is_alive():
                singer.send(cueline.ControlChange(61, 100))
                time.sleep(0.01)
            assert learned == [cueline.NoteOn(61)]
            engine.midi.map(learned[0], "gain", low=0, high=1)
            singer.send(cueline.ControlChange(61, 127))
            assert eventually(lambda: engine.parameters["gain"] == 1)


@pytest.mark.usefixtures("server")
def test_midi_that_does_not_go_out_is_told() -> None:
    processor = cueline.cfunc_processor(render_note, send_note, state=np.zeros(1))
    engine = cueline.AudioEngine("jack", processor=processor, midi_outputs=1)
    engine.start()
    engine.send(cueline.ControlChange(60, 100, port=2))  # there is one port
    engine.receive(cueline.NoteOn, timeout=30)
    with pytest.warns(cueline.LossWarning, match="MIDI messages of the processor that did not go out: 1 "):
        engine.close()


@pytest.mark.usefixtures("server")
def test_a_fork_of_a_process_that_uses_jack_is_refused_an_engine_on_it() -> None:
    """In the child, libjack would wait for ever for threads that are in the parent."""
    program = (
        "import os, signal, cueline\n"
        "engine = cueline.AudioEngine('jack')\n"
        "engine.start()\n"
        "if os.fork() == 0:\n"
        "    signal.alarm(30)\n"
        "    for device in ('jack', None):\n"
        "        try:\n"
        "            with cueline.AudioEngine(device) as own:\n"
        "                print(own.device)\n"
        "        except cueline.DeviceError as refused:\n"
        "            print('forked while JACK was in use' in str(refused))\n"
        "    os._exit(0)\n"
        "os.wait()\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-u", "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    refused, other = done.stdout.split()
    assert refused == "True"
    assert other != "jack"


@pytest.mark.usefixtures("server")
def test_it_is_what_an_engine_gets_that_asks_for_nothing() -> None:
    with cueline.AudioEngine() as engine:
        assert engine.stats().device == "jack"
        assert (engine.samplerate, engine.blocksize) == (48_000, 128)
        engine.ping()
        assert isinstance(engine.receive(timeout=5), cueline.Pong)


def test_without_a_server_an_engine_that_asks_for_jack_is_told_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    require("libjack.so.0")
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "cueline-test-nobody")
    with pytest.raises(cueline.DeviceError, match="no JACK server runs here: start one"):
        cueline.AudioEngine("jack")


def test_a_lost_server_is_an_event_then_an_error_and_start_comes_back(server: JackServer) -> None:
    with cueline.AudioEngine("jack") as engine:
        assert eventually(lambda: engine.stats().blocks > 10)
        server.kill()
        event = engine.receive(timeout=10)
        assert isinstance(event, cueline.DeviceLost)
        assert 0 < time.monotonic_ns() - event.lost_ns < 10e9
        with pytest.raises(cueline.DeviceError, match="the JACK server is gone: start it again"):
            engine.receive()  # without a timeout, it would wait for ever
        with pytest.raises(cueline.DeviceError, match="is gone"):
            engine.ping()
        with pytest.raises(cueline.DeviceError, match="no JACK server runs"):
            engine.start()
        assert engine.stats().device == "jack"
        server.start()
        engine.start()
        engine.ping()
        assert isinstance(engine.receive(timeout=5), cueline.Pong)


@pytest.mark.usefixtures("server")
def test_a_changed_block_size_is_followed() -> None:
    with cueline.AudioEngine("jack", processor="tone") as engine:
        subprocess.run(["jack_bufsize", "512"], check=True, capture_output=True, timeout=10)
        event = engine.receive(timeout=10)
        assert isinstance(event, cueline.FormatChanged)
        assert (event.samplerate, event.inputs, event.outputs, event.blocksize) == (48_000, 0, 2, 512)
        assert engine.blocksize == engine.stats().blocksize == 512
        frames = engine.stats().frames
        assert eventually(lambda: engine.stats().frames > frames + 5 * 512)


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("device", ["jack", "portaudio", "system, jack audio connection kit"])
def test_ping_works_on_it(device: str) -> None:
    done = run("ping", "--device", device, "--count", "5", "--interval", "0.01")
    assert (done.returncode, done.stderr) == (0, "")
    assert "5 sent, 5 received, 0 dropped" in done.stdout
    assert "48000 Hz, 2 outputs, blocks of 128 frames" in done.stdout


def test_ping_says_that_the_server_died(server: JackServer) -> None:
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "cueline", "ping", "--device", "jack", "--count", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("PING the audio thread: jack device")
        server.kill()
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (
        2,
        "cueline: the JACK server is gone: start it again, and then the engine\n",
    )


@pytest.mark.usefixtures("server")
def test_a_killed_python_leaves_the_server() -> None:
    program = (
        "import cueline, time\n"
        "with cueline.AudioEngine('jack', client_name='doomed'):\n"
        "    print('up', flush=True)\n"
        "    time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"

        def ports() -> str:
            return subprocess.run(["jack_lsp"], capture_output=True, text=True, timeout=10, check=True).stdout

        assert "doomed:out_1" in ports()
        process.send_signal(signal.SIGKILL)
        assert eventually(lambda: "doomed" not in ports())
    with cueline.AudioEngine("jack") as engine:
        assert eventually(lambda: engine.stats().blocks > 10), "and the server goes on for others"


def test_a_second_server_in_one_process_is_refused_and_left_out_of_the_list(server: JackServer) -> None:
    program = """
import os
import cueline
default = os.environ["JACK_DEFAULT_SERVER"]
with cueline.AudioEngine("jack", server="cueline-test-2") as engine:
    listed = cueline.devices()
    print([device.device for device in listed])
    print(*listed.absent, sep="\\n")
    with cueline.AudioEngine() as other:
        print(other.device)
    try:
        cueline.AudioEngine("jack")
    except cueline.DeviceError as error:
        print(error)
    os.environ["JACK_DEFAULT_SERVER"] = "cueline-test-2"
    print(cueline.devices()[0].device)
    engine.ping()
    print(type(engine.receive(timeout=10)).__name__)
with cueline.AudioEngine("jack", server=default) as engine:
    print(engine.device)
"""
    with server.beside("cueline-test-2"):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    why = (
        "uses the JACK server 'cueline-test', and this process is a client of the server 'cueline-test-2'; "
        "libjack crashes if a process uses two: stop the engines on 'cueline-test-2' first, "
        "or use one process for each server, or set JACK_DEFAULT_SERVER=cueline-test-2"
    )
    assert done.stdout.splitlines() == [
        "['null', 'offline']",
        f"jack: the device 'jack' {why}",
        f"portaudio: PortAudio {why}",
        "null",
        f"the device 'jack' {why}",
        "jack",
        "Pong",
        "jack",
    ]


@pytest.mark.usefixtures("server")
def test_ping_takes_the_server_that_runs() -> None:
    done = run("ping", "--json", "--count", "1")
    assert json.loads(done.stdout)["stats"]["device"] == "jack"


def test_the_bare_client_of_the_examples_hears_and_tells(server: JackServer, tmp_path: Path) -> None:
    require("g++")
    example = Path(__file__).parents[2] / "examples/jack_client.cpp"
    headers = ["-std=c++20", "-O2", f"-I{cueline.get_include()}"]
    subprocess.run(["g++", *headers, example, "-ljack", "-o", tmp_path / "pluck"], check=True, timeout=120)
    done = subprocess.run([tmp_path / "pluck"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    *heard, counts = done.stdout.splitlines()
    assert [line.split(" Hz")[0] for line in heard] == ["220.0", "277.2", "329.6", "440.0"]
    frames = [int(line.split("frame ")[1].split()[0]) for line in heard]
    assert frames == sorted(set(frames))
    assert not any(frame % 128 for frame in frames)  # where a block begins
    assert counts == "4 sent, 0 dropped"
    server.kill()
    alone = subprocess.run([tmp_path / "pluck"], capture_output=True, text=True, timeout=60, check=False)
    assert (alone.returncode, alone.stdout) == (1, "")
    assert "no JACK server runs" in alone.stderr
    server.start()
