"""artifacts.py: what an sdist and a wheel may hold, and what a wheel may ask of the machine it comes to."""

from __future__ import annotations

import re
import subprocess
import tarfile
import tempfile
import zipfile
from pathlib import Path

# What every Linux with a CPython has. An audio library is no part of it: cueline looks for those as it runs.
ALLOWED = re.compile(r"(libc|libm|libpthread|libdl|librt|libgcc_s|libstdc\+\+|ld-linux-[\w-]+)\.so\.\d+")


class Refused(Exception):
    """What was made must not be shipped, for these reasons."""

    def __init__(self, what: str, reasons: list[str]) -> None:
        super().__init__("\n  ".join([f"{what}:", *reasons]))


def sdist_faults(sdist: Path, wanted: set[str]) -> list[str]:
    """Return what is wrong with an sdist that has to hold the files ``wanted``, and no others but its own PKG-INFO."""
    with tarfile.open(sdist) as archive:
        files = [member.name for member in archive if not member.isdir()]
    top = sdist.name.removesuffix(".tar.gz") + "/"
    inside = {name.removeprefix(top) for name in files}
    return [
        *(f"{name} is not below {top}" for name in files if not name.startswith(top)),
        *(f"{name} is missing" for name in sorted((wanted | {"PKG-INFO"}) - inside)),
        *(f"{name} does not belong there" for name in sorted(inside - wanted - {"PKG-INFO"})),
    ]


def wheel_faults(wheel: Path, package: set[str]) -> list[str]:
    """Return what is wrong with a repaired wheel that has to hold the files ``package`` of the folder cueline."""
    name, version, *_, platform = wheel.stem.split("-")
    with zipfile.ZipFile(wheel) as archive:
        files = [entry for entry in archive.namelist() if not entry.endswith("/")]
    ours = (f"{name}/", f"{name}-{version}.dist-info/")
    modules = [entry for entry in files if re.search(r"\.so(\.|$)", entry)]
    faults = [
        *(f"{entry} is missing" for entry in sorted(package - set(files))),
        *(f"{entry} does not belong there" for entry in files if not entry.startswith(ours) or "__pycache__" in entry),
        *([] if any(entry.endswith("/licenses/LICENSE") for entry in files) else ["it has no LICENSE"]),
        *(
            []
            if platform.startswith("manylinux_")
            else [f"it is for {platform}, and not for every Linux from some age on"]
        ),
    ]
    if len(modules) != 1 or not re.fullmatch(rf"{name}/_core\.cpython-\w+-[\w-]+\.so", modules[0]):
        return [*faults, f"one compiled module belongs there, and it has {modules}"]
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive:
        return faults + module_faults(Path(archive.extract(modules[0], folder)))


def module_faults(module: Path) -> list[str]:
    """Return what is wrong with how a compiled module is linked."""
    read = subprocess.run(["readelf", "-dW", module], capture_output=True, text=True, timeout=60, check=True).stdout
    needed = re.findall(r"\(NEEDED\).*\[(.+)\]", read)
    return [
        *(f"the module needs {name}" for name in needed if not ALLOWED.fullmatch(name)),
        *([] if any(name.startswith("libc.so") for name in needed) else ["the module's needs could not be read"]),
        *([] if "BIND_NOW" in read else ["the audio thread would look for symbols: the module does not bind at once"]),
        *(
            ["it looks for libraries in places of the machine that built it"]
            if re.search(r"\(R(UN)?PATH\)", read)
            else []
        ),
    ]
