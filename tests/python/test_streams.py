"""Playbacks and recordings from Python: exact samples offline, waits that are steps, and what is refused."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import pytest

import cueline

RAMP = np.arange(1, 1001, dtype=np.float32) / 1024


@pytest.fixture
def looped() -> Iterator[cueline.AudioEngine]:
    """Return an engine that renders offline, and whose outputs come back as inputs a block of 64 frames later."""
    with cueline.AudioEngine("offline", inputs=1, outputs=1, blocksize=64, loopback=True) as engine:
        yield engine


def test_a_recording_has_what_was_played_at_its_frames(looped: cueline.AudioEngine) -> None:
    playback = looped.open_playback(start=False)
    recording = looped.open_recording(at=100 + 64)
    playback.write(RAMP, last=True)
    started = playback.start(100)
    recording.stop(100 + 64 + 1000)
    outputs = looped.render(2000)
    assert started.result(0).frame == 100
    np.testing.assert_array_equal(outputs[100:1100, 0], RAMP)
    block = recording.read(1000, timeout=0)
    assert (block.frame, block.lost) == (164, 0)
    np.testing.assert_array_equal(block.samples[:, 0], RAMP)
    with pytest.raises(cueline.StreamEnded, match="all of it was read"):
        recording.read(1)
    assert recording.position() == (164, 1164, 1000, 0)
    assert playback.position() == (2000, 1000, 1000, 0, 0, 0)


def test_frame_of_says_where_a_recording_has_what_a_playback_plays(looped: cueline.AudioEngine) -> None:
    playback = looped.open_playback(start=False)
    recordings = [looped.open_recording(source=source, start=False) for source in ("inputs", "outputs")]
    assert [recording.frame_of(playback, 100) for recording in recordings] == [164, 100]
    playback.write(RAMP)
    playback.start(100)
    for recording in recordings:
        recording.start(recording.frame_of(playback, 100))
    looped.render(2000)
    for recording in recordings:
        np.testing.assert_array_equal(recording.read(1000).samples[:, 0], RAMP)


def test_frame_of_refuses_what_is_no_playback_of_its_engine(looped: cueline.AudioEngine) -> None:
    recording = looped.open_recording()
    with cueline.AudioEngine("offline") as other, pytest.raises(cueline.ArgumentError, match="this recording's engine"):
        recording.frame_of(other.open_playback(), 0)
    with pytest.raises(cueline.ArgumentTypeError, match="playback must be a Playback, got 3"):
        recording.frame_of(3, 0)  # type: ignore[arg-type]
    with pytest.raises(cueline.ArgumentError, match="frame must be 0 or more, got -1"):
        recording.frame_of(looped.open_playback(), -1)


def test_outputs_are_recorded_as_the_device_gets_them(looped: cueline.AudioEngine) -> None:
    recording = looped.open_recording(source="outputs")
    looped.open_playback()  # dropped, and so closed
    kept = looped.open_playback(at=10)
    kept.write(RAMP)
    outputs = looped.render(500)
    np.testing.assert_array_equal(recording.read(500, timeout=0).samples, outputs)
    assert outputs[10, 0] == RAMP[0]


def test_clear_fades_out_and_keeps_what_is_written_after_it(looped: cueline.AudioEngine) -> None:
    playback = looped.open_playback()
    playback.write(np.ones(1000))
    looped.render(100)
    playback.clear(at=200)
    playback.write(np.full(50, 0.5), last=True)
    outputs = looped.render(300)[:, 0]
    np.testing.assert_array_equal(outputs[:100], 1)
    np.testing.assert_allclose(outputs[100:164], np.arange(64, 0, -1) / 65, rtol=1e-6)
    np.testing.assert_array_equal(outputs[164:214], 0.5)
    np.testing.assert_array_equal(outputs[214:], 0)
    position = playback.position()
    assert position == (400, 1050, 314, 736, 0, 0)
    assert position.written == position.played + position.cleared + position.waiting


@pytest.mark.parametrize("samplerate", [None, 24_000])
def test_clear_ends_a_write_that_waits_on_another_thread(looped: cueline.AudioEngine, samplerate: int | None) -> None:
    playback = looped.open_playback(buffer_seconds=1000 / 48_000, samplerate=samplerate)
    written: list[int] = []
    speech = np.ones(100_000)
    writer = threading.Thread(target=lambda: written.append(playback.write(speech, timeout=60)))
    writer.start()
    while playback.accepted == 0:  # it takes what there is room for, and waits for the rest
        time.sleep(0.001)
    playback.clear()
    writer.join()
    assert written == [playback.accepted]
    assert 0 < written[0] < len(speech)
    looped.render(64)  # the fade
    playback.write(np.full(10, 0.5), last=True, timeout=0)
    looped.render(1000)
    assert playback.position().waiting == 0


def test_an_underrun_is_counted_and_heals(looped: cueline.AudioEngine) -> None:
    playback = looped.open_playback()
    playback.write(RAMP[:10])
    looped.render(64)
    assert playback.position().underrun == 54
    playback.write(RAMP[:10], last=True)
    np.testing.assert_array_equal(looped.render(64)[:10, 0], RAMP[:10])
    assert playback.position().underrun == 54


def test_int16_samples_are_scaled(looped: cueline.AudioEngine) -> None:
    playback = looped.open_playback()
    playback.write(np.array([16384, -32768], np.int16))
    np.testing.assert_array_equal(looped.render(2)[:, 0], [0.5, -1])


def test_the_first_write_need_not_import_what_takes_long() -> None:
    program = (
        "import sys, cueline, numpy\n"
        "with cueline.AudioEngine('offline') as engine:\n"
        "    playback = engine.open_playback()\n"
        "    before = set(sys.modules)\n"
        "    playback.write(numpy.ones(10))\n"
        "    print(*(set(sys.modules) - before))\n"
    )
    written = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert "numpy" not in written.stdout


def test_gaps_are_zeros_or_split_blocks(looped: cueline.AudioEngine) -> None:
    recordings = [looped.open_recording(source="outputs", buffer_seconds=100 / looped.samplerate) for _ in range(2)]
    playback = looped.open_playback()
    playback.write(RAMP)
    outputs = looped.render(192)  # 128 frames fit
    for recording in recordings:
        assert recording.try_read(64).lost == 0
    outputs = np.concatenate([outputs, looped.render(64)])
    for recording in recordings:
        recording.stop()
    looped.render(64)
    zeros = np.concatenate([block.samples for block in recordings[0].blocks(50)])
    outputs[128:192] = 0
    np.testing.assert_array_equal(zeros, outputs[64:])
    split = list(recordings[1].blocks(50, gaps="split"))
    assert [(block.frame, len(block.samples), block.lost) for block in split] == [
        (64, 50, 0),
        (114, 14, 0),
        (192, 50, 64),
        (242, 14, 0),
    ]
    for recording in recordings:
        assert list(recording.gaps) == [cueline.Gap(128, 64)]
        assert recording.lost_frames == 64


def test_a_duration_ends_the_blocks(looped: cueline.AudioEngine) -> None:
    recording = looped.open_recording(source="outputs")
    looped.render(1000)
    blocks = list(recording.blocks(300, duration=800 / looped.samplerate))
    assert [len(block.samples) for block in blocks] == [300, 300, 200]


def test_blocks_that_are_left_early_leave_the_rest_to_the_next_call(looped: cueline.AudioEngine) -> None:
    recording = looped.open_recording(source="outputs", buffer_seconds=100 / looped.samplerate)
    looped.open_playback().write(RAMP)
    outputs = looped.render(192)  # 128 frames fit
    assert len(recording.read(128).samples) == 128
    outputs = np.concatenate([outputs, looped.render(64)])
    blocks = recording.blocks(50)
    first = next(blocks)
    assert (first.frame, len(first.samples), first.lost) == (128, 50, 50)
    del blocks
    second = recording.read(30)
    assert (second.frame, second.lost) == (192, 14)
    np.testing.assert_array_equal(second.samples, outputs[192:222])
    with pytest.raises(RuntimeError), recording.view(10):
        raise RuntimeError
    with recording.view(10) as third:
        np.testing.assert_array_equal(third.samples, outputs[222:232])
    np.testing.assert_array_equal(recording.read(100).samples, outputs[232:242])
    np.testing.assert_array_equal(recording.read(100, timeout=0).samples, outputs[242:])
    assert list(recording.gaps) == [cueline.Gap(128, 64)]


def test_offline_a_wait_without_an_end_raises_at_once(looped: cueline.AudioEngine) -> None:
    playback = looped.open_playback(buffer_seconds=100 / looped.samplerate)
    recording = looped.open_recording()
    with pytest.raises(cueline.DeviceError, match=r"would wait for ever.*render\(\)"):
        playback.write(RAMP)
    with pytest.raises(cueline.DeviceError, match="would wait for ever"):
        playback.drain()
    with pytest.raises(cueline.DeviceError, match="would wait for ever"):
        recording.read(1)
    with pytest.raises(cueline.DeviceError, match="would wait for ever"):
        looped.record(1)


def test_what_does_not_come_in_time_raises(looped: cueline.AudioEngine) -> None:
    playback = looped.open_playback(buffer_seconds=100 / looped.samplerate)
    recording = looped.open_recording()
    with pytest.raises(cueline.Full, match="no room for all frames") as full:
        playback.write(RAMP, timeout=0)
    assert full.value.accepted == 128
    assert playback.try_write(RAMP) == 0
    with pytest.raises(cueline.StreamTimeout, match="128 frames still wait after 0 s"):
        playback.drain(timeout=0)
    with pytest.raises(cueline.Empty, match="no frames within 0 s"):
        recording.read(1, timeout=0)
    assert recording.try_read(1) is None


def test_there_are_sixteen_streams_and_a_dropped_one_is_closed(looped: cueline.AudioEngine) -> None:
    assert looped.stats().streams == 0
    streams = [looped.open_playback() for _ in range(16)]
    assert looped.stats().streams == 16
    with pytest.raises(cueline.StreamsTakenError, match="all 16 streams are open"):
        looped.open_recording()
    streams[0].close()
    assert streams[0].closed
    with pytest.raises(cueline.ClosedError, match="this stream is closed"):
        streams[0].stop()
    streams.clear()
    looped.render(128)
    assert looped.stats().streams == 0
    assert len([looped.open_playback() for _ in range(16)]) == 16


def test_closing_a_stream_cancels_its_cues_and_frees_its_place() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", cueline.LossWarning)
        with cueline.AudioEngine("offline", inputs=1, outputs=1, blocksize=64) as engine:
            for _ in range(20):
                playback = engine.open_playback(at=5000)
                engine.render(64)
                playback.close()
                engine.render(64)
            playback = engine.open_playback()
            engine.render(64)
            cleared = playback.clear()
            playback.close()
            engine.render(5000)
            with pytest.raises(cueline.RefusedError, match="it was cancelled"):
                cleared.result(0)


def test_a_stream_is_made_once_and_one_that_never_was_says_so(looped: cueline.AudioEngine) -> None:
    with pytest.raises(cueline.ArgumentError, match="this playback exists already"):
        looped.open_playback().__init__(looped, 1, 1.0)  # type: ignore[misc]
    with pytest.raises(cueline.ArgumentError, match="this recording exists already"):
        looped.open_recording().__init__(looped, "inputs", 1, 1.0)  # type: ignore[misc]
    playback = cueline.Playback.__new__(cueline.Playback)
    recording = cueline.Recording.__new__(cueline.Recording)
    calls: list[Callable[[], object]] = [
        playback.start,
        playback.clear,
        playback.drain,
        lambda: playback.samplerate,
        recording.stop,
        recording.blocks,
        lambda: recording.gaps,
    ]
    for call in calls:
        with pytest.raises(cueline.ClosedError, match="was never made"):
            call()


def test_a_closed_stream_still_says_what_was_played_and_lost(looped: cueline.AudioEngine) -> None:
    with looped.open_recording(buffer_seconds=0) as recording, looped.open_playback() as playback:
        capacity = recording.capacity
        playback.write(RAMP, last=True)
        looped.render(capacity + 2000)
    assert playback.closed
    assert recording.closed
    looped.render(64)
    assert playback.position() == (capacity + 2000, 1000, 1000, 0, 0, 0)
    assert playback.heard() == 1000 - looped.output_latency
    assert recording.position() == (0, capacity + 2000, capacity, 2000)
    assert recording.lost_frames == 2000
    playback.close()
    assert playback.position().frame == capacity + 2000


def test_wrong_arguments_are_refused(looped: cueline.AudioEngine) -> None:
    with pytest.raises(cueline.ArgumentError, match=r"from 1 to 1 \(the engine's outputs\), got 2"):
        looped.open_playback(channels=2)
    with pytest.raises(cueline.ArgumentError, match="no recording 'speech': the processor has none, and the engine"):
        looped.open_recording(source="speech")
    with pytest.raises(cueline.ArgumentError, match=r"no playback 'gr\\udcff': the processor has none"):
        looped.open_playback(stream="gr\udcff")
    for wrong in (3, "", None, b"inputs"):
        with pytest.raises(cueline.ArgumentTypeError, match="source must be the name of a stream, got"):
            looped.open_recording(source=wrong)  # type: ignore[arg-type]
    with pytest.raises(cueline.ArgumentError, match=r"samples must have shape \(frames, 1\), got \(3, 2\)"):
        looped.open_playback().write(np.zeros((3, 2)))
    with pytest.raises(cueline.ArgumentError, match="what the buffer holds, got 2: open the recording with more"):
        looped.open_recording(buffer_seconds=0).read(2)
    with pytest.raises(cueline.ArgumentError, match=r"what the buffer holds, got 0$"):
        looped.open_recording().read(0)
    with (
        cueline.AudioEngine("offline") as deaf,
        pytest.raises(cueline.ArgumentError, match="no inputs: make it with inputs=1"),
    ):
        deaf.open_recording()


def test_streams_of_a_closed_engine_take_no_commands_and_can_still_be_read() -> None:
    with cueline.AudioEngine("offline", inputs=1) as engine:
        recording = engine.open_recording()
        engine.render(64)
    assert len(recording.try_read(100).samples) == 64
    with pytest.raises(cueline.ClosedError):
        recording.stop()
    del engine
    recording.close()


def test_a_view_lends_frames_of_the_ring_until_the_with_ends(looped: cueline.AudioEngine) -> None:
    recording = looped.open_recording(source="outputs", buffer_seconds=128 / looped.samplerate)
    playback = looped.open_playback()
    playback.write(RAMP)
    looped.render(100)
    with pytest.raises(KeyError), recording.view(60):
        raise KeyError
    with recording.view(60) as block:
        assert (block.frame, block.lost) == (0, 0)
        np.testing.assert_array_equal(block.samples[:, 0], RAMP[:60])
        assert not block.samples.flags.writeable
    looped.render(60)  # 28 frames fit up to the end of the ring, and the others are at its beginning
    with recording.view(100) as block:
        assert block.frame == 60
        np.testing.assert_array_equal(block.samples[:, 0], RAMP[60:128])
    with recording.view(32) as block:
        np.testing.assert_array_equal(block.samples[:, 0], RAMP[128:160])
    with pytest.raises(cueline.Empty), recording.view(1, timeout=0):
        pass
    looped.render(200)
    recording.stop()
    looped.render(64)
    assert recording.read(128).frame == 160
    with recording.view(1) as block:
        assert (block.frame, len(block.samples), block.lost) == (360, 0, 72)
    assert list(recording.gaps) == [cueline.Gap(288, 72)]
    with pytest.raises(cueline.StreamEnded), recording.view(1):
        pass


def test_what_is_lent_is_refused_if_the_ring_went_on_meanwhile(looped: cueline.AudioEngine) -> None:
    playback, recording = looped.open_playback(), looped.open_recording(source="outputs")
    with pytest.raises(cueline.ArgumentError, match="while room for others was lent"), playback.room(100):
        playback.write(RAMP[:50])
    assert playback.position().written == playback.accepted == 50
    looped.render(128)
    with pytest.raises(cueline.ArgumentError, match="while a view of them was lent"), recording.view(100):
        assert recording.read(50).frame == 0
    assert recording.read(50).frame == 50


def test_room_is_written_when_the_with_ends(looped: cueline.AudioEngine) -> None:
    playback = looped.open_playback(buffer_seconds=128 / looped.samplerate)
    with pytest.raises(KeyError), playback.room(100):
        raise KeyError
    with playback.room(100) as samples:
        samples[:, 0] = RAMP[: len(samples)]
    with playback.room(100, last=True) as samples:
        assert len(samples) == 28
        samples[:, 0] = RAMP[100:128]
    with pytest.raises(cueline.Full, match="no room"), playback.room(1, timeout=0):
        pass
    np.testing.assert_array_equal(looped.render(200)[:, 0], np.append(RAMP[:128], np.zeros(72)))
    assert playback.position() == (200, 128, 128, 0, 0, 0)
    assert playback.accepted == 128
    for frames in (0, 129):
        with pytest.raises(cueline.ArgumentError, match="frames must be from 1 to 128"), playback.room(frames):
            pass


def test_what_was_lent_outlives_its_stream_and_its_engine() -> None:
    with cueline.AudioEngine("offline", inputs=1, outputs=1, loopback=True) as engine:
        playback = engine.open_playback()
        recording = engine.open_recording(source="outputs")
        with playback.room(1000) as room:
            room[:, 0] = RAMP
        engine.render(1000)
        with recording.view(1000) as block:
            samples = block.samples
        playback.close()
        recording.close()
        engine.render(200)
    del playback, recording, engine, block
    gc.collect()
    _others = [
        np.full(size, 7, np.float32) for size in (2**12, 2**17, 2**18, 2**19) for _ in range(8)
    ]  # on free memory
    np.testing.assert_array_equal(samples[:, 0], RAMP)
    np.testing.assert_array_equal(room[:, 0], RAMP)


def test_a_running_engine_records_all_that_it_plays() -> None:
    with cueline.AudioEngine("null", inputs=1, outputs=1, blocksize=64, loopback=True) as engine:
        recording = engine.open_recording(buffer_seconds=60)
        with engine.open_playback(buffer_seconds=0.05) as playback:
            for _ in range(10):
                playback.write(RAMP)
            playback.drain()
            assert playback.position().played == 10_000
        recording.stop(at=engine.after(0)).result()
        samples = np.concatenate([block.samples for block in recording.blocks(512)])
    assert recording.lost_frames == 0
    np.testing.assert_array_equal(samples[samples != 0], np.tile(RAMP, 10))  # an underrun is zeros


def test_the_end_of_a_with_does_not_wait_for_a_playback_that_does_not_play() -> None:
    with cueline.AudioEngine("null") as engine:
        with engine.open_playback(start=False) as never_started:
            never_started.write(RAMP)
        with engine.open_playback() as stopped:
            stopped.stop().result(60)
            stopped.write(RAMP)
        with engine.open_playback(start=False) as cancelled:
            cancelled.write(RAMP)
            cancelled.start(engine.after(10_000))
            engine.cancel_all()
        with engine.open_playback(start=False) as later:
            later.write(RAMP)
            later.start(engine.after(0.05))
        assert [each.position().played for each in (never_started, stopped, cancelled, later)] == [0, 0, 0, 1000]


def test_a_wait_ends_if_the_start_was_cancelled(looped: cueline.AudioEngine) -> None:
    playback, recording = looped.open_playback(at=5000), looped.open_recording(at=5000)
    playback.write(RAMP)
    looped.cancel_all()
    looped.render(64)
    assert playback.try_write(RAMP) == 1000
    with pytest.raises(cueline.RefusedError, match="it was cancelled"):
        playback.drain(60)
    with pytest.raises(cueline.RefusedError, match="it was cancelled"):
        recording.read(1, timeout=60)
    for stream in (playback, recording):
        stream.start()
    looped.render(64)
    assert playback.position().played == len(recording.read(64).samples) == 64


def test_record_ends_if_its_cues_are_cancelled() -> None:
    with cueline.AudioEngine("null", inputs=1) as engine:
        refusals: list[object] = []

        def record() -> None:
            try:
                engine.record(1, at=engine.after(10_000))
            except cueline.RefusedError as error:
                refusals.append(error.reason)

        recorder = threading.Thread(target=record, daemon=True)
        recorder.start()
        while engine.stats().cues.pending < 1:
            time.sleep(0.001)
        engine.cancel_all()
        recorder.join(60)
        assert refusals == [cueline.Reason.CANCELLED]


def test_record_returns_as_many_frames_as_asked_for() -> None:
    with cueline.AudioEngine("null", inputs=2, blocksize=64) as engine:
        assert engine.record(1000 / engine.samplerate).shape == (1000, 2)


def test_record_returns_as_many_frames_if_its_beginning_has_passed() -> None:
    with cueline.AudioEngine("null", inputs=1, blocksize=64) as engine:
        engine.wait_until(4800)
        assert engine.record(2000 / engine.samplerate, at=3800).shape == (2000, 1)
        assert engine.record(2000 / engine.samplerate, at=1).shape == (2000, 1)
        assert engine.stats().cues.late == 2


def test_waiting_calls_let_other_threads_run_and_tasks_too() -> None:
    with cueline.AudioEngine("null", inputs=1, outputs=1, blocksize=64) as engine:
        recording = engine.open_recording()
        playback = engine.open_playback(buffer_seconds=0.02)
        found = []
        reader = threading.Thread(target=lambda: found.append(recording.read(4800)))
        reader.start()
        playback.write(np.zeros(4800))
        reader.join()
        assert len(found[0].samples) > 0

        async def both() -> int:
            block, _ = await asyncio.gather(recording.aread(2000), playback.awrite(np.zeros(2000)))
            return len(block.samples)

        assert asyncio.run(both()) > 0


def test_a_cancelled_read_loses_no_frame() -> None:
    with cueline.AudioEngine("null", inputs=1, blocksize=64) as engine:
        recording = engine.open_recording()

        async def cancel() -> None:
            reading = asyncio.ensure_future(recording.aread(100_000))
            while recording.position().recorded < 1000:
                await asyncio.sleep(0)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading

        asyncio.run(cancel())
        first = recording.position().first
        assert recording.read(1000).frame == first
