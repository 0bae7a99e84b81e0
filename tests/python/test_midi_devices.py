"""MIDI devices by RtMidi, on the null device: a library of the tests stands in for RtMidi's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import cueline
from conftest import require

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a librtmidi that has a knob which moves by itself."""
    require("g++")
    folder = tmp_path_factory.mktemp("rtmidi")
    made = str(folder / "librtmidi.so.6")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", made, str(HERE / "fake_rtmidi.c"), "-lpthread"], check=True)
    return folder


def run(program: str, library: Path, **environment: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", "import asyncio, time, cueline\n" + program],
        env={**os.environ, "LD_LIBRARY_PATH": str(library), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_knob_is_learned_mapped_and_moves_a_parameter_without_python(library: Path) -> None:
    lines = run(
        "engine = cueline.AudioEngine('null', processor='tone', midi_inputs=1, midi_connect=False, midi_delay=0.01)\n"
        "print(engine.midi.inputs())\n"
        "with engine:\n"
        "    engine.midi.connect('^Kn')\n"
        "    first = engine.midi.learn(timeout=60).result()\n"
        "    async def learn(): return await engine.midi.learn(timeout=60)\n"
        "    control = asyncio.run(learn())\n"
        "    print(control == first, control.control, control.channel, control.value)\n"
        "    engine.parameters['gain'] = 0.5\n"
        "    engine.midi.map(control, 'gain', curve='relative')\n"
        "    while engine.parameters['gain'] == 0.5: time.sleep(0.001)\n"
        "    while engine.stats().midi.sysex == 0: time.sleep(0.001)\n"
        "    event = engine.receive(cueline.ControlChange, timeout=60)\n"
        "    print(event.port, event.frame > 0)\n"
        "stats = engine.stats().midi\n"
        "print(stats.received > 2, stats.dropped)\n",
        library,
    )
    assert lines == ["['Silent Pads 20:0', 'Knöpfe 24:0']", "True 20 3 0", "1 True", "True 0"]


def test_devices_are_connected_from_the_start_and_a_second_start_opens_them_again(library: Path) -> None:
    lines = run(
        "with cueline.AudioEngine('null', midi_inputs=2) as engine:\n"
        "    for _ in range(2):\n"
        "        print(engine.receive(cueline.ControlChange, timeout=60).port)\n"
        "        engine.stop()\n"
        "        for _ in engine.messages(): pass\n"
        "        engine.start()\n"
        "    try: engine.midi.outputs()\n"
        "    except cueline.DeviceError as error: print(error)\n"
        "    try: engine.midi.connect('(')\n"
        "    except cueline.ArgumentError as error: print(error)\n"
        "    try: engine.midi.learn(timeout=0).result()\n"
        "    except cueline.Empty as error: print(type(error).__name__)\n"
        "try: engine.midi.inputs()\n"
        "except cueline.ClosedError: print('closed')\n",
        library,
    )
    assert lines == [
        "2",
        "2",
        "this engine's device, null, has no midi_outputs: request midi_outputs=1",
        "pattern must be a regular expression, got '('",
        "Empty",
        "closed",
    ]


def test_a_fork_leaves_the_parents_ports_alone(library: Path) -> None:
    lines = run(
        "import os, warnings\n"
        "warnings.simplefilter('ignore')\n"
        "with cueline.AudioEngine('null', midi_inputs=1) as engine:\n"
        "    engine.receive(cueline.ControlChange, timeout=60)\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        del engine\n"
        "        os._exit(7)\n"
        "    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
        "    engine.receive(cueline.ControlChange, timeout=60)\n",
        library,
    )
    assert lines == ["7"]


def test_without_a_midi_system_the_error_says_so(library: Path) -> None:
    lines = run(
        "try: cueline.AudioEngine('null', midi_inputs=1)\nexcept cueline.DeviceError as error: print(error)\n",
        library,
        FAKE_RTMIDI_HAS_NO_SYSTEM="1",
    )
    assert lines == ["RtMidi finds no MIDI system here, or no device: leave midi_inputs out, or use the device 'jack'"]


def test_options_that_do_not_fit_are_refused() -> None:
    with pytest.raises(cueline.ArgumentError, match="midi_inputs is for device 'jack', the device 'null' and Port"):
        cueline.AudioEngine("offline", midi_inputs=1)
    with pytest.raises(cueline.ArgumentError, match="midi_delay is for the device 'null' and PortAudio's"):
        cueline.AudioEngine("offline", midi_delay=0.1)
    with pytest.raises(cueline.ArgumentError, match="midi_outputs is for device 'jack'"):
        cueline.AudioEngine("null", midi_outputs=1)
    with pytest.raises(cueline.ArgumentError, match="midi_delay needs a port for MIDI"):
        cueline.AudioEngine("null", midi_delay=0.1)
    with pytest.raises(cueline.ArgumentError, match="midi_connect needs ports for MIDI"):
        cueline.AudioEngine("null", midi_connect=True)
    with pytest.raises(cueline.ArgumentError, match="midi_delay must be from 1e-06 to 10 seconds, got 11"):
        cueline.AudioEngine("null", midi_inputs=1, midi_delay=11)
    with cueline.AudioEngine("offline") as engine:
        for call in (engine.midi.inputs, engine.midi.outputs, lambda: engine.midi.connect("x")):
            with pytest.raises(cueline.DeviceError, match=r"device, offline, has no midi_(in|out)puts: request"):
                call()
        with pytest.raises(cueline.ArgumentTypeError, match="pattern must be a regular expression, got 3"):
            engine.midi.connect(3)  # type: ignore[arg-type]
