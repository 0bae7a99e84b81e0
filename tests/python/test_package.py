"""The package: stub, import, version, examples, README, coverage of the specification, CMake package."""

from __future__ import annotations

import inspect
import os
import pickle
import re
import subprocess
import sys
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import pytest

import cueline
from conftest import require, require_loopback
from cueline import _core

ROOT = Path(__file__).parents[2]


def test_the_package_is_typed() -> None:
    assert resources.files("cueline").joinpath("py.typed").is_file()
    assert resources.files("cueline").joinpath("_core.pyi").is_file()


def test_the_stub_is_what_the_module_offers(tmp_path: Path) -> None:
    stub = tmp_path / "_core.pyi"
    asked = ["--include-private", "-q", "-p", str(ROOT / "bindings/stub_patterns.txt"), "-m", "cueline._core"]
    subprocess.run([sys.executable, "-m", "nanobind.stubgen", *asked, "-o", str(stub)], check=True, timeout=60)
    shipped = resources.files("cueline").joinpath("_core.pyi")
    assert shipped.read_text() == stub.read_text(), "type: make stubs"


def binds_at_once(library: Path) -> bool:
    """Return whether all symbols of ``library`` are resolved when it is loaded."""
    require("readelf")
    dynamic = subprocess.run(["readelf", "-dW", library], capture_output=True, text=True, timeout=60, check=True).stdout
    return "BIND_NOW" in dynamic


def test_the_audio_thread_never_looks_for_a_symbol() -> None:
    """If a symbol were resolved at its first use, the audio thread would run the dynamic linker."""
    assert binds_at_once(Path(_core.__file__))


def test_a_library_that_binds_late_is_found(tmp_path: Path) -> None:
    require("g++")
    library = tmp_path / "late.so"
    subprocess.run(
        ["g++", "-shared", "-fPIC", "-Wl,-z,lazy", "-x", "c++", "-", "-o", library],
        input="#include <cstdlib>\nvoid late() { std::abort(); }\n",
        text=True,
        timeout=60,
        check=True,
    )
    assert not binds_at_once(library)


EVERYTHING = """
import sys
import cueline

with cueline.AudioEngine("offline", outputs=1) as engine, engine.open_line() as line:
    import numpy
    records = numpy.zeros(1, cueline.dtype(cueline.StopBuffer))
    before = set(sys.modules)
    engine.publish(0, [0.5])
    engine.play(0, at=cueline.Beat(0)).set(gain=0.5)
    engine.sequence([(0, cueline.PlayBuffer(0))])
    engine.parameters.automate("gain", [cueline.Set(1, at=0)])
    engine.midi.map(cueline.ControlChange(7), "gain")
    engine.send_many(records)
    with engine.transaction() as both:
        both.send(cueline.PlayBuffer(0))
    line.confirm(cueline.PlayBuffer(0))
    with engine.open_playback() as playback, engine.open_recording(source="outputs") as recording:
        playback.write([0.5])
        engine.render(64)
        recording.read(1)
        recording.save(sys.argv[1])
    engine.timeline.loop(0, 4)
    engine.meters["peak"], engine.stats(), list(engine.messages())
    print(sorted(name for name in set(sys.modules) - before if name.startswith("cueline")))
"""


def test_with_an_engine_all_that_it_needs_is_imported(tmp_path: Path) -> None:
    """A signal handler may make any call, and cannot import what the interrupted code is importing."""
    program = [sys.executable, "-c", EVERYTHING, tmp_path / "a.wav"]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


SUB_INTERPRETER = """
import cueline
try:
    import _interpreters as interpreters  # from 3.13 on
except ImportError:
    import _xxsubinterpreters as interpreters

engine = cueline.AudioEngine("offline", processor="tone")
second = interpreters.create()
program = "try:\\n import cueline\\nexcept ImportError as refused:\\n print(refused.__cause__ or refused, flush=True)"
for _ in range(2):
    (interpreters.exec if hasattr(interpreters, "exec") else interpreters.run_string)(second, program)
interpreters.destroy(second)

with engine:
    print(engine.ping().name, engine.send(cueline.SetTone(440, 0.5)).name)
    engine.parameters["gain"] = 0.5
    engine.render(64)
    print(engine.receive_msg(), engine.meters["level"])
try:
    engine.ping()
except cueline.ClosedError as error:
    print(type(error).__name__)
with cueline.AudioEngine("offline") as another:
    print(another.ping().name)
"""


def test_an_import_that_a_sub_interpreter_is_refused_leaves_the_main_ones_engines_as_they_are() -> None:
    done = subprocess.run([sys.executable, "-c", SUB_INTERPRETER], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    refused, again, *used = done.stdout.splitlines()
    for text in (refused, again):
        assert "cueline runs only in Python's main interpreter, and this is a sub-interpreter" in text
    assert used == [
        "OK OK",
        "Pong(sequence=1, frame=0) level(peak=0.0, rms=0.0)",
        "ClosedError",
        "OK",
    ]


SIGNATURES = {
    "ping": "()",
    "send": "(message, at=None, *, late='apply', timeout=0)",
    "cancel": "(sequence)",
    "cancel_all": "()",
    "receive_msg": "()",
    "start": "()",
    "stop": "()",
    "close": "()",
    "now": "()",
}


def public_methods() -> set[str]:
    """Return the methods that an engine has from the compiled module."""
    kinds = (type(_core.Engine.ping), type(_core.Engine._stats))
    return {name for name in dir(_core.Engine) if name[0] != "_" and isinstance(getattr(_core.Engine, name), kinds)}


def test_inspect_shows_what_the_compiled_methods_take(offline: cueline.AudioEngine) -> None:
    assert public_methods() == SIGNATURES.keys()
    for name, signature in SIGNATURES.items():
        shown = inspect.signature(getattr(offline, name)).replace(return_annotation=inspect.Signature.empty)
        assert str(shown) == signature
    assert str(inspect.signature(offline.open_line().send)) == SIGNATURES["send"]
    assert str(inspect.signature(offline.open_line().close)) == "()"


def test_the_methods_are_bound_to_the_classes_that_users_have() -> None:
    """A call is quicker then. What a class in between replaces stays."""
    assert SIGNATURES.keys() <= vars(cueline.AudioEngine).keys()
    assert {"ping", "send", "cancel", "cancel_all", "close"} <= vars(cueline.Line).keys()

    class Quiet(cueline.AudioEngine):
        def ping(self) -> cueline.Status:
            return cueline.Status.EMPTY

    class Derived(Quiet):
        pass

    _core._bind_inherited(Derived)
    assert "ping" not in vars(Derived)
    assert "send" in vars(Derived)
    assert Derived("offline").ping() == cueline.Status.EMPTY


def test_the_stub_says_the_same() -> None:
    """Its types are written by hand, in bindings/stub_patterns.txt."""
    stub = resources.files("cueline").joinpath("_core.pyi").read_text()
    for name, signature in SIGNATURES.items():
        (typed,) = {*re.findall(rf"def {name}\(self(?:, )?(.*)\) -> .*:$", stub, flags=re.MULTILINE)}
        plain = re.sub(r": [^,=*]*?(?:\[[^]]*\])?(?: \| None)?(?= =|,|$)", "", typed).replace(" = ", "=")
        assert f"({plain})" == signature


def test_wrong_arguments_are_refused_with_the_signature(offline: cueline.AudioEngine) -> None:
    engine: Any = offline
    for call, text in [
        (lambda: engine.ping(3), "ping() takes 0 arguments by position, got 1: ping()"),
        (lambda: engine.now(at=3), "now() has no argument 'at': now()"),
        (lambda: engine.open_line().close(wait=True), "close() has no argument 'wait': close()"),
        (lambda: engine.send(), f"send() needs message: send{SIGNATURES['send']}"),
        (lambda: engine.send(3, mesage=3), f"send() has no argument 'mesage': send{SIGNATURES['send']}"),
        (lambda: engine.send(3, message=3), f"send() got 'message' twice: send{SIGNATURES['send']}"),
        (lambda: engine.send(1, 2, "drop"), f"send() takes 2 arguments by position, got 3: send{SIGNATURES['send']}"),
        (lambda: engine.cancel(number=3), "cancel() has no argument 'number': cancel(sequence)"),
    ]:
        with pytest.raises(cueline.ArgumentTypeError) as refused:
            call()
        assert str(refused.value) == text
    with cueline.AudioEngine("offline", processor="tone") as tone:
        assert tone.send(at=None, timeout=0, late="drop", message=cueline.GetLevel()) == cueline.Status.OK
    with pytest.raises(cueline.ClosedError, match="this object was never made"):
        cueline.AudioEngine.__new__(cueline.AudioEngine).ping()


def test_an_object_that_was_never_made_says_so() -> None:
    with cueline.AudioEngine("offline") as engine:
        for kind, use in {
            cueline.Automation: lambda made: made.cancel(),
            cueline.Beat: lambda made: made.beat + hash(made),
            cueline.Confirmation: lambda made: made.result(0),
            cueline.Curve: lambda made: engine.parameters.automate("gain", [made]),
            cueline.Exponential: repr,
            cueline.Linear: hash,
            type(engine.meters): lambda made: made._maker_of("peak"),
            cueline.MidiMap: engine.midi.map,
            type(engine.parameters): lambda made: made.automate("gain", [cueline.Set(1, at=0)]),
            cueline.Part: lambda made: made.send(cueline.StopBuffer(0)),
            cueline.Sequence: lambda made: made.wait(0),
            cueline.Set: lambda made: engine.parameters.automate("gain", [made]),
            cueline.Target: lambda made: made == cueline.Target.__new__(cueline.Target),
            cueline.Timeline: lambda made: made.now(),
            cueline.Transaction: lambda made: made.__enter__(),
            cueline.Voice: lambda made: made.stop(),
        }.items():
            made = kind.__new__(kind)
            with pytest.raises(cueline.ClosedError, match="this object was never made"):
                use(made)
            with pytest.raises(AttributeError, match="has no attribute '__float__'"):
                made.__float__  # noqa: B018


def test_every_extension_module_declares_that_it_needs_no_gil() -> None:
    """Otherwise a Python without a GIL would switch it on at the import. We have no such Python."""
    modules = 0
    for path in [path for folder in ("bindings", "docs", "examples", "tests") for path in (ROOT / folder).rglob("*")]:
        if path.suffix not in (".txt", ".md", ".cpp"):
            continue
        text = path.read_text()
        for made in re.findall(r"nanobind_add_module\(([^)]*)\)", text):
            modules += 1
            assert "FREE_THREADED" in made.split(), f"{path}: {made}"
        if re.search(r"^PyMODINIT_FUNC", text, flags=re.MULTILINE):
            modules += 1
            assert "PyUnstable_Module_SetGIL(module, Py_MOD_GIL_NOT_USED)" in text, path
    assert modules >= 4


def test_the_module_needs_no_audio_library_to_be_imported() -> None:
    require("readelf")
    read = subprocess.run(["readelf", "-d", cueline._core.__file__], capture_output=True, text=True, check=True)
    needed = re.findall(r"\(NEEDED\).*\[(.+)\]", read.stdout)
    assert any(name.startswith("libc.so") for name in needed)
    assert not [name for name in needed if re.match(r"lib(jack|portaudio|asound|pipewire)", name)]


# Modules that take long to import, and that few programs need.
RARE = [
    "argparse", "asyncio", "contextlib", "cueline.cfunc", "cueline.commands", "cueline.device_list", "cueline.messages",
    "cueline.specs", "cueline.stats", "dataclasses", "importlib.metadata", "inspect", "json", "matplotlib", "numbers",
    "numpy", "pathlib", "queue", "re", "rich", "subprocess", "typing", "typing_extensions",
]  # fmt: skip


def loaded_by(program: str) -> set[str]:
    """Return the modules that a fresh interpreter loads for ``program``, beside those of its own start."""
    whole = f"import sys; before = set(sys.modules); {program}; print(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-I", "-c", whole], capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.split())


def test_the_import_loads_no_module_that_is_rarely_needed() -> None:
    loaded = loaded_by("import cueline")
    assert "cueline.engine" in loaded
    assert not loaded & set(RARE)


def test_a_module_that_is_loaded_is_seen() -> None:
    """The mutant of the test above: names that are imported late are loaded when a program uses them."""
    assert "cueline.stats" in loaded_by("import cueline; cueline.Stats")
    assert "dataclasses" in loaded_by("import cueline; cueline.ParameterSpec")
    assert "typing" in loaded_by("import cueline; cueline.f32")


def printed_by(program: str) -> list[str]:
    """Return the words that ``program`` prints in a fresh interpreter."""
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.split()


@pytest.mark.parametrize("order", ["", "reversed"])
def test_every_public_name_can_be_imported_first(order: str) -> None:
    """In a fresh interpreter: here, the other tests have loaded what is imported late."""
    loop = f"for name in {order}(cueline.__all__): exec(f'from cueline import {{name}}'); print(name)"
    assert sorted(printed_by(f"import cueline\nassert set(cueline.__all__) <= set(dir(cueline))\n{loop}")) == sorted(
        cueline.__all__
    )


def test_a_message_has_its_class_in_a_program_that_does_not_name_it() -> None:
    received = (
        "engine = cueline.AudioEngine('offline'); engine.ping(); engine.render(256); print(engine.receive(timeout=1))"
    )
    assert printed_by(f"import cueline; {received}")[0].startswith("Pong(")
    restored = f"pickle.loads({pickle.dumps(cueline.Message(65))!r})"
    assert printed_by(f"import pickle; import cueline; print({restored})")[0].startswith("GetLevel(")


def test_every_public_name_is_there() -> None:
    for name in cueline.__all__:
        assert getattr(cueline, name) is not None
        assert name in dir(cueline)
    with pytest.raises(AttributeError, match="module 'cueline' has no attribute 'Statz'"):
        cueline.Statz  # type: ignore[attr-defined]  # noqa: B018


def test_there_is_one_version() -> None:
    assert cueline.__version__ == metadata.version("cueline")
    assert f'version[] = "{cueline.__version__}"' in (ROOT / "include/cueline/version.hpp").read_text()
    assert f"## {cueline.__version__}" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.name)
def test_the_example_runs(example: Path) -> None:
    if example.name == "osc.py":
        require_loopback()
    done = subprocess.run([sys.executable, example], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert done.stderr == ""
    assert len(example.read_text().splitlines()) < 60


def test_the_programs_in_the_readme_are_the_examples() -> None:
    readme = (ROOT / "README.md").read_text()
    blocks = re.findall(r"```(?:python|cpp)\n(.*?)```", readme, flags=re.DOTALL)
    assert blocks
    examples = [path.read_text() for path in (ROOT / "examples").iterdir() if path.suffix in (".py", ".cpp")]
    for block in blocks:
        assert block in examples, f"this program of the README is no example:\n{block}"


def test_what_the_documents_point_to_is_there() -> None:
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        prose = re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.DOTALL | re.MULTILINE)
        for target in re.findall(r"\]\(([^)#]+)\)", prose):
            assert (document.parent / target).exists(), f"{document.name} points to {target}"


# How our CMake functions name the tests that they add.
NAMED_BY = {
    r"add_test\(NAME ([\w.]+)": "{}",
    r"add_mutant_test\(([\w.]+)": "{}",
    r"add_refused_program\((\w+)": "does_not_compile.{}",
    r"add_refused_act\((\w+)": "effects.{}_is_refused",
    r"add_forbidden_symbol\((\w+)": "symbols.{}_is_found",
    r"add_allocating\((\w+) src": "effects.{}_that_allocate_are_refused",
    r"add_allocating\((\w+)": "symbols.{}_that_allocate_are_found",
    r"add_caught_mutant\((\w+)": "soak.{}_is_caught",
    r"add_fuzz_target\((\w+)": "fuzz.{}",
    r"add_broken_engine\((\w+)": "fuzz.engine_that_{}_is_caught",
    r"add_broken_parameters\((\w+)": "fuzz.parameters_that_{}_is_caught",
    r"add_broken_sampler\((\w+)": "fuzz.sampler_that_{}_is_caught",
    r"add_caught(?:_ring)?\(([\w.]+)": "{}",
    r"add_fuzz_mutant\((\w+ \w+)": "fuzz.{}_is_caught",
}


def all_tests() -> set[str]:
    """Return the names of all tests: pytest's, GoogleTest's and CTest's own."""
    tests: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        tests.update(re.findall(r"^def (test_\w+)", path.read_text(), flags=re.MULTILINE))
    for path in (ROOT / "tests").rglob("*_test.cpp"):
        found = re.findall(r"^TEST(?:_F|_P)?\((\w+), (\w+)\)", path.read_text(), flags=re.MULTILINE)
        tests.update(f"{suite}.{name}" for suite, name in found)
    for path in (ROOT / "tests").rglob("CMakeLists.txt"):
        for pattern, name in NAMED_BY.items():
            matches = re.findall(pattern, path.read_text())
            tests.update(name.format(match.replace(" ", "_that_")) for match in matches)
    return tests


TEST_NAME = r"`(test_\w+|[A-Z]\w+\.\w+|(?:does_not_compile|effects|symbols|soak|fuzz|example)\.\w+)`"


def test_the_page_on_safety_names_tests_that_exist() -> None:
    page = (ROOT / "docs/real-time-safety.md").read_text()
    named = set(re.findall(TEST_NAME, page))
    assert len(named) > 30
    assert named <= all_tests(), sorted(named - all_tests())
    makefile = (ROOT / "Makefile").read_text()
    for command in set(re.findall(r"`make ([a-z-]+)", page)):
        assert re.search(rf"^{command}:", makefile, flags=re.MULTILINE), command


def test_every_line_of_the_coverage_names_a_test_that_exists() -> None:
    tests = all_tests()
    coverage = (ROOT / "docs/spec-coverage.md").read_text()
    rows = [line for line in coverage.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    assert len(rows) > 25
    named = re.findall(TEST_NAME, coverage)
    assert len(named) > 25
    assert set(named) <= tests, sorted(set(named) - tests)
    spec_tests = {name for name in tests if name.startswith(("test_scenario_", "test_case_", "Spec"))}
    assert spec_tests <= set(named), sorted(spec_tests - set(named))


def test_the_package_and_a_prefix_have_the_same_headers() -> None:
    headers = {path.relative_to(cueline.get_include()) for path in Path(cueline.get_include()).rglob("*.hpp")}
    public = {path.relative_to(ROOT / "include") for path in (ROOT / "include").rglob("*.hpp")}
    assert public | {Path("cueline/python.hpp"), Path("cueline/engine/engine.hpp")} <= headers
    for header in public:
        assert (cueline.get_include() / header).read_text() == (ROOT / "include" / header).read_text()


def test_the_command_tells_where_they_are() -> None:
    for flag, folder in {"--includedir": cueline.get_include(), "--cmakedir": cueline.get_cmake_dir()}.items():
        command, narrow = [sys.executable, "-m", "cueline", flag], os.environ | {"COLUMNS": "20"}
        told = subprocess.run(command, capture_output=True, text=True, check=True, env=narrow)
        assert told.stdout == f"{folder}\n"
        assert Path(folder).is_dir()


def test_scikit_build_core_finds_it_by_itself() -> None:
    (entry,) = metadata.entry_points(group="cmake.root", name="cueline")
    root = resources.files(entry.load())
    assert root.joinpath("lib/cmake/cueline/cueline-config.cmake").is_file()


def test_ring_hpp_can_be_taken_alone(tmp_path: Path) -> None:
    """Copy only that file to an empty folder, and compile a program with it."""
    require("g++")
    (tmp_path / "ring.hpp").write_text((ROOT / "include/cueline/ring.hpp").read_text())
    (tmp_path / "main.cpp").write_text(
        '#include "ring.hpp"\ncueline::Ring<int> ring;\nint main() { cueline::Producer{ring}.try_push(1); }\n'
    )
    for flags in ([], ["-fno-exceptions", "-fno-rtti"]):
        subprocess.run(["g++", "-std=c++20", *flags, "main.cpp"], cwd=tmp_path, check=True, timeout=60)
