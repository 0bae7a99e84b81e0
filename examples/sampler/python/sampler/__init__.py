"""An eight-pad sampler on cueline: a processor in C++, played from Python."""

from sampler.messages import PADS, LoopPad, PadEnded, Reason, StopPad, Trigger
from sampler.pattern import Hit, Pattern, PatternError
from sampler.player import Player
from sampler.sampler import Sampler, SoundError

__all__ = [
    "PADS",
    "Hit",
    "LoopPad",
    "PadEnded",
    "Pattern",
    "PatternError",
    "Player",
    "Reason",
    "Sampler",
    "SoundError",
    "StopPad",
    "Trigger",
]
