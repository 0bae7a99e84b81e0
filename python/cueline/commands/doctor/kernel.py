"""Checks of the kernel: preemption, interrupts, CPU frequency, timers."""

from __future__ import annotations

import re

from cueline.commands.doctor.findings import Finding, ok, warn
from cueline.commands.doctor.machine import Machine

__all__ = ["governor", "preemption", "threaded_interrupts", "timer_slack"]

_DEFAULT_SLACK_NS = 50_000
_PERFORMANCE = "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"
_RT_KERNEL = {
    "debian": "sudo apt install linux-image-rt-$(dpkg --print-architecture)",
    "ubuntu": "sudo apt install linux-lowlatency",
}


def governor(machine: Machine) -> Finding:
    """Judge the frequency governor of the CPUs."""
    name, why = "CPU governor", "a CPU that has to speed up first makes blocks late"
    texts = map(machine.text, machine.paths("/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor"))
    governors = sorted({text for text in texts if text})
    if not governors:
        return ok(name, "none, as on most virtual machines: the host sets the frequency", why)
    if governors == ["performance"]:
        return ok(name, "performance", why)
    return warn(name, ", ".join(governors), why, f"{_PERFORMANCE}  # until the next boot")


def preemption(machine: Machine) -> Finding:
    """Judge whether a real-time thread gets the CPU at once, even from a system call."""
    name, why = "kernel preemption", "without it, a system call of any program can delay the audio thread"
    model, where = _preemption_model(machine)
    if model in ("PREEMPT_RT", "full", "lazy"):  # lazy applies to other threads: a real-time thread preempts at once
        return ok(name, f"{model} ({where})", why)
    if "PREEMPT_DYNAMIC" in _version(machine):
        return warn(name, f"{model} ({where})", why, _boot_parameter(machine, "preempt=full"))
    return warn(name, f"{model} ({where})", why, f"{_RT_KERNEL[_distribution(machine)]}  {_reboot(machine)}")


def threaded_interrupts(machine: Machine) -> Finding:
    """Judge whether threads handle the interrupts, so that the audio thread can have a higher priority."""
    name, why = "threaded interrupts", "otherwise the interrupts of other devices delay the audio thread"
    if _preemption_model(machine)[0] == "PREEMPT_RT":
        return ok(name, "on (PREEMPT_RT)", why)
    if "threadirqs" in _command_line(machine):
        return ok(name, "on (threadirqs)", why)
    return warn(name, "off", why, _boot_parameter(machine, "threadirqs"))


def timer_slack(machine: Machine) -> Finding:
    """Judge how late Python's sleeps may end. The audio thread sets its own timer slack."""
    name, why = "timer slack", "Python's threads may receive messages this much later; the audio thread sets its own"
    slack_ns = machine.number("/proc/self/timerslack_ns")
    if slack_ns is None:
        return ok(name, "not reported by this kernel", why)
    found = f"{slack_ns / 1000:g} us"
    if slack_ns <= _DEFAULT_SLACK_NS:
        return ok(name, found, why)
    return warn(
        name, found, why, f"echo {_DEFAULT_SLACK_NS} > /proc/$$/timerslack_ns  # in the shell that starts Python"
    )


def _preemption_model(machine: Machine) -> tuple[str, str]:
    """Return the kernel's preemption model and its source: the first reliable source that can be read."""
    version = _version(machine)
    if machine.number("/sys/kernel/realtime") == 1:
        return "PREEMPT_RT", "/sys/kernel/realtime"
    if "PREEMPT_RT" in version:
        return "PREEMPT_RT", "uname -v"
    if chosen := re.search(r"\((\w+)\)", machine.text("/sys/kernel/debug/sched/preempt") or ""):
        return chosen[1], "/sys/kernel/debug/sched/preempt"
    if "PREEMPT_DYNAMIC" not in version:
        return ("full", "uname -v") if "PREEMPT" in version else ("voluntary or none", "uname -v")
    for word in reversed(_command_line(machine)):
        if word.startswith("preempt="):
            return word.removeprefix("preempt="), "kernel parameter"
    release = machine.text("/proc/sys/kernel/osrelease")
    for option, model in (("", "full"), ("_LAZY", "lazy"), ("_VOLUNTARY", "voluntary"), ("_NONE", "none")):
        if re.search(rf"^CONFIG_PREEMPT{option}=y$", machine.text(f"/boot/config-{release}") or "", flags=re.MULTILINE):
            return model, "the kernel's configuration"
    return "unknown", "PREEMPT_DYNAMIC, and no readable file says which model"


def _version(machine: Machine) -> str:
    return machine.text("/proc/sys/kernel/version") or ""


def _command_line(machine: Machine) -> list[str]:
    return (machine.text("/proc/cmdline") or "").split()


def _distribution(machine: Machine) -> str:
    """Return the distribution whose kernel packages to suggest: ubuntu or debian."""
    release = machine.text("/etc/os-release") or ""
    return "ubuntu" if re.search(r"^ID(_LIKE)?=.*ubuntu", release, flags=re.MULTILINE) else "debian"


def _boot_parameter(machine: Machine, parameter: str) -> str:
    """Return the command that adds ``parameter`` to the kernel command line in GRUB."""
    name = parameter.partition("=")[0]
    setting = f'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT {parameter}"'
    return f"echo '{setting}' | sudo tee /etc/default/grub.d/{name}.cfg && sudo update-grub  {_reboot(machine)}"


def _reboot(machine: Machine) -> str:
    return "# on the host, then reboot" if machine.container else "# then reboot"
