"""Musical time: ``engine.timeline``. The map between frames and beats lives on the audio thread."""

import time
from typing import TYPE_CHECKING, Annotated

from cueline import _core
from cueline._core import Message
from cueline.arguments import checked_count, checked_integer, checked_number, refusing_unmade, shown
from cueline.beats import Beat, checked_beat, next_bar
from cueline.errors import ArgumentError, ArgumentTypeError, TimelineTimeout
from cueline.fields import Range, f64, u32
from cueline.polling import polling_intervals
from cueline.streams import require_an_end
from cueline.typed import own_message

if TYPE_CHECKING:
    from typing import Literal, Protocol, SupportsIndex

    from cueline.beats import When
    from cueline.confirmation import Confirmation, Confirms
    from cueline.polling import Polled

    class TimedEngine(Polled, Confirms, Protocol):
        """What its timeline uses of an engine."""

        @property
        def device(self) -> str: ...

        def now(self) -> int: ...
        def _timeline(self) -> _core.TimelineSnapshot: ...
        def _require_usable(self) -> None: ...

    Late = Literal["apply", "drop"]

__all__ = ["Timeline", "wait_until"]

_TEMPO = Range(_core.LOWEST_TEMPO, _core.HIGHEST_TEMPO)
_BEAT = Range(0, _core.HIGHEST_BEAT)


@own_message(16)
class SetTempo(Message):
    """To the engine: the timeline has another tempo."""

    tempo: Annotated[f64, _TEMPO]


@own_message(17)
class RampTempo(Message):
    """To the engine: the timeline's tempo moves to another one, over beats (0) or seconds (1)."""

    tempo: Annotated[f64, _TEMPO]
    length: Annotated[f64, Range(_core.SHORTEST_RAMP, _core.LONGEST_RAMP)]
    over: u32


@own_message(18)
class SetSignature(Message):
    """To the engine: the timeline has another time signature."""

    beats: Annotated[u32, Range(1, _core.MOST_SIGNATURE)]
    unit: Annotated[u32, Range(1, _core.MOST_SIGNATURE)]


@own_message(19)
class StartTimeline(Message):
    """To the engine: the timeline's beats go on."""

    if TYPE_CHECKING:

        def __init__(self) -> None: ...  # mypy makes none for a class without fields


@own_message(20)
class StopTimeline(Message):
    """To the engine: the timeline stands still."""

    if TYPE_CHECKING:

        def __init__(self) -> None: ...  # mypy makes none for a class without fields


@own_message(21)
class Locate(Message):
    """To the engine: the timeline goes to a beat."""

    beat: Annotated[f64, _BEAT]


@own_message(22)
class SetLoop(Message):
    """To the engine: a region of the timeline repeats. 0 to 0: none does."""

    start: Annotated[f64, _BEAT]
    end: Annotated[f64, _BEAT]


@refusing_unmade
class Timeline:
    """The engine's map between frames and beats: ``engine.timeline``. Beats are quarter notes, and count from 0.

    It runs from frame 0 at a tempo of 120, in 4/4. Tempos are quarter notes a minute, from 1 to 1000.

    The audio thread changes it. So each change is a command: it takes effect when the audio thread reads it, or at
    ``at``, which is a frame, a ``Beat``, ``next_bar()``, ``next_beat()`` or ``next_grid()``. ``late`` and ``timeout``
    are those of ``engine.send``. The calls that change it return a confirmation, as ``engine.confirm`` does, and raise
    what that raises: Full, ClosedError, ForkedError, DeviceError, ArgumentError, ArgumentTypeError. What you read is
    the state after the last block. Any thread may use it.
    """

    __slots__ = ("_engine",)

    def __init__(self, engine: "TimedEngine") -> None:
        self._engine = engine

    def __eq__(self, other: object) -> bool:
        return self._engine is other._engine if isinstance(other, Timeline) else NotImplemented

    def __hash__(self) -> int:
        return hash((Timeline, id(self._engine)))

    def __repr__(self) -> str:
        snapshot = self._engine._timeline()
        now = self._engine.now()
        state = "" if snapshot.running else ", stands still"
        return f"<cueline.Timeline at beat {snapshot.beat_at(now):.3f}, tempo {snapshot.tempo_at(now):g}{state}>"

    @property
    def tempo(self) -> float:
        """The tempo at the next block's first frame, in quarter notes a minute. To set it is to call set_tempo()."""
        # The map has beats per frame. What was set comes back with an error in the last digits.
        return round(self._engine._timeline().tempo_at(self._engine.now()), 9)

    @tempo.setter
    def tempo(self, tempo: float) -> None:
        self.set_tempo(tempo)

    def set_tempo(
        self, tempo: float, at: "When" = None, *, late: "Late" = "apply", timeout: float | None = 0
    ) -> "Confirmation":
        """Set the tempo, in quarter notes a minute (1 to 1000). A ramp ends."""
        return self._confirm(SetTempo(_checked_tempo(tempo)), at, late, timeout)

    def ramp(
        self,
        tempo: float,
        *,
        beats: float | None = None,
        seconds: float | None = None,
        at: "When" = None,
        late: "Late" = "apply",
        timeout: float | None = 0,
    ) -> "Confirmation":
        """Move to another tempo, in quarter notes a minute, over ``beats`` or over ``seconds``: give one of them.

        Over beats, the tempo is a straight line over the beats; over seconds, over the time. The length is from 0.001
        to 1e6. The ramp begins at ``at``, with the tempo that the timeline has there. It waits while the timeline
        stands still. The next change of the tempo ends it.
        """
        if (beats is None) == (seconds is None):
            raise ArgumentTypeError("ramp() needs beats= or seconds=, and not both: for a jump, use set_tempo()")
        name, length = ("beats", beats) if beats is not None else ("seconds", seconds)
        assert length is not None
        number = checked_number(name, length, _core.LONGEST_RAMP, name, _core.SHORTEST_RAMP)
        return self._confirm(RampTempo(_checked_tempo(tempo), number, int(beats is None)), at, late, timeout)

    @property
    def signature(self) -> tuple[int, int]:
        """The time signature: how many notes a bar has, and which: (6, 8) are six eighths, which are 3 beats."""
        return self._engine._timeline().signature

    def set_signature(
        self,
        beats: "SupportsIndex",
        unit: "SupportsIndex" = 4,
        at: "When" = next_bar(),  # noqa: B008  # it is immutable
        *,
        late: "Late" = "apply",
        timeout: float | None = 0,
    ) -> "Confirmation":
        """Set the time signature: ``beats`` notes a bar (1 to 64), each a 1/``unit`` note (1, 2, 4 up to 64).

        A bar begins where it applies: by default at the next bar line. All bars count from there, in both directions.
        """
        count, note = checked_integer("beats", beats), checked_integer("unit", unit)
        most = _core.MOST_SIGNATURE
        if not 1 <= count <= most:
            raise ArgumentError(f"beats must be from 1 to {most}, got {count}")
        if not 1 <= note <= most or note & (note - 1):
            raise ArgumentError(f"unit must be 1, 2, 4, 8, 16, 32 or {most}, got {note}")
        return self._confirm(SetSignature(count, note), at, late, timeout)

    @property
    def running(self) -> bool:
        """Whether the beats go on: True unless the timeline was stopped."""
        return self._engine._timeline().running

    def start(self, at: "When" = None, *, late: "Late" = "apply", timeout: float | None = 0) -> "Confirmation":
        """Let the beats go on, from where the timeline stands. If it runs, do nothing.

        While it stands, a beat does not come: use a frame for ``at``.
        """
        return self._confirm(StartTimeline(), at, late, timeout)

    def stop(self, at: "When" = None, *, late: "Late" = "apply", timeout: float | None = 0) -> "Confirmation":
        """Let the timeline stand still. Cues in beats wait; frames go on, and so does the sound."""
        return self._confirm(StopTimeline(), at, late, timeout)

    def locate(
        self, beat: float, at: "When" = None, *, late: "Late" = "apply", timeout: float | None = 0
    ) -> "Confirmation":
        """Go to a beat (0 to 1e9), forward or back. Cues whose beats it passes over are late; later ones wait."""
        return self._confirm(Locate(_checked_place("beat", beat)), at, late, timeout)

    @property
    def loop_region(self) -> tuple[float, float] | None:
        """The region that repeats, as its first beat and the first one after it; None if none does."""
        return self._engine._timeline().loop

    def loop(
        self, start: float, end: float, at: "When" = None, *, late: "Late" = "apply", timeout: float | None = 0
    ) -> "Confirmation":
        """Repeat the beats from ``start`` up to ``end``, which is the first one outside and at least 1/16 later.

        When the timeline comes to the end, it goes to the start, exactly between two frames. If it is after the end
        already, it goes on. A cue in the region comes once: in this round or, if its beat was passed, in the next one.
        """
        first, last = _checked_place("start", start), _checked_place("end", end)
        if last < first + _core.SHORTEST_LOOP:
            raise ArgumentError(
                f"end must be at least {_core.SHORTEST_LOOP:g} beats after start, which is {first:g}, got {last:g}: "
                "loop_off() ends a loop"
            )
        return self._confirm(SetLoop(first, last), at, late, timeout)

    def loop_off(self, at: "When" = None, *, late: "Late" = "apply", timeout: float | None = 0) -> "Confirmation":
        """Repeat no region any more. Cues that waited for the next round are late."""
        return self._confirm(SetLoop(0.0, 0.0), at, late, timeout)

    def now(self) -> float:
        """Return the beat at the next block's first frame, which is engine.now(). Raises ForkedError."""
        return self._engine._timeline().beat_at(self._engine.now())

    def next_bar(self) -> Beat:
        """Return the first bar line from the next block on, to plan from it: ``bar + 8`` is eight quarter notes later.

        A command that should come at the line must be read before it, so take a later bar if the line is near.
        ``at=cueline.next_bar()`` is never late, but you cannot know beforehand which bar it is. Raises ForkedError.
        """
        snapshot = self._engine._timeline()
        return Beat(snapshot.next_line(snapshot.beat_at(self._engine.now()), 0))

    def beat_at(self, frame: "SupportsIndex") -> float:
        """Return the beat at a frame. For a later frame, it holds if nothing changes the timeline until then.

        The last 64 changes are kept. For a frame before them, it raises ArgumentError. Raises ArgumentTypeError,
        ForkedError.
        """
        number, snapshot = checked_count("frame", frame), self._engine._timeline()
        if number < snapshot.first_frame:
            raise ArgumentError(
                f"frame must be {snapshot.first_frame} or later, got {number}: the timeline keeps its last 64 changes"
            )
        return snapshot.beat_at(number)

    def frame_at(self, beat: "float | Beat") -> int | None:
        """Return the frame that is nearest to a beat, if nothing changes the timeline until then.

        If a beat came more than once, it is the last frame, or the one to come in this round. Returns None if the beat
        does not come, because the timeline stands still or has passed over it. Raises ArgumentError, ArgumentTypeError,
        ForkedError.
        """
        return self._engine._timeline().frame_at(checked_beat("beat", beat))

    def _confirm(self, message: Message, at: "When", late: "Late", timeout: float | None) -> "Confirmation":
        return self._engine.confirm(message, at, late=late, timeout=timeout)


def _checked_tempo(tempo: float) -> float:
    return checked_number("tempo", tempo, _core.HIGHEST_TEMPO, "quarter notes a minute", _core.LOWEST_TEMPO)


def _checked_place(name: str, beat: "float | Beat") -> float:
    number = beat.beat if isinstance(beat, Beat) else beat
    return checked_number(name, number, _core.HIGHEST_BEAT, "quarter notes") + 0.0  # -0.0 becomes 0.0


def wait_until(engine: "TimedEngine", when: "SupportsIndex | Beat", timeout: float | None) -> None:
    """Wait for a frame or a beat: see AudioEngine.wait_until()."""
    if not isinstance(when, Beat) and _core._whole_number(when) is None:
        raise ArgumentTypeError(
            f"when must be a frame, which is an integer, or a cueline.Beat, got {shown(when)}: "
            "engine.after(seconds) is the frame that many seconds from now"
        )
    frame = None if isinstance(when, Beat) else checked_count("when", when)
    for interval in polling_intervals(engine, timeout):
        now = engine.now()
        if isinstance(when, Beat):
            snapshot = engine._timeline()
            frame = now if snapshot.beat_at(now) >= when.beat else snapshot.frame_at(when.beat)
        if frame is not None and frame <= now:
            return
        require_an_end(engine, timeout, "wait_until()")
        time.sleep(interval)
    raise TimelineTimeout(f"{shown(when)} did not come within {timeout} s{engine._why_no_block}")
