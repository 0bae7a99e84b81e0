"""Builds the sdist, and the wheel from it; uses and tests the wheel where there is no compiler and no audio library.

What passed all of it lies in dist/ at the end, and nothing else does.
"""

from __future__ import annotations

import os
import shutil
import sys
import tarfile
import time
from collections.abc import Sequence
from pathlib import Path

from shipping.artifacts import repair, sdist_faults, wheel_faults
from shipping.empty_root import EmptyRoot
from shipping.freezing import freeze
from shipping.refusal import Refused, command, refuse
from shipping.uses import FROZEN, USES, use
from shipping.verdict import verdict

ROOT = Path(__file__).parents[2]
BUILD, DIST, PYPROJECT = ROOT / "build/wheel", ROOT / "dist", ROOT / "pyproject.toml"
STARTED = time.monotonic()

# With QUICK set, these tests of Python run there: those of what is shipped, and of what is found where it is installed.
QUICK_TESTS = [
    f"tests/python/test_{name}.py"
    for name in ("engine", "messages", "package", "play", "tone", "tone_command", "typed_messages")
]
TESTS = QUICK_TESTS if os.environ.get("QUICK") else ["tests/python"]

# The tools that tests may find missing there; each is one that the empty environment must not have, or need not.
MAY_LACK = ["g++", "clang++-22", "cmake", "readelf", "jackd", "libjack.so.0", "libportaudio.so.2"]


def main() -> None:
    """Do all of it, and raise Refused at the first thing that is wrong."""
    shutil.rmtree(DIST, ignore_errors=True)
    for left in ("built", "repaired", "wheelhouse"):
        shutil.rmtree(BUILD / left, ignore_errors=True)

    step("the sdist, and the wheel from it")
    command(sys.executable, "-m", "build", "--outdir", BUILD / "built", ROOT, log=BUILD / "build.log")
    sdist, built = only(BUILD / "built", "*.tar.gz"), only(BUILD / "built", "*.whl")
    refuse(sdist.name, sdist_faults(sdist, files_of_the_repository()))

    step("the wheel for every Linux of this age or later")
    repair(built, BUILD / "repaired", log=BUILD / "repair.log")
    wheel = only(BUILD / "repaired", "*.whl")
    package = {path.removeprefix("python/") for path in files_of_the_repository() if path.startswith("python/cueline/")}
    refuse(wheel.name, wheel_faults(wheel, package))
    print(f"{sdist.name}, {wheel.name}")

    step("an empty environment: Debian, Python, no compiler, no audio library, no network")
    root = EmptyRoot(BUILD / "root", BUILD / "work")
    root.make()
    require_pythons_match(root)
    wheelhouse = root.work / "wheelhouse"
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--only-binary", ":all:", "--dest", wheelhouse)
    command(*pip, wheel, "--group", f"{PYPROJECT}:test")
    inside(root, "python3", "-m", "venv", "venv")
    install = ("venv/bin/pip", "install", "--quiet", "--no-cache-dir", "--no-index", "--find-links", "wheelhouse")
    inside(root, *install, "cueline")

    step("what a user has there")
    use(root, "venv/bin/cueline", USES)

    step("an application that PyInstaller froze, there")
    use_frozen(root, [wheelhouse / wheel.name, "--find-links", wheelhouse, "--group", f"{PYPROJECT}:frozen"])

    step("the Python tests there")
    inside(root, *install, *(f"wheelhouse/{path.name}" for path in sorted(wheelhouse.iterdir())))
    lay_out_tests(sdist, root)
    test(root)

    DIST.mkdir()
    for shipped in (sdist, wheel):
        shutil.copy2(shipped, DIST)
    step("all of it passed: " + ", ".join(f"dist/{path.name}" for path in sorted(DIST.iterdir())))


def files_of_the_repository() -> set[str]:
    """Return what git has or would have: all files but those that it is told to ignore."""
    listed = command("git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    return {name for name in listed.split("\0") if name and (ROOT / name).exists()}


def require_pythons_match(root: EmptyRoot) -> None:
    """Raise Refused if the wheel is not for the Python that the root has."""
    asked = "import sys; print('{}.{}'.format(*sys.version_info))"
    theirs, ours = inside(root, "python3", "-c", asked).strip(), "{}.{}".format(*sys.version_info)
    if theirs != ours:
        way_out = "type: make clean && make wheel PYTHON=/usr/bin/python3"
        raise Refused("the wheel cannot be tried", [f"it is for CPython {ours}, and Debian has {theirs}; {way_out}"])


def use_frozen(root: EmptyRoot, packages: Sequence[Path | str]) -> None:
    """Freeze an example and cueline's command, use both there, and remove them."""
    frozen = freeze(BUILD / "freezer", packages, ROOT / "examples/first_ping.py", log=BUILD / "freeze.log")
    there = root.work / frozen.name
    frozen.rename(there)
    root.require_empty()
    said = inside(root, f"{frozen.name}/first_ping")
    refuse("the frozen example", [] if said.startswith("null OK Pong(sequence=1") else [said])
    use(root, f"{frozen.name}/cueline", FROZEN)
    shutil.rmtree(there)
    shutil.rmtree(BUILD / "freezer")


def lay_out_tests(sdist: Path, root: EmptyRoot) -> None:
    """Lay out the sdist there, without the package's source: what is tested is what is installed."""
    with tarfile.open(sdist) as archive:
        archive.extractall(root.work)
    source = root.work / "source"
    (root.work / sdist.name.removesuffix(".tar.gz")).rename(source)
    shutil.rmtree(source / "python")
    root.require_empty()


def test(root: EmptyRoot) -> None:
    """Run the Python tests there, and judge the run."""
    asked = "import cueline, cueline._core as core; print(cueline.__file__, core.__file__)"
    there = inside(root, "env", "--chdir=source", "../venv/bin/python", "-c", asked).split()
    refuse("cueline", [f"imported from {path}" for path in there if not path.startswith("/work/venv/lib/")])
    pytest = ("../venv/bin/python", "-m", "pytest", "-q", "-n", "auto", "--dist", "loadfile", *TESTS)
    environment = {"CUELINE_TESTS_MAY_LACK": " ".join(MAY_LACK)}
    done = root.run("env", "--chdir=source", *pytest, "--junit-xml=../report.xml", environment=environment)
    judged = verdict(root.work / "report.xml", MAY_LACK)
    refuse("the tests", [*judged.faults, *([] if done.returncode == 0 else [f"pytest exits with {done.returncode}"])])
    print(f"in the empty environment: {judged.summary}")


def step(what: str) -> None:
    """Say what comes next, and how long it has been so far."""
    print(f"\n--- {time.monotonic() - STARTED:4.0f} s: {what}", flush=True)


def only(folder: Path, pattern: str) -> Path:
    """Return the one file of that name."""
    found = sorted(folder.glob(pattern))
    names = [path.name for path in found]
    refuse(f"{folder.name}/{pattern}", [] if len(found) == 1 else [f"one file, and not {names}"])
    return found[0]


def inside(root: EmptyRoot, *words: str) -> str:
    """Run a command in the empty environment, which has to succeed, and return its output."""
    done = root.run(*words, captured=True)
    refuse("there, " + " ".join(words), [] if done.returncode == 0 else [done.stdout, done.stderr])
    return done.stdout


if __name__ == "__main__":
    try:
        main()
    except Refused as refused:
        sys.exit(f"\nnot to be shipped: {refused}")
