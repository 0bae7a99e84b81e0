"""What compilers for aarch64 make of acquire and release in ring, latest value and parameters: never a plain access.

A processor of x86 orders plain loads and stores by itself, and one of ARM does not. So no test that runs on x86 finds a
plain access in the place of an ordered one.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from portable import REPOSITORY

QUICK = bool(os.environ.get("QUICK"))
SOURCE = Path(__file__).with_name("orders.cpp")
HEADERS = ["ring.hpp", "span_ring.hpp", "seqlock.hpp", "shared_parameters.hpp"]
FLAGS = ["-std=c++20", "-O2", "-g0", "-S", "-o"]
COMPILERS = {
    "clang": [sys.executable, "-m", "ziglang", "c++", "-target", "aarch64-linux-gnu", "-fno-sanitize=all"],
    "g++": ["aarch64-linux-gnu-g++"],  # make aarch64 installs it
}

# How often each function of orders.cpp acquires, and how often it releases.
ORDERED = {
    "ring_claim": (2, 0),
    "ring_release": (0, 1),
    "ring_push": (1, 2),
    "ring_push_all": (1, 2),
    "ring_pop": (1, 1),
    "ring_pop_all": (3, 1),
    "ring_tail": (2, 0),
    "span_room": (1, 0),
    "span_push": (0, 1),
    "span_waiting": (1, 0),
    "span_pop": (0, 1),
    "latest_write": (0, 2),
    "latest_read": (2, 0),
    "parameter_write": (0, 2),
    "parameters_take": (2, 0),
}

# Loads and stores; the first halves of an exchange; exchanges in one instruction; functions of the compiler's library.
ACQUIRES = re.compile(r"\b(ldapu?r|lda(xp|x?r)[bh]?|(cas|swp|ld(add|clr|eor|set))al?[bh]?)\b|_acq(_rel)?$|\bdmb\b")
RELEASES = re.compile(r"\b(stlu?r[bh]?|stlxp|stlxr[bh]?|(cas|swp|ld(add|clr|eor|set))a?l[bh]?)\b|_rel$|\bdmb\b")


def compiler(name: str) -> list[str]:
    if name == "g++" and not shutil.which(COMPILERS[name][0]):
        pytest.skip("needs aarch64-linux-gnu-g++, which make aarch64 installs")
    return COMPILERS[name]


def compiled(command: list[str], include: Path, made: Path) -> str:
    """Return what the compiler makes of orders.cpp with the headers in ``include``, as text. It writes ``made``."""
    environment = {"ZIG_GLOBAL_CACHE_DIR": str(REPOSITORY / "build/zig"), **os.environ}
    words = [*command, *FLAGS, str(made), f"-I{include}", str(SOURCE)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return made.read_text()


def orders(text: str) -> dict[str, tuple[int, int]]:
    """Count the instructions of each function that acquire, and those that release."""
    found, plain = {}, re.sub(r"\s*//.*", "", text)  # without comments
    for name in ORDERED:
        body = re.search(rf"^{name}:$(.*?)^\s*\.size\s+{name},", plain, re.DOTALL | re.MULTILINE)
        assert body is not None, f"{name} is missing"
        lines = body[1].splitlines()
        found[name] = tuple(sum(bool(wanted.search(line)) for line in lines) for wanted in (ACQUIRES, RELEASES))
    return found


def mutants() -> Iterator[tuple[str, int]]:
    """Name each line of the headers that acquires or releases, by its header and its index. With QUICK, one of each."""
    for header in HEADERS:
        lines = (REPOSITORY / "include/cueline" / header).read_text().splitlines()
        found = [index for index, line in enumerate(lines) if re.search("memory_order_(acquire|release)", line)]
        yield from ((header, index) for index in (found[:1] if QUICK else found))


@pytest.mark.parametrize("name", COMPILERS)
def test_every_acquire_and_release_is_an_instruction_that_orders(name: str, tmp_path: Path) -> None:
    assert orders(compiled(compiler(name), REPOSITORY / "include", tmp_path / "orders.s")) == ORDERED


@pytest.mark.parametrize("name", COMPILERS)
def test_an_access_that_became_relaxed_is_found(name: str, tmp_path: Path) -> None:
    command = compiler(name)

    def differs(numbered: tuple[int, tuple[str, int]]) -> bool:
        number, (header, index) = numbered
        include = shutil.copytree(REPOSITORY / "include", tmp_path / str(number))
        path = include / "cueline" / header
        lines = path.read_text().splitlines()
        lines[index] = re.sub("memory_order_(acquire|release)", "memory_order_relaxed", lines[index])
        path.write_text("\n".join(lines))
        broken = orders(compiled(command, include, tmp_path / f"{number}.s"))
        fewer = [sum(broken[function]) < sum(ORDERED[function]) for function in ORDERED]
        return any(fewer)

    broken = list(mutants())
    assert len(broken) >= (len(HEADERS) if QUICK else 20)
    with ThreadPoolExecutor(2) as pool:
        missed = [
            mutant for mutant, found in zip(broken, pool.map(differs, enumerate(broken)), strict=True) if not found
        ]
    assert missed == []


def test_lines_of_128_bytes_are_looked_at(tmp_path: Path) -> None:
    include = shutil.copytree(REPOSITORY / "include", tmp_path / "include")
    ring = include / "cueline/ring.hpp"
    ring.write_text(ring.read_text().replace("false_sharing_bytes = 128;", "false_sharing_bytes = 64;"))
    with pytest.raises(AssertionError, match=r"static assertion failed.*SpanRing"):
        compiled(COMPILERS["clang"], include, tmp_path / "orders.s")
