"""Part: one of several processors of an engine, and the control side's connection to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from cueline import _core
from cueline.arguments import checked_integer, refusing_unmade, shown
from cueline.awaiting import asend
from cueline.beats import next_bar
from cueline.bulk import send_many
from cueline.errors import ArgumentError, ArgumentTypeError, ProcessorError, UnknownNameError
from cueline.meters import Meters
from cueline.parameters import Parameters
from cueline.receiving import request
from cueline.sequence import play
from cueline.transaction import Transaction

if TYPE_CHECKING:
    import os
    from typing import Literal, SupportsIndex, TypeVar

    import numpy.typing as npt

    from cueline.awaiting import Turns
    from cueline.beats import When
    from cueline.bulk import Records
    from cueline.confirmation import Confirmation
    from cueline.sequence import Events, Sequence, SequencingEngine
    from cueline.voice import PlayingEngine, Voice

    MessageT = TypeVar("MessageT", bound=_core.Message)

    class EngineOfParts(PlayingEngine, SequencingEngine, Protocol):
        """What parts use of an engine. It is a Sender, too."""

        _turns: Turns

        @property
        def _parts(self) -> list[tuple[str, int, int, bool]]: ...
        def publish(
            self,
            slot: SupportsIndex,
            array: npt.ArrayLike | None,
            at: When = None,
            *,
            samplerate: SupportsIndex | None = None,
            late: Literal["apply", "drop"] = "apply",
            timeout: float | None = 0,
        ) -> _core.Status: ...
        def load(
            self,
            slot: SupportsIndex,
            path: str | os.PathLike[str],
            at: When = None,
            *,
            late: Literal["apply", "drop"] = "apply",
            timeout: float | None = 0,
        ) -> _core.Status: ...


__all__ = ["Part", "part_of"]


@refusing_unmade
class Part:
    """One of several processors of an engine: ``engine.part(name)`` returns it. Any Python thread may use it.

    Its methods are those of the engine, and reach this part alone. Its slots, parameters and meters are those of the
    part, as if it ran alone: ``drums.parameters["gain"]`` is ``engine.parameters["drums.gain"]``.
    """

    __slots__ = ("__weakref__", "_engine", "_first_slot", "_loads", "_name", "_number", "_slots")

    def __init__(self, engine: EngineOfParts, number: int) -> None:
        self._engine = engine
        self._number = number
        self._name, self._first_slot, self._slots, self._loads = engine._parts[number - 1]

    def __repr__(self) -> str:
        return f"<cueline.Part {self._name!r}, {self._number} of {len(self._engine._parts)}>"

    @property
    def name(self) -> str:
        """The name that the engine was made with."""
        return self._name

    @property
    def number(self) -> int:
        """Its number among the engine's parts, from 1 on. A message's ``flags`` hold it in the bits from 4 on."""
        return self._number

    @property
    def parameters(self) -> Parameters:
        """The part's parameters by name, and those of its strip in the mix: gain, pan and mute."""
        return Parameters(self._sender, f"{self._name}.")

    @property
    def meters(self) -> Meters:
        """The part's meters by name."""
        return Meters(self._sender, f"{self._name}.")

    @property
    def buffer_slots(self) -> int:
        """How many slots for buffers the part has."""
        return self._slots

    def addressed(self, message: object) -> _core.Message:
        """Return the message addressed to this part, for ``send`` of the engine, of a line or of a transaction.

        A message that is for a part already stays as it is. Raises ArgumentTypeError.
        """
        return _core._addressed(message, self._number)

    def send(
        self,
        message: object,
        at: When = None,
        *,
        late: Literal["apply", "drop"] = "apply",
        timeout: float | None = 0,
    ) -> _core.Status:
        """Send a message to the part: see AudioEngine.send()."""
        return self._sender.send(self.addressed(message), at, late=late, timeout=timeout)

    async def asend(
        self,
        message: object,
        at: When = None,
        *,
        late: Literal["apply", "drop"] = "apply",
        timeout: float | None = None,
    ) -> None:
        """Send a message to the part from an asyncio task, and wait for room: see AudioEngine.asend()."""
        await asend(self._sender, self._engine._turns, self.addressed(message), at, late, timeout)

    def send_many(self, array: Records, *, late: Literal["apply", "drop"] = "apply", timeout: float | None = 0) -> int:
        """Send an array of messages to the part: see AudioEngine.send_many()."""
        return send_many(self._sender, array, late, timeout, self._number)

    def confirm(
        self,
        message: object,
        at: When = None,
        *,
        late: Literal["apply", "drop"] = "apply",
        timeout: float | None = 0,
    ) -> Confirmation:
        """Send a message to the part, and return its confirmation: see AudioEngine.confirm()."""
        return self._engine.confirm(self.addressed(message), at, late=late, timeout=timeout)

    def request(
        self,
        message: object,
        answer: type[MessageT],
        at: When = None,
        *,
        late: Literal["apply", "drop"] = "apply",
        timeout: float | None = None,
    ) -> MessageT:
        """Send a message to the part, and return its answer of class ``answer``: see AudioEngine.request()."""
        return request(self._sender, self.addressed(message), answer, at, late, timeout)  # type: ignore[return-value]

    def transaction(
        self,
        at: When = None,
        *,
        late: Literal["apply", "drop"] = "apply",
        timeout: float | None = 0,
        confirm: bool = False,
    ) -> Transaction:
        """Return a ``with`` block that sends all its messages to the part, or none: see AudioEngine.transaction().

        A message for another part, which that part's ``addressed()`` returned, goes there.
        """
        return Transaction(self._engine, self._sender, at, late, timeout, confirm, self._number)

    def sequence(
        self,
        events: Events,
        at: When = next_bar(),  # noqa: B008  # it is immutable
        *,
        loop_beats: float | None = None,
        swing: float = 0.5,
        swing_grid: float = 0.5,
        late: Literal["apply", "drop"] = "apply",
    ) -> Sequence:
        """Play messages to the part at beats: see AudioEngine.sequence()."""
        engine, part = self._engine, self
        return play(engine, events, at, loop_beats=loop_beats, swing=swing, swing_grid=swing_grid, late=late, part=part)

    def publish(
        self,
        slot: SupportsIndex,
        array: npt.ArrayLike | None,
        at: When = None,
        *,
        samplerate: SupportsIndex | None = None,
        late: Literal["apply", "drop"] = "apply",
        timeout: float | None = 0,
    ) -> _core.Status:
        """Put a buffer into a slot of the part: see AudioEngine.publish()."""
        place = self._place_of(slot)
        return self._engine.publish(place, array, at, samplerate=samplerate, late=late, timeout=timeout)

    def load(
        self,
        slot: SupportsIndex,
        path: str | os.PathLike[str],
        at: When = None,
        *,
        late: Literal["apply", "drop"] = "apply",
        timeout: float | None = 0,
    ) -> _core.Status:
        """Read a sound file, and put it into a slot of the part: see AudioEngine.load()."""
        return self._engine.load(self._place_of(slot), path, at, late=late, timeout=timeout)

    def load_buffer(
        self, array: npt.ArrayLike, *, samplerate: SupportsIndex | None = None, timeout: float | None = 0
    ) -> int:
        """Load a buffer without a slot, and return its handle: see AudioEngine.load_buffer()."""
        if not self._loads:
            raise ProcessorError(f"the part {self._name!r} loads no buffers without a slot")
        return self._engine.load_buffer(array, samplerate=samplerate, timeout=timeout)

    def play(
        self,
        sound: SupportsIndex | npt.ArrayLike,
        at: When = None,
        *,
        gain: float = 1.0,
        pan: float = 0.0,
        rate: float = 1.0,
        start: SupportsIndex = 0,
        loop: bool | tuple[SupportsIndex, SupportsIndex | None] | None = None,
        choke_group: SupportsIndex = 0,
        samplerate: SupportsIndex | None = None,
        late: Literal["apply", "drop"] = "apply",
        timeout: float | None = 0,
    ) -> Voice:
        """Play the buffer of a slot of the part, or an array: see AudioEngine.play()."""
        from cueline.voice import play  # here, because few parts play

        return play(
            self._engine,
            self,
            sound,
            at,
            loop=loop,
            samplerate=samplerate,
            late=late,
            timeout=timeout,
            gain=gain,
            pan=pan,
            rate=rate,
            start=start,
            choke_group=choke_group,
        )

    @property
    def _sender(self) -> _core.Sender:
        assert isinstance(self._engine, _core.Sender)
        return self._engine

    def _place_of(self, slot: SupportsIndex) -> int:
        """Return the slot's number among all slots of the engine."""
        number = checked_integer("slot", slot)
        if self._slots == 0:
            raise ProcessorError(f"the part {self._name!r} has no slots for buffers")
        if not 0 <= number < self._slots:
            raise ArgumentError(f"slot must be from 0 to {self._slots - 1}, got {number}")
        return self._first_slot + number


def part_of(engine: EngineOfParts, name: object) -> Part:
    """Return an engine's part of this name. Raises UnknownNameError, with the names that exist."""
    names = [part[0] for part in engine._parts]
    if not isinstance(name, str):
        raise ArgumentTypeError(f"name must be a part's name, got {shown(name)}")
    if name not in names:
        has = ", ".join(map(repr, names)) or "a single processor: use AudioEngine(processor={'name': ...}) for parts"
        raise UnknownNameError(f"no part {shown(name)}: the engine has {has}")
    return Part(engine, names.index(name) + 1)
