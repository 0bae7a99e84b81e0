"""List the outside symbols that the compiled audio path needs, and compare them with those that it may need.

usage: audio_path_symbols.py --roots REGEX --allow NAME,NAME... OBJECT...
       audio_path_symbols.py --nothing-of-python FILE...

The objects must be compiled with each function in its own section. The roots are the functions whose demangled names
match. From these, the script follows every relocation through all objects, tables too. A symbol that no object defines
comes from the outside. A virtual call leaves no relocation, so its possible targets must be among the roots.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field


@dataclass
class Objects:
    """References: a section is named by object and number, an outside symbol by its name."""

    defined: dict[str, str] = field(default_factory=dict)  # a global symbol -> its section
    functions: dict[str, str] = field(default_factory=dict)  # a function's section -> its mangled name
    refers: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # a section -> sections, symbols


def readelf(*arguments: str) -> list[str]:
    return subprocess.run(["readelf", *arguments], check=True, capture_output=True, text=True).stdout.splitlines()


def demangled(names: list[str]) -> dict[str, str]:
    text = subprocess.run(["c++filt"], check=True, capture_output=True, text=True, input="\n".join(names)).stdout
    return dict(zip(names, text.splitlines(), strict=True))


def read(paths: list[str]) -> Objects:
    objects = Objects()
    for path in paths:
        sections: dict[str, str] = {}  # name -> number: each function has its own section
        relocated: dict[int, str] = {}  # where relocations lie in the file -> the section that they belong to
        for line in readelf("--section-headers", "--wide", path):
            if match := re.match(r"\s*\[\s*(\d+)\]\s+(\S+)", line):
                sections[match[2]] = match[1]
                if relocations := re.search(r"\sRELA?\s+[0-9a-f]+\s+([0-9a-f]+)\s.*\s(\d+)\s+\d+$", line):
                    relocated[int(relocations[1], 16)] = relocations[2]
        numbers: dict[str, str] = {}  # a symbol defined in this object -> its section
        for line in readelf("--symbols", "--wide", path):
            columns = line.split()
            if len(columns) < 8 or not columns[6].isdigit():
                continue
            kind, binding, number, name = columns[3], columns[4], columns[6], columns[7]
            section = f"{path}:{number}"
            numbers[name] = section
            if binding in ("GLOBAL", "WEAK"):
                objects.defined.setdefault(name, section)
            if kind == "FUNC":
                objects.functions[section] = name
        from_section = ""
        for line in readelf("--relocs", "--wide", path):
            if match := re.match(r"Relocation section '.*' at offset 0x([0-9a-f]+)", line):  # long names are cut off
                from_section = f"{path}:{relocated[int(match[1], 16)]}"
            elif match := re.match(r"[0-9a-f]{12,16}\s+[0-9a-f]+\s+\S+\s+[0-9a-f]+\s+(\S+)", line):
                name = match[1].split("@")[0]
                here = numbers.get(name) or (f"{path}:{sections[name]}" if name in sections else None)
                objects.refers[from_section].add(here or name)
    return objects


def asked_by(objects: Objects, roots: str) -> dict[str, str]:
    """Return each outside symbol, with a function that refers to it."""
    names = demangled(list(objects.functions.values()))
    todo = [section for section, name in objects.functions.items() if re.search(roots, names[name])]
    if not todo:
        sys.exit(f"no function matches {roots!r}: nothing was looked at")
    for section in todo:
        print(f"root: {names[objects.functions[section]]}")
    seen = set(todo)
    asked: dict[str, str] = {}
    while todo:
        section = todo.pop()
        for target in objects.refers[section]:
            there = target if ":" in target else objects.defined.get(target)
            if there is None:
                asked.setdefault(target, names.get(objects.functions.get(section, ""), "a table"))
            elif there not in seen:
                seen.add(there)
                todo.append(there)
    return asked


def compare(objects: list[str], roots: str, allowed: set[str]) -> int:
    asked = asked_by(read(objects), roots)
    for name, by in sorted(asked.items()):
        print(f"{'allowed' if name in allowed else 'FORBIDDEN'}: {name}, asked for by {by}")
    unused = allowed - asked.keys()
    if unused:
        print(f"allowed, but never asked for (remove it from the list): {', '.join(sorted(unused))}")
    return 1 if unused or asked.keys() - allowed else 0


def nothing_of_python(paths: list[str]) -> int:
    found = 0
    for path in paths:
        lines = [line.split() for line in readelf("--symbols", "--wide", path)]
        symbols = {columns[7].split("@")[0] for columns in lines if len(columns) > 7}
        if not symbols:
            sys.exit(f"{path} has no symbols: nothing was looked at")
        python = sorted(name for name in symbols if re.match(r"_?Py[A-Z_]|_ZN?K?8nanobind", name))
        print(f"{path}: {len(symbols)} symbols, {len(python)} of Python {python[:3]}")
        found += len(python)
    return 1 if found else 0


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--roots")
    parser.add_argument("--allow", default="")
    parser.add_argument("--nothing-of-python", action="store_true")
    parser.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    if arguments.nothing_of_python:
        return nothing_of_python(arguments.files)
    return compare(arguments.files, arguments.roots, set(filter(None, arguments.allow.split(","))))


if __name__ == "__main__":
    sys.exit(main())
