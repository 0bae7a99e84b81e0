"""As people compile cueline: with their compiler, standard, optimisation and warnings, it prints nothing.

With QUICK set, it tries the headers with the two compilers that we work with.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = Path(__file__).with_name("project")
QUICK = bool(os.environ.get("QUICK"))
FLAGS = ["-O3", "-Wall", "-Wextra", "-Wconversion", "-Wshadow"]

OURS = ["g++", "clang++-22"]
OLDER = [] if QUICK else ["g++-11", "clang++-14", "clang++-15", "clang++-16", "clang++-19"]


class Machine:
    """Runs commands in a folder, in which ``cueline`` is a copy of what a user's build takes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
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
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        printed = done.stdout + done.stderr
        assert done.returncode == 0, printed
        return printed

    def compile(self, compiler: str, standard: str) -> str:
        """Compile a file that includes every public header, and return what the compiler prints."""
        return self.run(compiler, f"-std={standard}", *FLAGS, "-Icueline/include", "-c", "all.cpp", "-o", "all.o")


@pytest.fixture(scope="session")
def here(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Machine(tmp_path_factory.mktemp("here"))


@pytest.mark.parametrize("standard", ["c++20", "c++2b"])
@pytest.mark.parametrize("compiler", [*OURS, *OLDER])
def test_no_compiler_warns_of_a_header(compiler: str, standard: str, here: Machine) -> None:
    assert here.compile(compiler, standard) == ""


@pytest.mark.parametrize("compiler", OURS)
def test_a_warning_in_a_header_is_found(compiler: str, tmp_path: Path) -> None:
    """The mutant of the test above."""
    machine = Machine(tmp_path)
    with (tmp_path / "cueline/include/cueline/line.hpp").open("a") as header:
        header.write("inline int narrowed(double wide) { return wide; }\n")
    assert "onversion" in machine.compile(compiler, "c++20")
