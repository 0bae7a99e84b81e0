"""The doctor's checks: each verdict of each check, from made-up file trees."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from cueline.commands.doctor import build, container, kernel, permissions, servers
from cueline.commands.doctor.findings import Finding, Verdict
from cueline.commands.doctor.machine import Machine

USER, AUDIO, PIPEWIRE = 1000, 29, 110
PRIVILEGED = "CapEff:\t000001ffffffffff"
ORDINARY = "CapEff:\t0000000000000000"
DOCKER = {"/.dockerenv": ""}
AUDIO_CONF = {"/etc/security/limits.d/audio.conf": "# by jackd\n@audio   -  rtprio     95\n"}

Make = Callable[..., Machine]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return a function that makes a machine out of files."""

    def make(
        *trees: Mapping[str, str], groups: frozenset[int] = frozenset({USER}), runtime: str | None = None
    ) -> Machine:
        for tree in trees:
            for path, text in tree.items():
                file = tmp_path / path.lstrip("/")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text + "\n")
        return Machine(root=tmp_path, groups=groups, user="ada", runtime_folder=runtime)

    return make


def limits(*, priority: str = "0", locked: str = "8388608") -> dict[str, str]:
    return {
        "/proc/self/limits": "Limit                     Soft Limit           Hard Limit           Units     \n"
        f"Max locked memory         {locked:<20} unlimited            bytes     \n"
        f"Max realtime priority     {priority:<20} 99                             "
    }


def status(capabilities: str = ORDINARY, cpus: str = "0-3") -> dict[str, str]:
    return {"/proc/self/status": f"Name:\tpython\nUid:\t1000\n{capabilities}\nCpus_allowed_list:\t{cpus}"}


def is_ok(finding: Finding, found: str) -> bool:
    return (finding.verdict, finding.fix, found in finding.found) == (Verdict.OK, None, True)


def is_warned(finding: Finding, found: str, fix: str) -> bool:
    return finding.verdict is Verdict.WARN and found in finding.found and fix in str(finding.fix)


def is_failed(finding: Finding, found: str, fix: str) -> bool:
    return finding.verdict is Verdict.FAIL and found in finding.found and fix in str(finding.fix)


# --- Permissions


def test_priority_that_was_granted_is_ok(make: Make) -> None:
    machine = make(limits(priority="95"), status())
    assert is_ok(permissions.realtime_priority(machine, granted=True), "granted (rtprio limit 95)")


def test_root_needs_no_limit_of_priority(make: Make) -> None:
    machine = make(limits(), status(PRIVILEGED))
    assert is_ok(permissions.realtime_priority(machine, granted=True), "(rtprio limit 0, CAP_SYS_NICE)")


def test_too_low_a_priority_is_warned_of(make: Make) -> None:
    machine = make(limits(priority="3"), status())
    assert is_warned(permissions.realtime_priority(machine, granted=True), "below priority 4", "@audio - rtprio 95")


def test_priority_that_is_not_permitted_fails_and_the_limits_mend_it(make: Make) -> None:
    finding = permissions.realtime_priority(make(limits(), status()), granted=False)
    assert is_failed(
        finding, "not granted (rtprio limit 0)", "sudo tee /etc/security/limits.d/audio.conf && sudo usermod"
    )


def test_priority_that_is_permitted_and_refused_fails_and_another_unit_mends_it(make: Make) -> None:
    finding = permissions.realtime_priority(make(limits(priority="95"), status()), granted=False)
    assert is_failed(finding, "not granted (rtprio limit 95)", "sudo systemd-run --pty")


def test_priority_that_a_container_refuses_fails_and_its_options_mend_it(make: Make) -> None:
    finding = permissions.realtime_priority(make(limits(priority="95"), status(), DOCKER), granted=False)
    assert is_failed(
        finding, "not granted", "docker run --ulimit rtprio=95 --ulimit memlock=-1 --cap-add SYS_NICE IMAGE"
    )


def test_a_podman_container_is_told_of_podman(make: Make) -> None:
    finding = permissions.realtime_priority(make(limits(), status(), {"/run/.containerenv": ""}), granted=False)
    assert is_failed(finding, "not granted", "podman run --ulimit")


def test_memory_that_is_locked_is_ok(make: Make) -> None:
    assert is_ok(permissions.locked_memory(make(limits(), status()), granted=True), "granted (limit 8192 KiB)")
    assert is_ok(permissions.locked_memory(make(limits(locked="unlimited"), status()), granted=True), "no limit")


def test_memory_that_is_not_locked_is_warned_of(make: Make) -> None:
    finding = permissions.locked_memory(make(limits(locked="65536"), status()), granted=False)
    assert is_warned(finding, "not granted (limit 64 KiB)", "@audio - memlock unlimited")
    finding = permissions.locked_memory(make(DOCKER), granted=False)
    assert is_warned(finding, "not granted", "--ulimit memlock=-1")


def test_a_limit_of_locked_memory_that_is_used_up_is_warned_of(make: Make) -> None:
    finding = permissions.locked_memory(make(limits(locked="524288"), status()), granted=True)
    assert is_warned(finding, "no room for more (limit 512 KiB)", "memlock unlimited")
    assert is_ok(permissions.locked_memory(make(status(PRIVILEGED)), granted=True), "CAP_IPC_LOCK")


def group(*members: str) -> dict[str, str]:
    return {"/etc/group": f"root:x:0:\naudio:x:{AUDIO}:{','.join(members)}\npipewire:x:{PIPEWIRE}:"}


def test_a_member_of_the_audio_group_is_ok(make: Make) -> None:
    machine = make(status(), limits(), group("ada"), AUDIO_CONF, groups=frozenset({USER, AUDIO}))
    assert is_ok(permissions.audio_group(machine), "member of audio")


def test_any_group_that_has_priority_will_do(make: Make) -> None:
    pipewire = {"/etc/security/limits.d/95-pipewire.conf": "@pipewire - rtprio 95"}
    machine = make(status(), group(), pipewire, groups=frozenset({PIPEWIRE}))
    assert is_ok(permissions.audio_group(machine), "member of pipewire")
    machine = make(status(), groups=frozenset({USER}))
    assert is_warned(permissions.audio_group(machine), "not a member of pipewire", "sudo usermod -aG pipewire $USER")


def test_who_is_in_no_such_group_is_warned(make: Make) -> None:
    machine = make(status(), limits(), group(), AUDIO_CONF)
    assert is_warned(permissions.audio_group(machine), "not a member of audio", "sudo usermod -aG audio $USER")


def test_who_joined_after_the_login_is_told_to_log_in_again(make: Make) -> None:
    machine = make(status(), limits(), group("bob", "ada"), AUDIO_CONF)
    assert is_warned(permissions.audio_group(machine), "after the next login", "exec su - $USER")


def test_a_group_without_priority_is_warned_of(make: Make) -> None:
    """Debian's jackd leaves its file there under this name if it was set up without real-time priority."""
    disabled = {"/etc/security/limits.d/audio.conf.disabled": "@audio - rtprio 95"}
    commented = {"/etc/security/limits.conf": "#@audio - rtprio 95\n@audio - rtprio 0\n@audio - nice -19"}
    machine = make(status(), group("ada"), disabled, commented, groups=frozenset({AUDIO}))
    assert is_warned(permissions.audio_group(machine), "no group", "sudo tee /etc/security/limits.d/audio.conf")


def test_root_a_container_and_a_raised_limit_need_no_group(make: Make) -> None:
    assert is_ok(permissions.audio_group(make(status(), limits(priority="95"))), "high enough without it")
    assert is_ok(permissions.audio_group(make(limits(), DOCKER)), "in a container")
    assert is_ok(permissions.audio_group(make(status(PRIVILEGED))), "privileged")


# --- The kernel

GOVERNOR = "/sys/devices/system/cpu/cpu{}/cpufreq/scaling_governor"


def test_a_governor_that_keeps_the_clock_up_is_ok(make: Make) -> None:
    machine = make({GOVERNOR.format(0): "performance", GOVERNOR.format(11): "performance"})
    assert is_ok(kernel.governor(machine), "performance")


def test_one_cpu_that_saves_power_is_warned_of(make: Make) -> None:
    machine = make({GOVERNOR.format(0): "performance", GOVERNOR.format(11): "powersave"})
    assert is_warned(kernel.governor(machine), "performance, powersave", "echo performance | sudo tee /sys/devices")


def test_no_governor_is_no_fault_of_a_virtual_machine(make: Make) -> None:
    assert is_ok(kernel.governor(make({"/sys/devices/system/cpu/online": "0-1"})), "virtual machines")


VERSION, DEBUG = "/proc/sys/kernel/version", "/sys/kernel/debug/sched/preempt"
DYNAMIC = {VERSION: "#1 SMP PREEMPT_DYNAMIC Debian 6.1.90-1", "/proc/sys/kernel/osrelease": "6.1.0-21-amd64"}


@pytest.mark.parametrize(
    ("tree", "found"),
    [
        ({"/sys/kernel/realtime": "1"}, "PREEMPT_RT (/sys/kernel/realtime)"),
        ({VERSION: "#1 SMP PREEMPT_RT Debian 6.1.90-1"}, "PREEMPT_RT (uname -v)"),
        ({VERSION: "#1 SMP PREEMPT Ubuntu"}, "full (uname -v)"),
        (DYNAMIC | {DEBUG: "none voluntary (full)"}, "full (/sys/kernel/debug/sched/preempt)"),
        (DYNAMIC | {DEBUG: "none voluntary full (lazy)"}, "lazy (/sys"),
        (DYNAMIC | {"/proc/cmdline": "quiet preempt=none preempt=full"}, "full (kernel parameter)"),
        (DYNAMIC | {"/boot/config-6.1.0-21-amd64": "CONFIG_PREEMPT=y"}, "full (the kernel's configuration)"),
    ],
)
def test_a_kernel_that_lets_go_at_once_is_ok(make: Make, tree: Mapping[str, str], found: str) -> None:
    assert is_ok(kernel.preemption(make(tree)), found)


@pytest.mark.parametrize(
    ("tree", "found"),
    [
        ({DEBUG: "none (voluntary) full", "/proc/cmdline": "preempt=full"}, "voluntary (/sys"),
        ({"/proc/cmdline": "preempt=none"}, "none (kernel parameter)"),
        ({"/boot/config-6.1.0-21-amd64": "# CONFIG_PREEMPT is not set\nCONFIG_PREEMPT_VOLUNTARY=y"}, "voluntary (the"),
        ({"/boot/config-5.10.0-amd64": "CONFIG_PREEMPT=y"}, "unknown"),
        ({"/sys/kernel/realtime": "0"}, "unknown"),
    ],
)
def test_a_kernel_that_can_be_told_to_let_go_is_warned_of(make: Make, tree: Mapping[str, str], found: str) -> None:
    fix = "$GRUB_CMDLINE_LINUX_DEFAULT preempt=full\"' | sudo tee /etc/default/grub.d/preempt.cfg && sudo update-grub"
    assert is_warned(kernel.preemption(make(DYNAMIC, tree)), found, fix)


@pytest.mark.parametrize(
    ("release", "fix"),
    [
        ("ID=debian", "sudo apt install linux-image-rt-$(dpkg --print-architecture)"),
        ("NAME=Ubuntu\nID=ubuntu\nID_LIKE=debian", "sudo apt install linux-lowlatency"),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"', "sudo apt install linux-lowlatency"),
    ],
)
def test_a_kernel_that_never_lets_go_is_warned_of(make: Make, release: str, fix: str) -> None:
    machine = make({VERSION: "#1 SMP Debian 5.10.1", "/proc/cmdline": "preempt=full", "/etc/os-release": release})
    assert is_warned(kernel.preemption(machine), "voluntary or none (uname -v)", fix)


def test_interrupts_in_threads_are_ok(make: Make) -> None:
    assert is_ok(kernel.threaded_interrupts(make({"/proc/cmdline": "quiet threadirqs"})), "threadirqs")
    assert is_ok(kernel.threaded_interrupts(make({"/sys/kernel/realtime": "1", "/proc/cmdline": ""})), "PREEMPT_RT")


def test_interrupts_without_threads_are_warned_of(make: Make) -> None:
    machine = make({"/proc/cmdline": "quiet nothreadirqs"})
    assert is_warned(
        kernel.threaded_interrupts(machine), "off", "threadirqs\"' | sudo tee /etc/default/grub.d/threadirqs"
    )
    assert is_warned(kernel.threaded_interrupts(make(DOCKER)), "off", "# on the host, then reboot")


def test_the_line_for_grub_makes_a_file_that_a_shell_reads(make: Make, tmp_path: Path) -> None:
    """Run the command, with a folder of ours in place of the root."""
    fix = str(kernel.threaded_interrupts(make()).fix).replace("sudo ", "").replace("/etc/", f"{tmp_path}/")
    made = tmp_path / "default/grub.d/threadirqs.cfg"
    made.parent.mkdir(parents=True)
    program = f"update-grub() {{ :; }}; {fix}\n. {made}; echo $GRUB_CMDLINE_LINUX_DEFAULT"
    environment = {"GRUB_CMDLINE_LINUX_DEFAULT": "quiet", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        ["bash", "-c", program], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "quiet threadirqs"


SLACK = "/proc/self/timerslack_ns"


def test_timers_of_common_slack_are_ok(make: Make) -> None:
    assert is_ok(kernel.timer_slack(make({SLACK: "50000"})), "50 us")
    assert is_ok(kernel.timer_slack(make({SLACK: "1"})), "0.001 us")


def test_a_kernel_may_keep_its_slack_to_itself(make: Make) -> None:
    assert is_ok(kernel.timer_slack(make()), "not reported")


def test_slack_timers_are_warned_of(make: Make) -> None:
    assert is_warned(kernel.timer_slack(make({SLACK: "4000000"})), "4000 us", "echo 50000 > /proc/$$/timerslack_ns")


# --- Containers and control groups

SCOPE = "/user.slice/session-1.scope"
CPU_V1 = {"/proc/self/cgroup": "4:cpu,cpuacct:/docker/1f\n1:name=systemd:/\n0::/"}


def test_no_quota_is_ok(make: Make) -> None:
    tree = {"/proc/self/cgroup": f"0::{SCOPE}", f"/sys/fs/cgroup{SCOPE}/cpu.max": "max 100000"}
    assert is_ok(container.cpu_quota(make(tree), realtime=False), "none (no container)")


def test_a_container_is_named(make: Make) -> None:
    assert is_ok(container.cpu_quota(make(DOCKER), realtime=False), "none (container: docker)")


@pytest.mark.parametrize(
    "tree",
    [{"/run/systemd/container": "systemd-nspawn"}, {"/proc/1/cgroup": "4:cpu:/lxc/1\n"}, {"/.dockerenv": ""}],
)
def test_containers_are_known_by_what_they_leave(make: Make, tree: Mapping[str, str]) -> None:
    assert make({"/proc/1/cgroup": "0::/init.scope"}).container is None
    assert make(tree).container in ("systemd-nspawn", "lxc", "docker")


def test_a_quota_of_a_group_above_ours_holds_python_back(make: Make) -> None:
    tree = {"/proc/self/cgroup": f"0::{SCOPE}", "/sys/fs/cgroup/user.slice/cpu.max": "50000 100000"}
    finding = container.cpu_quota(make(tree), realtime=True)
    assert is_warned(finding, "50000 us of every 100000 us", "echo max | sudo tee /sys/fs/cgroup/user.slice/cpu.max")


def test_a_quota_fails_an_audio_thread_that_has_no_priority(make: Make) -> None:
    tree = {"/proc/self/cgroup": "0::/", "/sys/fs/cgroup/cpu.max": "50000 100000"}
    finding = container.cpu_quota(make(tree, DOCKER), realtime=False)
    assert is_failed(finding, "the audio thread is held up too", "docker run")
    assert str(finding.fix).endswith("# without --cpus and --cpu-quota")


def test_a_quota_of_version_1_is_found_too(make: Make) -> None:
    folder = "/sys/fs/cgroup/cpu,cpuacct"
    tree = {f"{folder}/cpu.cfs_quota_us": "150000", f"{folder}/cpu.cfs_period_us": "200000"}
    finding = container.cpu_quota(make(CPU_V1, tree), realtime=True)
    assert is_warned(finding, "150000 us of every 200000 us", f"echo -1 | sudo tee {folder}/cpu.cfs_quota_us")
    machine = make(CPU_V1, {f"{folder}/cpu.cfs_quota_us": "-1"})
    assert is_ok(container.cpu_quota(machine, realtime=True), "none")


ONLINE = "/sys/devices/system/cpu/online"


def test_two_cpus_are_ok_and_so_is_the_only_one(make: Make) -> None:
    assert is_ok(container.cpus(make(status(cpus="0,2"), {ONLINE: "0-3"})), "2 of 4")
    assert is_ok(container.cpus(make(status(cpus="0"), {ONLINE: "0"})), "1 of 1")


def test_one_cpu_of_several_is_warned_of(make: Make) -> None:
    machine = make(status(cpus="3"), {ONLINE: "0-2,4-7"})
    assert is_warned(container.cpus(machine), "1 of 7", "sudo taskset -cp 0-2,4-7 $$")
    assert is_warned(container.cpus(make(DOCKER)), "1 of 7", "# without --cpuset-cpus")


RUNTIME = "/proc/sys/kernel/sched_rt_runtime_us"
PERIOD = {"/proc/sys/kernel/sched_rt_period_us": "1000000"}


def test_the_kernels_own_share_for_real_time_is_ok(make: Make) -> None:
    assert is_ok(container.realtime_share(make({RUNTIME: "950000"}, PERIOD)), "95%")
    assert is_ok(container.realtime_share(make({RUNTIME: "-1"})), "all of it")


def test_a_kernel_may_have_no_such_share(make: Make) -> None:
    assert is_ok(container.realtime_share(make()), "not reported")


def test_a_small_share_is_warned_of_and_none_fails(make: Make) -> None:
    fix = "sudo sysctl -w kernel.sched_rt_runtime_us=950000"
    assert is_warned(container.realtime_share(make({RUNTIME: "400000"}, PERIOD)), "40%", fix)
    assert is_failed(container.realtime_share(make({RUNTIME: "0"})), "0%", fix)


def test_a_control_group_without_a_share_fails(make: Make) -> None:
    file = "/sys/fs/cgroup/cpu/docker/1f/cpu.rt_runtime_us"
    machine = make(CPU_V1, {file: "0", RUNTIME: "950000"})
    assert is_failed(container.realtime_share(machine), f"none in this control group ({file})", f"sudo tee {file}")
    assert is_failed(
        container.realtime_share(make(DOCKER)), "none in", "--cap-add SYS_NICE --cpu-rt-runtime=950000 IMAGE"
    )
    assert is_ok(container.realtime_share(make({file: "950000"})), "95%")


# --- Builds and servers


def test_atomics_with_a_lock_fail() -> None:
    assert is_ok(build.atomics(lock_free=True), "64 bits")
    assert is_failed(
        build.atomics(lock_free=False), "not for 64 bits", "pip install --force-reinstall --no-binary cueline"
    )


def test_this_build_has_lock_free_atomics() -> None:
    """The ring would not compile without it."""
    assert is_ok(build.atomics(), "64 bits")


def test_a_build_without_an_audio_library_is_warned_of() -> None:
    assert is_ok(build.audio_libraries(), "built with JACK and PortAudio")
    for missing in ("JACK", "PortAudio", "JACK and PortAudio"):
        assert is_warned(
            build.audio_libraries(missing=missing), f"built without {missing}", "libjack-jackd2-dev portaudio19-dev"
        )


def test_a_gil_may_be_on_or_off() -> None:
    assert is_ok(build.gil(enabled=True, free_threaded=False), "on")
    assert is_ok(build.gil(enabled=True, free_threaded=True), "on, in a free-threaded build")
    assert is_ok(build.gil(enabled=False, free_threaded=True), "off (free-threaded)")


def unix_socket(path: str, flags: str = "00010000") -> dict[str, str]:
    rows = [
        "Num       RefCount Protocol Flags    Type St Inode Path",
        f"0000: 00000002 00000000 {flags} 0001 01 268982 {path}",
    ]
    return {"/proc/net/unix": "\n".join([*rows, "0000: 00000003 00000000 00000000 0001 03  1057"])}


@pytest.mark.parametrize(
    ("tree", "found"),
    [
        ({"/proc/12/comm": "bash", "/proc/345/comm": "jackd"}, "JACK (process 345)"),
        ({"/proc/7/comm": "jackdbus"}, "JACK (process 7)"),
        ({"/proc/8/comm": "pipewire", "/run/user/1000/pipewire-0": ""}, "PipeWire (process 8)"),
        (unix_socket("/run/user/1000/pipewire-0"), "PipeWire (/run/user/1000/pipewire-0)"),
        (unix_socket("/dev/shm/jack_default_0_0"), "JACK (/dev/shm/jack_default_0_0)"),
        (DOCKER | {"/mine/pipewire-0": ""}, "PipeWire (/mine/pipewire-0, if it runs outside)"),
        ({"/proc/8/comm": "pipewire", "/proc/9/comm": "jackd"}, "JACK (process 9), PipeWire (process 8)"),
    ],
)
def test_a_sound_server_that_runs_is_named(make: Make, tree: Mapping[str, str], found: str) -> None:
    assert is_ok(servers.sound_server(make(tree, runtime="/mine")), found)


def test_no_sound_server_is_warned_of(make: Make) -> None:
    """The leftovers of a killed server do not count, and neither does a server for PulseAudio programs only."""
    left = {"/dev/shm/jack-shm-registry": "", "/dev/shm/jack_default_0_0": "", "/mine/pipewire-0": ""}
    others = {"/proc/5/comm": "pipewire-pulse", "/proc/1/comm": "init"} | unix_socket("/dev/shm/jack_x_0_0", "00000000")
    finding = servers.sound_server(make(left, others, runtime="/mine"))
    assert is_warned(finding, "none", "systemctl --user enable --now pipewire wireplumber")


def test_a_default_that_forks_is_warned_of() -> None:
    assert is_warned(build.start_method(method="fork"), "fork", "set_start_method('forkserver')")
    assert is_ok(build.start_method(method="forkserver"), "forkserver")
    assert is_ok(build.start_method(method="spawn"), "spawn")
