"""As people compile cueline: with their compiler, standard, optimisation and warnings, it prints nothing.

With QUICK set, it tries the headers with the two compilers that we work with.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from shipping.empty_root import DebianRoot

ROOT = Path(__file__).parents[2]
PROJECT = Path(__file__).with_name("project")
QUICK = bool(os.environ.get("QUICK"))
FLAGS = ["-O3", "-Wall", "-Wextra", "-Wconversion", "-Wshadow"]

OURS = ["g++", "clang++-22"]
OLDER = [] if QUICK else ["g++-11", "clang++-14", "clang++-15", "clang++-16", "clang++-19"]
# What Debian 12 does not have is tried in a root of Debian 13.
NEWER = [] if QUICK else ["g++-13", "g++-14", "clang++-17", "clang++-18"]
ENGINES = [] if QUICK else ["g++-11", "g++-14", "clang++-14", "clang++-18"]


class Machine:
    """Runs commands in a folder, in which ``cueline`` is a copy of what a user's build takes."""

    def __init__(self, folder: Path, root: DebianRoot | None = None) -> None:
        self.folder, self._root = folder, root
        for part in ("CMakeLists.txt", "cmake", "include", "src", "bindings"):
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy2
            (folder / "cueline").mkdir(exist_ok=True)
            copy(ROOT / part, folder / "cueline" / part)
        shutil.copytree(PROJECT, folder / "project")
        headers = sorted((ROOT / "include").rglob("*.hpp"))
        includes = "".join(f"#include <{header.relative_to(ROOT / 'include')}>\n" for header in headers)
        (folder / "all.cpp").write_text(includes + (PROJECT / "headers.cpp").read_text())

    def run(self, *command: str) -> str:
        """Run a command, which has to succeed, and return all that it prints."""
        if self._root:
            done = self._root.run(*command, captured=True)
        else:
            done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        printed = done.stdout + done.stderr
        assert done.returncode == 0, printed
        return printed

    def compile(self, compiler: str, standard: str, *flags: str, source: str = "all.cpp") -> str:
        """Compile a file that includes every public header, and return what the compiler prints."""
        flags = (f"-std={standard}", *FLAGS, *flags, "-Icueline/include")
        return self.run(compiler, *flags, "-c", source, "-o", "all.o")


@pytest.fixture(scope="session")
def here(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Machine(tmp_path_factory.mktemp("here"))


@pytest.fixture(scope="session")
def debian13() -> Machine:
    """Return a root with newer compilers, and without audio headers."""
    packages = ",".join(["cmake", "ninja-build", *(name.replace("clang++", "clang") for name in NEWER)])
    root = DebianRoot(ROOT / "build/builds/trixie", ROOT / "build/builds/work", "trixie", packages)
    root.make()
    return Machine(root.work, root)


@pytest.fixture
def machine(compiler: str, request: pytest.FixtureRequest) -> Machine:
    """Return the machine that has a compiler."""
    found = request.getfixturevalue("debian13" if compiler in NEWER else "here")
    assert isinstance(found, Machine)
    return found


@pytest.mark.parametrize("standard", ["c++20", "c++2b"])
@pytest.mark.parametrize("compiler", [*OURS, *OLDER, *NEWER])
def test_no_compiler_warns_of_a_header(compiler: str, standard: str, machine: Machine) -> None:
    assert machine.compile(compiler, standard) == ""


@pytest.mark.parametrize("compiler", OURS)
def test_a_warning_in_a_header_is_found(compiler: str, tmp_path: Path) -> None:
    """The mutant of the test above."""
    machine = Machine(tmp_path)
    with (tmp_path / "cueline/include/cueline/line.hpp").open("a") as header:
        header.write("inline int narrowed(double wide) { return wide; }\n")
    assert "onversion" in machine.compile(compiler, "c++20")


@pytest.mark.parametrize("compiler", OURS)
def test_a_program_without_exceptions_can_use_every_header(compiler: str, here: Machine) -> None:
    assert here.compile(compiler, "c++20", "-O0", "-fno-exceptions", "-fno-rtti") == ""


def test_a_header_that_throws_by_itself_is_found(tmp_path: Path) -> None:
    """The mutant of the test above."""
    machine = Machine(tmp_path)
    with (tmp_path / "cueline/include/cueline/line.hpp").open("a") as header:
        header.write("inline int thrown() { throw 1; }\n")
    with pytest.raises(AssertionError, match="exception handling disabled"):
        machine.compile("g++", "c++20", "-O0", "-fno-exceptions")


def of_no_gnu_compiler(machine: Machine) -> str:
    """Write a file with every public header, read as by a compiler that is neither GCC nor clang. Return its name.

    The standard library comes first, because this one is GCC's own.
    """
    texts = [header.read_text() for header in sorted((machine.folder / "cueline/include").rglob("*.hpp"))]
    standard = sorted({line for text in texts for line in text.splitlines() if re.match(r"#include <\w+>", line)})
    words = "asm __asm__ __attribute__ __builtin_prefetch __builtin_expect __restrict __int128 __extension__ typeof"
    hidden = ["#undef __GNUC__", "#undef __clang__", f"#pragma GCC poison {words}"]
    (machine.folder / "other.cpp").write_text("\n".join([*standard, *hidden, (machine.folder / "all.cpp").read_text()]))
    return "other.cpp"


@pytest.mark.parametrize("compiler", OURS)
def test_a_compiler_that_is_neither_gcc_nor_clang_can_read_every_header(compiler: str, here: Machine) -> None:
    assert here.compile(compiler, "c++20", "-O0", source=of_no_gnu_compiler(here)) == ""


@pytest.mark.parametrize("line", ["__builtin_prefetch(address);", 'asm volatile("" : : "r"(address));'])
def test_a_word_of_gcc_in_a_header_is_found(line: str, tmp_path: Path) -> None:
    """The mutants of the test above."""
    machine = Machine(tmp_path)
    with (tmp_path / "cueline/include/cueline/ring.hpp").open("a") as header:
        header.write(f"inline void fetch(const void* address) {{ {line} }}\n")
    with pytest.raises(AssertionError, match="poisoned"):
        machine.compile("g++", "c++20", "-O0", source=of_no_gnu_compiler(machine))


@pytest.mark.parametrize("compiler", ENGINES)
def test_no_compiler_warns_of_the_engine_in_a_users_build(compiler: str, machine: Machine) -> None:
    compilers = [f"-DCMAKE_CXX_COMPILER={compiler}", "-DCMAKE_CXX_STANDARD=23", f"-DCMAKE_CXX_FLAGS={' '.join(FLAGS)}"]
    built = f"built-{compiler}"
    cueline = f"-DCUELINE_SOURCE={'/work' if compiler in NEWER else machine.folder}/cueline"
    machine.run("cmake", "-S", "project", "-B", built, "-G", "Ninja", "-DWAY=add_subdirectory", cueline, *compilers)
    assert "warning" not in machine.run("cmake", "--build", built, "--verbose")
    assert machine.run(f"{built}/engine") == "rendered 256 frames of tone: 1 pong\n"
