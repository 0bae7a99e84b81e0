"""uses.py: what a user types where cueline is installed, or frozen, without an audio library, and what that prints."""

from __future__ import annotations

from collections.abc import Sequence

from shipping.empty_root import EmptyRoot
from shipping.refusal import refuse

# The arguments of the command, what it may exit with, and parts of what it prints.
Use = tuple[str, tuple[int, ...], list[str]]
USES: list[Use] = [
    ("--version", (0,), ["cueline "]),
    ("ping --count 3", (0,), ["null device", "3 sent, 3 received, 0 dropped"]),
    (
        "devices",
        (0,),
        [
            "*  null",
            "jack: the library libjack.so.0 is missing",
            "on Debian type: apt-get install libjack-jackd2-0",
            "portaudio: the library libportaudio.so.2 is missing",
            "on Debian type: apt-get install libportaudio2",
        ],
    ),
    ("doctor --seconds 1", (0, 1, 2), ["sound server", "none: neither JACK nor PipeWire runs", " OK, "]),
    ("ping --device jack", (2,), ["the library libjack.so.0 is missing"]),
    ("ping --device portaudio", (2,), ["the library libportaudio.so.2 is missing"]),
]

# The same of a frozen application, with more commands: each module has to be found, and what is left out is said.
FROZEN: list[Use] = [
    *(use for use in USES if not use[0].startswith("doctor")),
    ("doctor --seconds 0.1", (0, 1, 2), ["sound server", " OK, "]),
    ("tone --device null --seconds 0.1", (0,), ["s played: rms"]),
    (
        "tone --seconds 1 --wav /tmp/tone.wav",
        (2,),
        ["soundfile, which writes sound files", "pip install 'cueline[files]'"],
    ),
    ("play /tmp/tone.wav --device null", (2,), ["cannot read /tmp/tone.wav"]),
    ("header json", (2,), ["json defines no messages"]),
    ("--includedir", (2,), ["a frozen application does not bring what C++ is built against"]),
    ("bench", (2,), ["a frozen application has none"]),
]


def use(root: EmptyRoot, program: str, uses: Sequence[Use]) -> None:
    """Run ``program``, which is cueline's command, for each of ``uses``. Raises Refused if it prints something else."""
    for arguments, statuses, said in uses:
        done = root.run(program, *arguments.split(), captured=True)
        told = done.stdout if done.returncode in (0, 1) else done.stdout + done.stderr
        print(f"$ cueline {arguments}\n{done.stdout}{done.stderr}-> {done.returncode}")
        faults = [f"it does not say {text!r}" for text in said if text not in told]
        if done.returncode not in statuses:
            faults.append(f"it exits with {done.returncode}")
        if "Traceback" in done.stderr or done.stderr.count("\n") > 1:
            faults.append(f"it has more to say than a line: {done.stderr}")
        refuse(f"cueline {arguments}", faults)
