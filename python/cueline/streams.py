"""What playbacks and recordings have in common: their commands, their errors, and the wait for a block."""

from typing import TYPE_CHECKING

from cueline._core import Message
from cueline.arguments import checked_number, shown
from cueline.confirmation import RefusedError
from cueline.errors import ArgumentTypeError, ConfirmationTimeout, DeviceError, StreamEnded
from cueline.fields import u32, u64
from cueline.typed import own_message

if TYPE_CHECKING:
    from typing import Literal, Protocol

    from cueline.beats import When
    from cueline.confirmation import Confirmation, Confirms
    from cueline.polling import Polled

    class StreamingEngine(Polled, Confirms, Protocol):
        """What streams use of an engine."""

        @property
        def device(self) -> str: ...
        @property
        def samplerate(self) -> int: ...
        @property
        def inputs(self) -> int: ...
        @property
        def outputs(self) -> int: ...
        @property
        def input_latency(self) -> int: ...
        @property
        def output_latency(self) -> int: ...
        @property
        def _state(self) -> str: ...
        def _stream_channels(self, name: str, plays: bool) -> int: ...

        def _require_usable(self) -> None: ...
        def after(self, seconds: float) -> int: ...

    class PolledEngine(Polled, Protocol):
        """What a wait for its blocks uses of an engine."""

        @property
        def device(self) -> str: ...
        def _require_usable(self) -> None: ...

    class Stream(Protocol):
        """What start() and stop() use of a playback or a recording."""

        _engine: StreamingEngine
        _starting: Confirmation | None

        @property
        def _handle(self) -> int: ...


__all__ = [
    "ClearPlayback",
    "StartStream",
    "StopStream",
    "buffer_frames",
    "refuse_new_samplerate",
    "refuse_refused_start",
    "require_an_end",
    "start",
    "stop",
    "stream_name",
    "will_play",
]

_LONGEST_S = 10**6
_IDLE, _RUNNING, _NEW_SAMPLERATE = 0, 1, 3  # of StreamPhase


@own_message(13)
class StartStream(Message):
    """To the engine: start a playback or a recording."""

    handle: u32


@own_message(14)
class StopStream(Message):
    """To the engine: stop a playback, or end a recording."""

    handle: u32


@own_message(15)
class ClearPlayback(Message):
    """To the engine: drop the frames of a playback below the index ``up_to``."""

    up_to: u64
    handle: u32


def buffer_frames(engine: "StreamingEngine", seconds: float) -> int:
    """Return how many frames a buffer of so many seconds has."""
    return max(1, round(checked_number("buffer_seconds", seconds, _LONGEST_S, "seconds") * engine.samplerate))


def stream_name(argument: str, name: object) -> str:
    """Return the name of a stream as a text that UTF-8 can hold. The engine refuses names that it does not have."""
    if not isinstance(name, str) or not name:
        raise ArgumentTypeError(f"{argument} must be the name of a stream, got {shown(name)}")
    return name.encode("utf-8", "backslashreplace").decode()


def require_an_end(engine: "PolledEngine", timeout: float | None, what: str) -> None:
    """Raise DeviceError if this thread would wait for ever, because no block comes. Raises ClosedError too."""
    engine._require_usable()
    if timeout is None and engine.device == "offline":
        raise DeviceError(f"{what} would wait for ever{engine._why_no_block}: call render() first, or use a timeout")


def refuse_new_samplerate(phase: int) -> None:
    """Raise StreamEnded if the stream ended because the device has another sample rate."""
    if phase == _NEW_SAMPLERATE:
        raise StreamEnded("the device has another sample rate now: open another stream")


def refuse_refused_start(starting: "Confirmation | None", phase: int) -> None:
    """Raise RefusedError if a stream waits for a start that was refused or cancelled."""
    if phase == _IDLE and starting is not None and starting.done():
        starting.result(0)


def will_play(starting: "Confirmation | None", frame: int, phase: int) -> bool:
    """Return whether a playback plays, or waits for the frame of its start."""
    if phase == _RUNNING:
        return True
    try:
        return starting is not None and frame <= starting.result(0).frame  # the phase may be from before that frame
    except ConfirmationTimeout:
        return True
    except RefusedError:
        return False


def start(
    self: "Stream",
    at: "When" = None,
    *,
    late: "Literal['apply', 'drop']" = "apply",
    timeout: float | None = 0,
) -> "Confirmation":
    """Begin at the frame ``at``, or with the next block, and return the confirmation.

    A recording begins once. ``late`` and ``timeout`` are those of ``engine.confirm``. Raises what that raises, and
    ClosedError.
    """
    self._starting = self._engine.confirm(StartStream(self._handle), at, late=late, timeout=timeout)
    return self._starting


def stop(
    self: "Stream",
    at: "When" = None,
    *,
    late: "Literal['apply', 'drop']" = "apply",
    timeout: float | None = 0,
) -> "Confirmation":
    """Stop at the frame ``at``, or with the next block, and return the confirmation.

    A recording ends. A playback keeps what waits, and goes on with it at the next start(). Raises what start() raises.
    """
    return self._engine.confirm(StopStream(self._handle), at, late=late, timeout=timeout)
