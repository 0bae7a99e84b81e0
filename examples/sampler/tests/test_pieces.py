"""Patterns, drums, the view, the command line, and the header that C++ is compiled with."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import load_drums
from rich.console import Console

from sampler import Pattern, PatternError, Player, Sampler
from sampler.cli import main
from sampler.drums import DRUMS, make_sounds
from sampler.pattern import HOUSE, frame_of
from sampler.view import View

PROJECT = Path(__file__).parents[1]
NAMES = ["kick", "snare"]


def test_a_pattern_is_its_hits() -> None:
    pattern = Pattern("kick x-|X- # the floor\n\nsnare -o", NAMES)
    assert pattern.steps == 4
    assert list(pattern.hits(6)) == [(0, 0, 0.8), (1, 1, 0.4), (2, 0, 1.0), (3, 1, 0.4), (4, 0, 0.8), (5, 1, 0.4)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "at least one line"),
        ("kick", "line 1: kick has no steps"),
        ("\nkick x-z-", "line 2: a step is one of X x o - and ., got 'z'"),
        ("gong x", "line 1: no pad is called 'gong': there are kick, snare"),
        ("kick x\nkick x", "line 2: kick has a line already"),
    ],
)
def test_a_pattern_that_cannot_be_read_says_where(text: str, words: str) -> None:
    with pytest.raises(PatternError, match=words):
        Pattern(text, NAMES)


def test_a_pattern_without_a_hit_is_refused_where_it_would_never_end() -> None:
    with pytest.raises(PatternError, match="without a hit"):
        next(Pattern("kick ----", NAMES).hits())
    assert list(Pattern("kick ----", NAMES).hits(8)) == []


def test_no_error_adds_up_and_swing_delays_every_second_step() -> None:
    assert [frame_of(step, 120, 48_000) for step in range(4)] == [0, 6_000, 12_000, 18_000]
    assert [frame_of(step, 120, 48_000, 0.5) for step in range(4)] == [0, 9_000, 12_000, 21_000]
    assert frame_of(4 * 97 * 60, 97, 48_000) == 48_000 * 60 * 60  # an hour of beats at 97 a minute


def test_drums_are_the_same_every_time_begin_at_once_and_end_in_silence() -> None:
    for name, drum in DRUMS.items():
        sound = drum(48_000)
        assert np.array_equal(sound, drum(48_000)), name
        assert sound.dtype == np.float32
        assert np.abs(sound[0]).max() > 0.05, name
        assert not sound[-1].any(), name
        assert 0.15 < np.abs(sound).max() < 1, name


def test_the_view_has_pads_levels_playheads_and_counters(sampler: Sampler) -> None:
    load_drums(sampler)
    player = Player(sampler, Pattern(HOUSE, list(DRUMS)), bars=1)
    player.step()
    sampler.engine.render(4_800)
    console = Console(width=100, record=True, force_terminal=True, file=None, quiet=False)
    view = View(sampler, player, console)
    with console.capture() as captured:
        console.print(view.picture())
    picture = captured.get()
    for name in DRUMS:
        assert name in picture
    assert "█" in picture
    assert "●" in picture
    assert "0 late and left out, 0 refused for now, 0 events dropped, 0 xruns" in picture


def test_the_header_is_what_the_messages_say() -> None:
    command = [sys.executable, "-m", "cueline", "header", "python/sampler/messages.py", "--namespace", "sampler"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, cwd=PROJECT)
    assert done.stdout == (PROJECT / "src" / "messages.hpp").read_text()


def test_the_program_in_the_readme_runs(tmp_path: Path) -> None:
    make_sounds(tmp_path, 48_000)
    (program,) = re.findall(r"^```python\n(.*?)^```$", (PROJECT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True, cwd=tmp_path
    )
    assert done.stdout.startswith("PLAYED at frame")


def test_make_sounds_writes_what_play_and_render_take(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["make-sounds", str(tmp_path / "drums")]) == 0
    assert main(["render", str(tmp_path / "a.wav"), "--sounds", str(tmp_path / "drums"), "--bars", "1"]) == 0
    assert main(["render", str(tmp_path / "b.wav"), "--bars", "1"]) == 0
    assert np.array_equal(soundfile.read(tmp_path / "a.wav")[0], soundfile.read(tmp_path / "b.wav")[0])
    assert "23 hits sent, 0 late" in capsys.readouterr().out


def test_a_pattern_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("kick x---------------\n")
    assert main(["render", str(tmp_path / "one.wav"), "--pattern", str(tmp_path / "one.txt"), "--bars", "1"]) == 0
    audio = soundfile.read(tmp_path / "one.wav", dtype="float32")[0]
    assert np.array_equal(audio[: 48_000 // 4, 0], np.float32(0.8) * DRUMS["kick"](48_000)[: 48_000 // 4])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["play", "--device", "offline"], "'offline' renders when told to"),
        (["play", "--device", "no such device"], "no such device"),
        (["render", "{}/none/out.wav"], "out.wav"),
        (["render", "{}/out.wav", "--bpm", "3"], "bpm must be from 20 to 400, got 3"),
        (["render", "{}/out.wav", "--swing", "1"], "swing must be from 0 to less than 1"),
        (["render", "{}/out.wav", "--sounds", "{}"], "kick.wav: there is no such file"),
        (["render", "{}/out.wav", "--pattern", "{}/none.txt"], "none.txt"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([argument.replace("{}", str(tmp_path)) for argument in arguments]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.startswith("sampler: ")
    assert said.count("\n") == 1
