"""crossing.py: a Debian for aarch64, whose programs qemu runs, and a wheel that is cross-compiled for its Python.

As a program, it makes that Debian, in build/aarch64/root, where cmake/aarch64.cmake looks for it.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

from shipping.empty_root import DebianRoot, EmptyRoot
from shipping.refusal import command, refuse

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build/aarch64"
DEBIANS = "arm64"  # Debian's name of the processor
HEADERS = "python3-dev,libc6-dev,libstdc++6,libjack-jackd2-dev,portaudio19-dev"

# Wheels of PyPI that run there: any of a glibc that is not newer than Debian 12's.
PLATFORMS = ["manylinux2014_aarch64", *(f"manylinux_2_{minor}_aarch64" for minor in range(17, 37))]

KERNELS_ENTRY = Path("/proc/sys/fs/binfmt_misc/qemu-aarch64")


def has_qemu() -> None:
    """Have the kernel run programs for aarch64 by qemu. Raises Refused if it cannot."""
    if not KERNELS_ENTRY.exists():
        command("update-binfmts", "--enable", "qemu-aarch64")
    refuse("no program for aarch64 runs here", [] if KERNELS_ENTRY.exists() else ["this kernel lacks binfmt_misc"])


def root_with_headers() -> DebianRoot:
    """Return the root that is compiled against. Its headers and libraries are Debian's."""
    has_qemu()
    root = DebianRoot(BUILD / "root", BUILD / "work", packages=HEADERS, processor=DEBIANS)
    root.make()
    return root


def root_of_a_user(work: Path) -> EmptyRoot:
    """Return a root without compiler and audio libraries."""
    root = EmptyRoot(BUILD / "empty", work, processor=DEBIANS)
    root.make()
    return root


def cross_built(sdist: Path, folder: Path) -> None:
    """Build the wheel of that Debian's Python in ``folder / "built"``. Raises Refused.

    This Debian's Python, of the same version, builds it. It reads what the other Python says of itself.
    """
    there = root_with_headers().folder
    shutil.rmtree(folder, ignore_errors=True)
    command("/usr/bin/python3", "-m", "venv", "--without-pip", folder / "venv")
    found = sorted((there / "usr/lib").glob("python3.*/_sysconfigdata__aarch64-linux-gnu.py"))
    refuse("the Python there", [] if len(found) == 1 else [f"one that says how it was built, and not {found}"])
    says, version = folder / "says", found[0].parent.name
    says.mkdir()
    shutil.copy2(found[0], says)
    pip = (sys.executable, "-m", "pip", "--python", folder / "venv/bin/python")
    needs = re.search(r"^requires = (.+)$", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    command(*pip, "install", "--quiet", *json.loads(needs[1] if needs else "[]"))
    settings = (
        f"-Ccmake.define.CMAKE_TOOLCHAIN_FILE={ROOT / 'cmake/aarch64.cmake'}",
        f"-Ccmake.define.Python_INCLUDE_DIR={there / 'usr/include' / version}",
    )
    environment = {
        "_PYTHON_HOST_PLATFORM": "linux-aarch64",
        "_PYTHON_SYSCONFIGDATA_NAME": found[0].stem,
        "PYTHONPATH": str(says),
    }
    # Without isolation, because that would hide what the other Python says.
    built = ("wheel", "--no-build-isolation", "--no-deps", "--wheel-dir", folder / "built", *settings, sdist)
    command(*pip, *built, log=folder / "build.log", environment=environment)


if __name__ == "__main__":
    root_with_headers()
