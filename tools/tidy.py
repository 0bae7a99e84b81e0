"""Runs clang-tidy over our C++ files, side by side, each once.

If several targets compile a file, clang-tidy by itself analyses it once for each of them. Here the first one's flags
stand for all. The list of compilations is merged from the presets' build folders. With QUICK set it looks only
at src and bindings, of which `make lint` makes a few large files then, and leaves out clang's static analyzer, which
takes five sixths of the time.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

# Which files are looked at with the flags of which build. The two files for clang's effect analysis are no programs.
QUICK_FILES = {"module": r"src/[a-z_/]+\.cpp|build/module/.*(cueline_engine|_core)\.dir/Unity/\w+\.cxx"}
ALL_FILES = {
    "clang": r"(src|tests/cpp|tests/realtime|tests/soak|examples)/(?!effects_)[a-z_/]+\.cpp",
    "module": r"bindings/[a-z_]+\.cpp",
    "fuzz": r"tests/fuzz/[a-z_]+\.cpp",
    "release": r"benchmarks/[a-z_]+\.cpp",
    "stall": r"benchmarks/(stall|midi_jitter)/[a-z_]+\.cpp",
}


def compilations() -> dict[str, dict[str, str]]:
    """Return one entry of the presets' compile_commands.json for each file, by the file's path."""
    chosen: dict[str, dict[str, str]] = {}
    for preset, pattern in (QUICK_FILES if os.environ.get("QUICK") else ALL_FILES).items():
        entries = json.loads((ROOT / "build" / preset / "compile_commands.json").read_text())
        ours = [entry for entry in entries if re.fullmatch(pattern, entry["file"].removeprefix(f"{ROOT}/"))]
        if not ours:
            sys.exit(f"build/{preset} compiles nothing that matches {pattern!r}")
        for entry in ours:
            chosen.setdefault(entry["file"], entry)
    return chosen


def main() -> int:
    """Merge, and run clang-tidy. Returns its exit status."""
    folder = ROOT / "build/tidy"
    folder.mkdir(parents=True, exist_ok=True)
    found = compilations()
    (folder / "compile_commands.json").write_text(json.dumps(list(found.values()), indent=1))
    print(f"clang-tidy: {len(found)} files", flush=True)
    options = []
    if os.environ.get("QUICK"):  # in the large files, sources are included like headers
        left_out = "-clang-analyzer-*,-bugprone-suspicious-include"
        options = [f"-checks={left_out}", f"-header-filter=^{ROOT}/(include|src|bindings)/"]
    return subprocess.run(["run-clang-tidy-22", "-quiet", "-p", folder, *options], check=False, cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
