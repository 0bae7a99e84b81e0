"""How cueline and Python were built."""

from __future__ import annotations

import multiprocessing
import sys
import sysconfig

from cueline import _core
from cueline.commands.doctor.findings import Finding, fail, ok, warn

__all__ = ["atomics", "audio_libraries", "gil", "has_gil", "start_method"]


def atomics(*, lock_free: bool = _core.ATOMICS_ARE_LOCK_FREE) -> Finding:
    """Judge whether both sides read and write shared values without a lock."""
    name, why = "lock-free atomics", "the audio thread must never wait for a lock"
    if lock_free:
        return ok(name, "64 bits", why)
    fix = "pip install --force-reinstall --no-binary cueline cueline  # with a 64-bit Python"
    return fail(name, "not for 64 bits", why, fix)


def audio_libraries(*, missing: str = _core.MISSING_AUDIO) -> Finding:
    """Judge whether cueline was built with JACK and PortAudio. pip hides what CMake prints if one is missing."""
    name, why = "audio libraries", "cueline can only play through what it was built with"
    if not missing:
        return ok(name, "built with JACK and PortAudio", why)
    fix = (
        "sudo apt install libjack-jackd2-dev portaudio19-dev && "
        "pip install --force-reinstall --no-deps --no-binary cueline cueline  # or build your clone again"
    )
    return warn(name, f"built without {missing}", why, fix)


def gil(*, enabled: bool, free_threaded: bool) -> Finding:
    """Say whether this Python has a GIL, and uses it. Every answer is OK."""
    name, why = "Python's GIL", "the audio thread never takes it"
    if not free_threaded:
        return ok(name, "on", why)
    return ok(name, "on, in a free-threaded build" if enabled else "off (free-threaded)", why)


def has_gil() -> tuple[bool, bool]:
    """Return whether this Python's GIL is on, and whether the build allows it to be off."""
    is_enabled = getattr(sys, "_is_gil_enabled", lambda: True)  # from Python 3.13 on
    return is_enabled(), bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


def start_method(*, method: str = multiprocessing.get_all_start_methods()[0]) -> Finding:
    """Judge how ``multiprocessing`` starts processes, if a program does not choose."""
    name, why = "start of processes", "while a process forks, its audio thread may wait for memory"
    if method != "fork":
        return ok(name, method, why)
    fix = "# in your Python program: multiprocessing.set_start_method('forkserver')"
    return warn(name, "fork, multiprocessing's default", why, fix)
