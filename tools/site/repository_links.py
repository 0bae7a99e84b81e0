"""A hook of MkDocs: what docs/ says of files outside docs/ leads somewhere on the site, too.

A link to a file of the repository leads to a page with its text, one to a folder to a page with its files; README.md,
CHANGELOG.md and CONTRIBUTING.md are pages as they are. MkDocs checks every link after that, and every anchor.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor
from mkdocs.structure.files import File, Files, InclusionLevel

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from markdown import Markdown
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

ROOT_PAGES = {"README.md": "readme.md", "CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}
LANGUAGES = {
    ".hpp": "cpp",
    ".cpp": "cpp",
    ".py": "python",
    ".rs": "rust",
    ".sh": "sh",
    ".txt": "cmake",
    ".toml": "toml",
}
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
MARK = re.compile(r"^<!-- (?P<mark>file|not run): *(?P<why>.*?) *-->\n```(?P<language>\w+)$", re.MULTILINE)


class Places:
    """Where on the site a path of the repository is, and the page that is rendered now."""

    def __init__(self) -> None:
        self._on_site: dict[str, str] = {}  # a path in the repository: the source of its page
        self._in_repository: dict[str, str] = {}
        self.page = ""

    def clear(self) -> None:
        """Forget all pages."""
        self._on_site.clear()
        self._in_repository.clear()

    def add(self, path: str, src_uri: str) -> None:
        """Say that a path of the repository has this page."""
        self._on_site[path] = src_uri
        self._in_repository[src_uri] = path

    def has(self, path: str) -> bool:
        """Whether it has one already."""
        return path in self._on_site

    def meant(self, src_uri: str, url: str) -> str:
        """Return the path in the repository that a link on this page means; "" for what is no relative link."""
        parts = urlsplit(url)
        origin = self._in_repository.get(src_uri)
        if origin is None or parts.scheme or parts.netloc or not parts.path or parts.path.startswith("/"):
            return ""
        return posixpath.normpath(posixpath.join(posixpath.dirname(origin), unquote(parts.path)))

    def url(self, url: str) -> str:
        """Return the link as it has to be on the page that is rendered now; as it is where it leads nowhere."""
        place = self._on_site.get(self.meant(self.page, url))
        if place is None:
            return url  # MkDocs will complain
        return urlsplit(url)._replace(path=posixpath.relpath(place, posixpath.dirname(self.page) or ".")).geturl()


class Links(Treeprocessor):
    """Rewrites the links of a page, before MkDocs looks at them."""

    def __init__(self, md: Markdown, places: Places) -> None:
        super().__init__(md)
        self._places = places

    def run(self, root: Element) -> None:
        """Rewrite what leads out of this page."""
        for element in root.iter():
            for attribute in ("href", "src"):
                if (url := element.get(attribute)) is not None:
                    element.set(attribute, self._places.url(url))


class LinksExtension(Extension):
    """What has Python-Markdown call it."""

    def __init__(self, places: Places) -> None:
        super().__init__()
        self._places = places

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802  # Markdown's name
        """Add ours to what it does."""
        md.treeprocessors.register(Links(md, self._places), "repository links", 1)  # MkDocs' own comes at 0


_places = Places()


def source_page(root: Path, path: str) -> str:
    """Return the Markdown of a page that shows a file or a folder of the repository."""
    title = f'---\ntitle: "{path}"\nsearch:\n  exclude: true\n---\n\n# `{path}`\n\n'
    if (root / path).is_dir():
        names = sorted(file.name for file in (root / path).iterdir() if file.is_file() and file.name[0] != ".")
        return title + "".join(f"- [{name}]({posixpath.basename(path)}/{name})\n" for name in names)
    language = LANGUAGES.get(Path(path).suffix, "text")
    return f"{title}``````{language}\n{(root / path).read_text(errors='replace')}``````\n"


def on_config(config: MkDocsConfig) -> None:
    """Have Markdown call us."""
    _places.clear()  # MkDocs may build more than once
    extensions: list[Any] = config.markdown_extensions
    extensions.append(LinksExtension(_places))


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Make a page of each file that some page links to."""
    root = Path(config.config_file_path).parent
    docs = Path(config.docs_dir).name
    for name, src_uri in ROOT_PAGES.items():
        inclusion = InclusionLevel.NOT_IN_NAV if src_uri == "readme.md" else InclusionLevel.INCLUDED
        files.append(File.generated(config, src_uri, content=(root / name).read_text(), inclusion=inclusion))
        _places.add(name, src_uri)
    for file in files:
        if file.src_uri not in ROOT_PAGES.values():
            _places.add(f"{docs}/{file.src_uri}", file.src_uri)

    waiting = list(files.documentation_pages())
    while waiting:
        page = waiting.pop()
        for url in LINK.findall(page.content_string):
            path = _places.meant(page.src_uri, url)
            if path in ("", ".") or path.startswith("..") or _places.has(path) or not (root / path).exists():
                continue
            src_uri = f"source/{path}.md"
            inclusion = InclusionLevel.NOT_IN_NAV
            made = File.generated(config, src_uri, content=source_page(root, path), inclusion=inclusion)
            files.append(made)
            _places.add(path, src_uri)
            if (root / path).is_dir():
                waiting.append(made)  # a folder's page links to what is in it


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001  # by name
    """Show as a block's title the name of the file that it is kept as, and no mark that is the test's alone."""
    _places.page = page.file.src_uri

    def fence(found: re.Match[str]) -> str:
        title = f' title="{found["why"]}"' if found["mark"] == "file" else ""
        return f"```{found['language']}{title}"

    return MARK.sub(fence, markdown)
