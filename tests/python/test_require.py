"""A test that lacks a tool fails, unless the run may lack it; and the tests can be imported on any system."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import conftest
from conftest import require

ROOT = Path(__file__).parents[2]

# Modules of the standard library that Windows lacks. A function that needs one imports it.
ONLY_ON_UNIX = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}


def imported_at_the_top(program: str) -> set[str]:
    """Return the modules that a program imports when it is imported itself."""
    statements = ast.parse(program).body
    names = [alias.name for node in statements if isinstance(node, ast.Import) for alias in node.names]
    names += [str(node.module) for node in statements if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


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


@pytest.mark.parametrize("folder", ["python/cueline", "tests/python"])
def test_no_module_needs_unix_to_be_imported(folder: str) -> None:
    programs = {path: path.read_text() for path in (ROOT / folder).rglob("*.py")}
    assert {path: found for path, text in programs.items() if (found := imported_at_the_top(text) & ONLY_ON_UNIX)} == {}


@pytest.mark.parametrize(
    ("program", "found"),
    [
        ("import os, resource", {"os", "resource"}),
        ("from tty import setraw", {"tty"}),
        ("import os.path as path", {"os"}),
        ("def late():\n    import pty", set()),
    ],
)
def test_imports_at_the_top_are_found(program: str, found: set[str]) -> None:
    assert imported_at_the_top(program) == found
