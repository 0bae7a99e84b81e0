"""The command ``cueline doctor``: its measurement, its report, and its exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import cueline
from conftest import eventually, interrupted_at, shown_on_a_terminal
from cueline.commands import cli, doctor
from cueline.commands.console import PlainConsole
from cueline.commands.doctor import command
from cueline.commands.doctor.checkup import checkup
from cueline.commands.doctor.findings import Finding, Verdict, fail, ok, warn
from cueline.commands.doctor.lateness import Bucket, Lateness, lateness, measure
from cueline.commands.doctor.machine import Machine, this_machine
from cueline.commands.doctor.report import account, histogram, print_report

PROGRAM = [sys.executable, "-m", "cueline", "doctor"]


def run_of(late_us: dict[float, int], *, missed: int = 0, realtime_priority: bool = True) -> Lateness:
    """Return a made-up run: microseconds late -> number of blocks, each in a bucket an eighth wide."""
    worst_ns = max((round(us * 1000) for us in late_us), default=0)
    buckets = [Bucket(round(us * 1000), round(us * 1125), count) for us, count in sorted(late_us.items())]
    return Lateness(2.5, realtime_priority, memory_locked=True, missed=missed, worst_ns=worst_ns, buckets=buckets)


def unknown_machine(root: Path) -> Machine:
    """Return a machine of which nothing can be read."""
    return Machine(root=root, groups=frozenset(), user="ada")


# --- What is measured


def test_every_block_of_a_run_is_in_a_bucket() -> None:
    with cueline.AudioEngine("null") as engine:
        assert eventually(lambda: engine.stats().blocks > 20)
        engine.stop()
        worst_ns, buckets = engine._lateness()
        assert sum(count for _, _, count in buckets) == engine.stats().blocks
    assert all(least < end and count > 0 for least, end, count in buckets)
    least_ns, end_ns, _ = buckets[-1]
    assert least_ns <= worst_ns < end_ns
    assert engine._lateness() == (worst_ns, buckets), "of a closed engine too"


def test_only_the_null_device_tells_how_late_its_blocks_began(offline: cueline.AudioEngine) -> None:
    with pytest.raises(cueline.DeviceError, match="this engine runs on the offline device"):
        offline._lateness()


def test_a_measurement_has_its_blocks() -> None:
    found = measure(0.2)
    assert found.blocks > 0
    assert found.late_ns(0.5) <= found.late_ns(0.99) <= found.late_ns(1) == found.worst_ns


# --- How it is judged: a block lasts 2667 us


def test_blocks_that_begin_soon_are_ok() -> None:
    finding = lateness(run_of({10: 900, 200: 99, 1300: 1}))
    assert (finding.verdict, finding.fix) == (Verdict.OK, None)
    assert "p99 225 us, worst 1300 us, 0 of 1000 blocks lost" in finding.found


@pytest.mark.parametrize(
    ("run", "blocksize"),
    [
        (run_of({10: 999, 1400: 1}), 256),  # more than half a block late
        (run_of({10: 950, 300: 50}), 256),  # more than one in a hundred later than a tenth
        (run_of({10: 9998, 3000: 1}, missed=1), 512),  # some were lost, but not more than one in a thousand
        (run_of({10: 9999}, missed=1), 256),  # lost without a late one: the block itself took too long
    ],
)
def test_blocks_that_begin_late_are_warned_of_and_larger_ones_fix_it(run: Lateness, blocksize: int) -> None:
    finding = lateness(run)
    assert finding.verdict is Verdict.WARN
    assert f"cueline.AudioEngine(blocksize={blocksize})" in str(finding.fix)


@pytest.mark.parametrize(
    ("run", "blocksize", "lost"),
    [
        (run_of({10: 996, 3000: 4}), 512, "4 of 1000"),
        (run_of({10: 996}, missed=4), 256, "4 of 1000"),
        (run_of({10: 9, 20_000_000: 1}, missed=7490), 8192, "7491 of 7500"),
    ],
)
def test_more_than_one_block_lost_in_a_thousand_fails(run: Lateness, blocksize: int, lost: str) -> None:
    finding = lateness(run)
    assert finding.verdict is Verdict.FAIL
    assert f"{lost} blocks lost" in finding.found
    assert f"cueline.AudioEngine(blocksize={blocksize})" in str(finding.fix)


def test_a_run_without_a_block_fails() -> None:
    finding = lateness(run_of({}))
    assert (finding.verdict, finding.fix) == (Verdict.FAIL, "cueline doctor --seconds 10")


def test_blocks_left_out_count_as_the_worst() -> None:
    run = run_of({10: 98, 5000: 1}, missed=1)
    assert run.late_ns(0.98) == 11_250
    assert run.late_ns(0.99) == run.late_ns(1) == 5_000_000


# --- How it is told


def test_the_histogram_has_a_bar_for_each_doubling() -> None:
    lines = histogram(run_of({0.5: 1, 1: 100, 7.2: 50, 7.1: 50, 900: 1}, missed=3))
    assert lines[0] == (
        "How late 202 blocks of 128 frames at 48000 Hz began, in us: "
        "p50 8.0, p99 900.0, p99.9 900.0, max 900.0; 3 left out"
    )
    rows = [(line.split()[1], line.split()[3], line.count("#")) for line in lines[1:]]
    assert rows[:4] == [("1", "1", 1), ("2", "100", 50), ("4", "0", 0), ("8", "50", 25)]
    assert rows[-1] == ("1024", "1", 1)
    assert [int(end) for end, _, _ in rows] == [2**power for power in range(11)]


FINDINGS = [
    ok("good", "all well", "it matters"),
    warn("bad", "[odd] state", "it may hurt", "sudo fix [it]"),
    fail("worse", "broken", "it hurts", "sudo fix --all"),
]


def test_each_finding_is_a_line_and_what_mends_it_another(capsys: pytest.CaptureFixture[str]) -> None:
    print_report(PlainConsole(), FINDINGS, run_of({10: 5}))
    lines = capsys.readouterr().out.splitlines()
    assert lines[:7] == [
        "OK    good   all well  (it matters)",
        "WARN  bad    [odd] state",
        "      it may hurt:",
        "      sudo fix [it]",
        "FAIL  worse  broken",
        "      it hurts:",
        "      sudo fix --all",
    ]
    assert lines[-2:] == ["1 OK, 1 WARN, 1 FAIL", "The commands are for Debian and Ubuntu."]


def test_where_all_is_ok_there_is_nothing_to_copy(capsys: pytest.CaptureFixture[str]) -> None:
    print_report(PlainConsole(), FINDINGS[:1], run_of({}))
    assert capsys.readouterr().out.splitlines()[-1] == "1 OK, 0 WARN, 0 FAIL"


def test_the_account_has_every_number() -> None:
    told = account(FINDINGS, run_of({10: 999, 3000: 1}, missed=2))
    assert told["verdict"] == "FAIL"
    assert told["checks"][1] == {
        "name": "bad",
        "verdict": "WARN",
        "found": "[odd] state",
        "why": "it may hurt",
        "fix": "sudo fix [it]",
    }
    measured = told["lateness"]
    assert (measured["blocks"], measured["missed"], measured["lost"]) == (1000, 2, 3)
    assert measured["late_ns"] == {"p50": 11_250, "p99": 11_250, "p99.9": 3_000_000, "max": 3_000_000}
    assert measured["histogram_ns"] == [[10_000, 11_250, 999], [3_000_000, 3_375_000, 1]]
    assert account(FINDINGS, run_of({}))["lateness"]["late_ns"] is None


# --- The whole of it


def test_a_machine_of_which_nothing_can_be_read_is_judged_all_the_same(tmp_path: Path) -> None:
    findings = checkup(unknown_machine(tmp_path), run_of({5: 1000}))
    assert len({finding.name for finding in findings}) == len(findings) == 16


def test_whatever_is_not_ok_has_one_line_that_mends_it(tmp_path: Path) -> None:
    findings = checkup(unknown_machine(tmp_path), run_of({5000: 1000}, realtime_priority=False))
    lines = [finding.fix for finding in findings if finding.verdict is not Verdict.OK]
    assert len(lines) > 4
    for line in lines:
        assert line is not None
        assert "\n" not in line
        if "python" not in line.lower():
            subprocess.run(["bash", "-n", "-c", line], check=True, timeout=60)


def test_this_machine_can_be_looked_at() -> None:
    machine = this_machine()
    assert machine.user
    assert "Cpus_allowed_list" in (machine.text("/proc/self/status") or "")


@pytest.mark.parametrize(("findings", "expected"), [(FINDINGS[:1], 0), (FINDINGS[:2], 1), (FINDINGS, 2)])
@pytest.mark.parametrize("mode", [[], ["--json"]])
def test_the_exit_status_is_that_of_the_worst(
    monkeypatch: pytest.MonkeyPatch, findings: list[Finding], expected: int, mode: list[str]
) -> None:
    monkeypatch.setattr(command, "checkup", lambda *_: findings)
    assert cli.main(["doctor", "--seconds", "0.05", *mode]) == expected


def test_the_doctor_tells_of_this_machine_in_plain_text() -> None:
    done = subprocess.run([*PROGRAM, "--seconds", "0.2"], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0] == "Running the null device for 0.2 s: blocks of 128 frames, 48000 Hz ..."
    verdicts = [line.split()[0] for line in lines[1:] if line[:4].strip() in ("OK", "WARN", "FAIL")]
    assert len(verdicts) == 16
    assert done.returncode == max(Verdict[verdict] for verdict in verdicts)
    assert "How late " in done.stdout
    assert "\x1b" not in done.stdout


def test_the_doctors_json_is_one_object() -> None:
    done = subprocess.run(
        [*PROGRAM, "--seconds", "0.2", "--json"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    told = json.loads(done.stdout)
    assert done.returncode == Verdict[told["verdict"]]
    assert all((check["fix"] is None) == (check["verdict"] == "OK") for check in told["checks"])
    measured = told["lateness"]
    assert measured["blocks"] == sum(count for _, _, count in measured["histogram_ns"]) > 0


def test_the_doctor_speaks_in_colours_on_a_terminal() -> None:
    _, output = shown_on_a_terminal(*PROGRAM, "--seconds", "0.05")
    assert b"\x1b[1;32mOK" in output


def test_the_doctor_says_in_one_line_why_it_could_not_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: float) -> Lateness:
        raise cueline.DeviceError("no thread")

    monkeypatch.setattr(command, "measure", refuse)
    assert cli.main(["doctor", "--json"]) == 2
    assert capsys.readouterr() == ("", "cueline: no thread\n")


@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_the_doctor_is_for_linux_and_says_so_at_once(
    system: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(command, "measure", lambda _: pytest.fail("it measured"))
    assert cli.main(["doctor"]) == 2
    said = "the doctor looks at Linux's settings, and this is another system: use `cueline ping`"
    assert capsys.readouterr() == ("", f"cueline: {said}\n")


@pytest.mark.parametrize("seconds", ["0", "86401", "inf", "-1", "soon"])
def test_a_measurement_lasts_some_seconds(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["doctor", "--seconds", seconds])
    assert ended.value.code == 2
    assert f"must be more than 0 and at most 86400 seconds, got '{seconds}'" in capsys.readouterr().err


def test_ctrl_c_ends_the_doctor_without_a_word() -> None:
    assert interrupted_at("Running", sys.executable, "-u", *PROGRAM[1:], "--seconds", "60") == (130, "", "")


def test_the_package_offers_the_command() -> None:
    assert doctor.run is command.run
