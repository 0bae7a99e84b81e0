"""Where the package has what C++ is built against."""

from __future__ import annotations

from pathlib import Path

from cueline.errors import MissingPackageError

__all__ = ["get_cmake_dir", "get_include"]

_PACKAGE = Path(__file__).parent


def get_include() -> str:
    """Return the folder of the C++ headers: ``g++ -I`` of it finds ``<cueline/processor.hpp>``.

    Raises MissingPackageError where cueline was installed without them.
    """
    return _there(_PACKAGE / "include")


def get_cmake_dir() -> str:
    """Return the folder that CMake's ``find_package(cueline)`` looks for, as ``-Dcueline_DIR=`` of it says.

    Raises MissingPackageError where cueline was installed without it.
    """
    return _there(_PACKAGE / "lib" / "cmake" / "cueline")


def _there(folder: Path) -> str:
    if not folder.is_dir():
        raise MissingPackageError(f"there is no {folder}: install cueline anew, and not as editable")
    return str(folder)
