"""The compiled part of cueline. Use it through the package."""

from collections.abc import Iterator, Sequence
import enum
from typing import Any, Literal, NoReturn, SupportsIndex, overload

import numpy
import numpy.typing
from typing_extensions import Self


__version__: str

MESSAGE_BYTES: int = 56

HEADER_BYTES: int = 16

PAYLOAD_BYTES: int = 40

FIRST_PROCESSOR_KIND: int = 64

MAX_FRAME: int = 9223372036854775807

RING_CAPACITY: int = 1024

MOST_CURVES: int = 64

LONGEST_TIME_CONSTANT_S: float = 3600.0

MAX_MEMBERS: int = 256

ATOMICS_ARE_LOCK_FREE: bool = True

MISSING_AUDIO: str = ''

def _real_number(value: object) -> float | None:
    """
    Return a real number as a float: an infinity if it is too large for one. Return None for anything else.
    """

def _whole_number(value: object) -> int | None:
    """Return an integer as an int, or None for anything else."""

class Status(enum.IntEnum):
    """The result of a call that never waits."""

    OK = 0

    FULL = 1
    """The ring is full: nothing changed."""

    EMPTY = 2
    """The ring is empty: nothing was taken."""

    NO_BUFFER = 3
    """
    As many buffers as there can be are in use: nothing changed. Only publish() returns it.
    """

    def __bool__(self) -> NoReturn: ...

class Message:
    """
    A command or an event. It is immutable.

    Create one from a kind and up to 40 bytes. If the kind has a class, it is an object of that class: see
    cueline.message.
    """

    def __init__(self, kind: SupportsIndex, payload: bytes | bytearray | memoryview = b"") -> None: ...

    @property
    def kind(self) -> int:
        """The kind: cueline's own are below 256, the user's from 256 on."""

    @property
    def sequence(self) -> int:
        """
        A command's number on its line, set when it is sent. In an event: the command that it answers, or 0.
        """

    @property
    def frame(self) -> int:
        """The frame at which a command applies; 0: as soon as it is read. In an event: the frame it is from."""

    @property
    def flags(self) -> int:
        """The flags of a command's delivery."""

    @property
    def line(self) -> int:
        """The number of its line; 0 is the engine's own."""

    @property
    def payload(self) -> bytes:
        """The 40 bytes of payload."""

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def __copy__(self) -> Self: ...

    def __deepcopy__(self, memo: object, /) -> Self: ...

    def __reduce__(self) -> tuple[object, ...]: ...

def _define_message(name: str, kind: int, fields: list[tuple[str, int, int, int | None, object, object]], defaults: dict[str, object], signature: str) -> type[Message]: ...

def _claim_kind(type: type[Message], replaced: type[Message] | None) -> bool: ...

def _message_type(kind: int) -> type[Message] | None: ...

def _addressed(message: object, part: int) -> Message: ...

def _message_from_bytes(type: type[Message], bytes: bytes) -> Message: ...

def _midi_message(bytes: bytes, port: int) -> Message | None: ...

MAX_MIDI_PORTS: int = 16

MAX_MIDI_MAPS: int = 128

def _midi_bytes(message: Message) -> bytes: ...

class DeviceRequest:
    """
    What an engine requests of its device. None leaves the choice to the device.
    """

    def __init__(self) -> None: ...

    @property
    def device(self) -> str | int | None: ...

    @device.setter
    def device(self, arg: str | int | None, /) -> None: ...

    @property
    def inputs(self) -> int | list[int]: ...

    @inputs.setter
    def inputs(self, arg: int | Sequence[int], /) -> None: ...

    @property
    def outputs(self) -> int | list[int]: ...

    @outputs.setter
    def outputs(self, arg: int | Sequence[int], /) -> None: ...

    @property
    def loopback(self) -> bool: ...

    @loopback.setter
    def loopback(self, arg: bool, /) -> None: ...

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
    def connect_inputs(self) -> str | bool | None: ...

    @connect_inputs.setter
    def connect_inputs(self, arg: str | bool | None, /) -> None: ...

    @property
    def midi_inputs(self) -> int: ...

    @midi_inputs.setter
    def midi_inputs(self, arg: int, /) -> None: ...

    @property
    def midi_outputs(self) -> int: ...

    @midi_outputs.setter
    def midi_outputs(self, arg: int, /) -> None: ...

    @property
    def midi_delay(self) -> float | None: ...

    @midi_delay.setter
    def midi_delay(self, arg: float | None, /) -> None: ...

    @property
    def midi_connect_inputs(self) -> str | bool | None: ...

    @midi_connect_inputs.setter
    def midi_connect_inputs(self, arg: str | bool | None, /) -> None: ...

    @property
    def midi_connect(self) -> str | bool | None: ...

    @midi_connect.setter
    def midi_connect(self, arg: str | bool | None, /) -> None: ...

    @property
    def input_device(self) -> str | int | None: ...

    @input_device.setter
    def input_device(self, arg: str | int | None, /) -> None: ...

    @property
    def latency(self) -> str | float | None: ...

    @latency.setter
    def latency(self, arg: str | float | None, /) -> None: ...

class DeviceInfo:
    """A device that can be opened now."""

    @property
    def device(self) -> str: ...

    @property
    def host_api(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def inputs(self) -> int: ...

    @property
    def outputs(self) -> int: ...

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

    @property
    def is_default_input(self) -> bool: ...

class DeviceList:
    """The devices that can be opened now, and why others are missing."""

    @property
    def devices(self) -> list[DeviceInfo]: ...

    @property
    def absent(self) -> list[str]: ...

def list_devices() -> DeviceList:
    """
    Return all devices that can be opened now, and why others are missing. An engine that names no device gets the first one with is_default.
    """

def look_for_portaudio_at(file: str) -> None:
    """Open this file if PortAudio is found by none of its usual names."""

class MusicalTime:
    """A time in beats, for `at`."""

    def __init__(self, is_grid: bool, beats: float) -> None: ...

    @property
    def _beats(self) -> float: ...

    @property
    def _is_grid(self) -> bool: ...

class TimelineSnapshot:
    def beat_at(self, frame: int) -> float: ...

    def tempo_at(self, frame: int) -> float: ...

    def frame_at(self, beat: float) -> int | None: ...

    def next_line(self, beat: float, beats: float) -> float: ...

    @property
    def first_frame(self) -> int: ...

    @property
    def running(self) -> bool: ...

    @property
    def signature(self) -> tuple[int, int]: ...

    @property
    def loop(self) -> tuple[float, float] | None: ...

LOWEST_TEMPO: float = 1.0

HIGHEST_TEMPO: float = 1000.0

SHORTEST_RAMP: float = 0.001

LONGEST_RAMP: float = 1000000.0

SHORTEST_LOOP: float = 0.0625

HIGHEST_BEAT: float = 1000000000.0

MOST_SIGNATURE: int = 64

class Sender:
    """
    A sender's connection to an engine. The engine itself is the sender of line 0.
    """

    def ping(self) -> Status:
        """
        Send a ping to the audio thread, which answers with a Pong. Never blocks.

        If the command ring is full, the ping is dropped and counted, and Status.FULL is returned. Any thread
        may call it. Raises ClosedError, ForkedError, DeviceError.
        """

    def send(self, message: object, at: SupportsIndex | MusicalTime | None = None, *, late: Literal['apply', 'drop'] = 'apply', timeout: float | None = 0) -> Status:
        """
        Send a message to the audio thread. Unless you set a timeout, it never blocks.

        at: the frame at which it applies, exact to the sample; a Beat of the timeline, or next_bar(), next_beat()
        or next_grid(); None: as soon as the audio thread reads it.
        late: what happens if it is read after its frame: 'apply' it at once, or 'drop' it. Both are counted.
        timeout: if the ring is full, 0 returns Status.FULL at once, and the message is dropped and counted. A
        number of seconds waits that long for room, without the GIL, and then raises Full. None waits for ever.

        Any thread may call it. Raises ArgumentError, ArgumentTypeError, ProcessorError for a message that the
        processor does not handle, ClosedError, ForkedError, DeviceError.
        """

    def cancel(self, sequence: SupportsIndex) -> Status:
        """
        Cancel the cue with this sequence that was sent on this line.

        A transaction is cancelled as a whole. If the cue was applied already, nothing happens. Never blocks.
        Returns Status.FULL if the ring is full. Raises what send() raises.
        """

    def receive_msg(self) -> Message | None:
        """
        Take the oldest message from the audio thread, or return None if there is none. Never blocks.

        Any thread may call it. After close(), it returns the messages that came before, and then raises
        ClosedError. Raises ForkedError, DeviceError.
        """

    def cancel_all(self) -> Status:
        """
        Cancel the cues that were sent before: on an engine those of all its lines, on a line its own.

        Commands without a frame are unaffected. Never blocks. Returns Status.FULL if the ring is full.
        Raises what send() raises.
        """

    @property
    def last_sequence(self) -> int:
        """
        The sequence of the last command that this line accepted, from any thread; 0 before the first.
        """

    @property
    def number(self) -> int:
        """
        The number of the line: 0 for the engine's own, from 1 on for an opened one.
        """

    def _send_confirmed(self, message: object, at: SupportsIndex | MusicalTime | None, late: str, timeout: float | None, confirmation: object, expected: dict[tuple[int, int], Any]) -> None: ...

    def _send_whole(self, messages: tuple[object, ...], at: SupportsIndex | MusicalTime | None, late: str, timeout: float | None, confirmation: object, expected: dict[tuple[int, int], Any]) -> int: ...

    def _send_automation(self, messages: tuple[object, ...], times: tuple[SupportsIndex | MusicalTime | None, ...], curves: tuple[numpy.typing.NDArray[numpy.float32] | None, ...], timeout: float | None, confirmation: object, expected: dict[tuple[int, int], Any]) -> int: ...

    def _end_automation(self, message: object, at: SupportsIndex | MusicalTime | None, first: int, count: int, timeout: float | None, confirmation: object, expected: dict[tuple[int, int], Any]) -> None: ...

    def _require_sendable(self, message: object) -> None: ...

    def _send_many(self, array: numpy.typing.NDArray[numpy.void], array_kind: int, late: str, timeout: float | None, part: int) -> int: ...

    @property
    def _why_no_block(self) -> str: ...

    @property
    def _polling_interval_s(self) -> float: ...

    @property
    def _unsent(self) -> int: ...

    def _send_numbered(self, message: object, at: SupportsIndex | MusicalTime | None, late: str, timeout: float | None) -> int: ...

    def _receive_of(self, kinds: tuple[int, ...], sequence: int) -> Message | None: ...

    def _receive_onto(self, messages: list[Message]) -> Message | None: ...

    def _waiting(self) -> int: ...

    def _receive_into(self, array: numpy.typing.NDArray[numpy.void]) -> int: ...

    def _line_stats(self) -> LineStats: ...

class PendingSend:
    """A command that a task tries to send until there is room."""

    def __init__(self, line: Sender, message: object, at: SupportsIndex | MusicalTime | None, late: str) -> None: ...

    def try_send(self) -> bool:
        """
        Try to send the command, and return whether it was sent. Raises what send() raises.
        """

    def give_up(self) -> None:
        """If there was no room, count the command as dropped."""

class Line(Sender):
    """A connection to an engine, in addition to the engine's own."""

    def __init__(self, engine: Sender, all_events: bool) -> None: ...

    def close(self) -> None:
        """
        Close the line. The audio thread still reads the commands that it accepted. A second call does nothing.
        """

    @property
    def closed(self) -> bool:
        """Whether close() was called."""

def _require_delivery(at: SupportsIndex | MusicalTime | None, late: str) -> None: ...

def _bind_inherited(type: type) -> None: ...

class ParameterArray:
    """
    An array of an engine's parameters: a live view. ``engine.parameters.array(name)`` returns one.

    ``view[17] = 0.5`` sets one element, ``view[:] = 0.8`` all of them, and ``view[2:5] = values`` a slice, from a sequence or a NumPy array. All values of an assignment are checked before any is set, and it never blocks. If a block begins while you set a slice, it may take a part of it, and the next block the rest. ``view[17]`` and ``view[2:5]`` return what was last set, and ``numpy.asarray(view)`` copies all of it.

    Any Python thread may use it. Raises ArgumentError for an index or a value out of range, and for another number of values than of elements; ArgumentTypeError for a value that is not a number; ClosedError, ForkedError.
    """

    def __len__(self) -> int: ...

    @overload
    def __getitem__(self, index: SupportsIndex, /) -> float: ...

    @overload
    def __getitem__(self, index: slice, /) -> list[float]: ...

    def __setitem__(self, index: SupportsIndex | slice, value: float | Sequence[float] | numpy.typing.NDArray[Any], /) -> None: ...

    def __iter__(self) -> Iterator[float]: ...

    def __array__(self, dtype: numpy.typing.DTypeLike | None = None, copy: bool | None = None) -> numpy.typing.NDArray[Any]: ...

    def __repr__(self) -> str: ...

class Parameters:
    """An engine's parameters, by name."""

    def __init__(self, engine: Sender, prefix: str = '') -> None: ...

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[str]: ...

    def __contains__(self, name: object, /) -> bool: ...

    def __getitem__(self, name: str, /) -> float: ...

    def __setitem__(self, name: str, value: float, /) -> None: ...

    def _spec(self, name: str) -> tuple[str, float, float, float, str, float, int]: ...

    def _first_address(self, name: str) -> int: ...

    def array(self, name: str) -> ParameterArray:
        """Return a live view of an array of parameters. Raises UnknownNameError."""

class Meters:
    """An engine's meters, by name."""

    def __init__(self, engine: Sender, prefix: str = '') -> None: ...

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[str]: ...

    def __contains__(self, name: object, /) -> bool: ...

    def _read(self, name: str) -> tuple[tuple[float, ...], int]: ...

    def _array(self, name: str) -> tuple[numpy.typing.NDArray[numpy.float64], ...]: ...

    def _spec(self, name: str) -> tuple[str, str, tuple[str, ...], int]: ...

class RingStats:
    @property
    def sent(self) -> int: ...

    @property
    def dropped(self) -> int: ...

    @property
    def high_water(self) -> int: ...

class LineStats:
    @property
    def commands(self) -> RingStats: ...

    @property
    def events(self) -> RingStats: ...

    @property
    def confirmations(self) -> RingStats: ...

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
    def limit(self) -> int: ...

    @property
    def curves(self) -> int: ...

    @property
    def bytes(self) -> int: ...

    @property
    def bytes_locked(self) -> int: ...

    @property
    def memory_locked(self) -> bool: ...

class SequenceCounts:
    @property
    def playing(self) -> int: ...

    @property
    def played(self) -> int: ...

    @property
    def late(self) -> int: ...

    @property
    def refused(self) -> int: ...

class MidiStats:
    @property
    def received(self) -> int: ...

    @property
    def dropped(self) -> int: ...

    @property
    def sysex(self) -> int: ...

    @property
    def sent(self) -> int: ...

    @property
    def unsent(self) -> int: ...

    @property
    def late(self) -> int: ...

class EngineStats(LineStats):
    @property
    def blocks(self) -> int: ...

    @property
    def frames(self) -> int: ...

    @property
    def unhandled(self) -> int: ...

    @property
    def refused(self) -> int: ...

    @property
    def not_finite(self) -> int: ...

    @property
    def not_finite_inputs(self) -> int: ...

    @property
    def lines(self) -> list[LineStats]: ...

    @property
    def cues(self) -> CueStats: ...

    @property
    def buffers(self) -> BufferStats: ...

    @property
    def sequences(self) -> SequenceCounts: ...

    @property
    def midi(self) -> MidiStats: ...

    @property
    def streams(self) -> int: ...

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

def _cfunc_processor(render: int, handle: int, discarded: int, state: int, state_bytes: int, parameters: Sequence[tuple[str, float, float, float, str, float, int]], meters: Sequence[tuple[str, str, Sequence[str], int]], slots: int, reasons: Sequence[str], name: str, keep: object) -> object: ...

def _player_processor(slots: int, voices: int) -> object: ...

MAX_PLAYER_SLOTS: int = 2048

HIGHEST_VOICE_GAIN: float = 4.0

HIGHEST_VOICE_RATE: float = 64.0

LONGEST_VOICE_FADE_S: float = 60.0

def engines_running() -> int: ...

class Engine(Sender):
    """A processor and a device, run together."""

    def __init__(self, request: DeviceRequest, samplerate: int | None, blocksize: int | None, budget: int, lines: int, processor: object) -> None: ...

    def start(self) -> None:
        """
        Start the audio. If it runs, do nothing. Raises ClosedError, ForkedError, DeviceError.
        """

    def stop(self) -> None:
        """
        Stop the audio. If it is stopped, do nothing. Commands sent while it is stopped wait in the ring.
        With JACK or PortAudio, the last block fades out. Raises ForkedError.
        """

    def close(self) -> None:
        """
        Stop the audio for good. stats() still works. In a forked child and after close(), it does nothing.
        """

    def now(self) -> int:
        """
        Return the first frame of the next block: the earliest at which a command sent now can apply.

        Raises ForkedError.
        """

    def __cueline_lines__(self) -> object:
        """Return a capsule for C++'s cueline::open_offered_line()."""

    def _frame_at(self, monotonic_ns: int) -> int: ...

    def _time_at(self, frame: int) -> int: ...

    def _receive_confirmations(self, outcomes: dict[tuple[int, int], Message]) -> None: ...

    def _timeline(self) -> TimelineSnapshot: ...

    def _midi_names(self, outputs: bool) -> list[str]: ...

    def _connect_midi(self, pattern: str, outputs: bool) -> None: ...

    def _require_usable(self) -> None: ...

    def _stream_channels(self, name: str, plays: bool) -> int: ...

    def _render_into(self, outputs: numpy.typing.NDArray[numpy.float32], inputs: numpy.typing.NDArray[numpy.float32]) -> None: ...

    def _publish(self, slot: int, samples: numpy.typing.NDArray[numpy.float32], at: object, late: object, timeout: float | None) -> Status: ...

    def _load_buffer(self, samples: numpy.typing.NDArray[numpy.float32], timeout: float | None) -> int: ...

    def _require_loading(self) -> None: ...

    def _publish_nothing(self, slot: int, at: object, late: object, timeout: float | None) -> Status: ...

    def _require_slots(self) -> None: ...

    def _feed_sequences(self) -> int: ...

    def _require_offline(self) -> None: ...

    def _stats(self) -> EngineStats: ...

    @property
    def _parts(self) -> list[tuple[str, int, int, bool]]: ...

    def _worst_case(self) -> tuple[int, int, int, int]: ...

    def _losses(self) -> tuple[int, ...]: ...

    def _lateness(self) -> tuple[int, list[tuple[int, int, int]]]:
        """
        Return how late the null device's blocks began, in nanoseconds: the worst, and for each bucket that is
        not empty its start, its end and its count. Raises DeviceError on other devices, ForkedError.
        """

    @property
    def closed(self) -> bool:
        """Whether close() was called."""

    @property
    def _state(self) -> str: ...

    @property
    def device(self) -> str:
        """The name of its device."""

    @property
    def buffer_slots(self) -> int:
        """How many buffer slots its processor has."""

    @property
    def processor(self) -> str:
        """The name of its processor."""

    @property
    def _absent(self) -> list[str]: ...

    @property
    def _reasons(self) -> list[str]: ...

    @property
    def samplerate(self) -> int:
        """Frames per second."""

    @property
    def blocksize(self) -> int:
        """Frames per block."""

    @property
    def inputs(self) -> int:
        """How many channels come from the device."""

    @property
    def outputs(self) -> int:
        """How many channels go to the device."""

    @property
    def input_latency(self) -> int:
        """
        Frames from a sound at the device's input to the block that has it, as the device reports it.

        0 if it reports nothing.
        """

    @property
    def output_latency(self) -> int:
        """
        Frames from a block to its sound at the device's output, as the device reports it.

        0 if it reports nothing.
        """

class Playback:
    """See cueline.Playback."""

    def __init__(self, engine: Sender, frames: int, channels: int | None, stream: str) -> None: ...

    def close(self) -> None:
        """Close it. What waits is dropped; a playback that plays fades out."""

    @property
    def closed(self) -> bool:
        """Whether it is closed."""

    @property
    def _handle(self) -> int: ...

    @property
    def channels(self) -> int:
        """How many channels it has."""

    @property
    def capacity(self) -> int:
        """How many frames it has room for."""

    def _write(self, samples: numpy.typing.NDArray[numpy.float32], first: int, last: bool) -> int: ...

    def _room(self, most: int) -> numpy.typing.NDArray[numpy.float32]: ...

    def _push(self, frames: int, last: bool) -> None: ...

    def _complete(self) -> None: ...

    def _clear_up_to(self) -> int: ...

    def _position(self) -> tuple[int, int, int, int, int, int, int]: ...

class Recording:
    """See cueline.Recording."""

    def __init__(self, engine: Sender, frames: int, channels: int | None, source: str) -> None: ...

    def close(self) -> None:
        """Close it. What waits is dropped; a playback that plays fades out."""

    @property
    def closed(self) -> bool:
        """Whether it is closed."""

    @property
    def _handle(self) -> int: ...

    @property
    def channels(self) -> int:
        """How many channels it has."""

    @property
    def capacity(self) -> int:
        """How many frames it has room for."""

    def _read(self, array: numpy.typing.NDArray[numpy.float32]) -> tuple[int, int, int, bool]: ...

    def _view(self, most: int) -> tuple[int, int, numpy.typing.NDArray[numpy.float32], bool]: ...

    def _pop(self, frames: int) -> None: ...

    def _ready(self, most: int) -> tuple[int, bool]: ...

    def _state(self) -> tuple[int, int, int, int, int]: ...

class Score:
    """What a sequence plays."""

    def __init__(self, engine: Sender, events: list[tuple[float, object]] | numpy.typing.NDArray[numpy.void] | None, array_kind: int, part: int, loop_beats: float, swing: float, grid: float) -> None: ...

    def append(self, beat: float, message: object | None) -> None: ...

    def reach(self, beat: float) -> None: ...

    def finish(self) -> None: ...

    @property
    def wanted(self) -> float | None: ...

class PlayingSequence:
    """A score that is being played."""

    def __init__(self, score: Score, at: SupportsIndex | MusicalTime | None, late: str) -> None: ...

    def replace(self, score: Score, at: SupportsIndex | MusicalTime | None) -> bool: ...

    def stop(self, at: SupportsIndex | MusicalTime | None) -> None: ...

    @property
    def mute(self) -> bool: ...

    @mute.setter
    def mute(self, arg: bool, /) -> None: ...

    @property
    def over(self) -> bool: ...

    @property
    def counts(self) -> tuple[int, int, int]: ...

LEAST_SWING: float = 0.5

MAX_SEQUENCE_EVENTS: int = 65536

MOST_SWING: float = 0.75

class _Baseline:
    """
    The least that a call into a compiled module can cost. `cueline bench` compares cueline's calls with it.
    """

    def __init__(self) -> None: ...

    def nothing(self) -> None:
        """Do nothing."""

    def clock(self) -> None:
        """Read the clock that ping() reads, and discard the time."""

    @staticmethod
    def compiler() -> str:
        """Return the name and version of the compiler of this module."""
