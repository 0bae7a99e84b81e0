"""A test that lacks a tool fails, unless the run may lack it; and the tests can be imported on any system."""

from __future__ import annotations

from pathlib import Path

import pytest

import conftest
from code_map import POSIX_MODULE, imported_at_once
from conftest import require

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("tool", ["no-such-tool", "libnone.so.7"])
def test_a_tool_that_is_missing_fails_the_test(tool: str) -> None:
    with pytest.raises(pytest.fail.Exception, match=f"needs {tool}, which is not here; type: sh tools/setup.sh test"):
        require(tool)


@pytest.mark.parametrize("tool", ["no-such-tool", "libnone.so.7"])
def test_it_skips_the_test_where_the_run_may_do_without(tool: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conftest, "MAY_LACK", [tool])
    with pytest.raises(pytest.skip.Exception, match=f"^needs {tool}, which is not here$"):
        require(tool)


def test_a_tool_that_is_here_lets_the_test_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conftest, "MAY_LACK", ["sh", "libc.so.6"])
    require("sh")
    require("libc.so.6")


def test_no_command_but_make_wheel_may_lack_a_tool() -> None:
    for path in ("Makefile", ".ci/run"):
        assert "MAY_LACK" not in (ROOT / path).read_text(), path


def test_no_test_needs_posix_to_be_imported() -> None:
    """test_map.py looks at the package."""
    programs = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "tests/python").rglob("*.py")}
    found = [(name, module) for name, text in programs.items() for _, module in imported_at_once(text)]
    assert [(name, module) for name, module in found if POSIX_MODULE.fullmatch(module)] == []
