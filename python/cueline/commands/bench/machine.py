"""What the figures were taken on: they mean little without it."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from cueline._core import _Baseline

__all__ = ["Machine", "this_machine"]


@dataclass(frozen=True)
class Machine:
    """A machine, and what runs on it."""

    cpu: str
    cores: int
    """Those that this process may use."""
    kernel: str
    governor: str | None
    """How the kernel sets the clock rate of the first core, where it says so."""
    python: str
    python_compiler: str
    cueline: str
    cueline_compiler: str


def this_machine() -> Machine:
    """Return the one we are on."""
    return Machine(
        cpu=_cpu(),
        cores=len(os.sched_getaffinity(0)),
        kernel=f"{platform.system()} {platform.release()}",
        governor=_read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        python_compiler=platform.python_compiler(),
        cueline=metadata.version("cueline"),
        cueline_compiler=_Baseline.compiler(),
    )


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
