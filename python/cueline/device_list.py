"""The devices that an engine can run on."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass

from cueline import _core
from cueline.portaudio_file import look_in_packages

__all__ = ["Device", "Devices", "devices", "warn_of_silence", "warn_of_unused"]


@dataclass(frozen=True)
class Device:
    """A device that can be opened now."""

    device: str | int
    """The value for AudioEngine's ``device``."""
    host_api: str
    name: str
    inputs: int
    """The most channels that it can record."""
    outputs: int
    """The most channels that it can play."""
    samplerate: int
    """Frames a second, unless an engine sets it."""
    blocksize: int
    """Frames in a block, unless an engine sets it."""
    low_latency: float
    """The low latency of its output, in seconds, as the device reports it; of its input, if it only records."""
    high_latency: float
    is_default: bool
    """Whether an engine without ``device=`` plays on it."""
    is_default_input: bool
    """Whether an engine without ``device=``, but with inputs, records from it."""


class Devices(list[Device]):
    """The devices that can be opened now."""

    def __init__(self, found: Iterable[Device], absent: list[str]) -> None:
        super().__init__(found)
        self.absent = absent
        """Why JACK or PortAudio has no device here: one sentence each, which begins with ``jack`` or ``portaudio``."""


def devices() -> Devices:
    """Return all devices that can be opened now. It queries JACK and PortAudio, which may take half a second."""
    look_in_packages()
    listed = _core.list_devices()
    found = [
        Device(
            device=int(entry.device) if entry.device.isdecimal() else entry.device,
            host_api=entry.host_api,
            name=entry.name,
            inputs=entry.inputs,
            outputs=entry.outputs,
            samplerate=entry.samplerate,
            blocksize=entry.blocksize,
            low_latency=entry.low_latency,
            high_latency=entry.high_latency,
            is_default=entry.is_default,
            is_default_input=entry.is_default_input,
        )
        for entry in listed.devices
    ]
    return Devices(found, listed.absent)


def warn_of_silence(absent: list[str]) -> None:
    """Warn that an engine without ``device=`` runs on the null device. ``absent`` is that of ``Devices``."""
    warnings.warn(
        f"this engine is silent: no device with sound was found. {'; '.join(absent)}. If you want no sound, name the "
        "device: AudioEngine('null')",
        RuntimeWarning,
        stacklevel=5,
    )


def warn_of_unused(options: list[str], device: str) -> None:
    """Warn that these options have no effect, because an engine without ``device=`` found another kind of device."""
    warnings.warn(
        f"{', '.join(options)} had no effect: this engine runs on {device!r}, the best device that was found. Name the "
        "device that they are for, or leave them out",
        RuntimeWarning,
        stacklevel=5,
    )
