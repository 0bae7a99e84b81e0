"""freezing.py: freezes an application with PyInstaller, in an environment that has the wheel and nothing else."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from shipping.refusal import command

SPEC = Path(__file__).with_name("frozen.spec")
PYTHON = "/usr/bin/python3"  # Debian's has a shared library, which PyInstaller needs; others may not


def freeze(folder: Path, packages: Sequence[Path | str], example: Path, *, log: Path | None = None) -> Path:
    """Freeze ``example`` and the command ``cueline`` with these ``packages`` of pip's, and return the folder of both.

    Raises Refused.
    """
    shutil.rmtree(folder, ignore_errors=True)
    command(PYTHON, "-m", "venv", "--without-pip", folder / "venv")
    python, installed = folder / "venv/bin/python", folder / "venv/bin/cueline"
    command(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", *packages)
    work = ("--distpath", folder, "--workpath", folder / "build", "--log-level", "WARN")
    command(python, "-m", "PyInstaller", *work, SPEC, "--", example, installed, log=log)
    return folder / "frozen"
