"""All checks, in the order in which they are told."""

from __future__ import annotations

from cueline.doctor import build, container, kernel, permissions, servers
from cueline.doctor.findings import Finding
from cueline.doctor.machine import Machine
from cueline.doctor.wakeups import Wakeups, wakeup_lateness

__all__ = ["checkup"]


def checkup(machine: Machine, wakeups: Wakeups) -> list[Finding]:
    """Examine ``machine``, on which ``wakeups`` were measured."""
    enabled, free_threaded = build.has_gil()
    return [
        permissions.realtime_priority(machine, granted=wakeups.realtime_priority),
        permissions.locked_memory(machine, granted=wakeups.memory_locked),
        permissions.audio_group(machine),
        kernel.governor(machine),
        kernel.preemption(machine),
        kernel.threaded_interrupts(machine),
        container.cpus(machine),
        container.cpu_quota(machine, realtime=wakeups.realtime_priority),
        container.realtime_share(machine),
        build.atomics(),
        build.audio_libraries(),
        build.gil(enabled=enabled, free_threaded=free_threaded),
        kernel.timer_slack(machine),
        wakeup_lateness(wakeups),
        servers.sound_server(machine),
    ]
