"""What is said to the sampler's audio thread, and what it says.

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
    """It came to the end of its sound, or of one that it was reloaded with and that is shorter."""
    STOPPED = 1
    """By a StopPad."""
    TRIGGERED = 2
    """Anew, while it sounded."""
    EMPTY = 3
    """There was nothing to play, or no more."""


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
    """Says whether a pad goes round (1), now and whenever it is triggered, or plays to its end (0)."""

    pad: cueline.u32
    loops: cueline.u32  # no bool: whatever bytes come, C++ may read a number


@cueline.message(259)
class PadEnded(cueline.Message):
    """A pad plays no more. Each Trigger that was accepted has one, and its `sequence` is that Trigger's."""

    pad: cueline.u32
    reason: Annotated[Reason, cueline.u32]
