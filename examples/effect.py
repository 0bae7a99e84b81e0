"""A delay with feedback, compiled by numba. Here it processes an array; it also runs live on a device."""

# ruff: noqa: ARG001, D103
# mypy: allow-untyped-defs, allow-untyped-calls
import sys

import numba
import numpy as np

import cueline

LONGEST = 48_000
MEMORY = np.dtype([("wet", np.float32, (2, LONGEST))])


@numba.cfunc(cueline.RENDER_SIGNATURE, error_model="numpy")
def render(
    inputs, ins, outputs, outs, frames, frame, samplerate, parameters, arrays, meters, events, samples, buffers, state
):
    dry = numba.carray(inputs, (ins, frames))
    wet = numba.carray(outputs, (outs, frames))
    delay, feedback = numba.carray(parameters, (2, frames))
    memory = numba.carray(state, 1, MEMORY)[0].wet
    for i in range(frames):
        before = frame + i - int(delay[i])
        for channel in range(min(outs, 2)):
            echo = memory[channel, before % LONGEST] if before >= 0 else 0.0
            sample = dry[min(channel, ins - 1), i] + feedback[i] * echo
            memory[channel, (frame + i) % LONGEST] = sample
            wet[channel, i] = sample


def effect():
    return cueline.cfunc_processor(
        render,
        state=np.zeros(1, MEMORY),
        parameters=[
            cueline.ParameterSpec("delay", 1, LONGEST - 1, default=12_000, unit="frames", ramp=0),
            cueline.ParameterSpec("feedback", 0, 0.9, default=0.5),
        ],
    )


click = np.zeros(48_000, np.float32)
click[0] = 1
with cueline.AudioEngine("offline", processor=effect(), inputs=1) as engine:
    heard = engine.render(96_000, audio=click)  # a second of silence follows the array
for echo in np.flatnonzero(heard[:, 0]):
    print(f"frame {echo}: {heard[echo, 0]}")

if "--live" in sys.argv:
    with cueline.AudioEngine(processor=effect(), inputs=1) as engine:
        print(f"{engine.device}: {engine.input_latency} + {engine.output_latency} frames of latency")
        input("Press Enter to end it. ")
