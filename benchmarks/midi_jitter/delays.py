"""From what was sent and heard to the delay of each note, and the delays' spread."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from midi_jitter.clicks import note_of

__all__ = ["Account", "RecordError", "Summary", "account_of", "summarise"]


class RecordError(Exception):
    """The record of what was sent and heard cannot be used."""


@dataclass(frozen=True)
class Account:
    """The notes of one run."""

    sent: int
    delays: Sequence[int]
    """From each note to the beginning of its sound, in frames. Negative if it begins before the note, in one block."""
    extra: int
    """Sounds without a note: most often a block that was heard again."""

    @property
    def lost(self) -> int:
        """Return how many notes had no sound."""
        return self.sent - len(self.delays)


@dataclass(frozen=True)
class Summary:
    """The delays of all rounds, in frames. The numbers of frames are None if no note was heard."""

    sent: int
    lost: int
    extra: int
    least: int | None = None
    median: int | None = None
    p99: int | None = None
    most: int | None = None

    @property
    def jitter(self) -> int | None:
        """Return the longest delay less the shortest."""
        return None if self.most is None or self.least is None else self.most - self.least


def account_of(lines: Iterable[str], block_frames: int) -> Account:
    """Find the note of each sound. Raises RecordError for a wrong line, and if nothing was sent.

    A sound belongs to the latest note of its number in its block or before, and to one note only the first time.
    """
    sent: dict[int, list[int]] = {}
    heard: list[tuple[int, int]] = []
    for line in lines:
        match line.split():
            case ["sent", frame, number]:
                sent.setdefault(int(number), []).append(int(frame))
            case ["heard", frame, value] if (note := note_of(float(value))) is not None:
                heard.append((int(frame) - note, note))
            case _:
                raise RecordError(f"the record has {line.strip()!r}")
    if not sent:
        raise RecordError("no note was sent: has the server stopped?")

    delays: dict[tuple[int, int], int] = {}
    extra = 0
    for onset, note in sorted(heard):
        frames = sent.get(note, [])
        # A thread may get a note and begin its sound in one cycle: at the beginning of the block, before the note.
        place = bisect.bisect_left(frames, onset + block_frames) - 1
        if place < 0 or (note, place) in delays:
            extra += 1
        else:
            delays[note, place] = onset - frames[place]
    return Account(sum(len(frames) for frames in sent.values()), list(delays.values()), extra)


def summarise(accounts: Sequence[Account]) -> Summary:
    """Put the rounds together, of which there is at least one."""
    delays = sorted(delay for account in accounts for delay in account.delays)
    sent, extra = (sum(each) for each in zip(*((one.sent, one.extra) for one in accounts), strict=True))
    lost = sent - len(delays)
    if not delays:
        return Summary(sent, lost, extra)
    median, p99 = (delays[math.ceil(share * len(delays)) - 1] for share in (0.5, 0.99))
    return Summary(sent, lost, extra, least=delays[0], median=median, p99=p99, most=delays[-1])
