"""AudioEngine: what Python sees of an engine, a thin face on cueline._core."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Literal, NoReturn, SupportsIndex

from cueline import _core
from cueline.arguments import (
    checked_count,
    checked_device,
    checked_integer,
    checked_latency,
    checked_name,
)
from cueline.awaiting import Arrivals, Turns, areceive, asend
from cueline.bulk import receive_many, send_many
from cueline.confirmation import Confirmation, Confirmations, confirm
from cueline.device_list import warn_if_silent
from cueline.errors import ArgumentError, ArgumentTypeError, Empty
from cueline.line import Line
from cueline.meters import Meters
from cueline.parameters import Parameters
from cueline.polling import polling_intervals
from cueline.processors import checked_processor
from cueline.samples import checked_samples
from cueline.stats import BufferStats, CueStats, Stats, ring_stats
from cueline.transaction import Transaction

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from typing_extensions import Self

    from cueline.bulk import Records
    from cueline.processors import CapsuleType, OffersProcessor

__all__ = ["AudioEngine"]

_MAX_FRAMES = 2**31 - 1  # of one render: twelve hours at 48 kHz


class AudioEngine(_core.Engine):
    """An audio engine, and the line to it.

    ``device`` is ``"jack"`` (a client of the JACK server, so PipeWire's too), ``"portaudio"`` (its default output
    device), a PortAudio device by number or by words of its name and host API, ``"null"`` (a clocked thread without
    a sound card), ``"offline"`` (renders when told to), or None: JACK when a server runs, else PortAudio's default
    device, else null. ``cueline.devices()`` lists them.

    ``processor`` is what renders: ``"silence"`` (None too), ``"tone"``, a sine by its parameters, ``"player"``, which
    plays what ``publish`` hands it; or one of your own: a capsule, as ``cueline.cfunc_processor`` and C++'s
    ``cueline::processor_capsule`` make it, or an object that has one (``OffersProcessor``). It is one engine's at a
    time, until that is closed.

    ``samplerate`` is in frames a second (1000 to 768000), ``blocksize`` in frames (1 to 8192); left out, they are the
    device's own. ``channels`` 1 to 64, ``budget`` the most messages the audio thread reads in a block (1 to 1024).
    JACK: ``client_name``, ``server`` by name, ``connect`` (True: to the physical ports; False: to none; a regular
    expression: to the input ports that match). PortAudio: ``latency``, ``"low"``, ``"high"`` or in seconds.

    Raises ArgumentError, ArgumentTypeError, DeviceError, ProcessorError for a processor that was compiled against a
    cueline that this one does not fit, and what a processor of yours raises as it is prepared.

    As a context manager it starts, and closes at the end; what has come by then can still be received. Any Python
    thread may use it, a signal handler and ``__del__`` too; a forked child may not.
    """

    _made = False  # an instance that its constructor refused has no engine to ask

    def __init__(
        self,
        device: str | int | None = None,
        *,
        processor: str | OffersProcessor | CapsuleType | None = None,
        samplerate: int | None = None,
        blocksize: int | None = None,
        channels: int = 2,
        budget: int = 256,
        client_name: str | None = None,
        server: str | None = None,
        connect: bool | str | None = None,
        latency: float | str | None = None,
    ) -> None:
        if self._made:
            raise ArgumentError("this engine is made already: make another one")
        request = _core.DeviceRequest()
        request.device = checked_device(device)
        request.client_name = checked_name("client_name", client_name)
        request.server = checked_name("server", server)
        request.connect = connect if isinstance(connect, bool) else checked_name("connect", connect)
        request.latency = checked_latency(latency)
        super().__init__(
            request,
            None if samplerate is None else checked_integer("samplerate", samplerate),
            None if blocksize is None else checked_integer("blocksize", blocksize),
            checked_integer("channels", channels),
            checked_integer("budget", budget),
            checked_processor(processor),
        )
        self._parameters = Parameters(self)
        self._meters = Meters(self)
        self._made = True
        self._confirmations = Confirmations()
        self._turns = Turns()
        if device is None:
            warn_if_silent(self.device)
        if self.device == "offline":
            import numpy  # noqa: F401  # now, for it takes long, and the first render() is not to take longer

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        if not self._made:
            return "<cueline.AudioEngine, never made>"
        state = ", closed" if self.closed else ""
        return (
            f"<cueline.AudioEngine on {self.device!r}: {self.samplerate} Hz, "
            f"{self.channels} x {self.blocksize} frames{state}>"
        )

    def __reduce__(self) -> NoReturn:
        raise ArgumentTypeError("an engine can be neither copied nor sent to another process: make one there")

    @property
    def parameters(self) -> Parameters:
        """The processor's parameters, by name: ``engine.parameters["gain"] = 0.5`` sets one."""
        return self._parameters

    @property
    def meters(self) -> Meters:
        """The processor's meters, by name: ``engine.meters["level"]`` reads the latest value of one."""
        return self._meters

    def publish(
        self,
        slot: SupportsIndex,
        array: npt.ArrayLike | None,
        at: SupportsIndex | None = None,
        *,
        late: Literal["apply", "drop"] = "apply",
    ) -> _core.Status:
        """Hand the audio thread a buffer, in place of the one that lies in ``slot``; None leaves the slot empty.

        ``array`` has shape (frames, channels), or (frames,) for one channel, and holds float32, or other floats, which
        are rounded to it. It need not be contiguous. It is copied: what is written to it later changes nothing. NaN and
        infinities go over as they are. The copy is made on this thread, without the GIL where it is large; the
        audio thread only swaps a pointer, and the buffer that it swapped out is freed here by a later ``publish``, by
        ``stats`` or by ``close``. ``at`` and ``late`` are as ``send`` has them: it is swapped at that frame.

        Returns Status.FULL when the command ring is full, or when as many buffers as there may be (128) are in use:
        nothing changed, and it is counted. Raises ArgumentError for a slot that there is not and for an array of
        another shape, empty, of more than 1024 channels or 2147483647 samples, or with numbers too great for float32,
        ArgumentTypeError for one of other things than floats, ProcessorError with a processor that has no slots,
        MemoryError, ClosedError, ForkedError, DeviceError.
        """
        number = checked_integer("slot", slot)
        self._require_slots()
        if not 0 <= number < self.buffer_slots:  # before the array is looked at, which may take long
            raise ArgumentError(f"slot must be from 0 to {self.buffer_slots - 1}, got {number}")
        if array is None:
            return self._publish_nothing(number, at, late)
        return self._publish(number, checked_samples(array), at, late)

    def receive(self, timeout: float | None = None) -> _core.Message:
        """Wait for a message and return it; without a timeout, for ever. Ctrl-C ends the wait.

        It looks every half block, every 20 ms at least, and sleeps without the GIL in between: the audio
        thread wakes nobody.
        ``timeout`` is in seconds; 0 looks once. Raises Empty (a queue.Empty) when it is over, ClosedError,
        ForkedError, ArgumentError, ArgumentTypeError.
        """
        for nap in polling_intervals(self, timeout):
            if (message := self.receive_msg()) is not None:
                return message
            time.sleep(nap)
        raise Empty(f"no message within {timeout} s")

    async def areceive(self, timeout: float | None = None) -> _core.Message:
        """Wait for a message on an asyncio loop, and return it. As receive(), but that other tasks run meanwhile.

        Whoever cancels it, at whatever moment, loses no message: the next one to ask gets it. Any number of tasks may
        wait at once; each message goes to one of them. Every 32nd call lets the other tasks run, even when a message
        waits. Raises as receive().
        """
        return await areceive(self, timeout)

    def __aiter__(self) -> Arrivals:
        """Iterate over messages as they come, ``async for message in engine:``, until the engine is closed.

        Raises as areceive(), save ClosedError.
        """
        return Arrivals(self)

    async def asend(
        self,
        message: object,
        at: SupportsIndex | None = None,
        *,
        late: Literal["apply", "drop"] = "apply",
        timeout: float | None = None,
    ) -> None:
        """Send a message, and wait for room on an asyncio loop where there is none; without a timeout, for ever.

        Whoever cancels it has not sent the message. Tasks that wait for room at once get it in no certain order.
        Raises Full when ``timeout`` seconds are over: it is dropped and counted. Otherwise as send().
        """
        await asend(self, self, message, at, late, timeout)

    def send_many(
        self, array: Records, *, late: Literal["apply", "drop"] = "apply", timeout: float | None = None
    ) -> int:
        """Send an array of ``cueline.dtype(cls)``, in its order, and return how many messages were accepted.

        A message's ``frame`` is where it applies, 0 for as soon as it is read. Its ``kind`` may be left 0: it is then
        that of ``cls``. In an array of ``cueline.dtype()`` each message says its own kind. What stands in ``sequence``
        is not looked at. The array is not changed; it may be read-only, and need not be contiguous.

        Without a timeout it never waits: those for which there is no room are dropped and counted, from the first
        refused on. With one it waits so many seconds for room, without the GIL, until all are in, and raises Full when
        they are not: its ``accepted`` says how many are. Nothing is sent when a message of them cannot be. ``late`` is
        that of send(), for all of them.

        Raises ArgumentError with the index of a message that cannot be sent, for its kind or its frame, and for an
        array that has not one dimension, ArgumentTypeError for one of another dtype, ClosedError, ForkedError,
        DeviceError.
        """
        return send_many(self, self, array, late, timeout)

    def receive_many(self, max: SupportsIndex = _core.RING_CAPACITY) -> Records:  # noqa: A002  # as asyncio and re do
        """Take the messages that have come, at most ``max`` of them (1 to 1024), as an array of ``cueline.dtype()``.

        Never blocks; the array is empty when there are none. ``cueline.select`` picks those of one class out of it.
        Raises ArgumentError, ArgumentTypeError, MemoryError, and otherwise as receive_msg(); then no message is lost.
        """
        return receive_many(self, max)

    def frame_at(self, monotonic_ns: int) -> int:
        """Return the frame that is rendered at that time of time.monotonic_ns(), the nearest; 0 for one before it.

        It goes by the block that began last, at the sample rate that the device says it has. Raises DeviceError when
        no block has begun yet, ArgumentError, ArgumentTypeError, ForkedError.
        """
        return self._frame_at(checked_count("monotonic_ns", monotonic_ns))

    def time_at(self, frame: int) -> int:
        """Return the time of time.monotonic_ns() at which ``frame`` is rendered. As frame_at(), the other way."""
        return self._time_at(checked_count("frame", frame))

    def open_line(self) -> Line:
        """Open another line for commands: its own ring, for another thread, drained in turn with the others.

        Raises LinesTakenError when 8 are open, ClosedError, ForkedError.
        """
        return Line(self)

    def confirm(
        self,
        message: object,
        at: SupportsIndex | None = None,
        *,
        late: Literal["apply", "drop"] = "apply",
        timeout: float | None = None,
    ) -> Confirmation:
        """Send a message as ``send`` does, and return what tells what became of it: await it, or ask its result().

        Raises Full when there is no room for it, or 1024 confirmations are under way; otherwise as send().
        """
        return confirm(self, self, message, at, late, timeout)

    def transaction(
        self,
        at: SupportsIndex | None = None,
        *,
        late: Literal["apply", "drop"] = "apply",
        timeout: float | None = None,
        confirm: bool = False,
    ) -> Transaction:
        """Return a ``with`` whose messages go in whole as it ends, or not at all, and apply in one block at one frame.

        Raises Full at the end of the ``with`` when they do not fit, within the timeout if there is one. With
        ``confirm``, its ``confirmation`` tells what became of it. Otherwise as send().
        """
        return Transaction(self, self, at, late, timeout, confirm)

    def messages(self) -> Iterator[_core.Message]:
        """Iterate over the messages that have come, and end: at most a ring full of them."""
        for _ in range(_core.RING_CAPACITY):
            message = self.receive_msg()
            if message is None:
                return
            yield message

    def render(self, frames: int) -> npt.NDArray[np.float32]:
        """Run the blocks for so many frames now, on this thread, and return the audio.

        For the offline device. Returns a float32 array of shape (frames, channels), full scale -1 to 1. Each
        call begins a block; the last one is shorter where ``frames`` is not a multiple of the block size.
        Raises DeviceError on other devices, while another render() runs, or when stop() ends it;
        ArgumentError, ArgumentTypeError, ClosedError, ForkedError.
        """
        import numpy as np  # only here: it takes longer to import than all the rest

        self._require_offline()
        count = checked_integer("frames", frames)
        if not 0 <= count <= _MAX_FRAMES:
            raise ArgumentError(f"frames must be from 0 to {_MAX_FRAMES}, got {count}")
        audio = np.empty((count, self.channels), np.float32)
        self._render_into(audio)
        return audio

    def stats(self) -> Stats:
        """Return the engine's counters, live; of a closed engine, its last. Raises ForkedError."""
        now = self._stats()
        return Stats(
            device=self.device,
            samplerate=self.samplerate,
            blocksize=self.blocksize,
            channels=self.channels,
            blocks=now.blocks,
            frames=now.frames,
            unhandled=now.unhandled,
            xruns=now.xruns,
            missed_blocks=now.missed_blocks,
            load_mean=now.load_mean,
            load_peak=now.load_peak,
            realtime_priority=now.realtime_priority,
            memory_locked=now.memory_locked,
            commands=ring_stats(now.commands),
            events=ring_stats(now.events),
            confirmations=ring_stats(now.confirmations),
            cues=CueStats(
                pending=now.cues.pending,
                late=now.cues.late,
                dropped_late=now.cues.dropped_late,
                refused=now.cues.refused,
                cancelled=now.cues.cancelled,
            ),
            buffers=BufferStats(
                in_use=now.buffers.in_use,
                limit=_core.MAX_BUFFERS,
                published=now.buffers.published,
                refused=now.buffers.refused,
                bytes=now.buffers.bytes,
                memory_locked=now.buffers.memory_locked,
            ),
        )
