"""The compiled part of cueline. Use it through the package."""

from collections.abc import Iterator, Sequence
import enum
from typing import Literal, SupportsIndex

import numpy
import numpy.typing
from typing_extensions import Self


RING_CAPACITY: int = 1024

MAX_BUFFERS: int = 128

MAX_MEMBERS: int = 256

ATOMICS_ARE_LOCK_FREE: bool = True

MISSING_AUDIO: str = ""

class Status(enum.IntEnum):
    """What became of an attempt."""

    OK = 0

    FULL = 1
    """Refused, nothing changed: the ring holds all it can."""

    EMPTY = 2
    """Nothing to take."""

class Message:
    """
    A command or an event. A value: it does not change.

    Made of a kind and up to 40 bytes, it is of the type that the kind has, if any: see cueline.message.
    """

    def __init__(self, kind: SupportsIndex, payload: bytes | bytearray | memoryview = b"") -> None: ...

    @property
    def kind(self) -> int:
        """What it is: below 256 cueline's own kinds, from there on the user's."""

    @property
    def sequence(self) -> int:
        """
        A command's number on its line, once it is sent; of an event, that of the command it answers, or 0.
        """

    @property
    def frame(self) -> int:
        """Where it applies, 0 as soon as it is read; of an event, where it arose."""

    @property
    def flags(self) -> int:
        """What is asked of its delivery."""

    @property
    def line(self) -> int:
        """The line it came by; 0 is the engine's own."""

    @property
    def payload(self) -> bytes:
        """Its 40 bytes of payload."""

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def __copy__(self) -> Self: ...

    def __deepcopy__(self, memo: object, /) -> Self: ...

    def __reduce__(self) -> tuple[object, ...]: ...

def _define_message(name: str, kind: int, fields: list[tuple[str, int, int, int | None, object]], defaults: dict[str, object], signature: str) -> type[Message]: ...

def _message_type(kind: int) -> type[Message] | None: ...

def _message_from_bytes(type: type[Message], bytes: bytes) -> Message: ...

class DeviceRequest:
    """What is asked of a device; None: the device's own choice."""

    def __init__(self) -> None: ...

    @property
    def device(self) -> str | int | None: ...

    @device.setter
    def device(self, arg: str | int | None, /) -> None: ...

    @property
    def client_name(self) -> str | None: ...

    @client_name.setter
    def client_name(self, arg: str | None, /) -> None: ...

    @property
    def server(self) -> str | None: ...

    @server.setter
    def server(self, arg: str | None, /) -> None: ...

    @property
    def connect(self) -> str | bool | None: ...

    @connect.setter
    def connect(self, arg: str | bool | None, /) -> None: ...

    @property
    def latency(self) -> str | float | None: ...

    @latency.setter
    def latency(self, arg: str | float | None, /) -> None: ...

class DeviceInfo:
    """A device that could be opened now."""

    @property
    def device(self) -> str: ...

    @property
    def host_api(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def channels(self) -> int: ...

    @property
    def samplerate(self) -> int: ...

    @property
    def blocksize(self) -> int: ...

    @property
    def low_latency(self) -> float: ...

    @property
    def high_latency(self) -> float: ...

    @property
    def is_default(self) -> bool: ...

def list_devices() -> list[DeviceInfo]:
    """
    All devices that could be opened now; the first marked one is what an engine gets that asks for none.
    """

class Sender:
    """A line for commands to the audio thread."""

    def ping(self) -> Status:
        """
        Send a ping to the audio thread, which answers with a Pong.

        Never blocks. Returns Status.FULL when the command ring is full: the ping is dropped and counted.
        Any thread may call it: it holds the GIL while it pushes. Raises ClosedError, ForkedError, DeviceError.
        """

    def send(self, message: object, at: SupportsIndex | None = None, *, late: Literal['apply', 'drop'] = 'apply', timeout: float | None = None) -> Status:
        """
        Send a message to the audio thread, without a wait unless ``timeout`` says so.

        at: the frame at which it applies, not a sample before; None: as soon as it is read. late: 'apply' it at
        once when it comes after its frame, or 'drop' it; both are counted. timeout: None returns Status.FULL
        when the ring is full (it is dropped and counted); seconds wait so long for room, without the GIL, and
        raise Full.

        Any thread may call it. Raises ArgumentError, ArgumentTypeError, ClosedError, ForkedError, DeviceError.
        """

    def cancel(self, sequence: SupportsIndex) -> Status:
        """
        Have the audio thread forget the cue of that number, sent on this line; a transaction's stands for all
        of it. When it was applied before, nothing happens.

        Never blocks; returns Status.FULL when the ring is full. Raises as send().
        """

    def cancel_all(self) -> Status:
        """
        Have the audio thread forget all cues that were sent before: an engine's those of all its lines, a line's
        its own. What has no frame is no cue.

        Never blocks; returns Status.FULL when the ring is full. Raises as send().
        """

    @property
    def last_sequence(self) -> int:
        """
        The number of the last command that this line accepted, by whichever thread; 0 before the first.
        """

    @property
    def number(self) -> int:
        """Which line it is: 0 the engine's own, a line's from 1 to 8."""

    def _send_confirmed(self, message: object, at: SupportsIndex | None, late: str, timeout: float | None) -> int: ...

    def _send_whole(self, messages: list[object], at: SupportsIndex | None, late: str, timeout: float | None, confirm: bool) -> int: ...

    @staticmethod
    def _require_sendable(message: object, at: SupportsIndex | None, late: str) -> None: ...

    def _try_send(self, message: object, at: SupportsIndex | None, late: str) -> Status: ...

    def _try_send_many(self, array: numpy.typing.NDArray[numpy.void], first: int, own: int, late: str) -> int: ...

    @property
    def _polling_interval_s(self) -> float: ...

    def _count_dropped(self, commands: int) -> None: ...

    def _counts(self) -> RingStats: ...

class Line(Sender):
    """A line of its own into an engine."""

    def __init__(self, engine: Sender) -> None: ...

    def ping(self) -> Status:
        """
        Send a ping to the audio thread, which answers with a Pong.

        Never blocks. Returns Status.FULL when the command ring is full: the ping is dropped and counted.
        Any thread may call it: it holds the GIL while it pushes. Raises ClosedError, ForkedError, DeviceError.
        """

    def send(self, message: object, at: SupportsIndex | None = None, *, late: Literal['apply', 'drop'] = 'apply', timeout: float | None = None) -> Status:
        """
        Send a message to the audio thread, without a wait unless ``timeout`` says so.

        at: the frame at which it applies, not a sample before; None: as soon as it is read. late: 'apply' it at
        once when it comes after its frame, or 'drop' it; both are counted. timeout: None returns Status.FULL
        when the ring is full (it is dropped and counted); seconds wait so long for room, without the GIL, and
        raise Full.

        Any thread may call it. Raises ArgumentError, ArgumentTypeError, ClosedError, ForkedError, DeviceError.
        """

    def close(self) -> None:
        """
        Give the line back; nothing to do the second time. What it accepted is read all the same.
        """

    @property
    def closed(self) -> bool:
        """Whether close() was called."""

class Parameters:
    """An engine's parameters, by their names."""

    def __init__(self, engine: Sender) -> None: ...

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[str]: ...

    def __contains__(self, name: object, /) -> bool: ...

    def __getitem__(self, name: str, /) -> float: ...

    def __setitem__(self, name: str, value: float, /) -> None: ...

    def _spec(self, name: str) -> tuple[str, float, float, float, str, float]: ...

class Meters:
    """An engine's meters, by their names."""

    def __init__(self, engine: Sender) -> None: ...

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[str]: ...

    def __contains__(self, name: object, /) -> bool: ...

    def _read(self, name: str) -> tuple[tuple[float, ...], int]: ...

    def _spec(self, name: str) -> tuple[str, str, tuple[str, ...]]: ...

class RingStats:
    @property
    def sent(self) -> int: ...

    @property
    def dropped(self) -> int: ...

    @property
    def high_water(self) -> int: ...

class CueStats:
    @property
    def pending(self) -> int: ...

    @property
    def late(self) -> int: ...

    @property
    def dropped_late(self) -> int: ...

    @property
    def refused(self) -> int: ...

    @property
    def cancelled(self) -> int: ...

class BufferStats:
    @property
    def published(self) -> int: ...

    @property
    def refused(self) -> int: ...

    @property
    def in_use(self) -> int: ...

    @property
    def bytes(self) -> int: ...

    @property
    def memory_locked(self) -> bool: ...

class EngineStats:
    @property
    def blocks(self) -> int: ...

    @property
    def frames(self) -> int: ...

    @property
    def unhandled(self) -> int: ...

    @property
    def commands(self) -> RingStats: ...

    @property
    def events(self) -> RingStats: ...

    @property
    def confirmations(self) -> RingStats: ...

    @property
    def cues(self) -> CueStats: ...

    @property
    def buffers(self) -> BufferStats: ...

    @property
    def xruns(self) -> int: ...

    @property
    def missed_blocks(self) -> int: ...

    @property
    def load_mean(self) -> float: ...

    @property
    def load_peak(self) -> float: ...

    @property
    def realtime_priority(self) -> bool: ...

    @property
    def memory_locked(self) -> bool: ...

def _cfunc_processor(render: int, handle: int, state: int, state_bytes: int, parameters: Sequence[tuple[str, float, float, float, str, float]], meters: Sequence[tuple[str, str, Sequence[str]]], name: str, keep: object) -> object: ...

class Engine(Sender):
    """A link, a processor and a device, run together."""

    def __init__(self, request: DeviceRequest, samplerate: int | None, blocksize: int | None, channels: int, budget: int, processor: object) -> None: ...

    def ping(self) -> Status:
        """
        Send a ping to the audio thread, which answers with a Pong.

        Never blocks. Returns Status.FULL when the command ring is full: the ping is dropped and counted.
        Any thread may call it: it holds the GIL while it pushes. Raises ClosedError, ForkedError, DeviceError.
        """

    def send(self, message: object, at: SupportsIndex | None = None, *, late: Literal['apply', 'drop'] = 'apply', timeout: float | None = None) -> Status:
        """
        Send a message to the audio thread, without a wait unless ``timeout`` says so.

        at: the frame at which it applies, not a sample before; None: as soon as it is read. late: 'apply' it at
        once when it comes after its frame, or 'drop' it; both are counted. timeout: None returns Status.FULL
        when the ring is full (it is dropped and counted); seconds wait so long for room, without the GIL, and
        raise Full.

        Any thread may call it. Raises ArgumentError, ArgumentTypeError, ClosedError, ForkedError, DeviceError.
        """

    def receive_msg(self) -> Message | None:
        """
        Take the oldest message from the audio thread, or return None when there is none.

        Never blocks. Any thread may call it: it holds the GIL while it pops. What came before the engine was
        closed can still be had; when there is no more, ClosedError is raised. Raises ForkedError, DeviceError.
        """

    def start(self) -> None:
        """
        Let the audio run; nothing to do when it does. Raises ClosedError, ForkedError, DeviceError.
        """

    def stop(self) -> None:
        """
        Let the audio stand still; nothing to do when it does. What is sent meanwhile waits.
        Raises ForkedError.
        """

    def close(self) -> None:
        """
        Stop for good; nothing to do the second time, or in a forked child. stats() still answers.
        """

    def now(self) -> int:
        """
        Return the first frame of the next block: the earliest at which what is sent now can apply.

        Raises ForkedError.
        """

    def _frame_at(self, monotonic_ns: int) -> int: ...

    def _time_at(self, frame: int) -> int: ...

    def _receive_confirmations(self, told: dict[tuple[int, int], Message]) -> None: ...

    def _waiting(self) -> int: ...

    def _receive_into(self, array: numpy.typing.NDArray[numpy.void]) -> int: ...

    def _require_usable(self) -> None: ...

    def _render_into(self, audio: numpy.typing.NDArray[numpy.float32]) -> None: ...

    def _publish(self, slot: int, samples: numpy.typing.NDArray[numpy.float32], at: object, late: object) -> Status: ...

    def _publish_nothing(self, slot: int, at: object, late: object) -> Status: ...

    def _require_slots(self) -> None: ...

    def _require_offline(self) -> None: ...

    def _stats(self) -> EngineStats: ...

    def _lateness(self) -> tuple[int, list[tuple[int, int, int]]]:
        """
        Return how late the null device's blocks began: the worst, and of each bucket that is not empty
        the least that counts in it, where it ends, and its count. Times are in nanoseconds.
        Raises DeviceError on other devices, ForkedError.
        """

    @property
    def closed(self) -> bool:
        """Whether close() was called."""

    @property
    def device(self) -> str:
        """The device it runs on, by name."""

    @property
    def buffer_slots(self) -> int:
        """How many slots its processor has for buffers."""

    @property
    def processor(self) -> str:
        """The processor that renders, by name."""

    @property
    def samplerate(self) -> int:
        """Frames a second."""

    @property
    def blocksize(self) -> int:
        """Frames in a block."""

    @property
    def channels(self) -> int:
        """Channels of audio."""

class _Baseline:
    """
    What a call costs at least: the limits that `cueline bench` measures cueline's calls against.
    """

    def __init__(self) -> None: ...

    def nothing(self) -> None:
        """Do nothing."""

    def clock(self) -> None:
        """Read the clock that ping() reads, and do nothing with it."""

    @staticmethod
    def compiler() -> str:
        """Return the name and version of what compiled this module."""
