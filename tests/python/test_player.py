"""engine.play() and its voices: the samples against a reference in NumPy, and what is refused."""

from __future__ import annotations

import gc
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import cueline
from cueline import Status

FADE = 240  # 5 ms at 48 kHz


@pytest.fixture
def player() -> Iterator[cueline.AudioEngine]:
    with cueline.AudioEngine("offline", processor="player", outputs=2, samplerate=48_000, blocksize=64) as engine:
        yield engine


def noise(frames: int, channels: int = 1) -> Any:
    return np.random.default_rng(frames).uniform(-0.25, 0.25, (frames, channels)).astype(np.float32)


# A reference for the player, in double precision.


def kernel(taps: int, cutoff: float, fractions: Any) -> Any:
    """Return the coefficients of the windowed sinc for these fractions of a frame: one row for each."""
    times = np.arange(taps)[None, :] - (taps // 2 - 1) - np.asarray(fractions)[:, None]
    window = np.i0(9 * np.sqrt(np.clip(1 - (times / (taps / 2)) ** 2, 0, None))) / np.i0(9)
    rows = cutoff * np.sinc(cutoff * times) * window
    return rows / rows.sum(axis=1, keepdims=True)


def interpolated(unrolled: Any, positions: Any, rate: float) -> Any:
    """Return the values of the signal ``unrolled``, with silence around it, at these positions."""
    if rate <= 1:
        taps, cutoff = 32, 1.0
    else:
        taps, cutoff = 64, 2.0 ** -(min(np.ceil(4 * np.log2(rate)), 8) / 4)
    padded = np.pad(unrolled.astype(np.float64), ((taps, taps), (0, 0)))
    whole = np.floor(positions).astype(int)
    rows = kernel(taps, cutoff, positions - whole)
    windows = padded[whole[:, None] + np.arange(taps) - (taps // 2 - 1) + taps]
    values = (rows[:, :, None] * windows).sum(axis=1)
    if rate <= 1:
        exact = positions == whole
        values[exact] = padded[whole[exact] + taps]
    return values


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [0.25, 0.5, 0.7318115234375, 1.0, 1.5, 1.9375, 4.0, 5.5])
def test_a_voice_plays_what_a_windowed_sinc_gives(player: cueline.AudioEngine, rate: float, channels: int) -> None:
    sound = noise(3_000, channels)
    player.publish(0, sound)
    player.play(0, at=100, rate=rate, gain=0.5, start=10)
    heard = player.render(100 + int(3_000 / rate) + 100)
    frames = int(np.ceil((3_000 - 10) / rate))
    expected = np.zeros_like(heard, dtype=np.float64)
    expected[100 : 100 + frames] = 0.5 * interpolated(sound, 10 + rate * np.arange(frames), rate)
    assert np.abs(heard - expected).max() < 5e-6
    assert not heard[:100].any()
    assert not heard[100 + frames :].any()
    assert player.receive(cueline.BufferEnded, timeout=0).frame == 100 + frames


@pytest.mark.parametrize("rate", [0.7318115234375, 1.0, 1.9375])
def test_a_loop_plays_what_a_windowed_sinc_gives_of_the_endless_sound(player: cueline.AudioEngine, rate: float) -> None:
    sound = noise(1_000)
    player.publish(0, sound)
    player.play(0, rate=rate, loop=(200, 500))
    heard = player.render(4_000)
    unrolled = np.concatenate([sound[:500]] + [sound[200:500]] * 30)
    expected = interpolated(unrolled, rate * np.arange(4_000), rate)
    # On the first pass, the sound before the loop's end goes on in its start, as later.
    assert np.abs(heard - expected).max() < 5e-6
    assert player.receive_msg() is None


def test_rate_1_is_exact_and_so_is_the_sum(player: cueline.AudioEngine) -> None:
    one, other = noise(2_000), noise(1_500, 2)
    player.publish(0, one)
    player.play(0)
    player.play(other, at=300)
    heard = player.render(2_500)
    expected = np.zeros((2_500, 2), np.float32)
    expected[:2_000] += one
    expected[300:1_800] += other
    assert (heard == expected).all()


def test_samples_are_equal_at_every_block_size() -> None:
    heard = []
    for blocksize in (1, 7, 64, 512):
        with cueline.AudioEngine("offline", processor="player", blocksize=blocksize, samplerate=48_000) as engine:
            engine.publish(0, noise(2_000))
            first = engine.play(0, at=10, rate=0.9, loop=(100, 1_111), choke_group=1)
            first.set(pan=0.5, rate=1.2, at=1_000)
            first.set(loop=(500, 700), at=2_000)
            engine.play(noise(3_000, 2), at=2_500, rate=1.7, gain=4)
            engine.play(0, at=3_333, choke_group=1, rate=0.3)
            heard.append(engine.render(6_000))
    for other in heard[1:]:
        assert (other == heard[0]).all()


@pytest.mark.parametrize(("pan", "left", "right"), [(0, 1, 1), (-1, 1, 0), (1, 0, 1), (0.25, 0.75, 1), (-0.5, 1, 0.5)])
def test_pan_turns_the_other_side_down(player: cueline.AudioEngine, pan: float, left: float, right: float) -> None:
    player.play(np.full(100, 0.5), pan=pan)
    assert player.render(100)[50].tolist() == [0.5 * left, 0.5 * right]


def test_a_voice_is_set_and_stopped_at_frames(player: cueline.AudioEngine) -> None:
    player.publish(0, np.full(48_000, 0.5))
    voice = player.play(0, at=1_000)
    voice.set(gain=0.5, at=2_000)
    stopped = voice.stop(at=3_000)
    heard = player.render(4_000)[:, 0]
    assert (heard[1_000:2_001] == 0.5).all()
    assert (np.diff(heard[2_000 : 2_000 + FADE + 1]) < 0).all()
    assert (heard[2_000 + FADE : 3_001] == 0.25).all()
    assert heard[3_000 + FADE - 1] > 0
    assert not heard[3_000 + FADE :].any()
    assert voice.confirmation.result(0).frame == 1_000
    assert stopped.result(0).frame == 3_000
    assert voice.done()


def test_a_voice_starts_and_stops_at_beats(player: cueline.AudioEngine) -> None:
    player.timeline.tempo = 60
    voice = player.play(np.full(96_000, 0.5), at=cueline.Beat(0.5))
    voice.stop(at=cueline.Beat(1))
    heard = player.render(60_000)[:, 0]
    assert np.flatnonzero(heard)[[0, -1]].tolist() == [24_000, 48_000 + FADE - 1]
    assert voice.confirmation.result(0).frame == 24_000


def test_a_loop_ends_when_it_is_told_to(player: cueline.AudioEngine) -> None:
    sound = noise(1_000)
    player.publish(0, sound)
    voice = player.play(0, loop=True)
    voice.set(loop=False, at=1_500)
    heard = player.render(3_000)[:, :1]
    assert (heard[:1_500] == np.concatenate([sound, sound[:500]])).all()
    assert np.abs(heard[1_500:2_000] - sound[500:]).max() < 1e-6
    assert not heard[2_000:].any()
    assert voice.done()


def test_an_attack_and_a_release_belong_to_the_slot(player: cueline.AudioEngine) -> None:
    player.publish(3, np.full(48_000, 0.5))
    player.send(cueline.SetSlot(3, attack_s=0.01, release_s=0.1))
    voice = player.play(3)
    voice.stop(at=10_000)
    heard = player.render(20_000)[:, 0]
    assert np.abs(heard[:480] - 0.5 * np.arange(480) / 480).max() < 1e-6
    assert (heard[480:10_001] == 0.5).all()
    assert np.abs(heard[10_000:14_800] - 0.5 * (1 - np.arange(4_800) / 4_800)).max() < 1e-6
    assert not heard[14_800:].any()


def test_a_voice_that_has_ended_refuses_messages_and_no_loss_is_told(player: cueline.AudioEngine) -> None:
    voice = player.play(noise(100))
    late = voice.set(gain=0.5, at=200)
    later = voice.stop(at=300)
    player.render(400)
    for confirmation in (late, later):
        with pytest.raises(cueline.RefusedError, match=r"the processor refused it: ENDED$") as refused:
            confirmation.result(0)
        assert refused.value.name == "ENDED"
        assert refused.value.reason == 256
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        player.close()


def test_voices_wait(player: cueline.AudioEngine) -> None:
    voice = player.play(noise(1_000), at=500)
    assert repr(voice) == "<cueline.Voice 1, not begun>"
    assert not voice.done()
    assert voice.wait(0) is False
    player.render(1_000)
    assert not voice.done()
    assert repr(voice) == "<cueline.Voice 1, plays>"
    assert voice.wait(0.001) is False
    rendering = threading.Thread(target=player.render, args=(1_000,))
    rendering.start()
    assert voice.wait(timeout=60) is True
    rendering.join()
    assert voice.done()
    assert voice.wait(0) is True
    assert repr(voice) == "<cueline.Voice 1, ended>"
    player.close()
    assert repr(voice) == "<cueline.Voice 1, ClosedError>"


def test_a_voice_that_never_began_says_why(player: cueline.AudioEngine) -> None:
    voice = player.play(noise(1_000), at=5_000)
    voice.confirmation.cancel()
    player.render(64)
    with pytest.raises(cueline.RefusedError, match="it was cancelled"):
        voice.wait(0)
    assert voice.done()
    assert "refused: CANCELLED" in repr(voice)
    assert player.stats().buffers.in_use == 0


def at_each_block_size(use: Callable[[cueline.AudioEngine], Any]) -> list[tuple[bytes, Any]]:
    """Return the sound and what ``use`` returns, at four block sizes."""
    found = []
    for blocksize in (1, 7, 64, 512):
        with cueline.AudioEngine("offline", processor="player", outputs=1, blocksize=blocksize) as engine:
            use(engine)
            sound = engine.render(2400).tobytes()
            ended = [(one.sequence, one.frame) for one in engine.messages() if isinstance(one, cueline.BufferEnded)]
            found.append((sound, sorted(ended)))
    return found


def test_a_buffer_is_gone_for_all_voices_at_one_frame() -> None:
    sound = noise(1000)

    def one_loop_ends_while_it_fades(engine: cueline.AudioEngine) -> None:
        engine.play(sound, loop=True).set(loop=False, at=1950)

    def two_voices_share_a_buffer(engine: cueline.AudioEngine) -> None:
        handle = engine.load_buffer(sound)
        engine.send(cueline.PlayBuffer(handle=handle, unload=True))
        engine.send(cueline.PlayBuffer(handle=handle, loop=True, gain=0.5))

    found = at_each_block_size(one_loop_ends_while_it_fades)
    assert found == [found[0]] * 4
    found = at_each_block_size(two_voices_share_a_buffer)
    assert found == [found[0]] * 4
    assert found[0][1] == [(1, 1000), (2, 1000)]


def test_loops_that_move_all_the_time_are_no_louder(player: cueline.AudioEngine) -> None:
    voice = player.play(np.full(48_000, 0.5, np.float32), loop=(0, 40_000))
    for block in range(100):
        voice.set(loop=(0, 40_000 + block % 2))
        assert player.render(64).max() < 0.503  # a fade stays for a frame before it begins


def test_a_longer_buffer_is_read_before_its_loop(player: cueline.AudioEngine) -> None:
    sound = np.zeros(3000, np.float32)
    sound[1000:2000] = -0.9
    player.publish(0, np.zeros(100, np.float32))
    player.play(0, rate=0.5, loop=(1000, 2000))  # all of this buffer loops
    player.render(256)
    player.publish(0, sound)
    assert not player.render(512)[300:].any()


def test_a_gain_that_is_no_number_is_refused(player: cueline.AudioEngine) -> None:
    voice = player.play(noise(100))
    for name in ("gain", "pan", "rate"):
        with pytest.raises(cueline.ArgumentError, match=f"{name} must be a number, got nan: leave it out"):
            voice.set(**{name: float("nan")})


def test_a_stop_before_the_start_lets_the_voice_never_begin(player: cueline.AudioEngine) -> None:
    sound = noise(4000)
    player.render(1)  # over the first bar line
    for at in (player.now() + 960, cueline.Beat(30), cueline.next_bar()):
        voice = player.play(sound, at=at, loop=True)
        stopped = voice.stop()
        assert not player.render(200_000).any()
        with pytest.raises(cueline.RefusedError, match="it was cancelled"):
            voice.confirmation.result(0)
        with pytest.raises(cueline.RefusedError, match="ENDED"):
            stopped.result(0)
    assert player.stats().buffers.in_use == 0, "the arrays were unloaded"


def test_a_voice_takes_no_other_attributes_and_does_not_wait_for_ever_offline(player: cueline.AudioEngine) -> None:
    voice = player.play(noise(100))
    with pytest.raises(AttributeError):
        voice.pan = 0.5  # type: ignore[attr-defined]
    with pytest.raises(cueline.DeviceError, match=r"wait\(\) would wait for ever: .* call render\(\) first"):
        voice.wait()
    player.render(200)
    assert voice.wait()


def test_the_oldest_voice_makes_room_and_is_counted() -> None:
    with cueline.AudioEngine("offline", processor=cueline.player_processor(4, 2), outputs=1) as engine:
        assert engine.buffer_slots == 4
        engine.publish(0, np.full(48_000, 0.25))
        voices = [engine.play(0, at=at) for at in (10, 20, 1_000)]
        heard = engine.render(2_000)[:, 0]
        assert heard[1_000] == 0.75
        assert heard[1_000 + FADE] == 0.5
        assert voices[0].done()
        assert not voices[1].done()
        assert engine.meters["voices"] == (2, 1)
        assert engine.meters["voices"].stolen == 1


def test_an_array_is_unloaded_when_its_voice_has_ended(player: cueline.AudioEngine) -> None:
    for _ in range(300):  # more than can be loaded at once
        player.play(noise(50))
        player.render(64)
    assert player.stats().buffers.in_use == 0
    stopped = player.play(noise(48_000))
    assert player.stats().buffers.in_use == 1
    player.render(64)
    stopped.stop()
    player.render(1_000)
    assert player.stats().buffers.in_use == 0


def test_an_array_of_another_rate_is_converted(player: cueline.AudioEngine) -> None:
    pytest.importorskip("soxr")
    player.play(0.5 * np.sin(2 * np.pi * 1_000 * np.arange(24_000) / 24_000), samplerate=24_000)
    heard = player.render(48_000)[:, 0]
    expected = 0.5 * np.sin(2 * np.pi * 1_000 * np.arange(48_000) / 48_000)
    assert np.abs(heard - expected)[12_000:-12_000].max() < 1e-6


def test_a_play_without_room_raises_full_and_leaves_nothing_loaded(player: cueline.AudioEngine) -> None:
    while player.ping() is Status.OK:
        pass
    with pytest.raises(cueline.Full):
        player.play(0)
    with pytest.raises(cueline.Full):
        player.play(noise(100))
    assert player.stats().buffers.in_use == 1, "there was no room to unload it"
    player.render(64)
    player.play(noise(100))
    player.render(200)
    assert player.stats().buffers.in_use == 0


def test_the_limiter_holds_the_threshold(player: cueline.AudioEngine) -> None:
    player.parameters["threshold"] = 0.5
    for seed in range(10):
        player.play(4 * noise(4_000 + seed), at=1 + 100 * seed, gain=3)
    heard = player.render(6_000)
    assert np.abs(heard).max() == 0.5
    player.parameters["limiter"] = 0
    player.play(np.full(100, 3.0))
    assert player.render(100).max() == 3


def test_gain_and_meters(player: cueline.AudioEngine) -> None:
    player.parameters["gain"] = 0.5
    player.publish(5, np.full(48_000, 0.5))
    player.play(5)
    player.render(4_800)
    assert player.meters["peak"] == 0.25
    assert player.meters.array("slot")[5] == 0.5
    assert player.meters.array("slot").sum() == 0.5
    assert player.meters["voices"].playing == 1


Refusal = tuple[Callable[[cueline.AudioEngine], object], type[Exception], str]
REFUSED: dict[str, Refusal] = {
    "slot": (lambda e: e.play(128), cueline.ArgumentError, "slot must be from 0 to 127, got 128"),
    "negative slot": (lambda e: e.play(np.int64(-1)), cueline.ArgumentError, "slot must be from 0 to 127, got -1"),
    "gain": (lambda e: e.play(0, gain=4.5), cueline.ArgumentError, "gain must be from 0 to 4, got 4.5"),
    "pan": (lambda e: e.play([0.5], pan=-2), cueline.ArgumentError, "pan must be from -1 to 1, got -2"),
    "rate": (lambda e: e.play(0, rate=0), cueline.ArgumentError, "rate must be from 1e-06 to 64, got 0"),
    "start": (lambda e: e.play(0, start=-1), cueline.ArgumentError, "start must be from 0 to 4294967295, got -1"),
    "group": (lambda e: e.play(0, choke_group=70_000), cueline.ArgumentError, "choke_group must be from 0 to 65535"),
    "loop": (lambda e: e.play(0, loop=5), cueline.ArgumentTypeError, "loop must be True, False, or a pair of frames"),
    "empty loop": (lambda e: e.play(0, loop=(5, 5)), cueline.ArgumentError, r"before its end, got \(5, 5\)"),
    "rate of a slot": (lambda e: e.play(0, samplerate=44_100), cueline.ArgumentError, "samplerate must be None for a"),
    "no samples": (lambda e: e.play([]), cueline.ArgumentError, "array"),
    "text": (lambda e: e.play("loop.wav"), cueline.ArgumentTypeError, "array"),
    "set": (lambda e: e.play(0).set(gain=9), cueline.ArgumentError, "gain must be from 0 to 4, or nan, got 9"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_no_voice_can_play_is_refused(player: cueline.AudioEngine, what: str) -> None:
    play, error, text = REFUSED[what]
    with pytest.raises(error, match=text):
        play(player)
    player.render(64)
    assert player.stats().buffers.in_use == 0


@pytest.mark.parametrize(("slots", "voices"), [(0, 1), (2_049, 1), (1, 0), (1, 257)])
def test_a_player_of_an_impossible_size_is_refused(slots: int, voices: int) -> None:
    with pytest.raises(cueline.ArgumentError, match=r"must be from 1 to (2048|256), got"):
        cueline.player_processor(slots, voices)


def test_a_note_that_is_not_mapped_says_how_to_map_it(player: cueline.AudioEngine) -> None:
    with pytest.raises(
        cueline.ProcessorError, match=r"not NoteOn: map it: engine\.midi\.map\(cueline\.NoteOn\(60\), 0\)"
    ):
        player.send(cueline.NoteOn(60))
    player.close()


def test_only_the_player_plays() -> None:
    with cueline.AudioEngine("offline", processor="tone") as engine:
        with pytest.raises(cueline.ProcessorError, match=r"not PlayBuffer: use AudioEngine\(processor='player'\)"):
            engine.play(0)
        with pytest.raises(cueline.ProcessorError, match="load_buffer"):
            engine.play([0.5])


def test_a_voice_outlives_its_object_and_its_engine_ends_it() -> None:
    with cueline.AudioEngine("offline", processor="player", outputs=1) as engine:
        engine.play(np.full(1_000, 0.5))
        gc.collect()
        assert (engine.render(1_000) == 0.5).all()
        voice = engine.play(np.full(1_000, 0.5))
    with pytest.raises(cueline.ClosedError):
        voice.wait()
    with pytest.raises(cueline.ClosedError):
        voice.stop()
