"""Where the package has what C++ is built against."""

from __future__ import annotations

from pathlib import Path

__all__ = ["get_cmake_dir", "get_include"]

_PACKAGE = Path(__file__).parent


def get_include() -> str:
    """Return the folder of the C++ headers: ``g++ -I`` of it finds ``<cueline/processor.hpp>``."""
    return str(_PACKAGE / "include")


def get_cmake_dir() -> str:
    """Return the folder that CMake's ``find_package(cueline)`` looks for, as ``-Dcueline_DIR=`` of it says."""
    return str(_PACKAGE / "lib" / "cmake" / "cueline")
