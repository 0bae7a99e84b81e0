"""engine.midi: what the controls of MIDI devices move. The audio thread carries the maps out, without Python."""

import math
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any

from cueline import _core, messages
from cueline._core import Message
from cueline.arguments import (
    checked_flag,
    checked_integer,
    checked_name,
    checked_number,
    checked_timeout,
    refusing_unmade,
    shown,
)
from cueline.errors import ArgumentError, ArgumentTypeError
from cueline.fields import Field, array, f64, u8, u16
from cueline.typed import layout_of, own_message

if TYPE_CHECKING:
    from typing import Literal, Protocol

    from cueline.line import Line
    from cueline.parameters import Parameters

    class MappingEngine(Protocol):
        """What its maps use of an engine."""

        _midi_maps: dict[int, "MidiMap"]

        @property
        def parameters(self) -> Parameters: ...
        @property
        def _parts(self) -> list[tuple[str, int, int, bool]]: ...

        def open_line(self, *, events: Literal["own", "all"] = "own") -> Line: ...
        def _midi_names(self, outputs: bool) -> list[str]: ...
        def _connect_midi(self, pattern: str, outputs: bool) -> None: ...

        def _checked_slot(self, slot: int) -> int: ...
        def _require_sendable(self, message: object) -> None: ...
        def _send_whole(
            self,
            messages: tuple[object, ...],
            at: None,
            late: str,
            timeout: float | None,
            confirmation: object,
            expected: dict[tuple[int, int], Any],
        ) -> int: ...

    Target = str | tuple[str, int] | int | Message
    Curve = Literal["linear", "exponential", "relative"]

__all__ = ["Learning", "Midi", "MidiMap"]

_HALF_BYTES = _core.PAYLOAD_BYTES // 2
_CURVES = ("linear", "exponential", "relative")
_FIELD_TYPES = ("u8", "u16", "u32", "i8", "i16", "i32", "f32", "f64")  # their numbers begin at 1
_NOTE_ON_STATUS, _CONTROL_STATUS, _PRESSURE_STATUS, _PITCH_BEND_STATUS = 0x90, 0xB0, 0xD0, 0xE0
_MOST = 1.7976931348623157e308


@own_message(26)
class MapMidi(Message):
    """To the engine: a control of MIDI moves a parameter, or sends a message."""

    place: u8
    status: u8
    number: u8
    port: u8
    omni: u8
    curve: u8
    field: u8
    message_flags: u8
    target: u16
    address: u16
    low: f64
    high: f64


@own_message(27)
class MapMidiMessage(Message):
    """To the engine: half of the message that a map sends."""

    place: u8
    half: u8
    bytes: Annotated[tuple[int, ...], array(u8, _HALF_BYTES)]


@own_message(28)
class UnmapMidi(Message):
    """To the engine: a map ends."""

    place: u8


@refusing_unmade
@dataclass(frozen=True, slots=True)
class MidiMap:
    """A control and what it moves. ``engine.midi.map`` returns a MidiMap, and accepts one that was saved.

    ``recipe()`` is a dict for JSON, and ``MidiMap.from_recipe`` makes the map again.
    """

    control: Message
    target: "Target"
    low: float = 0.0
    high: float = 1.0
    curve: "Curve" = "linear"
    field: str | None = None
    omni: bool = False

    def recipe(self) -> dict[str, Any]:
        """Return the map as a dict of names and numbers, which JSON can hold."""
        recipe: dict[str, Any] = {each.name: getattr(self, each.name) for each in fields(self)}
        recipe["control"] = _recipe_of(self.control)
        if isinstance(self.target, Message):
            recipe["target"] = _recipe_of(self.target)
        elif isinstance(self.target, tuple):
            recipe["target"] = list(self.target)
        return recipe

    @classmethod
    def from_recipe(cls, recipe: Mapping[str, Any]) -> "MidiMap":
        """Return the map of a ``recipe()``. Raises ArgumentError for anything else."""
        try:
            parts = {**recipe, "control": _from_recipe(recipe["control"])}
            target = parts["target"]
            if isinstance(target, Mapping):
                parts["target"] = _from_recipe(target)
            elif isinstance(target, list):
                name, element = target
                parts["target"] = (name, element)
            return cls(**parts)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise ArgumentError(f"recipe must be from MidiMap.recipe(), got {shown(recipe)}: {error}") from None


# help() finds the docs of attributes here. A dataclass with defaults cannot have them in its body.
MidiMap.__slots__ = {  # type: ignore[assignment]
    "control": "A MIDI message from the control. Its value, or a note's velocity, does not count.",
    "target": "A parameter, an element of an array of them, a slot of the player, or a message.",
    "low": "The number that the target gets when the control is all the way down.",
    "high": "The number that the target gets when the control is all the way up. It may be less than ``low``.",
    "curve": "How the numbers lie from ``low`` to ``high``: linear, exponential, or relative for an encoder.",
    "field": "The field of the message that gets the number; None: the message is sent as it is.",
    "omni": "Whether the control may come on any channel and any port.",
}


def _recipe_of(message: Message) -> dict[str, Any]:
    name = type(message).__name__
    if getattr(messages, name, None) is not type(message):  # a user's class: its name says nothing elsewhere
        recipe = {"kind": message.kind, "payload": message.payload.hex()}
    else:
        values = {field.name: getattr(message, field.name) for field in layout_of(type(message)).fields}
        # JSON has no NaN, which leaves a value as it is.
        recipe = {"type": name, **{each: None if value != value else value for each, value in values.items()}}
    part = message.flags >> 4
    return {**recipe, "part": part} if part else recipe


def _from_recipe(recipe: Mapping[str, Any]) -> Message:
    values = dict(recipe)
    part = values.pop("part", 0)
    if part not in range(16):
        raise ArgumentError(f"part must be a part's number, got {shown(part)}")
    made: Message
    if "kind" in values:
        made = Message(values["kind"], bytes.fromhex(values["payload"]))
    else:
        name = values.pop("type")
        if name not in messages.__all__:
            raise ArgumentError(f"cueline has no message {shown(name)}")
        made = getattr(messages, name)(**{each: math.nan if it is None else it for each, it in values.items()})
    return _core._addressed(made, part) if part else made


@refusing_unmade
class Learning:
    """The next control that somebody moves: ``await`` it, or call ``result()``. ``engine.midi.learn`` returns one."""

    def __init__(self, engine: "MappingEngine", timeout: float | None) -> None:
        self._engine = engine
        self._timeout = timeout

    def result(self) -> Message:
        """Wait for the control, without the GIL, and return it. Raises what ``engine.midi.learn()`` does."""
        with self._engine.open_line(events="all") as line:
            left = _time_left(self._timeout)
            while True:
                if (control := _learned(line.receive(timeout=left()))) is not None:
                    return control

    def __await__(self) -> Generator[Any, None, Message]:
        return self._wait().__await__()

    async def _wait(self) -> Message:
        with self._engine.open_line(events="all") as line:
            left = _time_left(self._timeout)
            while True:
                if (control := _learned(await line.areceive(timeout=left()))) is not None:
                    return control


def _time_left(timeout: float | None) -> Callable[[], float | None]:
    """Return a function that returns the seconds that are left."""
    if timeout is None:
        return lambda: None
    deadline = time.monotonic() + timeout
    return lambda: max(0.0, deadline - time.monotonic())


def _learned(event: Message) -> Message | None:
    """Return the control that sent an event, without its value; None if no control did, or if it ends a note."""
    if isinstance(event, messages.NoteOn):
        return messages.NoteOn(event.note, channel=event.channel, port=event.port)
    if isinstance(event, messages.ControlChange):
        return messages.ControlChange(event.control, channel=event.channel, port=event.port)
    if isinstance(event, messages.PitchBend):
        return messages.PitchBend(channel=event.channel, port=event.port)
    if isinstance(event, messages.MidiBytes) and event.status < 0xF0:
        numbered = event.status & 0xF0 != _PRESSURE_STATUS
        return messages.MidiBytes(event.status, event.data1 if numbered else 0, port=event.port)
    return None


@refusing_unmade
class Midi:
    """MIDI's part of an engine: ``engine.midi``. Any thread may use it."""

    __slots__ = ("_engine",)

    def __init__(self, engine: "MappingEngine") -> None:
        self._engine = engine

    def __eq__(self, other: object) -> bool:
        return self._engine is other._engine if isinstance(other, Midi) else NotImplemented

    def __hash__(self) -> int:
        return hash((Midi, id(self._engine)))

    def __repr__(self) -> str:
        return f"<cueline.Midi: {len(self.maps)} maps>"

    @property
    def maps(self) -> tuple[MidiMap, ...]:
        """The maps that are there now."""
        return tuple(self._engine._midi_maps.values())

    def inputs(self) -> list[str]:
        """Return the names of the devices and programs that MIDI can come from. May block for a moment.

        Raises DeviceError for an engine without ``midi_inputs``, ClosedError, ForkedError.
        """
        return self._engine._midi_names(False)

    def outputs(self) -> list[str]:
        """Return the names of the devices and programs that MIDI can go to. Needs ``midi_outputs``: see inputs()."""
        return self._engine._midi_names(True)

    def connect(self, pattern: str, *, outputs: bool = False) -> None:
        """Connect the engine's MIDI inputs to the devices and programs whose names match a regular expression.

        It connects those that are there now, and others when they come: a helper thread looks for them twice a second.
        With ``outputs``, it connects the MIDI outputs. Raises ArgumentError for a bad pattern, ArgumentTypeError, and
        what inputs() raises.
        """
        if not isinstance(pattern, str):
            raise ArgumentTypeError(f"pattern must be a regular expression, got {shown(pattern)}")
        checked_name("pattern", pattern)
        self._engine._connect_midi(pattern, checked_flag("outputs", outputs))

    def learn(self, timeout: float | None = None) -> Learning:
        """Wait for the next control that somebody moves: ``control = await engine.midi.learn(timeout=10)``.

        In a thread, call ``learn(timeout=10).result()``. The control is a NoteOn, a ControlChange, a PitchBend, or
        MidiBytes of a program change or of pressure, for map(). The event still reaches its other receivers: the wait
        uses a line of its own. Raises Empty when ``timeout`` seconds are over, LinesTakenError, and what receive()
        raises.
        """
        return Learning(self._engine, None if timeout is None else checked_timeout(timeout))

    def map(
        self,
        control: "Message | MidiMap",
        target: "Target | None" = None,
        field: str | None = None,
        *,
        low: float | None = None,
        high: float | None = None,
        curve: "Curve" = "linear",
        omni: bool = False,
        timeout: float | None = 1,
    ) -> MidiMap:
        """Let a control of MIDI move ``target``, on the audio thread, and return the map: save it, or ``unmap`` it.

        ``control`` is a NoteOn, a NoteOff, a ControlChange, a PitchBend, or MidiBytes of a program change or of
        pressure: messages of the same kind, number, channel and port move the target. With ``omni`` they may come on
        any channel and port. Messages that the program sends as commands count too, at their frame. The processor still
        gets the messages.

        ``target`` is one of these:

        - the name of a parameter, or an element such as ``("gain", 17)``. It moves in its ramp time, and reading it
          shows the number.
        - a slot of the player, for a NoteOn: it starts the buffer there, with a gain from ``low`` to ``high``. In an
          engine with parts, it is a slot of one part, as in ``publish``.
        - a message that the processor handles, or a tempo or another command of the timeline. Its ``field`` gets the
          number. Without a field, each note and each program change sends it; any other control sends it each time that
          it moves within its upper half.

        ``low`` and ``high`` are the numbers at the two ends of the control. By default they are the ends of the
        parameter's range, or 0 and 1 for a slot; a field needs both. ``curve`` is ``"linear"``; ``"exponential"``, with
        both ends above 0: equal steps of the control multiply by equal factors; or ``"relative"``, for an encoder that
        sends a ControlChange of 1 to 63 for up and 127 to 64 for down: each step is a 127th of the way.

        ``control`` can also be a MidiMap that was saved: then leave out the target, the field, and the two ends. A
        second map of the same control to the same target replaces the first.

        Raises ArgumentError, also for more than 128 maps; Full if there is no room within ``timeout`` seconds;
        ArgumentTypeError, UnknownNameError, ProcessorError, ClosedError, ForkedError, DeviceError.
        """
        if isinstance(control, MidiMap):
            if target is not None or field is not None or low is not None or high is not None:
                raise ArgumentTypeError("a MidiMap already has its target and its numbers: pass it alone")
            saved = control
            control, target, field = saved.control, saved.target, saved.field
            curve, omni = saved.curve, saved.omni
            low, high = saved.low, saved.high
            numbers = (_core._real_number(low), _core._real_number(high))
            if isinstance(target, Message) and field is None and numbers == (0, 1):
                low = high = None  # the defaults, which no field gets
        wire = _checked_control(control)
        if not isinstance(curve, str) or curve not in _CURVES:
            raise ArgumentError(f"curve must be 'linear', 'exponential' or 'relative', got {shown(curve)}")
        if isinstance(target, Message):
            checked = self._message_target(target, field, low, high)
        elif field is not None:
            raise ArgumentTypeError(f"field is for a message, and the target is {shown(target)}: leave it out")
        elif isinstance(target, (str, tuple)):
            checked = self._parameter_target(target, low, high)
        else:
            checked = self._slot_target(target, wire, low, high)
        if curve == "exponential" and not (checked.low > 0 and checked.high > 0):
            raise ArgumentError(
                f"an exponential curve needs low and high above 0, got {checked.low:g} and {checked.high:g}: "
                "give it other ends, or use a linear curve"
            )
        if curve == "relative" and (wire[0] & 0xF0 != _CONTROL_STATUS or checked.message is not None):
            raise ArgumentError("a relative curve is for a ControlChange that moves a parameter: use a linear one")
        made = MidiMap(control, target, checked.low, checked.high, curve, field, checked_flag("omni", omni))  # type: ignore[arg-type]
        place, before = self._placed(made)
        parts: list[Message] = [
            MapMidi(
                place,
                wire[0],
                wire[1] if len(wire) > 1 else 0,
                _port_of(control),
                int(made.omni),
                _CURVES.index(curve),
                checked.field,
                0 if checked.message is None else checked.message.flags,
                0 if checked.message is None else checked.message.kind,
                checked.address,
                checked.low,
                checked.high,
            )
        ]
        if checked.message is not None:
            payload = checked.message.payload
            halves = [
                MapMidiMessage(place, half, tuple(payload[half * _HALF_BYTES :][:_HALF_BYTES])) for half in (0, 1)
            ]
            parts = [*halves, *parts]
        try:
            self._send(parts, timeout)
        except BaseException:
            if before is None:
                self._engine._midi_maps.pop(place, None)
            else:
                self._engine._midi_maps[place] = before
            raise
        return made

    def unmap(self, midi_map: MidiMap | None = None, *, timeout: float | None = 1) -> None:
        """End ``midi_map``, or all maps. Raises ArgumentError if there is no such map, and what map() raises.

        ``timeout`` is that of map().
        """
        if midi_map is not None and not isinstance(midi_map, MidiMap):
            raise ArgumentTypeError(f"midi_map must be a MidiMap or None, got {shown(midi_map)}")
        places = [place for place, there in list(self._engine._midi_maps.items()) if midi_map in (None, there)]
        if not places and midi_map is not None:
            raise ArgumentError(f"midi_map must be one of engine.midi.maps, got {shown(midi_map)}")
        if places:
            self._send([UnmapMidi(place) for place in places], timeout)
        for place in places:
            self._engine._midi_maps.pop(place, None)

    def _send(self, parts: list[Message], timeout: float | None) -> None:
        self._engine._send_whole(tuple(parts), None, "apply", timeout, None, {})

    def _placed(self, made: MidiMap) -> tuple[int, MidiMap | None]:
        """Put the map into the place of the map that it replaces, or a free one. Return the place, and the old map."""
        maps = self._engine._midi_maps
        new = (_key_of(made), made.target, made.field, made.omni)
        for place, there in list(maps.items()):
            if (_key_of(there), there.target, there.field, there.omni) == new:
                maps[place] = made
                return place, there
        for place in range(_core.MAX_MIDI_MAPS):
            if maps.setdefault(place, made) is made:  # in one step: two threads may come at once
                return place, None
        raise ArgumentError(f"an engine has at most {_core.MAX_MIDI_MAPS} MIDI maps: unmap() one")

    def _parameter_target(self, target: "str | tuple[str, int]", low: float | None, high: float | None) -> "_Checked":
        if isinstance(target, tuple) and len(target) != 2:
            raise ArgumentTypeError(f"an element is a pair such as ('gain', 17), got {shown(target)}")
        name, element = target if isinstance(target, tuple) else (target, None)
        parameters = self._engine.parameters
        spec = parameters.spec(name)
        if element is None and spec.count > 1:
            raise ArgumentTypeError(f"{name!r} is an array of {spec.count} parameters: map an element: ({name!r}, 0)")
        index = 0 if element is None else checked_integer("the element", element)
        if not 0 <= index < spec.count:
            raise ArgumentError(f"the element must be from 0 to {spec.count - 1}, got {index}")
        first = 0
        for each in parameters:
            if each == spec.name:
                break
            first += parameters.spec(each).count
        return _Checked(
            None,
            first + index,
            0,
            spec.lowest if low is None else checked_number("low", low, spec.highest, spec.unit, spec.lowest),
            spec.highest if high is None else checked_number("high", high, spec.highest, spec.unit, spec.lowest),
        )

    def _slot_target(self, target: object, wire: bytes, low: float | None, high: float | None) -> "_Checked":
        slot = _core._whole_number(target)
        if slot is None or isinstance(target, bool):
            raise ArgumentTypeError(
                "target must be the name of a parameter, an element such as ('gain', 17), a slot of the player or a "
                f"message, got {shown(target)}"
            )
        if wire[0] & 0xF0 != _NOTE_ON_STATUS:
            raise ArgumentError("only a NoteOn can start a slot: map another control to a PlayBuffer")
        message: Message = messages.PlayBuffer(self._engine._checked_slot(slot))
        for number, (_, first, slots, _) in enumerate(self._engine._parts, 1):
            if first <= slot < first + slots:  # the engine's slots are those of its parts, counted through
                message = _core._addressed(messages.PlayBuffer(slot - first), number)
        return self._message_target(message, "gain", 0.0 if low is None else low, 1.0 if high is None else high)

    def _message_target(self, message: Message, field: str | None, low: float | None, high: float | None) -> "_Checked":
        self._engine._require_sendable(message)
        if message.kind < _core.FIRST_PROCESSOR_KIND and message.kind not in _TIMELINE_KINDS:
            raise ArgumentError(
                f"a map cannot send {shown(message)}: it is for the processor's messages and the timeline's"
            )
        if field is None:
            if low is not None or high is not None:
                raise ArgumentTypeError("low and high need the field that gets the number: field='gain'")
            return _Checked(message, 0, 0, 0.0, 1.0)
        if not isinstance(field, str):
            raise ArgumentTypeError(f"field must be the name of one of the message's fields, got {shown(field)}")
        found = _field_of(message, field)
        if low is None or high is None:
            raise ArgumentTypeError(f"the field {field!r} needs low= and high=, the numbers of the control's two ends")
        limits = _limits_of(found)
        return _Checked(
            message,
            found.offset,
            1 + _FIELD_TYPES.index(found.scalar.name),
            checked_number("low", low, limits[1], "", limits[0]),
            checked_number("high", high, limits[1], "", limits[0]),
        )


class _Checked:
    """A target in the form that the audio thread uses."""

    __slots__ = ("address", "field", "high", "low", "message")

    def __init__(self, message: Message | None, address: int, field: int, low: float, high: float) -> None:
        self.message = message
        self.address = address
        self.field = field
        self.low = low
        self.high = high


_TIMELINE_KINDS = range(16, 23)


def _checked_control(control: object) -> bytes:
    """Return the bytes of a MIDI message that can be mapped."""
    if not isinstance(control, Message):
        raise ArgumentTypeError(
            f"control must be a MIDI message such as cueline.ControlChange(7), got {shown(control)}"
        )
    wire = _core._midi_bytes(control)
    if not wire or wire[0] >= 0xF0:
        raise ArgumentError(
            "control must be a NoteOn, a NoteOff, a ControlChange, a PitchBend, or MidiBytes of a program change or "
            f"pressure, got {shown(control)}"
        )
    return wire


def _key_of(made: MidiMap) -> tuple[int, int, int]:
    """Return what must be equal in two messages of one control."""
    wire = _core._midi_bytes(made.control)
    numbered = wire[0] & 0xF0 not in (_PITCH_BEND_STATUS, _PRESSURE_STATUS)
    status, port = (wire[0] & 0xF0, 0) if made.omni else (wire[0], _port_of(made.control))
    return status, wire[1] if numbered else 0, port


def _port_of(control: Message) -> int:
    port: int = control.port  # type: ignore[attr-defined]  # all of MIDI's messages have one
    return port


def _field_of(message: Message, name: str) -> Field:
    fields_of_it = layout_of(type(message)).fields
    found = next((field for field in fields_of_it if field.name == name), None)
    if found is None:
        names = ", ".join(field.name for field in fields_of_it) or "none"
        raise ArgumentError(f"field must be one of {type(message).__name__}'s ({names}), got {shown(name)}")
    if found.scalar.name not in _FIELD_TYPES or found.length is not None or found.enumeration is not None:
        raise ArgumentError(f"field must be a number of at most 32 bits, or an f64, and {name!r} is neither")
    return found


def _limits_of(field: Field) -> tuple[float, float]:
    """Return the lowest and the highest number that the field takes."""
    name, size = field.scalar.name, field.scalar.size
    if name == "f64":
        lowest, highest = -_MOST, _MOST
    elif name == "f32":
        lowest, highest = -3.4028234663852886e38, 3.4028234663852886e38
    elif name.startswith("u"):
        lowest, highest = 0, 2 ** (8 * size) - 1
    else:
        lowest, highest = -(2 ** (8 * size - 1)), 2 ** (8 * size - 1) - 1
    if field.limits is None:
        return lowest, highest
    return max(lowest, field.limits.lowest), min(highest, field.limits.highest)
