"""cueline: a line from Python to the real-time thread of an audio engine."""

from importlib.metadata import version as _version

from cueline._core import DeviceLost, FormatChanged, Level, Message, Pong, Status
from cueline.device_list import Device, devices
from cueline.engine import AudioEngine, BufferStats, RingStats, Stats
from cueline.errors import (
    ArgumentError,
    ArgumentTypeError,
    ClosedError,
    DeviceError,
    Empty,
    Error,
    ForkedError,
    MissingPackageError,
    ProcessorError,
)

__all__ = [
    "ArgumentError",
    "ArgumentTypeError",
    "AudioEngine",
    "BufferStats",
    "ClosedError",
    "Device",
    "DeviceError",
    "DeviceLost",
    "Empty",
    "Error",
    "ForkedError",
    "FormatChanged",
    "Level",
    "Message",
    "MissingPackageError",
    "Pong",
    "ProcessorError",
    "RingStats",
    "Stats",
    "Status",
    "devices",
]

__version__ = _version("cueline")
