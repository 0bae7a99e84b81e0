"""As people install the sdist: pip, a compiler, CMake and make are enough."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from shipping.empty_root import DebianRoot
from shipping.refusal import command

ROOT = Path(__file__).parents[2]
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


@pytest.mark.skipif(bool(os.environ.get("QUICK")), reason="takes minutes: make builds without QUICK")
def test_pip_installs_the_sdist_without_network_root_ninja_and_audio_headers(tmp_path: Path) -> None:
    """The folder's name has a space and umlauts. Where nothing else is said, scikit-build-core fetches ninja."""
    packages = "python3,python3-dev,python3-venv,g++,cmake,make"
    root = DebianRoot(ROOT / "build/builds/pip", tmp_path / "work", packages=packages)
    root.make()
    command(sys.executable, "-m", "build", "--sdist", "--outdir", root.work / "wheelhouse", ROOT)
    version = root.run("python3", "-c", "import sys; print('{}.{}'.format(*sys.version_info))", captured=True).stdout
    asked = ("scikit-build-core", "nanobind", "numpy", "rich", "typing-extensions", "tomli", "exceptiongroup")
    download = ("download", "--quiet", "--only-binary", ":all:", "--dest", root.work / "wheelhouse")
    command(sys.executable, "-m", "pip", *download, "--python-version", version.strip(), *asked)
    folder = root.work / "Übung mit Größen"
    folder.mkdir()
    for path in (root.work, folder):
        shutil.chown(path, 65534, 65534)

    def types(*words: str) -> str:
        done = root.run(*NOBODY, "env", f"--chdir={folder.name}", *words, captured=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert types("sh", "-c", "id -u; command -v ninja || echo no ninja") == "65534\nno ninja\n"
    types("python3", "-m", "venv", "meine Umgebung")
    offline = ("--no-cache-dir", "--no-index", "--find-links", "../wheelhouse")
    pip = ("meine Umgebung/bin/python", "-m", "pip", "install", *offline)
    types("env", "CMAKE_GENERATOR=Unix Makefiles", *pip, "cueline")
    assert "3 sent, 3 received, 0 dropped" in types("meine Umgebung/bin/cueline", "ping", "--count", "3")
