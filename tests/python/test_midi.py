"""MIDI's messages: their ranges, mido's as ours and back, and a synthesizer by numba that plays them to the frame."""

# ruff: noqa: ARG001
from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import mido
import numba
import numpy as np
import numpy.typing as npt
import pytest

import cueline

ALL = [cueline.NoteOn, cueline.NoteOff, cueline.ControlChange, cueline.PitchBend, cueline.MidiBytes]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: cueline.NoteOn(128, 1), "note must be from 0 to 127, got 128"),
        (lambda: cueline.NoteOn(60, 0), "velocity must be from 1 to 127, got 0"),
        (lambda: cueline.NoteOff(60, 128), "velocity must be from 0 to 127, got 128"),
        (lambda: cueline.NoteOff(60, channel=0), "channel must be from 1 to 16, got 0"),
        (lambda: cueline.ControlChange(7, 0, channel=17), "channel must be from 1 to 16, got 17"),
        (lambda: cueline.ControlChange(7, -1), "value must be from 0 to 127, got -1"),
        (lambda: cueline.PitchBend(8192), "value must be from -8192 to 8191, got 8192"),
        (lambda: cueline.PitchBend(-8193), "value must be from -8192 to 8191, got -8193"),
        (lambda: cueline.PitchBend(0, port=17), "port must be from 1 to 16, got 17"),
        (lambda: cueline.MidiBytes(127), "status must be from 128 to 255, got 127"),
        (lambda: cueline.MidiBytes(0xC0, 128), "data1 must be from 0 to 127, got 128"),
        (lambda: cueline.from_mido(mido.Message("clock"), port=0), "port must be from 1 to 16, got 0"),
    ],
)
def test_a_number_out_of_range_is_refused_with_the_range(make: Callable[[], object], text: str) -> None:
    with pytest.raises(cueline.ArgumentError) as refused:
        make()
    assert str(refused.value) == text


def test_channels_and_ports_count_from_1() -> None:
    assert cueline.NoteOn(60, 100) == cueline.NoteOn(note=60, velocity=100, channel=1, port=1)
    assert cueline.NoteOff(60).velocity == 0
    assert cueline.from_mido(mido.Message("control_change", channel=15, control=7, value=3), port=4) == (
        cueline.ControlChange(7, 3, channel=16, port=4)
    )
    assert cueline.to_mido(cueline.PitchBend(-8192, channel=1)) == mido.Message("pitchwheel", channel=0, pitch=-8192)


def test_midi_bytes_say_how_long_they_are() -> None:
    assert cueline.MidiBytes(*b"\xc0\x05") == cueline.MidiBytes(0xC0, 5)
    assert cueline.MidiBytes(0xC0, 5).data == b"\xc0\x05"
    assert cueline.MidiBytes(0xF8).data == b"\xf8"
    assert cueline.MidiBytes(0xA0, 60, 7).data == b"\xa0\x3c\x07"
    assert cueline.MidiBytes(0xF0).data == b""


def mido_messages() -> list[mido.Message]:
    """Return one of each type that mido has, on each channel, without SysEx; its numbers differ."""
    found = []
    for spec in mido.messages.SPEC_BY_TYPE.values():
        if spec["type"] == "sysex":
            continue
        named = [name for name in spec["value_names"] if name not in ("time", "channel")]
        values = {name: 3 + place for place, name in enumerate(named)}
        channels = range(16) if "channel" in spec["value_names"] else [None]
        for channel in channels:
            found.append(mido.Message(spec["type"], **values, **({} if channel is None else {"channel": channel})))
    return found


def test_a_message_of_mido_comes_back_as_it_was() -> None:
    there = [(message, cueline.from_mido(message)) for message in mido_messages()]
    assert len(there) > 7 * 16
    assert {type(ours) for _, ours in there} == set(ALL)
    for message, ours in there:
        assert cueline.to_mido(ours) == message


def test_the_time_is_left_out_and_a_note_on_without_velocity_ends_the_note() -> None:
    assert cueline.to_mido(cueline.from_mido(mido.Message("clock", time=3))).time == 0
    assert cueline.from_mido(mido.Message("note_on", note=60, velocity=0)) == cueline.NoteOff(60, 64)


def test_what_has_no_message_is_refused() -> None:
    refuse = cueline.from_mido
    with pytest.raises(cueline.ArgumentError, match=r"of at most three bytes, so not SysEx, got Message.*: leave"):
        refuse(mido.Message("sysex", data=(1, 2)))
    with pytest.raises(cueline.ArgumentTypeError, match=r"must be a mido\.Message, got MetaMessage.*: leave out meta"):
        refuse(mido.MetaMessage("set_tempo"))
    for wrong in (b"\xf8", None, cueline.NoteOn(1, 1)):
        with pytest.raises(cueline.ArgumentTypeError, match=r"must be a mido\.Message, got"):
            refuse(wrong)
    with pytest.raises(cueline.ArgumentTypeError, match="port must be an integer, got 'A'"):
        refuse(mido.Message("clock"), port="A")  # type: ignore[arg-type]
    with pytest.raises(cueline.ArgumentTypeError, match="must be a message of cueline, got 3"):
        cueline.to_mido(3)  # type: ignore[arg-type]
    for message in (cueline.GetLevel(), cueline.MidiBytes(0xF0), cueline.Message(1000)):
        with pytest.raises(
            cueline.ArgumentError, match=r"must be a NoteOn, NoteOff, .* or MidiBytes with values that MIDI has, got"
        ):
            cueline.to_mido(message)


def test_without_mido_the_error_says_how_to_get_it() -> None:
    program = (
        "import sys; sys.modules['mido'] = None\n"
        "import cueline\n"
        "print(cueline.MidiBytes(0xF8).data)\n"
        "for convert in (lambda: cueline.to_mido(cueline.NoteOff(1)), lambda: cueline.from_mido(1)):\n"
        "    try: convert()\n"
        "    except cueline.MissingPackageError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    data, *errors = done.stdout.splitlines()
    assert data == r"b'\xf8'"
    assert len(errors) == 2
    assert all("pip install 'cueline[midi]'" in error for error in errors)


NOTE_ON, NOTE_OFF, BEND = (cueline.dtype(kind) for kind in (cueline.NoteOn, cueline.NoteOff, cueline.PitchBend))
VOICE = np.dtype(
    [("note", np.int64), ("gain", np.float64), ("step", np.float64), ("bend", np.float64), ("phase", float)]
)


@numba.cfunc(cueline.HANDLE_SIGNATURE, error_model="numpy")
def play(command, frame, samplerate, events, cues, state):
    """Play the last note: a sine that begins at its zero, at the note's frame."""
    voice = numba.carray(state, 1, VOICE)[0]
    note = numba.carray(command, 1, NOTE_ON)[0]
    if note.kind == 128:
        voice.note = note.note
        voice.gain = note.velocity / 127
        voice.step = 2 * np.pi * 440 * 2 ** ((note.note - 69) / 12) / samplerate
        voice.phase = np.pi / 2
        return True
    if note.kind == 129:
        if note.note == voice.note:
            voice.gain = 0
        return True
    if note.kind == 131:
        voice.bend = numba.carray(command, 1, BEND)[0].value / 8192
        return True
    return False


@numba.cfunc(cueline.RENDER_SIGNATURE, error_model="numpy")
def synth(
    inputs, ins, outputs, outs, frames, frame, samplerate, parameters, arrays, meters, events, samples, buffers, state
):
    """Render the voice, two semitones up or down with the wheel."""
    voice = numba.carray(state, 1, VOICE)[0]
    sound = numba.carray(outputs, (outs, frames))
    for i in range(frames):
        for channel in range(outs):
            sound[channel, i] = voice.gain * np.sin(voice.phase)
        voice.phase += voice.step * 2 ** (voice.bend * 2 / 12)


def note_of(note: int, velocity: int, frames: int, bend: float = 0) -> npt.NDArray[np.float64]:
    """Return what the synthesizer plays of a note."""
    step = 2 * np.pi * 440 * 2 ** ((note - 69 + 2 * bend) / 12) / 48_000
    return velocity / 127 * np.sin(np.pi / 2 + step * np.arange(frames))


@pytest.mark.parametrize("blocksize", [1, 64, 1000])
def test_a_synthesizer_by_numba_plays_notes_at_their_frames(blocksize: int) -> None:
    processor = cueline.cfunc_processor(synth, play, state=np.zeros(1, VOICE))
    with cueline.AudioEngine("offline", processor=processor, outputs=1, blocksize=blocksize) as engine:
        engine.send(cueline.NoteOn(69, 127), at=100)
        engine.send(cueline.NoteOn(72, 64), at=333)  # the last note wins
        engine.send(cueline.NoteOff(69), at=400)  # and is not the one that ends here
        engine.send(cueline.NoteOff(72), at=777)
        engine.send(cueline.PitchBend(8191), at=800)
        engine.send(cueline.NoteOn(60, 100), at=900)
        engine.send(cueline.ControlChange(7, 127), at=901)
        heard = engine.render(1000)[:, 0]
        assert engine.stats().unhandled == 1
        assert engine.stats().cues.late == 0
    expected = np.zeros(1000)
    expected[100:333] = note_of(69, 127, 233)
    expected[333:777] = note_of(72, 64, 444)
    expected[900:] = note_of(60, 100, 100, 8191 / 8192)
    np.testing.assert_allclose(heard, expected, atol=1e-6)
    assert np.flatnonzero(heard)[0] == 100


def test_a_processor_answers_with_a_note_and_the_control_side_receives_it() -> None:
    """Both ways: a MIDI message is a command, and an event."""

    @numba.cfunc(cueline.HANDLE_SIGNATURE)
    def echo(command, frame, samplerate, events, cues, state):
        note = numba.carray(command, 1, NOTE_ON)[0]
        answer = numba.carray(events, 16, NOTE_ON)
        answer[0].kind = 128
        answer[0].note = note.note + 12
        answer[0].velocity = note.velocity
        answer[0].channel = note.channel
        answer[0].port = note.port
        return True

    processor = cueline.cfunc_processor(synth, echo, state=np.zeros(1, VOICE))
    with cueline.AudioEngine("offline", processor=processor) as engine:
        engine.send(cueline.NoteOn(48, 1, channel=3), at=77)
        engine.render(100)
        heard = engine.receive(cueline.NoteOn, timeout=0)
        assert heard is not None
        assert (heard.note, heard.velocity, heard.channel, heard.frame) == (60, 1, 3, 77)


def test_values_that_only_cpp_could_send_do_no_harm() -> None:
    odd = bend_of_a_processor(b"\xff\x7f\x01\x01")  # a bend of 32767
    assert odd.value == 32767
    with pytest.raises(cueline.ArgumentError, match=r"that MIDI has, got PitchBend\("):
        cueline.to_mido(odd)


def bend_of_a_processor(payload: bytes) -> Any:
    """Return a PitchBend that a processor sends with this payload."""
    processor = cueline.cfunc_processor(synth, raw, state=np.zeros(1, VOICE))
    with cueline.AudioEngine("offline", processor=processor) as engine:
        engine.send(cueline.Message(1000, payload))
        engine.render(64)
        return engine.receive_msg()


@numba.cfunc(cueline.HANDLE_SIGNATURE)
def raw(command, frame, samplerate, events, cues, state):
    """Send a pitch bend with the command's payload."""
    sent = numba.carray(command, 1, BEND)[0]
    if sent.kind != 1000:
        return False
    answer = numba.carray(events, 16, BEND)
    answer[0].kind = 131
    answer[0].value = sent.value
    answer[0].channel = sent.channel
    return True
