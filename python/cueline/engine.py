"""AudioEngine: Python's view of an engine, a thin layer over cueline._core."""

from __future__ import annotations

from cueline import _core
from cueline.arguments import (
    SetWhenMade,
    checked_channels,
    checked_connect,
    checked_count,
    checked_device,
    checked_flag,
    checked_integer,
    checked_latency,
    checked_midi_delay,
    checked_name,
    checked_number,
    checked_pair,
    refuse_attribute_of,
    refuse_unmade,
    refusing_channels,
    require_new,
)
from cueline.awaiting import Arrivals, Turns, areceive, asend
from cueline.beats import next_bar
from cueline.bulk import receive_many, send_many
from cueline.errors import ArgumentError, ArgumentTypeError, ForkedError, ProcessorError
from cueline.forks import warn_of_forks
from cueline.line import Line
from cueline.parameters import Parameters
from cueline.receiving import messages, receive, request
from cueline.samples import checked_samplerate, checked_samples, resampled
from cueline.transaction import Transaction

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType
    from typing import Any, Literal, NoReturn, SupportsIndex, TypeVar, overload

    import numpy as np
    import numpy.typing as npt
    from typing_extensions import Self

    from cueline.beats import Beat, When
    from cueline.bulk import Records
    from cueline.confirmation import Confirmation
    from cueline.meters import Meters
    from cueline.midi_maps import Midi, MidiMap
    from cueline.part import Part
    from cueline.playback import Playback
    from cueline.processors import CapsuleType, OffersProcessor
    from cueline.recording import Recording
    from cueline.sequence import Events, Feeder
    from cueline.sequence import Sequence as PlayedSequence
    from cueline.stats import Stats, WorstCase
    from cueline.timeline import Timeline
    from cueline.voice import Voice

    MessageT = TypeVar("MessageT", bound=_core.Message)

__all__ = ["AudioEngine"]

warn_of_forks()

_NO_LOSSES = (0,) * 8
_LONGEST_S = 10**9  # for after(): 30 years
_MAX_FRAMES = 2**31 - 1  # in one render: twelve hours at 48 kHz


class AudioEngine(_core.Engine):
    """An audio engine, and the control side's connection to it.

    ``device`` is one of these, and ``cueline.devices()`` lists what is there:

    - ``"jack"``: a client of the JACK server, and so of PipeWire
    - ``"portaudio"``: PortAudio's default devices; a number, or words of a name and host API, for another one; a pair
      of these for the inputs and the outputs, as in ``("webcam", "scarlett")``: both of one host API
    - ``"null"``: a thread with a clock and no sound card
    - ``"offline"``: no clock; it renders when you call ``render``
    - None: JACK if a server runs, else PortAudio's default device, else null with a RuntimeWarning that says why

    ``processor`` makes the sound. It belongs to one engine at a time, until that engine is closed. It is one of these:

    - ``"player"`` or None: plays buffers, and is silent until you play one
    - ``"tone"``: a sine with parameters
    - ``"passthrough"``: copies the inputs to the outputs; a single input goes to all outputs
    - ``"silence"``
    - your own: a capsule from ``cueline.cfunc_processor`` or from C++'s ``cueline::processor_capsule``, or an object
      that offers one (``OffersProcessor``)
    - a dict of up to 8 names, each with one of these: an engine of parts, whose outputs are mixed; see ``part``

    For all devices:

    - ``samplerate``: frames a second (1000 to 768000); None: the device chooses
    - ``blocksize``: frames (1 to 8192); None: the device chooses
    - ``inputs``, ``outputs``: how many channels come from the device and go to it, from its first one on (0 to 64, not
      both 0); or a tuple of channel numbers, as in ``inputs=(3,)``, where the first channel is 1. Inputs without a
      source are silent
    - ``budget``: the most messages that the audio thread reads in a block (1 to 1024); the offline device reads all
    - ``lines``: how many lines can be open, the engine's own included (1 to 64); see ``open_line``

    For some devices:

    - ``client_name`` (JACK): the client's name; None: ``"cueline"``
    - ``server`` (JACK): the server's name; None: the one in ``JACK_DEFAULT_SERVER``, or ``"default"``
    - ``connect`` (JACK): True or None: to the physical ports; False: to none; a regular expression: to the ports that
      match; a pair of these: for the inputs and the outputs
    - ``latency`` (PortAudio): ``"low"``, ``"high"`` or a number of seconds; None: low
    - ``loopback`` (null, offline): each output comes back, one block later, as the input with its number
    - ``midi_inputs`` (all but offline): how many ports for MIDI it reads (0 to 16)
    - ``midi_outputs`` (JACK): how many ports for MIDI it sends to (0 to 16)
    - ``midi_connect`` (all but offline): like ``connect``; None: inputs to the physical ports, outputs to none
    - ``midi_delay`` (null, PortAudio): the seconds from the arrival of a MIDI message to its frame; None: two blocks

    Raises ArgumentError, ArgumentTypeError, DeviceError, ProcessorError for a processor that was compiled against an
    incompatible cueline, and whatever your own processor raises when it is prepared.

    As a context manager, it starts at the beginning and closes at the end. You can then still receive the messages that
    have come. Any Python thread, signal handler and ``__del__`` may use it. A forked child may not.

    You can neither set its attributes nor add others. A class that you derive from it may have any attributes.
    """

    _heard: tuple[int, ...] | None = _NO_LOSSES  # at the last stats(); None: no warning is needed

    @refusing_channels
    def __init__(
        self,
        device: str | int | tuple[str | int, str | int] | None = None,
        *,
        processor: str
        | OffersProcessor
        | CapsuleType
        | Mapping[str, str | OffersProcessor | CapsuleType | None]
        | None = None,
        samplerate: int | None = None,
        blocksize: int | None = None,
        inputs: SupportsIndex | Sequence[SupportsIndex] = 0,
        outputs: SupportsIndex | Sequence[SupportsIndex] = 2,
        budget: int = 256,
        lines: int = 9,
        client_name: str | None = None,
        server: str | None = None,
        connect: bool | str | tuple[bool | str, bool | str] | None = None,
        latency: float | str | None = None,
        loopback: bool = False,
        midi_inputs: SupportsIndex = 0,
        midi_outputs: SupportsIndex = 0,
        midi_connect: bool | str | tuple[bool | str, bool | str] | None = None,
        midi_delay: float | None = None,
    ) -> None:
        require_new(self, "engine")
        # Not sooner: `import cueline` must stay quick. Not later: __del__ at Python's end cannot import, and a signal
        # handler cannot import what the code that it interrupts is importing.
        # With cueline.messages, received messages have their classes.
        from cueline import (  # noqa: F401
            automation,
            files,
            messages,
            midi_maps,
            part,
            playback,
            recording,
            ring_errors,
            saving,
            sequence,
            timeline,
            voice,
        )
        from cueline.confirmation import Confirmations
        from cueline.loss import warn_of_loss
        from cueline.meters import Meters
        from cueline.portaudio_file import look_in_packages
        from cueline.processors import checked_processor
        from cueline.stats import engine_stats

        request = _core.DeviceRequest()
        input_device, output_device = checked_pair("device", device)
        request.input_device = checked_device(input_device)
        request.device = checked_device(output_device)
        request.client_name = checked_name("client_name", client_name)
        request.server = checked_name("server", server)
        connect_inputs, connect_outputs = checked_pair("connect", connect)
        request.connect_inputs = checked_connect("connect", connect_inputs)
        request.connect = checked_connect("connect", connect_outputs)
        request.latency = checked_latency(latency)
        request.inputs = checked_channels("inputs", inputs)
        request.outputs = checked_channels("outputs", outputs)
        request.loopback = checked_flag("loopback", loopback)
        request.midi_inputs = checked_integer("midi_inputs", midi_inputs)
        request.midi_outputs = checked_integer("midi_outputs", midi_outputs)
        request.midi_delay = checked_midi_delay(midi_delay)
        connect_inputs, connect_outputs = checked_pair("midi_connect", midi_connect)
        request.midi_connect_inputs = checked_connect("midi_connect", connect_inputs)
        request.midi_connect = checked_connect("midi_connect", connect_outputs)
        look_in_packages()
        super().__init__(
            request,
            None if samplerate is None else checked_integer("samplerate", samplerate),
            None if blocksize is None else checked_integer("blocksize", blocksize),
            checked_integer("budget", budget),
            checked_integer("lines", lines),
            checked_processor(processor),
        )
        self._parameters = Parameters(self)
        self._meters = Meters(self)
        self._confirmations = Confirmations()
        self._turns = Turns()
        self._feeders: list[Feeder] = []  # of iterators
        self._midi_maps: dict[int, MidiMap] = {}  # by their place in the audio thread's table
        self._unwanted: list[int] = []  # buffers that play() could not unload yet
        self._read_stats = engine_stats
        self._tell_loss = warn_of_loss
        if device is None:
            try:
                self._warn_of_the_device(
                    client_name=client_name,
                    server=server,
                    connect=connect,
                    latency=latency,
                    loopback=loopback or None,
                    midi_inputs=midi_inputs or None,
                    midi_outputs=midi_outputs or None,
                    midi_connect=midi_connect,
                    midi_delay=midi_delay,
                )
            except RuntimeWarning:  # warnings are errors here: no caller gets this engine, so release its processor
                self.close()
                raise
        if self.device == "offline":
            import numpy  # noqa: F401  # it takes long, so not in the first render()

    def _warn_of_the_device(self, **options: object) -> None:
        own = {
            "jack": ("client_name", "server", "connect", "midi_inputs", "midi_outputs", "midi_connect"),
            "portaudio": ("latency", "midi_inputs", "midi_connect", "midi_delay"),
            "null": ("loopback", "midi_inputs", "midi_connect", "midi_delay"),
        }.get(self.device, ())
        unused = [name for name, value in options.items() if value is not None and name not in own]
        if unused:
            from cueline.device_list import warn_of_unused

            warn_of_unused(unused, self.device)
        if self._absent:
            from cueline.device_list import warn_of_silence

            warn_of_silence(self._absent)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc_type is not None:
            self._heard = None  # the exception is what the user has to see
        self.close()

    def close(self) -> None:
        """Stop the audio for good. In a forked child, and the second time, it does nothing.

        stats() still works. If messages were lost without an exception, and stats() was not called since, a LossWarning
        says what was lost. It also says what a sequence's iterator raised, unless you have seen it by ``error`` or
        ``wait()``.
        """
        if self._state == "never made":  # its constructor raised, and a __del__ calls this
            return
        super().close()
        for feeder in self._feeders:
            feeder.join()
        self._warn_of_loss()

    def _warn_of_loss(self) -> None:
        first = object()
        if vars(self).setdefault("_closed_first", first) is not first:  # one step: of many threads, one warns
            return
        heard, self._heard = self._heard, None
        try:
            if heard is None:
                return
            lost = self._losses()
        except ForkedError:
            return
        raised = [error for feeder in self._feeders if (error := feeder.unheard) is not None]
        if raised or lost != heard:
            self._tell_loss(self, _NO_LOSSES if lost == heard else lost, raised)

    if not TYPE_CHECKING:  # for a type checker, a class with this method would have every attribute
        _parameters = _meters = _confirmations = _turns = _midi_maps = _unwanted = _feeders = _read_stats = (
            SetWhenMade()
        )

        def __setattr__(self, name: str, value: object) -> None:
            if type(self) is AudioEngine and not name.startswith("_"):
                refuse_attribute_of(self, name)
            super().__setattr__(name, value)

    def __repr__(self) -> str:
        if self._state == "never made":
            return "<cueline.AudioEngine, never made>"
        state = "" if self._state == "running" else f", {self._state}"
        return (
            f"<cueline.AudioEngine on {self.device!r}: {self.samplerate} Hz, "
            f"{self.inputs} inputs, {self.outputs} outputs, blocks of {self.blocksize} frames{state}>"
        )

    def __reduce__(self) -> NoReturn:
        raise ArgumentTypeError("an engine cannot be copied or pickled: make another one")

    @property
    def parameters(self) -> Parameters:
        """The processor's parameters by name: ``engine.parameters["gain"] = 0.5`` sets one."""
        return self._parameters

    @property
    def meters(self) -> Meters:
        """The processor's meters by name: ``engine.meters["level"]`` reads the latest value of one."""
        return self._meters

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of the engine's parts, in their order. Empty if it has a single processor."""
        return tuple(part[0] for part in self._parts)

    def part(self, name: str) -> Part:
        """Return the part of this name, of an engine that was made with a dict of processors.

        A part has ``send``, ``confirm``, ``transaction``, ``publish``, ``play``, ``parameters``, ``meters`` and more of
        its own. A message that you send by the engine goes to all parts, unless a part's ``addressed(message)``
        returned it. The engine has the slots, parameters and meters of all parts: slots are numbered from the first
        part's to the last part's, and names begin with the part's, as in ``engine.parameters["drums.gain"]``. Raises
        UnknownNameError, ArgumentTypeError.
        """
        from cueline.part import part_of  # here, because `import cueline` must stay quick

        return part_of(self, name)

    @property
    def timeline(self) -> Timeline:
        """Musical time: tempo, time signature, start, stop, locate and loop, and the beats of frames."""
        from cueline.timeline import Timeline  # here, because `import cueline` must stay quick

        if self._state == "never made":
            refuse_unmade()
        return Timeline(self)  # each time: an engine that kept it would be in a circle, and wait for the collector

    @property
    def midi(self) -> Midi:
        """MIDI: the devices, and the maps that let their controls move parameters or send messages."""
        from cueline.midi_maps import Midi  # here, because `import cueline` must stay quick

        if self._state == "never made":
            refuse_unmade()
        return Midi(self)  # each time, like the timeline

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
        """Put a buffer into ``slot``, in place of the one that is there. None empties the slot.

        ``array`` has shape (frames, channels), or (frames,) for one channel. It holds float32, or other floats, which
        are rounded to float32, or int16, which is divided by 32768; it need not be contiguous. ``samplerate`` is the
        array's rate: if it is not the engine's, soxr (``cueline[files]``) converts the samples; None: the engine's. The
        samples are copied, so you may change the array later. NaN and infinities stay as they are. This thread makes
        the copy, without the GIL if it is large. The audio thread only swaps a pointer. The next call of ``publish``,
        ``load_buffer``, ``stats`` or ``close`` frees the old buffer, on the thread that makes the call. ``at`` and
        ``late`` are those of ``send``: the swap happens at that frame.

        Returns Status.FULL if the command ring is full, and Status.NO_BUFFER if ``stats().buffers.limit`` buffers are
        in use; nothing changes, and the refusal is counted. With a ``timeout`` it waits for room, like ``send``, and
        then raises Full.

        Raises ArgumentError for a slot that does not exist, and for an array that is empty, has another shape, more
        than 1024 channels, more than 2147483647 samples, numbers too large for float32, or NaN to be converted;
        ArgumentTypeError for an array that holds neither floats nor int16, and for a path, which ``load`` takes;
        ProcessorError if the processor has no slots; MissingPackageError, MemoryError, ClosedError, ForkedError,
        DeviceError.
        """
        number = self._checked_slot(slot)  # before the array is read, because that may take long
        if array is None:
            return self._publish_nothing(number, at, late, timeout)
        samples = self._at_our_rate(checked_samples(array, if_empty="use None to empty a slot"), samplerate)
        return self._publish(number, samples, at, late, timeout)

    def load(
        self,
        slot: SupportsIndex,
        path: str | os.PathLike[str],
        at: When = None,
        *,
        late: Literal["apply", "drop"] = "apply",
        timeout: float | None = 0,
    ) -> _core.Status:
        """Read a sound file at the engine's rate, and put it into ``slot``: ``cueline.load``, then ``publish``.

        This thread reads the whole file. Needs ``pip install 'cueline[files]'``. ``at``, ``late`` and ``timeout`` are
        those of ``publish``. Returns and raises what these two do; if there is no such slot, it raises before it reads
        the file.
        """
        from cueline.files import load  # here, because `import cueline` must stay quick

        number = self._checked_slot(slot)
        return self._publish(number, load(path, samplerate=self.samplerate), at, late, timeout)

    def _checked_slot(self, slot: SupportsIndex) -> int:
        number = checked_integer("slot", slot)
        self._require_slots()
        if not 0 <= number < self.buffer_slots:
            raise ArgumentError(f"slot must be from 0 to {self.buffer_slots - 1}, got {number}")
        return number

    def _at_our_rate(
        self, samples: npt.NDArray[np.float32], samplerate: SupportsIndex | None
    ) -> npt.NDArray[np.float32]:
        if samplerate is None:
            return samples
        return resampled(samples, checked_samplerate("samplerate", samplerate), self.samplerate)

    def load_buffer(
        self, array: npt.ArrayLike, *, samplerate: SupportsIndex | None = None, timeout: float | None = 0
    ) -> int:
        """Load a buffer without a slot, and return its handle, for fields of type ``cueline.buffer`` in messages.

        ``array`` and ``samplerate`` are those of ``publish``: the array is copied, and this thread makes the copy. Any
        number of messages may carry the handle. The buffer stays loaded until a ``cueline.UnloadBuffer(handle)`` is
        applied, the processor releases it, or the engine is closed. Then the next call of ``load_buffer``, ``publish``,
        ``stats`` or ``close`` frees it. If a message that carries a handle is never applied, the buffer stays loaded.

        Raises Full if ``stats().buffers.limit`` buffers are in use; with a ``timeout`` it first waits for room for that
        many seconds, or for ever if that is None. Raises ProcessorError if the processor loads no buffers without a
        slot, and what ``publish`` raises for an array.
        """
        self._require_loading()
        samples = self._at_our_rate(checked_samples(array, if_empty="a buffer needs samples"), samplerate)
        return self._load_buffer(samples, timeout)

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
        """Play the buffer of a slot, or an array, from the frame or the beat ``at``, or with the next block.

        ``sound`` is a slot, or an array as ``publish`` takes it, with its ``samplerate``. An array is loaded, and
        unloaded when the voice has ended. ``gain`` is from 0 to 4. ``pan`` is from -1 to 1: -1 is the first output
        only, 0 all outputs as they are, 1 the second output only. ``rate`` is how many frames of the buffer the voice
        plays for each frame of the output, up to 64. ``start`` is the first frame of the buffer to play. ``loop`` is
        True, or a pair of frames (start, end), where an end of None is the buffer's end; None: it plays once.
        ``choke_group`` is a number up to 65535: a voice fades out the other voices of its group; 0: no group. ``late``
        is that of ``send``.

        Returns the voice, which you can change and stop. Raises Full if there is no room within ``timeout`` seconds for
        the command, its confirmation (1024 can be under way) or the buffer; ArgumentError, ArgumentTypeError,
        ProcessorError if the processor does not play, or if the engine has parts (use ``play`` of a part); and what
        ``confirm`` and ``load_buffer`` raise.
        """
        from cueline.voice import play  # here, because `import cueline` must stay quick

        if self._parts:
            names = ", ".join(map(repr, self.parts))
            raise ProcessorError(f"this engine has the parts {names}: use engine.part(name).play()")
        return play(
            self,
            self,
            sound,
            at,
            gain=gain,
            pan=pan,
            rate=rate,
            start=start,
            loop=loop,
            choke_group=choke_group,
            samplerate=samplerate,
            late=late,
            timeout=timeout,
        )

    if TYPE_CHECKING:

        @overload
        def receive(
            self, *, timeout: float | None = None, into: list[_core.Message] | None = None
        ) -> _core.Message: ...
        @overload
        def receive(self, *types: type[MessageT], timeout: float | None = None) -> MessageT: ...
        def receive(self, *types: Any, timeout: float | None = None, into: Any = None) -> Any: ...  # noqa: D102
        @overload
        async def areceive(self, *, timeout: float | None = None) -> _core.Message: ...
        @overload
        async def areceive(self, *types: type[MessageT], timeout: float | None = None) -> MessageT: ...
        async def areceive(self, *types: Any, timeout: float | None = None) -> Any: ...  # noqa: D102

    else:

        def receive(
            self, *types: type, timeout: float | None = None, into: list[_core.Message] | None = None
        ) -> _core.Message:
            """Wait for a message and return it. ``timeout`` is in seconds; 0 looks once, None waits for ever.

            With message classes, as in ``receive(Level, timeout=1)``, it returns the next message of one of them. The
            others stay, in their order, for later calls: the latest 1024 of them; older ones are counted as dropped.

            With ``into``, the message is also appended to that list, in the same step that takes it. So an exception
            that a signal handler raises, such as Ctrl-C, loses no message: it is in the list, or still in the engine.

            The audio thread wakes nobody, so this call polls: just after each block has begun, and at least every
            20 ms. It sleeps without the GIL in between, and Ctrl-C ends it. Raises Empty (a queue.Empty) when the time
            is over, ClosedError, ForkedError, DeviceError, ArgumentError, ArgumentTypeError.
            """
            return receive(self, types, timeout, into)

        async def areceive(self, *types: type, timeout: float | None = None) -> _core.Message:
            """Wait for a message in an asyncio task, and return it. Other tasks run meanwhile.

            If the task is cancelled, no message is lost: the next call gets it. Several tasks may wait at once; each
            message goes to one of them. Every 32nd call lets the other tasks run, even if a message is there. Takes and
            raises what receive() does, without ``into``.
            """
            return await areceive(self, self._turns, types, timeout)

    def request(
        self,
        message: object,
        answer: type[MessageT],
        at: When = None,
        *,
        late: Literal["apply", "drop"] = "apply",
        timeout: float | None = None,
    ) -> MessageT:
        """Send a message, wait for the message of class ``answer`` that answers it, and return that.

        ``at`` and ``late`` are those of send(). Other messages stay, as with receive(). ``timeout``, in seconds, is for
        room in the ring, and again for the answer. Raises Full if there is no room within that time, Empty if no answer
        comes, and what send() and receive() raise.
        """
        return request(self, message, answer, at, late, timeout)  # type: ignore[return-value]

    def __aiter__(self) -> Arrivals:
        """Iterate over messages as they come, until the engine is closed: ``async for message in engine:``.

        Raises what areceive() does, but not ClosedError.
        """
        return Arrivals(self, self._turns)

    async def asend(
        self,
        message: object,
        at: When = None,
        *,
        late: Literal["apply", "drop"] = "apply",
        timeout: float | None = None,
    ) -> None:
        """Send a message from an asyncio task. If the ring is full, wait for room, for ever or for ``timeout`` seconds.

        ``at`` and ``late`` are those of send(). If the task is cancelled, the message is not sent. If several tasks
        wait, they get room in no fixed order. Raises Full when the time is over (the message is dropped and counted),
        and what send() raises.
        """
        await asend(self, self._turns, message, at, late, timeout)

    def send_many(self, array: Records, *, late: Literal["apply", "drop"] = "apply", timeout: float | None = 0) -> int:
        """Send an array of ``cueline.dtype(cls)`` in order, and return how many messages were accepted.

        A message's ``frame`` is the frame at which it applies; 0 means as soon as it is read. A message in an array has
        no beat. Its ``kind`` may be 0, which means the kind of ``cls``. In an array of ``cueline.dtype()``, each
        message has its own kind. ``sequence`` is ignored. The array is not changed; it may be read-only, and need not
        be contiguous. ``late`` is that of send(), for all messages.

        With a ``timeout`` of 0 it never waits. If the ring is full, the rest of the messages is dropped and counted.
        Otherwise it waits for room, without the GIL, until all messages are in: for ``timeout`` seconds, or for ever if
        that is None. When the time is over it raises Full, whose ``accepted`` is the number of messages that were sent.
        If one of the messages cannot be sent at all, none is.

        Raises ArgumentError for a message with a bad kind, frame or field, with its index, and for an array that does
        not have one dimension; ArgumentTypeError for another dtype; ProcessorError for a kind that the processor does
        not handle; ClosedError, ForkedError, DeviceError.
        """
        return send_many(self, array, late, timeout)

    def receive_many(self, max: SupportsIndex = _core.RING_CAPACITY) -> Records:  # noqa: A002  # as asyncio and re do
        """Take the messages that have come, at most ``max`` (1 to 1024), as an array of ``cueline.dtype()``.

        Never blocks. If there are none, the array is empty. ``cueline.select`` picks the messages of one class. Raises
        ArgumentError, ArgumentTypeError, MemoryError, and what receive_msg() raises; no message is lost then.
        """
        return receive_many(self, max)

    def frame_at(self, monotonic_ns: int) -> int:
        """Return the frame nearest to a time of time.monotonic_ns(); 0 for a time before frame 0.

        It counts from the block that began last, with the sample rate that the device reports. Raises DeviceError if
        no block has begun yet, ArgumentError, ArgumentTypeError, ForkedError.
        """
        return self._frame_at(checked_count("monotonic_ns", monotonic_ns))

    def time_at(self, frame: int) -> int:
        """Return the time of time.monotonic_ns() at which ``frame`` is rendered. Raises what frame_at() does."""
        return self._time_at(checked_count("frame", frame))

    def after(self, seconds: float) -> int:
        """Return the frame that is ``seconds`` from now, for ``at``: at least two blocks ahead, so that it is not late.

        It counts from now(), with the sample rate that the device reports. Raises ArgumentError, ArgumentTypeError,
        ForkedError.
        """
        frames = round(checked_number("seconds", seconds, _LONGEST_S) * self.samplerate)
        return self.now() + max(frames, 2 * self.blocksize)

    def wait_until(self, when: SupportsIndex | Beat, timeout: float | None = None) -> None:
        """Wait, without the GIL, until all frames before a frame or a ``Beat`` are rendered.

        If the timeline changes meanwhile, the beat comes earlier or later. ``timeout`` is in seconds; None waits for
        ever, and 0 looks once. Raises TimelineTimeout when the time is over, DeviceError if it would wait for ever on
        the offline device, ArgumentError, ArgumentTypeError, ClosedError, ForkedError.
        """
        from cueline.timeline import wait_until  # here, because `import cueline` must stay quick

        wait_until(self, when, timeout)

    def open_line(self, *, events: Literal["own", "all"] = "own") -> Line:
        """Open a line for another thread: a connection of its own, for commands and the messages that answer them.

        The audio thread shares its budget fairly among the lines. With ``events="all"`` the line also receives the
        messages that answer no command of an open line, such as DeviceLost; the engine always does. Raises
        LinesTakenError if all lines of the engine are open, ArgumentError, ClosedError, ForkedError.
        """
        return Line(self, events)

    def confirm(
        self,
        message: object,
        at: When = None,
        *,
        late: Literal["apply", "drop"] = "apply",
        timeout: float | None = 0,
    ) -> Confirmation:
        """Send a message like ``send``, and return its confirmation: await it, or call its result().

        ``at``, ``late`` and ``timeout`` are those of ``send``. Raises Full if there is no room within that time, or if
        1024 confirmations are under way, and what send() raises.
        """
        return self._confirmations.send(self, self, message, at, late, timeout)

    def transaction(
        self,
        at: When = None,
        *,
        late: Literal["apply", "drop"] = "apply",
        timeout: float | None = 0,
        confirm: bool = False,
    ) -> Transaction:
        """Return a ``with`` block that sends its messages when it ends, all or none. They apply at one frame.

        ``at``, ``late`` and ``timeout`` are those of ``send``: the end of the ``with`` raises Full if there is no room
        for all within that time. If ``confirm`` is True, ``confirmation`` is that of the whole transaction. Raises what
        send() does.
        """
        return Transaction(self, self, at, late, timeout, confirm)

    def messages(self) -> Iterator[_core.Message]:
        """Iterate over the messages that have come, at most 1024. Raises what receive_msg() raises."""
        return messages(self)

    def render(
        self, frames: SupportsIndex | None = None, *, audio: npt.ArrayLike | None = None
    ) -> npt.NDArray[np.float32]:
        """Render ``frames`` frames now, on this thread, and return the outputs. For the offline device.

        ``audio`` holds the inputs: floats, or int16 (divided by 32768), of shape (frames, inputs), or (frames,) for one
        input. By default it renders as many frames as ``audio`` has. With more ``frames``, the inputs are silent after
        its end; with fewer, the rest of it is not used. Without ``audio``, the inputs are silent.

        Returns a float32 array of shape (frames, outputs), full scale -1 to 1. Each call begins with a new block; the
        last block is shorter if ``frames`` is not a multiple of the block size. Raises DeviceError on other devices,
        while another render() runs, inside a sequence's iterator, and when stop() ends it; ArgumentError,
        ArgumentTypeError, ClosedError, ForkedError.
        """
        import numpy as np  # here, because `import cueline` must stay quick

        self._require_offline()
        if frames is None and audio is None:
            raise ArgumentTypeError("render() needs a number of frames, audio for the inputs, or both")
        inputs = np.empty((0, self.inputs), np.float32) if audio is None else self._checked_inputs(audio)
        count = len(inputs) if frames is None else checked_integer("frames", frames)
        if not 0 <= count <= _MAX_FRAMES:
            raise ArgumentError(f"frames must be from 0 to {_MAX_FRAMES}, got {count}")
        for feeder in self._feeders:
            feeder.require_outside()
        outputs = np.empty((count, self.outputs), np.float32)
        if self.outputs == 0 and len(inputs) < count:  # then the inputs say how many frames there are
            inputs = np.concatenate([inputs, np.zeros((count - len(inputs), self.inputs), np.float32)])
        done = 0
        while done < count and any(not feeder.over for feeder in self._feeders):
            self.start()
            block = self._feed_sequences()
            for feeder in [feeder for feeder in self._feeders if not feeder.over]:
                feeder.pull()
            self._render_into(outputs[done : done + block], inputs[done : min(done + block, count)])
            done += block
        if done < count or count == 0:
            self._render_into(outputs[done:], inputs[done:count])
        return outputs

    def _checked_inputs(self, audio: npt.ArrayLike) -> npt.NDArray[np.float32]:
        if self.inputs == 0:
            raise ArgumentError("this engine has no inputs for audio: make it with inputs=1, or more")
        samples = checked_samples(audio, "audio")
        if samples.shape[1] != self.inputs:
            raise ArgumentError(
                f"audio must have shape (frames, {self.inputs}), a channel for each input, got {samples.shape}: make "
                "the engine with inputs=, or transpose the array if its channels come first"
            )
        return samples

    def sequence(
        self,
        events: Events,
        at: When = next_bar(),  # noqa: B008  # it is immutable
        *,
        loop_beats: float | None = None,
        swing: float = 0.5,
        swing_grid: float = 0.5,
        late: Literal["apply", "drop"] = "apply",
    ) -> PlayedSequence:
        """Play any number of messages at beats, and return the sequence, which you can mute, replace and stop.

        ``events`` is a list of (beat, message), in any order; an array of ``cueline.beat_dtype(cls)``; or an iterator
        of (beat, message) in order, which may go on for ever. It takes any message that ``send`` takes. Beats are
        quarter notes from ``at`` on, which is a bar line, a ``Beat``, another grid, a frame, or None: now. The events
        are sent half a second ahead, or one quarter note if that is longer, and move when the tempo does. At most 256
        of them wait in the schedule. A Python thread takes the events of an iterator, equally far ahead; on the offline
        device, ``render`` takes them before each block.

        ``loop_beats`` repeats a list or an array after this many quarter notes (at least 1/16). ``swing`` is the share
        that the first of two notes of ``swing_grid`` takes, from 0.5 (straight) to 0.75; 2/3 is a triplet's. The grid
        is an eighth note (0.5) unless you set it. ``late`` is that of ``send``, for an event that is read after its
        beat.

        The first sequence opens a line, which all sequences share. Raises LinesTakenError if all are open,
        ArgumentError, ArgumentTypeError, ProcessorError for a message that the processor does not handle, ClosedError,
        ForkedError, DeviceError.
        """
        from cueline.sequence import play  # here, because `import cueline` must stay quick

        return play(self, events, at, loop_beats=loop_beats, swing=swing, swing_grid=swing_grid, late=late)

    def open_playback(
        self,
        *,
        stream: str | None = None,
        channels: SupportsIndex | None = None,
        buffer_seconds: float = 2,
        samplerate: SupportsIndex | None = None,
        start: bool = True,
        at: When = None,
    ) -> Playback:
        """Open a stream whose samples are mixed into the outputs, after the processor; or one that the processor plays.

        One channel, the default, goes to all outputs; otherwise each goes to the output with its number.
        ``buffer_seconds`` is how many seconds its ring can hold, at least. ``samplerate`` is the rate of what you
        write; None: the engine's. If it is another one, soxr (``cueline[files]``) converts the samples, on the thread
        that writes them. The playback starts at the frame ``at``, or with the next block; with ``start=False``, when
        you call its start(). ``stream`` is the name of a playback that the processor declares: it has as many
        ``channels`` as the processor says, and the processor plays it.

        Raises ArgumentError for more channels than outputs, and for a stream that the processor does not declare;
        StreamsTakenError if 16 streams are open, or if that stream of the processor is; Full if there is no room for
        the command; ArgumentTypeError, MissingPackageError, MemoryError, ClosedError, ForkedError, DeviceError.
        """
        from cueline.playback import Playback  # here, because `import cueline` must stay quick

        count = None if channels is None else checked_integer("channels", channels)
        playback = Playback(self, count, buffer_seconds, samplerate, stream)
        if checked_flag("start", start):
            playback.start(at)
        return playback

    def open_recording(
        self,
        *,
        source: str = "inputs",
        channels: SupportsIndex | None = None,
        buffer_seconds: float = 5,
        samplerate: SupportsIndex | None = None,
        start: bool = True,
        at: When = None,
    ) -> Recording:
        """Open a stream that records the inputs, the outputs as the device gets them, or what the processor writes.

        ``source`` is ``"inputs"``, ``"outputs"``, or the name of a recording that the processor declares. ``channels``
        is how many of its channels, from the first one on; by default all. ``buffer_seconds`` is how long you can wait,
        at least, before you read. ``samplerate`` is the rate of what you read; None: the engine's. If it is another
        one, soxr (``cueline[files]``) converts the samples, on the thread that reads them. The recording starts at the
        frame ``at``, or with the next block; with ``start=False``, when you call its start(). Raises what
        open_playback() raises.
        """
        from cueline.recording import Recording  # here, because `import cueline` must stay quick

        recording = Recording(self, source, channels, buffer_seconds, samplerate)
        if checked_flag("start", start):
            recording.start(at)
        return recording

    def record(
        self,
        seconds: float,
        *,
        source: str = "inputs",
        samplerate: SupportsIndex | None = None,
        at: SupportsIndex | None = None,
    ) -> npt.NDArray[np.float32]:
        """Record for ``seconds``, from the frame ``at`` or from now on, and then return the samples.

        ``at`` is a frame, not a beat: ``engine.timeline.frame_at(beat)`` is the frame of a beat. If that frame has
        passed, it records that many seconds from the next block on.

        ``source`` is that of open_recording(). The array has shape (frames, channels), at ``samplerate``; None: the
        engine's. Raises what open_recording() raises, and DeviceError on the offline device, where no block comes
        meanwhile.
        """
        from cueline.recording import take  # here, because `import cueline` must stay quick

        return take(self, seconds, source, samplerate, at)

    def worst_case(self) -> WorstCase:
        """Return the most work that a block can have, whatever is sent.

        Raises DeviceError on the offline device: its blocks have no deadline, and read all that waits.
        """
        from cueline.stats import WorstCase  # here, because `import cueline` must stay quick

        return WorstCase(*self._worst_case())

    def stats(self) -> Stats:
        """Return the engine's counters as they are now; if it is closed, the last ones. Raises ForkedError."""
        self._heard = self._heard and self._losses()  # before the counters are read: all of these are in them
        return self._read_stats(self)


_core._bind_inherited(AudioEngine)  # these methods are called most
