"""What somebody has who writes an engine: an empty folder, an environment of their own, and cueline's wheel in it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = "cueline-*-cp{}{}-*.whl".format(*sys.version_info)  # the wheel for the Python that runs this


class Author:
    """Works in a folder outside the repository; types commands there."""

    def __init__(self, folder: Path, dist: Path) -> None:
        self.folder = folder
        # No variable of ours, and cueline from nowhere but where the wheel lies.
        self._environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CUE"))
        }
        self._environment |= {"PIP_FIND_LINKS": str(dist), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}

    def use(self, environment: Path) -> None:
        """Have the programs of a virtual environment come first, as its activation has."""
        self._environment["PATH"] = f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}"

    def types(self, *command: str | Path, timeout: float = 600, **environment: str) -> str:
        """Run a command, which has to succeed, and return what it printed."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="session")
def dist() -> Path:
    """Return where `make wheel` puts the wheels."""
    assert list((ROOT / "dist").glob(OURS)), f"type: make wheel; dist/ has no {OURS}"
    return ROOT / "dist"


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory, dist: Path) -> Path:
    """Return a virtual environment that has the wheel, what it asks for, and nothing else."""
    environment = tmp_path_factory.mktemp("environment")
    author = Author(environment, dist)
    author.types(sys.executable, "-m", "venv", environment)
    author.use(environment)
    author.types("pip", "install", "--quiet", "cueline")
    (installed,) = environment.glob("lib/python*/site-packages/cueline/_core.*.so")
    with zipfile.ZipFile(next(dist.glob(OURS))) as wheel:
        assert installed.read_bytes() == wheel.read(f"cueline/{installed.name}"), "pip has another cueline than ours"
    return environment


@pytest.fixture
def author(tmp_path: Path, environment: Path, dist: Path) -> Author:
    """Return an author in an empty folder, with that environment."""
    author = Author(tmp_path, dist)
    author.use(environment)
    where = author.types("python", "-c", "import cueline; print(cueline.__file__)")
    assert where.startswith(str(environment)), where
    return author
