"""A synthesizer for a MIDI keyboard, compiled by numba. A note sounds at its frame, whatever Python does meanwhile."""

# ruff: noqa: ARG001, D103
# mypy: allow-untyped-defs, allow-untyped-calls
import sys

import numba
import numpy as np

import cueline

NOTE_ON, NOTE_OFF = 128, 129  # kinds of messages, and both have the same fields
NOTE = cueline.dtype(cueline.NoteOn)
KEYS = np.dtype([("pressed", np.float64, 128), ("level", np.float64, 128), ("phase", np.float64, 128)])


@numba.cfunc(cueline.HANDLE_SIGNATURE, error_model="numpy")
def handle(command, frame, samplerate, events, cues, state):
    note = numba.carray(command, 1, NOTE)[0]
    keys = numba.carray(state, 1, KEYS)[0]
    if note.kind in (NOTE_ON, NOTE_OFF):
        keys.pressed[note.note] = note.velocity / 127 if note.kind == NOTE_ON else 0.0
    return note.kind in (NOTE_ON, NOTE_OFF)


@numba.cfunc(cueline.RENDER_SIGNATURE, error_model="numpy")
def render(
    inputs, ins, outputs, outs, frames, frame, samplerate, parameters, arrays, meters, events, samples, buffers, state
):
    keys = numba.carray(state, 1, KEYS)[0]
    sound = numba.carray(outputs, (outs, frames))
    decay, bright = numba.carray(parameters, (2, frames))
    sound[:] = 0
    for key in range(128):
        if keys.pressed[key] == 0 and keys.level[key] < 1e-5:
            continue
        step = 440 * 2 ** ((key - 69) / 12) / samplerate
        for i in range(frames):
            seconds = 0.005 if keys.pressed[key] > keys.level[key] else decay[i]
            keys.level[key] += (keys.pressed[key] - keys.level[key]) / (seconds * samplerate)
            turn = 2 * np.pi * keys.phase[key]
            for channel in range(outs):
                sound[channel, i] += 0.15 * keys.level[key] * (np.sin(turn) + bright[i] * np.sin(2 * turn) / 2)
            keys.phase[key] = (keys.phase[key] + step) % 1


knobs = [cueline.ParameterSpec("decay", 0.01, 5, default=0.2), cueline.ParameterSpec("bright", 0, 1, default=0.5)]
synth = cueline.cfunc_processor(render, handle, state=np.zeros(1, KEYS), parameters=knobs)

if "--live" in sys.argv:  # all MIDI devices of the computer play it, by JACK
    with cueline.AudioEngine("jack", processor=synth, midi_inputs=1) as engine:
        input("Play. Press Enter to end it. ")
else:
    with cueline.AudioEngine("offline", processor=synth, outputs=1) as engine:
        for number, note in enumerate((57, 60, 64, 69)):  # a chord of A minor, from the bottom up
            engine.send(cueline.NoteOn(note, 100), at=cueline.Beat(number / 4))
            engine.send(cueline.NoteOff(note), at=cueline.Beat(2))
        sound = engine.render(96_000)[:, 0]
    print(f"it begins at frame {np.flatnonzero(sound)[0]}, and its loudest sample is {np.abs(sound).max():.3f}")
