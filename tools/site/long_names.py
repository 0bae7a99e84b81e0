"""A hook of MkDocs: a long name in a table may be broken after a dot or an underscore, and nowhere else.

Names of tests are sentences. Unbroken, they make a table wider than the page; broken anywhere, they cannot be read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

CELL = re.compile(r"<td\b.*?</td>", re.DOTALL)
LONG_NAME = re.compile(r"(?<=<code>)[\w.:]{24,}(?=</code>)")


def breakable(html: str) -> str:
    """Return the page with places for breaks in the long names of its tables."""
    return CELL.sub(
        lambda cell: LONG_NAME.sub(lambda name: re.sub(r"(?<=[a-z0-9][_.])", "<wbr>", name[0]), cell[0]), html
    )


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001  # by name
    """Change a page after its Markdown was rendered."""
    return breakable(html)
