"""The devices that an engine can run on."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

from cueline import _core

__all__ = ["Device", "devices", "warn_of_silence"]


@dataclass(frozen=True)
class Device:
    """A device that can be opened now."""

    device: str | int
    """The value for AudioEngine's ``device``."""
    host_api: str
    name: str
    channels: int
    """The most that it can play."""
    samplerate: int
    """Frames a second, unless an engine sets it."""
    blocksize: int
    """Frames in a block, unless an engine sets it."""
    low_latency: float
    """Of its output, in seconds, as the device reports it."""
    high_latency: float
    is_default: bool
    """Whether an engine without ``device=`` runs on it."""


def devices() -> list[Device]:
    """Return all devices that can be opened now. This asks JACK and PortAudio, and may take half a second."""
    return [
        Device(
            device=int(found.device) if found.device.isdecimal() else found.device,
            host_api=found.host_api,
            name=found.name,
            channels=found.channels,
            samplerate=found.samplerate,
            blocksize=found.blocksize,
            low_latency=found.low_latency,
            high_latency=found.high_latency,
            is_default=found.is_default,
        )
        for found in _core.list_devices()
    ]


def warn_of_silence(missing: str) -> None:
    """Warn that an engine without ``device=`` runs on the null device, and that the build lacks these libraries.

    pip hides what CMake prints if their headers are missing.
    """
    warnings.warn(
        f"this engine is silent: no device was found, and cueline was built without {missing}. Install the "
        "headers (on Debian: apt install libjack-jackd2-dev portaudio19-dev) and build cueline again",
        RuntimeWarning,
        stacklevel=3,
    )
