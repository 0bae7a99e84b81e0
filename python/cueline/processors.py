"""What an engine accepts as its processor."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from cueline import _core
from cueline.arguments import checked_integer, checked_name, shown
from cueline.errors import ArgumentTypeError

if TYPE_CHECKING:
    from typing import SupportsIndex

if TYPE_CHECKING and sys.version_info >= (3, 13):
    from types import CapsuleType
else:  # before 3.13, the type of a capsule has no name
    CapsuleType = Any

__all__ = ["CapsuleType", "OffersProcessor", "checked_processor", "player_processor", "refused_kind"]

_PROCESSOR_OF = {
    **dict.fromkeys((64, 65, 67), "tone"),
    **dict.fromkeys((68, 69, 71, 72, 73), "player"),
}  # kinds of cueline's own
_MAX_NAMED = 8


@runtime_checkable
class OffersProcessor(Protocol):
    """An object that offers a processor, such as an instance of an extension's own class."""

    def __cueline_processor__(self) -> CapsuleType:
        """Return a capsule from ``cueline::processor_capsule()``, which shares ownership of the processor."""


def checked_processor(
    processor: str | OffersProcessor | CapsuleType | Mapping[str, str | OffersProcessor | CapsuleType | None] | None,
) -> object:
    """Return the name or the capsule of a processor, or a list of parts: names, each with one of these."""
    if processor is None:
        return "player"
    if isinstance(processor, Mapping):
        return [_checked_part(name, part) for name, part in processor.items()]
    if isinstance(processor, str):
        return checked_name("processor", processor)
    if _is_capsule(processor):
        return processor
    if isinstance(processor, type) or not isinstance(processor, OffersProcessor):
        raise ArgumentTypeError(
            "processor must be a name, a processor's capsule, an object with __cueline_processor__(), a dict of these, "
            "or None, "
            f"got {shown(processor)}" + (": call it, and pass what it returns" if callable(processor) else "")
        )
    capsule = processor.__cueline_processor__()
    if not _is_capsule(capsule):
        raise ArgumentTypeError(
            f"__cueline_processor__() of {shown(processor)} must return a processor's capsule, got {shown(capsule)}"
        )
    return capsule


def _checked_part(name: object, processor: Any) -> tuple[str, object]:
    if not isinstance(name, str):
        raise ArgumentTypeError(f"a part's name must be a string, got {shown(name)}")
    if isinstance(processor, Mapping):
        raise ArgumentTypeError(f"part {name!r} must be one processor, got {shown(processor)}")
    return checked_name("a part's name", name) or "", checked_processor(processor)


def player_processor(slots: SupportsIndex = 128, voices: SupportsIndex = 32) -> CapsuleType:
    """Return a player for ``AudioEngine(processor=...)``, with this many slots (1 to 2048) and voices (1 to 256).

    ``processor="player"`` is one with the defaults. Raises ArgumentError, ArgumentTypeError.
    """
    return _core._player_processor(checked_integer("slots", slots), checked_integer("voices", voices))


def refused_kind(what: str, kind: int, handled: list[int], others: list[str]) -> str:
    """Return why a message of this kind cannot be sent to ``what``, which handles only ``handled``.

    ``others`` are the engine's parts that do handle it.
    """
    name = _name_of(kind)
    names = ", ".join(map(_name_of, handled[:_MAX_NAMED]))
    more = f" and {len(handled) - _MAX_NAMED} more" if len(handled) > _MAX_NAMED else ""
    handles = f"handles {names}{more}, not {name}" if handled else f"handles no messages, got {name}"
    way_out = ""
    if others:
        way_out = f": send it to {' or '.join(others)}"
    elif kind in _PROCESSOR_OF:
        way_out = f": use AudioEngine(processor={_PROCESSOR_OF[kind]!r})"
    elif name == "NoteOn" and "PlayBuffer" in map(_name_of, handled):
        way_out = ": map it: engine.midi.map(cueline.NoteOn(60), 0)"
    return f"{what} {handles}{way_out}"


def _name_of(kind: int) -> str:
    return getattr(_core._message_type(kind), "__name__", f"kind {kind}")


def _is_capsule(value: object) -> bool:
    return type(value).__name__ == "PyCapsule" and not isinstance(value, OffersProcessor)
