"""empty_root.py: a Debian in a folder, and one that has Python and nothing to build with or to make sound with."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shipping.refusal import command, refuse

SOURCES = [Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list")]
BARE = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}

# What must not be there, by the name of its file: compilers and what drives them, sound systems, headers.
UNWANTED = re.compile(
    r"(.+-)?(gcc|g\+\+|c\+\+|clang|clang\+\+|cpp|tcc|ld|as|lld|gold)(-[\d.]+)?"
    r"|cc|c[89]9|cc1(plus)?|g?make|cmake|ninja|meson|rustc|cargo"
    r"|jackd|jackdbus|jack_\w+|pw-jack|pipewire.*|pulseaudio"
    r"|lib(jack|portaudio|asound|pipewire|pulse)\w*([-.].*)?"
    r"|(jack|portaudio|Python)\.h"
)


def unwanted_in(*trees: Path) -> list[str]:
    """Return what there is in ``trees`` that an empty environment does not have."""
    found = []
    for tree in trees:
        for folder, _, files in os.walk(tree):
            for name in files:
                path = Path(folder, name)
                runs = os.access(path, os.X_OK) or path.is_symlink()
                if UNWANTED.fullmatch(name) and (runs or ".so" in name or name.endswith(".h")):
                    found.append(str(path.relative_to(tree)))
    return sorted(found)


@dataclass(frozen=True)
class DebianRoot:
    """A root, and the folder that is /work there: beside /tmp, the one place in it that can be written to.

    Without a suite, it is this machine's Debian. Without a processor, in Debian's words, it is for this machine's: the
    kernel must run programs for another one by qemu.
    """

    folder: Path
    work: Path
    suite: str = ""
    packages: str = "python3,python3-venv"
    processor: str = ""

    def make(self) -> None:
        """Make the root, unless it is there already, and an empty folder for the work."""
        codename = self.suite or platform.freedesktop_os_release()["VERSION_CODENAME"]
        sources = [str(path) for path in SOURCES if path.exists() and not self.suite]
        fresh = '--aptopt=Acquire::Check-Valid-Until "false"'  # a mirror of sid may be days old
        bootstrap = ["mmdebstrap", "--mode=root", "--variant=apt", f"--include={self.packages}"]
        bootstrap += [f"--architectures={self.processor}"] if self.processor else []
        bootstrap += [fresh, codename] if self.suite else [codename]
        recipe, made_by = " ".join([*bootstrap, *sources]), self.folder.with_suffix(".made-by")
        if not made_by.exists() or made_by.read_text() != recipe:
            made_by.unlink(missing_ok=True)
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            command(*bootstrap, self.folder, *sources)
            (self.folder / "work").mkdir()
            made_by.write_text(recipe)
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)

    def run(
        self, *command: str, environment: Mapping[str, str] | None = None, captured: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run a command there, in /work, as root; what it returns is for the caller to judge."""
        enter = ["unshare", "--mount", "--pid", "--net", "--ipc", "--fork", "--kill-child", "sh"]
        script = str(Path(__file__).with_name("enter.sh"))
        return subprocess.run(
            [*enter, script, str(self.folder), str(self.work), *command],
            env={**BARE, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=captured,
            text=True,
            check=False,
        )


class EmptyRoot(DebianRoot):
    """A root without a compiler and without an audio library."""

    def make(self) -> None:
        """Make the root, and look for what must not be there."""
        super().make()
        self.require_empty()

    def require_empty(self) -> None:
        """Raise Refused if there is something to build with or to make sound with, in the root or in the work."""
        refuse("the empty environment is not empty", unwanted_in(self.folder, self.work))
