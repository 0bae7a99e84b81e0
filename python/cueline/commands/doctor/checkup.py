"""All checks, in the order of the report."""

from __future__ import annotations

from cueline.commands.doctor import build, container, kernel, permissions, servers
from cueline.commands.doctor.findings import Finding
from cueline.commands.doctor.lateness import Lateness, lateness
from cueline.commands.doctor.machine import Machine

__all__ = ["checkup"]


def checkup(machine: Machine, measured: Lateness) -> list[Finding]:
    """Check ``machine``, on which ``measured`` was measured."""
    enabled, free_threaded = build.has_gil()
    return [
        permissions.realtime_priority(machine, granted=measured.realtime_priority),
        permissions.locked_memory(machine, granted=measured.memory_locked),
        permissions.audio_group(machine),
        kernel.governor(machine),
        kernel.preemption(machine),
        kernel.threaded_interrupts(machine),
        container.cpus(machine),
        container.cpu_quota(machine, realtime=measured.realtime_priority),
        container.realtime_share(machine),
        build.atomics(),
        build.audio_libraries(),
        build.gil(enabled=enabled, free_threaded=free_threaded),
        build.start_method(),
        kernel.timer_slack(machine),
        lateness(measured),
        servers.sound_server(machine),
    ]
