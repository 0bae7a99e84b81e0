"""What `make wheel` refuses: each of its checks is held to something that it must catch."""

from __future__ import annotations

import io
import json
import platform
import re
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from contextlib import nullcontext
from pathlib import Path

import pytest

from shipping.artifacts import PROCESSORS, repair, sdist_faults, wheel_faults
from shipping.empty_root import EmptyRoot, unwanted_in
from shipping.pythons import Interpreter, bring, chosen, pythons_here, supported
from shipping.refusal import Refused
from shipping.uses import use
from shipping.verdict import verdict

ROOT = Path(__file__).parents[2]
PYTHON = "cp{}{}".format(*sys.version_info)
MACHINE = platform.machine()
MODULE = f"cueline/_core{sysconfig.get_config_var('EXT_SUFFIX')}"
INFO = "cueline-1.0.dist-info"
LINUX = f"manylinux_2_34_{MACHINE}"
UNREPAIRED = f"{PYTHON}-{PYTHON}-linux_{MACHINE}"
FOREIGN = "x86_64" if MACHINE == "aarch64" else "aarch64"


def sdist_of(folder: Path, *names: str) -> Path:
    path = folder / "cueline-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    return path


@pytest.mark.parametrize(
    ("names", "faults"),
    [
        (["cueline-1.0/PKG-INFO", "cueline-1.0/README.md"], []),
        (["cueline-1.0/PKG-INFO"], ["README.md is missing"]),
        (["cueline-1.0/README.md"], ["PKG-INFO is missing"]),
        (
            ["cueline-1.0/PKG-INFO", "cueline-1.0/README.md", "cueline-1.0/.hypothesis/x"],
            [".hypothesis/x does not belong there"],
        ),
        (
            ["cueline-1.0/PKG-INFO", "cueline-1.0/README.md", "etc/passwd"],
            ["etc/passwd is not below cueline-1.0/", "etc/passwd does not belong there"],
        ),
    ],
)
def test_an_sdist_holds_what_git_has_and_nothing_else(names: list[str], faults: list[str], tmp_path: Path) -> None:
    assert sdist_faults(sdist_of(tmp_path, *names), {"README.md"}) == faults


def wheel_of(
    folder: Path,
    *flags: str,
    without: str = "",
    tag: str = f"{PYTHON}-{PYTHON}-{LINUX}",
    module: str = MODULE,
    **more: str,
) -> Path:
    """Return a wheel with a module that g++ links with ``flags``."""
    built = folder / "module.so"
    program = '#include <cstdlib>\nextern "C" void PyInit__core() { std::abort(); }\n'
    build = ["g++", "-shared", "-fPIC", "-x", "c++", "-", "-x", "none", "-o", built]
    build += ["-Wl,-z,now,--no-as-needed", *flags]
    subprocess.run(build, input=program, text=True, check=True, timeout=60)
    files: dict[str, str | bytes] = {
        "cueline/__init__.py": "",
        module: built.read_bytes(),
        f"{INFO}/METADATA": "Metadata-Version: 2.1\nName: cueline\nVersion: 1.0\n",
        f"{INFO}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: false\nTag: {tag}\n",
        f"{INFO}/licenses/LICENSE": "",
        **more,
    }
    path = folder / f"cueline-1.0-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            if name != without:
                archive.writestr(name, text)
        archive.writestr(f"{INFO}/RECORD", "".join(f"{name},,\n" for name in files))
    return path


def faults_of(wheel: Path) -> list[str]:
    return wheel_faults(wheel, {"cueline/__init__.py"})


def test_a_good_wheel_has_no_faults_before_and_after_its_repair(tmp_path: Path) -> None:
    assert faults_of(wheel_of(tmp_path)) == []
    repair(wheel_of(tmp_path, tag=UNREPAIRED), tmp_path / "repaired")
    (repaired,) = (tmp_path / "repaired").iterdir()
    assert "manylinux" in repaired.name
    assert faults_of(repaired) == []


@pytest.mark.parametrize(
    ("flag", "fault"),
    [
        ("-l:libjack.so.0", "the module needs libjack.so.0"),
        ("-l:libportaudio.so.2", "the module needs libportaudio.so.2"),
        ("-Wl,-z,lazy", "the module does not bind at once"),
        ("-Wl,-rpath,/opt/lib", "the module looks for libraries where it was built"),
    ],
)
def test_how_a_module_is_linked_is_looked_at(flag: str, fault: str, tmp_path: Path) -> None:
    assert faults_of(wheel_of(tmp_path, flag)) == [fault]


@pytest.mark.parametrize(
    ("more", "without", "fault"),
    [
        ({}, "cueline/__init__.py", "cueline/__init__.py is missing"),
        ({}, f"{INFO}/licenses/LICENSE", "it has no LICENSE"),
        ({}, MODULE, f"it must have {MODULE} and no other module, and it has []"),
        ({"tests/test_x.py": ""}, "", "tests/test_x.py does not belong there"),
        ({"cueline/__pycache__/x": ""}, "", "cueline/__pycache__/x does not belong there"),
    ],
)
def test_what_a_wheel_holds_is_looked_at(more: dict[str, str], without: str, fault: str, tmp_path: Path) -> None:
    assert faults_of(wheel_of(tmp_path, without=without, **more)) == [fault]


@pytest.mark.parametrize(
    ("tag", "fault"),
    [
        (UNREPAIRED, f"it is for {PYTHON} on linux_{MACHINE}: auditwheel did not repair it"),
        (f"{PYTHON}-{PYTHON}-win_amd64", f"it is for {PYTHON} on win_amd64"),
        (f"py3-none-{LINUX}", f"it is for py3 on {LINUX}"),
        (f"cp399-cp399-{LINUX}", f"it must have cueline/_core.cpython-399-{MACHINE}-linux-gnu.so and no other"),
        (f"{PYTHON}-{PYTHON}t-{LINUX}", f"it must have cueline/_core.cpython-{PYTHON[2:]}t-{MACHINE}-linux-gnu.so and"),
        (
            f"{PYTHON}-{PYTHON}-musllinux_1_2_{MACHINE}",
            f"it must have cueline/_core.cpython-{PYTHON[2:]}-{MACHINE}-linux-musl.so and no other",
        ),
    ],
)
def test_a_wheel_says_what_it_is_for(tag: str, fault: str, tmp_path: Path) -> None:
    (found,) = faults_of(wheel_of(tmp_path, tag=tag))
    assert found.startswith(fault)


def test_a_module_is_for_the_processor_that_the_wheel_names(tmp_path: Path) -> None:
    foreign = MODULE.replace(MACHINE, FOREIGN)
    wheel = wheel_of(tmp_path, tag=f"{PYTHON}-{PYTHON}-manylinux_2_34_{FOREIGN}", module=foreign)
    assert faults_of(wheel) == [f"the module is not for {PROCESSORS[FOREIGN]}"]


@pytest.mark.parametrize("tag", ["cp310-cp310-manylinux_2_17_{}.manylinux2014_{}", "cp314-cp314t-musllinux_1_2_{}"])
def test_wheels_of_other_pythons_and_libraries_are_good(tag: str, tmp_path: Path) -> None:
    abi, library = tag.split("-")[1].removeprefix("cp"), "musl" if "musl" in tag else "gnu"
    module = f"cueline/_core.cpython-{abi}-{MACHINE}-linux-{library}.so"
    assert faults_of(wheel_of(tmp_path, tag=tag.format(MACHINE, MACHINE), module=module)) == []


def test_a_wheel_that_brings_an_audio_library_along_is_refused(tmp_path: Path) -> None:
    """For auditwheel alone it would do: it puts the library into the wheel."""
    repair(wheel_of(tmp_path, "-l:libjack.so.0", tag=UNREPAIRED), tmp_path / "repaired")
    (repaired,) = (tmp_path / "repaired").iterdir()
    faults = "\n".join(faults_of(repaired))
    assert "cueline.libs/libjack-" in faults


def test_a_wheel_that_needs_a_library_from_nowhere_is_refused_by_auditwheel(tmp_path: Path) -> None:
    library = str(tmp_path / "libnowhere.so")
    build = ["g++", "-shared", "-x", "c++", "/dev/null", "-Wl,-soname,libnowhere.so.1", "-o", library]
    subprocess.run(build, check=True, timeout=60)
    wheel = wheel_of(tmp_path, library, tag=UNREPAIRED)
    with pytest.raises(Refused, match=r"libnowhere\.so\.1"):
        repair(wheel, tmp_path / "repaired")


@pytest.mark.parametrize(
    "name",
    [
        "usr/bin/gcc",
        "usr/bin/x86_64-linux-gnu-g++-12",
        "usr/bin/aarch64-linux-gnu-gcc",
        "usr/bin/cc",
        "usr/lib/llvm-22/bin/clang-22",
        "usr/bin/cmake",
        "usr/bin/make",
        "usr/bin/ld",
        "usr/bin/jackd",
        "usr/bin/pipewire-pulse",
        "usr/lib/x86_64-linux-gnu/libjack.so.0",
        "work/venv/lib/python3.11/site-packages/_data/libportaudio64bit.so",
        "usr/include/jack/jack.h",
    ],
)
def test_what_an_empty_environment_does_not_have_is_found(name: str, tmp_path: Path) -> None:
    for harmless in ("usr/bin/python3", "usr/share/doc/gcc/README", "usr/lib/libc.so.6", name):
        path = tmp_path / harmless
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o755)
    assert unwanted_in(tmp_path) == [name]


def test_this_machine_is_not_an_empty_environment() -> None:
    found = {Path(name).name for name in unwanted_in(Path("/usr"))}
    assert {"g++", "cmake", "jackd", "ld", "libjack.so.0", "libportaudio.so.2", "jack.h"} <= found


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> EmptyRoot:
    made = EmptyRoot(ROOT / "build/wheel/root", tmp_path_factory.mktemp("root") / "work")
    made.make()
    return made


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("echo cueline 1.0; exit 3", "it exits with 3"),
        ("echo pong", "it does not say 'cueline '"),
        ("echo cueline 1.0; echo Traceback >&2", "it has more to say than a line: Traceback"),
        ("echo cueline 1.0", None),
    ],
)
def test_what_a_program_says_there_is_looked_at(root: EmptyRoot, script: str, fault: str | None) -> None:
    program = root.work / "program"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    with nullcontext() if fault is None else pytest.raises(Refused, match=fault):
        use(root, "./program", [("--version", (0,), ["cueline "])])
    program.unlink()


def test_a_compiler_in_the_work_is_refused(root: EmptyRoot) -> None:
    compiler = root.work / "g++"
    compiler.touch(mode=0o755)
    with pytest.raises(Refused, match=r"the empty environment is not empty:\n  g\+\+"):
        root.require_empty()
    compiler.unlink()
    root.require_empty()


@pytest.mark.parametrize("tool", ["cc", "g++", "clang", "cmake", "make", "jackd", "pw-jack"])
def test_no_tool_is_to_be_had_there(root: EmptyRoot, tool: str) -> None:
    assert root.run("sh", "-c", f"command -v {tool}", captured=True).returncode != 0
    assert root.run("sh", "-c", "command -v python3", captured=True).stdout == "/usr/bin/python3\n"


def test_nothing_of_this_machine_is_seen_there(
    root: EmptyRoot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(script: str) -> str:
        return root.run("sh", "-c", script, captured=True).stdout

    monkeypatch.setenv("JACK_DEFAULT_SERVER", "outside")
    assert "JACK" not in told("env")
    assert int(told("ls -d /proc/[0-9]* | wc -l")) < 10
    assert told("ls -A /dev/shm /tmp") == "/dev/shm:\n\n/tmp:\n"
    assert told("cat /proc/net/route").count("\n") <= 1, "a header at most: no way leads out"
    assert told(f"ls -d {tmp_path} 2>&1").endswith("No such file or directory\n")


def test_only_the_work_can_be_written_to(root: EmptyRoot) -> None:
    assert "Read-only file system" in root.run("touch", "/usr/bin/g++", captured=True).stderr
    assert root.run("touch", "/work/here", "/tmp/there", captured=True).returncode == 0
    assert [path.name for path in root.work.iterdir()] == ["here"]


CLAIMED = supported((ROOT / "pyproject.toml").read_text())


def test_the_pythons_that_are_claimed_are_those_that_pip_installs_on() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text()
    named = re.findall(r"Programming Language :: Python :: (3\.\d+)", pyproject)
    assert 'requires-python = ">=3.10"' in pyproject
    assert [f"3.{minor}" for minor in range(10, 10 + len(named))] == named
    assert [*named, f"{named[-1]}t"] == CLAIMED, "the newest one also without a GIL"
    assert "Programming Language :: Python :: Free Threading" in pyproject


def test_the_running_python_is_found_first() -> None:
    found = pythons_here(CLAIMED)
    free_threaded = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    assert found[0].version == "{}.{}{}".format(*sys.version_info[:2], free_threaded)
    assert found[0].prefix == Path(sys.base_prefix)
    assert [python.version for python in found[1:]] == [
        version for version in CLAIMED if version in {python.version for python in found[1:]}
    ]


def test_a_quick_run_takes_the_running_python_alone() -> None:
    found = [Interpreter(version, Path("p"), Path("/p")) for version in ("3.11", "3.10", "3.14", "3.14t")]
    assert chosen(found, quick=True) == found[:1]
    assert chosen(found, quick=False) == found


@pytest.mark.parametrize(
    ("told", "status", "is_taken"),
    [
        (["3.99", "cpython", "/opt/python", True], 0, True),
        (["3.99", "pypy", "/opt/python", True], 0, False),
        (["3.99", "cpython", "/opt/python", False], 0, False),  # without headers
        (["3.99t", "cpython", "/opt/python", True], 0, False),
        (["3.98", "cpython", "/opt/python", True], 0, False),
        (["3.99", "cpython", "/opt/python", True], 127, False),  # as pyenv's shims end
    ],
)
def test_an_interpreter_that_cannot_build_is_none(
    told: list[object], status: int, is_taken: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python3.99"
    python.write_text(f"#!/bin/sh\necho '{json.dumps(told)}'\nexit {status}\n")
    python.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    found = [Interpreter("3.99", python, Path("/opt/python"))]
    assert pythons_here(["3.99"]) == (found if is_taken else [])


def test_a_copy_of_a_python_runs_in_the_empty_environment(root: EmptyRoot) -> None:
    python = next((found for found in pythons_here(CLAIMED) if found.prefix != Path("/usr")), None)
    if python is None:
        pytest.skip("needs a Python with a folder of its own")
    copy = bring(python, root.work / "python").relative_to(root.work)
    root.require_empty()
    asked = "import ctypes, hashlib, lzma, sqlite3, ssl, sys, zlib; print(sys.prefix)"
    assert root.run(str(copy), "-c", asked, captured=True).stdout == "/work/python\n"


def test_a_python_that_shares_its_folder_is_not_copied(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="shares /usr with all programs"):
        bring(Interpreter("3.11", Path("/usr/bin/python3.11"), Path("/usr")), tmp_path / "python")


LACKS = '<skipped message="needs g++, which is not here"/>'


def report_of(folder: Path, passed: int, *others: str) -> Path:
    cases = [*[""] * passed, *others]
    path = folder / "report.xml"
    inside = "".join(f'<testcase classname="c" name="t{place}">{case}</testcase>' for place, case in enumerate(cases))
    path.write_text(f"<testsuites><testsuite>{inside}</testsuite></testsuites>")
    return path


def test_a_run_in_which_tests_lack_what_they_may_is_good(tmp_path: Path) -> None:
    assert verdict(report_of(tmp_path, 20, LACKS, LACKS), ["g++"]) == ([], "20 passed, 2 skipped (2 need g++)")


@pytest.mark.parametrize(
    ("passed", "other", "fault"),
    [
        (20, "<failure/>", "c.t20 failed"),
        (20, "<error/>", "c.t20 failed"),
        (20, '<skipped message="not today"/>', "c.t20 was skipped, and not for want of a tool: not today"),
        (20, LACKS.replace("g++", "numpy"), "not for want of a tool: needs numpy, which is not here"),
        (9, LACKS, "9 tests passed and 1 were skipped: too many to prove anything"),
    ],
)
def test_a_run_that_proves_less_is_not(passed: int, other: str, fault: str, tmp_path: Path) -> None:
    (found,) = verdict(report_of(tmp_path, passed, other), ["g++"]).faults
    assert found.endswith(fault)


def test_a_run_of_no_tests_proves_nothing(tmp_path: Path) -> None:
    (tmp_path / "report.xml").write_text("<testsuites><testsuite/></testsuites>")
    assert verdict(tmp_path / "report.xml", ["g++"]).faults
