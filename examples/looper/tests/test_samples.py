"""Rendered offline, every onset and every sample is what the looper in NumPy says, at any block size."""

from __future__ import annotations

import importlib.util
import subprocess
import sysconfig
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import cueline
import numpy as np
import pytest
from sessions import Played, expect, play

from looper import Looper

PROJECT = Path(__file__).parents[1]
BLOCKSIZES = [31, 128, 256]
TOLERANCE = 1e-37  # numbers below 1.2e-38 are zero on the audio thread

expected = cache(expect)


def difference(played: Played, reference: Played) -> str:
    """Return what differs first, or an empty string."""
    for number, (outcome, frame) in enumerate(zip(played.ended, reference.ended, strict=False)):
        if outcome != frame:
            return f"ends: number {number} is {outcome}, not {frame}"
    if len(played.ended) != len(reference.ended):
        return f"ends: {len(played.ended)}, not {len(reference.ended)}"
    for number, outcome in played.outcomes.items():
        if outcome != reference.outcomes.get(number, outcome):
            return f"outcomes: command {number} is {outcome}, not {reference.outcomes[number]}"
    for piece, (audio, sound) in enumerate(zip(played.pieces, reference.pieces, strict=True)):
        if not np.allclose(audio, sound, rtol=0, atol=TOLERANCE):
            frame = np.flatnonzero(np.abs(audio - sound).max(axis=1) > TOLERANCE)[0]
            return f"samples: frame {frame} of piece {piece} is {audio[frame]}, not {sound[frame]}"
    for piece, (meter, wanted) in enumerate(zip(played.meters, reference.meters, strict=True)):
        if not np.allclose(meter, wanted, rtol=0, atol=TOLERANCE):
            return f"meters: after piece {piece}"
    return ""


@pytest.mark.parametrize("blocksize", BLOCKSIZES)
@pytest.mark.parametrize("seed", [1, 2])
def test_every_onset_and_every_sample_is_the_references(seed: int, blocksize: int) -> None:
    reference = expected(seed)
    assert difference(play(Looper, seed, blocksize), reference) == ""
    assert len(reference.outcomes) > 500
    assert len({reason for _, _, reason, _ in reference.ended}) == 5, "pads end for every reason"
    assert max(np.abs(piece).max() for piece in reference.pieces) > 0.3


MUTANTS = {
    "a_loop_that_ends_a_frame_late": ("pad.end = end;", "pad.end = std::min(end + 1, pad.frames);", "samples"),
    "a_trigger_that_counts_in_blocks": (
        "const std::uint64_t now = context.events().frame();",
        "const std::uint64_t now = context.events().frame() / 128 * 128;",
        "ends",
    ),
    "an_isolator_that_forgets_its_state": (
        "const Sources sources =",
        "voice.isolators = {}; const Sources sources =",
        "samples",
    ),
    "a_voice_that_is_never_free": ("if (voice.fade_left > 0) --", "if (voice.fade_left > 1) --", "outcomes"),
    "a_trigger_that_is_not_cancelled": ("context.cancel(std::exchange(waiting, {}))", "waiting = {}", "outcomes"),
    "a_jump_that_clicks": ("(voice.attacks ? 0 : heard[side])", "0", "samples"),
    "meters_that_count_in_blocks": ("(block.frame + first) % window_frames_", "first % window_frames_", "meters"),
}


def compiled(folder: Path, name: str, before: str, after: str) -> ModuleType:
    """Return a module with a processor of which one line is changed."""
    source = (PROJECT / "src" / "looper_processor.cpp").read_text()
    assert source.count(before) == 1, f"mend the mutant: {before!r}"
    broken = folder / "looper_processor.cpp"
    broken.write_text(source.replace(before, after))
    library = folder / f"{name}.so"
    includes = [cueline.get_include(), sysconfig.get_path("include"), str(PROJECT / "src")]
    command = ["c++", "-std=c++20", "-O1", "-shared", "-fPIC", "-ffp-contract=off", f"-DMUTANT_INIT=PyInit_{name}"]
    command += [f"-I{folder}" for folder in includes]
    command += [str(PROJECT / "tests" / "mutant_module.cpp"), str(broken), "-o", str(library)]
    subprocess.run(command, check=True, timeout=600)
    spec = importlib.util.spec_from_file_location(name, library)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", MUTANTS)
def test_the_reference_catches_it(name: str, tmp_path: Path) -> None:
    before, after, part = MUTANTS[name]
    module = compiled(tmp_path, name, before, after)

    class Broken(Looper):
        def __cueline_processor__(self) -> Any:
            return module.processor()

    found = difference(play(Broken, 1, 31), expected(1))
    assert found.split(":")[0] in part.split("|"), found
