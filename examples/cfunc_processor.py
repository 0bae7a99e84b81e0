"""Write a processor in Python: numba compiles it, and the audio thread runs it without Python."""

# ruff: noqa: ARG001, D101, D103
# mypy: allow-untyped-defs, disable-error-code="attr-defined"
import numba
import numpy as np

import cueline


@cueline.message(kind=256)
class Strike:
    velocity: cueline.f64


@cueline.message(kind=257)
class Struck:
    velocity: cueline.f64


BELL, STRIKE, STRUCK = np.dtype([("phase", "f8"), ("level", "f8")]), cueline.dtype(Strike), cueline.dtype(Struck)


@numba.cfunc(cueline.HANDLE_SIGNATURE)
def handle(command, frame, samplerate, events, cues, state):  # on the audio thread, when a command applies
    strike = numba.carray(command, 1, STRIKE)[0]
    if strike.kind == 256:
        numba.carray(state, 1, BELL)[0].level = strike.velocity
        answer = numba.carray(events, 16, STRUCK)[0]
        answer.kind, answer.velocity = 257, strike.velocity
    return strike.kind == 256


@numba.cfunc(cueline.RENDER_SIGNATURE, error_model="numpy")
def render(
    inputs, ins, outputs, outs, frames, frame, samplerate, parameters, arrays, meters, events, samples, buffers, state
):
    sound = numba.carray(outputs, (outs, frames))
    frequency, bell = numba.carray(parameters, (1, frames)), numba.carray(state, 1, BELL)[0]
    for i in range(frames):
        bell.phase += frequency[0, i] / samplerate
        bell.level *= 0.9998
        for channel in range(outs):
            sound[channel, i] = bell.level * np.sin(2 * np.pi * bell.phase)
    numba.carray(meters, 8)[0] = bell.level


bell = cueline.cfunc_processor(
    render,
    handle,
    state=np.zeros(1, BELL),
    parameters=[cueline.ParameterSpec("frequency", 20, 20_000, default=660, unit="Hz")],
    meters=[cueline.MeterSpec("level")],
)
with cueline.AudioEngine("offline", processor=bell) as engine:
    engine.send(Strike(velocity=0.5), at=4800)
    audio = engine.render(9600)
    print(engine.receive(timeout=1), f"first sample at {np.flatnonzero(audio[:, 0])[0]}", engine.meters["level"])
