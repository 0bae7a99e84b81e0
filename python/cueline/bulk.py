"""Arrays of messages: their NumPy dtype, and sending and receiving many in one call."""

from __future__ import annotations

from cueline import _core
from cueline.arguments import checked_integer, checked_timeout, shown
from cueline.errors import ArgumentError, ArgumentTypeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal, SupportsIndex

    import numpy as np
    import numpy.typing as npt

    Records = npt.NDArray[np.void]

__all__ = ["beat_dtype", "dtype", "receive_many", "refused_record", "select", "send_many", "timed_kind"]

_HEADER = {"kind": ("u2", 0), "line": ("u1", 3), "sequence": ("u4", 4), "frame": ("u8", 8)}
_FIRST_SENT_KIND = 64
_NO_KIND = 0


def dtype(cls: type | None = None) -> np.dtype[Any]:
    """Return NumPy's structured dtype of a message: its header (kind, line, sequence, frame) and the fields of ``cls``.

    It has 56 bytes. Its metadata holds the class. Without ``cls``, the payload follows the header as 40 bytes.
    Raises ArgumentTypeError if ``cls`` is not a message class.
    """
    return _described(cls, _HEADER)


def beat_dtype(cls: type | None = None) -> np.dtype[Any]:
    """Return the dtype of a message at a beat, for ``engine.sequence``: ``dtype(cls)`` with ``beat`` for ``frame``.

    The beat is a float64. Raises ArgumentTypeError if ``cls`` is not a message class.
    """
    return _described(cls, {name: header for name, header in _HEADER.items() if name != "frame"} | {"beat": ("f8", 8)})


def _described(cls: type | None, header: Mapping[str, tuple[Any, int]]) -> np.dtype[Any]:
    import numpy as np  # here, because `import cueline` must stay quick

    from cueline.typed import layout_of

    formats: dict[str, tuple[Any, int]] = dict(header)
    if cls is None:
        formats["payload"] = (("u1", (_core.PAYLOAD_BYTES,)), _core.HEADER_BYTES)
    else:
        for field in layout_of(cls).fields:
            scalar = field.scalar.numpy
            whole = scalar if field.length is None else (scalar, (field.length,))
            formats[field.name] = (whole, _core.HEADER_BYTES + field.offset)
    described = {
        "names": list(formats),
        "formats": [form for form, _ in formats.values()],
        "offsets": [offset for _, offset in formats.values()],
        "itemsize": _core.MESSAGE_BYTES,
    }
    metadata = {} if cls is None else {"cueline": cls}
    return np.dtype(described, metadata=metadata)  # type: ignore[call-overload, no-any-return]


def send_many(
    line: _core.Sender,
    array: Records,
    late: Literal["apply", "drop"],
    timeout: float | None,
    part: int = 0,
) -> int:
    """Send ``array`` on ``line``, to all parts or one, and return how many messages were accepted."""
    own = _own_kind(array)
    if _NO_KIND < own < _FIRST_SENT_KIND:
        name = getattr(_core._message_type(own), "__name__", "message")
        raise ArgumentError(
            f"{name} cannot be sent: kinds below {_FIRST_SENT_KIND} are the engine's own, and this one is of kind {own}"
        )
    accepted = line._send_many(array, own, late, timeout, part)
    if accepted < len(array) and (timeout is None or checked_timeout(timeout) > 0):
        from cueline.ring_errors import Full

        full = Full(
            f"no room within {shown(timeout)} s: {accepted} of {len(array)} messages were accepted; the ring is full, "
            f"with {_core.RING_CAPACITY} commands{line._why_no_block}"
        )
        full.accepted = accepted
        raise full
    return accepted


def receive_many(engine: _core.Sender, most: SupportsIndex) -> Records:
    """Take the messages that wait, at most ``most``."""
    limit = checked_integer("max", most)
    if not 1 <= limit <= _core.RING_CAPACITY:
        raise ArgumentError(f"max must be from 1 to {_core.RING_CAPACITY}, the size of the ring, got {limit}")
    import numpy as np  # here, because `import cueline` must stay quick

    # Everything that can fail comes before a message is taken.
    array: Records = np.empty(min(engine._waiting(), limit), _shared_dtype(None))
    taken = engine._receive_into(array) if len(array) > 0 else 0
    return array if taken == len(array) else array[:taken]  # another thread may have taken some meanwhile


def select(array: Records, cls: type) -> Records:
    """Return a copy of the messages of class ``cls`` in ``array``, as an array of ``cueline.dtype(cls)``.

    ``array`` comes from ``receive_many()``, or has the dtype ``cueline.dtype()``. Raises ArgumentError,
    ArgumentTypeError.
    """
    from cueline.typed import layout_of  # here, because `import cueline` must stay quick

    kind = layout_of(cls).kind
    own = _own_kind(array)
    chosen = array["kind"] == kind
    if own == kind:
        chosen |= array["kind"] == _NO_KIND
    selected: Records = array[chosen].view(_shared_dtype(cls))
    return selected


def refused_record(place: int, kind: int, frame: int, own: int) -> str:
    """Return why a record cannot be sent. ``own`` is the kind that its array's dtype names, or 0."""
    if frame > _core.MAX_FRAME:
        return (
            f"the message at index {place} must have a frame from 0 to 2**63 - 1, got {frame}: "
            f"was it {frame - 2**64} before NumPy made it unsigned?"
        )
    if kind == _NO_KIND:
        return (
            f"the message at index {place} has no kind, and the array's dtype names no class: set the kind, "
            "or make the array with cueline.dtype(cls)"
        )
    if own != _NO_KIND and kind != own:
        name = getattr(_core._message_type(own), "__name__", "message")
        return (
            f"the message at index {place} is of kind {kind}, but the array's dtype is for {name}, kind {own}: "
            "leave the kind 0, or use an array of cueline.dtype()"
        )
    return (
        f"the message at index {place} cannot be sent: kinds below {_FIRST_SENT_KIND} are the engine's own, "
        f"and this one is of kind {kind}"
    )


def timed_kind(events: object) -> int | None:
    """Return the kind that the dtype of an array of events names, or 0; None if ``events`` is not an array.

    Raises ArgumentTypeError if it has another dtype than ``beat_dtype()``, ArgumentError for more dimensions.
    """
    found: Any = getattr(events, "dtype", None)
    if found is None:
        return None
    cls = (getattr(found, "metadata", None) or {}).get("cueline")
    if found != beat_dtype(cls):
        raise ArgumentTypeError(
            f"an array of events must have the dtype cueline.beat_dtype(cls), got {shown(found)}: make it with "
            "np.zeros(count, cueline.beat_dtype(cls))"
        )
    array: Any = events
    if array.ndim != 1:
        raise ArgumentError(
            f"an array of events must have 1 dimension, got {array.ndim}: array.reshape(-1) makes it one"
        )
    from cueline.typed import layout_of  # here, because `import cueline` must stay quick

    return _NO_KIND if cls is None else layout_of(cls).kind


_MAX_KNOWN = 64
_known: dict[int, tuple[np.dtype[Any], int, type]] = {}
"""Dtypes that were checked, the kind that each names, and NumPy's array type. The key is the id,
because equal dtypes may name different classes."""


def _own_kind(array: Records) -> int:
    """Return the kind that the array's dtype names, or 0.

    Raises ArgumentTypeError if it is not an array of messages, ArgumentError if it does not have one dimension.
    """
    found = _known.get(id(getattr(array, "dtype", None)))
    own = _checked_kind(array) if found is None or type(array) is not found[2] else found[1]
    if array.ndim != 1:
        raise ArgumentError(
            f"an array of messages must have 1 dimension, got {array.ndim}: array.reshape(-1) makes it one"
        )
    return own


def _checked_kind(array: Records) -> int:
    import numpy as np  # here, because `import cueline` must stay quick

    if not isinstance(array, np.ndarray):
        raise ArgumentTypeError(f"array must be a NumPy array of cueline.dtype(cls), got {shown(array)}")
    if isinstance(array, np.ma.MaskedArray):
        raise ArgumentTypeError(
            "array must not be masked, because its masked messages would be sent: use array.filled()"
        )
    found = array.dtype
    known = _known.get(id(found))
    if known is not None:
        return known[1]
    own = _named_kind(found)
    if len(_known) >= _MAX_KNOWN:
        _known.clear()
    _known[id(found)] = (found, own, np.ndarray)  # the dtype is kept, so that no other one gets its id
    return own


def _named_kind(found: np.dtype[Any]) -> int:
    metadata: Mapping[str, Any] = found.metadata or {}
    cls = metadata.get("cueline")
    from cueline.typed import layout_of  # here, because `import cueline` must stay quick

    own = _NO_KIND if cls is None else layout_of(cls).kind
    if not _holds_messages(found, None if cls is None else dtype(cls)):
        raise ArgumentTypeError(
            "an array of messages must have the dtype cueline.dtype(cls) or cueline.dtype(), of "
            f"{_core.MESSAGE_BYTES} bytes, got {shown(found)}: make it with np.zeros(count, cueline.dtype(cls)), or "
            "with array.astype(cueline.dtype(cls)) if it has the same fields"
        )
    return own


def _holds_messages(found: np.dtype[Any], wanted: np.dtype[Any] | None) -> bool:
    """Return whether ``found`` equals ``wanted``; without ``wanted``, whether it has a message's size and header."""
    if wanted is not None:
        return bool(found == wanted)
    import numpy as np

    fields: Mapping[str, Any] = found.fields or {}
    return (
        found.itemsize == _core.MESSAGE_BYTES
        and not found.hasobject
        and all(fields.get(name, ())[:2] == (np.dtype(form), offset) for name, (form, offset) in _HEADER.items())
    )


_shared: dict[type | None, tuple[np.dtype[Any], object]] = {}


def _shared_dtype(cls: type | None) -> np.dtype[Any]:
    """Return a dtype that is made once: making it takes longer than filling an array."""
    made, names = _shared.get(cls, (None, None))
    if made is None or made.names is not names:  # a user may have renamed the fields
        made = dtype(cls)
        _shared[cls] = (made, made.names)
    return made
