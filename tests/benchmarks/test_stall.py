"""The stall experiment: how what the observer saw is counted, and whether it sees what a broken player does wrong."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from cueline.commands.console import PlainConsole
from stall.__main__ import check_observer, check_source
from stall.account import Account, RecordError, count, summarise
from stall.chart import draw_recordings, draw_stall
from stall.experiment import FAULTS, Fault, Recording, Room, Run, Skips
from stall.jack import jack_server
from stall.program import Program, ProgramError
from stall.recorded import Recorded
from stall.recorded import count as count_recorded
from stall.report import as_json, recording_rows_of, recordings_table_of, rows_of, table_of

samplerate = 48_000
block_frames = 128
block_ms = pytest.approx(128 / 48)
programs = Path(__file__).parents[2] / "build/stall/benchmarks/stall"

built = pytest.mark.skipif(
    shutil.which("jackd") is None or not (programs / "cueline_observer").exists(),
    reason="needs jackd and what `make stall` builds",
)


def clock(cycles: Iterable[int]) -> list[str]:
    return [f"clock {cycle * block_frames} {cycle * 2_666_667}" for cycle in cycles]


def heard(cycles: Iterable[int], what: str = "continued") -> list[str]:
    return [f"heard {cycle * block_frames} {cycle * 2_666_667 + 50_000} {what}" for cycle in cycles]


def counted(*lines: list[str]) -> Account:
    return count([line for part in lines for line in part], samplerate=samplerate, block_frames=block_frames)


def blocks(number: float) -> Any:
    return pytest.approx(number * 128 / 48)


def test_a_new_block_in_every_cycle_misses_nothing_and_leaves_a_gap_of_one_block() -> None:
    seen = counted(clock(range(100)), heard(range(100)))
    assert (seen.cycles, seen.missed, seen.gap_ms, seen.jumped) == (100, 0, block_ms, 0)


def test_cycles_without_a_block_are_missed_and_are_the_gap() -> None:
    seen = counted(clock(range(100)), heard([*range(40), *range(77, 100)]))
    assert (seen.missed, seen.gap_ms) == (37, blocks(38))


def test_the_longest_gap_is_not_the_sum_of_gaps() -> None:
    seen = counted(clock(range(100)), heard(cycle for cycle in range(100) if cycle % 10 != 5))
    assert (seen.missed, seen.gap_ms) == (10, blocks(2))


@pytest.mark.parametrize("what", ["silent", "repeated", "broken"])
def test_what_is_no_new_piece_of_the_tone_is_no_block(what: str) -> None:
    seen = counted(clock(range(100)), heard(range(40)), heard(range(40, 43), what), heard(range(43, 100)))
    assert (seen.missed, seen.gap_ms) == (3, blocks(4))


def test_a_jump_is_new_and_counted() -> None:
    seen = counted(clock(range(100)), heard(range(40)), heard([40], "jumped"), heard(range(41, 100)))
    assert (seen.missed, seen.gap_ms, seen.jumped) == (0, block_ms, 1)


def test_a_late_block_counts_where_it_came_and_two_in_one_cycle_count_once() -> None:
    seen = counted(clock(range(100)), heard(range(40)), heard([41, 41]), heard(range(42, 100)))
    assert (seen.missed, seen.gap_ms) == (1, blocks(2))


@pytest.mark.parametrize("frames_left_out", [0, 3 * block_frames, 5 * block_frames])
def test_cycles_that_the_server_left_out_are_nobodys_fault(frames_left_out: int) -> None:
    there = range(100)
    times = [cycle * 2_666_667 + (cycle >= 40) * 5 * 2_666_667 for cycle in there]
    frames = [cycle * block_frames + (cycle >= 40) * frames_left_out for cycle in there]
    ticks = [f"clock {frame} {ns}" for frame, ns in zip(frames, times, strict=True)]
    seen = counted(ticks, [f"heard {frame} 0 continued" for frame in frames])
    assert (seen.cycles, seen.missed, seen.gap_ms, seen.lost) == (100, 0, block_ms, 5)
    assert seen.beat_ms == pytest.approx(6 * 2.666667)


def test_a_cycle_that_only_the_clock_left_out_was_there() -> None:
    seen = counted(clock([*range(40), *range(41, 100)]), heard(range(100)))
    assert (seen.cycles, seen.missed, seen.lost) == (100, 0, 0)


@pytest.mark.parametrize("there", [range(30, 100), range(70)])
def test_a_gap_at_an_end_of_the_record_counts(there: range) -> None:
    seen = counted(clock(range(100)), heard(there))
    assert (seen.missed, seen.gap_ms) == (30, blocks(31))


def test_who_never_played_missed_everything() -> None:
    seen = counted(clock(range(100)), heard(range(100), "silent"))
    assert (seen.missed, seen.gap_ms) == (100, blocks(101))


def test_blocks_outside_the_record_do_not_count() -> None:
    seen = counted(clock(range(10, 20)), heard(range(100)), heard([5, 50], "jumped"))
    assert (seen.cycles, seen.missed, seen.jumped) == (10, 0, 0)


@pytest.mark.parametrize("lines", [[], ["clock 0 0"], ["heard 0 0 continued"], ["clock 0 0", "clock 128 1", "alas"]])
def test_a_record_that_is_none_is_refused(lines: list[str]) -> None:
    with pytest.raises(RecordError):
        count(lines, samplerate=samplerate, block_frames=block_frames)


def account(missed: int = 0, gap_ms: float = 2.5, beat_ms: float = 2.75) -> Account:
    return Account(cycles=1000, missed=missed, gap_ms=gap_ms, jumped=0, lost=1, beat_ms=beat_ms)


def test_rounds_have_a_median_and_a_worst() -> None:
    whole = summarise([account(3, 5.0), account(0, 2.5, 9.0), account(200, 100.0)])
    assert (whole.cycles, whole.missed, whole.missed_median, whole.missed_worst) == (3000, 203, 3, 200)
    assert (whole.gap_median_ms, whole.gap_worst_ms) == (5.0, 100.0)
    assert (whole.lost, whole.beat_worst_ms) == (3, 9.0)


def run(contender: str, load: str, seen: Account, *, realtime: bool = True) -> Run:
    said = {"sent": 590, "refused": 10, "arrived": 589, "own": {"xruns": 2}, "realtime": [5] if realtime else []}
    return Run(contender, load, seen, said)


some_runs = [
    run("sounddevice", "gil", account(200, 101.3)),
    run("cueline", "gil", account()),
    run("sounddevice", "gil", account(210, 104.0), realtime=False),
    run("cueline", "gil", account()),
]


def test_rows_put_rounds_together_in_the_order_of_the_first() -> None:
    theirs, ours = rows_of(some_runs)
    assert (theirs.contender, theirs.rounds, theirs.summary.missed, theirs.own) == ("sounddevice", 2, 410, {"xruns": 4})
    assert (theirs.sent, theirs.arrived, theirs.refused, theirs.realtime) == (1180, 1178, 20, False)
    assert (ours.contender, ours.summary.missed, ours.realtime) == ("cueline", 0, True)


def test_the_table_says_who_missed_what(capsys: pytest.CaptureFixture[str]) -> None:
    PlainConsole(least_width=160).print(table_of(rows_of(some_runs), 128 / 48))
    printed = capsys.readouterr().out
    for words in (
        "holds the GIL in C",
        "sounddevice (Python callback), without real-time priority",
        "410 of 2,000",
        "205, 210",
        "102.7, 104.0",
        "1,178 of 1,200",
        "xruns 4",
        "0 of 2,000",
    ):
        assert words in printed


def recording(contender: str, lost: int, gap_ms: float, *, realtime: bool = True) -> Recording:
    seen = Recorded(frames=48_000, lost=lost, gaps=2 if lost else 0, gap_ms=gap_ms)
    return Recording(contender, "gil", seen, {"own": {"overflows": 3}, "realtime": [5] if realtime else []})


some_recordings = [
    recording("sounddevice", 4_000, 80.0),
    recording("cueline", 0, 0.0),
    recording("sounddevice", 1_000, 20.0, realtime=False),
    recording("cueline", 0, 0.0),
]


def numbers(*pieces: range) -> npt.NDArray[np.float32]:
    return np.concatenate([np.array(piece) / 2**24 for piece in pieces]).astype(np.float32)


def test_a_recording_that_has_all_lost_nothing() -> None:
    samples = numbers(range(2**24 - 1_000, 2**24))
    assert count_recorded(samples, 48_000) == Recorded(frames=1_000, lost=0, gaps=0, gap_ms=0)


def test_numbers_that_are_missing_are_lost_and_silence_and_repetitions_are_none() -> None:
    """A repetition that reaches further than what it repeats has new frames at its end."""
    silence = np.zeros(100, np.float32)
    pieces = [numbers(range(10, 110)), numbers(range(158, 258)), silence, numbers(range(200, 260), range(300, 301))]
    seen = count_recorded(np.concatenate([silence, *pieces]), 48_000)
    assert seen == Recorded(frames=291, lost=48 + 40, gaps=2, gap_ms=1)


def test_a_recording_of_nothing_has_no_frames() -> None:
    assert count_recorded(np.zeros(10, np.float32), 48_000) == Recorded(0, 0, 0, 0)


def test_the_table_says_what_recordings_lost(capsys: pytest.CaptureFixture[str]) -> None:
    theirs, ours = recording_rows_of(some_recordings)
    assert theirs.seen == Recorded(frames=96_000, lost=5_000, gaps=4, gap_ms=80)
    assert (theirs.rounds, theirs.realtime, ours.realtime, ours.seen.lost) == (2, False, True, 0)
    PlainConsole(least_width=160).print(recordings_table_of([theirs, ours]))
    printed = capsys.readouterr().out
    for words in ("sounddevice (Python callback), without real-time", "5,000 of 96,000", "80.0", "overflows 6"):
        assert words in printed


def test_the_chart_of_recordings_says_what_they_lost(tmp_path: Path) -> None:
    drawn = draw_recordings(tmp_path, recording_rows_of(some_recordings), caption="a b c").read_text()
    for words in ("80 ms; 5,000 of 96,000 frames lost", "none of 96,000 frames lost", "a b c"):
        assert words in drawn


def test_a_chart_without_a_gap_can_be_drawn(tmp_path: Path) -> None:
    draw_recordings(tmp_path, recording_rows_of([recording("cueline", 0, 0.0)]), caption="")


def test_the_json_holds_rows_and_runs() -> None:
    whole = json.loads(json.dumps(as_json(rows_of(some_runs), some_runs, some_recordings, {"rounds": 2})))
    assert whole["rows"][0]["summary"]["missed"] == 410
    assert [one["seen"]["missed"] for one in whole["runs"]] == [200, 0, 210, 0]
    assert whole["rounds"] == 2
    assert whole["recording_rows"][0]["seen"]["lost"] == 5_000
    assert [one["seen"]["lost"] for one in whole["recordings"]] == [4_000, 0, 1_000, 0]


def test_the_chart_is_small_says_what_was_missed_and_is_the_same_every_time(tmp_path: Path) -> None:
    drawn = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        drawn.append(draw_stall(folder, rows_of(some_runs), block_ms=128 / 48, caption="a <b> & c").read_text())
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) < 30_000
    for words in (
        ">cueline</text>",
        "410 of 2,000 deadlines missed",
        "none of 2,000 deadlines missed",
        "a &lt;b&gt; &amp; c",
    ):
        assert words in drawn[0]


@dataclasses.dataclass(frozen=True)
class Invented(Room):
    """A room in which what is seen of a fault is invented."""

    seen: Callable[[Fault], Account] = lambda fault: account(fault.missed, fault.gap_blocks * 128 / 48)

    def check(self, fault: Fault) -> Account:
        return self.seen(fault)


def invented(seen: Callable[[Fault], Account] | None = None) -> Room:
    room = Invented({}, Path(), samplerate, block_frames)
    return room if seen is None else dataclasses.replace(room, seen=seen)


def test_an_observer_that_sees_each_fault_passes_its_check() -> None:
    assert check_observer(invented(), PlainConsole())


def deaf(_: Fault) -> Account:
    return account(0, 128 / 48)


def deaf_to_repeats(fault: Fault) -> Account:
    return deaf(fault) if fault.name == "repeated" else account(fault.missed, fault.gap_blocks * 128 / 48)


def takes_jumps_for_misses(fault: Fault) -> Account:
    return account(fault.times * fault.blocks, fault.gap_blocks * 128 / 48)


def one_off(fault: Fault) -> Account:
    return account(fault.missed, (fault.gap_blocks - 1) * 128 / 48)


@pytest.mark.parametrize("mutant", [deaf, deaf_to_repeats, takes_jumps_for_misses, one_off])
def test_an_observer_that_is_wrong_fails_its_check(mutant: Callable[[Fault], Account]) -> None:
    assert not check_observer(invented(mutant), PlainConsole())


@dataclasses.dataclass(frozen=True)
class InventedSource(Room):
    """A room in which what a recording shows is invented."""

    gap_frames: int = 0

    def check_source(self, skips: Skips) -> Recorded:
        return Recorded(10_000, skips.times * (skips.blocks * block_frames + self.gap_frames), skips.times, 0)


@pytest.mark.parametrize("wrong_by", [-1, 0, 1])
def test_a_recording_that_shows_other_gaps_than_the_source_has_fails_its_check(wrong_by: int) -> None:
    invented_room = InventedSource({}, Path(), samplerate, block_frames, wrong_by)
    assert check_source(invented_room, PlainConsole()) == (wrong_by == 0)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    log = tmp_path_factory.mktemp("jack") / "jackd.log"
    with jack_server(log, samplerate=samplerate, block_frames=block_frames) as environment:
        ours = str(Path(__file__).parents[2] / "benchmarks")
        yield Room(environment | {"PYTHONPATH": ours}, programs, samplerate, block_frames)


@built
def test_the_observer_finds_what_a_player_does_wrong_on_purpose(room: Room) -> None:
    assert check_observer(room, PlainConsole())


@built
@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.name != "jumped"], ids=str)
def test_a_player_that_does_other_wrong_than_was_said_is_not_taken_for_it(room: Room, fault: Fault) -> None:
    """The mutant: one fault fewer is played than is looked for."""
    played = room.check(dataclasses.replace(fault, times=fault.times - 1))
    assert not check_observer(invented(lambda _: played), PlainConsole())


@built
def test_a_recording_shows_the_numbers_that_the_source_leaves_out(room: Room) -> None:
    assert check_source(room, PlainConsole())


@built
def test_a_contender_that_is_gone_is_an_error_that_says_so(room: Room) -> None:
    with (
        Program([str(programs / "cueline_observer"), "nobody:out", "1"], room.environment, 30) as observer,
        pytest.raises(ProgramError, match="there is no port 'nobody:out'"),
    ):
        observer.ready()


def test_a_program_that_fails_is_an_error_with_its_last_words() -> None:
    command = ["sh", "-c", "echo ready port; read line; echo first >&2; echo last >&2; exit 3"]
    with Program(command, {}, 30) as program:
        assert program.ready() == "port"
        program.begin()
        with pytest.raises(ProgramError, match="ended with status 3: last"):
            program.end()


def test_a_program_that_hangs_is_ended_at_its_limit() -> None:
    with Program(["sleep", "60"], {"PATH": "/usr/bin:/bin"}, 0.2) as program, pytest.raises(ProgramError):
        program.ready()
