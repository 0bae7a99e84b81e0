"""Buffers from Python: what is accepted, what is refused, and that memory does not grow."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import cueline
from conftest import eventually, fill, sanitized
from cueline import Status
from cueline.samples import checked_samples


@pytest.fixture
def player() -> Iterator[cueline.AudioEngine]:
    with cueline.AudioEngine("offline", processor=cueline.player_processor(8), outputs=1, blocksize=64) as engine:
        yield engine


def in_use(engine: cueline.AudioEngine) -> int:
    return engine.stats().buffers.in_use


def test_a_buffer_comes_and_goes(player: cueline.AudioEngine) -> None:
    assert player.buffer_slots == 8
    assert player.publish(0, np.ones(1000, np.float32)) is Status.OK
    buffers = player.stats().buffers
    assert (buffers.in_use, buffers.published, buffers.refused, buffers.limit) == (1, 1, 0, 256)
    assert 4000 <= buffers.bytes < 4000 + 4096
    player.render(64)
    assert in_use(player) == 1
    assert player.publish(0, None) is Status.OK
    player.render(64)
    buffers = player.stats().buffers
    assert (buffers.in_use, buffers.bytes, buffers.published) == (0, 0, 1)
    assert player.stats().unhandled == 0


def test_too_many_under_way_are_refused_with_a_code(player: cueline.AudioEngine) -> None:
    for count in range(256):
        assert player.publish(count % 8, np.ones(4, np.float32)) is Status.OK
    assert player.publish(0, np.ones(4, np.float32)) is Status.NO_BUFFER
    assert player.stats().buffers.refused == 1
    player.render(64)
    assert in_use(player) == 8
    assert player.publish(0, np.ones(4, np.float32)) is Status.OK


def test_a_full_command_ring_refuses_with_a_code(player: cueline.AudioEngine) -> None:
    fill(player)
    dropped = player.stats().commands.dropped
    assert player.publish(0, np.ones(4, np.float32)) is Status.FULL
    assert player.publish(0, None) is Status.FULL
    assert player.stats().commands.dropped == dropped + 2
    assert in_use(player) == 0


@pytest.mark.parametrize("slot", [-1, 8, 9, 2**31, 2**62])
def test_a_slot_that_there_is_not_is_refused(player: cueline.AudioEngine, slot: int) -> None:
    for array in (np.ones(4, np.float32), None):
        with pytest.raises(cueline.ArgumentError, match=f"^slot must be from 0 to 7, got {slot}$"):
            player.publish(slot, array)


def test_a_slot_that_is_no_integer_is_refused(player: cueline.AudioEngine) -> None:
    with pytest.raises(cueline.ArgumentTypeError, match=r"^slot must be an integer, got 1\.5$"):
        player.publish(1.5, np.ones(4, np.float32))  # type: ignore[arg-type]


@pytest.mark.parametrize("processor", ["silence", "tone"])
def test_a_processor_without_slots_is_named(processor: str) -> None:
    engine = cueline.AudioEngine("offline", processor=processor)
    assert engine.buffer_slots == 0
    for array in (np.ones(4, np.float32), None):
        with pytest.raises(cueline.ProcessorError, match=f"'{processor}' has none: use .*'player'"):
            engine.publish(0, array)


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ((), r"shape \(frames,\) or \(frames, channels\), got \(\)$"),
        ((2, 3, 4), r"got \(2, 3, 4\)$"),
        ((0,), r"must not be empty, got shape \(0,\)"),
        ((10, 0), r"must not be empty, got shape \(10, 0\)"),
        ((2, 48_000), r"at most 1024 channels, got shape \(2, 48000\): .* transpose"),
    ],
)
def test_a_wrong_shape_is_refused(player: cueline.AudioEngine, shape: tuple[int, ...], text: str) -> None:
    with pytest.raises(cueline.ArgumentError, match=text):
        player.publish(0, np.ones(shape, np.float32))


def test_more_samples_than_there_may_be_are_refused(player: cueline.AudioEngine) -> None:
    endless = np.broadcast_to(np.float32(1), (2**30, 2))  # of four bytes
    with pytest.raises(cueline.ArgumentError, match=r"at most 2147483647 samples, got 2147483648$"):
        player.publish(0, endless)


@pytest.mark.parametrize("dtype", ["int32", "uint8", "bool", "complex64", "U3", "object"])
def test_what_is_no_float_is_refused(player: cueline.AudioEngine, dtype: str) -> None:
    with pytest.raises(cueline.ArgumentTypeError, match="must hold floats or int16, got "):
        player.publish(0, np.ones(4).astype(dtype))
    with pytest.raises(cueline.ArgumentTypeError, match="int32: scale it to floats"):
        player.publish(0, np.ones(4, np.int32))


def test_a_masked_array_is_refused_with_the_way_out(player: cueline.AudioEngine) -> None:
    """Its masked samples would sound."""
    masked = np.ma.masked_greater(np.array([0.5, 1e9], np.float32), 1)
    with pytest.raises(cueline.ArgumentTypeError, match=r"array must not be masked.*use array\.filled\(0\)"):
        player.publish(0, masked)
    assert player.publish(0, masked.filled(0)) == cueline.Status.OK


def test_what_is_no_array_is_refused(player: cueline.AudioEngine) -> None:
    with pytest.raises(cueline.ArgumentTypeError, match="must be an array of floats, got "):
        player.publish(0, [[1.0], [1.0, 2.0]])
    with pytest.raises(cueline.ArgumentTypeError, match="must hold floats or int16, got "):
        player.publish(0, "sound")  # type: ignore[arg-type]
    with pytest.raises(cueline.ArgumentTypeError, match=r"must hold floats or int16, got range\(0, 1000000000000\)"):
        player.publish(0, range(10**12))  # NumPy would make all of its numbers


def test_floats_of_other_widths_are_rounded_and_too_great_ones_refused(player: cueline.AudioEngine) -> None:
    for dtype in (np.float16, np.float64, np.longdouble, ">f4"):
        samples = checked_samples(np.full(4, 0.1, dtype))
        assert samples.dtype == np.float32
        assert samples[0, 0] == np.float32(np.full(1, 0.1, dtype)[0])
    assert checked_samples([0.5, 1.0]).shape == (2, 1)
    with pytest.raises(cueline.ArgumentError, match=r"fit float32, up to 3\.4e\+38"):
        player.publish(0, np.array([1e39]))
    assert player.publish(0, np.array([np.nan, np.inf, 1e-300])) is Status.OK


def test_float32_is_not_copied_twice() -> None:
    samples = np.ones((100, 2), np.float32)
    assert checked_samples(samples) is samples


@pytest.mark.parametrize("kind", ["read only", "strided", "transposed", "reversed", "list"])
def test_any_layout_will_do(player: cueline.AudioEngine, kind: str) -> None:
    samples: npt.NDArray[np.float32] = np.arange(12, dtype=np.float32)
    samples.flags.writeable = False
    layouts: dict[str, npt.ArrayLike] = {
        "read only": samples,
        "strided": samples[::3],
        "transposed": samples.reshape(2, 6).T,
        "reversed": samples[::-1],
        "list": samples.tolist(),
    }
    assert player.publish(0, layouts[kind]) is Status.OK
    assert (
        checked_samples(layouts[kind]) == np.asarray(layouts[kind]).reshape(len(np.asarray(layouts[kind])), -1)
    ).all()


def test_a_closed_engine_refuses_and_holds_nothing(player: cueline.AudioEngine) -> None:
    for slot in range(8):
        player.publish(slot, np.ones(1000))
    player.render(64)
    player.publish(0, np.ones(1000))
    player.close()
    assert player.stats().buffers.bytes == 0
    assert in_use(player) == 0
    with pytest.raises(cueline.ClosedError):
        player.publish(0, np.ones(4))


def test_the_player_plays_at_the_sample_and_tells_when_it_ended(player: cueline.AudioEngine) -> None:
    sound = np.linspace(0.1, 0.9, 1000, dtype=np.float32)
    player.publish(3, sound)
    player.send(cueline.PlayBuffer(slot=3, gain=0.5), at=100)
    audio = player.render(2000)[:, 0]
    assert not audio[:100].any()
    assert (audio[100:1100] == sound * np.float32(0.5)).all()
    assert not audio[1100:].any()
    ended = player.receive(timeout=0)
    assert isinstance(ended, cueline.BufferEnded)
    assert (ended.slot, ended.frame, ended.sequence) == (3, 1100, 2)


def test_a_loop_plays_until_it_is_stopped(player: cueline.AudioEngine) -> None:
    sound = np.linspace(0.1, 0.9, 100, dtype=np.float32)
    player.publish(0, sound)
    player.send(cueline.PlayBuffer(slot=0, loop=True))
    player.send(cueline.StopBuffer(slot=0), at=500)
    audio = player.render(2000)[:, 0]
    assert (audio[:500] == np.tile(sound, 5)).all()
    assert audio[500:739].all()
    assert not audio[740:].any()
    assert player.receive_msg() is None


def test_a_buffer_is_swapped_at_a_frame(player: cueline.AudioEngine) -> None:
    player.publish(0, np.full(4800, 0.25))
    player.send(cueline.PlayBuffer(slot=0))
    player.publish(0, np.full(4800, 0.5), at=1000)
    player.publish(0, None, at=3000)
    audio = player.render(4000)[:, 0]
    assert (audio[:1001] == np.float32(0.25)).all()
    assert (np.diff(audio[1000:1241]) > 0).all(), "it fades in 240 frames"
    assert (audio[1240:3000] == np.float32(0.5)).all()
    assert (np.diff(audio[3000:3240]) < 0).all()
    assert not audio[3240:].any()
    assert in_use(player) == 0


def test_a_buffer_that_is_dropped_or_cancelled_comes_back(player: cueline.AudioEngine) -> None:
    player.render(100)
    player.publish(0, np.ones(4), at=1, late="drop")
    player.publish(0, np.ones(4), at=10_000)
    player.publish(0, np.ones(4), at=10_000)
    assert in_use(player) == 3
    player.render(64)
    assert in_use(player) == 2
    player.cancel_all()
    player.render(64)
    assert in_use(player) == 0
    assert player.stats().cues.cancelled == 2


@pytest.mark.parametrize(
    ("options", "text"),
    [({"at": -1}, "at must be a frame"), ({"late": "never"}, "late must be 'apply' or 'drop'")],
)
def test_a_wrong_delivery_is_refused(player: cueline.AudioEngine, options: dict[str, Any], text: str) -> None:
    for array in (np.ones(4), None):
        with pytest.raises(cueline.ArgumentError, match=text):
            player.publish(0, array, **options)
    assert in_use(player) == 0


def test_any_thread_may_publish() -> None:
    accepted = []
    with cueline.AudioEngine("null", processor="player") as engine:

        def publish_some() -> None:
            sizes = (10, 40_000)  # with the GIL, and without
            accepted.append(sum(engine.publish(n % 8, np.ones(sizes[n % 2])) is Status.OK for n in range(50)))

        threads = [threading.Thread(target=publish_some) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert eventually(lambda: in_use(engine) == 8)
        assert engine.stats().buffers.published == sum(accepted)
        assert engine.stats().unhandled == 0


def memory_kib() -> int:
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields["VmRSS"].split()[0]) + int(fields["VmLck"].split()[0])


measures_memory = pytest.mark.skipif(sanitized, reason="the sanitizer keeps what is freed as long as it likes")


@measures_memory
def test_memory_stays_where_it_was(player: cueline.AudioEngine) -> None:
    sounds = [np.full((frames, 2), 0.5, np.float32) for frames in (100, 1000, 10_000, 48_000)]

    def swap(times: int) -> None:
        for count in range(times):
            assert player.publish(count % 8, sounds[count % 4]) is Status.OK
            if count % 20 == 19:
                player.render(1)
        for slot in range(8):
            player.publish(slot, None)
        player.render(1)
        assert in_use(player) == 0

    swap(500)
    gc.collect()
    before = memory_kib()
    swap(2000)
    gc.collect()
    # 2000 buffers are 230 MB: a leak of one in fifty would show.
    assert memory_kib() < before + 4096


@measures_memory
def test_the_check_of_memory_sees_buffers_that_are_kept(player: cueline.AudioEngine) -> None:
    sound = np.ones((48_000, 2), np.float32)
    before = memory_kib()
    for _ in range(100):  # 37 MB: more than an allocator may keep free
        assert player.publish(0, sound) is Status.OK
    assert memory_kib() > before + 4096
