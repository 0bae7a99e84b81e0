"""cueline: a line from Python to the real-time thread of an audio engine."""

from importlib.metadata import version as _version

from cueline._core import DeviceLost, FormatChanged, Level, Message, Pong, Status
from cueline.device_list import Device, devices
from cueline.engine import AudioEngine, RingStats, Stats
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
    UnknownNameError,
)
from cueline.meters import Meters, MeterSpec
from cueline.parameters import Parameters, ParameterSpec

__all__ = [
    "ArgumentError",
    "ArgumentTypeError",
    "AudioEngine",
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
    "MeterSpec",
    "Meters",
    "MissingPackageError",
    "ParameterSpec",
    "Parameters",
    "Pong",
    "ProcessorError",
    "RingStats",
    "Stats",
    "Status",
    "UnknownNameError",
    "devices",
]

__version__ = _version("cueline")
