"""What the checks look at: the files by which Linux tells of itself, from a root that may be a made-up one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CAP_IPC_LOCK", "CAP_SYS_NICE", "Machine", "this_machine"]

CAP_IPC_LOCK = 14
CAP_SYS_NICE = 23


@dataclass(frozen=True)
class Machine:
    """A machine as one of its processes sees it."""

    root: Path
    """What its paths begin at."""
    groups: frozenset[int]
    """Those that the process is in."""
    user: str
    runtime_folder: str | None = None
    """``XDG_RUNTIME_DIR``, where it is set."""

    def text(self, path: str) -> str | None:
        """Return what the file ``path`` holds, without white space around it; None where it cannot be read."""
        try:
            return (self.root / path.lstrip("/")).read_text(errors="replace").strip()
        except OSError:
            return None

    def number(self, path: str) -> int | None:
        """Return the number in the file ``path``; None where there is none."""
        text = self.text(path)
        return int(text) if text is not None and re.fullmatch(r"-?\d+", text) else None

    def has(self, path: str) -> bool:
        """Return whether there is a file or a folder ``path``."""
        return os.path.lexists(self.root / path.lstrip("/"))

    def paths(self, pattern: str) -> Iterator[str]:
        """Iterate over the paths that match ``pattern``, in order."""
        for path in sorted(self.root.glob(pattern.lstrip("/"))):
            yield f"/{path.relative_to(self.root)}"

    def capable(self, capability: int) -> bool:
        """Return whether the process has this capability, as root has them all outside containers."""
        status = re.search(r"^CapEff:\s*([0-9a-f]+)$", self.text("/proc/self/status") or "", flags=re.MULTILINE)
        return status is not None and bool(int(status[1], 16) >> capability & 1)

    def limit(self, name: str) -> float:
        """Return the process's soft limit of this name, as /proc/self/limits has it; 0 where it does not."""
        row = re.search(rf"^Max {name}\s+(\d+|unlimited)\s", self.text("/proc/self/limits") or "", flags=re.MULTILINE)
        if row is None:
            return 0
        return float("inf") if row[1] == "unlimited" else int(row[1])

    @property
    def container(self) -> str | None:
        """What kind of container this is; None outside, as far as can be seen."""
        if self.has("/run/.containerenv"):
            return "podman"
        if self.has("/.dockerenv"):
            return "docker"
        if said := self.text("/run/systemd/container"):
            return said
        known = re.search(r"docker|kubepods|libpod|lxc", self.text("/proc/1/cgroup") or "")
        return known[0] if known else None

    def run_container(self, *more: str) -> str:
        """Return the line that runs a container like this one with real-time rights, and with ``more`` options."""
        program = "podman" if self.container == "podman" else "docker"
        return " ".join((program, "run --ulimit rtprio=95 --ulimit memlock=-1 --cap-add SYS_NICE", *more, "IMAGE"))


def this_machine() -> Machine:
    """Return the one we are on."""
    return Machine(
        root=Path("/"),
        groups=frozenset({os.getegid(), *os.getgroups()}),
        user=_user(),
        runtime_folder=os.environ.get("XDG_RUNTIME_DIR"),
    )


def _user() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run under a number without a name
        return str(os.getuid())
