"""An engine's counters."""

from __future__ import annotations

from dataclasses import dataclass

from cueline import _core

__all__ = [
    "BufferStats",
    "CueStats",
    "MidiStats",
    "RingStats",
    "SequenceStats",
    "Stats",
    "WorstCase",
    "engine_stats",
    "ring_stats",
]


class _Counters:
    def _repr_html_(self) -> str:
        """Return a table, for a notebook."""
        from cueline.notebook import counters  # here, because few programs show it

        return counters(self)


@dataclass(frozen=True)
class RingStats(_Counters):
    """The counters of one ring, since the engine was made."""

    sent: int
    """Messages that the ring accepted."""
    dropped: int
    """Messages that the ring refused because it was full."""
    high_water: int
    """The most messages that waited when a block began or ended; the ring's capacity if a message was dropped."""


@dataclass(frozen=True)
class LineStats(_Counters):
    """The counters of a line's three rings, for all lines that ever had its number."""

    commands: RingStats
    events: RingStats
    """``dropped`` also counts messages that receive() left for later calls, beyond the latest 1024."""
    confirmations: RingStats


@dataclass(frozen=True)
class CueStats(_Counters):
    """The counters of commands with a frame. A transaction counts as one."""

    pending: int
    """Places in the schedule that were in use when the last block ended.

    A cue takes one. A transaction takes one for each message, and one more.
    """
    late: int
    """Cues that were applied after their frame, because the audio thread read them after it."""
    dropped_late: int
    """Late cues that were dropped, because they were sent with ``late="drop"``."""
    refused: int
    """Cues for which the schedule had no room: 1024 of their line waited, or 2048 of all lines."""
    cancelled: int


@dataclass(frozen=True)
class BufferStats(_Counters):
    """The counters of the buffers that ``publish`` and ``load_buffer`` handed over."""

    in_use: int
    """Buffers that exist now: in slots, loaded, on the way to the audio thread, and on the way back."""
    limit: int
    """The most buffers that can be in use: two for each slot and at least 128, and those without a slot."""
    curves: int
    """Curves of automations that are loaded; 64 at most. The other counters leave them out."""
    published: int
    """Buffers that were accepted."""
    refused: int
    """Buffers that were refused because ``limit`` were in use."""
    bytes: int
    """The memory of the buffers in use."""
    bytes_locked: int
    """How many of these bytes are locked. Buffers beyond the limit for locked memory are not locked."""
    memory_locked: bool
    """Whether all of that memory is locked."""


@dataclass(frozen=True)
class MidiStats(_Counters):
    """The counters of MIDI messages, over all ports."""

    received: int
    """Messages that came and were handed to the processor."""
    dropped: int
    """Messages that came and were dropped: more than 256 in a block, or in a block that was left out.

    A map that a block did not carry out, because it had 512 others, counts too.
    """
    sysex: int
    """SysEx, and bytes that are not MIDI. cueline has no message for them."""
    sent: int
    """Messages that the processor sent and that were handed to the device's outputs."""
    unsent: int
    """Messages that the processor sent in vain: over 256 in a block, no such port, values out of range, no room."""
    late: int = 0
    """Messages that came too late for ``midi_delay``, and played at once: use a longer one."""


@dataclass(frozen=True)
class SequenceStats(_Counters):
    """The counters of the events of all sequences."""

    playing: int
    """Sequences that are not over."""
    played: int
    """Events that were applied."""
    late: int
    """Events that were applied or dropped after their beat, or that came too late to be sent."""
    refused: int
    """Events that the processor refused or did not handle, or for which the schedule had no room."""


@dataclass(frozen=True)
class WorstCase(_Counters):
    """The most work that a block can have, whatever is sent on any line."""

    commands: int
    """Commands that it reads: its budget, and one transaction that begins within it."""
    cues: int
    """Cues that it applies or cancels: those that waited, that it has just read, and that the processor schedules."""
    segments: int
    """Times that the processor renders a part of the block."""
    midi: int = 0
    """MIDI messages that it hands to the processor: 256 if the device has MIDI inputs."""


@dataclass(frozen=True)
class Stats(_Counters):
    """The counters of an engine. They are read one after the other while the audio runs."""

    device: str
    samplerate: int
    """Frames a second."""
    blocksize: int
    """Frames in a block."""
    inputs: int
    outputs: int
    blocks: int
    frames: int
    unhandled: int
    """Commands that neither the engine nor the processor handled."""
    refused: int
    """Commands that the processor refused, for a reason of its own."""
    not_finite: int
    """Samples of the processor that were NaN or infinite, and became 0."""
    not_finite_inputs: int
    """Samples of the inputs that were NaN or infinite, and became 0."""
    xruns: int
    """Times that the device missed its deadline."""
    missed_blocks: int
    """Blocks that were left out: after an xrun, or while a new format was prepared."""
    load_mean: float
    """The mean time that the callback took, as a fraction of the block."""
    load_peak: float
    """The same for the slowest block."""
    realtime_priority: bool
    """Whether the audio thread has real-time priority."""
    memory_locked: bool
    """Whether the memory of the engine and its device is locked. A processor's own memory is not included."""
    commands: RingStats
    """The commands of line 0, the engine's own."""
    events: RingStats
    """The messages of line 0."""
    confirmations: RingStats
    """The confirmations of line 0."""
    lines: tuple[LineStats, ...]
    """Each line's counters by its number, from line 0 up to the last line that was ever open."""
    cues: CueStats
    buffers: BufferStats
    sequences: SequenceStats
    midi: MidiStats
    streams: int
    """Playbacks and recordings that are open, or closed and on the way back from the audio thread: at most 16."""


def engine_stats(engine: _core.Engine) -> Stats:
    """Return the counters of ``engine``. Raises ForkedError."""
    now = engine._stats()
    return Stats(
        device=engine.device,
        samplerate=engine.samplerate,
        blocksize=engine.blocksize,
        inputs=engine.inputs,
        outputs=engine.outputs,
        blocks=now.blocks,
        frames=now.frames,
        unhandled=now.unhandled,
        refused=now.refused,
        not_finite=now.not_finite,
        not_finite_inputs=now.not_finite_inputs,
        xruns=now.xruns,
        missed_blocks=now.missed_blocks,
        load_mean=now.load_mean,
        load_peak=now.load_peak,
        realtime_priority=now.realtime_priority,
        memory_locked=now.memory_locked,
        commands=ring_stats(now.commands),
        events=ring_stats(now.events),
        confirmations=ring_stats(now.confirmations),
        lines=tuple(line_stats(line) for line in now.lines),
        cues=CueStats(
            pending=now.cues.pending,
            late=now.cues.late,
            dropped_late=now.cues.dropped_late,
            refused=now.cues.refused,
            cancelled=now.cues.cancelled,
        ),
        buffers=BufferStats(
            in_use=now.buffers.in_use,
            limit=now.buffers.limit,
            curves=now.buffers.curves,
            published=now.buffers.published,
            refused=now.buffers.refused,
            bytes=now.buffers.bytes,
            bytes_locked=now.buffers.bytes_locked,
            memory_locked=now.buffers.memory_locked,
        ),
        sequences=SequenceStats(
            playing=now.sequences.playing,
            played=now.sequences.played,
            late=now.sequences.late,
            refused=now.sequences.refused,
        ),
        midi=MidiStats(
            received=now.midi.received,
            dropped=now.midi.dropped,
            sysex=now.midi.sysex,
            sent=now.midi.sent,
            unsent=now.midi.unsent,
            late=now.midi.late,
        ),
        streams=now.streams,
    )


def ring_stats(counts: _core.RingStats) -> RingStats:
    """Return a ring's counters."""
    return RingStats(sent=counts.sent, dropped=counts.dropped, high_water=counts.high_water)


def line_stats(counts: _core.LineStats) -> LineStats:
    """Return a line's counters."""
    return LineStats(
        commands=ring_stats(counts.commands),
        events=ring_stats(counts.events),
        confirmations=ring_stats(counts.confirmations),
    )
