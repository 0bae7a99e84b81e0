"""``cueline bench``: it measures what it claims, and reports all of it. No test judges a figure."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import cueline
from conftest import eventually, status_in_a_shell
from cueline.commands import charts, cli
from cueline.commands.bench import calls, command, echo, machine, messages, peers
from cueline.commands.bench.calls import TARGETS, Target, judge
from cueline.commands.bench.imports import AT_MOST, ImportTimes, time_imports
from cueline.commands.bench.measure import Contender, Costs, Effort, Spread, measure, percentile, ratio, together
from cueline.commands.bench.peers import OURS, Missing
from cueline.commands.bench.results import Crossing, Results, account

LITTLE = Effort(rounds=2, divisor=50)

# Peers that every Python has.
ALWAYS = ["queue.Queue", "queue.SimpleQueue", "collections.deque", "multiprocessing.Queue"]
OPTIONAL = {
    "culsans": "culsans.Queue",
    "faster_fifo": "faster_fifo.Queue",
    "ringbuf": "ringbuf.RingBuffer",
    "pythonosc": "OSC over UDP",
}


@pytest.fixture(scope="module")
def results() -> Results:
    return command.benchmark(LITTLE)


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch, results: Results) -> list[Effort]:
    """Make the command show earlier results, and record the effort that it asked for."""
    asked: list[Effort] = []

    def benchmark(effort: Effort) -> Results:
        asked.append(effort)
        return results

    monkeypatch.setattr(command, "benchmark", benchmark)
    return asked


def costs(*batches: float) -> Costs:
    return Costs(list(batches), [int(batch) for batch in batches])


# --- The arithmetic ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fraction", "value"), [(0.0, 1), (0.1, 1), (0.11, 2), (0.5, 5), (0.9, 9), (0.999, 10), (1, 10)]
)
def test_a_percentile_is_the_least_that_so_many_do_not_exceed(fraction: float, value: int) -> None:
    assert percentile([3, 1, 2, 5, 4, 7, 6, 10, 9, 8], fraction) == value


def test_a_ratio_is_taken_round_by_round() -> None:
    """The machine was ten times slower in the second round, and the ratio does not show it."""
    assert ratio(costs(2, 20, 2), costs(1, 10, 1)) == Spread(2, 2, 2)
    assert together(costs(2, 20), costs(1, 10)).batches == [3, 30]


@pytest.mark.parametrize(
    ("figure", "at_most", "met"),
    [("ratio", 2, True), ("ratio", 1.9, False), ("median", 80, True), ("median", 79, False), ("p99.9", 80, True),
     ("p99.9", 79, False)],
)  # fmt: skip
def test_a_target_is_met_up_to_its_figure_and_not_beyond(figure: Any, at_most: float, met: bool) -> None:
    found = judge(
        Target(calls.PING, figure, at_most, ""), {calls.PING: costs(80, 80), calls.LIMITS[calls.PING]: costs(40, 40)}
    )
    assert found.met is met


@pytest.mark.parametrize(
    ("name", "factor", "met"),
    [("queue.Queue", 1.0, True), ("queue.Queue", 0.99, False), ("collections.deque", 0.4, True),
     ("collections.deque", 0.39, False), ("queue.SimpleQueue", 0.4, True), ("queue.SimpleQueue", 0.39, False)],
)  # fmt: skip
def test_a_peer_is_beaten_or_kept_up_with_as_the_target_says(name: str, factor: float, met: bool) -> None:
    spread = Spread(1, 1, 1)
    way = peers.Way(name, "", "", "")
    assert Crossing(way, spread, spread, spread, spread, 1, 1, 1, factor).met is met


def test_every_target_of_the_calls_stands() -> None:
    pings = [name for name in calls.LIMITS if name.startswith(("ping(), accepted", "ping(), refused"))]
    assert len(pings) == 4
    wanted = {(ping, figure) for ping in pings for figure in ("ratio", "p99.9")}
    wanted |= {(calls.RECEIVE_NOTHING, "ratio"), (calls.RECEIVE, "median")}
    wanted |= {(call, "median") for call in messages.SENDS}
    wanted |= {(call, "ratio") for call in (messages.SEND_MANY, messages.RECEIVE_MANY)}
    assert {(target.call, target.figure) for target in TARGETS} == wanted


# --- Measuring ---------------------------------------------------------------------------------------------------


def test_every_call_of_every_round_is_made_and_timed() -> None:
    made: list[int] = []
    prepared: list[int] = []
    finished: list[None] = []
    contender = Contender(
        "one", "make(1)", {"make": made.append}, prepared.append, lambda: finished.append(None), calls=1000
    )
    taken = measure([contender], Effort(rounds=3, divisor=50))["one"]
    assert (len(taken.batches), len(taken.singles)) == (3, 3 * 20)
    assert all(batch > 0 for batch in taken.batches)
    assert set(prepared) == {20}
    assert len(made) == sum(prepared), "in batches and singly, and once more to warm up"
    assert len(prepared) == len(finished) == 2 * (3 + 1)


def test_what_is_slow_is_found_to_be_slow() -> None:
    """The mutant of the harness: if it timed nothing, or the wrong statement, both would look alike."""
    slow = Contender("slow", "sleep(0.001)", {"sleep": time.sleep}, calls=10)
    taken = measure([slow, Contender("quick", "pass", {})], Effort(rounds=2, divisor=10))
    assert min(taken["slow"].batches) >= 1e6
    assert min(taken["slow"].singles) >= 1e6
    assert min(taken["quick"].batches) < min(taken["slow"].batches)


def test_the_contenders_take_turns() -> None:
    order: list[str] = []
    contenders = [
        Contender(name, "pass", {}, lambda _, name=name: order.append(name), calls=10) for name in ("a", "b", "c")
    ]
    measure(contenders, Effort(rounds=20))
    rounds = [tuple(order[start : start + 6 : 2]) for start in range(0, len(order), 6)]
    assert {tuple(sorted(one)) for one in rounds} == {("a", "b", "c")}, "each once a round"
    assert len(set(rounds)) > 2, "nobody always goes first"


def test_the_pings_are_what_their_names_say() -> None:
    """Accepted pings are all accepted, refused ones are refused, and receive_msg() finds a message or none."""
    with ExitStack() as stack:
        for contender in calls.our_calls(stack):
            if "engine" not in contender.names:
                continue
            engine = contender.names["engine"]
            assert isinstance(engine, cueline.AudioEngine)
            blocks = engine.stats().blocks
            contender.prepare(1000)
            found = [eval(contender.statement, dict(contender.names)) for _ in range(1000)]
            contender.finish()
            blocks = engine.stats().blocks - blocks
            if contender.name.startswith("ping(), accepted") or contender.name == calls.PING_COLD:
                assert set(found) == {cueline.Status.OK}, contender.name
            elif contender.name.startswith("ping(), refused"):
                # While the audio runs, each block may take one command from the ring.
                assert found.count(cueline.Status.FULL) >= 1000 - blocks - 1, contender.name
                assert cueline.Status.FULL in found, contender.name
            elif contender.name == calls.RECEIVE:
                assert all(isinstance(one, cueline.Pong) for one in found)
            else:
                assert set(found) == {None}, contender.name


def test_a_call_that_moves_many_is_told_by_the_message() -> None:
    slow = {"sleep": time.sleep}
    one = Contender("one", "sleep(0.001)", slow, calls=10)
    many = Contender("many", "sleep(0.001)", slow, calls=10, messages=1000)
    taken = measure([one, many], Effort(rounds=2))
    assert min(taken["many"].batches) >= 1e3
    assert min(taken["many"].singles) >= 1e3
    assert min(taken["many"].batches) < min(taken["one"].batches)


def test_a_share_of_less_than_a_nanosecond_is_not_zero() -> None:
    many = Contender("many", "sleep(0.001)", {"sleep": time.sleep}, calls=10, messages=10**9)
    assert min(measure([many], Effort(rounds=2))["many"].singles) > 0


def test_the_sends_are_what_their_names_say() -> None:
    """Single messages are accepted; arrays have a thousand messages, sent and received."""
    with ExitStack() as stack:
        for contender in messages.message_calls(stack):
            for _ in range(2):
                contender.prepare(contender.calls)
                if contender.name == messages.PARAMETER:
                    exec(contender.statement, dict(contender.names))
                    tone: Any = contender.names["tone"]
                    assert tone.parameters["gain"] == 0.5
                    continue
                if contender.name == messages.COPY_MANY:
                    copies = [contender.names["next_place"]() for _ in range(contender.calls)]  # type: ignore[operator]
                    assert {copy.nbytes for copy in copies} == {1000 * 56}
                    assert len({id(copy) for copy in copies}) == 10
                    continue
                found = [eval(contender.statement, dict(contender.names)) for _ in range(contender.calls)]
                contender.finish()
                if contender.name in messages.SENDS:
                    assert found == [cueline.Status.OK] * 1000
                elif contender.name == messages.SEND_MANY:
                    assert found == [1000] * 10
                else:
                    assert [len(array) for array in found] == [1000] * 10


def test_both_imports_are_timed_in_turn_in_fresh_interpreters(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first round does not count: it may compile files."""
    programs: list[str] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        assert command[:2] == [sys.executable, "-c"]
        programs.append(command[2])
        return subprocess.CompletedProcess(command, 0, b"%d\n" % (1000 if len(programs) <= 2 else len(programs)))

    monkeypatch.setattr(subprocess, "run", run)
    pauses: list[None] = []
    found = time_imports(3, between=lambda: pauses.append(None))
    assert ["import cueline;" in program for program in programs] == [True, False] * 4
    assert ["import numpy;" in program for program in programs] == [False, True] * 4
    assert (found.cueline.median, found.numpy.median, found.ratio) == (5, 6, 5 / 6)
    assert len(pauses) == 8


def test_an_import_takes_time() -> None:
    found = time_imports(1)
    assert min(found.cueline.median, found.numpy.median) > 1e5, "a tenth of a millisecond"


@pytest.mark.parametrize(("ratio", "met"), [(0.25, True), (0.2501, False)])
def test_the_target_of_the_import_is_a_quarter(ratio: float, met: bool) -> None:
    spread = Spread(1, 1, 1)
    assert ImportTimes(spread, spread, ratio).met is met


# --- What is reported ------------------------------------------------------------------------------------------------


def expected_peers() -> list[str]:
    here = [name for module, name in OPTIONAL.items() if peers.packaged(module)]
    return ALWAYS + [name for name in here if name != "OSC over UDP" or echo.reaches_itself()]


def test_the_json_has_the_whole_account(results: Results) -> None:
    told = json.loads(json.dumps(account(results)))
    assert list(told) == ["machine", "effort", "calls", "peers", "round_trips", "missing", "imports"]
    assert told["machine"].keys() == {
        "cpu", "cores", "kernel", "governor", "python", "python_compiler", "cueline", "cueline_compiler",
    }  # fmt: skip
    assert told["machine"]["cueline_compiler"].startswith(("g++ ", "clang "))
    assert told["effort"] == {"rounds": 2, "divisor": 50}
    assert [peer["name"] for peer in told["peers"]] == ["cueline", *expected_peers()]
    assert len(told["peers"]) + len(told["missing"]) == 1 + len(ALWAYS) + len(OPTIONAL)
    for one in told["calls"] + told["round_trips"]:
        assert 0 < one["batch_ns"]["p10"] <= one["batch_ns"]["median"] <= one["batch_ns"]["p90"]
        assert 0 < one["single_ns"]["median"] <= one["single_ns"]["p99"] <= one["single_ns"]["p99.9"]
    limited = {call["name"]: call for call in told["calls"] if call["limit"]}
    assert set(limited) == set(calls.LIMITS)
    assert all(call["ratio"]["median"] > 0 for call in limited.values())
    assert sum(len(call["targets"]) for call in told["calls"]) == len(TARGETS)
    for peer in told["peers"]:
        assert set(peer["factor"]) == {"put", "make_and_put", "get", "whole"}
        assert peer["target"]["met"] is (peer["factor"]["whole"] >= peer["target"]["at_least"])
    imports = told["imports"]
    assert imports["ratio"] == imports["cueline"]["median"] / imports["numpy"]["median"] > 0
    assert imports["met"] is (imports["ratio"] <= imports["at_most"] == AT_MOST)


def test_ours_is_once_what_ours_is(results: Results) -> None:
    ours = results.crossings()[0]
    assert ours.way is OURS
    assert (ours.put_factor, ours.send_factor, ours.get_factor, ours.whole_factor) == (1, 1, 1, 1)


def test_the_tables_show_every_contender(
    little: list[Effort], results: Results, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["bench", "--quick"]) == 0
    assert little == [command.QUICK]
    printed = capsys.readouterr().out
    for contender in [*results.calls, *results.trips]:
        assert contender.name in printed
    for name in ["cueline", *expected_peers(), "import cueline", "import numpy"]:
        assert f"\n{name} " in printed
    for text in (results.machine.cpu, results.machine.cueline_compiler, results.machine.python_compiler, "p99.9"):
        assert text in printed
    assert printed.count("met\n") == len(TARGETS) + len(expected_peers()) + 1
    assert "…" not in printed, "nothing is cut off"


def test_without_quick_it_takes_its_time(little: list[Effort], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["bench", "--json"]) == 0
    assert little == [command.FULL]
    assert json.loads(capsys.readouterr().out)["calls"]


def test_a_missing_peer_is_told_and_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, little: list[Effort], results: Results, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in OPTIONAL:
        monkeypatch.setitem(sys.modules, module, None)
    with ExitStack() as stack:
        found, missing = peers.peers(stack)
    assert [peer.way.name for peer in found] == ALWAYS
    assert [one.name for one in missing] == ["culsans", "faster-fifo", "ringbuf", "python-osc"]
    monkeypatch.setattr(command, "benchmark", lambda _: Results(**{**vars(results), "missing": missing}))
    assert cli.main(["bench"]) == 0
    printed = capsys.readouterr().out
    for one in missing:
        assert f"\n{one.name} is left out because it cannot be imported: {one.remedy}\n" in printed
    assert "pip install 'cueline[bench]'" in printed
    assert Missing("ringbuf", "apt install g++ libboost-dev libboost-system-dev; pip install ringbuf") in missing
    assert little == []


def test_osc_is_left_out_where_the_computer_does_not_reach_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unreachable(socket.socket):
        def sendto(self, *_: object) -> int:
            raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr(socket, "socket", Unreachable)
    monkeypatch.setitem(sys.modules, "pythonosc", ModuleType("pythonosc"))
    with ExitStack() as stack:
        found, missing = peers.peers(stack)
        trips = echo.round_trips(stack, peers.packaged)
    assert "OSC over UDP" not in [peer.way.name for peer in found]
    assert [one.remedy for one in missing if one.name == "python-osc"] == ["ip link set lo up"]
    assert "OSC over UDP: a process" not in [trip.name for trip in trips]


# --- Charts ------------------------------------------------------------------------------------------------------


def test_charts_are_drawn_and_are_the_same_each_time(
    little: list[Effort], results: Results, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("one", "new/two"):
        assert cli.main(["bench", "--svg", str(tmp_path / folder)]) == 0
    for name, within in (
        ("python-calls.svg", [call.name for call in results.calls]),
        ("python-peers.svg", ["cueline", *expected_peers()]),
    ):
        drawn = (tmp_path / "one" / name).read_text()
        assert drawn == (tmp_path / "new/two" / name).read_text()
        text = "".join(ET.fromstring(drawn).itertext())
        assert all(one in text for one in within)
    assert len(little) == 2
    assert capsys.readouterr().err == ""


def test_a_folder_that_cannot_be_is_said_before_anything_is_measured(
    little: list[Effort], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["bench", "--svg", "/dev/null/charts"]) == 2
    assert capsys.readouterr().err == "cueline: cannot make the folder '/dev/null/charts' for charts: Not a directory\n"
    assert little == []


def test_charts_say_that_matplotlib_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(cueline.MissingPackageError, match=r"pip install 'cueline\[charts\]'"):
        charts.check_folder(tmp_path)


# --- As a program ------------------------------------------------------------------------------------------------


def test_ctrl_c_ends_it_without_a_word_and_leaves_no_process() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "cueline", "bench"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        assert eventually(lambda: children.read_text() != "", within_s=60), "at first it measures imports"
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)  # it would not return while a child still holds these pipes
    assert (status_in_a_shell(process), output, errors) == (130, "", "")


def test_a_system_without_masks_of_signals_and_of_cores_is_measured_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(signal, "pthread_sigmask")
    monkeypatch.delattr(os, "sched_getaffinity")
    assert machine.this_machine().cores == os.cpu_count()
    with ExitStack() as stack:
        names = [trip.name for trip in echo.round_trips(stack, lambda _: None)]
    assert "multiprocessing.Queue: a process" in names
