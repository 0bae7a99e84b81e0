"""The site in build/docs, as `make docs` has just built it; and broken ones, which must not build."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mkdocstrings import Inventory

ROOT = Path(__file__).parents[2]
SITE = ROOT / "build/docs"


def page(path: str) -> str:
    return (SITE / path).read_text()


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", html).split())


def public_names() -> list[str]:
    for node in ast.parse((ROOT / "python/cueline/__init__.py").read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    raise AssertionError("cueline has no __all__")


def test_every_public_name_is_in_the_reference_with_a_word_on_it() -> None:
    with (SITE / "objects.inv").open("rb") as file:
        inventory = Inventory.parse_sphinx(file)
    html = page("reference/python.html")
    for name in public_names():
        assert f"cueline.{name}" in inventory, f"docs/reference/python.md lacks cueline.{name}"
        described = re.split(r'<h\d id="cueline\.', html.split(f'<h3 id="cueline.{name}"')[1])[0]  # up to its members
        assert re.search(r"<p>[^<]", described), f"nothing is said of cueline.{name}"


def test_what_is_compiled_is_in_the_reference() -> None:
    html = page("reference/python.html")
    for name in ("ping", "receive_msg", "send", "cancel_all", "samplerate"):  # of the stub, and inherited
        assert f'id="cueline.AudioEngine.{name}"' in html
    assert "Send a ping to the audio thread, which answers with a Pong." in text_of(html)


def test_every_public_header_is_in_the_reference_with_its_purpose() -> None:
    headers = sorted((ROOT / "include/cueline").rglob("*.hpp"))
    assert len(headers) >= 19
    listed = page("reference/cpp/index.html")
    for header in headers:
        shown = page(f"reference/cpp/{header.stem}.html")
        assert f"#include &lt;{header.relative_to(ROOT / 'include')}&gt;" in text_of(shown)
        assert f'href="{header.stem}.html"' in listed
        said = header.read_text().split(f"// {header.name}: ")[1].splitlines()[0]
        assert re.sub(r"\W+", "", said.lower()) in re.sub(r"\W+", "", text_of(listed).lower())


def test_every_class_of_the_headers_is_in_the_reference() -> None:
    for header in (ROOT / "include/cueline").rglob("*.hpp"):
        shown = page(f"reference/cpp/{header.stem}.html")
        for name in re.findall(r"^(?:class|struct) (?:alignas\(\w+\) )?(\w+)[^;]*$", header.read_text(), re.MULTILINE):
            assert f'id="cueline-{name}"' in shown, f"{header.name}: {name}"


def test_a_functions_comment_is_there_line_by_line() -> None:
    ring = page("reference/cpp/ring.html")
    shown = ring.split('id="cueline-Producer-try_push"')[1].split("<h3")[0]
    assert "Status try_push(const T& message) noexcept(never_throws) CUELINE_NONBLOCKING;" in text_of(shown).replace(
        "&amp;", "&"
    )
    assert "<p>Appends <code>message</code>.</p>" in shown
    assert "<strong>Returns</strong>" in shown
    assert ", and changes nothing, if the ring is full.</li>" in shown
    head = ring.split('id="cueline-Ring-head"')[1].split("<h3")[0]
    assert "The value may be out of date, but it never goes back.</p>" in head
    assert "<li><strong>Thread</strong> any thread.</li>" in head


def test_the_engine_is_in_the_reference() -> None:
    assert "Starts the device. If it runs already, does nothing." in text_of(page("reference/cpp/engine.html"))


def test_nothing_is_loaded_from_elsewhere() -> None:
    pages = list(SITE.rglob("*.html"))
    assert len(pages) > 40
    for html in pages:
        loaded = re.findall(r"<(?:script|img|link|iframe)[^>]*(?:src|href)=\"?(?:https?:)?//[^>]*>", html.read_text())
        assert not loaded, f"{html}: {loaded}"
    for css in SITE.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", css.read_text()), css


def test_charts_and_sources_are_there() -> None:
    charts = re.findall(r'<img[^>]*src="([^"]+)"', page("performance.html"))
    assert len(charts) >= 8
    assert all((SITE / chart).is_file() for chart in charts)
    assert "wait-free queue from one thread to another" in text_of(page("source/include/cueline/ring.hpp.html"))
    assert 'href="examples/first_ping.py.html"' in page("source/examples.html")


def test_search_works_from_a_folder() -> None:
    """A browser loads no JSON from file://, so the index is a script too, and our iframe stands in for the worker."""
    assert (SITE / "search/search_index.js").read_text().startswith("var __index = {")
    assert (SITE / "iframe-worker.js").is_file()
    assert '<script src="../iframe-worker.js"></script>' in page("reference/python.html")


def test_a_long_name_in_a_table_may_be_broken_at_its_words() -> None:
    html = page("real-time-safety.html")
    assert "<code>SealedEngine.<wbr>the_<wbr>seal_<wbr>catches_<wbr>one_<wbr>getpid</code>" in html
    assert "<code>make test-pipewire</code>" in html
    assert "<wbr>" not in re.sub(r"<td\b.*?</td>", "", html, flags=re.DOTALL)


def test_the_home_page_has_a_program_and_a_picture() -> None:
    html = page("index.html")
    assert "import cueline" in text_of(html)
    pictures = re.findall(r'<img[^>]*src="([^"]+)"', html)
    assert "pictures/line.svg" in pictures
    assert all((SITE / picture).is_file() for picture in pictures)


def copied(folder: Path) -> Path:
    """Copy what the site is made of: what git would, whether committed or not yet."""
    listed = ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split("\0"):
        if name and (ROOT / name).is_file() and not name.startswith("tests/fuzz/corpus"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    return folder


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(tmp_path_factory.mktemp("project"))


NEW_HEADER = """// horn.hpp: a horn.
#pragma once

/// Makes a horn of `Class`.
#define CUELINE_HORN(Class) Class

namespace cueline {

/// A horn.
class Horn {
  public:
    /// Blows it. Thread: audio. Real-time: wait-free; see blow_twice(). Returns how loud it was.
    int blow(const int& force, int times = 1) noexcept [[clang::nonblocking]];
    /// Pitches, low and high.
    int low() const;
    int high() const;

  private:
    /// Not to be seen.
    int valve();
};

}  // namespace cueline
"""


def test_a_copy_builds_and_a_new_header_gets_its_page(project: Path) -> None:
    header = project / "include/cueline/horn.hpp"
    header.write_text(NEW_HEADER.replace("[[clang::nonblocking]]", "CUELINE_NONBLOCKING"))
    done = build(project)
    header.unlink()
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    html = (project / "build/docs/reference/cpp/horn.html").read_text()
    shown = text_of(html)
    assert "#define CUELINE_HORN(Class)" in shown
    assert "int blow(const int&amp; force, int times = 1) noexcept CUELINE_NONBLOCKING;" in shown
    assert "<li><strong>Real-time</strong> wait-free; see blow_twice().</li>" in html
    assert "low, high" in shown
    assert "Not to be seen" not in shown
    assert "horn.html" in (project / "build/docs/reference/cpp/index.html").read_text()


WRONG = {
    "a link to no page": ("docs/lines.md", "[a](messagess.md)", "messagess.md"),
    "an anchor that there is not": ("docs/lines.md", "[a](cues.md#confirmation)", "'#confirmation'"),
    "an anchor of its own page": ("docs/lines.md", "[a](#which)", "'#which'"),
    "a link to no file of the repository": ("docs/lines.md", "[a](../examples/line.py)", "../examples/line.py"),
    "a link from the root": ("docs/lines.md", "[a](/cues.md)", "'/cues.md'"),
    "a chart that there is not": ("docs/performance.md", "![a](charts/none.svg)", "charts/none.svg"),
    "the README's link": ("README.md", "[a](docs/porst.md)", "docs/porst.md"),
    "the README's anchor": ("README.md", "[a](docs/lines.md#what-hold)", "#what-hold"),
    "the README's link to a file": ("README.md", "[a](include/cueline/rang.hpp)", "rang.hpp"),
    "the changelog's link": ("CHANGELOG.md", "[a](docs/line.md)", "docs/line.md"),
    "the contributing's anchor": ("CONTRIBUTING.md", "[a](#rule)", "'#rule'"),
    "a page that the navigation forgets": ("docs/forgotten.md", "# Forgotten", "forgotten.md"),
    "a command of doxygen's that it does not know": (
        "include/cueline/counter.hpp",
        "/// \\nonsense\nint x;",
        "nonsense",
    ),
}


def broken(project: Path, *names: str) -> subprocess.CompletedProcess[str]:
    """Build with that wrong, and mend it again."""
    whole = {name: (project / name).read_text() for name, *_ in WRONG.values() if (project / name).exists()}
    for name in names:
        path, added, _ = WRONG[name]
        with (project / path).open("a") as file:
            file.write(f"\n\n{added}\n")
    try:
        return build(project)
    finally:
        for path, *_ in WRONG.values():
            (project / path).write_text(whole[path]) if path in whole else (project / path).unlink(missing_ok=True)


@pytest.mark.parametrize("wrong", ["a link to no page", "an anchor that there is not"])
def test_the_build_fails_by(wrong: str, project: Path) -> None:
    done = broken(project, wrong)
    assert done.returncode != 0
    assert WRONG[wrong][2] in done.stderr
    assert "Aborted with 1 warnings in strict mode" in done.stdout


@pytest.fixture(scope="module")
def complaints(project: Path) -> str:
    """Return what the build says of all that is wrong at once."""
    done = broken(project, *WRONG)
    assert done.returncode != 0
    return done.stderr


@pytest.mark.parametrize("wrong", WRONG)
def test_the_build_complains_of(wrong: str, complaints: str) -> None:
    said = complaints.split("WARNING -")[1:]  # of which one is enough to fail
    assert any(WRONG[wrong][2] in each for each in said), complaints


def test_the_build_fails_by_a_name_that_python_has_not(project: Path) -> None:
    reference = project / "docs/reference/python.md"
    reference.write_text(reference.read_text().replace("::: cueline.AudioEngine\n", "::: cueline.AudioEngin\n"))
    done = build(project)
    assert done.returncode != 0
    assert "cueline.AudioEngin could not be found" in done.stderr
