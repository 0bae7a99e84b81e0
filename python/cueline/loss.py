"""The warning about what was lost without an exception."""

from __future__ import annotations

import sys
import warnings

from cueline import _core
from cueline.errors import LossWarning

__all__ = ["level_of_the_user", "warn_of_loss"]


def warn_of_loss(engine: _core.Engine, losses: tuple[int, ...], raised: list[BaseException]) -> None:
    """Warn of the losses that ``Engine._losses`` returns, at the line that closes the engine.

    ``raised``: what iterators of sequences raised.
    """
    refused, late, refused_cues, unhandled, refused_by_processor, midi_dropped, midi_unsent, left_out = losses
    names = [repr(part[0]) for part in engine._parts]
    receiver = (
        f"the part{'s' * (len(names) > 1)} {', '.join(names)}" if names else f"the processor {engine.processor!r}"
    )
    losses_and_ways_out = (
        ("commands refused for lack of room", refused, "set a timeout, or read stats() if you sent them again"),
        ("cues refused because the schedule was full", refused_cues, "send them later"),
        (f"messages that {receiver} did not handle", unhandled, "see which messages it handles"),
        (f"messages that {receiver} refused", refused_by_processor, "confirm() says why"),
        ("cues applied late", late, "send them earlier, or for engine.after(seconds)"),
        ("events of sequences that the timeline skipped", left_out, "if that is no loss, send them with late='drop'"),
        ("MIDI messages that came and were dropped", midi_dropped, "a block takes 256"),
        ("MIDI messages of the processor that did not go out", midi_unsent, "check their ports and values"),
    )
    parts = [f"{what}: {count} ({way_out})" for what, count, way_out in losses_and_ways_out if count]
    counted = ". stats() has all counts" if parts else ""
    if raised:
        first = f"{type(raised[0]).__name__}: {raised[0]}"
        parts.append(f"exceptions of sequences' iterators: {len(raised)} ({first}; wait() raises it)")
    warnings.warn(f"{'; '.join(parts)}{counted}", LossWarning, stacklevel=level_of_the_user())


def level_of_the_user() -> int:
    """Return the stacklevel of the code that called cueline, for a warning of the function that calls this."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and (frame.f_globals.get("__name__") or "").partition(".")[0] in (
        "cueline",
        "contextlib",
    ):
        frame, level = frame.f_back, level + 1
    return level
