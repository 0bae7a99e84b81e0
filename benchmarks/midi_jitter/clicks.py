"""The sound of each note, as click.hpp has it, and the notes of what was heard."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["NOTES", "click", "note_of"]

NOTES = 100
_SIZES = 256


def click(note: int) -> npt.NDArray[np.float32]:
    """Return the sound of a note: one sample, whose place and size both say which note it is."""
    samples = np.zeros(NOTES, np.float32)
    samples[note] = (note + 1) / _SIZES
    return samples


def note_of(value: float) -> int | None:
    """Return the note whose sound has this sample, or None."""
    note = round(value * _SIZES) - 1
    return note if 0 <= note < NOTES and abs(value * _SIZES - (note + 1)) < 0.1 else None
