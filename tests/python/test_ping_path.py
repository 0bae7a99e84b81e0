"""The path of a ping is as docs/how-it-works.md shows it: each call is in its caller, each ring between two threads."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from ping_path import (
    MOST_CALLS,
    MOST_FILES,
    PAGE,
    all_sources,
    bodies,
    bodies_in,
    callers_of,
    count,
    findings,
    hiding,
    left_out,
    reader,
    steps,
    without_comments,
)

PATH = steps(PAGE.read_text())
READ = reader()
LEFT_OUT = left_out(PAGE.read_text())
SOURCES = all_sources()
CALLED = [place for place, step in enumerate(PATH) if step.depth > 0]
NEEDED = [place for place, step in enumerate(PATH[:-1]) if step.is_ring or PATH[place + 1].depth > step.depth]


def shown(place: object) -> str:
    return f"{PATH[place].number} {PATH[place].name}" if isinstance(place, int) else str(place)


def test_the_table_is_the_path_of_a_ping() -> None:
    wrong = list(findings(PATH, READ))
    assert not wrong, f"{count(PATH)}; wrong: {wrong}"
    assert (PATH[0].name, sum(step.is_ring for step in PATH)) == ("Engine.ping", 2)
    assert {step.name for step in PATH} > {"EngineBlock::process", "Engine.receive_msg"}


def test_the_path_has_at_most_twenty_calls_in_six_files() -> None:
    calls = [step for step in PATH if not step.is_ring]
    assert (MOST_CALLS, MOST_FILES) == (20, 6)
    assert len(calls) <= MOST_CALLS
    assert len({step.file for step in calls}) <= MOST_FILES
    assert f"pass through {len(calls)} calls in {len({step.file for step in calls})} files" in PAGE.read_text()


def test_a_longer_path_is_found() -> None:
    more_calls = [PATH[0]] * (MOST_CALLS + 1)
    more_files = [replace(PATH[0], file=f"{number}.cpp") for number in range(MOST_FILES + 1)]
    for longer in (more_calls, more_files):
        assert any("is longer than" in finding for finding in findings(longer, READ))


def test_what_the_table_leaves_out_hides_no_part_of_the_path() -> None:
    assert len(LEFT_OUT) > 8
    assert not list(hiding(PATH, LEFT_OUT, SOURCES))


@pytest.mark.parametrize("name", LEFT_OUT)
def test_a_part_of_the_path_that_is_left_out_is_found(name: str) -> None:
    last_name = name.rpartition("::")[2]

    def with_a_call_of_the_path(text: str) -> str:
        for body in bodies_in(text, name):
            text = text.replace(body, body.replace("}", "ring.try_push(message); }"))
        return text

    sources = {
        file: with_a_call_of_the_path(without_comments(text)) if last_name in text else text
        for file, text in SOURCES.items()
    }
    assert any("calls Producer::try_push" in finding for finding in hiding(PATH, [name], sources))


@pytest.mark.parametrize("name", ["Engine::publish", "Line::nothing"])
def test_a_function_that_the_path_does_not_call_is_found(name: str) -> None:
    assert any("no function of the path" in finding for finding in hiding(PATH, [name], SOURCES))


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
@pytest.mark.parametrize("end", ["include/cueline/audio_side.hpp", "include/cueline/line.hpp"])
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
