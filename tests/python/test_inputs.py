"""Sound that comes in: an effect over an array, a passthrough, the loopback, and what is refused."""

# ruff: noqa: ARG001
from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pytest

import cueline
from conftest import eventually

DELAY = 100

Audio = npt.NDArray[np.float32]


def noise(frames: int, channels: int) -> Audio:
    return np.random.default_rng(frames).uniform(-1, 1, (frames, channels)).astype(np.float32)


@cueline.message(kind=403)
class SetFeedback:
    amount: cueline.f32


SET = cueline.dtype(SetFeedback)
ECHO = np.dtype([("feedback", np.float32), ("line", np.float32, (2, DELAY))])


@numba.cfunc(cueline.HANDLE_SIGNATURE)
def set_feedback(command, frame, samplerate, events, cues, state):
    numba.carray(state, 1, ECHO)[0].feedback = numba.carray(command, 1, SET)[0].amount
    return True


@numba.cfunc(cueline.RENDER_SIGNATURE, error_model="numpy")
def echo(
    inputs, ins, outputs, outs, frames, frame, samplerate, parameters, arrays, meters, events, samples, buffers, state
):
    """Delay with feedback: y[n] = x[n] + feedback * y[n - 100]."""
    dry = numba.carray(inputs, (ins, frames))
    wet = numba.carray(outputs, (outs, frames))
    own = numba.carray(state, 1, ECHO)[0]
    for channel in range(outs):
        for i in range(frames):
            place = (frame + i) % DELAY
            own.line[channel, place] = dry[channel, i] + own.feedback * own.line[channel, place]
            wet[channel, i] = own.line[channel, place]


@pytest.mark.parametrize("blocksize", [1, 16, 64, 100, 4096])
def test_an_effect_with_cues_is_exact_in_blocks_of_any_size(blocksize: int) -> None:
    audio = noise(6_000, 2)
    feedback = {0: 0.5, 150: 0.25, 151: -0.75, 4_096: 0.0}
    expected = audio.copy()
    for frame in range(DELAY, len(audio)):
        amount = np.float32(feedback[max(at for at in feedback if at <= frame)])
        expected[frame] = audio[frame] + amount * expected[frame - DELAY]

    state = np.zeros(1, ECHO)
    state["feedback"] = feedback[0]
    processor = cueline.cfunc_processor(echo, set_feedback, state=state)
    with cueline.AudioEngine("offline", processor=processor, inputs=2, blocksize=blocksize) as engine:
        for at, amount in feedback.items():
            if at > 0:
                engine.send(SetFeedback(amount), at=at)
        np.testing.assert_allclose(engine.render(audio=audio), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("blocksize", [16, 64, 100, 4096])
def test_passthrough_equals_its_input(blocksize: int) -> None:
    audio = noise(10_000, 3)
    with cueline.AudioEngine("offline", processor="passthrough", inputs=3, outputs=3, blocksize=blocksize) as engine:
        assert np.array_equal(engine.render(audio=audio), audio)


def test_one_input_goes_to_all_outputs_of_a_passthrough() -> None:
    audio = noise(100, 1)
    with cueline.AudioEngine("offline", processor="passthrough", inputs=1) as engine:
        assert np.array_equal(engine.render(audio=audio), np.hstack([audio, audio]))
        assert np.array_equal(engine.render(audio=audio[:, 0]), np.hstack([audio, audio])), "one dimension is one input"
        assert not engine.render(100).any(), "without audio, the input is silent"


@pytest.mark.parametrize("outputs", [0, 2])
@pytest.mark.parametrize("frames", [0, 1, 100, 299, 300, 301, 1_000])
def test_frames_may_be_more_or_fewer_than_the_audio_has(frames: int, outputs: int) -> None:
    audio = noise(300, 2)
    with cueline.AudioEngine("offline", processor="passthrough", inputs=2, outputs=outputs, blocksize=64) as engine:
        rendered = engine.render(frames, audio=audio)
        assert engine.now() == frames
    assert rendered.shape == (frames, outputs)
    expected = np.zeros((frames, 2), np.float32)
    expected[:300] = audio[:frames]
    assert np.array_equal(rendered, expected[:, :outputs])


@pytest.mark.parametrize(
    "audio",
    [noise(50, 2).astype(np.float64), np.asfortranarray(noise(50, 2)), noise(100, 4)[::2, ::2], [[0.5, -0.5]]],
    ids=["float64", "Fortran", "strided", "list"],
)
def test_audio_is_any_array_of_floats(audio: Any) -> None:
    with cueline.AudioEngine("offline", processor="passthrough", inputs=2) as engine:
        assert np.array_equal(engine.render(audio=audio), np.asarray(audio, np.float32))
        assert engine.render(audio=np.zeros((0, 2), np.float32)).shape == (0, 2)


def test_audio_that_does_not_fit_is_refused() -> None:
    engine = cueline.AudioEngine("offline", inputs=2)
    with pytest.raises(
        cueline.ArgumentError, match=r"audio must have shape \(frames, 2\), a channel for each input, got \(10, 3\)"
    ):
        engine.render(audio=noise(10, 3))
    with pytest.raises(cueline.ArgumentTypeError, match="audio must hold floats or int16, got int32: scale it"):
        engine.render(audio=np.zeros((10, 2), np.int32))
    with pytest.raises(cueline.ArgumentTypeError, match="needs a number of frames, audio for the inputs, or both"):
        engine.render()
    with pytest.raises(cueline.ArgumentError, match="this engine has no inputs for audio: make it with inputs=1"):
        cueline.AudioEngine("offline").render(audio=noise(10, 1))
    with pytest.raises(cueline.ArgumentError, match="takes no inputs from a device with a loopback"):
        cueline.AudioEngine("offline", inputs=1, loopback=True).render(audio=noise(10, 1))
    with pytest.raises(cueline.DeviceError, match="needs the offline device"):
        cueline.AudioEngine("null", inputs=1).render(audio=noise(10, 1))
    assert engine.now() == 0


def test_bad_samples_of_the_input_become_0_and_are_counted() -> None:
    audio = noise(200, 1)
    audio[[70, 75], 0] = np.nan, -np.inf
    with cueline.AudioEngine("offline", processor="passthrough", inputs=1, outputs=1, blocksize=64) as engine:
        assert np.array_equal(engine.render(audio=audio), np.nan_to_num(audio, nan=0, neginf=0))
        bad = engine.receive(cueline.NotFinite, timeout=0)
        assert (bad.frame, bad.inputs, bad.samples) == (70, 2, 0)
        assert (engine.stats().not_finite_inputs, engine.stats().not_finite) == (2, 0)


def test_an_engine_shows_its_channels_and_latencies() -> None:
    engine = cueline.AudioEngine("null", inputs=(3,), outputs=(1, 2, 5), blocksize=64)
    assert (engine.inputs, engine.outputs) == (1, 3)
    assert (engine.stats().inputs, engine.stats().outputs) == (1, 3)
    assert (engine.input_latency, engine.output_latency) == (0, 0)
    looped = cueline.AudioEngine("null", inputs=1, blocksize=64, loopback=True)
    assert (looped.input_latency, looped.output_latency) == (64, 0)


HEARD = np.dtype([("frames", np.int64), ("wrong", np.int64)])


@numba.cfunc(cueline.RENDER_SIGNATURE, error_model="numpy")
def numbers(
    inputs, ins, outputs, outs, frames, frame, samplerate, parameters, arrays, meters, events, samples, buffers, state
):
    """Play the frame's number, and count the inputs that are not the number of 64 frames ago."""
    heard = numba.carray(inputs, (ins, frames))
    played = numba.carray(outputs, (outs, frames))
    counts = numba.carray(state, 1, HEARD)[0]
    for i in range(frames):
        number = (frame + i) % 65_536
        for channel in range(outs):
            played[channel, i] = number
        expected = (frame + i - 64) % 65_536 if frame + i >= 64 else 0
        for channel in range(ins):
            counts.wrong += heard[channel, i] != expected
    counts.frames += frames


def test_the_null_devices_loopback_brings_each_output_back_one_block_later() -> None:
    counts = np.zeros(1, HEARD)
    processor = cueline.cfunc_processor(numbers, state=counts)
    with cueline.AudioEngine("null", processor=processor, inputs=2, blocksize=64, loopback=True) as engine:
        assert eventually(lambda: engine.stats().blocks > 200)
    assert counts["frames"][0] > 64 * 200
    assert counts["wrong"][0] == 0


def test_the_offline_loopback_counts_frames_though_blocks_are_shorter() -> None:
    counts = np.zeros(1, HEARD)
    processor = cueline.cfunc_processor(numbers, state=counts)
    with cueline.AudioEngine("offline", processor=processor, inputs=2, blocksize=64, loopback=True) as engine:
        for frames in (1, 63, 64, 200, 7, 1_000):
            engine.render(frames)
    assert counts["frames"][0] == 1_335
    assert counts["wrong"][0] == 0
