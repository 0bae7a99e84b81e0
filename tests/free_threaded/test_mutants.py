"""A module without its mutexes, which the hammer tests must catch. It needs a Python without a GIL.

The module is built once, with all faults, and each test runs against it in a process of its own. If Python runs under
the thread sanitizer, so does the module, and the sanitizer must see a data race.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SANITIZED = "--with-thread-sanitizer" in sysconfig.get_config_var("CONFIG_ARGS")

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
    flags = "-O1 -DNDEBUG -fsanitize=thread" if SANITIZED else "-O1 -DNDEBUG"
    options = [f"--target={site}", "-Ccmake.build-type=Debug", f"-Ccmake.define.CMAKE_CXX_FLAGS_DEBUG={flags}"]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-build-isolation", "--no-deps"]
    subprocess.run([*pip, *options, copy], check=True)
    return site


def hammered(test: str, mutant: Path) -> Iterator[subprocess.CompletedProcess[str]]:
    """Run a test against the mutant again and again: threads meet by chance, and on a busy machine seldom.

    Without -s, pytest would take the sanitizer's report.
    """
    pytest_of = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider"]
    pytest_of += ["tests/python/test_hammer.py", "-k", test]
    environment = os.environ | {"PYTHONPATH": str(mutant), "HAMMER": "20"}
    for _ in range(20):
        yield subprocess.run(pytest_of, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    pytest.fail("not caught")


@pytest.mark.skipif(SANITIZED, reason="needs a Python without the thread sanitizer")
@pytest.mark.parametrize("test", CAUGHT)
def test_the_hammer_catches_a_module_without_mutexes(test: str, mutant: Path) -> None:
    for done in hammered(test, mutant):
        if done.returncode < 0 or "1 failed" in done.stdout:  # it crashed, or counted wrong
            return
        assert "1 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.skipif(not SANITIZED, reason="needs a Python under the thread sanitizer")
def test_the_thread_sanitizer_sees_the_race_in_a_module_without_mutexes(mutant: Path) -> None:
    for done in hammered("all_ways_to_send_on_one_line", mutant):
        if "WARNING: ThreadSanitizer: data race" in done.stdout + done.stderr:
            return
        assert "1 passed" in done.stdout, done.stdout + done.stderr
