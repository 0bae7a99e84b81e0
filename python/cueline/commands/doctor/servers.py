"""Whether a sound server runs. The check needs no library of JACK or PipeWire."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cueline.commands.doctor.findings import Finding, ok, warn
from cueline.commands.doctor.machine import Machine

__all__ = ["sound_server"]

_PROCESSES = {"jackd": "JACK", "jackdbus": "JACK", "pipewire": "PipeWire"}
_SOCKETS = {r"/dev/shm/jack_\S+_\d+_\d+": "JACK", r"\S+/pipewire-\d+": "PipeWire"}
_LISTENING = r"^\S+ \S+ \S+ 00010000 \S+ \S+ +\d+ (\S+)$"  # a row of /proc/net/unix
_START = "sudo apt install pipewire pipewire-jack wireplumber && systemctl --user enable --now pipewire wireplumber"


def sound_server(machine: Machine) -> Finding:
    """Return which of JACK and PipeWire run."""
    name, why = "sound server", "JACK and PipeWire play on the sound card"
    found = dict([*_outside(machine), *_listening(machine), *_processes(machine)])  # the surest evidence comes last
    if found:
        return ok(name, ", ".join(f"{server} ({where})" for server, where in sorted(found.items())), why)
    return warn(name, "none: neither JACK nor PipeWire runs", why, _START)


def _processes(machine: Machine) -> Iterator[tuple[str, str]]:
    for path in machine.paths("/proc/[0-9]*/comm"):
        if server := _PROCESSES.get(machine.text(path) or ""):
            yield server, f"process {path.split('/')[2]}"


def _listening(machine: Machine) -> Iterator[tuple[str, str]]:
    """Find sockets with a listener: the socket file alone may be left from a killed server."""
    for path in re.findall(_LISTENING, machine.text("/proc/net/unix") or "", flags=re.MULTILINE):
        for pattern, server in _SOCKETS.items():
            if re.fullmatch(pattern, path):
                yield server, path


def _outside(machine: Machine) -> Iterator[tuple[str, str]]:
    """Find PipeWire's socket in a container. If it is mounted from outside, we cannot see its listener."""
    path = f"{machine.runtime_folder}/pipewire-0"
    if machine.container and machine.runtime_folder and machine.has(path):
        yield "PipeWire", f"{path}, if it runs outside"
