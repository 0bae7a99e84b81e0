"""cueline's own messages, by the same means as a user's: what an engine sends, and what its processors take."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Annotated

from cueline._core import Message
from cueline.fields import f32, u32, u64
from cueline.typed import own_message

__all__ = [
    "Applied",
    "BufferEnded",
    "Click",
    "DeviceLost",
    "FormatChanged",
    "GetLevel",
    "Level",
    "PlayBuffer",
    "Pong",
    "Reason",
    "Refused",
    "SetTone",
    "StopBuffer",
]


class Reason(enum.IntEnum):
    """Why a command did not take effect."""

    LATE = 1
    """It was read after its frame, and was to be dropped then."""
    SCHEDULE_FULL = 2
    """It was a cue, and as many as the schedule holds wait already."""
    CANCELLED = 3
    """Somebody asked for that."""
    UNKNOWN = 4
    """Neither the engine nor its processor could make anything of it: of its kind, or of what it names."""


def _numbers_of(message: Message) -> str:
    """Return what a message's own text says beside its fields."""
    line = f", line={message.line}" if message.line != 0 else ""
    return f"sequence={message.sequence}, frame={message.frame}{line}"


@own_message(2)
class Pong(Message):
    """The audio thread's answer to a ping.

    ``sent_ns`` is time.monotonic_ns() as the ping was sent, ``block_ns`` as the block that answered began, as the
    device told it.
    """

    sent_ns: u64
    block_ns: u64

    def __repr__(self) -> str:
        return f"Pong({_numbers_of(self)})"  # a clock's readings say nothing to a reader


@own_message(3)
class DeviceLost(Message):
    """The audio ended by itself. start() tries to have the device back.

    ``lost_ns`` is time.monotonic_ns() as it was seen.
    """

    lost_ns: u64

    def __repr__(self) -> str:
        return f"DeviceLost({_numbers_of(self)})"


@own_message(4)
class FormatChanged(Message):
    """The device's blocks come in another format now: frames a second, channels, most frames in a block."""

    samplerate: u32
    channels: u32
    blocksize: u32


@own_message(5)
class Applied(Message):
    """A command took effect, at the frame that this message carries; whether that was later than its own."""

    late: bool


@own_message(6)
class Refused(Message):
    """A command did not take effect: where it was to apply, and why it did not."""

    wanted_frame: u64
    reason: Annotated[Reason, u32]


@own_message(16)
class SetTone(Message):
    """To the tone processor: its frequency in Hz (0 to half the sample rate), its gain (0 to 1). NaN: as it is."""

    frequency_hz: f32
    gain: f32


@own_message(17)
class GetLevel(Message):
    """To the tone processor: how loud was it? It answers with a Level."""

    if TYPE_CHECKING:

        def __init__(self) -> None: ...  # mypy makes none where there are no fields


@own_message(18)
class Level(Message):
    """The tone processor's answer: the peak and the rms since the last one, of all channels; full scale is 1."""

    peak: f32
    rms: f32


@own_message(19)
class Click(Message):
    """To the tone processor: a metronome's click of 20 ms, whose first sample is its highest. Hz, and 0 to 1."""

    frequency_hz: f32 = 1000.0
    gain: f32 = 0.5


@own_message(20)
class PlayBuffer(Message):
    """To the player: play what lies in a slot, from its beginning, once or again and again; gain is from 0 to 1."""

    slot: u32
    gain: f32 = 1.0
    loop: bool = False


@own_message(21)
class StopBuffer(Message):
    """To the player: stop the voice of a slot, within 5 ms."""

    slot: u32


@own_message(22)
class BufferEnded(Message):
    """A voice of the player's came to its end; ``frame`` is the first one without it, ``sequence`` its PlayBuffer's."""

    slot: u32
