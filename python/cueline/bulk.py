"""Messages by the array: what NumPy has to know of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cueline.typed import layout_of

if TYPE_CHECKING:
    import numpy as np

__all__ = ["dtype"]

_PAYLOAD_OFFSET = 16
_MESSAGE_BYTES = 56
_HEADER = {"kind": ("u2", 0), "sequence": ("u4", 4), "frame": ("u8", 8)}


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
