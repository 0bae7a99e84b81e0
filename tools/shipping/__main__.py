"""Builds the sdist, and from it a wheel for each CPython that this machine has; then proves each wheel.

It uses and tests a wheel where there is no compiler and no audio library. What passed all of it lies in dist/ at the
end, and nothing else does. With QUICK set, there is one wheel, for the Python that runs this.

With names of Debian's suites (`sid`), it builds and proves a wheel with the Python of each instead, and ships nothing.
With `aarch64`, it does that for this processor: it cross-compiles the wheel, and qemu runs the Python there.
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
from shipping.crossing import PLATFORMS, cross_built, root_of_a_user
from shipping.empty_root import DebianRoot, EmptyRoot
from shipping.freezing import freeze
from shipping.pythons import Interpreter, bring, chosen, pythons_here, supported, tag
from shipping.refusal import Refused, command, refuse
from shipping.uses import FROZEN, USES, use
from shipping.verdict import verdict

ROOT = Path(__file__).parents[2]
BUILD, DIST, PYPROJECT = ROOT / "build/wheel", ROOT / "dist", ROOT / "pyproject.toml"
STARTED = time.monotonic()

PIP = (sys.executable, "-m", "pip")
DOWNLOAD = ("download", "--quiet", "--only-binary", ":all:", "--dest")
INSTALL = ("venv/bin/pip", "install", "--quiet", "--no-cache-dir", "--no-index", "--find-links", "wheelhouse")
TEST = f"{PYPROJECT}:test"  # the group of what the tests need
BUILDS = "python3,python3-dev,python3-venv,g++,cmake,ninja-build,libjack-jackd2-dev,portaudio19-dev"

# With QUICK set, nothing is frozen, and these tests of Python run there: those of what is shipped, and of what is found
# where it is installed.
QUICK = bool(os.environ.get("QUICK"))
QUICK_TESTS = [
    f"tests/python/test_{name}.py"
    for name in ("engine", "messages", "package", "play", "tone", "tone_command", "typed_messages")
]
TESTS = QUICK_TESTS if QUICK else ["tests/python"]

# qemu is slow, and a processor changes nothing in what the others test: files, pages, commands and types. (mypy takes
# more than five minutes for one file.)
AARCH64_TESTS = ["-k", "not type_checker"]
AARCH64_TESTS += [
    f"tests/python/test_{name}.py"
    for name in (
        *("buffers", "bulk", "cfunc", "control_arrays", "cues", "engine", "inputs", "lines", "loss", "messages"),
        *("package", "parameters", "properties", "stream_rates", "streams", "threads", "tone", "typed_messages"),
    )
]

# The tools that tests may find missing there; each is one that the empty environment must not have, or need not.
MAY_LACK = ["g++", "clang++-22", "cmake", "readelf", "network"]
MAY_LACK += ["jackd", "jack_midiseq", "libjack.so.0", "libportaudio.so.2"]


def main(suites: Sequence[str]) -> None:
    """Do all of it, and raise Refused at the first thing that is wrong."""
    if suites:
        sdist = make_sdist()
        for suite in suites:
            if suite == "aarch64":
                try_aarch64(sdist)
            else:
                try_debian(suite, sdist)
        step(f"all of it passed with the Python of {' and '.join(suites)}")
        return

    shutil.rmtree(DIST, ignore_errors=True)
    sdist = make_sdist()
    claimed = supported(PYPROJECT.read_text())
    pythons = chosen(pythons_here(claimed), quick=QUICK)
    refuse("no wheel", [] if pythons else [f"this machine has no CPython of {claimed} with its headers"])
    shipped = [sdist, *(wheel_for(python, sdist) for python in pythons)]
    DIST.mkdir()
    for path in shipped:
        shutil.copy2(path, DIST)
    step("all of it passed: " + ", ".join(f"dist/{path.name}" for path in sorted(DIST.iterdir())))
    made = [python.version for python in pythons]
    if missing := [version for version in claimed if version not in made]:
        print("no wheel for CPython " + ", ".join(missing))


def make_sdist() -> Path:
    """Make the sdist, look at what it holds, and return its path."""
    step("the sdist")
    shutil.rmtree(BUILD / "built", ignore_errors=True)
    command(sys.executable, "-m", "build", "--sdist", "--outdir", BUILD / "built", ROOT, log=BUILD / "sdist.log")
    sdist = only(BUILD / "built", "*.tar.gz")
    refuse(sdist.name, sdist_faults(sdist, files_of_the_repository()))
    return sdist


def wheel_for(python: Interpreter, sdist: Path) -> Path:
    """Build a Python's wheel, prove it, and return its path."""
    folder = BUILD / tag(python.version)
    shutil.rmtree(folder, ignore_errors=True)

    step(f"{python}: the wheel from the sdist ({python.path})")
    command(python.path, "-m", "venv", "--without-pip", folder / "venv")
    pip = (*PIP, "--python", folder / "venv/bin/python")
    command(*pip, "wheel", "--no-deps", "--wheel-dir", folder / "built", sdist, log=folder / "build.log")

    step(f"{python}: the wheel for every Linux of this age or later")
    wheel = repaired(folder)

    step(f"{python}: an empty environment: Debian, Python, no compiler, no audio library, no network")
    root = EmptyRoot(BUILD / "root", BUILD / "work")
    root.make()
    debians = version_in(root) == python.version
    there = "python3" if debians else str(bring(python, root.work / "python").relative_to(root.work))
    root.require_empty()
    wheelhouse = root.work / "wheelhouse"
    command(*pip, *DOWNLOAD, wheelhouse, wheel, "--group", TEST)
    install(root, there)
    if debians and not QUICK:
        step(f"{python}: an application that PyInstaller froze, there")
        use_frozen(root, [wheelhouse / wheel.name, "--find-links", wheelhouse, "--group", f"{PYPROJECT}:frozen"])
    test(root, sdist, TESTS, ["a GIL"] if python.free_threaded else [])
    return wheel


def try_debian(suite: str, sdist: Path) -> None:
    """Build a wheel with the Python and the compiler of a Debian, and prove it there.

    Nobody gets this wheel: it would not run on an older Linux.
    """
    step(f"{suite}: the wheel from the sdist")
    builder = DebianRoot(BUILD / f"{suite}-builder", BUILD / "work", suite, BUILDS)
    builder.make()
    version = version_in(builder)
    asks = ("scikit-build-core", "nanobind", "numpy", "rich")
    command(*PIP, *DOWNLOAD, builder.work / "wheelhouse", "--python-version", version, *asks, "--group", TEST)
    shutil.copy2(sdist, builder.work)
    inside(builder, "python3", "-m", "venv", "venv")
    offline = ("--no-cache-dir", "--no-index", "--find-links", "wheelhouse")
    inside(builder, "venv/bin/pip", "wheel", *offline, "--no-deps", "--wheel-dir", "built", sdist.name)
    kept = BUILD / f"{suite}-wheelhouse"
    shutil.rmtree(kept, ignore_errors=True)
    shutil.move(builder.work / "wheelhouse", kept)
    shutil.move(only(builder.work / "built", "*.whl"), kept)

    step(f"{suite}, CPython {version}: an empty environment")
    root = EmptyRoot(BUILD / f"{suite}-root", BUILD / "work", suite)
    root.make()
    shutil.move(kept, root.work / "wheelhouse")
    install(root, "python3")
    test(root, sdist, TESTS, [])


def try_aarch64(sdist: Path) -> None:
    """Cross-compile the wheel of this Debian's Python for aarch64, and prove it there."""
    step("aarch64: the wheel from the sdist, by a cross-compiler")
    folder = BUILD / "aarch64"
    cross_built(sdist, folder)
    wheel = repaired(folder)

    step("aarch64: an empty environment, run by qemu")
    root = root_of_a_user(BUILD / "work")
    platforms = [word for platform in PLATFORMS for word in ("--platform", platform)]
    asked = ("--python-version", version_in(root), *platforms, "--group", TEST)
    command(*PIP, *DOWNLOAD, root.work / "wheelhouse", wheel, *asked)
    install(root, "python3")
    test(root, sdist, AARCH64_TESTS, [])


def repaired(folder: Path) -> Path:
    """Name the wheel in ``folder / "built"`` after the oldest glibc that it runs on, and return its new path."""
    repair(only(folder / "built", "*.whl"), folder / "repaired", log=folder / "repair.log")
    wheel = only(folder / "repaired", "*.whl")
    package = {path.removeprefix("python/") for path in files_of_the_repository() if path.startswith("python/cueline/")}
    refuse(wheel.name, wheel_faults(wheel, package))
    print(wheel.name)
    return wheel


def version_in(root: DebianRoot) -> str:
    """Return the version of the root's own Python."""
    return inside(root, "python3", "-c", "import sys; print(*sys.version_info[:2], sep='.')").strip()


def install(root: EmptyRoot, python: str) -> None:
    """Install cueline from the wheelhouse there, in an environment of its own, and use it."""
    inside(root, python, "-m", "venv", "venv")
    inside(root, *INSTALL, "cueline")
    step("what a user has there")
    use(root, "venv/bin/cueline", USES)


def files_of_the_repository() -> set[str]:
    """Return what git has or would have: all files but those that it is told to ignore."""
    listed = command("git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    return {name for name in listed.split("\0") if name and (ROOT / name).exists()}


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


def test(root: EmptyRoot, sdist: Path, tests: Sequence[str], lacks: Sequence[str]) -> None:
    """Install all of the wheelhouse there, run these of the sdist's Python tests, and judge the run.

    A test may be skipped for what this Python ``lacks``, or because this machine is busy.
    """
    step("the Python tests there")
    inside(root, *INSTALL, *(f"wheelhouse/{path.name}" for path in sorted((root.work / "wheelhouse").iterdir())))
    lay_out_tests(sdist, root)
    asked = "import cueline, cueline._core as core; print(cueline.__file__, core.__file__)"
    there = inside(root, "env", "--chdir=source", "../venv/bin/python", "-c", asked).split()
    refuse("cueline", [f"imported from {path}" for path in there if not path.startswith("/work/venv/lib/")])
    pytest = ("../venv/bin/python", "-m", "pytest", "-q", "-n", "auto", "--dist", "loadfile", *tests)
    environment = {"CUELINE_TESTS_MAY_LACK": " ".join(MAY_LACK)}
    done = root.run("env", "--chdir=source", *pytest, "--junit-xml=../report.xml", environment=environment)
    judged = verdict(root.work / "report.xml", [*MAY_LACK, *lacks, "a quiet machine"])
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


def inside(root: DebianRoot, *words: str) -> str:
    """Run a command in a root, which has to succeed, and return its output."""
    done = root.run(*words, captured=True)
    refuse("there, " + " ".join(words), [] if done.returncode == 0 else [done.stdout, done.stderr])
    return done.stdout


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Refused as refused:
        sys.exit(f"\nnot to be shipped: {refused}")
