"""MIDI: cueline's messages from those of mido, and back."""

from __future__ import annotations

from cueline import _core, messages
from cueline.arguments import checked_integer, shown
from cueline.errors import ArgumentError, ArgumentTypeError, MissingPackageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, SupportsIndex

    import mido

__all__ = ["from_mido", "to_mido"]


def from_mido(message: mido.Message, port: SupportsIndex = 1) -> _core.Message:
    """Return mido's message as a NoteOn, NoteOff, ControlChange, PitchBend or MidiBytes, on a ``port`` from 1 to 16.

    mido counts channels from 0, and cueline from 1. A ``note_on`` with velocity 0 becomes a NoteOff with velocity 64,
    as MIDI defines it. The message's ``time`` is left out: ``send(..., at=frame)`` takes a time. Needs
    ``pip install 'cueline[midi]'``.

    Raises ArgumentError for SysEx, which has any number of bytes, and for a port out of range; ArgumentTypeError for
    anything other than a ``mido.Message``, such as a MetaMessage, which only files have; MissingPackageError.
    """
    number = checked_integer("port", port)
    if not 1 <= number <= _core.MAX_MIDI_PORTS:
        raise ArgumentError(f"port must be from 1 to {_core.MAX_MIDI_PORTS}, got {number}")
    if not isinstance(message, _optional_mido().Message):
        raise ArgumentTypeError(
            f"message must be a mido.Message, got {shown(message)}"
            + (": leave out meta messages, which only files have" if hasattr(message, "is_meta") else "")
        )
    made = _core._midi_message(bytes(message.bytes()), number)
    if made is None:
        raise ArgumentError(f"message must be of at most three bytes, so not SysEx, got {shown(message)}: leave it out")
    return made


def to_mido(message: _core.Message) -> mido.Message:
    """Return a NoteOn, NoteOff, ControlChange, PitchBend or MidiBytes as a ``mido.Message``, without its port.

    Needs ``pip install 'cueline[midi]'``. Raises ArgumentError for any other message, and for one that has values out
    of range or no bytes, as C++ can make it; ArgumentTypeError, MissingPackageError.
    """
    if not isinstance(message, _core.Message):
        raise ArgumentTypeError(f"message must be a message of cueline, got {shown(message)}")
    data = _core._midi_bytes(message)
    if not data:
        kinds = (messages.NoteOn, messages.NoteOff, messages.ControlChange, messages.PitchBend, messages.MidiBytes)
        raise ArgumentError(
            f"message must be a {', '.join(kind.__name__ for kind in kinds[:-1])} or {kinds[-1].__name__} with values "
            f"that MIDI has, got {shown(message)}"
        )
    return _optional_mido().Message.from_bytes(data)


def _optional_mido() -> Any:
    try:
        import mido  # optional, and here because few programs need it
    except ImportError as error:
        raise MissingPackageError(
            f"mido, which makes and reads these messages, cannot be imported ({error}): pip install 'cueline[midi]'"
        ) from None
    return mido
