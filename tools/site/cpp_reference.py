"""A hook of MkDocs: the C++ reference, a page for each public header, from its comments.

doxygen says what is declared where; the comments are ours as they stand, and have none of its commands. Which headers
there are, and in what order, is said in mkdocs.yml (``extra: headers:``).
"""

from __future__ import annotations

import logging
import posixpath
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

from declarations import (
    Group,
    comment_of,
    declaration,
    file_of,
    functions_of,
    grouped,
    line_of,
    template_of,
    text_of,
    tidy,
)

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

log = logging.getLogger("mkdocs.hooks.cpp_reference")

INDEX = "reference/cpp/index.md"
DOXYFILE = """
INPUT = {headers}
STRIP_FROM_PATH = {root}
OUTPUT_DIRECTORY = {output}
GENERATE_HTML = NO
GENERATE_LATEX = NO
GENERATE_XML = YES
XML_PROGRAMLISTING = NO
EXTRACT_ALL = YES
HIDE_FRIEND_COMPOUNDS = YES
MACRO_EXPANSION = YES
EXPAND_ONLY_PREDEF = YES
PREDEFINED = CUELINE_NONBLOCKING:=
INHERIT_DOCS = NO
QUIET = YES
WARN_IF_UNDOCUMENTED = NO
"""
# A comment's sentences that begin so say who may call, at what cost, and what comes back: a line each.
LABEL = re.compile(r"(?:^(?=Thread:|Real-time:)|(?<=[.)]) )(Thread:|Real-time:|Returns|Throws)\s+")
# So does a remark such as [audio thread], wherever in a comment it is.
TAG = re.compile(r"\s*(?<![\w\])])\[([^][]*\bthreads?\b[^][]*)\](?!\()")
ASIDE = re.compile(r"\s*NOLINT(NEXTLINE)?\(.*")
MARK = "CUELINE_NONBLOCKING"  # doxygen cannot read past it, so it is kept from it and looked up


@dataclass
class Section:
    """What gets a heading on a header's page: a class, a function, an enumeration, a namespace of constants."""

    line: int
    heading: str
    anchor: str
    text: list[str] = field(default_factory=list)


def on_config(config: MkDocsConfig) -> None:
    """Put the headers into the navigation, behind the page that lists them."""
    groups = [{title: [page_of(path) for path in paths]} for title, paths in headers(config).items()]

    def filled(entry: Any) -> Any:
        if isinstance(entry, list):
            return [filled(each) for each in entry]
        if isinstance(entry, dict):
            return {title: [INDEX, *groups] if value == INDEX else filled(value) for title, value in entry.items()}
        return entry

    config.nav = filled(config.nav)


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Make a page of each header."""
    root = Path(config.config_file_path).parent
    paths = [path for group in headers(config).values() for path in group]
    reference = Reference(root, paths)
    for path in paths:
        files.append(File.generated(config, page_of(path), content=reference.page(path)))


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str | None:  # noqa: ARG001  # by name
    """List the headers on the page that is about them all."""
    if page.file.src_uri != INDEX:
        return None
    root = Path(config.config_file_path).parent
    for title, paths in headers(config).items():
        rows = [f"| [{Path(path).name}]({Path(page_of(path)).name}) | {purpose(root / path)[0]} |" for path in paths]
        markdown += "\n".join(["", f"## {title}", "", "| header | what it is |", "| --- | --- |", *rows, ""])
    return markdown


def headers(config: MkDocsConfig) -> dict[str, list[str]]:
    """Return the headers by group, as mkdocs.yml has them; a pattern stands for those that are not named before."""
    root = Path(config.config_file_path).parent
    seen: set[str] = set()
    groups: dict[str, list[str]] = {}
    for title, patterns in config.extra["headers"].items():
        for pattern in patterns:
            found = sorted(str(path.relative_to(root)) for path in root.glob(pattern))
            if not found and "*" not in pattern:
                raise PluginError(f"mkdocs.yml names {pattern}, and there is no such header")
            groups.setdefault(title, []).extend(path for path in found if path not in seen)
            seen.update(found)
    pages = [page_of(path) for paths in groups.values() for path in paths]
    if twice := {page for page in pages if pages.count(page) > 1}:
        raise PluginError(f"two headers of the reference have one name: {', '.join(sorted(twice))}")
    return {title: paths for title, paths in groups.items() if paths}


def page_of(path: str) -> str:
    """Return the page of a header."""
    return f"{posixpath.dirname(INDEX)}/{Path(path).stem}.md"


def purpose(header: Path) -> list[str]:
    """Return what a header's first lines say it is for: in short, and then more where there is more."""
    said = []
    for line in header.read_text().splitlines():
        if not line.startswith("//"):
            break
        said.append(line.removeprefix("//").strip() or "\n\n")
    first, *rest = re.split(r"\s*\n\n\s*", " ".join(said).removeprefix(f"{header.name}:").strip())
    return [escaped(f"{first[:1].upper()}{first[1:]}".rstrip(".") + "."), *map(escaped, rest)]


def doxygen(root: Path, paths: list[str], output: str) -> list[Element]:
    """Return doxygen's account of these headers: what it calls compounds."""
    settings = DOXYFILE.format(headers=" ".join(f'"{root / path}"' for path in paths), root=root, output=output)
    try:
        done = subprocess.run(["doxygen", "-"], input=settings, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        raise PluginError("the C++ reference needs doxygen: apt-get install doxygen") from None
    for line in done.stderr.splitlines():
        log.warning("doxygen: %s", line)
    index = ElementTree.parse(f"{output}/xml/index.xml").getroot()
    kinds = ("class", "struct", "namespace", "file")
    names = [compound.attrib["refid"] for compound in index if compound.get("kind") in kinds]
    return [ElementTree.parse(f"{output}/xml/{name}.xml").getroot()[0] for name in names]


class Reference:
    """All headers, and where on which page each name is."""

    def __init__(self, root: Path, paths: list[str]) -> None:
        self._root = root
        with tempfile.TemporaryDirectory() as output:
            compounds = doxygen(root, paths, output)
        self._places: dict[str, tuple[str, str]] = {}  # doxygen's name of a thing: its page, and its anchor
        self._page = ""
        self._macros = [
            member
            for compound in compounds
            for member in compound.iter("memberdef")
            if member.get("kind") == "define" and comment_of(member)
        ]
        self._compounds = [
            compound
            for compound in compounds
            if compound.get("kind") != "file"
            and text_of(compound, "compoundname").split("::")[0] == "cueline"
            and compound.get("prot") != "private"
        ]
        classes = {text_of(each, "compoundname") for each in self._compounds if each.get("kind") != "namespace"}
        for compound in self._compounds:
            own = text_of(compound, "compoundname")
            if own in classes:
                self._places[compound.attrib["id"]] = (file_of(compound), anchor(own))
            for member in compound.iter("memberdef"):
                place = f"{own}::{text_of(member, 'name')}"
                if member.get("kind") in ("variable", "typedef"):  # in a table
                    place = own if own in classes else f"{own}::constants"
                self._places[member.attrib["id"]] = (file_of(member), anchor(place))
                for value in member.iter("enumvalue"):
                    self._places[value.attrib["id"]] = (file_of(member), anchor(place))
            for group in grouped(functions_of(compound)):
                for member in group.members[1:]:  # it has no heading of its own
                    self._places[member.attrib["id"]] = self._places[group.members[0].attrib["id"]]

    def page(self, path: str) -> str:
        """Return the Markdown of a header's page."""
        self._page = path
        sections = sorted(self._sections(path), key=lambda section: section.line)
        out = [f"# {Path(path).name}", *purpose(self._root / path)]
        if "/cueline/" in path:
            out += [f"```cpp\n#include <{path.split('include/', 1)[1]}>\n```"]
        up = "../" * page_of(path).count("/")
        out += [f"Source: [{path}]({up}../{path})"]
        for section in sections:
            out += [f"## {section.heading} {{ #{section.anchor} }}", *section.text]
        return "\n\n".join(out) + "\n"

    def _sections(self, path: str) -> Iterator[Section]:
        for macro in self._macros:
            if file_of(macro) == path:
                yield self._macro_section(macro)
        for compound in self._compounds:
            if compound.get("kind") != "namespace":
                if file_of(compound) == path:
                    yield self._class_section(compound)
                continue
            own = text_of(compound, "compoundname")
            members = [member for member in compound.iter("memberdef") if file_of(member) == path]
            plain = [member for member in members if member.get("kind") in ("variable", "typedef")]
            if plain:
                heading = "Constants and aliases" if own == "cueline" else f"Constants of namespace {inner(own)}"
                line = 10**6 if own == "cueline" else line_of(plain[0])
                yield Section(line, heading, anchor(f"{own}::constants"), [self._table(plain)])
            for member in members:
                if member.get("kind") == "enum":
                    yield self._enum_section(own, member)
            for group in grouped([member for member in functions_of(compound) if file_of(member) == path]):
                place = f"{own}::{text_of(group.members[0], 'name')}"
                yield Section(line_of(group.members[0]), group.heading, anchor(place), self._group(group))

    def _macro_section(self, macro: Element) -> Section:
        name = text_of(macro, "name")
        parameters = [text_of(parameter) for parameter in macro.iter("param")]
        head = f"#define {name}({', '.join(parameters)})" if parameters else f"#define {name}"
        return Section(line_of(macro), name, anchor(name), [block(head), *self._comment(macro)])

    def _class_section(self, compound: Element) -> Section:
        own = text_of(compound, "compoundname")
        bases = [text_of(base) for base in compound.iter("basecompoundref") if base.get("prot") == "public"]
        head = f"{template_of(compound)}{compound.get('kind')} {inner(own)}"
        head += f" : public {', '.join(tidy(base).removeprefix('cueline::') for base in bases)}" if bases else ""
        section = Section(line_of(compound), inner(own), anchor(own), [block(head), *self._comment(compound)])
        members = [member for member in compound.iter("memberdef") if member.get("prot") == "public"]
        fields = [
            member for member in members if member.get("kind") == "variable" and text_of(member, "name")[-1] != "_"
        ]
        types = [member for member in members if member.get("kind") == "typedef" and comment_of(member)]
        if fields or types:
            section.text.append(self._table([*types, *fields]))
        heading = ""
        for group in grouped(functions_of(compound)):
            if group.heading != heading:  # else: another way to call the same
                heading = group.heading
                place = f"{own}::{text_of(group.members[0], 'name')}"
                section.text.append(f"### {heading} {{ #{anchor(place)} }}")
            section.text += self._group(group)
        return section

    def _enum_section(self, scope: str, enum: Element) -> Section:
        name, underlying = text_of(enum, "name"), text_of(enum, "type")
        head = f"enum class {name} : {underlying}" if underlying else f"enum class {name}"
        rows = [
            f"| `{text_of(value, 'name')} {text_of(value, 'initializer')}` | {self._words(value)} |"
            for value in enum.iter("enumvalue")
        ]
        table = "\n".join(["| value | meaning |", "| --- | --- |", *rows])
        return Section(line_of(enum), name, anchor(f"{scope}::{name}"), [block(head), *self._comment(enum), table])

    def _group(self, group: Group) -> list[str]:
        declared = "\n".join(f"{self._declaration(member)};" for member in group.members)
        return [block(declared), *self._comment(group.members[0])]

    def _declaration(self, function: Element) -> str:
        lines = (self._root / file_of(function)).read_text().splitlines()[line_of(function) - 1 :]
        for line in lines:
            if MARK in line:
                return declaration(function, MARK)
            if line.rstrip().endswith((";", "{", "}")):
                break
        return declaration(function, "")

    def _table(self, members: list[Element]) -> str:
        rows = []
        for member in members:
            if member.get("kind") == "typedef":
                said = tidy(text_of(member, "definition")).replace("cueline::", "").replace("= typedef ", "= ")
                said = re.sub(r"^using .*(?=\b\w+ =)", "using ", said)
            else:
                parts = (text_of(member, part) for part in ("type", "name", "argsstring", "initializer"))
                said = tidy("{} {}{} {}".format(*parts))
            said = re.sub(r"^(static |inline )*(constexpr )", r"\2", said).strip()
            rows.append(f"| `{said.replace('|', chr(92) + '|')}` | {self._words(member)} |")
        return "\n".join(["| | |", "| --- | --- |", *rows])

    def _comment(self, described: Element) -> list[str]:
        """Return a comment's paragraphs, and what has a label as a list."""
        out = []
        for paragraph in self._paragraphs(described):
            said, *labelled = LABEL.split(TAG.sub("", paragraph).strip())
            if said.strip():
                out.append(said.strip())
            labelled = [each for tag in TAG.findall(paragraph) for each in ("Thread:", f"{tag}.")] + labelled
            pairs = zip(labelled[::2], labelled[1::2], strict=True)
            if lines := [f"- **{label.rstrip(':')}** {text.strip()}" for label, text in pairs]:
                out.append("\n".join(lines))
        return out

    def _words(self, described: Element) -> str:
        """Return a comment for a cell of a table."""
        return " ".join(self._paragraphs(described)).replace("|", "\\|")

    def _paragraphs(self, described: Element) -> list[str]:
        found = [
            ASIDE.sub("", self._markdown(paragraph)).strip()
            for kind in ("briefdescription", "detaileddescription")
            for part in described.findall(kind)
            for paragraph in part.findall("para")
        ]
        return [paragraph for paragraph in found if paragraph]

    def _markdown(self, element: Element) -> str:
        out = escaped(element.text or "")
        for child in element:
            if child.tag == "computeroutput":
                out += f"`{text_of(child)}`"
            elif child.tag == "ref":
                out += self._reference(child)
            elif child.tag in ("itemizedlist", "orderedlist"):
                out += "".join(f"\n\n- {self._markdown(item)}" for item in child.iter("para"))
            else:
                out += self._markdown(child)
            out += escaped(child.tail or "")
        return re.sub(r"[ \t]*\n[ \t]*(?!\n)", " ", out) if element.tag == "para" and not len(element) else out

    def _reference(self, ref: Element) -> str:
        said = text_of(ref)
        page, place = self._places.get(ref.attrib["refid"], ("", ""))
        if not page:
            return f"`{said}`"
        return f"[`{said}`]({Path(page_of(page)).name if page != self._page else ''}#{place})"


def anchor(name: str) -> str:
    """Return the anchor of a name with its namespaces."""
    return re.sub(r"[^\w-]+", "-", name.replace("~", "destroy-").replace("::", "-")).strip("-")


def inner(name: str) -> str:
    """Return a name without our namespace."""
    return name.removeprefix("cueline::")


def block(code: str) -> str:
    """Return a block of C++."""
    return f"```cpp\n{code}\n```"


def escaped(text: str) -> str:
    """Return prose that Markdown takes as it is."""
    return text.replace("<", "&lt;").replace("*", "\\*")
