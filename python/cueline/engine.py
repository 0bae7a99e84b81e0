"""AudioEngine: what Python sees of an engine, a thin face on cueline._core."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn

from cueline import _core
from cueline.arguments import (
    checked_device,
    checked_integer,
    checked_latency,
    checked_name,
    checked_number,
    checked_timeout,
)
from cueline.errors import ArgumentError, ArgumentTypeError, Empty
from cueline.meters import Meters
from cueline.parameters import Parameters

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from typing_extensions import Self

__all__ = ["AudioEngine", "RingStats", "Stats"]

_SHORTEST_SLEEP_S = 0.0001
_LONGEST_SLEEP_S = 0.02  # so that a close() is soon noticed, however long the blocks are
_MOST_FRAMES = 2**31 - 1  # of one render: twelve hours at 48 kHz


@dataclass(frozen=True)
class RingStats:
    """How one ring fared since the engine was made."""

    sent: int
    """Messages that it accepted."""
    dropped: int
    """Messages that it refused, being full."""
    high_water: int
    """Most that waited at a block's boundary; the ring's capacity once one was refused."""


@dataclass(frozen=True)
class Stats:
    """How an engine fares. Each number is a snapshot of its own, taken while the audio goes on."""

    device: str
    samplerate: int
    """Frames a second."""
    blocksize: int
    """Frames in a block."""
    channels: int
    blocks: int
    frames: int
    unhandled: int
    """Commands of a kind that nobody knew."""
    xruns: int
    """Times the device missed its beat."""
    missed_blocks: int
    """Blocks left out by them."""
    load_mean: float
    """Time the callback took, as a fraction of the block: mean."""
    load_peak: float
    """The most of it in any one block."""
    realtime_priority: bool
    """Whether the audio thread was granted it."""
    memory_locked: bool
    """Whether the memory of the engine and its device was locked (a processor's own is its own matter)."""
    commands: RingStats
    events: RingStats


class AudioEngine(_core.Engine):
    """An audio engine, and the line to it.

    ``device`` is ``"jack"`` (a client of the JACK server, so PipeWire's too), ``"portaudio"`` (its default output
    device), a PortAudio device by number or by words of its name and host API, ``"null"`` (a clocked thread without
    a sound card), ``"offline"`` (renders when told to), or None: JACK when a server runs, else PortAudio's default
    device, else null. ``cueline.devices()`` lists them.

    ``processor`` is what renders: ``"silence"`` (None too), or ``"tone"``, a sine that ``set_tone`` sets.

    ``samplerate`` is in frames a second (1000 to 768000), ``blocksize`` in frames (1 to 8192); left out, they are the
    device's own. ``channels`` 1 to 64, ``budget`` the most messages the audio thread reads in a block (1 to 1024).
    JACK: ``client_name``, ``server`` by name, ``connect`` (True: to the physical ports; False: to none; a regular
    expression: to the input ports that match). PortAudio: ``latency``, ``"low"``, ``"high"`` or in seconds.

    Raises ArgumentError, ArgumentTypeError, DeviceError.

    As a context manager it starts, and closes at the end. Any Python thread may use it, a signal handler and
    ``__del__`` too; a forked child may not.
    """

    _made = False  # an instance that its constructor refused has no engine to ask

    def __init__(
        self,
        device: str | int | None = None,
        *,
        processor: str | None = None,
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
            checked_name("processor", processor) or "silence",
        )
        self._parameters = Parameters(self._shared())
        self._meters = Meters(self._shared())
        self._made = True
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

    def set_tone(self, *, frequency: float | None = None, gain: float | None = None) -> _core.Status:
        """Set the tone processor's sine: its frequency in Hz (0 to half the sample rate), its gain (0 to 1).

        What is left out stays as it is. The tone takes 20 ms to get there, so that nothing clicks. Never blocks.
        Returns Status.FULL when the command ring is full: it is dropped and counted. Raises ArgumentError,
        ArgumentTypeError, ProcessorError with another processor, ClosedError, ForkedError, DeviceError.
        """
        if frequency is None and gain is None:
            raise ArgumentError("set_tone() needs a frequency, a gain, or both, got neither")
        return self._set_tone(
            math.nan if frequency is None else checked_number("frequency", frequency, self.samplerate / 2, "Hz"),
            math.nan if gain is None else checked_number("gain", gain, 1),
        )

    def receive(self, timeout: float | None = None) -> _core.Message:
        """Wait for a message and return it; without a timeout, for ever. Ctrl-C ends the wait.

        It looks every half block, every 20 ms at least, and sleeps without the GIL in between: the audio
        thread wakes nobody.
        ``timeout`` is in seconds; 0 looks once. Raises Empty (a queue.Empty) when it is over, ClosedError,
        ForkedError, ArgumentError, ArgumentTypeError.
        """
        nap = min(max(self.blocksize / self.samplerate / 2, _SHORTEST_SLEEP_S), _LONGEST_SLEEP_S)
        deadline = None if timeout is None else time.monotonic() + checked_timeout(timeout)
        while (message := self.receive_msg()) is None:
            if deadline is None:
                time.sleep(nap)
            elif (left := deadline - time.monotonic()) > 0:
                time.sleep(min(nap, left))
            else:
                raise Empty(f"no message within {timeout} s")
        return message

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
        if not 0 <= count <= _MOST_FRAMES:
            raise ArgumentError(f"frames must be from 0 to {_MOST_FRAMES}, got {count}")
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
            commands=_ring_stats(now.commands),
            events=_ring_stats(now.events),
        )


def _ring_stats(counts: _core.RingCounts) -> RingStats:
    return RingStats(sent=counts.sent, dropped=counts.dropped, high_water=counts.high_water)
