"""The calls of the Python API, each with hostile values in some of its arguments and good ones in the others."""

from __future__ import annotations

import asyncio
import copy
import operator
import pickle
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
from hostile_values import Arrays, Hostile, Meddles, Numbers

import cueline

T = TypeVar("T")

LONGEST_S = 0.002  # a wait
LONGEST_FRAMES = 10_000  # a render
LONGEST_BUFFER_S = 1  # of a stream: its pages are locked


class Chance(Protocol):
    """Where the choices come from: a seed, or Hypothesis."""

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options."""

    def hostile(self) -> Any:
        """Return a hostile value."""


class World:
    """Engines, lines, messages and arrays, for the calls to spoil."""

    def __init__(self, *, shared: bool = False) -> None:
        self._shared = shared  # by threads
        self.tone = cueline.AudioEngine("offline", processor="tone", blocksize=64)
        self.player = cueline.AudioEngine("offline", processor="player", inputs=1, outputs=1)
        self.running = cueline.AudioEngine("null", processor="tone", blocksize=64)
        self.running.start()
        self.closed = cueline.AudioEngine("offline")
        self.closed.close()
        self.engines = (self.tone, self.player, self.running, self.closed)
        closed_line = self.tone.open_line()
        closed_line.close()
        self.lines = (self.tone.open_line(), self.running.open_line(), closed_line)
        self.senders = (*self.engines, *self.lines)
        self.confirmations = [self.tone.confirm(cueline.SetTone(440, 0.1)), self.running.confirm(cueline.GetLevel())]
        self.confirmations.append(self.tone.confirm(cueline.GetLevel(), at=10**12))
        self.playbacks = [
            self.tone.open_playback(buffer_seconds=0.01),
            self.running.open_playback(buffer_seconds=0.01, samplerate=24_000),
            self.player.open_playback(start=False),
        ]
        self.recordings = [
            self.player.open_recording(buffer_seconds=0.01),
            self.running.open_recording(source="outputs", buffer_seconds=0.01),
            self.running.open_recording(source="outputs", samplerate=16_000),
        ]
        self.voices = [self.player.play(0, loop=True), self.player.play(np.zeros(9)), self.player.play(0, at=10**12)]
        self.messages = (cueline.SetTone(440, 0.1), cueline.PlayBuffer(0), Numbers(1, 2, 3, 4, 5, True))
        self._loops: dict[int, asyncio.AbstractEventLoop] = {}  # by thread

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop of this thread."""
        thread = threading.get_ident()
        if thread not in self._loops:
            self._loops[thread] = asyncio.new_event_loop()
        return self._loops[thread]

    def stop(self, engine: cueline.AudioEngine) -> None:
        """Stop an engine. If threads share it, start it again: one may wait in record(), which has no timeout."""
        try:
            engine.stop()
        finally:
            if self._shared:
                engine.start()

    def close(self) -> None:
        for engine in self.engines:
            engine.close()
        for loop in self._loops.values():
            loop.close()

    def meddling(self, chance: Chance) -> Meddles:
        """Return a value that does something to an engine while a call converts it to a number."""
        engine, line = chance.pick(self.engines), chance.pick(self.lines)
        playback, recording = chance.pick(self.playbacks), chance.pick(self.recordings)
        acts: list[Callable[[], object]] = [engine.close, line.close, engine.ping, engine.stats]
        acts += [playback.close, playback.clear, recording.close, lambda: recording.try_read(9)]
        acts += [
            lambda: self.stop(engine),
            engine.receive_msg,
            engine.cancel_all,
            lambda: engine.publish(0, None),
            lambda: list(engine.messages()),
        ]

        act = chance.pick(acts)

        def meddle() -> None:
            with suppress(cueline.Error):
                act()

        return Meddles(meddle)


# What a good value is, by the name of the argument.
GOOD: dict[str, Callable[[World, Chance], Any]] = {
    "message": lambda world, chance: chance.pick(world.messages),
    "at": lambda world, chance: chance.pick((None, 0, 100, world.tone.now() + 500)),
    "late": lambda _, chance: chance.pick(("apply", "drop")),
    "timeout": lambda *_: 0,
    "confirm": lambda _, chance: chance.pick((True, False)),
    "frames": lambda _, chance: chance.pick((0, 1, 64, 500)),
    "slot": lambda *_: 0,
    "array": lambda _, chance: chance.pick((np.zeros(9, np.float32), np.zeros(3, cueline.dtype(cueline.SetTone)))),
    "records": lambda *_: np.zeros(3, cueline.dtype(cueline.SetTone)),
    "max": lambda *_: 10,
    "sequence": lambda *_: 1,
    "monotonic_ns": lambda *_: 10**9,
    "frame": lambda *_: 100,
    "engine": lambda world, chance: chance.pick(world.engines),
    "device": lambda *_: "offline",
    "processor": lambda _, chance: chance.pick((None, "tone", "player", "passthrough")),
    "samplerate": lambda *_: 48_000,
    "blocksize": lambda *_: 64,
    "inputs": lambda *_: 1,
    "outputs": lambda *_: 2,
    "loopback": lambda *_: False,
    "audio": lambda _, chance: chance.pick((None, np.zeros((9, 1), np.float32))),
    "budget": lambda *_: 256,
    "lines": lambda _, chance: chance.pick((1, 9, 64)),
    "events": lambda _, chance: chance.pick(("own", "all")),
    "index": lambda _, chance: chance.pick((0, -1, slice(None), slice(None, None, -1), slice(9, 2))),
    "client_name": lambda *_: None,
    "server": lambda *_: None,
    "connect": lambda *_: None,
    "latency": lambda *_: None,
    "kind": lambda _, chance: chance.pick((300, 60_001, 64)),
    "payload": lambda *_: b"abc",
    "cls": lambda _, chance: chance.pick((cueline.SetTone, Numbers, Arrays)),
    "scalar": lambda *_: cueline.u8,
    "count": lambda *_: 4,
    "refused": lambda *_: cueline.Refused(0, cueline.Reason.LATE),
    "name": lambda _, chance: chance.pick(("gain", "level", "frequency")),
    "value": lambda *_: 0.5,
    "render": lambda *_: None,
    "handle": lambda *_: None,
    "parameters": lambda *_: (),
    "meters": lambda *_: (),
    "state": lambda *_: None,
    "samples": lambda _, chance: chance.pick((np.zeros(9, np.float32), np.ones((3, 1), np.int16), bytes(8))),
    "last": lambda _, chance: chance.pick((True, False)),
    "gaps": lambda _, chance: chance.pick(("zeros", "split")),
    "duration": lambda *_: 0.001,
    "seconds": lambda *_: 0.001,
    "buffer_seconds": lambda *_: 0.01,
    "channels": lambda *_: 1,
    "source": lambda _, chance: chance.pick(("inputs", "outputs")),
    "stream": lambda *_: None,
    "start": lambda _, chance: chance.pick((True, False)),
    "playback": lambda world, chance: chance.pick(world.playbacks),
    "sound": lambda _, chance: chance.pick((0, 127, np.zeros(9, np.float32), np.ones((3, 2), np.int16))),
    "gain": lambda *_: 0.5,
    "pan": lambda *_: -0.5,
    "rate": lambda _, chance: chance.pick((0.5, 1, 3)),
    "loop": lambda _, chance: chance.pick((None, True, False, (0, 4), (2, None))),
    "choke_group": lambda *_: 1,
}


class Call(NamedTuple):
    """A call: how to find the function, and the names of its arguments. Those of ``options`` may be left out."""

    name: str
    function: Callable[[World, Chance], Callable[..., Any]]
    arguments: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    also: tuple[type[BaseException], ...] = ()
    """What it may raise beside cueline's errors."""


def _method(of: str, name: str, arguments: str = "", options: str = "") -> Call:
    def function(world: World, chance: Chance) -> Callable[..., Any]:
        return getattr(chance.pick(getattr(world, of)), name)  # type: ignore[no-any-return]

    return Call(f"{of}.{name}", function, tuple(arguments.split()), tuple(options.split()))


def _await(of: str, name: str, arguments: str = "", options: str = "") -> Call:
    def function(world: World, chance: Chance) -> Callable[..., Any]:
        method = getattr(chance.pick(getattr(world, of)), name)
        return lambda *given, **named: world.loop.run_until_complete(method(*given, **named))

    return Call(f"await {of}.{name}", function, tuple(arguments.split()), tuple(options.split()))


def _plain(name: str, function: Callable[..., Any], arguments: str = "", options: str = "", **also: Any) -> Call:
    return Call(name, lambda *_: function, tuple(arguments.split()), tuple(options.split()), **also)


def _on(name: str, function: Callable[..., Any], arguments: str) -> Call:
    """Return a call whose function gets an engine first."""
    return Call(name, lambda world, chance: partial(function, chance.pick(world.engines)), tuple(arguments.split()))


def _transact(engine: Any, messages: Iterable[object], **options: Any) -> None:
    with engine.transaction(**options) as transaction:
        for message in messages:
            transaction.send(message)


def _transaction(world: World, chance: Chance) -> Callable[..., Any]:
    sender = chance.pick(world.senders)
    return lambda message, **options: _transact(sender, [message] * chance.pick((1, 2, 300)), **options)


def _made(world: World, chance: Chance) -> Callable[..., Any]:
    """Return a message class, to be called with a number of hostile values that may be right."""
    cls, count = chance.pick(
        ((cueline.SetTone, 2), (cueline.PlayBuffer, 11), (cueline.SetVoice, 7), (Numbers, 6), (Arrays, 3))
    )
    fields = [chance.pick((1, 0.5, chance.hostile())) for _ in range(count)]
    fields[chance.pick(range(count))] = world.meddling(chance) if chance.pick(range(8)) == 0 else chance.hostile()
    return lambda: cls(*fields)


def _defined(_: World, chance: Chance) -> Callable[..., Any]:
    """Return the definition of a message class with hostile fields."""
    hints = {name: chance.pick((cueline.u8, cueline.f32, bool, chance.hostile())) for name in ("a", "b", "c")}
    members = {"__annotations__": hints, "__module__": __name__, "b": chance.hostile()}
    return lambda kind: cueline.message(kind)(type("Defined", (), members))


def _compared(world: World, chance: Chance) -> Callable[..., Any]:
    act = chance.pick((operator.eq, operator.ne))
    return lambda value: act(chance.pick(world.messages), value)


def _copied(world: World, chance: Chance) -> Callable[..., Any]:
    thing = chance.pick((*world.messages, *world.engines, world.tone.parameters, world.tone.stats()))
    act = chance.pick((copy.copy, copy.deepcopy, pickle.dumps, repr, str, hash, dir, bool, len))
    return lambda: act(thing)


def _each(world: World, chance: Chance) -> Callable[..., Any]:
    engine = chance.pick(world.engines)
    return lambda: [(name, engine.parameters.spec(name), engine.meters) for name in engine.parameters]


def _blocks(world: World, chance: Chance) -> Callable[..., Any]:
    recording = chance.pick(world.recordings)

    def blocks(frames: Any, duration: Any, **options: Any) -> Any:
        result = recording.blocks(frames, duration=duration, **options)
        for engine in world.engines:  # else it would wait for one that was stopped
            with suppress(cueline.Error):
                engine.start()
        return result

    return blocks


def _stop(world: World, chance: Chance) -> Callable[..., Any]:
    return partial(world.stop, chance.pick(world.engines))


def _record(world: World, chance: Chance) -> Callable[..., Any]:
    engine = chance.pick(world.engines)
    with suppress(cueline.Error):  # else it would wait for one that was stopped
        engine.start()
    return engine.record


def _lent(world: World, chance: Chance) -> Callable[..., Any]:
    """Return a call that lends frames of a stream, and changes those of a playback."""

    def lend(frames: Any, **options: Any) -> None:
        stream = chance.pick((*world.playbacks, *world.recordings))
        if isinstance(stream, cueline.Playback):
            with stream.room(frames, **options) as samples:
                samples[:] = 0.5
        else:
            with stream.view(frames, **options) as block:
                block.samples.sum()

    return lend


def _attribute_set(world: World, chance: Chance) -> Callable[..., Any]:
    thing = chance.pick((*world.senders, *world.messages, world.tone.parameters, world.tone.meters))
    name = chance.pick(("gain", "kind", "number", "closed", "_made_up", "device", "__class__", "\udc80"))
    return lambda value: setattr(thing, name, value)


_SEND = ("message", "at late timeout")
_ENGINE = "processor samplerate blocksize inputs outputs budget lines client_name server connect latency loopback"

CALLS: list[Call] = [
    *(_method("senders", "send", *_SEND) for _ in range(4)),
    *(_method("senders", "confirm", *_SEND) for _ in range(2)),
    *(_method("senders", "send_many", "records", "late timeout") for _ in range(2)),
    *(Call("senders.transaction", _transaction, ("message",), ("at", "late", "timeout", "confirm")) for _ in range(2)),
    *(Call("message(...)", _made) for _ in range(6)),
    *(_method("playbacks", "write", "samples timeout", "last") for _ in range(2)),
    _method("playbacks", "try_write", "samples", "last"),
    _await("playbacks", "awrite", "samples timeout", "last"),
    *(_method("engines", "play", "sound", "at gain pan rate start loop choke_group samplerate late timeout")
      for _ in range(2)),
    _method("voices", "set", "", "gain pan rate loop at late timeout"),
    _method("voices", "stop", "", "at late timeout"),
    _method("voices", "wait", "timeout"),
    _method("voices", "done"),
    _method("playbacks", "clear", "", "at late timeout"),
    _method("playbacks", "drain", "timeout"),
    _method("playbacks", "position"),
    _method("playbacks", "heard"),
    _method("playbacks", "start", "", "at late timeout"),
    _method("playbacks", "stop", "", "at late timeout"),
    _method("playbacks", "close"),
    *(_method("recordings", "read", "frames timeout") for _ in range(2)),
    _method("recordings", "try_read", "frames"),
    _await("recordings", "aread", "frames timeout"),
    Call("recordings.blocks", _blocks, ("frames", "duration"), ("gaps",)),
    Call("room(), view()", _lent, ("frames", "timeout")),
    _method("recordings", "frame_of", "playback frame"),
    _method("recordings", "position"),
    _method("recordings", "start", "", "at late timeout"),
    _method("recordings", "stop", "", "at late timeout"),
    _method("recordings", "close"),
    Call("engines.record", _record, ("seconds",), ("source", "samplerate")),
    _method("engines", "open_playback", "", "channels buffer_seconds samplerate stream start at"),
    _method("engines", "open_recording", "", "source channels buffer_seconds samplerate start at"),
    *(_on("parameters[] =", lambda of, name, value: operator.setitem(of.parameters, name, value), "name value")
      for _ in range(3)),
    _await("senders", "asend", "message timeout", "at late"),
    _await("senders", "areceive", "timeout"),
    _await("senders", "areceive", "cls timeout"),
    _method("senders", "cancel", "sequence"),
    _method("senders", "cancel_all"),
    _method("senders", "ping"),
    _method("senders", "receive", "timeout"),
    _method("senders", "receive", "cls timeout"),
    _method("senders", "request", "message cls timeout", "at late"),
    _method("senders", "receive_msg"),
    _method("senders", "receive_many", "", "max"),
    _method("senders", "messages"),
    _method("engines", "publish", "slot array", "at late"),
    _method("engines", "publish", "slot array"),
    _method("engines", "render", "frames", "audio"),
    _method("engines", "render", "frames"),
    _method("engines", "frame_at", "monotonic_ns"),
    _method("engines", "time_at", "frame"),
    _method("engines", "now"),
    _method("engines", "stats"),
    _method("engines", "worst_case"),
    Call("engines.stop", _stop),
    _method("engines", "start"),
    _method("engines", "open_line", "", "events"),
    _method("lines", "close"),
    _method("lines", "stats"),
    _method("confirmations", "done"),
    _method("confirmations", "cancel"),
    _method("confirmations", "result", "timeout"),
    _plain("AudioEngine()", lambda device, **given: cueline.AudioEngine(device, **given).close(), "device", _ENGINE),
    _plain("Line()", cueline.Line, "engine", "events"),
    _plain("Parameters()", cueline.Parameters, "engine"),
    _plain("Meters()", cueline.Meters, "engine"),
    _plain("Message()", cueline.Message, "kind", "payload"),
    Call("@message()", _defined, ("kind",)),
    _plain("array()", cueline.array, "scalar count"),
    _plain("dtype()", cueline.dtype, "", "cls"),
    _plain("select()", cueline.select, "records cls"),
    _plain("RefusedError()", cueline.RefusedError, "refused"),
    _plain("cfunc_processor()", cueline.cfunc_processor, "render", "handle state parameters meters name"),
    _on("parameters[]", lambda of, name: of.parameters[name], "name"),
    _on("parameters.spec()", lambda of, name: of.parameters.spec(name), "name"),
    _on("parameters.update()", lambda of, value: of.parameters.update(gain=value), "value"),
    _on("parameters.array() =", lambda of, name, value: operator.setitem(of.parameters.array(name), slice(None), value),
        "name value"),
    _on("parameters.array()[] =", lambda of, index, value: operator.setitem(of.parameters.array("gain"), index, value),
        "index value"),
    _on("parameters.array()[]", lambda of, index: of.parameters.array("gain")[index], "index"),
    _on("meters.array()", lambda of, name: of.meters.array(name), "name"),
    _on("meters[]", lambda of, name: of.meters[name], "name"),
    _on("meters.read()", lambda of, name: of.meters.read(name), "name"),
    _on("in", lambda of, name: (name in of.parameters, name in of.meters), "name"),
    Call("message ==", _compared, ("value",), also=(TypeError, ValueError)),  # NumPy's own, of its arrays
    Call("copy, pickle, repr", _copied, also=(TypeError,)),  # Python's own, for an engine without len() and the like
    Call("parameters", _each),
    Call("attribute =", _attribute_set, ("value",), also=(AttributeError, TypeError)),
]  # fmt: skip


def prepared(call: Call, world: World, chance: Chance) -> tuple[Callable[..., Any], dict[str, Any]]:
    """Return the function of a call, and its arguments."""
    given = {}
    for name in (*call.arguments, *call.options):
        if name in call.options and chance.pick((True, False)):
            continue
        value = GOOD[name](world, chance)
        if chance.pick(range(3)) == 0:
            value = world.meddling(chance) if chance.pick(range(10)) == 0 else chance.hostile()
            if _takes_long(call, name, value):
                value = GOOD[name](world, chance)
        given[name] = value
    return call.function(world, chance), given


def _takes_long(call: Call, name: str, value: Any) -> bool:
    """Return whether a call with this value may take long, as it should."""
    if name in ("timeout", "duration") and value is None:
        return True  # it waits, or goes on, without end
    if name == "device" and (value is None or not isinstance(value, str)):
        return call.name == "AudioEngine()" and isinstance(value, int | np.integer | type(None))  # it asks PortAudio
    try:
        if name in ("timeout", "duration", "seconds"):
            return float(value) > LONGEST_S
        if name == "buffer_seconds":
            return float(value) > LONGEST_BUFFER_S
        return name == "frames" and LONGEST_FRAMES < operator.index(value) < 2**31
    except OverflowError:
        return True
    except BaseException:
        return False


def made(call: Call, function: Callable[..., Any], given: Mapping[str, Any]) -> tuple[bool, BaseException | None]:
    """Make the call. Return whether it was refused, and what it raised and should not have raised."""
    named = {name: value for name, value in given.items() if name in call.options or name == "timeout"}
    placed = [value for name, value in given.items() if name not in named]
    try:
        result = function(*placed, **named)
        if hasattr(result, "__next__"):
            list(result)
    except (cueline.Error, Hostile, MemoryError, *call.also):
        return True, None
    except Exception as error:
        return False, error
    return False, None
