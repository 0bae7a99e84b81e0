"""A module without its mutexes, which the hammer tests must catch. It needs a Python without a GIL.

The module is built once, with all faults, and each test runs against it in a process of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

FAULTS = [
    ("bindings/no_gil_mutex.hpp", "#ifdef Py_GIL_DISABLED", "#if 0"),
    ("bindings/engine.cpp", "        const nb::ft_lock_guard lock{shared()->collecting};\n", ""),
    ("bindings/devices.cpp", ", nb::lock_self()", ""),
    ("bindings/sender.cpp", "taken.exchange(true) ? nullptr : &taken", "&taken"),
    ("python/cueline/engine.py", 'vars(self).setdefault("_closed_first", first) is not first', "False"),
    ("python/cueline/playback.py", "with self._writing:", "if True:"),
    ("python/cueline/recording.py", "with self._reading:", "if True:"),
    (
        "python/cueline/transaction.py",
        "            self._unused.pop()  # one step: of two threads, one gets it\n",
        "            self._unused[0]\n            self._unused = []\n",
    ),
]

CAUGHT = [
    "each_command_of_eight_threads_on_one_line",
    "all_ways_to_send_on_one_line",
    "every_thread_gets_the_reports",
    "closed_while_eight_threads_use_it",
    "frames_that_eight_threads_write_and_read",
    "close_warns_once",
    "two_threads_enter",
    "one_pending_send",
    "requested_of_a_device",
]


@pytest.fixture(scope="module")
def mutant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mutant")
    copy = folder / "source"
    for name in ("bindings", "cmake", "include", "python", "src"):
        shutil.copytree(ROOT / name, copy / name)
    for name in ("CMakeLists.txt", "LICENSE", "README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, copy)
    for path, right, wrong in FAULTS:
        text = (copy / path).read_text()
        assert right in text, path
        (copy / path).write_text(text.replace(right, wrong))
    site = folder / "site"
    options = [f"--target={site}", "-Ccmake.build-type=Debug", "-Ccmake.define.CMAKE_CXX_FLAGS_DEBUG=-O1 -DNDEBUG"]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-build-isolation", "--no-deps"]
    subprocess.run([*pip, *options, copy], check=True)
    return site


@pytest.mark.parametrize("test", CAUGHT)
def test_the_hammer_catches_a_module_without_mutexes(test: str, mutant: Path) -> None:
    pytest_of = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/python/test_hammer.py", "-k"]
    environment = os.environ | {"PYTHONPATH": str(mutant), "HAMMER": "20"}
    for _ in range(20):  # threads meet by chance, and on a busy machine seldom
        done = subprocess.run(
            [*pytest_of, test], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode < 0 or "1 failed" in done.stdout:  # it crashed, or counted wrong
            return
        assert "1 passed" in done.stdout, done.stdout + done.stderr
    pytest.fail("not caught")
