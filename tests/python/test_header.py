"""cueline header: the same messages in C++, checked by a compiler."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import cueline
from conftest import require
from cueline import messages
from cueline.commands import cli, header
from cueline.typed import layout_of, require_cpp_name

ROOT = Path(__file__).parents[2]
COMPILER = ["g++", "-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]

MODULE = '''
"""Messages of a synthesizer."""
from __future__ import annotations

from typing import Annotated

import cueline
from cueline import Pong  # not this module's

print("being imported")


@cueline.message(40_001)
class NoteOff:
    """Ends a note. \\\\

    The path C:\\\\
    """

    voice: cueline.u64


@cueline.message(40_000)
class Everything:
    a: bool
    b: cueline.u16
    c: cueline.i8
    d: cueline.i32 = -7
    e: tuple[cueline.f32, cueline.f32] = (1, 2)
    f: Annotated[tuple[int, ...], cueline.array(cueline.u8, 3)] = (1, 2, 3)
    g: cueline.f64 = 0.5


@cueline.message(40_002)
class Panic:
    pass
'''


def test_a_range_is_a_comment() -> None:
    text = header.header([cueline.SetTone, cueline.PlayBuffer], source="cueline")
    assert "    float gain;  ///< from 0 to 1, or NaN\n" in text
    assert "    std::uint16_t slot;  ///< from 0 to 2047\n" in text
    assert "    bool loop;\n" in text


def test_a_buffer_is_a_handle_and_its_header_is_included(tmp_path: Path) -> None:
    assert "buffer.hpp" not in header.header([cueline.SetTone], source="cueline")
    text = header.header([cueline.UnloadBuffer], source="cueline")
    assert "#include <cueline/buffer.hpp>\n#include <cueline/message.hpp>\n" in text
    assert "    cueline::BufferHandle handle;\n" in text
    (tmp_path / "messages.hpp").write_text(text)
    compile_and_run(tmp_path, '#include "messages.hpp"\nint main() {}\n')


def compile_and_run(folder: Path, program: str, *arguments: str) -> str:
    require(COMPILER[0])
    (folder / "main.cpp").write_text(program)
    where = [f"-I{ROOT / 'include'}", f"-I{folder}", str(folder / "main.cpp"), "-o", str(folder / "main")]
    built = subprocess.run([*COMPILER, *where], capture_output=True, text=True, timeout=60, check=False)
    assert built.returncode == 0, built.stderr
    ran = subprocess.run([folder / "main", *arguments], capture_output=True, text=True, timeout=60, check=True)
    return ran.stdout


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with messages.py, and with messages.hpp made from it."""
    folder = tmp_path_factory.mktemp("header")
    (folder / "messages.py").write_text(MODULE)
    text = command(folder, "messages.py", "--namespace", "synth::wire")
    (folder / "messages.hpp").write_text(text)
    return folder


def command(folder: Path, *arguments: str) -> str:
    asked = [sys.executable, "-m", "cueline", "header", *arguments]
    return subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True, cwd=folder).stdout


def test_the_header_is_the_same_every_time_and_from_a_file_or_a_module(written: Path) -> None:
    text = (written / "messages.hpp").read_text()
    assert command(written, "messages.py", "--namespace", "synth::wire") == text
    assert command(written, "messages", "--namespace", "synth::wire") == text.replace("messages.py", "messages", 1)
    assert "being imported" not in text
    assert re.findall(r"^struct (\w+)", text, flags=re.MULTILINE) == ["Everything", "NoteOff", "Panic"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, the names of files are Unicode")
def test_a_files_name_may_have_any_bytes(tmp_path: Path) -> None:
    (tmp_path / "hm\udc80.py").write_text(MODULE)
    for asked, shown in (("hm\udc80.py", "hm?.py"), ("hm\udc80", "hm?")):
        text = command(tmp_path, asked)
        assert text.startswith(f"// The messages of {shown}, written by")
        assert "struct NoteOff {" in text


def test_the_header_names_kinds_types_and_places(written: Path) -> None:
    text = (written / "messages.hpp").read_text()
    assert (
        """struct Everything {
    static constexpr cueline::Kind kind = 40000;
    bool a;
    std::uint16_t b;
    std::int8_t c;
    std::int32_t d;
    std::array<float, 2> e;
    std::array<std::uint8_t, 3> f;
    double g;
};
static_assert(sizeof(Everything) == 32);
static_assert(offsetof(Everything, a) == 0);
static_assert(offsetof(Everything, b) == 2);
static_assert(offsetof(Everything, c) == 4);
static_assert(offsetof(Everything, d) == 8);
static_assert(offsetof(Everything, e) == 12);
static_assert(offsetof(Everything, f) == 20);
static_assert(offsetof(Everything, g) == 24);
"""
        in text
    )


def classes() -> dict[str, Any]:
    """Return the contents of MODULE."""
    folder: dict[str, Any] = {"__name__": "tests_of_the_header"}
    sys.modules["tests_of_the_header"] = type(sys)("tests_of_the_header")
    exec(compile(MODULE, "messages.py", "exec"), folder)
    return folder


def test_what_python_writes_cpp_reads(written: Path) -> None:
    message = classes()["Everything"](True, 65535, -128, -(2**31), (0.1, float("inf")), [0, 128, 255], -1e300)
    state = message.__reduce__()[1][1]
    assert len(state) == 56
    program = r"""
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cueline/visit.hpp>
#include "messages.hpp"
using namespace synth::wire;
int main(int, char** arguments) {
    std::array<std::byte, 56> bytes{};
    for (std::size_t place = 0; place < bytes.size(); ++place) {
        const char digits[] = {arguments[1][2 * place], arguments[1][2 * place + 1], 0};
        bytes[place] = static_cast<std::byte>(std::strtoul(digits, nullptr, 16));
    }
    const auto message = cueline::Message::from_bytes(bytes).value();
    const cueline::Overloaded show{
        [](const Everything& all) {
            std::printf("%d %d %d %d %.9g %.9g %d %d %d %.17g", all.a, all.b, all.c, all.d,
                        static_cast<double>(all.e[0]), static_cast<double>(all.e[1]), all.f[0], all.f[1], all.f[2],
                        all.g);
        },
        [](const NoteOff&) {}, [](const Panic&) {}};
    return cueline::Messages<NoteOff, Everything, Panic>::visit(message, show) ? 0 : 1;
}
"""
    told = compile_and_run(written, program, state.hex())
    tenth = struct.unpack("<f", struct.pack("<f", 0.1))[0]
    assert told == f"1 65535 -128 -2147483648 {tenth:.9g} inf 0 128 255 {-1e300:.17g}"


def test_what_cpp_writes_python_reads(written: Path) -> None:
    program = r"""
#include <cstdio>
#include "messages.hpp"
using namespace synth::wire;
int main() {
    cueline::Message message =
        cueline::Message::of(Everything{true, 65535, -128, -2147483647 - 1, {0.5F, -1e30F}, {0, 128, 255}, -1e300});
    message.set_origin(3, 4'000'000'000U);
    message.frame = 1ULL << 40U;
    const auto* bytes = reinterpret_cast<const unsigned char*>(&message);
    for (std::size_t place = 0; place < sizeof message; ++place) std::printf("%02x", bytes[place]);
}
"""
    data = bytes.fromhex(compile_and_run(written, program))
    assert len(data) == 56
    Everything = classes()["Everything"]  # noqa: N806
    message = cueline._core._message_from_bytes(cueline.Message, data)
    assert type(message) is Everything
    assert (message.kind, message.line, message.sequence, message.frame) == (40_000, 3, 4_000_000_000, 2**40)
    match message:
        case Everything(a=True, b=65535, c=-128, d=least, e=(0.5, low), f=(0, 128, 255), g=-1e300):
            assert (least, low) == (-(2**31), struct.unpack("<f", struct.pack("<f", -1e30))[0])
        case _:
            pytest.fail(f"it is {message}")


def test_a_layout_that_is_not_cpps_does_not_compile(written: Path) -> None:
    """The assertions in a header can fail."""
    require(COMPILER[0])
    text = (written / "messages.hpp").read_text()
    for wrong in ("offsetof(Everything, d) == 4", "sizeof(Everything) == 48"):
        name = re.escape(wrong.partition(" == ")[0])
        (written / "wrong.hpp").write_text(re.sub(rf"{name} == \d+", wrong, text))
        where = ["-fsyntax-only", f"-I{ROOT / 'include'}", "-x", "c++", str(written / "wrong.hpp")]
        built = subprocess.run([*COMPILER[:2], *where], capture_output=True, text=True, timeout=60, check=False)
        assert built.returncode != 0
        assert "static assertion failed" in built.stderr


def test_cuelines_own_messages_are_those_of_message_hpp(tmp_path: Path) -> None:
    classes = [getattr(messages, name) for name in messages.__all__ if name != "Reason"]
    (tmp_path / "messages.hpp").write_text(header.header(classes, source="cueline.messages", namespace="python"))
    asserts = []
    for cls in classes:
        name, layout = cls.__name__, layout_of(cls)
        asserts.append(f"static_assert(python::{name}::kind == cueline::{name}::kind);")
        asserts.append(f"static_assert(sizeof(python::{name}) == sizeof(cueline::{name}));")
        for field in layout.fields:
            asserts.append(
                f"static_assert(offsetof(python::{name}, {field.name}) == offsetof(cueline::{name}, {field.name}));"
            )
            ours, theirs = f"decltype(python::{name}::{field.name})", f"decltype(cueline::{name}::{field.name})"
            same = f"std::is_same_v<{ours}, {theirs}>"
            if field.enumeration is not None:
                same = f"std::is_same_v<{ours}, std::underlying_type_t<{theirs}>>"
            elif field.scalar.name == "bool":  # in C++ it may be a byte with more than two values
                same += f" || std::is_same_v<{theirs}, std::uint8_t>"
            asserts.append(f"static_assert({same});")
    reasons = {"LATE": "late", "SCHEDULE_FULL": "schedule_full", "CANCELLED": "cancelled", "UNKNOWN": "unknown"}
    assert set(reasons) == {reason.name for reason in cueline.Reason}
    for reason in cueline.Reason:
        asserts.append(
            f"static_assert(static_cast<unsigned>(cueline::Reason::{reasons[reason.name]}) == {int(reason)});"
        )
    headers = ("engine_messages.hpp", "midi.hpp", "engine/player_messages.hpp", "engine/tone_messages.hpp")
    includes = "".join(f"#include <cueline/{name}>\n" for name in headers) + '#include "messages.hpp"\n'
    program = "#include <type_traits>\n" + includes + "\n".join([*asserts, "int main() {}\n"])
    compile_and_run(tmp_path, program)
    assert len(asserts) > 40


@pytest.mark.parametrize("compiler", ["g++", "clang++-22"])
def test_what_a_header_includes_takes_no_name_that_is_not_refused(compiler: str, tmp_path: Path) -> None:
    require(compiler)
    included = re.findall("^#include .*$", header.header([cueline.Pong], source="here"), flags=re.MULTILINE)
    often = [f"#include <{name}>" for name in ("cueline/visit.hpp", "cerrno", "cassert", "cstdio", "cmath")]
    (tmp_path / "main.cpp").write_text("\n".join([*included, *often]) + "\n")
    asked = [compiler, "-std=gnu++20", "-dM", "-E", f"-I{ROOT / 'include'}", str(tmp_path / "main.cpp")]
    told = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True).stdout
    macros = {name for name in re.findall(r"^#define (\w+)", told, flags=re.MULTILINE) if is_a_name_else(name)}
    assert {"unix", "errno", "assert", "EOF", "NULL", "INT8_MAX", "UINT64_C", "M_PIf", "CUELINE_NONBLOCKING"} <= macros
    assert len(macros) > 500
    assert [name for name in sorted(macros) if is_a_name(name)] == []


def is_a_name_else(name: str) -> bool:
    """Return whether ``name`` would be valid without the macros."""
    return not name.startswith("_") and "__" not in name


def is_a_name(name: str) -> bool:
    try:
        require_cpp_name(name, "a field")
    except cueline.ArgumentError:
        return False
    return True


def test_names_that_are_not_refused_compile(tmp_path: Path) -> None:
    names = ["ADSR", "LFO", "EQ", "Q", "OSC1", "MIDI", "LFO_rate", "M_gain", "L_level", "Kind", "array", "uint8_t"]
    annotations = dict.fromkeys(("first", *names), cueline.u8)
    made = [cueline.message(41_020)(type("Fields", (), {"__annotations__": annotations}))]
    made += [cueline.message(41_021 + place)(type(name, (), {})) for place, name in enumerate(names[:-1])]
    (tmp_path / "messages.hpp").write_text(header.header(made, source="here"))
    includes = "".join(f"#include <{name}>\n" for name in ("cerrno", "cassert", "cstdio", "cmath"))
    compile_and_run(tmp_path, includes + '#include "messages.hpp"\nint main() {}\n')


@pytest.mark.parametrize(
    ("files", "asked", "text"),
    [
        ({}, "none.py", "there is no file 'none.py'"),
        ({}, "nowhere.at_all", "nowhere.at_all cannot be imported: ModuleNotFoundError: No module named 'nowhere'"),
        ({"empty.py": "from cueline import Pong\n"}, "empty.py", "empty.py defines no messages"),
        ({"broken.py": "1 / 0\n"}, "broken.py", "broken.py cannot be imported: ZeroDivisionError: division by zero"),
        ({"ends.py": "import sys; sys.exit(3)\n"}, "ends.py", "ends.py cannot be imported: SystemExit: 3"),
        ({"words.py": "no Python\n"}, "words.py", "words.py cannot be imported: SyntaxError"),
        (
            {"text.txt": ""},
            "./text.txt",
            "text.txt cannot be imported: ImportError: a Python file's name ends with .py",
        ),
        (
            {"big.py": "import cueline\n@cueline.message(41_000)\nclass Big:\n    a: cueline.array(cueline.u8, 41)\n"},
            "big.py",
            "big.py cannot be imported: ArgumentError: count must be from 1 to 40 for an array of u8 in a message, got "
            "41",
        ),
    ],
)
def test_what_is_no_module_of_messages_is_refused(
    files: dict[str, str],
    asked: str,
    text: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, inside in files.items():
        (tmp_path / name).write_text(inside)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert cli.main(["header", asked]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert text in printed.err


@pytest.mark.parametrize(
    ("path", "name"),
    [("outer/pkg/m.py", "outer.pkg.m"), ("outer/pkg/__init__.py", "outer.pkg"), ("bare/m.py", "bare.m")],
)
def test_a_file_that_imports_its_neighbours_by_dots_is_told_its_name(path: str, name: str, tmp_path: Path) -> None:
    module = "from .kinds import NOTE\nimport cueline\n@cueline.message(NOTE)\nclass Note:\n    pass\n"
    for folder in ("outer", "outer/pkg", "bare"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "kinds.py").write_text("NOTE = 41_040\n")
    (tmp_path / "outer/__init__.py").write_text("")
    (tmp_path / "outer/pkg/__init__.py").write_text("")
    (tmp_path / path).write_text(module)
    asked = [sys.executable, "-m", "cueline", "header", path]
    refused = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
    assert refused.returncode == 2
    assert refused.stderr.strip().endswith(
        f"{path} cannot be imported: ImportError: attempted relative import with no known parent package. "
        f"It is part of a package: cueline header {name}, in the folder {tmp_path}"
    )
    assert "struct Note {" in command(tmp_path, name)


@pytest.mark.parametrize("namespace", ["", "class", "a::", "a b", "a::2", "x__y"])
def test_a_namespace_that_cannot_be_is_refused(namespace: str) -> None:
    with pytest.raises(cueline.ArgumentError, match="a namespace"):
        header.header([cueline.Pong], source="here", namespace=namespace)


def test_two_classes_of_one_name_are_refused() -> None:
    def made(kind: int) -> Callable[[], type]:
        @cueline.message(kind)
        class Twin:
            pass

        Twin.__qualname__ = f"Twin{kind}"
        return lambda: Twin

    with pytest.raises(
        cueline.ArgumentError, match="two classes of here would become the struct Twin, Twin41010 and Twin41011"
    ):
        header.header([made(41_010)(), made(41_011)()], source="here")
