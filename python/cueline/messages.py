"""cueline's own messages: those that an engine sends, and those that cueline's processors receive."""

import enum
from typing import TYPE_CHECKING, Annotated

from cueline._core import (
    HIGHEST_VOICE_GAIN,
    HIGHEST_VOICE_RATE,
    LONGEST_VOICE_FADE_S,
    MAX_MIDI_PORTS,
    MAX_PLAYER_SLOTS,
    Message,
    _midi_bytes,
)
from cueline.fields import Range, buffer, f32, i16, u8, u16, u32, u64
from cueline.typed import own_message

__all__ = [
    "Applied",
    "BufferEnded",
    "Click",
    "ControlChange",
    "DeviceLost",
    "FormatChanged",
    "GetLevel",
    "Level",
    "MidiBytes",
    "NotFinite",
    "NoteOff",
    "NoteOn",
    "PitchBend",
    "PlayBuffer",
    "Pong",
    "Reason",
    "Refused",
    "SetSlot",
    "SetTone",
    "SetVoice",
    "StopBuffer",
    "StopVoice",
    "UnloadBuffer",
]


class Reason(enum.IntEnum):
    """Why a command did not take effect. A processor has reasons of its own, from 256 on."""

    LATE = 1
    """It was read after its frame, and was sent with ``late="drop"``; or the processor scheduled it too late."""
    SCHEDULE_FULL = 2
    """The schedule had no room for another cue."""
    CANCELLED = 3
    """It was cancelled."""
    UNKNOWN = 4
    """The processor does not handle this message, or rejected its values."""


_MAX_HZ = 384_000  # half of the highest sample rate: a message does not say which engine it is for
_NAN = float("nan")
_SLOT = Range(0, MAX_PLAYER_SLOTS - 1)
_LOWEST_VOICE_RATE = 1e-6


def _numbers_of(message: Message) -> str:
    """Return the header fields that a message's repr shows."""
    line = f", line={message.line}" if message.line != 0 else ""
    return f"sequence={message.sequence}, frame={message.frame}{line}"


@own_message(2)
class Pong(Message):
    """The audio thread's answer to a ping.

    ``sent_ns`` is time.monotonic_ns() when the ping was sent. ``block_ns`` is the time, on the same clock, at which the
    block that answered began, as the device reports it.
    """

    sent_ns: u64
    block_ns: u64

    def __repr__(self) -> str:
        return f"Pong({_numbers_of(self)})"  # clock readings mean nothing to a reader


@own_message(3)
class DeviceLost(Message):
    """The device was lost and the audio has ended. ``start()`` tries to open the device again.

    ``lost_ns`` is time.monotonic_ns() when the loss was noticed.
    """

    lost_ns: u64

    def __repr__(self) -> str:
        return f"DeviceLost({_numbers_of(self)})"


@own_message(4)
class FormatChanged(Message):
    """The device changed its format: frames a second, channels each way, and the most frames in a block."""

    samplerate: u32
    inputs: u32
    outputs: u32
    blocksize: u32


@own_message(5)
class Applied(Message):
    """A command took effect at this message's ``frame``. If ``late`` is True, the command's own frame was earlier.

    ``value`` is the processor's answer: 0 if it gives none.
    """

    late: bool
    value: u32 = 0


@own_message(6)
class Refused(Message):
    """A command did not take effect: the frame that it was sent for, and the reason.

    If the processor gave the reason, it is an int of 256 or more.
    """

    wanted_frame: u64
    reason: Annotated[Reason, u32]


@own_message(11)
class NotFinite(Message):
    """``samples`` samples of the processor and ``inputs`` samples of its inputs were NaN or infinite, and became 0.

    At most one comes for each block. Its ``frame`` is the first one that has such a sample.
    """

    samples: u32
    inputs: u32


@own_message(12)
class UnloadBuffer(Message):
    """To the engine: release a buffer that ``load_buffer`` loaded.

    From then on its handle names no buffer. A confirmation's ``value`` is 1 if the buffer was loaded, and 0 if not.
    """

    handle: buffer


@own_message(64)
class SetTone(Message):
    """To the tone processor: set the frequency in Hz (0 to half the sample rate) and the gain (0 to 1).

    If a value is NaN, the tone keeps its present one. The tone lowers a frequency over half the sample rate to that.
    The class itself refuses more than 384000 Hz, half of the highest sample rate.
    """

    frequency_hz: Annotated[f32, Range(0, _MAX_HZ, nan=True)]
    gain: Annotated[f32, Range(0, 1, nan=True)]


@own_message(65)
class GetLevel(Message):
    """To the tone processor: report the level. It answers with a Level."""

    if TYPE_CHECKING:

        def __init__(self) -> None: ...  # mypy makes none for a class without fields


@own_message(66)
class Level(Message):
    """The tone processor's answer: peak and RMS of all channels since the last Level. Full scale is 1."""

    peak: f32
    rms: f32


@own_message(67)
class Click(Message):
    """To the tone processor: play a click of 20 ms. Its first sample is the loudest; the gain is from 0 to 1."""

    frequency_hz: Annotated[f32, Range(0, _MAX_HZ)] = 1000.0
    gain: Annotated[f32, Range(0, 1)] = 0.5


@own_message(68)
class PlayBuffer(Message):
    """To the player: start a voice. Its name, for SetVoice and StopVoice, is this message's sequence on its line.

    It plays the buffer in ``slot`` from the frame ``start`` to its end; or with ``loop``, again and again from
    ``loop_start`` up to ``loop_end``, which is the frame after the loop; 0 stands for the buffer's end. The gain is
    from 0 to 4. ``pan`` is from -1 to 1: -1 is the first output only, 0 all outputs as they are, 1 the second output
    only. ``rate`` is how many frames of the buffer it plays for each frame of the output, up to 64. A voice with a
    ``choke_group`` other than 0 fades out the others of that group.

    With a ``handle`` of ``load_buffer``, it plays that buffer instead; with ``unload``, the player unloads it when the
    voice has ended.
    """

    slot: Annotated[u16, _SLOT] = 0
    choke_group: u16 = 0
    loop: bool = False
    unload: bool = False
    gain: Annotated[f32, Range(0, HIGHEST_VOICE_GAIN)] = 1.0
    pan: Annotated[f32, Range(-1, 1)] = 0.0
    rate: Annotated[f32, Range(_LOWEST_VOICE_RATE, HIGHEST_VOICE_RATE)] = 1.0
    start: u32 = 0
    loop_start: u32 = 0
    loop_end: u32 = 0
    handle: buffer = 0


@own_message(69)
class StopBuffer(Message):
    """To the player: stop all voices of a slot. Each begins its release."""

    slot: Annotated[u32, _SLOT]


@own_message(70)
class BufferEnded(Message):
    """A voice of the player has reached its end, or has lost its buffer. A voice that was stopped sends no BufferEnded.

    ``frame`` is the first frame without the voice, and ``sequence`` is that of its PlayBuffer. If the voice played a
    loaded buffer, ``handle`` is the handle of that buffer, and ``slot`` is 0.
    """

    slot: u32
    handle: buffer = 0


@own_message(71)
class SetVoice(Message):
    """To the player: change a voice that was started on the same line. A number that is NaN leaves its value as it is.

    ``voice`` is the sequence of its PlayBuffer. Gain and pan move there within 5 ms; the rate changes at once.
    ``loop`` is 0 to leave the loop as it is, 1 to play on to the buffer's end, and 2 to loop from ``loop_start`` up to
    ``loop_end``, with a crossfade of 5 ms.
    """

    voice: u32
    gain: Annotated[f32, Range(0, HIGHEST_VOICE_GAIN, nan=True)] = _NAN
    pan: Annotated[f32, Range(-1, 1, nan=True)] = _NAN
    rate: Annotated[f32, Range(_LOWEST_VOICE_RATE, HIGHEST_VOICE_RATE, nan=True)] = _NAN
    loop_start: u32 = 0
    loop_end: u32 = 0
    loop: Annotated[u8, Range(0, 2)] = 0


@own_message(72)
class StopVoice(Message):
    """To the player: begin the release of a voice that was started on the same line. Its loop goes on meanwhile.

    ``voice`` is the sequence of its PlayBuffer.
    """

    voice: u32


@own_message(73)
class SetSlot(Message):
    """To the player: set a slot's attack and release in seconds, each from 0 to 60. NaN leaves a value as it is.

    They begin as 0 and 0.005. The attack is for voices that start later, the release for all.
    """

    slot: Annotated[u16, _SLOT]
    attack_s: Annotated[f32, Range(0, LONGEST_VOICE_FADE_S, nan=True)] = _NAN
    release_s: Annotated[f32, Range(0, LONGEST_VOICE_FADE_S, nan=True)] = _NAN


_SevenBits = Annotated[u8, Range(0, 127)]
_Channel = Annotated[u8, Range(1, 16)]
_Port = Annotated[u8, Range(1, MAX_MIDI_PORTS)]


@own_message(128)
class NoteOn(Message):
    """MIDI: a note begins. ``note`` 60 is middle C. Channels and ports count from 1.

    The velocity is from 1 to 127: a velocity of 0 would end the note, and that is a NoteOff.
    """

    note: _SevenBits
    velocity: Annotated[u8, Range(1, 127)] = 64
    channel: _Channel = 1
    port: _Port = 1


@own_message(129)
class NoteOff(Message):
    """MIDI: a note ends. The velocity says how fast the key was released."""

    note: _SevenBits
    velocity: _SevenBits = 0
    channel: _Channel = 1
    port: _Port = 1


@own_message(130)
class ControlChange(Message):
    """MIDI: a knob, a fader or a pedal moved."""

    control: _SevenBits
    value: _SevenBits = 0
    channel: _Channel = 1
    port: _Port = 1


@own_message(131)
class PitchBend(Message):
    """MIDI: the wheel moved. The value is from -8192 to 8191, and 0 in the middle."""

    value: Annotated[i16, Range(-8192, 8191)] = 0
    channel: _Channel = 1
    port: _Port = 1


@own_message(132)
class MidiBytes(Message):
    """Any other MIDI message of one to three bytes, such as a program change, pressure or a clock.

    ``MidiBytes(0xC0, 5)`` is program 5 on channel 1, and ``MidiBytes(*data)`` takes bytes. The status says how many
    data bytes count. SysEx has any number of bytes, and no message.
    """

    status: Annotated[u8, Range(128, 255)]
    data1: _SevenBits = 0
    data2: _SevenBits = 0
    port: _Port = 1

    @property
    def data(self) -> bytes:
        """The one to three bytes; none if no MIDI message begins with this status, as for SysEx."""
        return _midi_bytes(self)
