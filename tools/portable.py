"""portable.py: compiles the core for systems that we do not run on, so that it stays portable. It runs nothing.

usage: python tools/portable.py

It compiles src/ for Linux on aarch64 and for Linux with musl, src/system and PortAudio's devices for macOS and for
Windows, and all public headers in one file for Windows. The compiler is zig, from PyPI's ``ziglang``. Headers of JACK
and PortAudio are this machine's: they name no processor. With QUICK set, it compiles src/ for one target, Linux on
aarch64 with musl, and joins sources to a few large files.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
CORE_TARGETS = ["aarch64-linux-musl"] if os.environ.get("QUICK") else ["aarch64-linux-gnu", "x86_64-linux-musl"]
SYSTEM_TARGETS = ["aarch64-macos", "x86_64-windows-gnu"]
SYSTEM_FOLDERS = ["system", "portaudio"]
# For each system, its name in a target of the compiler, which is the first suffix, and its other suffixes.
SYSTEMS = [row.split()[1:] for row in (REPOSITORY / "src/system/systems.txt").read_text().splitlines() if row[0] != "#"]
HEADER_TARGET = "x86_64-windows-gnu"

FLAGS = ("-std=c++20", "-Wall", "-Wextra", "-Werror", "-Iinclude", "-Isrc", "-g0")
SOURCES_PER_FILE = 8  # with QUICK: as CMake does it for CUELINE_UNITY_BUILD
FASTER = {"linux": ["-fno-sanitize=all"]}  # for Windows, zig takes the option for unused
JOBS = 2
AUDIO_HEADERS = {"jack": Path("/usr/include/jack"), "portaudio.h": Path("/usr/include/portaudio.h")}


def core(target: str, root: Path = REPOSITORY) -> list[Path]:
    """Return the sources of the core for ``target``, without those that this machine lacks the headers for."""
    ours = next(suffixes for suffixes in SYSTEMS if suffixes[0] in target)
    others = tuple(f"_{suffix}" for suffixes in SYSTEMS for suffix in suffixes if suffix not in ours)
    lacking = [name.removesuffix(".h") for name, header in AUDIO_HEADERS.items() if not header.exists()]
    sources = [path for path in sorted((root / "src").rglob("*.cpp")) if not path.stem.endswith(others)]
    return [source for source in sources if source.parent.name not in lacking or source.name.startswith("no_")]


def joined(sources: list[Path], folder: Path) -> list[Path]:
    """Write files that include ``sources``, a few each. Return those files, and the stand-ins, which repeat names."""
    files = [source for source in sources if source.name.startswith("no_")]
    rest = [source for source in sources if source not in files]
    for first in range(0, len(rest), SOURCES_PER_FILE):
        files.append(folder / f"joined_{first}.cpp")
        some = rest[first : first + SOURCES_PER_FILE]
        files[-1].write_text("".join(f'#include "{source}"\n' for source in some))
    return files


def public_headers(root: Path = REPOSITORY) -> list[str]:
    """Return all public headers, as an #include names them."""
    return sorted(header.relative_to(root / "include").as_posix() for header in (root / "include").rglob("*.hpp"))


def compiled(target: str, sources: list[Path], root: Path = REPOSITORY) -> list[str]:
    """Compile ``sources`` for ``target``, and return what the compiler says of each one that fails."""
    with tempfile.TemporaryDirectory() as folder:
        system = Path(folder, "include")
        system.mkdir()
        files = joined(sources, Path(folder)) if os.environ.get("QUICK") else sources
        for name, header in AUDIO_HEADERS.items():
            if header.exists():
                (system / name).symlink_to(header)

        def complaint(numbered: tuple[int, Path]) -> str:
            number, source = numbered
            command: list[str | Path] = [sys.executable, "-m", "ziglang", "c++", "-target", target]
            command += [*FLAGS, *FASTER.get(target.split("-")[1], []), "-isystem", system]
            done = subprocess.run(
                [*command, "-c", source, "-o", Path(folder, f"{number}.o")],
                cwd=root,
                env={"ZIG_GLOBAL_CACHE_DIR": str(REPOSITORY / "build/zig"), **os.environ},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            return f"{target}: {source.name} does not compile\n{done.stderr}" if done.returncode else ""

        with ThreadPoolExecutor(JOBS) as pool:
            return [text for text in pool.map(complaint, enumerate(files)) if text]


def headers_compiled(root: Path = REPOSITORY) -> list[str]:
    """Compile a file that includes every public header for Windows, and return what the compiler says if it fails."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "public_headers.cpp")
        source.write_text("".join(f"#include <{header}>\n" for header in public_headers(root)))
        return compiled(HEADER_TARGET, [source], root)


def main() -> int:
    """Compile everything, and say how long it took."""
    complaints = []
    for target in CORE_TARGETS:
        began = time.monotonic()
        sources = core(target)
        complaints += compiled(target, sources)
        print(f"{target}: {len(sources)} sources of the core in {time.monotonic() - began:.0f} s", flush=True)
    for target in SYSTEM_TARGETS:
        began = time.monotonic()
        sources = [source for source in core(target) if source.parent.name in SYSTEM_FOLDERS]
        complaints += compiled(target, sources)
        print(f"{target}: {len(sources)} sources that differ in {time.monotonic() - began:.0f} s", flush=True)
    began = time.monotonic()
    complaints += headers_compiled()
    print(f"{HEADER_TARGET}: {len(public_headers())} public headers in {time.monotonic() - began:.0f} s")
    print("\n".join(complaints), end="")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
