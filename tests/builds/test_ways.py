"""As people take cueline into a CMake project: each way gives the same targets, in any folder.

CPM is no package of Debian or PyPI. If the variable CPM has the path of CPM.cmake, it is tried, too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import cueline
from conftest import cmake, require

ROOT = Path(__file__).parents[2]
PROJECT = Path(__file__).with_name("project")
CPM = os.environ.get("CPM")
WAYS = ["add_subdirectory", "FetchContent", *(["CPM"] if CPM else [])]
SAID = {"headers": "took 7\n", "engine": "rendered 256 frames of tone: 1 pong\n"}
QUICKLY = ["-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O0", "-DCUELINE_UNITY_BUILD=ON"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an empty folder with a name that a build must survive."""
    made = tmp_path / "Übung mit Größen"
    made.mkdir()
    return made


def configure(folder: Path, way: str, *options: str, source: Path = ROOT) -> Path:
    """Configure the project in ``folder``, and return where it is built."""
    shutil.copytree(PROJECT, folder / "project")
    found = [f"-DWAY={way}", f"-DCUELINE_SOURCE={source}", f"-DCPM={CPM}"]
    cmake("-S", folder / "project", "-B", folder / "built", *QUICKLY, *found, *options)
    return folder / "built"


def runs(built: Path, *programs: str) -> None:
    """Build and run the programs of the project."""
    cmake("--build", built, "--target", *programs)
    for program in programs:
        assert subprocess.check_output([built / program], text=True, timeout=60) == SAID[program]


@pytest.mark.parametrize("way", WAYS)
def test_a_project_that_embeds_cueline_has_its_targets_and_does_not_install_it(way: str, folder: Path) -> None:
    built = configure(folder, way)  # CMake fails if a target with :: in its name is missing
    runs(built, "headers")
    cmake("--install", built, "--prefix", folder / "prefix")
    assert not (folder / "prefix").exists()


def test_a_library_that_embeds_cueline_can_be_exported_with_it(folder: Path) -> None:
    """The source has spaces and umlauts in its path here, too."""
    shutil.copytree(ROOT, folder / "cueline", ignore=shutil.ignore_patterns("build", "dist", ".*", "tests", "docs"))
    theirs = configure(folder, "FetchContent", "-DEXPORTS=ON", source=folder / "cueline")
    runs(theirs, "headers", "engine")
    prefix = folder / "prefix"
    cmake("--install", theirs, "--prefix", prefix)

    user = folder / "user"
    user.mkdir()
    (user / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.22)\nproject(user LANGUAGES CXX)\nfind_package(theirs REQUIRED)\n"
        "add_executable(engine ../project/engine.cpp)\ntarget_link_libraries(engine PRIVATE theirs::theirs)\n"
    )
    cmake("-S", user, "-B", user / "built", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}")
    runs(user / "built", "engine")

    again = folder / "package"
    again.mkdir()
    runs(configure(again, "package", f"-DCMAKE_PREFIX_PATH={prefix}"), "headers", "engine")
    build_with_pkg_config(prefix, folder)


def build_with_pkg_config(prefix: Path, folder: Path) -> None:
    """Build and run the same programs without CMake, after the prefix was moved to where pkg-config can name it."""
    require("pkg-config")
    moved = shutil.copytree(prefix, folder.parent / "moved")
    environment = os.environ | {"PKG_CONFIG_PATH": str(next(moved.glob("lib*/**/pkgconfig")))}
    for program, module in {"headers": "cueline", "engine": "cueline-engine"}.items():
        flags = subprocess.check_output(["pkg-config", "--cflags", "--libs", module], env=environment, text=True)
        built = folder / f"{program}-by-pkg-config"
        subprocess.run(["g++", "-std=c++20", PROJECT / f"{program}.cpp", "-o", built, *flags.split()], check=True)
        assert subprocess.check_output([built], text=True, timeout=60) == SAID[program]


def test_an_installation_of_the_headers_alone_has_no_engine(folder: Path) -> None:
    cmake("-S", ROOT, "-B", folder / "cueline", "-G", "Ninja", "-DCUELINE_BUILD_ENGINE=OFF")
    cmake("--install", folder / "cueline", "--prefix", folder / "prefix")
    with pytest.raises(AssertionError, match="cueline has the components headers and engine, and no 'engine'"):
        configure(folder, "package", f"-DCMAKE_PREFIX_PATH={folder / 'prefix'}")


def test_the_package_that_pip_installed_is_found_by_cmake(folder: Path) -> None:
    runs(configure(folder, "package", f"-Dcueline_DIR={cueline.get_cmake_dir()}"), "headers", "engine")


def test_as_a_part_of_somebody_elses_package_it_is_headers_alone(folder: Path) -> None:
    """scikit-build-core sets SKBUILD for everything in the build."""
    (folder / "CMakeLists.txt").write_text(
        f'cmake_minimum_required(VERSION 3.22)\nproject(theirs LANGUAGES CXX)\nadd_subdirectory("{ROOT}" cueline)\n'
        "file(GENERATE OUTPUT includes.txt CONTENT $<TARGET_PROPERTY:cueline,INTERFACE_INCLUDE_DIRECTORIES>)\n"
    )
    cmake("-S", folder, "-B", folder / "built", "-G", "Ninja", "-DSKBUILD=2")
    assert str(ROOT / "include") in (folder / "built/includes.txt").read_text()
    assert not (folder / "built/cueline/bindings").exists()
    assert "CUELINE_INSTALL:BOOL=OFF" in (folder / "built/CMakeCache.txt").read_text()
