"""The machine that the figures were measured on."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from cueline._core import __version__, _Baseline

__all__ = ["Machine", "this_machine"]


@dataclass(frozen=True)
class Machine:
    """A machine, its system, and the versions of Python and cueline."""

    cpu: str
    cores: int
    """The cores that this process may use."""
    kernel: str
    governor: str | None
    """The frequency governor of the first core; None if the kernel does not report it."""
    python: str
    python_compiler: str
    cueline: str
    cueline_compiler: str


def this_machine() -> Machine:
    """Return this machine."""
    return Machine(
        cpu=_cpu(),
        cores=_cores(),
        kernel=f"{platform.system()} {platform.release()}",
        governor=_read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        python_compiler=platform.python_compiler(),
        cueline=__version__,
        cueline_compiler=_Baseline.compiler(),
    )


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # only Linux has it
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpu() -> str:
    for line in (_read("/proc/cpuinfo") or "").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return None
