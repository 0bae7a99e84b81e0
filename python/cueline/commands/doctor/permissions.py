"""The rights of this user: real-time priority, locked memory, and the group that grants them."""

from __future__ import annotations

import re

from cueline.commands.doctor.findings import Finding, fail, ok, warn
from cueline.commands.doctor.machine import CAP_IPC_LOCK, CAP_SYS_NICE, Machine

__all__ = ["audio_group", "locked_memory", "realtime_priority"]

_WANTED_PRIORITY = 4  # the priority of the null device's thread
_WANTED_LOCKED_BYTES = 2**20  # an engine on the null device locks a quarter of that

_JOIN = "sudo usermod -aG audio $USER"
_GRANT = "printf '@audio - rtprio 95\\n@audio - memlock unlimited\\n' | sudo tee /etc/security/limits.d/audio.conf"
_ELSEWHERE = (
    "sudo systemd-run --pty --uid=$USER --property=LimitRTPRIO=95 $(command -v cueline) doctor  # not in this unit"
)
_AGAIN = "# then log out and in again"


def realtime_priority(machine: Machine, *, granted: bool) -> Finding:
    """Judge the limit of real-time priority, and whether the audio thread was ``granted`` SCHED_FIFO."""
    name, why = "real-time priority", "without it, any busy program can delay the audio thread"
    limit = int(min(machine.limit("realtime priority"), 99))
    capable = machine.capable(CAP_SYS_NICE)
    permitted = f"rtprio limit {limit}" + (", CAP_SYS_NICE" if capable else "")
    if granted and (capable or limit >= _WANTED_PRIORITY):
        return ok(name, f"SCHED_FIFO granted ({permitted})", why)
    fix = _limits(machine)
    if granted:
        return warn(name, f"SCHED_FIFO granted, but below priority {_WANTED_PRIORITY} ({permitted})", why, fix)
    if machine.container is None and (capable or limit > 0):  # the limits permit it, so something else refuses it
        fix = _ELSEWHERE
    return fail(name, f"SCHED_FIFO not granted ({permitted})", why, fix)


def locked_memory(machine: Machine, *, granted: bool) -> Finding:
    """Judge the limit of locked memory, and whether the engine was ``granted`` its share."""
    name, why = "locked memory", "memory that was swapped out costs the audio thread milliseconds"
    limit = machine.limit("locked memory")
    capable = machine.capable(CAP_IPC_LOCK)
    permitted = "no limit" if limit == float("inf") else f"limit {limit / 1024:.0f} KiB"
    permitted += ", CAP_IPC_LOCK" if capable else ""
    fix = _limits(machine)
    if not granted:
        return warn(name, f"not granted ({permitted})", why, fix)
    if not capable and limit < _WANTED_LOCKED_BYTES:
        return warn(name, f"granted, but there is no room for more ({permitted})", why, fix)
    return ok(name, f"granted ({permitted})", why)


def _limits(machine: Machine) -> str:
    """Return the command that raises both limits."""
    return machine.run_container() if machine.container else f"{_GRANT} && {_JOIN}  {_AGAIN}"


def audio_group(machine: Machine) -> Finding:
    """Judge whether this user is in a group that has real-time rights."""
    name, why = "audio group", "its members get real-time priority and locked memory on Debian and Ubuntu"
    if machine.capable(CAP_SYS_NICE) and machine.capable(CAP_IPC_LOCK):
        return ok(name, "not needed: this process is privileged", why)
    granting, numbers, members = _groups_with_priority(machine), _group_numbers(machine), _group_members(machine)
    ours = sorted(group for group in granting if numbers.get(group) in machine.groups)
    if ours:
        return ok(name, f"member of {', '.join(ours)}", why)
    if machine.limit("realtime priority") >= _WANTED_PRIORITY:
        return ok(name, "not needed: the limits are high enough without it", why)
    if machine.container:
        return ok(name, "not needed in a container: its limits come from outside", why)
    if not granting:
        return warn(name, "no group under /etc/security has real-time priority", why, f"{_GRANT} && {_JOIN}  {_AGAIN}")
    group = "audio" if "audio" in granting else min(granting)
    late = sorted(group for group in granting if machine.user in members.get(group, ()))
    if late:
        return warn(
            name, f"member of {late[0]} after the next login", why, f"exec su - $USER  {_AGAIN}, for all programs"
        )
    return warn(name, f"not a member of {group}", why, f"sudo usermod -aG {group} $USER  {_AGAIN}")


def _groups_with_priority(machine: Machine) -> set[str]:
    """Return the groups whose members get real-time priority when they log in."""
    files = ["/etc/security/limits.conf", *machine.paths("/etc/security/limits.d/*.conf")]
    lines = [line for path in files for line in (machine.text(path) or "").splitlines()]
    granted = (re.match(r"\s*@(\S+)\s+(?:-|soft|hard)\s+rtprio\s+[1-9]", line) for line in lines)
    return {match[1] for match in granted if match}


def _group_rows(machine: Machine) -> list[list[str]]:
    """Return the rows of /etc/group: name, password, number, members."""
    rows = [line.split(":") for line in (machine.text("/etc/group") or "").splitlines()]
    return [row for row in rows if len(row) == 4 and row[2].isdigit()]


def _group_numbers(machine: Machine) -> dict[str, int]:
    return {row[0]: int(row[2]) for row in _group_rows(machine)}


def _group_members(machine: Machine) -> dict[str, list[str]]:
    return {row[0]: row[3].split(",") for row in _group_rows(machine)}
