"""The code blocks of a Markdown page, for the tests that run them."""

from __future__ import annotations

import re
from typing import NamedTuple

LANGUAGES = ("python", "sh", "cpp", "cmake", "toml", "text")  # the last one is for people

BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>file|not run): *(?P<why>.*?) *-->\n)?^```(?P<language>.*)\n(?P<text>(?:.*\n)*?)^```$",
    re.MULTILINE,
)


class Block(NamedTuple):
    text: str  # on the same lines as in the page, so that error messages have the page's line numbers
    language: str
    file: str  # the file name to save it as, or ""
    left_out: str  # the reason why it is not run, or ""

    def in_language(self, language: str) -> bool:
        return self.language == language and not self.file and not self.left_out


def blocks_of(page: str) -> list[Block]:
    blocks = []
    for found in BLOCK.finditer(page):
        mark, why = found["mark"], found["why"]
        assert mark is None or why, f"this mark says nothing: {found[0]}"
        assert found["language"] in LANGUAGES, f"a block says what it is, one of {LANGUAGES}: {found[0]}"
        lines_before = "\n" * page.count("\n", 0, found.start("text"))
        file, left_out = (why if mark == kind else "" for kind in ("file", "not run"))
        blocks.append(Block(lines_before + found["text"], found["language"], file, left_out))
    assert page.count("```") == 2 * len(blocks), "a fence is not at the begin of a line, or has no other end"
    assert page.count("<!--") == sum(bool(block.file or block.left_out) for block in blocks), "a mark marks no block"
    return blocks


def on_one_page(blocks: list[Block]) -> str:
    """Return the blocks as one text, each still on its lines."""
    lines = [""] * max(block.text.count("\n") for block in blocks)
    for block in blocks:
        for number, line in enumerate(block.text.splitlines()):
            lines[number] = lines[number] or line
    return "\n".join(lines) + "\n"
