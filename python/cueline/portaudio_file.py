"""Where a Python package brings PortAudio: sounddevice's wheels have it for Windows and macOS."""

from __future__ import annotations

import sys

from cueline import _core

__all__ = ["look_in_packages", "packaged_file"]

# By what Python is built for. The files with -asio in their names are left alone: ASIO is not free software.
_FILES = {"win-amd64": "libportaudio64bit.dll", "win-arm64": "libportaudioarm64.dll"}


def look_in_packages() -> None:
    """Let an engine open the PortAudio of an installed package, if the system has none. Linux has it as a package."""
    if sys.platform in ("win32", "darwin") and (file := packaged_file()):
        _core.look_for_portaudio_at(file)


def packaged_file() -> str | None:
    """Return the file that sounddevice brings for this system. This does not import sounddevice."""
    import os
    from importlib.util import find_spec
    from sysconfig import get_platform

    name = "libportaudio.dylib" if sys.platform == "darwin" else _FILES.get(get_platform())
    package = find_spec("_sounddevice_data")
    if name is None or package is None:
        return None
    for folder in package.submodule_search_locations or []:
        file = os.path.join(folder, "portaudio-binaries", name)  # noqa: PTH118  # pathlib takes long to import
        if os.path.isfile(file):  # noqa: PTH113
            return file
    return None
