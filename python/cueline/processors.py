"""What an engine accepts as its processor."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from cueline.arguments import checked_name, shown
from cueline.errors import ArgumentTypeError

if TYPE_CHECKING and sys.version_info >= (3, 13):
    from types import CapsuleType
else:  # before 3.13, the type of a capsule has no name
    CapsuleType = Any

__all__ = ["CapsuleType", "OffersProcessor", "checked_processor"]


@runtime_checkable
class OffersProcessor(Protocol):
    """An object that offers a processor, such as an instance of an extension's own class."""

    def __cueline_processor__(self) -> CapsuleType:
        """Return a capsule from ``cueline::processor_capsule()``, which shares ownership of the processor."""


def checked_processor(processor: str | OffersProcessor | CapsuleType | None) -> object:
    """Return the name or the capsule of a processor."""
    if processor is None:
        return "silence"
    if isinstance(processor, str):
        return checked_name("processor", processor)
    if _is_capsule(processor):
        return processor
    if isinstance(processor, type) or not isinstance(processor, OffersProcessor):
        raise ArgumentTypeError(
            "processor must be a name, a processor's capsule, an object with __cueline_processor__(), or None, "
            f"got {shown(processor)}"
        )
    capsule = processor.__cueline_processor__()
    if not _is_capsule(capsule):
        raise ArgumentTypeError(
            f"__cueline_processor__() of {shown(processor)} must return a processor's capsule, got {shown(capsule)}"
        )
    return capsule


def _is_capsule(value: object) -> bool:
    return type(value).__name__ == "PyCapsule" and not isinstance(value, OffersProcessor)
