"""The map of the code: which folders there are, and which of them may use which. ``findings()`` checks a tree."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from posixpath import basename, dirname, join, normpath

ROOT = Path(__file__).parents[2]
CODE = ("bindings", "include", "src")

LIBRARY, COMMANDS = "python/cueline", "python/cueline/commands"
PUBLIC, HOSTS = "include/cueline", "include/cueline/engine"

# What each folder of C++ may include of ours. Only the list of devices may include a device of jack/, midi/ or
# portaudio/.
MAY_INCLUDE = {
    PUBLIC: {PUBLIC},
    HOSTS: {PUBLIC, HOSTS},
    "src/system": {PUBLIC, HOSTS, "src/system"},
    "src/engine": {PUBLIC, HOSTS, "src/system", "src/engine"},
    "src/processors": {PUBLIC, HOSTS, "src/system", "src/processors"},
    "src/devices": {PUBLIC, HOSTS, "src/system", "src/devices"},
    "src/devices/jack": {PUBLIC, HOSTS, "src/system", "src/devices", "src/devices/jack"},
    "src/devices/midi": {PUBLIC, HOSTS, "src/system", "src/devices", "src/devices/midi"},
    "src/devices/portaudio": {PUBLIC, HOSTS, "src/system", "src/devices", "src/devices/portaudio"},
    "bindings/include/cueline": {PUBLIC},
}
SYSTEMS = {"src/devices/jack", "src/devices/midi", "src/devices/portaudio"}
LIST_OF_DEVICES = "src/devices/open_device.cpp"
MAY_INCLUDE["bindings"] = {"bindings", *MAY_INCLUDE} - SYSTEMS
FOLDERS = {LIBRARY, COMMANDS, *MAY_INCLUDE}

# The bindings raise the package's exceptions and use its words: they look these modules up as the program runs.
LOOKED_UP = {"cueline", "cueline.arguments", "cueline.bulk", "cueline.messages", "cueline.processors", "cueline.typed"}

# Headers of others, by the folders that may include them. C++ has no dot or slash in its own headers' names.
FOREIGN = {
    "src/devices/jack": r"jack/\w+\.h",
    "src/devices/portaudio": r"(portaudio|pa_\w+)\.h",
    "bindings": r"(nanobind/[\w/]+|Python)\.h",
    "bindings/include/cueline": r"Python\.h",
}
PYTHON_HEADER = re.compile(r"nanobind/|pybind11/|numpy/|Python\.h|structmember\.h")
SYSTEM_MACRO = re.compile(
    r"\b(__(linux|linux__|unix|unix__|gnu_linux__|APPLE__|MACH__|ANDROID__|BIONIC__|CYGWIN__|FreeBSD__|NetBSD__|OpenBSD__"
    r"|GLIBC__|GLIBC_MINOR__|GLIBC_PREREQ|GNU_LIBRARY__|MINGW32__|MINGW64__|MUSL__)|_WIN32|_WIN64|WIN32|_GNU_SOURCE"
    r"|_POSIX_\w+)\b"
)
SYSTEM_NAME = re.compile(
    r"\b(clock_(gettime|nanosleep)|timespec|CLOCK_MONOTONIC|pthread_\w+|sched_(param|\w*(get|set)\w+)|sigset_t|sigaction"
    r"|pthread_sigmask|dl(open|sym|addr|close|error)|m(un)?lock|m(un)?map|madvise|memfd_create|prctl|[gs]etrlimit|pid_t"
    r"|get[pt]id|nanosleep|usleep|sysconf|dup2?)\b(?!\s*=)"
)
SUFFIXES = re.findall(r"(?<= )\w+", re.sub("#.*", "", (ROOT / "src/system/systems.txt").read_text()))
SYSTEM_SOURCE = re.compile(rf"src/system/\w+_({'|'.join(SUFFIXES)})\.cpp")
PROCESSOR_HEADER = r"\w+intrin\.h"  # of a processor, which several systems have
GNU_WORD = re.compile(
    r"\b(asm|__asm__|__builtin_\w+|__attribute__|__int128|__restrict(__)?|typeof)\b|#\s*pragma\s+GCC\b"
)
FAULTY_ON_WINDOWS = {  # with mingw-w64
    r"\bnotify_(one|all)\b": "libstdc++ may lose the wake-up of an atomic; a future waits safely",
    r"\bthread_local (?!int\b)": "its memory is freed before its destructor runs",
}
# Modules that Python has only on POSIX systems. A function that runs on no other system may import them.
POSIX_MODULE = re.compile(
    r"(_posix\w+|crypt|curses|fcntl|grp|posix|pty|pwd|readline|resource|spwd|syslog|termios|tty)(\..*)?"
)
NO_NAMES = {"util", "utils", "common", "helper", "helpers"}

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)


def read(root: Path = ROOT) -> dict[str, str]:
    """Return the texts of the code, by their paths. Where the package's source is away, the installed one stands in."""
    package = root / LIBRARY
    if not package.is_dir() and (installed := find_spec("cueline")):
        package = Path(str(installed.origin)).parent
    found = [(LIBRARY, path.relative_to(package), path) for path in package.rglob("*.py*") if path.suffix != ".pyc"]
    found += [("", path.relative_to(root), path) for folder in CODE for path in (root / folder).rglob("*.[ch]pp")]
    texts = {Path(folder, path).as_posix(): file.read_text() for folder, path, file in found}
    return dict(sorted(texts.items()))


def findings(files: dict[str, str], folders: Iterable[str] = ()) -> list[str]:
    """Return what is not as the map has it. ``folders``: more folders whose names are to be looked at."""
    found = [*misplaced(files), *badly_named({*folders, *files}), *unlike_cpp(files), *unlike_python(files)]
    found += unlike_windows(files)
    arrows = {path: {to: line for line, to in uses(path, text, files)} for path, text in files.items()}
    for circle in circles(arrows):
        found.append(f"{circle[0]}:{arrows[circle[0]][circle[1]]}: a circle: {' -> '.join(circle)}")
    return found


def uses(path: str, text: str, files: dict[str, str]) -> Iterator[tuple[int, str]]:
    """Return the files of ours that a file includes or imports, each with the line that does it."""
    return includes(path, text, files) if cpp(path) else imports(path, text, files)


def cpp(path: str) -> bool:
    """Return whether this is a file of C++."""
    return path.endswith((".cpp", ".hpp"))


def folder_of(path: str) -> str:
    """Return the folder on the map that a file is in; commands may have folders of their own."""
    folder = dirname(path)
    return COMMANDS if folder.startswith(f"{COMMANDS}/") else folder


def misplaced(files: dict[str, str]) -> Iterator[str]:
    """Find files in no folder of the map."""
    for path in files:
        if folder_of(path) not in FOLDERS:
            yield f"{path}: its folder is not on the map"


def badly_named(paths: Iterable[str]) -> Iterator[str]:
    """Find folders and files whose names do not say what they are for."""
    named = {"/".join(parts[: end + 1]) for parts in (path.split("/") for path in paths) for end in range(len(parts))}
    for path in sorted(named):
        if basename(path).split(".")[0] in NO_NAMES:
            yield f"{path}: a thing lives with what it serves: no folder or file has this name"


# --- C++ ---------------------------------------------------------------------------------------------------------


def includes(path: str, text: str, files: dict[str, str]) -> Iterator[tuple[int, str]]:
    """Return the files of ours that a file includes, each with the line that does it."""
    for line, _, name in included(text):
        for folder in (dirname(path), "src", "include", "bindings", "bindings/include"):
            if (target := normpath(join(folder, name))) in files:
                yield line, target
                break


@cache
def included(text: str) -> list[tuple[int, str, str]]:
    """Return each #include: its line, ``<`` or ``"``, and the name."""
    matches = ((line, INCLUDE.match(code)) for line, code in enumerate(text.splitlines(), 1))
    return [(line, match[1], match[2]) for line, match in matches if match]


def unlike_cpp(files: dict[str, str]) -> Iterator[str]:
    """Find what the map forbids in C++."""
    for path, text in files.items():
        if cpp(path) and folder_of(path) in MAY_INCLUDE:
            yield from unlike_arrows(path, text, files)
            yield from unlike_portable(path, text)
            yield from faulty_on_windows(path, text)
            if folder_of(path) in (PUBLIC, HOSTS):
                yield from unlike_standard(path, text)


def unlike_arrows(path: str, text: str, files: dict[str, str]) -> Iterator[str]:
    """Find what a file must not include, and must not look up."""
    folder = folder_of(path)
    ours = dict(includes(path, text, files))
    for line, target in ours.items():
        if path == f"{PUBLIC}/ring.hpp":
            yield f"{path}:{line}: includes {target}: ring.hpp includes nothing of ours"
        elif folder_of(target) not in MAY_INCLUDE[folder] | (SYSTEMS if path == LIST_OF_DEVICES else set()):
            yield f"{path}:{line}: includes {target}: {folder} may not use {folder_of(target)}"
    for line, mark, name in included(text):
        if line in ours:
            continue
        if PYTHON_HEADER.match(name) and not folder.startswith("bindings"):
            yield f"{path}:{line}: includes <{name}>: only bindings/ uses Python"
        elif mark == '"' or name.startswith("cueline/"):
            yield f"{path}:{line}: includes {name}, which is no file of ours"
        elif re.search(r"[./]", name) and not re.fullmatch(FOREIGN.get(folder, "never"), name):
            if folder != "src/system":
                yield f"{path}:{line}: includes <{name}>: only src/system uses the system"
            elif path.endswith(".hpp"):
                yield f"{path}:{line}: includes <{name}>: a header of src/system names no system call"
            elif not SYSTEM_SOURCE.fullmatch(path) and not re.fullmatch(PROCESSOR_HEADER, name):
                yield f"{path}:{line}: includes <{name}>: only a source that is named after a system uses it"
    for line, code in enumerate(text.splitlines(), 1):
        for module in re.findall(r'"(cueline(?:\.[a-z_.]+)?)"', code):
            if "import_" in code and module not in LOOKED_UP:
                yield f"{path}:{line}: looks up {module}: the bindings may look up {', '.join(sorted(LOOKED_UP))}"


def unlike_portable(path: str, text: str) -> Iterator[str]:
    """Find what differs between systems and is not in a source of src/system."""
    system = folder_of(path) == "src/system"
    for line, macro, name in of_systems(text):
        if macro and not system:
            yield f"{path}:{line}: tests {macro}: only src/system tells systems apart"
        if name and not system:
            yield f"{path}:{line}: uses {name}: only src/system uses the system"
        elif name and path.endswith(".hpp"):
            yield f"{path}:{line}: uses {name}: a header of src/system names no system call"
        elif system and not SYSTEM_SOURCE.fullmatch(path):
            yield f"{path}:{line}: uses {name or macro}: only a source that is named after a system uses it"


def faulty_on_windows(path: str, text: str) -> Iterator[str]:
    """Find what mingw-w64 compiles into a program that hangs, or that writes to freed memory."""
    for line, code in enumerate(text.splitlines(), 1):
        for pattern, fault in FAULTY_ON_WINDOWS.items():
            if word := re.search(pattern, NOT_CODE.sub("", code)):
                yield f"{path}:{line}: uses {word[0].strip()}: on Windows, {fault}"


def unlike_standard(path: str, text: str) -> Iterator[str]:
    """Find words of GCC and clang in a public header where another compiler reads them."""
    conditions: list[str] = []  # of the branches around the line
    for line, code in enumerate(NOT_CODE.sub(lambda match: "\n" * match[0].count("\n"), text).splitlines(), 1):
        directive = re.match(r"\s*#\s*(if\w*|elif|else|endif)\b(.*)", code)
        if directive and not directive[1].startswith("if") and conditions:
            conditions.pop()
        if directive and directive[1] != "endif":
            conditions.append(directive[2])
        if (word := GNU_WORD.search(code)) and not any("__GNUC__" in condition for condition in conditions):
            yield f"{path}:{line}: uses {word[0]}: not every compiler has it"


@cache
def of_systems(text: str) -> list[tuple[int, str, str]]:
    """Return the lines that name a system's macro or one of its calls, with the one and the other."""
    code = NOT_CODE.sub(lambda match: "\n" * match[0].count("\n"), text)
    named = (
        (line, SYSTEM_MACRO.search(words), SYSTEM_NAME.search(words)) for line, words in enumerate(code.splitlines(), 1)
    )
    return [(line, macro[0] if macro else "", name[0] if name else "") for line, macro, name in named if macro or name]


# --- Python ------------------------------------------------------------------------------------------------------


def imports(path: str, text: str, files: dict[str, str]) -> Iterator[tuple[int, str]]:
    """Return the modules of ours that a module imports, wherever in it that happens, each with its line."""
    package = dirname(path).removeprefix("python/").split("/")
    for line, dots, module, name in imported(text):
        base = ".".join(filter(None, [*package[: len(package) - dots + 1], module] if dots else [module]))
        target = module_file(f"{base}.{name}", files) or module_file(base, files)
        if target:
            yield line, target


@cache
def imported(text: str) -> list[tuple[int, int, str, str]]:
    """Return each import: its line, the dots, the module and, behind ``from``, the name."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, 0, alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [(node.lineno, node.level, node.module or "", alias.name) for alias in node.names]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            for name in (given.value for given in node.args if isinstance(given, ast.Constant)):
                bare = str(name).lstrip(".")
                found.append((node.lineno, len(str(name)) - len(bare), bare, ""))
    return found


@cache
def imported_at_once(text: str) -> list[tuple[int, str]]:
    """Return the modules of others that a module imports when it is imported itself, each with its line."""
    found = []
    ahead: list[ast.AST] = [ast.parse(text)]
    for node in ahead:
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.append((node.lineno, str(node.module)))
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            ahead += ast.iter_child_nodes(node)
    return found


def module_file(name: str, files: dict[str, str]) -> str | None:
    """Return the file of a module of ours."""
    stem = "python/" + name.rstrip(".").replace(".", "/")
    return next((path for path in (f"{stem}.py", f"{stem}/__init__.py", f"{stem}.pyi") if path in files), None)


def unlike_python(files: dict[str, str]) -> Iterator[str]:
    """Find where the library imports the command line. ``python -m cueline`` is the command line."""
    for path, text in files.items():
        if not cpp(path) and folder_of(path) == LIBRARY and path != f"{LIBRARY}/__main__.py":
            for line, target in imports(path, text, files):
                if folder_of(target) == COMMANDS:
                    yield f"{path}:{line}: imports {target}: the library does not import its command line"


def unlike_windows(files: dict[str, str]) -> Iterator[str]:
    """Find imports that would keep the package from being imported on Windows."""
    for path, text in files.items():
        if not cpp(path):
            for line, module in imported_at_once(text):
                if POSIX_MODULE.fullmatch(module):
                    yield f"{path}:{line}: imports {module}, which Windows lacks: import it where it is used"


# --- Circles -----------------------------------------------------------------------------------------------------


def circles(arrows: dict[str, dict[str, int]]) -> Iterator[list[str]]:
    """Return circles of files until each file that is in one was in one of them: from a file back to itself."""
    seen: set[str] = set()
    for start in sorted(arrows):
        ways = [] if start in seen else [[start]]
        for way in ways:  # breadth first: the shortest comes first
            for target in sorted(arrows[way[-1]]):
                if target == start:
                    seen.update(way)
                    yield [*way, start]
                    ways.clear()
                    break
                if all(target != known[-1] for known in ways):
                    ways.append([*way, target])
