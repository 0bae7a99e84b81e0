"""The release workflow builds a wheel for each Python that we claim, on each Linux, as far as can be seen offline."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from shipping.__main__ import MAY_LACK
from shipping.artifacts import PROCESSORS
from shipping.pythons import supported, tag

ROOT = Path(__file__).parents[2]
WORKFLOW = (ROOT / ".github/workflows/release.yml").read_text()
PYPROJECT = (ROOT / "pyproject.toml").read_text()


def built(system: str, machine: str, **environment: str) -> list[str]:
    """Return the identifiers of the wheels that cibuildwheel would build there."""
    asked = [f"--platform={system}", f"--archs={machine}", "--print-build-identifiers"]
    tool = [sys.executable, "-m", "cibuildwheel", *asked]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CIBW_")}
    run = subprocess.run(tool, cwd=ROOT, env=inherited | environment, capture_output=True, text=True, check=True)
    return run.stdout.split()


def wanted(libc: str, machine: str) -> list[str]:
    return [f"{tag(version)}-{libc}_{machine}" for version in supported(PYPROJECT)]


@pytest.mark.parametrize("libc", ["manylinux", "musllinux"])
@pytest.mark.parametrize("machine", sorted(PROCESSORS))
def test_there_is_a_wheel_for_each_python(machine: str, libc: str) -> None:
    assert re.findall(r"(CIBW_\w+): (.+)", WORKFLOW) == [("CIBW_SKIP", "${{ matrix.skip }}")]
    skipped = dict(re.findall(r'- { libc: (\w+), skip: "(.+)" }', WORKFLOW))
    assert built("linux", machine, CIBW_SKIP=skipped[libc]) == wanted(libc, machine)


def test_a_list_in_the_workflow_would_build_pythons_that_nobody_claims() -> None:
    """The mutant: CIBW_BUILD takes the place of pyproject.toml's list, and cibuildwheel knows newer Pythons."""
    assert set(built("linux", "x86_64", CIBW_BUILD="cp*-manylinux_*")) > set(wanted("manylinux", "x86_64"))


@pytest.mark.parametrize(
    ("system", "machine", "named", "platform"),
    [
        ("macos", "arm64", "macos-15", "macosx_arm64"),
        ("macos", "x86_64", "macos-15-intel", "macosx_x86_64"),
        ("windows", "AMD64", "windows-2025", "win_amd64"),
        ("windows", "ARM64", "windows-11-arm", "win_arm64"),
    ],
)
def test_other_systems_are_tried_and_not_uploaded(system: str, machine: str, named: str, platform: str) -> None:
    trial = WORKFLOW.partition("\n  trial:\n")[2].partition("\n  upload:\n")[0]
    assert named in re.split(r"[\[\], ]+", re.findall(r"machine: (.+)", trial)[0])
    assert "name: trial-" in trial
    assert "pattern: dist-*" in WORKFLOW
    built_there = built(system, machine)
    assert {f"{tag(version)}-{platform}" for version in supported(PYPROJECT)} >= set(built_there)
    assert f"cp313-{platform}" in built_there


def test_the_workflow_names_the_cibuildwheel_that_this_was_tried_with() -> None:
    assert {f"=={metadata.version('cibuildwheel')}"} == set(re.findall(r"cibuildwheel(\S+)", WORKFLOW))


def test_the_workflow_tests_lack_the_tools_that_ours_do() -> None:
    assert f'CUELINE_TESTS_MAY_LACK = "{" ".join(MAY_LACK)}"' in PYPROJECT


def test_only_the_job_that_uploads_has_an_identity() -> None:
    upload = WORKFLOW.partition("\n  upload:\n")[2]
    assert WORKFLOW.count("id-token: write") == upload.count("id-token: write") == 1
    assert "if: github.event_name == 'push'" in upload
    assert re.search(r'^  push:\n    tags: \["v\*"\]$', WORKFLOW, re.MULTILINE)
