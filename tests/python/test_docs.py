"""The code blocks in docs/*.md: each page runs as a reader would run it.

A page is a folder. A block that `<!-- file: NAME -->` precedes is kept there under that name; the other Python blocks
are one program, in their order; commands of sh come next; each block of C++ is compiled by itself. What a comment says
that it prints has to be printed. `<!-- not run: REASON -->` leaves a block out. Readers see no such mark.
"""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import cueline
from conftest import NO_SOUND, require
from pages import blocks_of, on_one_page

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))
FOLLOWED = ["write-your-own-engine.md"]  # tests/authors runs it as a whole, with only the wheel
LATE = "ignore:cues applied late"  # on a busy machine, a cue may be
COMPILER = ["g++", "-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", f"-I{ROOT / 'include'}"]


def run_page(page: str, folder: Path) -> None:
    """Run all blocks of a page in ``folder``. Raises AssertionError with the error and its line."""
    blocks = blocks_of(page)
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        # timeit, on a busy machine; a default device on a machine without sound
        "PYTHONWARNINGS": f"ignore:The test results are likely unreliable,{NO_SOUND}",
    }

    def run(*command: str | Path) -> str:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return done.stdout

    for block in blocks:
        if block.file:
            (folder / block.file).write_text(block.text)
    if program := [block for block in blocks if block.in_language("python")]:
        (folder / "page.py").write_text(on_one_page(program))
        printed = run("env", f"PYTHONWARNINGS=error,{NO_SOUND},{LATE}", sys.executable, "page.py").splitlines()
        for said in re.findall(r"# prints (.*)", on_one_page(program)):
            assert said in printed, f"the page says that it prints {said!r}, and it prints {printed}"
    for block in blocks:
        if block.in_language("sh"):
            if re.search("^cmake ", block.text, re.MULTILINE):
                require("cmake")
            run("sh", "-e", "-c", block.text)
        if block.in_language("cpp"):
            require(COMPILER[0])
            (folder / "page.cpp").write_text(block.text)
            run(*COMPILER, "page.cpp")


WITH_CODE = [page for page in PAGES if "```" in page.read_text() and page.name not in FOLLOWED]


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.name)
def test_a_page_does_as_it_says(page: Path, tmp_path: Path) -> None:
    run_page(page.read_text(), tmp_path)


def test_hardly_a_block_is_left_out() -> None:
    blocks = [block for page in PAGES for block in blocks_of(page.read_text())]
    assert sum(block.language == "python" for block in blocks) >= 7
    assert sum(block.language == "cpp" for block in blocks) >= 3
    assert sum(block.language == "text" for block in blocks) <= 3
    left_out = [block.left_out for block in blocks if block.left_out]
    assert len(left_out) <= 3, left_out
    assert all(len(reason.split()) >= 3 for reason in left_out), left_out


def test_the_page_on_python_begins_with_the_constructor() -> None:
    signature = inspect.signature(cueline.AudioEngine)
    bare = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in signature.parameters.values()]
    shown = str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty)).replace("'", '"')
    first = blocks_of((ROOT / "docs/python.md").read_text())[0].text
    assert " ".join(first.split()) == f"engine = cueline.AudioEngine{shown}"


def fenced(language: str, text: str, mark: str = "") -> str:
    return f"{mark}```{language}\n{text}```\n\n"


GOOD = "# A page\n\n" + fenced("python", "import cueline\n") + "Then:\n\n" + fenced("python", "print(cueline.Pong)\n")


WRONG = {
    "a name that there is not": (fenced("python", "cueline.Engin()\n"), r"page.py\", line 14.*no attribute 'Engin'"),
    "a fragment": (fenced("python", "    return\n"), r"line 14.*IndentationError"),
    "another output than it says": (fenced("python", "print(6 * 7)  # prints 43\n"), r"prints '43'.*'42'"),
    "a warning": (fenced("python", "import sys\nsys.stderr.write('so?')\n"), r"so\?"),
    "a broken module": (
        fenced("python", "import s\n") + fenced("python", "None()\n", "<!-- file: s.py -->\n"),
        "s.py.*line 19",
    ),
    "a command that fails": (fenced("sh", "cueline pong\ntrue\n"), "'pong'"),
    "no such header": (fenced("cpp", "#include <cueline/rang.hpp>\n"), r"page.cpp:14:.*rang.hpp"),
    "C++ that is refused": (fenced("cpp", "#include <cueline/ring.hpp>\ncueline::Ring<int, 3> r;\n"), "power of two"),
    "no language": (fenced("", "engine = AudioEngine()\n"), "says what it is"),
    "an indented block": ("- " + fenced("python", "pass\n"), "not at the begin of a line"),
    "a mark without a reason": (fenced("python", "None()\n", "<!-- not run: -->\n"), "says nothing"),
    "a mark of nothing": (fenced("python", "pass\n", "<!-- not run: no reason to -->\n\n"), "marks no block"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_the_check_catches(wrong: str, tmp_path: Path) -> None:
    added, complaint = WRONG[wrong]
    run_page(GOOD, tmp_path)
    with pytest.raises(AssertionError, match=re.compile(complaint, re.DOTALL)):
        run_page(GOOD + added, tmp_path)


def test_a_block_that_is_marked_is_not_run(tmp_path: Path) -> None:
    run_page(GOOD + fenced("python", "boom\n", "<!-- not run: it needs a sound card -->\n"), tmp_path)
