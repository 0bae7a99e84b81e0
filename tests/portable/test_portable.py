"""What `make portable` must refuse: one line that only one system, one C library or one processor has."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from portable import REPOSITORY, compiled, headers_compiled, public_headers

# The target, the header that gets more lines, the lines, and a word of what the compiler says.
MUTANTS = {
    "a header of POSIX, for Windows": ("windows", "cueline/ring.hpp", "#include <sys/mman.h>", "sys/mman.h"),
    "a call of POSIX, for Windows": (
        "windows",
        "cueline/monotonic.hpp",
        "#include <unistd.h>\ninline int child() { return ::fork(); }",
        "fork",
    ),
    "a header of glibc, for musl": (
        "x86_64-linux-musl",
        "cueline/link.hpp",
        "#include <gnu/libc-version.h>",
        "gnu/libc-version.h",
    ),
    "a call of glibc, for musl": (
        "x86_64-linux-musl",
        "cueline/link.hpp",
        "#include <cstdlib>\ninline double drawn(drand48_data* state) { double x; drand48_r(state, &x); return x; }",
        "drand48_data",
    ),
    "a header of Linux, for macOS": (
        "aarch64-macos",
        "cueline/link.hpp",
        "#include <sys/prctl.h>",
        "sys/prctl.h",
    ),
    "an instruction of x86, for aarch64": (
        "aarch64-linux-gnu",
        "cueline/ring.hpp",
        "#include <immintrin.h>\ninline void rest() { _mm_pause(); }",
        "immintrin.h",
    ),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_what_one_system_has_does_not_compile_for_another(mutant: str, tmp_path: Path) -> None:
    target, header, lines, said = MUTANTS[mutant]
    shutil.copytree(REPOSITORY / "include", tmp_path / "include")
    with (tmp_path / "include" / header).open("a") as file:
        file.write(f"\n{lines}\n")
    source = tmp_path / "mutant.cpp"
    source.write_text(f"#include <{header}>\n")
    complaints = headers_compiled(tmp_path) if target == "windows" else compiled(target, [source], tmp_path)
    assert len(complaints) == 1
    assert said in complaints[0]


def test_every_public_header_is_compiled() -> None:
    assert {"cueline/ring.hpp", "cueline/engine/open_device.hpp"} <= set(public_headers())
    assert len(public_headers()) >= 23
