"""The limits of containers and control groups: CPUs, a CPU quota, and the share of real-time threads."""

from __future__ import annotations

from pathlib import PurePosixPath

from cueline.commands.doctor.findings import Finding, fail, ok, warn
from cueline.commands.doctor.machine import Machine

__all__ = ["cpu_quota", "cpus", "realtime_share"]

_PERIOD_US = 1_000_000  # the kernel's default, if it does not report one
_LEAST_SHARE = 0.5


def cpu_quota(machine: Machine, *, realtime: bool) -> Finding:
    """Judge whether a quota stops this control group for part of the time. It never stops ``realtime`` threads."""
    name, why = "CPU quota", "when it is used up, all ordinary threads of the group stop"
    where = f"container: {machine.container}" if machine.container else "no container"
    for path, quota_us, period_us in _quotas(machine):
        found = f"{quota_us} us of every {period_us} us ({where}; {path})"
        unlimited = "-1" if path.endswith("_us") else "max"
        fix = f"echo {unlimited} | sudo tee {path}"
        if machine.container:
            fix = f"{machine.run_container()}  # without --cpus and --cpu-quota"
        if realtime:
            return warn(name, f"{found}: Python is held up, the audio thread is not", why, fix)
        return fail(name, f"{found}: the audio thread is held up too, because it has no real-time priority", why, fix)
    return ok(name, f"none ({where})", why)


def cpus(machine: Machine) -> Finding:
    """Judge whether the audio thread and Python can have one CPU each."""
    name, why = "CPUs", "on two, the audio thread and Python run at the same time; on one, they take turns"
    status = (machine.text("/proc/self/status") or "").splitlines()
    allowed = next((line.split()[1] for line in status if line.startswith("Cpus_allowed_list:")), "0")
    online = machine.text("/sys/devices/system/cpu/online") or allowed
    found = f"{_size(allowed)} of {_size(online)}"
    if _size(allowed) > 1 or _size(online) == 1:
        return ok(name, found, why)
    if machine.container:
        return warn(name, found, why, f"{machine.run_container()}  # without --cpuset-cpus")
    return warn(name, found, why, f"sudo taskset -cp {online} $$")


def realtime_share(machine: Machine) -> Finding:
    """Judge the share of the time that real-time threads may use, on the machine and in our control group."""
    name, why = "real-time share", "real-time threads stop for the rest of each period"
    for path in _up_from(machine, "cpu", "cpu.rt_runtime_us"):
        if machine.number(path) == 0:
            fix = f"echo 950000 | sudo tee {path}"
            if machine.container:
                fix = machine.run_container("--cpu-rt-runtime=950000") + "  # dockerd needs this option too"
            return fail(name, f"none in this control group ({path})", why, fix)
    runtime_us = machine.number("/proc/sys/kernel/sched_rt_runtime_us")
    period_us = machine.number("/proc/sys/kernel/sched_rt_period_us") or _PERIOD_US
    if runtime_us is None:
        return ok(name, "not reported by this kernel", why)
    if runtime_us < 0:
        return ok(name, "all of it", why)
    found, fix = f"{runtime_us / period_us:.0%}", f"sudo sysctl -w kernel.sched_rt_runtime_us={period_us * 95 // 100}"
    if runtime_us == 0:
        return fail(name, found, why, fix)
    return ok(name, found, why) if runtime_us / period_us >= _LEAST_SHARE else warn(name, found, why, fix)


def _quotas(machine: Machine) -> list[tuple[str, int, int]]:
    """Return each quota that applies: its file, and quota and period in microseconds."""
    quotas = []
    for path in _up_from(machine, "", "cpu.max"):
        words = (machine.text(path) or "").split()
        if len(words) == 2 and words[0].isdigit() and words[1].isdigit():
            quotas.append((path, int(words[0]), int(words[1])))
    for path in _up_from(machine, "cpu", "cpu.cfs_quota_us"):
        quota_us = machine.number(path)
        if quota_us is not None and quota_us > 0:
            quotas.append((path, quota_us, machine.number(path.replace("quota", "period")) or 100_000))
    return quotas


def _up_from(machine: Machine, controller: str, file: str) -> list[str]:
    """Return the paths of this file in our control group and its parents. Version 2 has no ``controller``."""
    group = _group(machine, controller)
    if group is None:
        return []
    roots = ["cpu", "cpu,cpuacct"] if controller else ["", "unified"]
    paths = [
        str(PurePosixPath("/sys/fs/cgroup", root, above.relative_to("/"), file))
        for root in roots
        for above in (group, *group.parents)
    ]
    return [path for path in paths if machine.has(path)]


def _group(machine: Machine, controller: str) -> PurePosixPath | None:
    """Return the control group of this process."""
    for line in (machine.text("/proc/self/cgroup") or "").splitlines():
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if controller in controllers.split(",") and path.startswith("/"):
            return PurePosixPath(path)
    return None


def _size(cpus: str) -> int:
    """Return how many CPUs a list such as ``0-3,7`` has."""
    ranges = [part.split("-") for part in cpus.split(",")]
    return sum(int(numbers[-1]) - int(numbers[0]) + 1 for numbers in ranges)
