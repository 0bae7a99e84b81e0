"""What can be an engine's processor, beside cueline's own: what an extension offers."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from cueline.arguments import checked_name, shown
from cueline.errors import ArgumentTypeError

if TYPE_CHECKING and sys.version_info >= (3, 13):
    from types import CapsuleType
else:  # a capsule's type has no name before
    CapsuleType = Any

__all__ = ["CapsuleType", "OffersProcessor", "checked_processor"]


@runtime_checkable
class OffersProcessor(Protocol):
    """An object with a processor for an engine: what an extension's own class may be."""

    def __cueline_processor__(self) -> CapsuleType:
        """Return a capsule of ``cueline::processor_capsule()``, which holds a share in the processor."""


def checked_processor(processor: str | OffersProcessor | CapsuleType | None) -> object:
    """Return the name of a processor, or its capsule."""
    if processor is None:
        return "silence"
    if isinstance(processor, str):
        return checked_name("processor", processor)
    if _is_capsule(processor):
        return processor
    if isinstance(processor, type) or not isinstance(processor, OffersProcessor):
        raise ArgumentTypeError(
            "processor must be a name, a processor's capsule, an object that offers one by __cueline_processor__(), "
            f"or None, got {shown(processor)}"
        )
    capsule = processor.__cueline_processor__()
    if not _is_capsule(capsule):
        raise ArgumentTypeError(
            f"__cueline_processor__() of {shown(processor)} must return a processor's capsule, got {shown(capsule)}"
        )
    return capsule


def _is_capsule(value: object) -> bool:
    return type(value).__name__ == "PyCapsule" and not isinstance(value, OffersProcessor)
