"""Voice: a sound that the player plays, and engine.play(), which starts one."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from cueline import _core
from cueline.arguments import checked_integer, refusing_unmade, shown
from cueline.confirmation import RefusedError
from cueline.errors import ArgumentError, ArgumentTypeError, ConfirmationTimeout, Error
from cueline.messages import PlayBuffer, SetVoice, StopVoice, UnloadBuffer
from cueline.polling import polling_intervals
from cueline.ring_errors import Full
from cueline.streams import require_an_end

if TYPE_CHECKING:
    from typing import Literal, Protocol, SupportsIndex

    import numpy.typing as npt

    from cueline.beats import When
    from cueline.confirmation import Confirmation, ConfirmingEngine, Confirms
    from cueline.meters import Meters

    class Plays(Confirms, Protocol):
        """What plays: an engine, or a part of one."""

        @property
        def buffer_slots(self) -> int: ...
        @property
        def meters(self) -> Meters: ...
        def load_buffer(
            self, array: npt.ArrayLike, *, samplerate: SupportsIndex | None = None, timeout: float | None = 0
        ) -> int: ...

    class PlayingEngine(ConfirmingEngine, Plays, Protocol):
        """What voices use of an engine."""

        _unwanted: list[int]

        @property
        def device(self) -> str: ...

    Loop = tuple[SupportsIndex, SupportsIndex | None]

__all__ = ["Voice", "play"]

_KEEP, _OFF, _ON = range(3)  # what a SetVoice does to the loop


@refusing_unmade
class Voice:
    """A sound that the player plays: ``engine.play()`` returns it. Any Python thread may use it.

    The sound goes on even if you drop this object.
    """

    __slots__ = ("__weakref__", "_confirmation", "_engine", "_player")

    def __init__(self, engine: PlayingEngine, player: Plays, confirmation: Confirmation) -> None:
        self._engine = engine
        self._player = player
        self._confirmation = confirmation

    @property
    def confirmation(self) -> Confirmation:
        """The confirmation of its start: the frame at which it began, or why it did not."""
        return self._confirmation

    @property
    def sequence(self) -> int:
        """The number that names the voice in SetVoice and StopVoice: send these on the engine's own line."""
        return self._confirmation.sequence

    def __repr__(self) -> str:
        return f"<cueline.Voice {self.sequence}, {self._state()}>"

    def _state(self) -> str:
        try:
            if not self.done():
                return "plays" if self._confirmation.done() else "not begun"
            self._confirmation.result(0)
        except RefusedError as refused:
            return f"refused: {refused.name}"
        except ConfirmationTimeout:
            return "not begun"
        except Error as error:  # the engine is closed, or its device is lost
            return type(error).__name__
        return "ended"

    def set(
        self,
        *,
        gain: float | None = None,
        pan: float | None = None,
        rate: float | None = None,
        loop: bool | Loop | None = None,
        at: When = None,
        late: Literal["apply", "drop"] = "apply",
        timeout: float | None = 0,
    ) -> Confirmation:
        """Change the voice, at the frame or the beat ``at``, or with the next block. None leaves a value as it is.

        ``gain``, ``pan``, ``rate`` and ``loop`` are those of ``engine.play``; a loop of False ends the loop: the voice
        plays on to the end of its buffer. Gain, pan and loop move there within 5 ms. ``late`` and ``timeout`` are those
        of ``engine.confirm``. Returns the confirmation, whose result() raises RefusedError with the name ``"ENDED"`` if
        the voice had ended. Raises Full if there is no room, and what ``engine.confirm`` raises.
        """
        given = {"gain": gain, "pan": pan, "rate": rate}
        values: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        for name, value in values.items():
            number = _core._real_number(value)
            if number is not None and math.isnan(number):  # in the message, it would leave the value as it is
                raise ArgumentError(f"{name} must be a number, got nan: leave it out to keep its value")
        if loop is False:
            values["loop"] = _OFF
        elif loop is not None:
            values["loop"] = _ON
            values["loop_start"], values["loop_end"] = _checked_loop(loop)
        return self._player.confirm(SetVoice(self.sequence, **values), at, late=late, timeout=timeout)

    def stop(
        self,
        at: When = None,
        *,
        late: Literal["apply", "drop"] = "apply",
        timeout: float | None = 0,
    ) -> Confirmation:
        """Begin the release, at the frame or the beat ``at``, or with the next block. A loop goes on meanwhile.

        Without ``at``, a voice that still waits for its time never begins. An ``at`` before that time is refused with
        the name ``"ENDED"``, and the voice begins. ``late`` and ``timeout`` are those of ``set``. Returns the
        confirmation. Raises what ``set`` raises.
        """
        if at is None and not self._confirmation.done():
            self._confirmation.cancel()
        return self._player.confirm(StopVoice(self.sequence), at, late=late, timeout=timeout)

    def done(self) -> bool:
        """Return whether the voice has ended, or never began. Never blocks. Raises ForkedError, ClosedError."""
        if not self._confirmation.done():
            self._engine._require_usable()
            return False
        try:
            return self._has_ended()
        except RefusedError:
            return True

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the voice has ended, without the GIL, and return True; or False when ``timeout`` is over.

        ``timeout`` is in seconds; None waits for ever, even while the engine is stopped. A voice has ended when it has
        reached its end, its release is over, or another one has taken its place. Raises RefusedError if it never began,
        ClosedError, ForkedError, DeviceError if the audio has ended, or if the offline device would wait for ever.
        """
        for interval in polling_intervals(self._engine, timeout):
            if self._confirmation.done() and self._has_ended():
                return True
            require_an_end(self._engine, timeout, "wait()")
            time.sleep(interval)
        return False

    def _has_ended(self) -> bool:
        """Return whether its place in the player is free, or has another voice.

        Before its confirmation has come, return False. Raises RefusedError.
        """
        try:
            place = self._confirmation.result(0).value
        except ConfirmationTimeout:  # another thread is about to settle it
            return False
        lines, sequences = self._player.meters.array("voice")
        return (int(lines[place]), int(sequences[place])) != (0, self.sequence)


def play(
    engine: PlayingEngine,
    player: Plays,
    sound: SupportsIndex | npt.ArrayLike,
    at: When,
    *,
    loop: bool | Loop | None,
    samplerate: SupportsIndex | None,
    late: Literal["apply", "drop"],
    timeout: float | None,
    **values: Any,
) -> Voice:
    """Start a voice of an engine or a part. See AudioEngine.play()."""
    if loop is not None and loop is not False:
        values["loop"] = True
        values["loop_start"], values["loop_end"] = _checked_loop(loop)
    if _is_slot(sound):
        if samplerate is not None:
            raise ArgumentError(
                f"samplerate must be None for a slot, got {shown(samplerate)}: publish(slot, array, samplerate=...) "
                "converts the samples"
            )
        message = PlayBuffer(_checked_slot(player, sound), **values)
        return Voice(engine, player, player.confirm(message, at, late=late, timeout=timeout))
    array: Any = sound
    PlayBuffer(**values)  # refuses what is out of range before the array is loaded
    _unload(engine)
    handle = player.load_buffer(array, samplerate=samplerate, timeout=timeout)
    try:
        message = PlayBuffer(handle=handle, unload=True, **values)
        return Voice(engine, player, player.confirm(message, at, late=late, timeout=timeout))
    except BaseException:
        engine._unwanted.append(handle)
        _unload(engine)
        raise


def _unload(engine: PlayingEngine) -> None:
    """Unload the buffers whose voices could not be started. Those for which there is no room wait for the next call."""
    with suppress(Full):
        while engine._unwanted:
            engine.confirm(UnloadBuffer(engine._unwanted[-1]))
            engine._unwanted.pop()


def _is_slot(sound: object) -> bool:
    return hasattr(type(sound), "__index__") and not hasattr(type(sound), "__len__")  # an array has both


def _checked_slot(player: Plays, slot: Any) -> int:
    number = checked_integer("slot", slot)
    if player.buffer_slots > 0 and not 0 <= number < player.buffer_slots:
        raise ArgumentError(f"slot must be from 0 to {player.buffer_slots - 1}, got {number}")
    return number


def _checked_loop(loop: bool | Loop) -> tuple[int, int]:
    """Return the loop's start and end; an end of 0 stands for the buffer's."""
    if loop is True:
        return 0, 0
    if not isinstance(loop, tuple) or len(loop) != 2:
        raise ArgumentTypeError(f"loop must be True, False, or a pair of frames (start, end), got {shown(loop)}")
    start = checked_integer("loop's start", loop[0])
    if loop[1] is None:
        return start, 0
    end = checked_integer("loop's end", loop[1])
    if not 0 <= start < end:
        raise ArgumentError(f"loop must begin at 0 or later, and before its end, got {shown(loop)}")
    return start, end
