"""The path of a ping is as docs/how-it-works.md shows it: each call is in its caller, each ring between two threads."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from ping_path import PAGE, bodies, callers_of, count, findings, reader, steps, without_comments

PATH = steps(PAGE.read_text())
READ = reader()
CALLED = [place for place, step in enumerate(PATH) if step.depth > 0]
NEEDED = [place for place, step in enumerate(PATH[:-1]) if step.is_ring or PATH[place + 1].depth > step.depth]


def shown(place: object) -> str:
    return f"{PATH[place].number} {PATH[place].name}" if isinstance(place, int) else str(place)


def test_the_table_is_the_path_of_a_ping() -> None:
    wrong = list(findings(PATH, READ))
    assert not wrong, f"{count(PATH)}; wrong: {wrong}"
    assert (PATH[0].name, sum(step.is_ring for step in PATH)) == ("Engine.ping", 2)
    assert {step.name for step in PATH} > {"EngineBlock::process", "Engine.receive_msg"}


@pytest.mark.parametrize("place", range(len(PATH)), ids=shown)
def test_a_row_with_a_wrong_file_is_found(place: int) -> None:
    wrong = [*PATH[:place], replace(PATH[place], file="include/cueline/version.hpp"), *PATH[place + 1 :]]
    assert any(PATH[place].name in finding for finding in findings(wrong, READ))


@pytest.mark.parametrize("place", NEEDED, ids=shown)
def test_a_row_left_out_is_found(place: int) -> None:
    left = [*PATH[:place], *PATH[place + 1 :]]
    assert list(findings([replace(step, number=str(number)) for number, step in enumerate(left, 1)], READ))


def test_a_gap_in_the_numbers_is_found() -> None:
    leaf = next(place for place in CALLED if place not in NEEDED)
    assert list(findings([*PATH[:leaf], *PATH[leaf + 1 :]], READ))


@pytest.mark.parametrize("place", CALLED, ids=shown)
def test_a_call_taken_out_of_the_sources_is_found(place: int) -> None:
    step = PATH[place]
    caller = callers_of(step, PATH)[0]

    def read(file: str) -> str:
        text = without_comments(READ(file))
        for body in bodies(caller, READ) if file == caller.file else ():
            text = text.replace(body, re.sub(rf"\b{step.last_name}\b", "another", body))
        return text

    assert any(step.name in finding for finding in findings(PATH, read))


@pytest.mark.parametrize("place", [place for place, step in enumerate(PATH) if step.is_ring], ids=shown)
@pytest.mark.parametrize("end", ["include/cueline/audio_lines.hpp", "include/cueline/line.hpp"])
def test_an_end_of_another_ring_is_found(place: int, end: str) -> None:
    ring = PATH[place]

    def read(file: str) -> str:
        return (
            re.sub(rf"((?:line|shared\(\))\.){ring.last_name}\b", r"\1another", READ(file))
            if file == end
            else READ(file)
        )

    assert any("is on another ring" in finding for finding in findings(PATH, read))


def test_another_thread_without_a_ring_is_found() -> None:
    last = len(PATH) - 1
    wrong = [*PATH[:last], replace(PATH[last], thread="audio")]
    assert any("another thread" in finding for finding in findings(wrong, READ))
