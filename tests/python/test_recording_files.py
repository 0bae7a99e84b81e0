"""Recordings that are saved to sound files: exact samples, honest counts, and files that are valid in any case."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import cueline

RAMP = np.arange(1, 1001, dtype=np.float32) / 1024


@pytest.fixture
def looped() -> Iterator[cueline.AudioEngine]:
    """Return an engine that renders offline, and whose outputs come back as inputs a block of 64 frames later."""
    with cueline.AudioEngine("offline", inputs=1, outputs=1, blocksize=64, loopback=True) as engine:
        yield engine


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Return an event that the disk waits for at each write: a slow disk."""
    gate, write = threading.Event(), soundfile.SoundFile.write

    def slow(self: Any, data: Any) -> None:
        gate.wait()
        write(self, data)

    monkeypatch.setattr(soundfile.SoundFile, "write", slow)
    return gate


def read(path: Path) -> Any:
    return soundfile.read(path, dtype="float32", always_2d=True)[0]


def play(engine: cueline.AudioEngine, frames: int) -> Any:
    """Play the ramp as long as the engine renders, and return the outputs."""
    playback = engine.open_playback(buffer_seconds=frames / engine.samplerate)
    playback.write(np.resize(RAMP, frames), last=True)
    return engine.render(frames)


@pytest.mark.parametrize(
    ("name", "subtype", "step"),
    [
        ("take.flac", None, 2**-16),
        ("take.flac", "PCM_24", 2**-24),
        ("take.wav", None, 2**-16),
        ("take.wav", "FLOAT", 0),
        ("take.wav", "PCM_32", 0),
        ("take.aif", "PCM_16", 2**-16),
        ("take.caf", "DOUBLE", 0),
    ],
)
def test_a_file_has_the_recorded_samples(
    looped: cueline.AudioEngine, tmp_path: Path, name: str, subtype: str | None, step: float
) -> None:
    recording = looped.open_recording(source="outputs", at=64)
    saving = recording.save(tmp_path / name, subtype=subtype)
    outputs = play(looped, 2000)
    recording.stop(at=2000)
    looped.render(64)
    saving.wait(timeout=60)
    assert saving.done
    assert (saving.frames, saving.lost_frames) == (1936, 0)
    assert np.abs(read(tmp_path / name) - outputs[64:]).max() <= step
    assert soundfile.info(tmp_path / name).samplerate == looped.samplerate


def test_a_file_of_sixteen_bits_has_the_nearest_numbers(looped: cueline.AudioEngine, tmp_path: Path) -> None:
    steps = np.array([0, 1, -1, 32767, -32768, 12345, 0.6, -0.6, 40_000, -40_000])
    with looped.open_recording(source="outputs") as recording:
        recording.save(tmp_path / "take.wav")
        looped.open_playback().write(steps / 32768)
        looped.render(10)
    expected = [0, 1, -1, 32767, -32768, 12345, 1, -1, 32767, -32768]
    np.testing.assert_array_equal(soundfile.read(tmp_path / "take.wav", dtype="int16")[0], expected)


def test_leaving_the_with_completes_the_file_also_after_an_exception(
    looped: cueline.AudioEngine, tmp_path: Path
) -> None:
    for error in (None, KeyError):
        outputs = np.empty(0)
        try:
            with looped.open_recording(source="outputs") as recording:
                saving = recording.save(tmp_path / "take.wav", subtype="FLOAT")
                outputs = play(looped, 1000)
                if error is not None:
                    raise error
        except KeyError:
            pass
        assert saving.done
        np.testing.assert_array_equal(read(tmp_path / "take.wav"), outputs)


@pytest.mark.parametrize("gaps", ["zeros", "split"])
def test_what_a_slow_disk_loses_is_counted(
    looped: cueline.AudioEngine, tmp_path: Path, gate: threading.Event, gaps: Any
) -> None:
    with looped.open_recording(source="outputs", buffer_seconds=128 / looped.samplerate) as recording:
        saving = recording.save(tmp_path / "take.wav", gaps=gaps, subtype="FLOAT")
        outputs = play(looped, 1000)
        lost = recording.lost_frames
        gate.set()
        with pytest.warns(cueline.LossWarning):
            recording.close()
        assert lost >= 1000 - 2 * 128  # at most the ring, and what the thread has taken
        assert saving.lost_frames == lost
    held = np.ones(1000, bool)
    for gap in recording.gaps:
        held[gap.frame : gap.frame + gap.frames] = False
    assert np.count_nonzero(~held) == lost
    expected = np.where(held[:, None], outputs, 0) if gaps == "zeros" else outputs[held]
    np.testing.assert_array_equal(read(tmp_path / "take.wav"), expected)
    assert saving.frames == len(expected)


def test_lost_frames_that_nobody_looked_at_give_one_warning(
    looped: cueline.AudioEngine, tmp_path: Path, gate: threading.Event
) -> None:
    recording = looped.open_recording(source="outputs", buffer_seconds=64 / looped.samplerate)
    saving = recording.save(tmp_path / "take.wav")
    looped.render(1000)
    gate.set()
    with pytest.warns(cueline.LossWarning, match=r"take\.wav' lacks.*more buffer_seconds") as warned:
        recording.close()
    assert [one.filename for one in warned] == [__file__]
    recording.close()
    saving.wait()


def test_what_nobody_heard_of_is_a_warning_when_the_recording_is_dropped(
    looped: cueline.AudioEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(*_: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr("cueline.saving.Saving._write", write)
    recording = looped.open_recording(source="outputs")
    saving = recording.save(tmp_path / "take.flac")
    looped.render(100)
    recording.stop()
    looped.render(64)
    while not saving.done:
        time.sleep(0.001)
    del recording, saving
    with pytest.warns(cueline.LossWarning, match=r"take\.flac' is incomplete, and nobody called wait.*no room"):
        gc.collect()


def test_a_duration_ends_the_file_and_the_recording_goes_on(looped: cueline.AudioEngine, tmp_path: Path) -> None:
    recording = looped.open_recording(source="outputs")
    saving = recording.save(tmp_path / "take.wav", duration=700 / looped.samplerate, subtype="FLOAT")
    outputs = play(looped, 1000)
    saving.wait(timeout=60)
    np.testing.assert_array_equal(read(tmp_path / "take.wav"), outputs[:700])
    assert recording.read(300, timeout=0).frame == 700


def test_a_file_is_complete_soon_after_its_engine_was_closed(tmp_path: Path) -> None:
    with cueline.AudioEngine("offline", outputs=1) as engine:
        saving = engine.open_recording(source="outputs").save(tmp_path / "take.wav", subtype="FLOAT")
        outputs = play(engine, 1000)
    saving.wait(timeout=60)
    np.testing.assert_array_equal(read(tmp_path / "take.wav"), outputs)


def test_errors_of_the_disk_reach_the_caller(
    looped: cueline.AudioEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise soundfile.LibsndfileError(2)

    monkeypatch.setattr(soundfile.SoundFile, "write", full)
    recording = looped.open_recording(source="outputs")
    saving = recording.save(tmp_path / "take.wav")
    looped.render(100)
    with pytest.raises(OSError, match=r"cannot write .*take\.wav' after 0 frames: \S"):
        recording.close()
    with pytest.raises(OSError, match="cannot write"):
        saving.wait()
    with looped.open_recording(source="outputs") as recording:  # does not raise it again
        saving = recording.save(tmp_path / "take.wav", duration=0.001)
        looped.render(100)
        with pytest.raises(OSError, match="cannot write"):
            saving.wait()
    with pytest.raises(KeyError), looped.open_recording(source="outputs") as recording:  # noqa: PT012
        recording.save(tmp_path / "take.wav")
        looped.render(100)
        raise KeyError


def test_any_error_of_the_thread_that_saves_reaches_the_caller(
    looped: cueline.AudioEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("cueline.saving.Saving._write", write)
    recording = looped.open_recording(source="outputs")
    recording.save(tmp_path / "take.flac")
    looped.render(100)
    with pytest.raises(MemoryError):
        recording.close()


def test_a_full_disk_is_an_error(tmp_path: Path) -> None:
    program = """
import resource, signal, sys
import cueline
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, 2**16))
with cueline.AudioEngine("offline", outputs=2) as engine:
    try:
        with engine.open_recording(source="outputs") as recording:
            recording.save(sys.argv[1], subtype="FLOAT")
            engine.render(48_000)
    except OSError as error:
        print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "take.wav"], capture_output=True, text=True, check=False
    )
    assert "cannot write" in done.stdout, done.stdout + done.stderr


def test_a_program_that_ends_without_a_close_leaves_a_valid_file(tmp_path: Path) -> None:
    program = """
import sys
import cueline
engine = cueline.AudioEngine("offline", outputs=1)
engine.start()
saving = engine.open_recording(source="outputs").save(sys.argv[1])
engine.render(1000)
"""
    subprocess.run([sys.executable, "-c", program, tmp_path / "take.flac"], check=True)
    assert soundfile.info(tmp_path / "take.flac").frames == 1000


def test_a_wav_file_may_grow_beyond_four_gib_and_is_no_rf64_file_if_it_does_not(
    looped: cueline.AudioEngine, tmp_path: Path
) -> None:
    with looped.open_recording(source="outputs") as recording:
        saving = recording.save(tmp_path / "take.wav")
        assert saving._file.format == "RF64"
        looped.render(1000)
    assert soundfile.info(tmp_path / "take.wav").format == "WAVEX"


def test_while_a_recording_is_saved_nothing_else_reads_it(looped: cueline.AudioEngine, tmp_path: Path) -> None:
    recording = looped.open_recording(source="outputs")
    saving = recording.save(tmp_path / "take.flac")
    for call in (
        lambda: recording.read(1),
        lambda: recording.try_read(1),
        lambda: recording.blocks(),
        lambda: recording.save(tmp_path / "other.flac"),
    ):
        with pytest.raises(cueline.ArgumentError, match=r"is being saved to '.*take\.flac': open another one"):
            call()
    assert not (tmp_path / "other.flac").exists()
    with pytest.raises(cueline.StreamTimeout, match="is not complete after 0 s"):
        saving.wait(timeout=0)
    with pytest.raises(cueline.DeviceError, match="would wait for ever"):
        saving.wait()


def test_wrong_paths_and_formats_are_refused_and_an_older_file_stays(
    looped: cueline.AudioEngine, tmp_path: Path
) -> None:
    older = tmp_path / "take.flac"
    older.write_bytes(b"older")
    recording = looped.open_recording(source="outputs")
    with pytest.raises(cueline.ArgumentError, match=r"subtype 'FLOAT'"):
        recording.save(older, subtype="FLOAT")
    assert older.read_bytes() == b"older"
    for path in ("take", "take.txt", "take.raw"):
        with pytest.raises(cueline.ArgumentError, match=r"path must end with the name of a format, .*\.flac"):
            recording.save(tmp_path / path)
    with pytest.raises(FileNotFoundError):
        recording.save(tmp_path / "nowhere" / "take.flac")
    with pytest.raises(IsADirectoryError):
        recording.save((tmp_path / "folder.flac").mkdir() or tmp_path / "folder.flac")
    with pytest.raises(cueline.ArgumentTypeError, match="path must be a string or a Path, got 3"):
        recording.save(3)  # type: ignore[arg-type]
    with pytest.raises(cueline.ArgumentError, match="gaps must be"):
        recording.save(older, gaps="none")  # type: ignore[arg-type]
    with pytest.raises(cueline.ArgumentError, match="duration must be"):
        recording.save(older, duration=-1)
    recording.close()
    with pytest.raises(cueline.ClosedError):
        recording.save(older)
    assert older.read_bytes() == b"older"
