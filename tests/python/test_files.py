"""Sound files and sample rates: what is loaded, what is converted, and what is refused, with the way out."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import cueline
from cueline import Status


@pytest.fixture
def player() -> Iterator[cueline.AudioEngine]:
    with cueline.AudioEngine("offline", processor="player", outputs=1, samplerate=48_000, blocksize=64) as engine:
        engine.parameters["limiter"] = 0  # a converted sine may exceed full scale by a little
        yield engine


def noise(frames: int, channels: int) -> Any:
    return np.random.default_rng(1).uniform(-0.9, 0.9, (frames, channels)).astype(np.float32)


def sine(frames: int, samplerate: int, frequency: float = 1000) -> Any:
    return np.sin(2 * np.pi * frequency * np.arange(frames) / samplerate).astype(np.float32)


def played(engine: cueline.AudioEngine, frames: int) -> Any:
    engine.send(cueline.PlayBuffer(slot=0))
    return engine.render(frames)[:, 0]


@pytest.mark.parametrize(
    ("name", "options", "step"),
    [
        ("a.wav", {"subtype": "FLOAT"}, 0),
        ("a.wav", {"subtype": "PCM_16"}, 2**-15),
        ("a.wav", {"format": "RF64", "subtype": "FLOAT"}, 0),
        ("a.aiff", {"subtype": "PCM_24"}, 2**-23),
        ("a.flac", {"subtype": "PCM_16"}, 2**-15),
    ],
)
def test_a_file_is_read_as_float32_of_frames_and_channels(
    tmp_path: Path, name: str, options: dict[str, str], step: float
) -> None:
    sound = noise(1000, 2)
    soundfile.write(tmp_path / name, sound, 48_000, **options)
    for path in (tmp_path / name, str(tmp_path / name)):
        read = cueline.load(path, samplerate=48_000)
        assert read.shape == (1000, 2)
        assert read.dtype == np.float32
        assert np.abs(read - sound).max() <= step


def test_a_file_in_which_libsndfile_cannot_seek_is_read(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.xi", noise(1000, 1), 44_100)
    assert cueline.load(tmp_path / "a.xi", samplerate=44_100).shape == (1000, 1)


def test_a_flac_file_that_was_not_completed_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, noise(1000, 1), 48_000)
    whole = bytearray(path.read_bytes())
    whole[21] &= 0xF0  # the number of frames has 36 bits
    whole[22:26] = bytes(4)
    path.write_bytes(whole)
    with pytest.raises(cueline.ArgumentError, match="does not say how many frames it has, so it was not completed"):
        cueline.load(path, samplerate=48_000)
    assert len(soundfile.read(path, frames=500)[0]) == 500


def test_a_name_that_no_file_can_have_is_refused() -> None:
    with pytest.raises(cueline.ArgumentError, match=r"path must be a name that a file can have, got '\\ud800.wav'"):
        cueline.load("\ud800.wav", samplerate=48_000)


def test_a_file_of_16_bits_and_an_int16_array_are_the_same_samples(tmp_path: Path, player: cueline.AudioEngine) -> None:
    samples = np.array([-(2**15), -1, 0, 1, 2**15 - 1], np.int16)
    soundfile.write(tmp_path / "a.wav", samples, 48_000)
    expected = samples / np.float32(2**15)
    assert (cueline.load(tmp_path / "a.wav", samplerate=48_000)[:, 0] == expected).all()
    for array in (samples, samples.astype(">i2"), samples[np.newaxis].T):
        assert player.publish(0, array) is Status.OK
        assert (played(player, 5) == expected).all()


@pytest.mark.parametrize(("rate", "wanted"), [(44_100, 48_000), (48_000, 44_100), (96_000, 48_000), (8_000, 48_000)])
def test_a_file_of_another_rate_is_converted(tmp_path: Path, rate: int, wanted: int) -> None:
    soundfile.write(tmp_path / "a.wav", sine(rate, rate), rate, subtype="FLOAT")
    read = cueline.load(tmp_path / "a.wav", samplerate=wanted)
    assert read.shape == (wanted, 1)
    middle = slice(wanted // 4, -wanted // 4)  # the filter has no samples before the beginning and after the end
    assert np.abs(read[:, 0] - sine(wanted, wanted))[middle].max() < 1e-6


def test_an_engine_loads_at_its_own_rate_and_publishes(tmp_path: Path, player: cueline.AudioEngine) -> None:
    soundfile.write(tmp_path / "a.wav", sine(44_100, 44_100), 44_100, subtype="FLOAT")
    assert player.load(0, tmp_path / "a.wav") is Status.OK
    assert (played(player, 48_000) == cueline.load(tmp_path / "a.wav", samplerate=48_000)[:, 0]).all()
    assert player.receive(cueline.BufferEnded, timeout=0).frame == 48_000


def test_a_load_is_a_cue_like_a_publish(tmp_path: Path, player: cueline.AudioEngine) -> None:
    soundfile.write(tmp_path / "a.wav", np.full(1000, 0.5), 48_000, subtype="FLOAT")
    assert player.load(0, tmp_path / "a.wav", at=100) is Status.OK
    player.send(cueline.PlayBuffer(slot=0), at=100)
    audio = player.render(200)[:, 0]
    assert (np.flatnonzero(audio) == np.arange(100, 200)).all()
    with pytest.raises(cueline.ArgumentError, match="late must be 'apply' or 'drop'"):
        player.load(0, tmp_path / "a.wav", late="never")  # type: ignore[arg-type]


def test_an_array_of_another_rate_is_converted(player: cueline.AudioEngine) -> None:
    sound = sine(24_000, 24_000)
    assert player.publish(0, sound, samplerate=24_000) is Status.OK
    converted = played(player, 48_000)
    assert np.abs(converted - sine(48_000, 48_000))[12_000:-12_000].max() < 1e-6
    assert player.publish(0, sound, samplerate=48_000) is Status.OK
    assert (played(player, 24_000)[1:] == sound[1:]).all(), "the engine's own rate changes nothing"


def test_a_buffer_without_a_slot_is_converted_too(monkeypatch: pytest.MonkeyPatch, player: cueline.AudioEngine) -> None:
    """No processor of ours loads any: what reaches C++ is looked at."""
    monkeypatch.setattr(cueline.AudioEngine, "_require_loading", lambda _: None)
    monkeypatch.setattr(cueline.AudioEngine, "_load_buffer", lambda _, samples, timeout: len(samples) + timeout)
    assert player.load_buffer(np.zeros(2400, np.int16), samplerate=24_000) == 4800


def test_int16_is_rendered_as_inputs() -> None:
    with cueline.AudioEngine("offline", processor="passthrough", inputs=1, outputs=1) as engine:
        heard = engine.render(audio=np.array([-(2**15), 2**14, 1], np.int16))
    assert (heard[:, 0] == np.array([-1, 0.5, 2**-15], np.float32)).all()


@pytest.mark.parametrize(
    ("dtype", "way_out"),
    [
        ("int8", "array / 2**7"),
        ("int32", "array / 2**31, or array / 2**23 for 24 bits"),
        ("uint8", "array / 2**7 - 1"),
        (">i4", "array / 2**31"),
        ("int64", "scale it to floats, full scale -1 to 1"),
    ],
)
def test_other_integers_are_refused_with_the_way_out(player: cueline.AudioEngine, dtype: str, way_out: str) -> None:
    with pytest.raises(cueline.ArgumentTypeError) as caught:
        player.publish(0, np.ones(4, dtype))
    assert str(caught.value).startswith(f"array must hold floats or int16, got {np.dtype(dtype)}: scale it to floats")
    assert way_out in str(caught.value)


def test_a_path_in_place_of_an_array_is_refused_with_the_way_out(player: cueline.AudioEngine) -> None:
    for path in ("a.wav", Path("a.wav")):
        with pytest.raises(cueline.ArgumentTypeError, match=r"a\.wav'.*: engine\.load\(slot, path\) loads a file"):
            player.publish(0, path)  # type: ignore[arg-type]
    engine = cueline.AudioEngine("offline", inputs=1)
    with pytest.raises(cueline.ArgumentTypeError, match=r"'a\.wav': cueline\.load\(path, samplerate=engine\.sampler"):
        engine.render(audio="a.wav")  # type: ignore[arg-type]


def test_an_array_in_place_of_a_path_is_refused_with_the_way_out(player: cueline.AudioEngine) -> None:
    for path in (np.ones(4), 3, None, b"a.wav"):
        with pytest.raises(
            cueline.ArgumentTypeError, match=r"^path must be a string or a Path, got .* takes an array$"
        ):
            player.load(0, path)


def test_a_file_that_cannot_be_opened_raises_what_open_raises(tmp_path: Path, player: cueline.AudioEngine) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        player.load(0, tmp_path / "none.wav")
    assert caught.value.filename == str(tmp_path / "none.wav")
    with pytest.raises(IsADirectoryError):
        cueline.load(tmp_path, samplerate=48_000)
    if os.geteuid() != 0:  # who may read all files
        (tmp_path / "locked.wav").touch(mode=0)
        with pytest.raises(PermissionError):
            cueline.load(tmp_path / "locked.wav", samplerate=48_000)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(cueline.ArgumentError, match="fifo', which is a pipe or a device: write it to a file"):
        cueline.load(tmp_path / "fifo", samplerate=48_000)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("text.wav", r"text\.wav' is not a sound file that can be read: Format not recognised"),
        ("cut.flac", r"cut\.flac' is not a sound file that can be read: "),
        ("empty.wav", r"empty\.wav' must not be empty, got shape \(0, 2\): the file has no frames"),
        ("nan.wav", r"nan\.wav' has nan at frame 2, channel 1: .*numpy\.nan_to_num"),
        ("great.wav", r"great\.wav' has inf at frame 0, channel 0: "),
        ("short.wav", r"short\.wav' must be at least one frame long at 48000 Hz, got 1 at 768000 Hz"),
        ("slow.wav", r"the samplerate of '.*slow\.wav' must be from 1000 to 768000 Hz, got 500"),
        ("a\0.wav", "path must not contain a NUL character"),
        ("no.raw", r"no\.raw' has raw samples, by its name, and they have no header: read it with soundfile\.read"),
    ],
)
def test_what_is_no_sound_is_refused_with_its_name(
    tmp_path: Path, player: cueline.AudioEngine, name: str, text: str
) -> None:
    sound = noise(20_000, 2)
    for text_file in ("text.wav", "no.raw"):
        (tmp_path / text_file).write_text("no sound")
    soundfile.write(tmp_path / "whole.flac", sound, 48_000)
    whole = (tmp_path / "whole.flac").read_bytes()
    (tmp_path / "cut.flac").write_bytes(whole[: len(whole) // 2])
    soundfile.write(tmp_path / "empty.wav", sound[:0], 48_000)
    soundfile.write(tmp_path / "great.wav", np.full(4, 1e300), 48_000, subtype="DOUBLE")
    soundfile.write(tmp_path / "short.wav", sound[:1], 768_000)
    soundfile.write(tmp_path / "slow.wav", sound, 500)
    sound[2, 1] = np.nan
    soundfile.write(tmp_path / "nan.wav", sound, 48_000, subtype="FLOAT")
    with pytest.raises(cueline.ArgumentError, match=text):
        player.load(0, tmp_path / name)
    assert player.stats().buffers.published == 0


def test_a_file_beyond_4_gib_is_read_by_its_64_bit_header(tmp_path: Path) -> None:
    """Its end is a hole, so it takes no room. It holds more samples than there may be."""
    path = tmp_path / "long.wav"
    soundfile.write(path, np.zeros(16), 48_000, format="RF64", subtype="PCM_16")
    header = bytearray(path.read_bytes()[:-32])
    frames = 2**31 + 16
    assert header[12:16] == b"ds64"
    sizes = (len(header) - 8 + 2 * frames, 2 * frames, frames)  # of the file, of the samples, and frames
    header[20:44] = b"".join(size.to_bytes(8, "little") for size in sizes)
    path.write_bytes(header)
    os.truncate(path, len(header) + 2 * frames)
    assert path.stat().st_size > 2**32
    with pytest.raises(
        cueline.ArgumentError,
        match=rf"must hold at most 2147483647 samples, got {frames} frames of 1 channels at 48000 Hz: read a part",
    ):
        cueline.load(path, samplerate=48_000)


def test_a_file_that_would_be_too_long_after_conversion_is_refused_before_it_is_read(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(2_900_000), 1000, subtype="PCM_U8")
    with pytest.raises(
        cueline.ArgumentError, match="at most 2147483647 samples, got 2227200000 frames of 1 channels at 768000 Hz"
    ):
        cueline.load(tmp_path / "a.wav", samplerate=768_000)


@pytest.mark.parametrize(
    ("samplerate", "text"),
    [(999, "must be from 1000 to 768000 Hz, got 999"), (0, "got 0"), (768_001, "got 768001")],
)
def test_a_rate_that_no_engine_could_have_is_refused(player: cueline.AudioEngine, samplerate: int, text: str) -> None:
    with pytest.raises(cueline.ArgumentError, match=text):
        player.publish(0, np.ones(4), samplerate=samplerate)
    with pytest.raises(cueline.ArgumentError, match=text):
        cueline.load("none.wav", samplerate=samplerate)
    with pytest.raises(cueline.ArgumentTypeError, match=r"^samplerate must be an integer, got 44100\.5$"):
        player.publish(0, np.ones(4), samplerate=44_100.5)  # type: ignore[arg-type]


def test_nan_is_not_converted(player: cueline.AudioEngine) -> None:
    """The filter would spread it over its neighbours."""
    sound = np.array([0, np.inf], np.float32)
    assert player.publish(0, sound, samplerate=48_000) is Status.OK
    with pytest.raises(cueline.ArgumentError, match="from 44100 to 48000 Hz, got inf at frame 1, channel 0: "):
        player.publish(0, sound, samplerate=44_100)


def test_a_slot_that_there_is_not_is_refused_before_the_file_is_read(player: cueline.AudioEngine) -> None:
    with pytest.raises(cueline.ArgumentError, match=r"^slot must be from 0 to 127, got 128$"):
        player.load(128, "none.wav")
    with pytest.raises(cueline.ProcessorError):
        cueline.AudioEngine("offline", processor="tone").load(0, "none.wav")


@pytest.mark.parametrize(
    ("missing", "call", "text"),
    [
        ("soundfile", "cueline.load(sys.argv[1], samplerate=48000)", "soundfile, which reads sound files"),
        ("soxr", "cueline.load(sys.argv[1], samplerate=44100)", "soxr, which converts it to 44100 Hz"),
        ("soxr", "engine.publish(0, [0.5], samplerate=44100)", "soxr, which converts it to 48000 Hz"),
    ],
)
def test_without_the_extra_the_error_says_what_to_install(tmp_path: Path, missing: str, call: str, text: str) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(100), 48_000)
    program = f"""
import sys
sys.modules[{missing!r}] = None  # an import of it raises
import cueline
engine = cueline.AudioEngine("offline", processor="player")
print(engine.publish(0, [0.5], samplerate=48000).name)
try:
    {call}
except cueline.MissingPackageError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "a.wav"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    ok, said = done.stdout.splitlines()
    assert ok == "OK", "the same rate needs no package"
    assert text in said
    assert said.endswith("pip install 'cueline[files]'")
