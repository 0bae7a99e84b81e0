"""The devices that an engine could run on."""

from __future__ import annotations

from dataclasses import dataclass

from cueline import _core

__all__ = ["Device", "devices"]


@dataclass(frozen=True)
class Device:
    """A device that could be opened now."""

    device: str | int
    """What to pass to AudioEngine as ``device``."""
    host_api: str
    name: str
    channels: int
    """Most that it plays."""
    samplerate: int
    """Frames a second, where none are asked for."""
    blocksize: int
    """Frames in a block, where none are asked for."""
    low_latency: float
    """Of its output, in seconds, as it says itself."""
    high_latency: float
    is_default: bool
    """Whether an engine that asks for no device runs on it."""


def devices() -> list[Device]:
    """Return all devices that could be opened now. Asks JACK and PortAudio: it may take half a second."""
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
