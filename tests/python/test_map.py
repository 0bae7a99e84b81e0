"""The code is as the map in CONTRIBUTING.md has it: folders, arrows between them, no circles, systems in src/system."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from code_map import COMMANDS, FOLDERS, LIBRARY, ROOT, findings, read, uses

FILES = read()
WITH_COMMANDS = {f"{COMMANDS}/__init__.py": "", **FILES}
KNOWN = set(findings(WITH_COMMANDS))


def folders_of_the_repository() -> set[str]:
    """Return all folders that git tracks a file of; where there is no git, those of the code."""
    if not shutil.which("git"):
        return set()
    listed = subprocess.run(["git", "-C", ROOT, "ls-files"], capture_output=True, text=True, check=False)
    return {path.rpartition("/")[0] for path in listed.stdout.splitlines()}


def test_the_code_is_as_the_map_has_it() -> None:
    assert len(FILES) > 150
    assert sum(1 for path, text in FILES.items() for _ in uses(path, text, FILES)) > 400
    assert findings(FILES, folders_of_the_repository()) == []


def test_contributing_shows_the_map() -> None:
    section = (ROOT / "CONTRIBUTING.md").read_text().split("## Where things live\n")[1].split("\n## ")[0]
    shown = set(re.findall(r"^([a-z]+(?:/[a-z]+)*)  ", section, re.MULTILINE))
    assert shown == FOLDERS


# A line too much in a file, or a file too much: what the map says of it.
MUTANTS = {
    "header over bindings": (
        "include/cueline/link.hpp",
        '#include "sender.hpp"',
        "includes bindings/sender.hpp: include/cueline may not use bindings",
    ),
    "header over src": (
        "include/cueline/device.hpp",
        '#include "engine/engine_block.hpp"',
        "includes src/engine/engine_block.hpp: include/cueline may not use src/engine",
    ),
    "src over bindings": (
        "src/engine/engine.cpp",
        '#include "../../bindings/errors.hpp"',
        "includes bindings/errors.hpp: src/engine may not use bindings",
    ),
    "link over hosts": (
        "include/cueline/link.hpp",
        "#include <cueline/engine/range.hpp>",
        "includes include/cueline/engine/range.hpp: include/cueline may not use include/cueline/engine",
    ),
    "ring over anything": (
        "include/cueline/ring.hpp",
        "#include <cueline/version.hpp>",
        "includes include/cueline/version.hpp: ring.hpp includes nothing of ours",
    ),
    "engine over devices": (
        "src/engine/engine.cpp",
        '#include "devices/null_device.hpp"',
        "includes src/devices/null_device.hpp: src/engine may not use src/devices",
    ),
    "engine over processors": (
        "src/engine/engine.cpp",
        "  #  include <processors/sine.hpp>",
        "includes src/processors/sine.hpp: src/engine may not use src/processors",
    ),
    "devices over engine": (
        "src/devices/gate.hpp",
        '#include "engine/engine_block.hpp"',
        "includes src/engine/engine_block.hpp: src/devices may not use src/engine",
    ),
    "list of devices over engine": (
        "src/devices/open_device.cpp",
        '#include "engine/engine_block.hpp"',
        "includes src/engine/engine_block.hpp: src/devices may not use src/engine",
    ),
    "a device over JACK's": (
        "src/devices/null_device.cpp",
        '#include "devices/jack/jack.hpp"',
        "includes src/devices/jack/jack.hpp: src/devices may not use src/devices/jack",
    ),
    "processors over devices": (
        "src/processors/open_processor.cpp",
        '#include "devices/gate.hpp"',
        "includes src/devices/gate.hpp: src/processors may not use src/devices",
    ),
    "system over engine": (
        "src/system/locked_memory.cpp",
        '#include "engine/engine_block.hpp"',
        "includes src/engine/engine_block.hpp: src/system may not use src/engine",
    ),
    "authors' header over bindings": (
        "bindings/include/cueline/python.hpp",
        '#include "errors.hpp"',
        "includes bindings/errors.hpp: bindings/include/cueline may not use bindings",
    ),
    "Python in src": (
        "src/engine/engine.cpp",
        "#include <Python.h>",
        "includes <Python.h>: only bindings/ uses Python",
    ),
    "nanobind in include": (
        "include/cueline/processor.hpp",
        "#include <nanobind/nanobind.h>",
        "includes <nanobind/nanobind.h>: only bindings/ uses Python",
    ),
    "bindings over Python": (
        "bindings/sender.cpp",
        'auto engine = nb::module_::import_("cueline.engine");',
        "looks up cueline.engine: the bindings may look up cueline, cueline.arguments, cueline.bulk",
    ),
    "an operating system": (
        "src/devices/null_device.cpp",
        "#ifdef __linux__",
        "tests __linux__: only src/system tells systems apart",
    ),
    "a C library": (
        "include/cueline/monotonic.hpp",
        "#if defined(__cpp_lib_span) && defined(__GLIBC__)",
        "tests __GLIBC__: only src/system tells systems apart",
    ),
    "Windows in bindings": (
        "bindings/module.cpp",
        "#ifndef _WIN32",
        "tests _WIN32: only src/system tells systems apart",
    ),
    "a system's header": (
        "src/devices/gate.hpp",
        "#include <sys/mman.h>",
        "includes <sys/mman.h>: only src/system uses the system",
    ),
    "a system's header in a header of src/system": (
        "src/system/shared_library.hpp",
        "#include <dlfcn.h>",
        "includes <dlfcn.h>: a header of src/system names no system call",
    ),
    "a system's header in a source for all systems": (
        "src/system/locked_memory.cpp",
        "#include <sys/mman.h>",
        "includes <sys/mman.h>: only a source that is named after a system uses it",
    ),
    "a system's macro in a source for all systems": (
        "src/system/own_thread.cpp",
        "#ifdef _WIN32",
        "uses _WIN32: only a source that is named after a system uses it",
    ),
    "a builtin of GCC in a public header": (
        "include/cueline/monotonic.hpp",
        "inline void fetch(const void* address) { __builtin_prefetch(address); }",
        "uses __builtin_prefetch: not every compiler has it",
    ),
    "assembler where GCC's test is over": (
        "include/cueline/ring.hpp",
        '#ifdef __GNUC__\n#elif 1\ninline void fence() { asm volatile(""); }\n#endif',
        "uses asm: not every compiler has it",
    ),
    "a system call in a source for all systems": (
        "src/system/reserved_pages.cpp",
        "void unlock() { munlock(nullptr, 0); }",
        "uses munlock: only a source that is named after a system uses it",
    ),
    "a system call": (
        "src/devices/offline_device.cpp",
        "void rest() { timespec wake{}; clock_nanosleep(CLOCK_MONOTONIC, 0, &wake, nullptr); }",
        "only src/system uses the system",
    ),
    "a wait for an atomic": (
        "src/devices/null_device.cpp",
        "void wake(std::atomic<bool>& ready) { ready.notify_one(); }",
        "uses notify_one: on Windows, libstdc++ may lose the wake-up of an atomic; a future waits safely",
    ),
    "an object of a thread": (
        "src/system/clock_windows.cpp",
        "const thread_local Timer timer;",
        "uses thread_local: on Windows, its memory is freed before its destructor runs",
    ),
    "a circle of headers": (
        "include/cueline/message.hpp",
        "#include <cueline/link.hpp>",
        "include/cueline/message.hpp -> include/cueline/link.hpp",
    ),
    "a circle for type checkers": (
        "python/cueline/stats.py",
        "if TYPE_CHECKING:\n    from cueline import engine",
        "python/cueline/stats.py -> python/cueline/engine.py",
    ),
    "a circle within a function": (
        "python/cueline/stats.py",
        "def late():\n    from .engine import AudioEngine",
        "python/cueline/stats.py -> python/cueline/engine.py",
    ),
    "the library over all of itself": (
        "python/cueline/stats.py",
        "import cueline",
        "a circle: python/cueline/__init__.py -> python/cueline/stats.py -> python/cueline/__init__.py",
    ),
    "the library over its command line": (
        "python/cueline/stats.py",
        "from cueline import commands",
        "imports python/cueline/commands/__init__.py: the library does not import its command line",
    ),
    "the library over a command, by name": (
        "python/cueline/stats.py",
        "importlib.import_module('cueline.commands')",
        "imports python/cueline/commands/__init__.py: the library does not import its command line",
    ),
    "a module of POSIX": (
        "python/cueline/forks.py",
        "import os, resource",
        "imports resource, which Windows lacks",
    ),
    "a module of POSIX, in a branch of a class": (
        "python/cueline/commands/console.py",
        "class Terminal:\n    if True:\n        from termios import tcgetattr",
        "imports termios, which Windows lacks",
    ),
    "a folder off the map": ("src/mixing/mixer.hpp", "#pragma once", "its folder is not on the map"),
    "a folder off the map of Python": ("python/cueline/extras/more.py", "", "its folder is not on the map"),
    "utils": ("src/engine/utils/text.hpp", "", "no folder or file has this name"),
    "helpers": ("python/cueline/helpers.py", "", "no folder or file has this name"),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_line_that_the_map_forbids_is_found(mutant: str) -> None:
    path, line, said = MUTANTS[mutant]
    found = set(findings(WITH_COMMANDS | {path: WITH_COMMANDS.get(path, "") + f"\n{line}\n"})) - KNOWN
    assert any(said in finding for finding in found), found


def test_a_function_may_import_what_only_posix_has() -> None:
    late = {f"{LIBRARY}/forks.py": "def limits():\n    import resource\n"}
    assert not any("resource" in finding for finding in findings(WITH_COMMANDS | late))


def test_a_folder_of_the_tests_is_not_called_common() -> None:
    assert "tests/common: " in "".join(findings(FILES, ["tests/common"]))
