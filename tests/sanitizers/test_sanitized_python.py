"""What `make sanitize` rests on when it runs the Python tests: that the sanitizers are there, and that they bite."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import cueline._core

MUTANT = """
#include <climits>
#include <cstring>
#include <new>
extern "C" int read_too_far(int past) {
    const char* volatile bytes = new char[8]{};
    return bytes[7 + past];
}
extern "C" int overflow(int by) { return INT_MAX - 1 + by; }
"""


def test_the_extension_under_test_is_instrumented() -> None:
    module = Path(str(cueline._core.__file__))
    assert "asan-python" in module.parts
    code = module.read_bytes()
    assert b"__asan_report_load" in code
    assert b"__ubsan_handle" in code


@pytest.mark.parametrize(
    ("call", "report"),
    [
        ("read_too_far(1)", "AddressSanitizer: heap-buffer-overflow"),
        ("overflow(2)", "runtime error: signed integer overflow"),
    ],
)
def test_a_mutant_in_an_extension_is_reported(call: str, report: str, tmp_path: Path) -> None:
    (tmp_path / "mutant.cpp").write_text(MUTANT)
    flags = "-shared -fPIC -O1 -fsanitize=address,undefined -fno-sanitize-recover=all"
    subprocess.run(["g++", *flags.split(), "mutant.cpp", "-o", "mutant.so"], check=True, cwd=tmp_path)
    program = f"import ctypes; ctypes.CDLL('./mutant.so').{call}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode != 0
    assert report in done.stderr
