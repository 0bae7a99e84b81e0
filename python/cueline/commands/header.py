"""``cueline header``: a C++ header with the same messages as a Python module."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

from cueline._core import Message
from cueline.arguments import shown
from cueline.errors import ArgumentError
from cueline.fields import Field, Layout
from cueline.typed import layout_of, require_cpp_name

__all__ = ["header", "run"]

_INCLUDES = ("array", "cstddef", "cstdint")


def run(options: argparse.Namespace) -> int:
    """Print the header for the module in ``options``, and return the exit status."""
    module = _imported(options.module)
    classes = _classes_of(module)
    if not classes:
        raise ArgumentError(
            f"{options.module} defines no messages: cueline header uses classes that are made with @cueline.message in "
            "the module itself, not those that it imports"
        )
    print(header(classes, source=_name_of(options.module), namespace=options.namespace), end="")
    return 0


def header(classes: Sequence[type], *, source: str, namespace: str | None = None) -> str:
    """Return a C++ header with a struct for each of ``classes``, in order, and assertions of its layout.

    ``source`` names their origin in the first line. Raises ArgumentError, ArgumentTypeError.
    """
    parts = [
        f"// The messages of {source}, written by `cueline header`.\n#pragma once\n",
        "".join(f"#include <{name}>\n" for name in _INCLUDES),
        "".join(f"#include <cueline/{name}.hpp>\n" for name in _headers_for(classes)),
    ]
    names: dict[str, type] = {}
    for cls in classes:
        other = names.setdefault(cls.__name__, cls)
        if other is not cls:
            raise ArgumentError(
                f"two classes of {source} would become the struct {cls.__name__}, {other.__qualname__} and "
                f"{cls.__qualname__}: rename one of them"
            )
    structs = [_struct(cls, layout_of(cls)) for cls in classes]
    if namespace is not None:
        for name in namespace.split("::"):
            require_cpp_name(name, "a namespace")
        structs = [f"namespace {namespace} {{\n", *structs, f"}}  // namespace {namespace}\n"]
    return "\n".join(parts + structs)


def _headers_for(classes: Sequence[type]) -> list[str]:
    has_buffers = any(field.scalar.cpp == "cueline::BufferHandle" for cls in classes for field in layout_of(cls).fields)
    return ["buffer", "message"] if has_buffers else ["message"]


def _struct(cls: type, layout: Layout) -> str:
    name = cls.__name__
    lines = [*_comment(cls), f"struct {name} {{", f"    static constexpr cueline::Kind kind = {layout.kind};"]
    lines += [f"    {_cpp_type(field)} {field.name};{_range_of(field)}" for field in layout.fields]
    lines += ["};", f"static_assert(sizeof({name}) == {layout.size});"]
    lines += [f"static_assert(offsetof({name}, {field.name}) == {field.offset});" for field in layout.fields]
    return "\n".join(lines) + "\n"


def _cpp_type(field: Field) -> str:
    return field.scalar.cpp if field.length is None else f"std::array<{field.scalar.cpp}, {field.length}>"


def _range_of(field: Field) -> str:
    """Return the declared range as a comment: C++ does not check it."""
    if field.limits is None:
        return ""
    return f"  ///< from {field.limits.lowest} to {field.limits.highest}{', or NaN' if field.limits.nan else ''}"


def _comment(cls: type) -> Iterator[str]:
    """Yield the docstring's lines as C++ comments. After a final backslash, add a dot: it would join the next line."""
    for line in inspect.cleandoc(cls.__doc__ or "").splitlines():
        printable = "".join(character if character.isprintable() else " " for character in line).rstrip()
        yield f"/// {printable}".rstrip() + (" ." if printable.endswith("\\") else "")


def _classes_of(module: ModuleType) -> list[type]:
    """Return the message classes that ``module`` defines, in the order of their kinds."""
    found = {
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Message)
        and isinstance(vars(value).get("__cueline__"), Layout)
        and value.__module__ == module.__name__
    }
    return sorted(found, key=lambda cls: layout_of(cls).kind)


def _name_of(asked: str) -> str:
    return re.sub(r"[^\x20-\x7e]|\\", "?", Path(asked).name if _is_path(asked) else asked)


def _is_path(asked: str) -> bool:
    return asked.endswith(".py") or "/" in asked


def _imported(asked: str) -> ModuleType:
    """Import the module of this path or dotted name. Its output goes to stderr: stdout is for the header."""
    path = Path(asked) if _is_path(asked) else None
    if path is not None and not path.is_file():
        raise ArgumentError(f"there is no file {shown(asked)}: give a Python file, or a module name")
    try:
        with contextlib.redirect_stdout(sys.stderr):
            if path is not None:
                return _run_file(path)
            sys.path.insert(0, str(Path.cwd()))  # `python -m` would find it there
            return importlib.import_module(asked)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a SystemExit too
        why = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        if path is not None and isinstance(error, ImportError) and "attempted relative import" in str(error):
            why += _within_its_package(path)
        raise ArgumentError(f"{asked} cannot be imported: {why}") from error


def _within_its_package(path: Path) -> str:
    """Return how to name a file that uses relative imports."""
    file = path.resolve()
    package = file.parent
    names = [package.name] if file.stem == "__init__" else [package.name, file.stem]
    while (package.parent / "__init__.py").is_file():
        package = package.parent
        names.insert(0, package.name)
    return f". It is part of a package: cueline header {'.'.join(names)}, in the folder {package.parent}"


def _run_file(path: Path) -> ModuleType:
    name = path.stem if path.stem not in sys.modules else f"_{path.stem}"  # it must not replace another module
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError("a Python file's name ends with .py")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent.resolve()))  # it can import its neighbours, like a script
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
