"""The examples of streams: each sample of theirs. test_package runs all examples."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cueline

EXAMPLES = Path(__file__).parents[2] / "examples"


def output_of(example: str) -> list[str]:
    done = subprocess.run([sys.executable, EXAMPLES / example], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_the_looper_plays_and_overdubs_sample_for_sample() -> None:
    assert output_of("overdub.py") == [
        f"turn {number}: {name}, 24000 of 24000 samples are the same"
        for number, name in enumerate(("silence", "take 1", "both", "both"))
    ]


def test_the_recorder_loses_no_frame_while_python_is_busy() -> None:
    assert output_of("record_flac.py") == [
        "take.flac: 24000 frames, 0 lost, gaps: []",
        "the file has 0.5 s with a peak of 0.20",
    ]


def test_the_assistant_falls_silent_64_frames_after_its_clear_and_says_how_much_was_heard() -> None:
    """Somebody speaks after two seconds. The speech began within the first tenth of a second."""
    first, second = output_of("voice_assistant.py")
    ends = int(re.fullmatch(r"somebody speaks from frame 96000 on; the speech ends from frame (\d+) on", first)[1])  # type: ignore[index]
    found = re.fullmatch(r"its last sample was at frame (\d+); ([\d.]+) of 5.76 s were heard", second)
    assert found is not None
    last, heard = int(found[1]), float(found[2])
    assert 96_000 < ends < 96_000 + 4800, "a block of 20 ms, and what the conversion to 16 kHz holds back"
    assert ends <= last < ends + 64
    assert last / 48_000 - 0.1 < heard <= last / 48_000


def test_the_measurement_finds_the_noise_at_its_frame() -> None:
    delay, same, *bands = output_of("measure.py")
    assert delay == "it came 0 frames later than the device reports, with a gain of 1.000"
    assert same == "9600 of 9600 samples are the same, 0 frames were lost"
    assert len(bands) == 3
    assert all(band.endswith("Hz: +0.0 dB") for band in bands)


START, TURN = 100, 1000
TAKE = np.arange(1, TURN + 1, dtype=np.float32) / 2048


@pytest.fixture
def looper_of() -> Callable[[cueline.AudioEngine, int], Any]:
    return runpy.run_path(str(EXAMPLES / "overdub.py"))["Looper"]  # type: ignore[no-any-return]


def test_the_looper_is_in_time_after_a_stall_of_more_than_a_turn(
    looper_of: Callable[[cueline.AudioEngine, int], Any],
) -> None:
    with cueline.AudioEngine("offline", inputs=1, outputs=1, blocksize=64) as engine:
        looper = looper_of(engine, START)
        looper.play(START + TURN)
        engine.render(audio=np.concatenate([np.zeros(START, np.float32), TAKE]))
        engine.render(2 * TURN + 300)  # the stall: the loop is silent
        while (block := looper.recording.try_read(512)) is not None:
            looper.add(block)
        np.testing.assert_array_equal(engine.render(TURN - 300)[:, 0], TAKE[300:])
        looper.add(looper.recording.read(TURN - 300))
        np.testing.assert_array_equal(engine.render(300)[:, 0], TAKE[:300])


def test_the_looper_puts_an_answer_to_the_frame_that_it_answers(
    looper_of: Callable[[cueline.AudioEngine, int], Any],
) -> None:
    with cueline.AudioEngine("offline", inputs=1, outputs=1, blocksize=64, loopback=True) as engine:
        looper = looper_of(engine, START)
        looper.play(START + TURN)
        player = engine.open_playback(at=START)
        player.write(TAKE, last=True)
        engine.render(START + TURN)
        looper.add(looper.recording.read(TURN - 64))
        np.testing.assert_array_equal(engine.render(TURN - 64)[:, 0], TAKE[:-64])


def test_the_drum_machine_plays_its_drums_at_the_frames_of_their_beats() -> None:
    example = runpy.run_path(str(EXAMPLES / "drum_machine.py"))
    for blocksize in (64, 1000):
        with cueline.AudioEngine("offline", processor="player", blocksize=blocksize, outputs=1) as engine:
            engine.timeline.tempo = 240
            drums = example["play"](engine)
            audio = engine.render(6 * 48_000)[:, 0]
            expected = np.zeros(7 * 48_000)
            for bar, pattern in enumerate(["BEAT", "BEAT", "BEAT", "FILL"], start=1):
                for name, line in example[pattern].items():
                    sound = getattr(cueline.sounds, name)(48_000)
                    for step, hit in enumerate(line):
                        if hit == "x":
                            beat = 4 * bar + (step // 2 + 0.6 * (step % 2)) / 2
                            frame = engine.timeline.frame_at(beat)
                            assert frame is not None
                            expected[frame : frame + len(sound)] += 0.5 * sound
            assert drums.done()
            assert drums.played == sum(
                line.count("x") for bar in ("BEAT", "BEAT", "BEAT", "FILL") for line in example[bar].values()
            )
            assert np.abs(expected).max() < 1, "the limiter has nothing to do"
            np.testing.assert_allclose(audio, expected[: len(audio)], atol=1e-6)
