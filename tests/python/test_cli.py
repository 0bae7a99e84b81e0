"""The command line, run as users run it."""

from __future__ import annotations

import json
import modulefinder
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import cueline
from conftest import require, shown_on_a_terminal
from cueline.commands import cli, ping

PLAY = [sys.executable, "-m", "cueline", "tone", "--device", "null", "--seconds", "0.5"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cueline", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def test_ping_prints_a_line_per_pong_and_a_summary() -> None:
    done = run("ping", "--count", "4", "--interval", "0.01")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0] == ("PING the audio thread: null device, 48000 Hz, 2 outputs, blocks of 128 frames (2.667 ms)")
    assert [line.split(" at frame ")[0] for line in lines[1:5]] == ["pong 1", "pong 2", "pong 3", "pong 4"]
    assert lines[5:7] == ["--- null device ---", "4 sent, 4 received, 0 dropped"]
    for word in (
        "min",
        "median",
        "avg",
        "p99",
        "max",
        "round trip, in blocks",
        "until its block began",
        "until we looked",
    ):
        assert word in done.stdout
    assert "\x1b" not in done.stdout, "plain text where there is no terminal"
    assert done.stderr == ""


def test_the_command_and_the_module_are_the_same() -> None:
    command = Path(sys.executable).with_name("cueline")
    by_command = subprocess.run([command, "--version"], capture_output=True, text=True, timeout=60, check=False)
    assert by_command.stdout == run("--version").stdout == f"cueline {cueline.__version__}\n"


def test_an_import_statement_names_each_module_so_that_pyinstaller_finds_it(tmp_path: Path) -> None:
    package = Path(cueline.__file__).parent
    (tmp_path / "cueline").symlink_to(package)
    finder = modulefinder.ModuleFinder(path=[str(tmp_path)])  # and so not what cueline imports from elsewhere
    finder.run_script(str(package / "__main__.py"))
    files = [path.relative_to(package.parent).with_suffix("") for path in package.rglob("*.py")]
    modules = {".".join(path.parts).removesuffix(".__init__") for path in files} - {"cueline.__main__"}
    assert "cueline.commands.doctor.kernel" in modules
    assert modules - set(finder.modules) == set()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--includedir"], "a frozen application does not bring what C++ is built against"),
        (["--cmakedir"], "a frozen application does not bring what C++ is built against"),
        (["bench"], "cueline bench starts other Pythons, and a frozen application has none"),
    ],
)
def test_what_a_frozen_application_lacks_is_said(
    arguments: list[str], text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr("cueline.paths.__file__", "/nowhere/cueline/paths.pyc")
    assert cli.main(arguments) == 2
    assert text in capsys.readouterr().err


def test_ping_prints_colours_on_a_terminal() -> None:
    status, output = shown_on_a_terminal(sys.executable, "-m", "cueline", "ping", "--count", "1")
    assert status == 0
    assert b"\x1b[" in output
    assert b"1 sent, 1 received, 0 dropped" in output


def test_ping_json_has_the_whole_account() -> None:
    done = run("ping", "--count", "5", "--interval", "0", "--json", "--samplerate", "44100", "--blocksize", "64")
    assert done.returncode == 0
    account = json.loads(done.stdout)
    assert (account["sent"], account["received"], account["dropped"]) == (5, 5, 0)
    assert account["block_ms"] == pytest.approx(64 / 44.1)
    assert account["stats"]["samplerate"] == 44100
    assert [pong["sequence"] for pong in account["pongs"]] == [1, 2, 3, 4, 5]
    for pong in account["pongs"]:
        assert pong["total_ns"] == pong["send_ns"] + pong["block_ns"] + pong["look_ns"]
    spread = account["spread_ms"]["round_trip"]
    assert 0 < spread["min"] <= spread["avg"] <= spread["max"]
    assert spread["p99"] <= spread["max"]


def test_ping_floods_without_loss() -> None:
    done = run("ping", "--flood", "--count", "5000")
    assert done.returncode == 0
    assert "5000 sent, 5000 received, 0 dropped" in done.stdout
    assert "pong" not in done.stdout, "a line each would be slower than the line"


def test_ping_works_on_the_offline_device() -> None:
    done = run("ping", "--device", "offline", "--count", "3", "--interval", "0")
    assert done.returncode == 0
    assert "3 sent, 3 received, 0 dropped" in done.stdout


INTERRUPTED = """
import signal, sys
import cueline
from cueline.commands import cli, ping
presses = [int(sys.argv[1])]
class Interrupted(cueline.AudioEngine):
    def ping(self):
        status = super().ping()
        while presses[0]:
            presses[0] -= 1
            signal.raise_signal(signal.SIGINT)
        return status
ping.AudioEngine = Interrupted
sys.exit(cli.main(["ping", *sys.argv[2:]]))
"""


def interrupted(*arguments: str, times: int = 1) -> tuple[int, str, str]:
    """Start a ping, press Ctrl-C ``times`` times as the first ping was sent. Return exit status, output and errors."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, str(times), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("mode", [[], ["--flood"]])
def test_ctrl_c_prints_the_summary(mode: list[str]) -> None:
    status, output, errors = interrupted("--count", "0", *mode)
    assert (status, errors) == (0, "")
    assert ", 0 dropped" in output
    sent, received = (int(part.split()[0]) for part in output.split("---\n")[1].split(", ")[:2])
    assert sent == received > 0


@pytest.mark.parametrize("mode", [[], ["--flood"]])
def test_an_impatient_second_ctrl_c_prints_the_summary_too(mode: list[str]) -> None:
    status, output, errors = interrupted("--count", "0", *mode, times=2)
    assert errors == ""
    assert "sent" in output or status == 130


def test_ctrl_c_does_not_wait_for_a_block_that_is_far_away() -> None:
    """Blocks take eight seconds: a ping under way gets half a second, then it counts as missing."""
    status, output, errors = interrupted("--count", "1", "--blocksize", "8192", "--samplerate", "1000")
    assert (status, errors) == (1, "")
    assert "1 sent, 0 received, 0 dropped, 1 not answered" in output


def test_ping_draws_a_histogram(tmp_path: Path) -> None:
    chart = tmp_path / "round-trips.svg"
    assert run("ping", "--count", "20", "--interval", "0", "--histogram", str(chart)).returncode == 0
    root = ET.parse(chart).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    text = "".join(root.itertext())
    assert "round trip in ms" in text
    assert "20 pings" in text


def test_an_unknown_device_is_refused_with_the_names_there_are() -> None:
    require("libportaudio.so.2")
    done = run("ping", "--device", "loud")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("cueline: device must be 'null', 'offline', 'jack', 'portaudio', or words of ")
    assert done.stderr.endswith("got 'loud'\n")
    assert done.stderr.count("\n") == 1, "and nothing of ALSA's or JACK's"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--blocksize", "0"], "blocksize must be from 1 to 8192 frames, got 0"),
        (["--samplerate", "7"], "samplerate must be from 1000 to 768000 frames a second, got 7"),
        (["--histogram", "chart.png"], "a chart's file name must end in .svg, got 'chart.png'"),
        (
            ["--histogram", "/nowhere/chart.svg"],
            "there is no folder '/nowhere' for 'chart.svg': make it first",
        ),
        (["--histogram", "/proc/chart.svg"], "'/proc/chart.svg' cannot be written: No such file or directory"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(arguments: list[str], text: str) -> None:
    done = run("ping", *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"cueline: {text}\n")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--count", "-1"], "must be 0 or more, got -1"),
        (["--interval", "nan"], "must be 0 seconds or more, got 'nan'"),
        (["--interval=-2"], "must be 0 seconds or more, got '-2'"),
        (["--count", "many"], "must be a whole number, got 'many'"),
        (["--blocksize", "big"], "must be a whole number, got 'big'"),
        (["--interval", "soon"], "must be 0 seconds or more, got 'soon'"),
    ],
)
def test_bad_options_are_refused_with_the_value(arguments: list[str], text: str) -> None:
    done = run("ping", *arguments)
    assert done.returncode == 2
    assert text in done.stderr


def test_a_missing_matplotlib_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(cueline.MissingPackageError, match=r"charts need matplotlib: pip install 'cueline\[charts\]'"):
        ping.run(cli._parser().parse_args(["ping", "--histogram", str(tmp_path / "chart.svg")]))


@pytest.mark.parametrize("mode", [[], ["--json"]])
def test_a_lost_pong_makes_the_exit_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], mode: list[str]
) -> None:
    class Losing(cueline.AudioEngine):
        lost = False

        def receive_msg(self) -> cueline.Message | None:
            message = super().receive_msg()
            if message is not None and not self.lost:
                self.lost = True
                return None
            return message

    monkeypatch.setattr(ping, "AudioEngine", Losing)
    assert cli.main(["ping", "--count", "3", "--interval", "0", *mode]) == 1
    output = capsys.readouterr().out
    assert ('"received": 2' if mode else "3 sent, 2 received, 0 dropped, 1 not answered") in output


def test_a_dropped_ping_makes_the_exit_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Late(cueline.AudioEngine):
        """Starts only after its ring has overflowed."""

        def start(self) -> None:
            if self.stats().commands.dropped:
                super().start()

        def ping(self) -> cueline.Status:
            status = super().ping()
            self.start()
            return status

    monkeypatch.setattr(ping, "AudioEngine", Late)
    assert cli.main(["ping", "--count", "1030", "--interval", "0.000001"]) == 1
    lines = capsys.readouterr().out.splitlines()
    dropped = [line for line in lines if "received," in line]
    assert len(dropped) == 1
    assert " 0 dropped" not in dropped[0]


def test_no_interval_means_when_the_last_has_come() -> None:
    done = run("ping", "--count", "300", "--interval", "0", "--blocksize", "16")
    assert done.returncode == 0
    assert "300 sent, 300 received, 0 dropped" in done.stdout


def test_the_first_offline_ping_takes_no_longer_than_the_others() -> None:
    """NumPy is imported before it: that takes a hundred times as long as everything else."""
    account = json.loads(run("ping", "--device", "offline", "--count", "2", "--json").stdout)
    assert account["spread_ms"]["round_trip"]["max"] < 40


def test_a_reader_that_goes_away_is_no_error_of_ours() -> None:
    line = f"{sys.executable} -u -m cueline ping --count 30 --interval 0.01 | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.splitlines()[1:] == ["141"]
    assert done.stderr == ""


@pytest.mark.parametrize("mode", [[], ["--json"]])
def test_output_that_cannot_be_written_is_said_in_one_line(mode: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "cueline", "ping", "--count", "1", *mode],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.startswith("cueline: cannot write the output: ")
    assert "Traceback" not in done.stderr


def by_shell(line: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash, in which ``cueline`` is the command."""
    function = f'cueline() {{ {sys.executable} -m cueline "$@"; }}; {line}'
    environment = os.environ | variables
    return subprocess.run(
        ["bash", "-c", function], capture_output=True, text=True, timeout=60, check=False, env=environment
    )


@pytest.mark.parametrize("arguments", ["ping --count 1", "tone --json", "devices", "--version", ""])
def test_a_closed_stdout_is_said_in_one_line(arguments: str) -> None:
    done = by_shell(f"cueline {arguments} >&-")
    assert (done.returncode, done.stderr) == (2, "cueline: cannot write the output: stdout is closed\n")


def test_a_closed_stderr_does_not_send_errors_to_stdout() -> None:
    done = by_shell("cueline ping --blocksize 0 2>&-")
    assert (done.returncode, done.stdout) == (2, "")


def test_a_command_without_arguments_shows_the_help() -> None:
    done = run()
    assert (done.returncode, done.stdout, done.stderr) == (0, run("--help").stdout, "")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("ping --flood --interval 0.1", "argument -i/--interval: not allowed with argument -f/--flood"),
        ("tone --metronome 120 --frequency 440", "argument --frequency: not allowed with argument --metronome"),
    ],
)
def test_an_option_that_would_have_no_effect_is_refused(arguments: str, text: str) -> None:
    done = run(*arguments.split())
    assert done.returncode == 2
    assert text in done.stderr


ASCII = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}


def test_output_that_is_not_utf_8_replaces_the_letters_that_it_lacks(tmp_path: Path) -> None:
    done = by_shell(f"cd {tmp_path}; cueline tone --seconds 0.1 --wav tön.wav", **ASCII)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("t?n.wav: 4800 frames of 440 Hz")


def test_a_terminal_that_is_not_utf_8_shows_the_bar_in_ascii() -> None:
    status, output = shown_on_a_terminal(*PLAY, **ASCII)
    assert status == 0
    assert output.isascii()
    assert b"[" in output.split(b"dBFS")[2]
    assert b"s played: rms" in output


def test_a_dumb_terminal_gets_a_line_a_second() -> None:
    status, output = shown_on_a_terminal(*PLAY, TERM="dumb")
    assert status == 0
    assert b"\x1b" not in output
    assert [line for line in output.splitlines() if b"dBFS   peak" in line]


@pytest.mark.parametrize("command", [["ping", "--count", "2"], ["devices"], ["doctor", "--seconds", "0.1"]])
def test_a_narrow_terminal_cuts_no_number(command: list[str]) -> None:
    _, output = shown_on_a_terminal(sys.executable, "-m", "cueline", *command, COLUMNS="20")
    assert b"48000" in output
    assert "…" not in output.decode()


def test_no_color_leaves_out_bold_letters_too() -> None:
    status, output = shown_on_a_terminal(sys.executable, "-m", "cueline", "ping", "--count", "1", NO_COLOR="1")
    assert status == 0
    assert b"\x1b" not in output
    assert b"1 sent, 1 received, 0 dropped" in output


def test_sigterm_prints_the_summary() -> None:
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "cueline", "ping", "--count", "0"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("PING")
        assert process.stdout.readline().startswith("pong"), "it handles signals"
        process.terminate()
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert ", 0 dropped" in output
