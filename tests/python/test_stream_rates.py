"""Streams at other sample rates than the engine's, and PCM data: exact samples, exact counts, no frame lost or doubled.

What streams convert is compared with what soxr makes of the whole at once. soxr 1.1 makes the same numbers; the
tolerance is for other versions.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

import cueline

TOLERANCE = 1e-6
RATE = 48_000
RATES = [8000, 16_000, 22_050, 24_000, 44_100, 47_999, 96_000]


def engine(outputs: int = 1) -> cueline.AudioEngine:
    return cueline.AudioEngine("offline", inputs=1, outputs=outputs, samplerate=RATE, blocksize=64, loopback=True)


@pytest.fixture
def looped() -> Iterator[cueline.AudioEngine]:
    with engine() as opened:
        yield opened


def noise(frames: int, channels: int = 1) -> Any:
    return np.random.default_rng(frames).uniform(-0.5, 0.5, (frames, channels)).astype(np.float32)


def at_once(samples: Any, rate: int, wanted: int) -> Any:
    return soxr.resample(samples, rate, wanted, quality="HQ")


def close(one: Any, other: Any) -> None:
    assert len(one) == len(other)
    np.testing.assert_allclose(one, other, rtol=0, atol=TOLERANCE)


chunks = st.lists(st.integers(0, 3000), min_size=1, max_size=12)


@settings(max_examples=60)
@given(rate=st.sampled_from(RATES), channels=st.sampled_from([1, 2]), sizes=chunks, ring=st.integers(1, 5000))
def test_what_is_written_in_pieces_is_played_as_if_converted_at_once(
    rate: int, channels: int, sizes: list[int], ring: int
) -> None:
    with engine(channels) as opened:
        playback = opened.open_playback(channels=channels, samplerate=rate, buffer_seconds=ring / RATE)
        samples = noise(sum(sizes), channels)
        played, first = [], 0
        for size in sizes:
            chunk = samples[first : first + size]
            first += size
            last, done = first == len(samples), 0
            while (done := done + playback.try_write(chunk[done:], last=last)) < len(chunk):
                assert playback.position().waiting > 0, "a full ring has frames to play"
                played.append(opened.render(playback.position().waiting // 2 + 1))
        played.append(opened.render(playback.position().waiting))
        close(np.concatenate(played), at_once(samples, rate, RATE))
        assert playback.accepted == len(samples)
        assert playback.position().underrun == 0
        assert playback.heard() == pytest.approx(len(samples), abs=rate / RATE)


@settings(max_examples=60)
@given(rate=st.sampled_from(RATES), frames=st.integers(0, 6000), sizes=st.lists(st.integers(1, 3000), min_size=1))
def test_what_is_read_in_pieces_is_what_was_recorded_and_converted_at_once(
    rate: int, frames: int, sizes: list[int]
) -> None:
    with engine() as opened:
        recording = opened.open_recording(source="outputs", samplerate=rate, at=100)
        playback = opened.open_playback()
        playback.write(noise(6200))
        recording.stop(at=100 + frames)
        outputs = opened.render(6200)[100 : 100 + frames]
        expected = at_once(outputs, RATE, rate) if frames else outputs
        found = np.empty((0, 1))
        for size in itertools.cycle(sizes):
            if len(found) == len(expected):
                break
            block = recording.read(size)
            assert block.frame == pytest.approx(100 + len(found) * RATE / rate, abs=0.5)
            assert block.lost == 0
            found = np.concatenate([found, block.samples])
        close(found, expected)
        with pytest.raises(cueline.StreamEnded):
            recording.read(1)


def test_each_end_begins_a_conversion_anew(looped: cueline.AudioEngine) -> None:
    playback = looped.open_playback(samplerate=24_000)
    first, second, third = noise(999), noise(500), noise(100)
    playback.write(first, last=True)
    playback.write(second)
    with pytest.raises(cueline.StreamTimeout):
        playback.drain(timeout=0)
    playback.write(third)
    playback.write([], last=True)
    assert playback.position().waiting == 2 * (999 + 500 + 100)
    close(looped.render(3198), np.concatenate([at_once(some, 24_000, RATE) for some in (first, second, third)]))


def test_nothing_of_a_cleared_speech_follows(looped: cueline.AudioEngine) -> None:
    playback = looped.open_playback(samplerate=24_000)
    old, new = noise(5000), noise(300)
    playback.write(old)
    looped.render(640)
    playback.clear()
    playback.write(new, last=True)
    outputs = looped.render(2000)
    close(outputs[64:664], at_once(new, 24_000, RATE))
    np.testing.assert_array_equal(outputs[664:], 0)
    position = playback.position()
    assert position.written == position.played + position.cleared
    assert position.cleared == 10_000 - 640 - 64
    assert playback.heard() == (640 + 64 + 600) / 2


def test_a_clear_at_a_frame_lets_all_before_it_be_played(looped: cueline.AudioEngine) -> None:
    playback = looped.open_playback(samplerate=24_000)
    old = noise(1000)
    playback.write(old)
    playback.clear(at=5000)
    close(looped.render(2000), at_once(old, 24_000, RATE))
    assert playback.position().underrun == 0


def test_a_full_ring_says_how_many_of_the_users_frames_it_took(looped: cueline.AudioEngine) -> None:
    playback = looped.open_playback(samplerate=16_000, buffer_seconds=0.05)
    samples = noise(10_000)
    with pytest.raises(cueline.Full) as full:
        playback.write(samples, last=True, timeout=0)
    done = full.value.accepted
    assert done == playback.accepted
    assert playback.capacity // 3 - 1 <= done <= playback.capacity // 3
    played = [looped.render(playback.position().waiting)]
    while done < len(samples):
        done += playback.try_write(samples[done:], last=True)
        played.append(looped.render(playback.position().waiting))
    close(np.concatenate(played), at_once(samples, 16_000, RATE))


def test_a_cancelled_write_loses_no_frame_and_repeats_none(looped: cueline.AudioEngine) -> None:
    playback = looped.open_playback(samplerate=24_000, buffer_seconds=0.05)
    samples = noise(20_000)

    async def cancel() -> None:
        writing = asyncio.ensure_future(playback.awrite(samples, last=True, timeout=600))
        while playback.accepted == 0:
            await asyncio.sleep(0)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing

    played = []
    while playback.accepted == 0 or playback.position().waiting > playback.capacity // 2:
        asyncio.run(cancel())
        played.append(looped.render(playback.position().waiting))
    done = playback.accepted
    while done < len(samples):
        done += playback.try_write(samples[done:], last=True)
        played.append(looped.render(playback.position().waiting))
    close(np.concatenate(played), at_once(samples, 24_000, RATE))


def test_a_clear_on_another_thread_waits_for_the_piece_that_is_being_converted(
    looped: cueline.AudioEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    playback = looped.open_playback(samplerate=24_000)
    convert = playback._converter.convert
    clear = threading.Thread(target=playback.clear)

    def interrupted(samples: Any) -> Any:
        made = convert(samples)
        if clear.ident is None:
            clear.start()
            clear.join(0.2)  # without a lock, it would be done now
        return made

    monkeypatch.setattr(playback._converter, "convert", interrupted)
    playback.write(noise(5000))
    clear.join()
    playback.write(noise(100), last=True)
    looped.render(64)  # the fade
    close(looped.render(200), at_once(noise(100), 24_000, RATE))
    assert playback.position().cleared == 10_000 - 64


def test_two_readers_share_a_recording_that_converts(looped: cueline.AudioEngine) -> None:
    recording = looped.open_recording(source="outputs", samplerate=16_000)
    looped.render(48_000)
    converter: Any = recording._converted._converter  # type: ignore[union-attr]
    convert = converter.convert
    inside: list[int] = []

    def convert_alone(samples: Any) -> Any:
        inside.append(1)
        assert len(inside) == 1, "soxr is not thread-safe"
        time.sleep(0.001)  # lets the other reader run
        inside.pop()
        return convert(samples)

    converter.convert = convert_alone
    counts: list[int] = []

    def read_some() -> None:
        for _ in range(20):
            block = recording.try_read(300)
            counts.append(0 if block is None else len(block.samples))

    readers = [threading.Thread(target=read_some) for _ in range(2)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert counts == [300] * 40


def test_a_dropped_recording_that_converts_is_closed_at_once(looped: cueline.AudioEngine) -> None:
    gc.collect()
    gc.disable()
    try:
        recording = looped.open_recording(source="outputs", samplerate=16_000)
        looped.render(128)
        del recording
        looped.render(128)
        assert looped.stats().streams == 0
    finally:
        gc.enable()


def test_record_returns_samples_at_the_rate_that_is_wanted() -> None:
    with cueline.AudioEngine("null", inputs=2, samplerate=RATE, blocksize=64) as running:
        assert running.record(1000 / RATE, samplerate=16_000).shape == (333, 2)
        assert running.record(1 / RATE, samplerate=1000).shape == (0, 2)


def test_without_a_conversion_accepted_counts_too(looped: cueline.AudioEngine) -> None:
    playback = looped.open_playback(samplerate=RATE, buffer_seconds=100 / RATE)
    assert (playback.samplerate, playback.try_write(noise(1000)), playback.accepted) == (RATE, 128, 128)


def lossy(opened: cueline.AudioEngine, rate: int, gaps: Any) -> tuple[cueline.Recording, list[cueline.Block], Any]:
    """Return a recording that ended with two gaps in it, its blocks and the outputs."""
    recording = opened.open_recording(source="outputs", samplerate=rate, buffer_seconds=4096 / RATE)
    playback = opened.open_playback()
    playback.write(noise(16_400))
    outputs = [opened.render(8192)]  # 4096 are lost
    blocks = recording.blocks(100, gaps=gaps)
    found = [next(blocks) for _ in range(5)]
    outputs.append(opened.render(8192))  # there is room for some
    recording.stop()
    opened.render(64)
    return recording, [*found, *blocks], np.concatenate(outputs)


@pytest.mark.parametrize("rate", [16_000, 44_100, 96_000])
def test_a_gap_is_zeros_before_the_conversion(looped: cueline.AudioEngine, rate: int) -> None:
    recording, blocks, outputs = lossy(looped, rate, "zeros")
    for gap in recording.gaps:
        outputs[gap.frame : gap.frame + gap.frames] = 0
    close(np.concatenate([block.samples for block in blocks]), at_once(outputs, RATE, rate))
    assert len(recording.gaps) == 2
    assert sum(block.lost for block in blocks) == recording.lost_frames == sum(gap.frames for gap in recording.gaps)
    assert [len(block.samples) for block in blocks[:-1]] == [100] * (len(blocks) - 1)
    assert [block.frame for block in blocks] == [round(number * 100 * RATE / rate) for number in range(len(blocks))]


@pytest.mark.parametrize("rate", [16_000, 44_100, 96_000])
def test_a_gap_begins_the_conversion_anew_if_it_splits_blocks(looped: cueline.AudioEngine, rate: int) -> None:
    recording, blocks, outputs = lossy(looped, rate, "split")
    after_gaps = [block for block in blocks if block.lost]
    assert [(block.frame - block.lost, block.lost) for block in after_gaps] == list(recording.gaps)
    assert sum(block.lost for block in blocks) == recording.lost_frames
    first, second = recording.gaps
    runs = [outputs[: first.frame], outputs[first.frame + first.frames : second.frame]]
    close(np.concatenate([block.samples for block in blocks]), np.concatenate([at_once(r, RATE, rate) for r in runs]))


def test_a_duration_is_in_seconds_at_any_rate(looped: cueline.AudioEngine) -> None:
    recording = looped.open_recording(source="outputs", samplerate=16_000)
    looped.render(9600)
    assert [len(block.samples) for block in recording.blocks(1000, duration=0.1)] == [1000, 600]


def test_a_file_is_saved_at_the_recordings_rate(looped: cueline.AudioEngine, tmp_path: Path) -> None:
    with looped.open_recording(source="outputs", samplerate=16_000) as recording:
        saving = recording.save(tmp_path / "take.wav", subtype="FLOAT")
        playback = looped.open_playback()
        playback.write(noise(5000))
        outputs = looped.render(5000)
    assert saving.frames == 1667
    samples, rate = soundfile.read(tmp_path / "take.wav", always_2d=True)
    assert rate == 16_000
    close(samples, at_once(outputs, RATE, 16_000))


def every_second(data: bytes) -> memoryview:
    """Return a view that is not contiguous."""
    return memoryview(bytes(byte for one in data for byte in (one, 255)))[::2]


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, every_second])
def test_pcm_data_is_played(kind: Any) -> None:
    numbers = np.array([[16384, -32768], [1, 0]], "<i2")
    with engine(2) as opened:
        playback = opened.open_playback(channels=2)
        playback.write(kind(numbers.tobytes()))
        playback.write(kind(b""), last=True)
        np.testing.assert_array_equal(opened.render(2), numbers / 32768)
        for length, rest in ((1, 1), (7, 3)):
            with pytest.raises(cueline.ArgumentError, match=rf"4 bytes .*2 channels\), got {length} .*last {rest} for"):
                playback.write(kind(bytes(length)))


def test_pcm_data_of_another_rate_is_converted(looped: cueline.AudioEngine) -> None:
    numbers = (noise(500) * 32767).astype("<i2")
    playback = looped.open_playback(samplerate=24_000)
    playback.write(numbers.tobytes(), last=True)
    close(looped.render(1000), at_once((numbers / 32768).astype(np.float32), 24_000, RATE))


def test_wrong_rates_and_samples_are_refused(looped: cueline.AudioEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in (999, 768_001):
        with pytest.raises(cueline.ArgumentError, match=f"samplerate must be from 1000 to 768000 Hz, got {wrong}"):
            looped.open_playback(samplerate=wrong)
        with pytest.raises(cueline.ArgumentError, match=f"samplerate must be from 1000 to 768000 Hz, got {wrong}"):
            looped.open_recording(samplerate=wrong)
    for channels in (0, 2, 65):
        with pytest.raises(cueline.ArgumentError, match=rf"channels .*got {channels}"):
            looped.open_playback(samplerate=24_000, channels=channels)
    playback = looped.open_playback(samplerate=24_000)
    with pytest.raises(cueline.ArgumentError, match=r"must hold finite numbers .*got nan at frame 1, channel 0"):
        playback.write([0, np.nan])
    assert playback.accepted == 0
    with pytest.raises(cueline.ArgumentError, match="24000 Hz cannot lend room"), playback.room(1):
        pass
    with pytest.raises(cueline.ArgumentError, match="16000 Hz cannot lend them"):
        looped.open_recording(samplerate=16_000).view(1).__enter__()
    with pytest.raises(cueline.ArgumentError, match="frames must be from 1 to 87381, what the buffer holds"):
        looped.open_recording(samplerate=16_000).read(10**6)
    monkeypatch.setitem(sys.modules, "soxr", None)
    looped.open_playback(samplerate=RATE)
    with pytest.raises(
        cueline.MissingPackageError, match=r"24000 Hz, and soxr.* converts it to 48000 Hz.*cueline\[files\]"
    ):
        looped.open_playback(samplerate=24_000)
    with pytest.raises(cueline.MissingPackageError, match=r"48000 Hz, and soxr, which converts it to 16000 Hz"):
        looped.open_recording(samplerate=16_000)
