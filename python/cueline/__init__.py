"""cueline: a line from Python to the real-time thread of an audio engine."""

from cueline import main_interpreter  # noqa: F401  # first: it must come before the compiled module
from cueline._core import Message, Status
from cueline._core import __version__ as __version__
from cueline.bulk import beat_dtype, dtype, select
from cueline.engine import AudioEngine
from cueline.errors import (
    ArgumentError,
    ArgumentTypeError,
    ClosedError,
    ConfirmationTimeout,
    DeviceError,
    Error,
    ForkedError,
    LinesTakenError,
    LossWarning,
    MissingPackageError,
    ProcessorError,
    StreamEnded,
    StreamsTakenError,
    StreamTimeout,
    TimelineTimeout,
    UnknownNameError,
)
from cueline.line import Line
from cueline.parameters import ParameterArray, Parameters
from cueline.paths import get_cmake_dir, get_include
from cueline.transaction import Transaction

# `import cueline` is quick: it imports neither typing nor dataclasses, which would take longer than all of cueline. So:
# - What only annotations need is imported under TYPE_CHECKING. Type checkers take it as True, whatever its value is.
# - Names whose modules need more at run time are imported when first used, here below. The first engine uses most.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from cueline import sounds
    from cueline.automation import Automation, Curve, Exponential, Linear, Set, Target
    from cueline.beats import Beat, Grid, next_bar, next_beat, next_grid
    from cueline.cfunc import (
        APPLIED,
        DEFERRED,
        DISCARDED_SIGNATURE,
        HANDLE_SIGNATURE,
        REFUSED,
        RENDER_SIGNATURE,
        cfunc_processor,
    )
    from cueline.confirmation import Confirmation, RefusedError
    from cueline.device_list import Device, Devices, devices
    from cueline.fields import Range, array, buffer, f32, f64, i8, i16, i32, i64, u8, u16, u32, u64
    from cueline.files import load
    from cueline.messages import (
        Applied,
        BufferEnded,
        Click,
        ControlChange,
        DeviceLost,
        FormatChanged,
        GetLevel,
        Level,
        MidiBytes,
        NoteOff,
        NoteOn,
        NotFinite,
        PitchBend,
        PlayBuffer,
        Pong,
        Reason,
        Refused,
        SetSlot,
        SetTone,
        SetVoice,
        StopBuffer,
        StopVoice,
        UnloadBuffer,
    )
    from cueline.meters import MeterReading, Meters
    from cueline.midi import from_mido, to_mido
    from cueline.midi_maps import Learning, Midi, MidiMap
    from cueline.part import Part
    from cueline.playback import Playback, PlaybackPosition
    from cueline.processors import OffersProcessor, player_processor
    from cueline.recorded import Block, Gap, RecordingPosition
    from cueline.recording import Recording
    from cueline.ring_errors import Empty, Full
    from cueline.saving import Saving
    from cueline.sequence import Sequence
    from cueline.specs import MeterSpec, ParameterSpec
    from cueline.stats import BufferStats, CueStats, LineStats, MidiStats, RingStats, SequenceStats, Stats, WorstCase
    from cueline.timeline import SetTempo, Timeline
    from cueline.typed import message
    from cueline.voice import Voice
else:
    _NAMES_OF = {
        "automation": "Automation Curve Exponential Linear Set Target",
        "beats": "Beat Grid next_bar next_beat next_grid",
        "cfunc": "APPLIED DEFERRED DISCARDED_SIGNATURE HANDLE_SIGNATURE REFUSED RENDER_SIGNATURE cfunc_processor",
        "confirmation": "Confirmation RefusedError",
        "device_list": "Device Devices devices",
        "fields": "Range array buffer f32 f64 i8 i16 i32 i64 u8 u16 u32 u64",
        "files": "load",
        "messages": (
            "Applied BufferEnded Click ControlChange DeviceLost FormatChanged GetLevel Level MidiBytes NotFinite "
            "NoteOff NoteOn PitchBend PlayBuffer Pong Reason Refused SetSlot SetTone SetVoice StopBuffer StopVoice "
            "UnloadBuffer"
        ),
        "meters": "MeterReading Meters",
        "midi": "from_mido to_mido",
        "midi_maps": "Learning Midi MidiMap",
        "part": "Part",
        "playback": "Playback PlaybackPosition",
        "processors": "OffersProcessor player_processor",
        "recorded": "Block Gap RecordingPosition",
        "recording": "Recording",
        "ring_errors": "Empty Full",
        "saving": "Saving",
        "sequence": "Sequence",
        "specs": "MeterSpec ParameterSpec",
        "stats": "BufferStats CueStats LineStats MidiStats RingStats SequenceStats Stats WorstCase",
        "timeline": "SetTempo Timeline",
        "typed": "message",
        "voice": "Voice",
    }
    _MODULES = {"sounds"}  # whole modules that are imported when first used
    _MODULE_OF = {name: module for module, names in _NAMES_OF.items() for name in names.split()}

    def __getattr__(name):
        if name not in _MODULE_OF and name not in _MODULES:
            raise AttributeError(f"module 'cueline' has no attribute {name!r}")
        from importlib import import_module

        if name in _MODULES:
            return import_module(f"cueline.{name}")
        globals()[name] = value = getattr(import_module(f"cueline.{_MODULE_OF[name]}"), name)
        return value

    def __dir__():
        return sorted({*globals(), *_MODULE_OF, *_MODULES})


__all__ = [
    "APPLIED",
    "DEFERRED",
    "DISCARDED_SIGNATURE",
    "HANDLE_SIGNATURE",
    "REFUSED",
    "RENDER_SIGNATURE",
    "Applied",
    "ArgumentError",
    "ArgumentTypeError",
    "AudioEngine",
    "Automation",
    "Beat",
    "Block",
    "BufferEnded",
    "BufferStats",
    "Click",
    "ClosedError",
    "Confirmation",
    "ConfirmationTimeout",
    "ControlChange",
    "CueStats",
    "Curve",
    "Device",
    "DeviceError",
    "DeviceLost",
    "Devices",
    "Empty",
    "Error",
    "Exponential",
    "ForkedError",
    "FormatChanged",
    "Full",
    "Gap",
    "GetLevel",
    "Grid",
    "Learning",
    "Level",
    "Line",
    "LineStats",
    "Linear",
    "LinesTakenError",
    "LossWarning",
    "Message",
    "MeterReading",
    "MeterSpec",
    "Meters",
    "Midi",
    "MidiBytes",
    "MidiMap",
    "MidiStats",
    "MissingPackageError",
    "NotFinite",
    "NoteOff",
    "NoteOn",
    "OffersProcessor",
    "ParameterArray",
    "ParameterSpec",
    "Parameters",
    "Part",
    "PitchBend",
    "PlayBuffer",
    "Playback",
    "PlaybackPosition",
    "Pong",
    "ProcessorError",
    "Range",
    "Reason",
    "Recording",
    "RecordingPosition",
    "Refused",
    "RefusedError",
    "RingStats",
    "Saving",
    "Sequence",
    "SequenceStats",
    "Set",
    "SetSlot",
    "SetTempo",
    "SetTone",
    "SetVoice",
    "Stats",
    "Status",
    "StopBuffer",
    "StopVoice",
    "StreamEnded",
    "StreamTimeout",
    "StreamsTakenError",
    "Target",
    "Timeline",
    "TimelineTimeout",
    "Transaction",
    "UnknownNameError",
    "UnloadBuffer",
    "Voice",
    "WorstCase",
    "array",
    "beat_dtype",
    "buffer",
    "cfunc_processor",
    "devices",
    "dtype",
    "f32",
    "f64",
    "from_mido",
    "get_cmake_dir",
    "get_include",
    "i8",
    "i16",
    "i32",
    "i64",
    "load",
    "message",
    "next_bar",
    "next_beat",
    "next_grid",
    "player_processor",
    "select",
    "sounds",
    "to_mido",
    "u8",
    "u16",
    "u32",
    "u64",
]
