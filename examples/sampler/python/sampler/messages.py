"""The messages between Python and the sampler's audio thread.

`cueline header python/sampler/messages.py --namespace sampler > src/messages.hpp` writes the same structs for C++.
"""

from enum import IntEnum
from typing import Annotated

import cueline

__all__ = ["PADS", "LoopPad", "PadEnded", "Reason", "StopPad", "Trigger"]

PADS = 8
"""How many pads there are: 0 to 7."""


class Reason(IntEnum):
    """Why a pad has ended."""

    PLAYED = 0
    """It reached the end of its sound, or was reloaded with a sound that is shorter than its playhead."""
    STOPPED = 1
    """A StopPad stopped it."""
    TRIGGERED = 2
    """Another Trigger started it again."""
    EMPTY = 3
    """It had no sound, or the sound was unloaded."""


@cueline.message(256)  # kinds below 256 are cueline's own
class Trigger(cueline.Message):
    """Plays a pad from its beginning, at a velocity from 0 to 1."""

    pad: cueline.u32
    velocity: cueline.f32 = 1.0


@cueline.message(257)
class StopPad(cueline.Message):
    """Stops a pad, without a click."""

    pad: cueline.u32


@cueline.message(258)
class LoopPad(cueline.Message):
    """Sets whether a pad loops (1) or plays to its end (0), now and whenever it is triggered."""

    pad: cueline.u32
    loops: cueline.u32  # no bool: C++ must be able to read any bytes that arrive


@cueline.message(259)
class PadEnded(cueline.Message):
    """A pad has ended. Each accepted Trigger gets one answer, with the Trigger's `sequence`."""

    pad: cueline.u32
    reason: Annotated[Reason, cueline.u32]
