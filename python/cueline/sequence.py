"""Sequence: messages at beats, sent ahead of time. engine.sequence() plays one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sized
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from cueline import _core
from cueline.arguments import checked_flag, checked_number, refusing_unmade, shown
from cueline.beats import checked_beat
from cueline.bulk import timed_kind
from cueline.errors import ArgumentError, ArgumentTypeError, ClosedError, DeviceError
from cueline.polling import polling_intervals
from cueline.streams import require_an_end

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal, Protocol

    from cueline.beats import When
    from cueline.bulk import Records
    from cueline.streams import PolledEngine

    class OnePart(Protocol):
        """What sequences use of a part."""

        @property
        def number(self) -> int: ...
        def addressed(self, message: object) -> _core.Message: ...

    class SequencingEngine(PolledEngine, Protocol):
        """What sequences use of an engine."""

        _feeders: list[Feeder]

        @property
        def closed(self) -> bool: ...

    Events = Iterable[tuple[float, object]] | Records

__all__ = ["Feeder", "Sequence", "play"]

_BETWEEN_PULLS_S = 0.02
_JOIN_S = 1  # an iterator that blocks for longer is left alone


class Feeder:
    """Takes events from an iterator, ahead of time: on a thread of its own, or before each block of render()."""

    def __init__(self, score: _core.Score, events: Iterator[object], part: OnePart | None) -> None:
        self.error: BaseException | None = None
        self.heard = False  # whether the program has seen the error
        self._score = score
        self._events = events
        self._part = part
        self._next: tuple[float, object] | None = None
        self._last = 0.0
        self._thread: threading.Thread | None = None
        self._pulling = threading.Lock()
        self._puller: int | None = None  # the thread that is in the iterator
        self._over = False

    @property
    def over(self) -> bool:
        """Whether it takes no more events."""
        return self._over

    @property
    def unheard(self) -> BaseException | None:
        """The exception that ended it, if the program has not seen it. A ClosedError does not count."""
        return None if self.heard or isinstance(self.error, ClosedError) else self.error

    @property
    def left_render(self) -> bool:
        """Whether render() has raised its exception: then events that it had yielded may wait for ever."""
        return self._thread is None and self.error is not None and not isinstance(self.error, Exception)

    def start(self) -> None:
        """Take the events on a thread. It ends with the sequence, with the iterator, or when the engine is closed."""
        self._thread = threading.Thread(target=self._feed, name="cueline feeds a sequence", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait for the thread, unless this is the thread itself."""
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_JOIN_S)

    def require_outside(self) -> None:
        """Raise DeviceError inside the iterator: its events go into the block that would be rendered."""
        if self._puller == threading.get_ident():
            raise DeviceError(
                "render() was called inside the iterator of a sequence: yield the events, and call it outside"
            )

    def _feed(self) -> None:
        while self.pull():
            time.sleep(_BETWEEN_PULLS_S)

    def pull(self) -> bool:
        """Take the events that are wanted now, unless another thread does. Return whether more will be."""
        if self._over or not self._pulling.acquire(blocking=False):
            return not self._over
        more = False
        self._puller = threading.get_ident()
        try:
            more = self._pull()
        except StopIteration:
            pass
        except Exception as error:
            self.error = error
        except BaseException as error:  # Ctrl-C in render() goes on; a thread has nobody to raise it to
            self.error = error
            if self._thread is None:
                self.heard = True
                raise
        finally:
            if not more:
                self._over = True
                self._score.finish()
            self._puller = None
            self._pulling.release()
        return more

    def _pull(self) -> bool:
        for _ in range(_core.MAX_SEQUENCE_EVENTS):  # an end, even if the beats never advance
            if (wanted := self._score.wanted) is None:
                return False
            if wanted < 0:  # it is not known yet when it begins, or it begins later
                return True
            if self._next is None:
                self._next = self._checked(next(self._events))
            beat, message = self._next
            if beat > wanted:
                self._score.reach(beat)
                return True
            self._score.append(beat, message)
            self._next = None
        return True

    def _checked(self, event: object) -> tuple[float, object]:
        beat, message = _checked_event(event, "an event of the iterator", self._part)
        if beat < self._last:
            raise ArgumentError(
                f"an iterator's beats must not go back, got {beat:g} after {self._last:g}: yield the events in order, "
                "or pass a list, which is sorted"
            )
        self._last = beat
        return beat, message


@refusing_unmade
class Sequence:
    """Messages at beats that an engine plays: ``engine.sequence()`` returns it. Any Python thread may use it.

    It plays on even if you drop this object. You can set one attribute: ``mute``.
    """

    __slots__ = ("__weakref__", "_engine", "_feeders", "_loop_beats", "_part", "_playing", "_swing")

    def __init__(
        self,
        engine: SequencingEngine,
        events: Events,
        at: When,
        loop_beats: float | None,
        swing: tuple[float, float],
        late: Literal["apply", "drop"],
        part: OnePart | None,
    ) -> None:
        self._engine = engine
        self._part = part
        self._loop_beats = loop_beats
        self._swing = swing
        score, iterator = self._score(events)
        if iterator is not None and loop_beats is not None:
            raise ArgumentError(
                "loop_beats must be None for an iterator: let the iterator repeat its events, or pass a list"
            )
        self._playing = _core.PlayingSequence(score, at, late)
        self._feeders: list[Feeder] = []  # of the iterators that it has or had
        self._feed(score, iterator)

    @property
    def mute(self) -> bool:
        """Whether it is silent. What you set takes effect at once, or on a live device within a block or two.

        To be silent from one bar line to another, call ``replace([], at=...)`` and ``replace(events, at=...)``.
        """
        return self._playing.mute

    @mute.setter
    def mute(self, muted: bool) -> None:
        self._playing.mute = checked_flag("mute", muted)

    @property
    def played(self) -> int:
        """How many of its events were applied."""
        return self._playing.counts[0]

    @property
    def late(self) -> int:
        """How many of its events were applied or dropped after their beat, or came too late to be sent."""
        return self._playing.counts[1]

    @property
    def refused(self) -> int:
        """How many of its events were refused: by the processor, or because the schedule had no room."""
        return self._playing.counts[2]

    @property
    def error(self) -> BaseException | None:
        """The exception of its iterator, or of one that was replaced before you saw it; None if there was none."""
        for feeder in self._feeders:
            if feeder.error is not None:
                feeder.heard = True
                return feeder.error
        return None

    def __repr__(self) -> str:
        return f"<cueline.Sequence, {'over' if self.done() else 'mute' if self.mute else 'playing'}>"

    def replace(self, events: Events, at: When = None) -> None:
        """Play other events in place of these, from ``at`` on, or from now on.

        If the sequence repeats, its rounds go on: new events at beat 1 come where the old ones at beat 1 came. If it
        does not, or for an iterator, which plays once, beat 0 of the new events is at ``at``. If you call it again with
        the same or an earlier ``at``, the new call takes the place of the first. Raises ClosedError if the sequence is
        over, or was stopped, and what ``engine.sequence`` raises.
        """
        score, iterator = self._score(events)
        if not self._playing.replace(score, at):
            raise ClosedError("this sequence has ended, or was stopped: engine.sequence() begins another one")
        self._feed(score, iterator)

    def stop(self, at: When = None) -> None:
        """End it: what waits for ``at`` or later is cancelled; without ``at``, all that waits. Other sequences play on.

        Raises ArgumentError, ArgumentTypeError, ClosedError, ForkedError, DeviceError.
        """
        self._playing.stop(at)

    def done(self) -> bool:
        """Return whether it is over: all its events have come, its stop has taken effect, or the engine is closed.

        Never blocks.
        """
        return self._playing.over or self._engine.closed

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is over, without the GIL, and return True; or False when ``timeout`` is over.

        ``timeout`` is in seconds; None waits for ever, even while the engine is stopped. Raises what its iterator
        raised, DeviceError if the audio has ended, or if the offline device would wait for ever, ForkedError.
        """
        for interval in polling_intervals(self._engine, timeout):
            if self.done() or any(feeder.left_render for feeder in self._feeders):
                break
            with suppress(ClosedError):  # it is done now
                require_an_end(self._engine, timeout, "wait()")
            time.sleep(interval)
        else:
            return False
        if (error := self.error) is not None:
            raise error
        return True

    def _score(self, events: Any) -> tuple[_core.Score, Iterator[object] | None]:
        engine: Any = self._engine
        kind = timed_kind(events)
        if kind is None and hasattr(type(events), "__next__"):
            return _core.Score(engine, None, 0, 0, 0, *self._swing), events
        limit = self._loop_beats
        if kind is None:
            events = _checked_events(events, self._part)
            beats = [beat for beat, _ in events]
        else:
            beats = [float(beat) for beat in (events["beat"].min(), events["beat"].max())] if len(events) > 0 else []
            for beat in beats:
                checked_beat("an event's beat", beat)
        if limit is not None and beats and (most := max(beats)) >= limit:
            raise ArgumentError(
                f"an event's beat must be below loop_beats, which is {limit:g}, got {most:g}: leave it out, or "
                "make the loop longer"
            )
        part = 0 if self._part is None else self._part.number
        return _core.Score(engine, events, kind or 0, part, limit or 0, *self._swing), None

    def _feed(self, score: _core.Score, iterator: Iterator[object] | None) -> None:
        # Looked at in this order: a feeder has its error before it is over.
        self._feeders = [one for one in self._feeders if not one.over or one.unheard is not None]
        if iterator is None:
            return
        feeder = Feeder(score, iterator, self._part)
        if self._engine.device != "offline":
            feeder.start()
        feeders = self._engine._feeders
        feeders.append(feeder)
        for ended in [one for one in feeders if one.over and one.unheard is None]:
            with suppress(ValueError):  # another thread has removed it
                feeders.remove(ended)
        self._feeders.append(feeder)


def play(
    engine: SequencingEngine,
    events: Events,
    at: When,
    *,
    loop_beats: float | None,
    swing: float,
    swing_grid: float,
    late: Literal["apply", "drop"],
    part: OnePart | None = None,
) -> Sequence:
    """Play a sequence, to all parts or one. See AudioEngine.sequence()."""
    share = checked_number("swing", swing, _core.MOST_SWING, "", _core.LEAST_SWING)
    grid = checked_number("swing_grid", swing_grid, 4, "quarter notes", 1 / 64)
    length = None
    if loop_beats is not None:
        length = checked_number("loop_beats", loop_beats, _core.HIGHEST_BEAT, "quarter notes", _core.SHORTEST_LOOP)
        if share != _core.LEAST_SWING and length % (2 * grid) != 0:
            raise ArgumentError(
                f"loop_beats must be a multiple of {2 * grid:g} with a swing, which moves every second note, got "
                f"{length:g}"
            )
    return Sequence(engine, events, at, length, (share, grid), late, part)


def _checked_event(event: Any, what: str, part: OnePart | None) -> tuple[float, object]:
    try:
        beat, message = event
    except (TypeError, ValueError):
        raise ArgumentTypeError(f"{what} must be a pair (beat, message), got {shown(event)}") from None
    if isinstance(beat, _core.Message):
        raise ArgumentTypeError(f"{what} must be a pair (beat, message), in that order, got {shown(event)}")
    return checked_beat("an event's beat", beat), message if part is None else part.addressed(message)


def _checked_events(events: Any, part: OnePart | None) -> list[tuple[float, object]]:
    kind = type(events)
    if not issubclass(kind, Sized) or not issubclass(kind, Iterable):  # it may be endless
        raise ArgumentTypeError(
            "events must be a list of (beat, message), an array of cueline.beat_dtype(cls), or an iterator: pass "
            f"iter(events), got {shown(events)}"
        )
    return [_checked_event(event, f"the event at index {index}", part) for index, event in enumerate(events)]
