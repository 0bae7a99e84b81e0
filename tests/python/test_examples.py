"""The examples of streams: each sample of theirs. test_package runs all examples."""

from __future__ import annotations

import math
import re
import runpy
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pythonosc.osc_message_builder import OscMessageBuilder

import cueline
from conftest import require_loopback

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


def test_the_controller_plays_each_pad_at_its_frame_with_its_velocity_and_the_knob_moves_the_gain(
    capsys: pytest.CaptureFixture[str],
) -> None:
    program = runpy.run_path(str(EXAMPLES / "midi_controller.py"))
    heard = program["play_a_bar"]()[:, 0]
    assert capsys.readouterr().out == "5 maps; the gain at the end is 0.226\n"
    eighth = 12_000
    expected = np.zeros(8 * eighth)
    for step, slot in enumerate((0, 2, 1, 2, 0, 2, 1, 3)):
        sound = 0.4 * getattr(cueline.sounds, program["SOUNDS"][slot])(48_000)
        begin = step * eighth + 1
        length = min(len(sound), len(expected) - begin)
        expected[begin : begin + length] += (127 - 8 * step) / 127 * sound[:length]
    gain = np.ones(8 * eighth)
    target, turned = 0.05 * 20 ** (64 / 127), 4 * eighth + 1
    gain[turned:] = target
    gain[turned : turned + 960] = 1 + (target - 1) * np.arange(1, 961) / 960  # the ramp of 20 ms
    assert np.abs(expected * gain).max() < 1, "the limiter does nothing"
    np.testing.assert_allclose(heard, expected * gain, atol=2e-6)


def test_osc_plays_at_the_frame_of_the_time_tag_on_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    require_loopback()
    program = runpy.run_path(str(EXAMPLES / "osc.py"))
    with (
        cueline.AudioEngine("offline", processor="player", outputs=1) as engine,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
    ):
        engine.publish(0, np.ones(1, np.float32))
        engine.render(64)  # now frames have times
        udp.bind(("127.0.0.1", 0))
        serving = threading.Thread(target=program["serve"], args=(engine, udp))
        serving.start()
        start_s, start_frame = time.time() + 1, engine.frame_at(time.monotonic_ns() + 10**9)
        for number in range(3):
            udp.sendto(program["note"](start_s + number / 4, 0, 0.5), udp.getsockname())
        for wrong in (b"no OSC", message("/play", 9000, 1.0), message("/set", "gian", 1.0), message("/play", "x")):
            udp.sendto(wrong, udp.getsockname())
        udp.sendto(message("/set", "gain", 0.5), udp.getsockname())
        udp.sendto(message("/quit"), udp.getsockname())
        serving.join(60)
        assert not serving.is_alive()
        assert engine.parameters["gain"] == 0.5
        assert [line.commands.sent for line in engine.stats().lines[1:]] == [3]
        heard = np.flatnonzero(engine.render(start_frame + 40_000))  # the clock goes on between its two readings
        assert engine.stats().cues.late == 0
    assert len(heard) == 3
    assert all(abs(int(step) - 12_000) <= 1 for step in np.diff(heard))
    assert abs(int(heard[0]) + 64 - start_frame) < 24_000
    assert capsys.readouterr().out.count("left out:") == 4


def message(address: str, *values: object) -> bytes:
    """Return the packet of a message without a time."""
    builder = OscMessageBuilder(address)
    for value in values:
        builder.add_arg(value)  # type: ignore[arg-type]
    dgram: bytes = builder.build().dgram
    return dgram


def test_the_keyboard_plays_each_note_from_its_frame_on() -> None:
    """The same synthesizer in NumPy, frame by frame."""
    example = runpy.run_path(str(EXAMPLES / "keyboard.py"))
    notes = [(57, 0), (60, 6_000), (64, 12_000), (69, 18_000)]
    expected = np.zeros(96_000)
    for note, begin in notes:
        level = phase = 0.0
        for frame in range(begin, 96_000):
            pressed = 100 / 127 if frame < 48_000 else 0.0
            level += (pressed - level) / ((0.005 if pressed > level else 0.2) * 48_000)
            turn = 2 * np.pi * phase
            expected[frame] += 0.15 * level * (np.sin(turn) + 0.25 * np.sin(2 * turn))
            phase = (phase + 440 * 2 ** ((note - 69) / 12) / 48_000) % 1
    np.testing.assert_allclose(example["sound"], expected, rtol=0, atol=1e-6)


def swung(step: int) -> float:
    """Return the beat of a sixteenth note with a swing of 0.6: a pair of them shares an eighth note."""
    pair, second = divmod(step, 2)
    return (pair + 0.6 * second) / 2


def test_the_drum_machine_plays_each_hit_at_the_frame_of_its_swung_beat() -> None:
    example = runpy.run_path(str(EXAMPLES / "drum_machine.py"))
    sound, timeline = example["sound"], example["engine"].timeline
    expected = np.zeros(len(sound) + 48_000)
    for bar, pattern in enumerate([example["GROOVE"]] * 3 + [example["FILL"]]):
        for name, steps in pattern.items():
            hit = getattr(cueline.sounds, name)(48_000).ravel()
            for step, sign in enumerate(steps):
                if sign in example["GAINS"]:
                    frame = timeline.frame_at(4 * bar + swung(step))
                    expected[frame : frame + len(hit)] += example["GAINS"][sign] * hit
    assert np.abs(expected).max() <= 1, "the limiter leaves it as it is"
    np.testing.assert_allclose(sound, expected[: len(sound)], rtol=0, atol=1e-6)
    assert example["drums"].played == 63
    assert example["drums"].late == example["drums"].refused == 0


def test_quantized_loops_begin_on_bar_lines_and_each_slice_at_its_beat() -> None:
    """A slice that is cut off fades out in 5 ms, so the first 240 frames of a beat have two."""
    example = runpy.run_path(str(EXAMPLES / "quantized_loops.py"))
    sound, timeline = example["sound"], example["engine"].timeline
    begins = {"low": 0, "high": 4}
    for beat in range(12):
        first, following = timeline.frame_at(beat), timeline.frame_at(beat + 1)
        expected = np.zeros(following - first)
        for name, begin in begins.items():
            if beat >= begin:
                part = example["recording"](48_000, example["LOOPS"][name])[beat % 4][: len(expected)]
                expected[: len(part)] += part
        np.testing.assert_allclose(sound[first + 240 : following], expected[240:], rtol=0, atol=1e-6)
    assert example["lines"] == [0, 96_000, 186_457, 267_374], "the second bar ramps from 120 to 150"


class Rendered(cueline.AudioEngine):
    """Renders what a live program plays, up to the beat for which it waits."""

    def __init__(self) -> None:
        super().__init__("offline", outputs=1)

    def wait_until(self, when: Any) -> None:  # type: ignore[override]
        """Render instead."""
        longest = self.render(24_000 * int(when.beat))[:, 0]  # at 120, and this one is faster
        self.sound = longest[: self.timeline.frame_at(when)]


def test_the_groove_speeds_up_and_fades_sample_by_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over eight beats the tempo goes from 120 to 180. After x of them, the time goes on as log(1 + x / 16)."""
    monkeypatch.setattr(cueline, "AudioEngine", Rendered)
    engine = runpy.run_path(str(EXAMPLES / "groove.py"))["engine"]

    def frame_at(beat: float) -> float:
        ramp = 60 * 48_000 / (60 / 8)  # frames in which the tempo would grow by a factor of e
        if beat <= 5:
            return beat * 24_000
        if beat <= 13:
            return 5 * 24_000 + ramp * math.log(1 + (beat - 5) / 16)
        return 5 * 24_000 + ramp * math.log(1.5) + (beat - 13) * 16_000

    kick, snare, hat = (getattr(cueline.sounds, name)(48_000).ravel() / 2 for name in ("kick", "snare", "hat"))
    bar = [(0, kick), (1, snare), (2, kick), (2.5, kick), (3, snare), *((eighth / 2, hat) for eighth in range(8))]
    expected = np.zeros(round(frame_at(17)) + 48_000)
    for beat, hit in [(1 + 4 * number + beat, hit) for number in range(4) for beat, hit in bar]:
        frame = round(frame_at(beat + 0.1 if beat % 1 else beat))  # with a swing of 0.6, the second eighth is later
        expected[frame : frame + len(hit)] += hit
    expected = expected[: round(frame_at(17))]
    beats = np.interp(
        np.arange(len(expected)), [frame_at(beat) for beat in np.arange(0, 17.01, 0.01)], np.arange(0, 17.01, 0.01)
    )
    expected *= np.clip((17 - beats) / 8, 0, 1)
    assert len(engine.sound) == len(expected)
    np.testing.assert_allclose(engine.sound, expected, rtol=0, atol=1e-5)
