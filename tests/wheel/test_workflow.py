"""The release workflow builds a wheel for each Python that we claim, on each Linux, as far as can be seen offline."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from shipping.__main__ import MAY_LACK
from shipping.artifacts import PROCESSORS
from shipping.pythons import supported

ROOT = Path(__file__).parents[2]
WORKFLOW = (ROOT / ".github/workflows/release.yml").read_text()
PYPROJECT = (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize("libc", ["manylinux", "musllinux"])
@pytest.mark.parametrize("machine", sorted(PROCESSORS))
def test_there_is_a_wheel_for_each_python(machine: str, libc: str) -> None:
    (asked,) = re.findall(r"CIBW_BUILD: (.+)", WORKFLOW)
    assert asked == "cp*-${{ matrix.libc }}_*"
    listed = subprocess.run(
        [sys.executable, "-m", "cibuildwheel", "--print-build-identifiers", "--platform=linux", f"--archs={machine}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    wanted = ["cp{}{}-{}_{}".format(*version, libc, machine) for version in supported(PYPROJECT)]
    assert [name for name in listed if f"-{libc}_" in name] == wanted


def test_the_workflow_names_the_cibuildwheel_that_this_was_tried_with() -> None:
    assert f"cibuildwheel=={metadata.version('cibuildwheel')} " in WORKFLOW


def test_the_workflow_tests_lack_the_tools_that_ours_do() -> None:
    assert f'CUELINE_TESTS_MAY_LACK = "{" ".join(MAY_LACK)}"' in PYPROJECT


def test_only_the_job_that_uploads_has_an_identity() -> None:
    upload = WORKFLOW.partition("\n  upload:\n")[2]
    assert WORKFLOW.count("id-token: write") == upload.count("id-token: write") == 1
    assert "if: github.event_name == 'push'" in upload
    assert re.search(r'^  push:\n    tags: \["v\*"\]$', WORKFLOW, re.MULTILINE)
