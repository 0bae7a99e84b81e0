"""Automation: parameters that move at given frames or beats. ``engine.parameters.automate()`` starts one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from cueline import _core
from cueline._core import Message
from cueline.arguments import checked_count, checked_integer, checked_number, refusing_unmade, shown
from cueline.beats import Beat, Grid
from cueline.errors import ArgumentError, ArgumentTypeError
from cueline.fields import buffer, f64, u8, u16, u32
from cueline.specs import ParameterSpec
from cueline.typed import own_message

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import SupportsIndex

    import numpy as np
    import numpy.typing as npt

    from cueline.confirmation import Confirmation, ConfirmingEngine

__all__ = ["Automation", "Curve", "Exponential", "Linear", "Set", "Target", "automate"]

_STEP, _LINEAR, _EXPONENTIAL, _TARGET, _CURVE = range(5)
_MOST_SEGMENTS = _core.RING_CAPACITY - 1  # with one more command, all of them can be cancelled at once
_NOW = 0.0  # all places are at this one or later


@own_message(23)
class Automate(Message):
    """To the engine: a parameter follows a segment of an automation. ``engine.parameters.automate`` sends it."""

    value: f64
    end: f64
    constant: f64
    automation: u32
    buffer: buffer
    parameter: u16
    shape: u8
    in_beats: bool


@own_message(24)
class HoldAutomation(Message):
    """To the engine: an automated parameter stays at the value that it has, and its automation is over."""

    automation: u32
    parameter: u16


@own_message(25)
class CancelAutomation(Message):
    """To the engine: the events of an automation from a frame or a beat on are cancelled."""

    place: f64
    automation: u32
    parameter: u16


@refusing_unmade
@dataclass(frozen=True)
class Set:
    """The value jumps to ``value`` at the frame or the Beat ``at``. Raises ArgumentError, ArgumentTypeError."""

    value: float
    at: int | Beat = field(kw_only=True)

    def __post_init__(self) -> None:
        _set(self, value=_checked_value(self.value), at=_checked_time(self.at))


@refusing_unmade
@dataclass(frozen=True)
class Linear:
    """The value moves in a straight line, from the event before to ``value`` at the frame or the Beat ``at``.

    Raises ArgumentError, ArgumentTypeError.
    """

    value: float
    at: int | Beat = field(kw_only=True)

    def __post_init__(self) -> None:
        _set(self, value=_checked_value(self.value), at=_checked_time(self.at))


@refusing_unmade
@dataclass(frozen=True)
class Exponential:
    """The value moves in equal ratios, from the event before to ``value`` at the frame or the Beat ``at``.

    ``value`` is not 0. If the event before has the value 0 or another sign, the value stays until ``at`` and jumps
    there. Raises ArgumentError, ArgumentTypeError.
    """

    value: float
    at: int | Beat = field(kw_only=True)

    def __post_init__(self) -> None:
        value = _checked_value(self.value)
        if value == 0:
            raise ArgumentError(
                f"value of an Exponential must not be 0, got {shown(self.value)}: end at a small one, such as 0.001, "
                "and Set 0 there"
            )
        _set(self, value=value, at=_checked_time(self.at))


@refusing_unmade
@dataclass(frozen=True)
class Target:
    """From ``at`` on, the value approaches ``value``: each ``time_constant`` leaves 1/e of the distance.

    ``time_constant`` is in seconds, from 0 to 3600; with 0, the value jumps. If the next event is a Linear or an
    Exponential, it replaces this one, and begins at ``at``. Raises ArgumentError, ArgumentTypeError.
    """

    value: float
    at: int | Beat = field(kw_only=True)
    time_constant: float = field(kw_only=True)

    def __post_init__(self) -> None:
        constant = checked_number("time_constant", self.time_constant, _core.LONGEST_TIME_CONSTANT_S, "seconds")
        _set(self, value=_checked_value(self.value), at=_checked_time(self.at), time_constant=constant)


@refusing_unmade
@dataclass(frozen=True)
class Curve:
    """From ``at`` on, the value follows ``values``, evenly spaced over the length ``over``, with lines between them.

    ``over`` is in frames if ``at`` is a frame, and in quarter notes if it is a Beat. There are at least two values,
    played as float32 within the parameter's range. No other event may fall within the curve. Raises ArgumentError,
    ArgumentTypeError.
    """

    values: "Sequence[float]"
    at: int | Beat = field(kw_only=True)
    over: float = field(kw_only=True)

    def __post_init__(self) -> None:
        values = _checked_values(self.values)
        at = _checked_time(self.at)
        over: float
        if isinstance(self.over, Beat):
            raise ArgumentTypeError(
                f"over must be a plain number: of beats if at is a Beat, else of frames, got {self.over!r}"
            )
        if isinstance(at, Beat):
            over = checked_number("over", self.over, _core.HIGHEST_BEAT, "quarter notes", 1e-6)
        elif (over := checked_integer("over", self.over)) < 1:  # type: ignore[arg-type]  # it refuses others
            raise ArgumentError(f"over must be 1 frame or more, got {over}")
        _set(self, values=values, at=at, over=over)

    def end(self) -> int | Beat:
        """Return the frame or the Beat at which the curve has its last value."""
        return self.at + self.over if isinstance(self.at, Beat) else self.at + int(self.over)


Event = Set | Linear | Exponential | Target | Curve


@refusing_unmade
class Automation:
    """What a parameter does at given frames or beats: ``engine.parameters.automate()`` returns it.

    It goes on even if you drop this object. Any Python thread may use it.
    """

    __slots__ = ("__weakref__", "_confirmation", "_engine", "_line", "_parameter", "_segments", "_sequence")

    def __init__(
        self,
        engine: "ConfirmingEngine",
        line: _core.Sender,
        parameter: int,
        segments: "list[_Segment]",
        sequence: int,
        confirmation: "Confirmation",
    ) -> None:
        self._engine = engine
        self._line = line
        self._parameter = parameter
        self._segments = [segment._replace(curve=None) for segment in segments]
        self._sequence = sequence
        self._confirmation = confirmation

    @property
    def confirmation(self) -> "Confirmation":
        """The confirmation of its last event: applied when it comes, or refused if the automation ended before."""
        return self._confirmation

    def __repr__(self) -> str:
        return f"<cueline.Automation {self._sequence}>"

    def hold(self, at: "int | Beat | None" = None, *, timeout: float | None = 0) -> "Confirmation":
        """Hold the parameter at the value that it has at ``at``, or in the next block, and cancel later events.

        This is cancelAndHoldAtTime() of the Web Audio specification. ``at`` is a frame, or a Beat if the automation is
        in beats. ``timeout`` is that of ``engine.confirm``. Returns the confirmation. Raises what ``engine.confirm``
        raises.
        """
        time = self._checked_time(at)
        place = _NOW if time is None else _place(time)
        later = sum(segment.at is not None and _place(segment.at) > place for segment in self._segments)
        return self._end(HoldAutomation(self._sequence, self._parameter), time, later, timeout)

    def cancel(self, at: "int | Beat | None" = None, *, timeout: float | None = 0) -> "Confirmation":
        """Cancel the events at ``at`` or later; without ``at``, all that have not come. This takes effect at once.

        If one of them is a ramp or a curve that has begun, it ends, and the parameter returns to the value that it had
        at that beginning. This is cancelScheduledValues() of the Web Audio specification. ``at`` is a frame, or a Beat
        if the automation is in beats. ``timeout`` is that of ``engine.confirm``. Returns the confirmation. Raises what
        ``engine.confirm`` raises.
        """
        time = self._checked_time(at)
        place = _NOW if time is None else _place(time)
        later = sum(segment.place() >= place for segment in self._segments)
        return self._end(CancelAutomation(place, self._sequence, self._parameter), None, later, timeout)

    def _checked_time(self, at: Any) -> int | Beat | None:
        if at is None:
            return None
        time, in_beats = _checked_time(at), isinstance(self._segments[-1].at, Beat)
        if isinstance(time, Beat) != in_beats:
            unit = "beats: at must be a Beat" if in_beats else "frames: at must be a frame"
            raise ArgumentTypeError(f"this automation is in {unit}, or None, got {shown(at)}")
        return time

    def _end(self, message: Message, at: int | Beat | None, later: int, timeout: float | None) -> "Confirmation":
        """Send ``message``, and cancel the last ``later`` segments that still wait."""
        confirmations = self._engine._confirmations
        confirmation = confirmations.new(self._engine, self._line)
        first = _sequence_after(self._sequence, len(self._segments) - later)
        self._line._end_automation(message, at, first, later, timeout, confirmation, confirmations.under_way)
        return confirmation


class _Segment(NamedTuple):
    """What the audio thread gets: from ``at`` on, this shape."""

    at: int | Beat | None  # None: as soon as it is read
    shape: int
    value: float
    end: float = 0.0
    constant: float = 0.0
    curve: "npt.NDArray[np.float32] | None" = None

    def place(self) -> float:
        """Return the time by which a cancel finds the segment: the end of a ramp or a curve."""
        if self.shape in (_STEP, _TARGET):
            assert self.at is not None
            return _place(self.at)
        return self.end


def automate(
    engine: "ConfirmingEngine",
    line: _core.Sender,
    parameters: _core.Parameters,
    name: "str | tuple[str, SupportsIndex]",
    events: "Iterable[Event]",
    timeout: float | None,
) -> Automation:
    """Start an automation. See Parameters.automate()."""
    label, address, lowest, highest, unit = _checked_target(parameters, name)
    in_order = _checked_events(events)
    for event in in_order:
        for value in _values_of(event):
            checked_number(label, value, highest, unit, lowest)
    segments = _segments(in_order)
    if len(segments) > _MOST_SEGMENTS:
        raise ArgumentError(
            f"an automation has at most {_MOST_SEGMENTS} segments, got {len(segments)}: a Curve has any number of "
            "values"
        )
    if (curves_in_it := sum(segment.curve is not None for segment in segments)) > _core.MOST_CURVES:
        raise ArgumentError(
            f"an automation has at most {_core.MOST_CURVES} curves, got {curves_in_it}: join them, or begin another "
            "automation when this one is over"
        )
    in_beats = isinstance(in_order[0].at, Beat)
    messages = tuple(
        Automate(segment.value, segment.end, segment.constant, 0, 0, address, segment.shape, in_beats)
        for segment in segments
    )
    confirmations = engine._confirmations
    confirmation = confirmations.new(engine, line)
    times, curves = tuple(segment.at for segment in segments), tuple(segment.curve for segment in segments)
    sequence = line._send_automation(messages, times, curves, timeout, confirmation, confirmations.under_way)
    return Automation(engine, line, address, segments, sequence, confirmation)


def _segments(events: "list[Event]") -> list[_Segment]:
    """Turn events into segments. A ramp's event has the time of its end, and a segment that of its beginning."""
    segments: list[_Segment] = []
    since: int | Beat | None = None  # where a ramp would begin
    rest: _Segment | None = None  # a step at the end of the last segment, unless another segment begins there

    def add(segment: _Segment) -> None:
        nonlocal rest
        if rest is not None and segment.at != rest.at:
            segments.append(rest)
        rest = None
        segments.append(segment)

    for event, following in zip(events, [*events[1:], None], strict=True):
        if isinstance(event, Set):
            add(_Segment(event.at, _STEP, event.value))
        elif isinstance(event, Target):
            if not isinstance(following, (Linear, Exponential)):
                add(_Segment(event.at, _TARGET, event.value, constant=event.time_constant))
        elif isinstance(event, Curve):
            import numpy as np

            end = event.end()
            values = np.asarray(event.values, np.float32)
            last = float(values[-1])
            add(_Segment(event.at, _CURVE, last, _place(end), curve=values))
            rest = _Segment(end, _STEP, last)
            since = end
            continue
        elif since is not None and _place(event.at) <= _place(since):
            add(_Segment(event.at, _STEP, event.value))
        else:
            shape = _LINEAR if isinstance(event, Linear) else _EXPONENTIAL
            add(_Segment(since, shape, event.value, _place(event.at)))
            rest = _Segment(event.at, _STEP, event.value)
        since = event.at
    if rest is not None:
        segments.append(rest)
    return segments


def _checked_target(
    parameters: _core.Parameters, name: "str | tuple[str, SupportsIndex]"
) -> tuple[str, int, float, float, str]:
    """Return the words for an error, the address and the range of the parameter."""
    of, index = name if isinstance(name, tuple) and len(name) == 2 else (name, None)
    spec = ParameterSpec(*parameters._spec(of))
    address = parameters._first_address(of)
    if index is None:
        if spec.count > 1:
            raise ArgumentTypeError(
                f"{spec.name!r} is an array of {spec.count} parameters: automate an element, as in ({spec.name!r}, 0)"
            )
        return spec.name, address, spec.lowest, spec.highest, spec.unit
    element = checked_integer(f"an index of {spec.name}", index)
    if not 0 <= element < spec.count:
        raise ArgumentError(f"an index of {spec.name} must be from 0 to {spec.count - 1}, got {element}")
    return f"{spec.name}[{element}]", address + element, spec.lowest, spec.highest, spec.unit


def _checked_events(events: "Iterable[Event]") -> "list[Event]":
    """Return the events in the order of their times."""
    kinds = (Set, Linear, Exponential, Target, Curve)
    try:
        listed = list(events)
    except TypeError:
        raise ArgumentTypeError(f"events must be a list of {_names(kinds)}, got {shown(events)}") from None
    if not listed:
        raise ArgumentError(f"events must have at least one of {_names(kinds)}, got none")
    for event in listed:
        if not isinstance(event, kinds):
            raise ArgumentTypeError(f"an event must be a {_names(kinds)}, got {shown(event)}")
    if len({isinstance(event.at, Beat) for event in listed}) > 1:
        raise ArgumentError(
            "the events of an automation must be all at frames or all at Beats, got both: "
            "engine.timeline.frame_at(beat) is the frame of a beat"
        )
    in_order = sorted(listed, key=lambda event: _place(event.at))
    for event, following in pairwise(in_order):
        if isinstance(event, Curve) and _place(following.at) < _place(event.end()):
            raise ArgumentError(
                f"no event may fall within a Curve, which is from {event.at} up to {event.end()}, got "
                f"{type(following).__name__} at {following.at}: begin it at the curve's end, or shorten the curve"
            )
    return in_order


def _names(kinds: tuple[type, ...]) -> str:
    names = [kind.__name__ for kind in kinds]
    return ", ".join(names[:-1]) + " or " + names[-1]


def _values_of(event: "Event") -> "Sequence[float]":
    return event.values if isinstance(event, Curve) else (event.value,)


def _sequence_after(sequence: int, steps: int) -> int:
    """Return the sequence ``steps`` later. Sequences wrap around, and skip 0."""
    return (sequence + steps - 1) % 0xFFFF_FFFF + 1


def _place(time: int | Beat) -> float:
    return time.beat if isinstance(time, Beat) else float(time)


def _set(event: Any, **values: Any) -> None:
    for name, value in values.items():
        object.__setattr__(event, name, value)


def _checked_value(value: float) -> float:
    number = _core._real_number(value)
    if number is None:
        raise ArgumentTypeError(f"value must be a number, got {shown(value)}")
    if not math.isfinite(number):
        raise ArgumentError(f"value must be a finite number, got {shown(value)}")
    return number


def _checked_values(values: Any) -> tuple[float, ...]:
    import numpy as np

    try:
        numbers = np.asarray(values)
        with_bools = isinstance(values, Sequence) and any(isinstance(value, (bool, np.bool_)) for value in values)
        if numbers.dtype.kind not in "fiu" or numbers.ndim != 1 or with_bools:
            raise ArgumentTypeError(f"values must be a list or an array of numbers, got {shown(values)}")
        with np.errstate(over="ignore"):
            rounded = numbers.astype(np.float32)
        listed = numbers.astype(np.float64).tolist()
    except (TypeError, ValueError):
        raise ArgumentTypeError(f"values must be a list or an array of numbers, got {shown(values)}") from None
    if len(rounded) < 2:
        raise ArgumentError(f"values of a Curve must be at least 2, got {len(rounded)}: use Set for one")
    if not np.isfinite(rounded).all():
        raise ArgumentError(f"values of a Curve must be finite, got {shown(values)}")
    return tuple(listed)


def _checked_time(at: Any) -> int | Beat:
    if isinstance(at, Beat):
        return at
    if isinstance(at, Grid):
        raise ArgumentTypeError(f"at must be a frame or a Beat, got {at!r}: engine.timeline.next_bar() is a Beat")
    if isinstance(at, float):
        raise ArgumentTypeError(
            f"at must be a frame, which is an integer, or a Beat, got {at!r}: engine.after(seconds) is the frame that "
            "many seconds from now"
        )
    return checked_count("at", at)
