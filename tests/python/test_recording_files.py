"""Recordings that are saved to sound files: exact samples, honest counts, and files that are valid in any case."""

from __future__ import annotations

import errno
import gc
import io
import re
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
from conftest import in_child

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


def limited(monkeypatch: pytest.MonkeyPatch, *, size: int | None = None, piece: int | None = None) -> list[io.FileIO]:
    """Let files be written up to ``size`` bytes, as on a full disk, and ``piece`` bytes at a time. Return them."""
    files: list[io.FileIO] = []

    class Limited(io.FileIO):
        def write(self, data: Any) -> int:
            room = len(data) if size is None else size - self.tell()
            if room <= 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(memoryview(data)[: min(room, piece or room)])

    def opened(path: str, mode: str, **_: object) -> io.FileIO:
        files.append(Limited(path, mode))
        return files[-1]

    monkeypatch.setattr("cueline.sound_writer.open", opened, raising=False)
    return files


def save_noise(engine: cueline.AudioEngine, path: Path, frames: int = 20_000) -> cueline.Saving:
    """Save noise, and return the saving after the close."""
    noise = np.random.default_rng(1).uniform(-0.9, 0.9, frames)
    with engine.open_recording(source="outputs") as recording, engine.open_playback() as playback:
        saving = recording.save(path)
        playback.write(noise, last=True)
        engine.render(frames)
        recording.stop()
        engine.render(64)
        saving.wait(timeout=60)
    return saving


@pytest.mark.parametrize("ending", ["wav", "aiff", "flac", "ogg", "mp3"])
def test_a_full_disk_is_an_error_even_if_only_the_last_byte_has_no_room(
    looped: cueline.AudioEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    if ending.upper() not in soundfile.available_formats():
        pytest.skip(f"this libsndfile has no {ending}")
    file = tmp_path / f"take.{ending}"
    save_noise(looped, file)
    size = file.stat().st_size
    for missing in (1, 100, size // 2):
        files = limited(monkeypatch, size=size - missing)
        with pytest.raises(
            OSError, match=rf"cannot write '.*take\.{ending}' after \d+ frames: No space left on device"
        ):
            save_noise(looped, file)
        assert [one.closed for one in files] == [True]
        assert file.stat().st_size <= size - missing


def test_a_full_disk_at_the_header_raises_what_open_raises(
    looped: cueline.AudioEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = limited(monkeypatch, size=10)
    recording = looped.open_recording(source="outputs")
    with pytest.raises(OSError, match="No space left on device") as caught:
        recording.save(tmp_path / "take.wav")
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path / "take.wav"))
    assert [one.closed for one in files] == [True]
    monkeypatch.undo()
    recording.save(tmp_path / "take.wav")


@pytest.mark.parametrize("ending", ["wav", "aiff", "caf", "w64"])
def test_after_an_error_the_file_has_the_frames_that_came_before_it(
    looped: cueline.AudioEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    files = limited(monkeypatch, size=30_000)
    with pytest.raises(OSError, match=r"after [1-9]\d* frames: No space") as caught:
        save_noise(looped, tmp_path / f"take.{ending}")
    assert len(files) == 1
    assert f"after {len(read(tmp_path / f'take.{ending}'))} frames" in str(caught.value)


def test_a_disk_that_writes_in_pieces_gets_the_whole_file(
    looped: cueline.AudioEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_noise(looped, tmp_path / "whole.flac")
    limited(monkeypatch, piece=1000)
    save_noise(looped, tmp_path / "pieces.flac")
    assert (tmp_path / "pieces.flac").read_bytes() == (tmp_path / "whole.flac").read_bytes()


def test_an_error_when_the_file_is_flushed_is_an_error(
    looped: cueline.AudioEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("os.fsync", failing)
    with pytest.raises(OSError, match="after 20000 frames: Input/output error"):
        save_noise(looped, tmp_path / "take.wav")


def test_the_limit_of_a_files_size_is_an_error(tmp_path: Path) -> None:
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
    assert re.match("cannot write .* after [0-9]+ frames: File too large", done.stdout), done.stdout + done.stderr


def test_a_forked_child_may_not_use_a_saving_and_the_parent_goes_on(
    looped: cueline.AudioEngine, tmp_path: Path
) -> None:
    with looped.open_recording(source="outputs") as recording:
        saving = recording.save(tmp_path / "take.flac")
        outputs = play(looped, 1000)

        def use_it() -> None:
            for use in (lambda: saving.done, saving.wait, lambda: saving.frames, lambda: saving.lost_frames):
                with pytest.raises(cueline.ForkedError, match=r"the parent process writes '.*take\.flac'"):
                    use()
            assert repr(saving).endswith("take.flac': ForkedError>")
            recording.close()

        assert in_child(use_it) == 0
    assert np.abs(read(tmp_path / "take.flac") - outputs).max() <= 2**-16


def test_a_forked_child_that_ends_leaves_the_file_and_its_losses_to_the_parent(tmp_path: Path) -> None:
    program = """
import os, sys, threading, time, warnings
import cueline
warnings.filterwarnings("ignore", message="[Tt]his process")
with cueline.AudioEngine("offline", outputs=1) as engine:
    recording = engine.open_recording(source="outputs")
    saving = recording.save(sys.argv[1])
    lossy = engine.open_recording(source="outputs", buffer_seconds=0.001)
    full = lossy.save(sys.argv[1] + ".wav")
    engine.render(1000)
    lossy.stop()
    engine.render(1000)
    while not full.done:
        time.sleep(0.001)
    child = os.fork()
    if child == 0:
        sys.stderr = sys.stdout
        print("child", flush=True)
        sys.exit()  # with all that runs at Python's end
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), full.lost_frames > 0, flush=True)
    engine.render(1000)
    recording.close()
    print(saving.frames)
"""
    file = tmp_path / "take.flac"
    done = subprocess.run(
        [sys.executable, "-c", program, file], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout.split(), done.stderr) == (["child", "0", "True", "3000"], "")
    assert len(read(file)) == 3000


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
        assert saving._file._sound.format == "RF64"
        looped.render(1000)
    assert soundfile.info(tmp_path / "take.wav").format == "WAVEX"


def test_vorbis_beyond_200_khz_which_crashes_libsndfile_is_refused(tmp_path: Path) -> None:
    older = tmp_path / "take.ogg"
    older.write_bytes(b"older")
    with cueline.AudioEngine("offline", outputs=1, samplerate=200_001) as engine:
        recording = engine.open_recording(source="outputs")
        for subtype in (None, "vorbis"):
            for name in ("take.ogg", "take.oga"):
                with pytest.raises(
                    cueline.ArgumentError, match=r"must be at most 200000 Hz, got 200001: .*\.wav.*samplerate=48_000"
                ):
                    recording.save(tmp_path / name, subtype=subtype)
        assert older.read_bytes() == b"older"
        with engine.open_recording(source="outputs", samplerate=48_000) as converted:
            converted.save(older)
            engine.render(1000)
        recording.save(tmp_path / "take.wav")
    with (
        cueline.AudioEngine("offline", outputs=1, samplerate=200_000) as engine,
        engine.open_recording(source="outputs") as recording,
    ):
        recording.save(older)
        engine.render(1000)
    assert soundfile.info(older).samplerate == 200_000


def test_alac_which_crashes_libsndfile_on_a_full_disk_is_refused(looped: cueline.AudioEngine, tmp_path: Path) -> None:
    recording = looped.open_recording(source="outputs")
    for subtype in ("ALAC_16", "alac_24"):
        with pytest.raises(cueline.ArgumentError, match=rf"must not be ALAC, got '{subtype}': .* Save a \.flac file"):
            recording.save(tmp_path / "take.caf", subtype=subtype)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, the names of files are Unicode")
def test_a_name_may_have_any_bytes(looped: cueline.AudioEngine, tmp_path: Path) -> None:
    file = tmp_path / "old\udc80.wav"
    file.write_bytes(b"older")
    save_noise(looped, file)
    assert cueline.load(file, samplerate=48_000).shape == (20_000, 1)


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
    for path in ("take", "take.txt", "take.raw", "take.sd2"):
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
