"""The path of a ping, as the table in docs/how-it-works.md has it, held against the sources.

usage: python tests/python/ping_path.py [REPOSITORY [PAGE]]: says what is wrong with the table, and counts it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/how-it-works.md"
HEADING = "## The path of a ping\n"
MOST_CALLS, MOST_FILES = 20, 6

Read = Callable[[str], str]


@dataclass(frozen=True)
class Step:
    """A row of the table: a call, or a ring that hands the message to another thread."""

    number: str
    depth: int  # of the call: that of its caller and one; a ring has -1
    name: str
    file: str
    thread: str

    @property
    def is_ring(self) -> bool:
        """Return whether this is where a ring hands over."""
        return self.depth < 0

    @property
    def last_name(self) -> str:
        """Return the name without its class."""
        return re.split(r"::|\.", self.name)[-1]


ROW = re.compile(r"\| (\d+) \| (ring |(?:· )*)`([^`]+)` \| `([^`]+)` \| ([^|]+?) \|")


def steps(page: str) -> list[Step]:
    """Return the rows of the table."""
    table = [line for line in page.split(HEADING)[1].split("\n## ")[0].splitlines() if line.startswith("|")][2:]
    rows = [ROW.fullmatch(line) for line in table]
    for line, row in zip(table, rows, strict=True):
        assert row, f"the table has a row that is none: {line}"
    return [Step(row[1], -1 if row[2] == "ring " else row[2].count("·"), *row.groups()[2:]) for row in rows if row]


def left_out(page: str) -> list[str]:
    """Return the functions that the page names as beside the path."""
    kinds = page.split(HEADING)[1].split("\n## ")[0].split("\n- functions that ")[1:]
    return [name for kind in kinds for name in re.findall(r"`([^`]+)`", kind.split("\n- ")[0])]


def count(path: list[Step]) -> str:
    """Return how long the path is, and its parts between the rings."""
    parts = [0]
    for step in path:
        if step.is_ring:
            parts.append(0)
        else:
            parts[-1] += 1
    files = {step.file for step in path if not step.is_ring}
    return f"{sum(parts)} calls ({' + '.join(map(str, parts))}) in {len(files)} files"


def findings(path: list[Step], read: Read) -> Iterator[str]:
    """Return what is not in the sources as the table has it. ``read`` returns the text of a file."""
    on_it = [step for step in path if not step.is_ring]
    if len(on_it) > MOST_CALLS or len({step.file for step in on_it}) > MOST_FILES:
        yield f"the path is longer than {MOST_CALLS} calls in {MOST_FILES} files: {count(path)}"
    callers: list[Step] = []
    for place, step in enumerate(path):
        row = f"row {step.number}, {step.name}"
        if step.number != str(place + 1):
            yield f"{row}: the row before has number {place}"
        if step.is_ring:
            yield from handed_over(row, step, path[:place], path[place + 1 :], read)
            callers = []
        else:
            if not bodies(step, read):
                yield f"{row}: {step.file} does not define it"
            if step.depth > len(callers):
                yield f"{row}: no row above is its caller"
            elif step.depth == 0 and callers:
                yield f"{row}: only the first call of a thread has no caller"
            elif step.depth > 0:
                caller = callers[step.depth - 1]
                if step.thread != caller.thread:
                    yield f"{row}: another thread than its caller's, and no ring"
                if not any(calls(body, step) for body in bodies(caller, read)):
                    yield f"{row}: {caller.name} in {caller.file} does not call it"
            callers = [*callers[: step.depth], step]


def handed_over(row: str, ring: Step, before: list[Step], after: list[Step], read: Read) -> Iterator[str]:
    """Return what is wrong with a ring: the thread before pushes into it, and the thread after pops from it."""
    if not re.search(rf"\bCountedRing {ring.last_name};", read(ring.file)):
        yield f"{row}: {ring.file} does not declare it"
    pushing = [step for step in before if step.last_name == "try_push"][-1:]
    popping = [step for step in after if step.last_name in ("try_pop", "consume")][:1]
    files = {step.file for step in (*before, *after)}
    for end, step, path in (("pushes", pushing, before), ("pops", popping, after)):
        if not step:
            yield f"{row}: nobody {end}"
        elif not any(holds(caller, ring, files, read) for caller in callers_of(step[0], path)):
            yield f"{row}: {step[0].name} of row {step[0].number} is on another ring"
    if pushing and popping and pushing[0].thread == popping[0].thread:
        yield f"{row}: one thread pushes and pops"


def hiding(path: list[Step], names: list[str], sources: dict[str, str]) -> Iterator[str]:
    """Return which of the functions beside the path is not beside it. ``sources`` are the texts of all files."""
    rows = [step for step in path if not step.is_ring]
    for name in names:
        last_name = name.rpartition("::")[2]
        called = replace(rows[0], name=name)
        if not any(calls(body, called) for step in rows for body in bodies_in(sources.get(step.file, ""), step.name)):
            yield f"{name}: no function of the path calls it"
        found = [body for text in sources.values() if last_name in text for body in bodies_in(text, name)]
        if not found:
            yield f"{name}: nothing defines it"
        for step in rows:
            if any(calls(body, step) for body in found):
                yield f"{name} calls {step.name}, so the path may go through it"


def callers_of(step: Step, path: list[Step]) -> list[Step]:
    """Return the callers of a step: its own, that one's, and so on."""
    found: list[Step] = []
    for above in reversed(path[: path.index(step)]):
        if above.is_ring:
            break
        if above.depth == step.depth - 1 - len(found):
            found.append(above)
    return found


def holds(caller: Step, ring: Step, files: set[str], read: Read) -> bool:
    """Return whether a function pushes or pops by an end that one of the files initialises with that ring of a line."""
    ends = {
        end
        for body in bodies(caller, read)
        for end in re.findall(r"\b(\w+)(?:\.|->)(?:try_pop|consume|(?:try_)?push)\(", body)
    }
    initialised = rf"[:,]\s*(?:{'|'.join(ends)})\{{(?:line|shared\(\))\.{ring.last_name}(?:\.messages)?,"
    return bool(ends) and any(re.search(initialised, without_comments(read(file))) for file in files)


# --- C++, as far as it is needed ---------------------------------------------------------------------------------


def bodies(step: Step, read: Read) -> list[str]:
    """Return the bodies of all functions of that name in that file; of a binding, what it binds."""
    return bodies_in(read(step.file), step.name)


@cache
def bodies_in(source: str, name: str) -> list[str]:
    """Return the bodies of all functions of that name."""
    text = without_comments(source)
    if "." in name:  # a method of Python's: the member function that is bound with its name
        bound = re.findall(rf'<&(\w+::\w+)>\(\s*"{name.rpartition(".")[2]}",', text)
        return [body for member in bound for body in bodies_in(source, member)]
    scope, _, last_name = name.rpartition("::")
    found = [*defined(text, name)]
    for opened in re.finditer(rf"\b(?:class|struct)\b[^;{{}}]*\b{scope}\b[^;{{}}]*\{{", text) if scope else ():
        found += defined(text[opened.end() : closed(text, opened.end() - 1, "{}")], last_name)
    return found


def defined(text: str, name: str) -> Iterator[str]:
    """Return the bodies of the functions that are defined under that name."""
    for found in re.finditer(rf"(?<![\w:.>]){re.escape(name)}\(", text):
        behind = closed(text, found.end() - 1, "()")
        if head := re.compile(r"(?:\s|\bconst\b|\boverride\b|\bnoexcept\b(?:\([^{;]*?\))?|CUELINE_\w+)*\{").match(
            text, behind
        ):
            yield text[head.end() : closed(text, head.end() - 1, "{}")]


def calls(body: str, callee: Step) -> bool:
    """Return whether a body calls a function of that name, or binds it."""
    return bool(re.search(rf"(?<!\w){callee.last_name}(<[^;]*>)?\(|&{re.escape(callee.name)}\b", body))


def closed(text: str, opening: int, pair: str) -> int:
    """Return where the bracket that opens at ``opening`` is closed, and one more."""
    depth = 0
    for place in range(opening, len(text)):
        depth += (text[place] == pair[0]) - (text[place] == pair[1])
        if depth == 0:
            return place + 1
    return len(text)


@cache
def without_comments(text: str) -> str:
    """Return the text of C++ without its comments."""
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)


def all_sources(root: Path = ROOT) -> dict[str, str]:
    """Return the texts of the library and the bindings, by name."""
    files = [file for folder in ("include", "src", "bindings") for file in (root / folder).rglob("*.?pp")]
    return {file.relative_to(root).as_posix(): file.read_text() for file in files}


def reader(root: Path = ROOT) -> Read:
    """Return what reads the sources of a repository. A file that is not there is empty."""
    return lambda file: (root / file).read_text() if (root / file).is_file() else ""


if __name__ == "__main__":
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT
    page = (Path(sys.argv[2]) if len(sys.argv) > 2 else root / PAGE.relative_to(ROOT)).read_text()
    shown = steps(page)
    wrong = [*findings(shown, reader(root)), *hiding(shown, left_out(page), all_sources(root))]
    print("\n".join([*wrong, count(shown)]))
    sys.exit(1 if wrong else 0)
