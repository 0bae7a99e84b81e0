"""The warning about what was lost without an exception."""

from __future__ import annotations

import sys
import warnings

from cueline import _core
from cueline.errors import LossWarning

__all__ = ["level_of_the_user", "warn_of_loss"]


def warn_of_loss(engine: _core.Engine, losses: tuple[int, ...]) -> None:
    """Warn of the losses that ``Engine._losses`` returns, at the line that closes the engine."""
    refused, late, refused_cues, unhandled, refused_by_processor, midi_dropped, midi_unsent, left_out = losses
    losses_and_ways_out = (
        ("commands refused for lack of room", refused, "set a timeout, or read stats() if you sent them again"),
        ("cues refused because the schedule was full", refused_cues, "send them later"),
        (f"messages that the processor {engine.processor!r} did not handle", unhandled, "look at what it takes"),
        (f"messages that the processor {engine.processor!r} refused", refused_by_processor, "confirm() tells why"),
        ("cues applied late", late, "send them earlier, or for engine.after(seconds)"),
        ("events of sequences that the timeline went over", left_out, "late='drop' says that this is no loss"),
        ("MIDI messages that came and were dropped", midi_dropped, "a block takes 256"),
        ("MIDI messages of the processor that did not go out", midi_unsent, "look at their ports and values"),
    )
    parts = [f"{what}: {count} ({way_out})" for what, count, way_out in losses_and_ways_out if count]
    warnings.warn(f"{'; '.join(parts)}. stats() has all counts", LossWarning, stacklevel=level_of_the_user())


def level_of_the_user() -> int:
    """Return the stacklevel of the code that called cueline, for a warning of the function that calls this."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and (frame.f_globals.get("__name__") or "").partition(".")[0] in (
        "cueline",
        "contextlib",
    ):
        frame, level = frame.f_back, level + 1
    return level
