"""How the kernel gives the processor away: preemption, interrupts, clock rate, timers."""

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
    """Judge how the clock rate of the CPUs is set."""
    name, why = "CPU governor", "a clock that has to speed up first makes blocks late"
    texts = map(machine.text, machine.paths("/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor"))
    governors = sorted({text for text in texts if text})
    if not governors:
        return ok(name, "none, as on most virtual machines: the clock is not ours to set", why)
    if governors == ["performance"]:
        return ok(name, "performance", why)
    return warn(name, ", ".join(governors), why, f"{_PERFORMANCE}  # until the next start")


def preemption(machine: Machine) -> Finding:
    """Judge whether the kernel lets go of the processor at once when a real-time thread wants it."""
    name, why = "kernel preemption", "a system call of any program may otherwise keep the audio thread waiting"
    model, where = _preemption_model(machine)
    if model in ("PREEMPT_RT", "full", "lazy"):  # lazy means other threads: a real-time one comes at once
        return ok(name, f"{model} ({where})", why)
    if "PREEMPT_DYNAMIC" in _version(machine):
        return warn(name, f"{model} ({where})", why, _boot_parameter(machine, "preempt=full"))
    return warn(name, f"{model} ({where})", why, f"{_RT_KERNEL[_distribution(machine)]}  {_reboot(machine)}")


def threaded_interrupts(machine: Machine) -> Finding:
    """Judge whether interrupts are handled by threads, before which the audio thread can be put."""
    name, why = "threaded interrupts", "what other devices' interrupts have to do otherwise comes before the audio"
    if _preemption_model(machine)[0] == "PREEMPT_RT":
        return ok(name, "on, as PREEMPT_RT has it", why)
    if "threadirqs" in _command_line(machine):
        return ok(name, "on (threadirqs)", why)
    return warn(name, "off", why, _boot_parameter(machine, "threadirqs"))


def timer_slack(machine: Machine) -> Finding:
    """Judge how much later than asked Python's sleeps may end. The audio thread takes care of its own."""
    name, why = "timer slack", "Python's threads look for messages so much later; the audio thread sets its own"
    slack_ns = machine.number("/proc/self/timerslack_ns")
    if slack_ns is None:
        return ok(name, "not told by this kernel", why)
    found = f"{slack_ns / 1000:g} us"
    if slack_ns <= _DEFAULT_SLACK_NS:
        return ok(name, found, why)
    return warn(
        name, found, why, f"echo {_DEFAULT_SLACK_NS} > /proc/$$/timerslack_ns  # in the shell that starts Python"
    )


def _preemption_model(machine: Machine) -> tuple[str, str]:
    """Return the kernel's preemption model, and what says so: the first of those that can be read and is sure."""
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
    return "unknown", "PREEMPT_DYNAMIC, and nothing that can be read here says which"


def _version(machine: Machine) -> str:
    return machine.text("/proc/sys/kernel/version") or ""


def _command_line(machine: Machine) -> list[str]:
    return (machine.text("/proc/cmdline") or "").split()


def _distribution(machine: Machine) -> str:
    """Return that of the two whose way to other kernels is to be told."""
    release = machine.text("/etc/os-release") or ""
    return "ubuntu" if re.search(r"^ID(_LIKE)?=.*ubuntu", release, flags=re.MULTILINE) else "debian"


def _boot_parameter(machine: Machine, parameter: str) -> str:
    """Return the line that adds it to what GRUB starts the kernel with."""
    name = parameter.partition("=")[0]
    setting = f'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT {parameter}"'
    return f"echo '{setting}' | sudo tee /etc/default/grub.d/{name}.cfg && sudo update-grub  {_reboot(machine)}"


def _reboot(machine: Machine) -> str:
    return "# on the host, then reboot" if machine.container else "# then reboot"
