"""The folders of the package that C++ is built against."""

from __future__ import annotations

import os
import sys

from cueline.errors import MissingPackageError

__all__ = ["get_cmake_dir", "get_include"]


def get_include() -> str:
    """Return the folder of the C++ headers. Pass it to ``g++ -I``, which then finds ``<cueline/processor.hpp>``.

    Raises MissingPackageError if cueline was installed without them.
    """
    return _existing("include")


def get_cmake_dir() -> str:
    """Return the folder of the CMake package. Pass it as ``-Dcueline_DIR=``, so that ``find_package(cueline)`` works.

    Raises MissingPackageError if cueline was installed without it.
    """
    return _existing("lib", "cmake", "cueline")


def _existing(*names: str) -> str:
    folder = os.path.join(os.path.dirname(__file__), *names)  # noqa: PTH118, PTH120  # pathlib takes long to import
    if not os.path.isdir(folder):  # noqa: PTH112
        if getattr(sys, "frozen", False):  # PyInstaller and others set it
            raise MissingPackageError(
                f"there is no {folder}: a frozen application does not bring what C++ is built against; "
                "build where cueline is installed with pip"
            )
        raise MissingPackageError(f"there is no {folder}: install cueline again, and not as editable")
    return folder
