"""docs/write-your-own-engine.md, followed as it stands: in an empty folder, with the wheel alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pages import blocks_of, on_one_page

if TYPE_CHECKING:
    from conftest import Author

PAGE = (Path(__file__).parents[2] / "docs/write-your-own-engine.md").read_text()


def follow(page: str, author: Author) -> str:
    """Write the page's files, type its commands and run its programs, in its order; return what they printed."""
    blocks = blocks_of(page)
    program = on_one_page([block for block in blocks if block.in_language("python")])
    program_ends = max(place for place, block in enumerate(blocks) if block.in_language("python"))
    printed = ""
    for place, block in enumerate(blocks):
        if block.file:
            (author.folder / block.file).parent.mkdir(parents=True, exist_ok=True)
            (author.folder / block.file).write_text(block.text.lstrip("\n"))
        elif block.in_language("sh"):
            printed += author.types("sh", "-e", "-c", block.text)
        elif place == program_ends:  # its blocks are one program
            (author.folder / "page.py").write_text(program)
            silent, late = ("-W", "ignore:this engine is silent"), ("-W", "ignore:cues applied late")
            printed += author.types("python", "-W", "error", *silent, *late, "page.py")
    for said in re.findall(r"# prints (.*)", program):
        assert said in printed.splitlines(), f"the page says that it prints {said!r}, and it prints {printed!r}"
    return printed


def test_the_page_works_as_it_is_written(author: Author) -> None:
    printed = follow(PAGE, author)
    assert printed.rstrip().endswith("onset 100")  # its own test, of C++ alone
    assert {block.file for block in blocks_of(PAGE) if block.file} >= {"pyproject.toml", "CMakeLists.txt"}
    (prove,) = [block.text for block in blocks_of(PAGE) if block.left_out]
    author.types("sh", "-e", "-c", prove)
    processor = author.folder / "src/string_processor.hpp"
    processor.write_text(processor.read_text().replace("        place_ = 0;", "        string_.resize(9);", 1))
    with pytest.raises(AssertionError, match="must not call non-'nonblocking' function 'std::vector<float>::resize'"):
        author.types("sh", "-e", "-c", prove)


SMALL = """
<!-- file: src/said.py -->
```python
what = "onset 4800"
```

```sh
test -f src/said.py
```

```python
import sys
sys.path.append("src")
import cueline
import said
```

```python
print(said.what, cueline.Status.OK.name)  # prints onset 4800 OK
```
"""


def test_a_small_page_is_followed(author: Author) -> None:
    assert follow(SMALL, author) == "onset 4800 OK\n"


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("# prints onset 4800", "# prints onset 4801", "4801"),
        ("src/said.py\n```\n\n", "src/sad.py\n```\n\n", "test -f src/sad.py"),
        ("import said\n", "import sad\n", "No module named 'sad'"),
        ("file: src/said.py", "file: src/other.py", "test -f src/said.py"),
    ],
)
def test_a_slip_on_a_page_is_found(author: Author, before: str, after: str, complaint: str) -> None:
    assert before in SMALL
    with pytest.raises(AssertionError, match=complaint):
        follow(SMALL.replace(before, after), author)
