"""The messages between Python and the looper's audio thread.

`cueline header python/looper/messages.py --namespace looper > src/messages.hpp` writes the same structs for C++.
"""

from enum import IntEnum
from typing import Annotated

import cueline

PADS = 216
STEMS = 5
Pad = Annotated[cueline.u32, cueline.Range(0, PADS - 1)]


class Reason(IntEnum):
    """Why a pad has ended."""

    STOPPED = 0
    TRIGGERED = 1  # again
    EXCLUSIVE = 2  # another pad started in exclusive mode
    STOLEN = 3  # another pad needed its voice
    UNLOADED = 4


@cueline.message(256)  # kinds below 256 are cueline's own
class LoadPad(cueline.Message):
    """Gives a pad its stems, 0 for none, and the loop of all their frames. The processor owns the stems from now on."""

    pad: Pad
    stems: Annotated[tuple[int, ...], cueline.array(cueline.buffer, STEMS)]


@cueline.message(257)
class UnloadPad(cueline.Message):
    """Stops a pad and releases its stems."""

    pad: Pad


@cueline.message(258)
class SetLoop(cueline.Message):
    """Moves a pad's loop to the frames from `start` to before `end`. An end of 0 is the end of the stems."""

    pad: Pad
    start: cueline.u32 = 0
    end: cueline.u32 = 0


@cueline.message(259)
class SetStems(cueline.Message):
    """Sets which stems of a pad sound: bit 0 is the first one."""

    pad: Pad
    mask: cueline.u32


@cueline.message(260)
class Trigger(cueline.Message):
    """Plays a pad from its loop's start, at the next frame that is a multiple of `grid`; 0 is at once.

    It takes the place of a trigger of this pad that waits. The confirmation's value is the number of the voice.
    """

    pad: Pad
    grid: cueline.u32 = 0


@cueline.message(261)
class Start(cueline.Message):
    """What a Trigger becomes at its frame. Only the processor schedules it."""

    pad: Pad


@cueline.message(262)
class StopPads(cueline.Message):
    """Stops pads, and cancels their triggers that wait. For `grid`, see Trigger. The value: how many played."""

    pad: Pad = 0
    count: cueline.u32 = PADS
    grid: cueline.u32 = 0


@cueline.message(263)
class PadEnded(cueline.Message):
    """A pad has ended. Each applied Trigger gets one answer, with the Trigger's `sequence`."""

    pad: Pad
    reason: Annotated[Reason, cueline.u32]
