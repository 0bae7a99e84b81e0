"""The files of Linux that the checks read. Tests give another root folder."""

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
    """A machine, as this process sees it."""

    root: Path
    """The folder that stands for ``/``."""
    groups: frozenset[int]
    """The group numbers of the process."""
    user: str
    runtime_folder: str | None = None
    """``XDG_RUNTIME_DIR``, if it is set."""

    def text(self, path: str) -> str | None:
        """Return the content of the file ``path``, stripped; None if it cannot be read."""
        try:
            return (self.root / path.lstrip("/")).read_text(errors="replace").strip()
        except OSError:
            return None

    def number(self, path: str) -> int | None:
        """Return the number in the file ``path``; None if there is none."""
        text = self.text(path)
        return int(text) if text is not None and re.fullmatch(r"-?\d+", text) else None

    def has(self, path: str) -> bool:
        """Return whether the file or folder ``path`` exists."""
        return os.path.lexists(self.root / path.lstrip("/"))

    def paths(self, pattern: str) -> Iterator[str]:
        """Iterate over the paths that match ``pattern``, in order."""
        for path in sorted(self.root.glob(pattern.lstrip("/"))):
            yield f"/{path.relative_to(self.root)}"

    def capable(self, capability: int) -> bool:
        """Return whether the process has this capability. Outside containers, root has all of them."""
        status = re.search(r"^CapEff:\s*([0-9a-f]+)$", self.text("/proc/self/status") or "", flags=re.MULTILINE)
        return status is not None and bool(int(status[1], 16) >> capability & 1)

    def limit(self, name: str) -> float:
        """Return the process's soft limit of this name from /proc/self/limits; 0 if it is not there."""
        row = re.search(rf"^Max {name}\s+(\d+|unlimited)\s", self.text("/proc/self/limits") or "", flags=re.MULTILINE)
        if row is None:
            return 0
        return float("inf") if row[1] == "unlimited" else int(row[1])

    @property
    def container(self) -> str | None:
        """The kind of container; None if this does not look like one."""
        if self.has("/run/.containerenv"):
            return "podman"
        if self.has("/.dockerenv"):
            return "docker"
        if said := self.text("/run/systemd/container"):
            return said
        known = re.search(r"docker|kubepods|libpod|lxc", self.text("/proc/1/cgroup") or "")
        return known[0] if known else None

    def run_container(self, *more: str) -> str:
        """Return a command that runs a container with real-time rights, and with ``more`` options."""
        program = "podman" if self.container == "podman" else "docker"
        return " ".join((program, "run --ulimit rtprio=95 --ulimit memlock=-1 --cap-add SYS_NICE", *more, "IMAGE"))


def this_machine() -> Machine:
    """Return this machine."""
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
    except KeyError:  # in a container, a user may have a number and no name
        return str(os.getuid())
