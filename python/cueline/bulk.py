"""Messages by the array: what NumPy has to know of them, and sending and receiving many in one call."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex

from cueline import _core
from cueline.arguments import checked_integer, checked_timeout, shown
from cueline.errors import ArgumentError, ArgumentTypeError, Full
from cueline.polling import polling_intervals
from cueline.typed import layout_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Records = npt.NDArray[np.void]

__all__ = ["dtype", "receive_many", "refused_record", "select", "send_many"]

_PAYLOAD_OFFSET = 16
_MESSAGE_BYTES = 56
_HEADER = {"kind": ("u2", 0), "sequence": ("u4", 4), "frame": ("u8", 8)}
_FIRST_SENT_KIND = 16
_NO_KIND = 0
_LAST_FRAME = 2**63 - 1


def dtype(cls: type | None = None) -> np.dtype[Any]:
    """Return NumPy's structured type of a message, 56 bytes: kind, sequence and frame, then the fields of ``cls``.

    Its metadata names the class. Without one: kind, sequence, frame, and the payload as 40 bytes.
    Raises ArgumentTypeError when ``cls`` is no class of messages.
    """
    import numpy as np  # only here: it takes longer to import than all the rest

    formats: dict[str, tuple[Any, int]] = dict(_HEADER)
    if cls is None:
        formats["payload"] = (("u1", (40,)), _PAYLOAD_OFFSET)
    else:
        for field in layout_of(cls).fields:
            scalar = field.scalar.numpy
            whole = scalar if field.count is None else (scalar, (field.count,))
            formats[field.name] = (whole, _PAYLOAD_OFFSET + field.offset)
    described = {
        "names": list(formats),
        "formats": [form for form, _ in formats.values()],
        "offsets": [offset for _, offset in formats.values()],
        "itemsize": _MESSAGE_BYTES,
    }
    metadata = {} if cls is None else {"cueline": cls}
    return np.dtype(described, metadata=metadata)  # type: ignore[call-overload, no-any-return]


def send_many(
    engine: _core.Engine,
    line: _core.Sender,
    array: Records,
    late: Literal["apply", "drop"],
    timeout: float | None,
) -> int:
    """Send ``array`` on ``line``, of ``engine``, and return how many messages were accepted."""
    own = _kind_to_send(array)
    seconds = None if timeout is None else checked_timeout(timeout)
    wanted = len(array)
    accepted = line._try_send_many(array, 0, own, late)
    if accepted == wanted:
        return accepted
    try:
        for nap in () if seconds is None else polling_intervals(engine, seconds):
            accepted += line._try_send_many(array, accepted, own, late)
            if accepted == wanted:
                return accepted
            time.sleep(nap)
    finally:  # a Ctrl-C gives them up, too
        line._count_dropped(wanted - accepted)
    if seconds is not None:
        full = Full(
            f"no room within {shown(timeout)} s: {accepted} of {wanted} messages were accepted, and as many commands "
            f"wait as the ring holds, {_core.RING_CAPACITY}"
        )
        full.accepted = accepted
        raise full
    return accepted


def receive_many(engine: _core.Engine, most: SupportsIndex) -> Records:
    """Take at most so many of the messages that wait."""
    limit = checked_integer("max", most)
    if not 1 <= limit <= _core.RING_CAPACITY:
        raise ArgumentError(
            f"max must be from 1 to {_core.RING_CAPACITY}, which is all that can wait at once, got {limit}"
        )
    import numpy as np  # only here: it takes longer to import than all the rest

    # All that may fail is done before a message is taken.
    array: Records = np.empty(min(engine._waiting(), limit), _shared_dtype(None))
    taken = engine._receive_into(array) if len(array) > 0 else 0
    return array if taken == len(array) else array[:taken]  # another thread may have been here in between


def select(array: Records, cls: type) -> Records:
    """Return those messages of ``array`` that are of ``cls``, copied, as an array of ``cueline.dtype(cls)``.

    ``array`` is what ``receive_many()`` returned, or another one of ``cueline.dtype()``. Raises ArgumentError,
    ArgumentTypeError.
    """
    kind = layout_of(cls).kind
    own = _own_kind(array)
    chosen = array["kind"] == kind
    if own == kind:
        chosen |= array["kind"] == _NO_KIND
    selected: Records = array[chosen].view(_shared_dtype(cls))
    return selected


def refused_record(place: int, kind: int, frame: int, own: int) -> str:
    """Return why the record cannot be sent, in an array of messages of kind ``own``, or of any kind."""
    if frame > _LAST_FRAME:
        return (
            f"the message at index {place} is for frame {frame}, and frames are from 0 to 2**63 - 1: "
            f"was it {frame - 2**64} before NumPy made it unsigned?"
        )
    if kind == _NO_KIND:
        return (
            f"the message at index {place} has no kind, and the array's dtype names no class: set its kind, "
            "or make the array with cueline.dtype(cls)"
        )
    if own != _NO_KIND and kind != own:
        name = getattr(_core._message_type(own), "__name__", "message")
        return (
            f"the message at index {place} is of kind {kind}, and the array's dtype says {name}, which is kind {own}: "
            "leave its kind 0, or use an array of cueline.dtype()"
        )
    return (
        f"the message at index {place} cannot be sent: kinds below {_FIRST_SENT_KIND} are the engine's own, "
        f"and this one is of kind {kind}"
    )


def _kind_to_send(array: Records) -> int:
    """Return the kind that the array's dtype names, or 0. Raises as _own_kind(), and when it cannot be sent."""
    own = _own_kind(array)
    if _NO_KIND < own < _FIRST_SENT_KIND:
        name = getattr(_core._message_type(own), "__name__", "message")
        raise ArgumentError(
            f"{name} cannot be sent: kinds below {_FIRST_SENT_KIND} are the engine's own, and this one is of kind {own}"
        )
    return own


_MAX_KNOWN = 64
_known: dict[int, tuple[np.dtype[Any], int]] = {}  # by id: those of equal layout may differ in the class they name


def _own_kind(array: Records) -> int:
    """Return the kind that the array's dtype names, or 0.

    Raises ArgumentTypeError when it is no array of messages, ArgumentError when it has not one dimension.
    """
    import numpy as np  # only here: it takes longer to import than all the rest

    if not isinstance(array, np.ndarray):
        raise ArgumentTypeError(f"a NumPy array of cueline.dtype(cls) is needed here, got {shown(array)}")
    known = _known.get(id(array.dtype))
    own = _known_kind(array.dtype) if known is None else known[1]
    if array.ndim != 1:
        raise ArgumentError(
            f"an array of messages has 1 dimension, got {array.ndim}: array.reshape(-1) has the same messages in one"
        )
    return own


def _known_kind(found: np.dtype[Any]) -> int:
    metadata: Mapping[str, Any] = found.metadata or {}
    cls = metadata.get("cueline")
    own = _NO_KIND if cls is None else layout_of(cls).kind
    if not _holds_messages(found, None if cls is None else dtype(cls)):
        raise ArgumentTypeError(
            "an array of messages is of cueline.dtype(cls) or cueline.dtype(), 56 bytes a message, got one of "
            f"{shown(found)}: make it with np.zeros(count, cueline.dtype(cls)), or array.astype(cueline.dtype(cls)) "
            "where it has the same fields"
        )
    if len(_known) >= _MAX_KNOWN:
        _known.clear()
    _known[id(found)] = (found, own)  # which keeps it, so that no other dtype gets its id
    return own


def _holds_messages(found: np.dtype[Any], wanted: np.dtype[Any] | None) -> bool:
    """Return whether it is ``wanted``, or without one whether its messages' headers lie where they should."""
    if wanted is not None:
        return bool(found == wanted)
    import numpy as np

    fields: Mapping[str, Any] = found.fields or {}
    return (
        found.itemsize == _MESSAGE_BYTES
        and not found.hasobject
        and all(fields.get(name, ())[:2] == (np.dtype(form), offset) for name, (form, offset) in _HEADER.items())
    )


_shared: dict[type | None, tuple[np.dtype[Any], object]] = {}


def _shared_dtype(cls: type | None) -> np.dtype[Any]:
    """Return the dtype that all arrays made here have: it takes longer to make than to fill one."""
    made, names = _shared.get(cls, (None, None))
    if made is None or made.names is not names:  # whoever has such an array can give the fields of its dtype new names
        made = dtype(cls)
        _shared[cls] = (made, made.names)
    return made
