"""What doxygen's XML says of a declaration, as one would write it in C++."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

WIDTH = 92  # of a declaration, before its parameters get a line each


@dataclass
class Group:
    """Declarations that share one comment: the first one's, which stands above them all."""

    members: list[Element]
    heading: str = ""


def functions_of(compound: Element) -> list[Element]:
    """Return the functions that a reader may call, in the order of the source."""
    found = [each for each in compound.iter("memberdef") if each.get("kind") == "function" and is_of_interest(each)]
    return sorted(found, key=lambda each: (file_of(each), line_of(each)))


def grouped(functions: list[Element]) -> list[Group]:
    """Return functions in groups: those without a comment belong to the one right above."""
    groups: list[Group] = []
    for function in functions:
        above = groups[-1].members[-1] if groups else function
        near = file_of(function) == file_of(above) and line_of(function) - last_line_of(above) <= 1
        if groups and not comment_of(function) and near:
            groups[-1].members.append(function)
        else:
            groups.append(Group([function]))
    for group in groups:
        group.heading = ", ".join(dict.fromkeys(text_of(member, "name") for member in group.members))
    return groups


def is_of_interest(function: Element) -> bool:
    """Whether it is more than one of those that every class has."""
    if function.get("prot") != "public" or "->" in text_of(function, "argsstring"):  # which guides a deduction
        return False
    plain = text_of(function, "name").startswith("~") or text_of(function, "argsstring").endswith(
        ("=delete", "=default")
    )
    return bool(comment_of(function)) or not plain


def declaration(function: Element, mark: str) -> str:
    """Return a function's declaration, as one would write it, with that mark on it."""
    words = [text_of(function, "type"), text_of(function, "name")]
    if function.get("explicit") == "yes":
        words.insert(0, "explicit")
    if function.get("static") == "yes":
        words.insert(0, "static")
    if function.get("virt") in ("virtual", "pure-virtual") and "override" not in text_of(function, "argsstring"):
        words.insert(0, "virtual")
    said = re.sub(r"\b(\w+)( \1\b)+", r"\1", " ".join(word for word in words if word))
    line = tidy(f"{said}{text_of(function, 'argsstring')}")
    line = re.sub(r"(?<=\w)=(?=[\w{\"])|(?<=[)\w])=(?=0$|delete$)", " = ", line).removesuffix("=default")
    if mark:
        line = re.sub(r"(?P<end>( override| final| = 0)*)$", rf" {mark}\g<end>", line, count=1)
    if len(line) > WIDTH:
        line = wrapped(line)
    return f"{template_of(function)}{line}"


def wrapped(line: str) -> str:
    """Return a declaration with a line for each parameter."""
    start, depth, parts, begin = line.index("(") + 1, 0, [], line.index("(") + 1
    for at in range(start, len(line)):
        depth += line[at] in "(<[{"
        depth -= line[at] in ")>]}"
        if depth < 0:
            parts.append(line[begin:])
            break
        if line[at] == "," and depth == 0:
            parts.append(line[begin : at + 1])
            begin = at + 2
    return f"\n{' ' * 4}".join([line[:start], *parts])


def template_of(declared: Element) -> str:
    """Return the line above a template."""
    parameters = declared.find("templateparamlist")
    if parameters is None:
        return ""
    said = []
    for parameter in parameters:
        name, default = text_of(parameter, "declname"), text_of(parameter, "defval")
        said.append(f"{text_of(parameter, 'type')}{' ' + name if name else ''}{' = ' + default if default else ''}")
    requires = text_of(declared, "requiresclause")
    return tidy(f"template <{', '.join(said)}>") + (f" requires {tidy(requires)}" if requires else "") + "\n"


def tidy(code: str) -> str:
    """Return doxygen's C++ with our spaces."""
    code = re.sub(r"\s+", " ", code)
    code = re.sub(r"(?<=\w)< ", "<", code)
    code = re.sub(r" >", ">", code)
    code = re.sub(r"(?<=[\w>]) ([&*]+)(?=[\w.])", r"\1 ", code)
    return (
        re.sub(r"(?<=[\w>]) ([&*]+)(?=[,>)]|$| \w)", r"\1", code).replace(" {}", "{}").replace(">&& ", "> && ").strip()
    )


def text_of(element: Element, path: str = "") -> str:
    """Return all text below an element's child, or below itself."""
    found = element.find(path) if path else element
    return "" if found is None else "".join(found.itertext()).strip()


def comment_of(element: Element) -> str:
    """Return all that its comment says."""
    return text_of(element, "briefdescription") + text_of(element, "detaileddescription")


def file_of(element: Element) -> str:
    """Return the header that declares it."""
    found = element.find("location")
    return "" if found is None else found.get("declfile") or found.attrib["file"]


def line_of(element: Element) -> int:
    """Return the line that declares it."""
    found = element.find("location")
    return 0 if found is None else int(found.get("declline") or found.attrib["line"])


def last_line_of(element: Element) -> int:
    """Return the last line of its body, or its line where it has none there."""
    found = element.find("location")
    in_place = found is not None and found.get("bodystart") == found.get("line")
    return max(line_of(element), int(found.get("bodyend", "0"))) if found is not None and in_place else line_of(element)
