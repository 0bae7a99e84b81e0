"""AudioEngine: start to close, arguments, errors, receiving, rendering, counters."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import pickle
import queue
import re
import signal
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import cueline
from conftest import eventually, fill
from cueline import Status, errors
from cueline.notebook import table

# --- Life


@pytest.mark.parametrize("device", ["null", "offline"])
@pytest.mark.parametrize(
    "calls",
    [
        ["start", "start", "stop", "stop", "close", "close"],
        ["stop", "start", "stop"],
        ["close"],
        ["close", "stop", "close"],
        ["start", "close", "stop"],
        [],
    ],
)
def test_start_stop_close_come_in_any_order_and_twice(device: str, calls: list[str]) -> None:
    engine = cueline.AudioEngine(device)
    for call in calls:
        getattr(engine, call)()


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"latency": "low"}, "latency"),
        ({"server": "a", "connect": False, "client_name": "b"}, "client_name, server, connect"),
    ],
)
def test_options_of_another_device_than_the_one_that_was_found_are_told(options: dict[str, Any], names: str) -> None:
    with pytest.warns(
        RuntimeWarning, match=rf"^{names} had no effect: this engine runs on 'null', .* was found\."
    ) as told:
        cueline.AudioEngine(**options).close()
    assert [one.filename for one in told if "had no effect" in str(one.message)] == [__file__]


def test_the_default_device_is_null_and_a_warning_says_why() -> None:
    expected = (
        r"this engine is silent: .*jack: (no JACK server runs here|the library \S+ is missing)"
        r".*portaudio: (PortAudio has no output device|the library \S+ is missing)"
    )
    with pytest.warns(RuntimeWarning, match=expected) as warned:
        engine = cueline.AudioEngine()
    assert [warning.filename for warning in warned] == [__file__]
    with engine:
        assert engine.device == "null"
        assert engine.stats().device == "null"


def test_what_is_sent_before_start_is_answered_after() -> None:
    with cueline.AudioEngine("null") as engine:
        engine.stop()
        engine.ping()
        assert engine.receive_msg() is None
        engine.start()
        assert engine.receive(timeout=10).sequence == 1


@pytest.mark.parametrize(
    "use",
    [
        lambda engine: engine.ping(),
        lambda engine: engine.receive_msg(),
        lambda engine: engine.receive(),
        lambda engine: list(engine.messages()),
        lambda engine: engine.start(),
        lambda engine: engine.render(64),
        lambda engine: engine.__enter__(),
    ],
)
def test_a_closed_engine_says_so(offline: cueline.AudioEngine, use: Callable[[cueline.AudioEngine], object]) -> None:
    offline.close()
    with pytest.raises(cueline.ClosedError, match=r"^this engine is closed: make a new one$"):
        use(offline)


def test_what_came_before_a_close_can_still_be_had(offline: cueline.AudioEngine) -> None:
    for _ in range(3):
        offline.ping()
    offline.render(64)
    offline.close()
    first = offline.receive_msg()
    assert first is not None
    assert first.sequence == 1
    assert offline.receive(timeout=0).sequence == 2
    assert [int(sequence) for sequence in offline.receive_many()["sequence"]] == [3]
    for receive in (offline.receive_msg, offline.receive, offline.receive_many):
        with pytest.raises(cueline.ClosedError, match="this engine is closed: make a new one"):
            receive()


def test_a_closed_engine_still_has_its_counters(running: cueline.AudioEngine) -> None:
    running.ping()
    running.receive(timeout=10)
    running.close()
    assert running.closed
    assert running.stats().events.sent == 1


def at_first_nap(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> list[float]:
    """Call ``act`` before the first sleep of a receive(). Return a list to which each sleep adds its seconds."""
    naps: list[float] = []

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 1:
            act()
        time.sleep(seconds)

    monkeypatch.setattr("cueline.receiving.time", SimpleNamespace(sleep=sleep))
    return naps


def test_closing_ends_a_wait_in_another_thread(monkeypatch: pytest.MonkeyPatch, running: cueline.AudioEngine) -> None:
    outcome: queue.SimpleQueue[BaseException] = queue.SimpleQueue()

    def wait() -> None:
        try:
            running.receive()
        except cueline.ClosedError as error:
            outcome.put(error)

    waits = threading.Event()
    at_first_nap(monkeypatch, waits.set)
    thread = threading.Thread(target=wait)
    thread.start()
    assert waits.wait(60)
    running.close()
    thread.join(60)
    assert not thread.is_alive()
    assert isinstance(outcome.get(), cueline.ClosedError)


def test_its_repr_says_what_it_is(offline: cueline.AudioEngine) -> None:
    assert repr(offline) == "<cueline.AudioEngine on 'offline': 48000 Hz, 0 inputs, 2 outputs, blocks of 64 frames>"
    offline.stop()
    assert (
        repr(offline)
        == "<cueline.AudioEngine on 'offline': 48000 Hz, 0 inputs, 2 outputs, blocks of 64 frames, stopped>"
    )
    offline.close()
    assert (
        repr(offline)
        == "<cueline.AudioEngine on 'offline': 48000 Hz, 0 inputs, 2 outputs, blocks of 64 frames, closed>"
    )


NEVER_STARTED = "the engine was never started: use it in a 'with', or call start()"
STOPPED = "the engine is stopped: call start()"


@pytest.mark.parametrize(
    ("stopped", "state", "why"), [(False, "not started", NEVER_STARTED), (True, "stopped", STOPPED)]
)
def test_an_engine_that_does_not_run_says_so(stopped: bool, state: str, why: str) -> None:
    engine = cueline.AudioEngine("null", processor="tone")
    if stopped:
        engine.start()
        engine.stop()
    assert repr(engine).endswith(f", {state}>")
    confirmation = engine.confirm(cueline.GetLevel())
    assert repr(confirmation) == f"<cueline.Confirmation of command 1: under way: {why}>"
    with pytest.raises(cueline.ConfirmationTimeout, match=rf" within 0 s: {re.escape(why)}$"):
        confirmation.result(0)
    with pytest.raises(cueline.Empty, match=rf"^no message within 0 s: {re.escape(why)}$"):
        engine.receive(timeout=0)
    with pytest.raises(cueline.Empty, match=rf"^no message within 0 s: {re.escape(why)}$"):
        asyncio.run(engine.areceive(timeout=0))
    fill(engine)
    with pytest.raises(cueline.Full, match=rf" with 1024 commands: {re.escape(why)}$"):
        engine.confirm(cueline.GetLevel())
    engine.start()
    assert repr(engine).endswith(" frames>")
    assert repr(confirmation) != f"<cueline.Confirmation of command 1: under way: {why}>"
    engine.stats()
    engine.close()


def test_an_offline_engine_says_that_only_render_makes_blocks(offline: cueline.AudioEngine) -> None:
    with pytest.raises(
        cueline.Empty, match=r"^no message within 0 s: the offline device makes blocks only in render\(\)$"
    ):
        offline.receive(timeout=0)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("frequency", "'frequency' is no attribute of an engine: use engine.parameters['frequency']"),
        ("level", "'level' is no attribute of an engine: use engine.meters['level']"),
        (
            "colour",
            "'colour' is no attribute of an engine, and no parameter of its processor, which has 'frequency', 'gain': "
            "to add attributes of your own to an engine, derive a class from AudioEngine",
        ),
    ],
)
def test_an_attribute_that_it_does_not_have_is_refused_with_the_way_to_the_parameter(name: str, text: str) -> None:
    with cueline.AudioEngine("offline", processor="tone") as engine:
        with pytest.raises(AttributeError) as refused:
            setattr(engine, name, 330)
        assert str(refused.value) == text
        assert not hasattr(engine, name)


@pytest.mark.parametrize("name", ["ping", "close", "parameters"])
def test_an_attribute_that_it_has_cannot_be_set(offline: cueline.AudioEngine, name: str) -> None:
    with pytest.raises(AttributeError, match=f"^'{name}' of an engine cannot be set: to replace it, derive a class"):
        setattr(offline, name, None)
    assert getattr(offline, name) is not None


@pytest.mark.parametrize("name", ["device", "processor", "samplerate", "blocksize", "inputs", "outputs"])
def test_what_an_engine_was_made_with_is_chosen_once(offline: cueline.AudioEngine, name: str) -> None:
    before = getattr(offline, name)
    with pytest.raises(AttributeError, match=f"^'{name}' of an engine is chosen when it is made: make another engine$"):
        setattr(offline, name, before)
    assert getattr(offline, name) == before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ping", "'ping' of a line cannot be set: to replace it, derive a class from Line"),
        ("number", "'number' of a line cannot be set: to replace it, derive a class from Line"),
        ("foo", "'foo' is no attribute of a line: to add attributes of your own to a line, derive a class from Line"),
    ],
)
def test_no_attribute_of_a_line_can_be_set(offline: cueline.AudioEngine, name: str, text: str) -> None:
    with offline.open_line() as line, pytest.raises(AttributeError) as refused:
        setattr(line, name, None)
    assert str(refused.value) == text


def test_a_class_of_the_users_has_the_attributes_that_it_likes() -> None:
    class Synth(cueline.AudioEngine):
        pass

    class Voice(cueline.Line):
        pass

    with Synth("offline", processor="tone") as engine, Voice(engine) as line:
        for one in (engine, line):
            one.colour = "red"  # type: ignore[union-attr]
            one.ping = lambda: "pong"  # type: ignore[method-assign]
            assert (one.colour, one.ping()) == ("red", "pong")  # type: ignore[union-attr]


def test_one_that_was_refused_has_a_repr_too() -> None:
    """Tracebacks print it."""
    assert repr(cueline.AudioEngine.__new__(cueline.AudioEngine)) == "<cueline.AudioEngine, never made>"
    cueline.AudioEngine.__new__(cueline.AudioEngine).close()  # as a __del__ does after a constructor that raised


class Kept(cueline.AudioEngine):
    """Keeps itself although its constructor raises."""

    def __init__(self) -> None:
        kept.append(self)
        super().__init__("offline", outputs=0)


kept: list[cueline.AudioEngine] = []


def failed_engine() -> cueline.AudioEngine:
    with pytest.raises(cueline.ArgumentError, match="outputs"):
        Kept()
    return kept.pop()


UNMADE: dict[str, Callable[[], Any]] = {
    "an engine that was never made": lambda: cueline.AudioEngine.__new__(cueline.AudioEngine),
    "an engine whose constructor raised": failed_engine,
    "a line that was never made": lambda: cueline.Line.__new__(cueline.Line),
}
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "after": (1,),
    "asend": (cueline.GetLevel(),),
    "cancel": (1,),
    "confirm": (cueline.GetLevel(),),
    "frame_at": (1,),
    "load": (0, "a.wav"),
    "load_buffer": ([0.5],),
    "part": ("drums",),
    "play": (0,),
    "publish": (0, None),
    "record": (1,),
    "render": (64,),
    "request": (cueline.GetLevel(), cueline.Level),
    "send": (cueline.GetLevel(),),
    "send_many": (np.zeros(1, cueline.dtype(cueline.GetLevel)),),
    "sequence": ([(0, cueline.GetLevel())],),
    "time_at": (1,),
    "wait_until": (1,),
}


@pytest.mark.parametrize("kind", UNMADE)
def test_one_that_was_never_made_says_so(kind: str) -> None:
    unmade = UNMADE[kind]()

    def use(name: str) -> None:
        used = getattr(unmade, name)
        if callable(used):
            used = used(*ARGUMENTS.get(name, ()))
        if name in ("asend", "areceive"):
            asyncio.run(used)
        if name == "messages":
            list(used)
        if name == "transaction":
            with used:
                used.send(cueline.GetLevel())

    names = {name for name in dir(unmade) if not name.startswith("_")}
    for name in sorted(names - ({"close"} if isinstance(unmade, cueline.AudioEngine) else set())):
        with pytest.raises(cueline.ClosedError, match="this object was never made"):
            use(name)
    if isinstance(unmade, cueline.AudioEngine):
        for make in (cueline.Line, cueline.Parameters, cueline.Meters):
            with pytest.raises(cueline.ClosedError, match="this object was never made"):
                make(unmade)


def test_it_is_made_once(offline: cueline.AudioEngine) -> None:
    with pytest.raises(cueline.ArgumentError, match="this engine exists already"):
        offline.__init__("null")  # type: ignore[misc]
    assert offline.device == "offline"


def test_it_is_made_once_though_a_second_call_comes_before_the_first_one_ends() -> None:
    engine = cueline.AudioEngine.__new__(cueline.AudioEngine)

    class Second:
        """A number of channels that makes the engine when it is read, as another thread could."""

        def __index__(self) -> int:
            with pytest.raises(
                cueline.ArgumentError, match="this engine exists already, or its constructor has failed"
            ):
                engine.__init__("null")  # type: ignore[misc]
            return 1

    engine.__init__("offline", outputs=Second())  # type: ignore[misc]
    assert (engine.device, engine.outputs) == ("offline", 1)


def test_what_belongs_to_an_engine_is_made_once_and_of_an_engine(offline: cueline.AudioEngine) -> None:
    for made in (offline.open_line(), offline.parameters, offline.meters):
        with pytest.raises(cueline.ArgumentError, match="exists already, or its constructor has failed"):
            made.__init__(offline)  # type: ignore[misc]
        with pytest.raises(cueline.ArgumentTypeError, match="engine must be an AudioEngine, got 3: use engine"):
            type(made)(3)  # type: ignore[arg-type]


@pytest.mark.parametrize("copying", [copy.copy, copy.deepcopy, pickle.dumps])
def test_it_can_not_be_copied(offline: cueline.AudioEngine, copying: Callable[[object], object]) -> None:
    with pytest.raises(cueline.ArgumentTypeError, match="an engine cannot be copied or pickled"):
        copying(offline)


# --- Arguments


class Awkward:
    """Its repr cannot be printed, or raises."""

    def __init__(self, text: str | None) -> None:
        self.text = text

    def __repr__(self) -> str:
        if self.text is None:
            raise RuntimeError
        return self.text


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"samplerate": 999}, "samplerate must be from 1000 to 768000 frames a second, got 999"),
        ({"samplerate": 10**30}, "samplerate must be an integer of at most 63 bits, got one of 100 bits"),
        ({"blocksize": 0}, "blocksize must be from 1 to 8192 frames, got 0"),
        ({"blocksize": -(2**63) + 1}, f"blocksize must be from 1 to 8192 frames, got {-(2**63) + 1}"),
        ({"blocksize": 10**5000}, "blocksize must be an integer of at most 63 bits, got one of 16610 bits"),
        ({"inputs": 65}, "inputs must be from 0 to 64, got 65"),
        ({"outputs": -1}, "outputs must be from 0 to 64, got -1"),
        ({"outputs": (3, 1, 3)}, "outputs must be different channels, got 3 twice"),
        ({"inputs": (0,)}, "a channel of inputs must be from 1 to 1024, got 0"),
        ({"inputs": [1] * 65}, "the number of inputs must be from 0 to 64, got 65"),
        ({"device": "null", "outputs": 0}, "an engine needs inputs or outputs, got none of either: request outputs=2"),
        ({"device": "null", "loopback": True}, "loopback needs inputs, and there are none: request inputs=2"),
        ({"device": (1, 2, 3)}, "device must be one value, or a pair: for the inputs and the outputs, got (1, 2, 3)"),
        ({"device": (1, None)}, "device must be one value, or a pair: for the inputs and the outputs, got (1, None)"),
        (
            {"device": (1, "null")},
            "a pair of devices is for PortAudio's devices: leave it out, or request such a device",
        ),
        ({"connect": ()}, "connect must be one value, or a pair: for the inputs and the outputs, got ()"),
        ({"budget": 0}, "budget must be from 1 to 1024 messages a block, got 0"),
        ({"budget": 1025}, "budget must be from 1 to 1024 messages a block, got 1025"),
        (
            {"processor": "loud"},
            "processor must be 'player', 'tone', 'passthrough' or 'silence', or left out for the player, got 'loud'",
        ),
        ({"device": "a\0b"}, "device must be a string of 1 to 200 printable characters, got 'a\\x00b'"),
        ({"device": "\udc80"}, "device must be a string of 1 to 200 printable characters, got '\\udc80'"),
    ],
)
def test_arguments_out_of_range_are_refused_with_the_number(arguments: dict[str, object], text: str) -> None:
    with pytest.raises(cueline.ArgumentError) as caught:
        cueline.AudioEngine(**arguments)  # type: ignore[arg-type]
    assert str(caught.value) == text
    assert isinstance(caught.value, (cueline.Error, ValueError))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"samplerate": 48000.0}, "samplerate must be an integer, got 48000.0"),
        ({"blocksize": "128"}, "blocksize must be an integer, got '128'"),
        ({"outputs": None}, "outputs must be a number of channels, or a tuple of their numbers, got None"),
        ({"inputs": "2"}, "inputs must be a number of channels, or a tuple of their numbers, got '2'"),
        ({"inputs": (1.5,)}, "a channel of inputs must be an integer, got 1.5"),
        ({"loopback": 1}, "loopback must be True or False, got 1"),
        ({"channels": 1}, "channels was replaced by outputs and inputs: use outputs=1"),
        ({"device": ("webcam", 3.0)}, "device must be a name, a number or None, got 3.0"),
        ({"connect": (True, 1)}, "connect must be a string or None, got 1"),
        (
            {"processor": 3},
            "processor must be a name, a processor's capsule, an object with __cueline_processor__(), a dict of "
            "these, or None, got 3",
        ),
        (
            {"processor": len},
            "processor must be a name, a processor's capsule, an object with __cueline_processor__(), a dict of "
            "these, or None, "
            "got <built-in function len>: call it, and pass what it returns",
        ),
        ({"device": 3.0}, "device must be a name, a number or None, got 3.0"),
        ({"client_name": 3}, "client_name must be a string or None, got 3"),
        ({"connect": 1}, "connect must be a string or None, got 1"),
        ({"blocksize": True}, "blocksize must be an integer, got True"),
        ({"blocksize": Awkward("\udc80")}, "blocksize must be an integer, got \\udc80"),
        ({"device": Awkward("\udc80")}, "device must be a name, a number or None, got \\udc80"),
        ({"device": Awkward(None)}, "device must be a name, a number or None, got <Awkward instance at "),
    ],
)
def test_arguments_of_the_wrong_type_are_refused_with_the_value(arguments: dict[str, object], text: str) -> None:
    with pytest.raises(cueline.ArgumentTypeError) as caught:
        cueline.AudioEngine(**arguments)  # type: ignore[arg-type]
    assert str(caught.value).startswith(text)
    assert isinstance(caught.value, TypeError)


def test_numpy_integers_are_integers() -> None:
    assert cueline.AudioEngine("offline", blocksize=np.int64(32)).blocksize == 32  # type: ignore[arg-type]


def test_every_error_is_a_cueline_error_and_a_built_in_one() -> None:
    expected = {
        cueline.ArgumentError: ValueError,
        cueline.ArgumentTypeError: TypeError,
        cueline.ClosedError: RuntimeError,
        cueline.DeviceError: RuntimeError,
        cueline.ForkedError: RuntimeError,
        cueline.Empty: queue.Empty,
        cueline.MissingPackageError: ImportError,
        cueline.ProcessorError: RuntimeError,
        cueline.Full: queue.Full,
        cueline.ConfirmationTimeout: TimeoutError,
        cueline.LinesTakenError: RuntimeError,
        cueline.RefusedError: RuntimeError,
        cueline.StreamEnded: EOFError,
        cueline.StreamTimeout: TimeoutError,
        cueline.StreamsTakenError: RuntimeError,
        cueline.TimelineTimeout: TimeoutError,
        cueline.UnknownNameError: KeyError,
    }
    for ours, built_in in expected.items():
        assert issubclass(ours, cueline.Error)
        assert issubclass(ours, built_in)
    assert issubclass(cueline.LossWarning, RuntimeWarning)
    assert set(expected) | {cueline.Error, cueline.LossWarning} == {
        thing for thing in vars(cueline).values() if isinstance(thing, type) and issubclass(thing, Exception)
    }


@pytest.mark.parametrize("made", [getattr(errors, name) for name in errors.__all__])
def test_every_error_survives_a_pickle_and_a_copy(made: type[cueline.Error]) -> None:
    """A ProcessPoolExecutor needs this."""
    refused = cueline.Refused(wanted_frame=7, reason=cueline.Reason.CANCELLED)
    error = cueline.RefusedError(refused) if made is cueline.RefusedError else made("too large: 3")
    error.noted = "a remark"  # type: ignore[attr-defined]
    if isinstance(error, cueline.Full):
        error.accepted = 5
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is made
        assert str(again) == str(error) != ""
        assert vars(again) == vars(error)
    assert not isinstance(error, cueline.RefusedError) or error.refused == refused


# --- Sending and receiving


@pytest.mark.parametrize(
    ("seconds", "ahead"),
    [(0.5, 24_000), (np.float32(0.5), 24_000), (0, 128), (0.001, 128), (1 / 375, 128), (0.003, 144)],
)
def test_after_is_the_frame_that_many_seconds_ahead_and_two_blocks_at_least(
    offline: cueline.AudioEngine, seconds: float, ahead: int
) -> None:
    assert offline.after(seconds) == ahead
    offline.render(64)
    assert offline.after(seconds) == 64 + ahead


@pytest.mark.parametrize(
    ("seconds", "error", "text"),
    [
        (-1, cueline.ArgumentError, "seconds must be from 0 to 1e+09, got -1"),
        (float("nan"), cueline.ArgumentError, "seconds must be from 0 to 1e+09, got nan"),
        (float("inf"), cueline.ArgumentError, "seconds must be from 0 to 1e+09, got inf"),
        ("1", cueline.ArgumentTypeError, "seconds must be a number, got '1'"),
    ],
)
def test_after_refuses_what_is_no_time(
    offline: cueline.AudioEngine, seconds: float, error: type[Exception], text: str
) -> None:
    with pytest.raises(error) as refused:
        offline.after(seconds)
    assert str(refused.value) == text


@pytest.mark.parametrize("at", [0.5, 48_000.0, float("nan"), np.float64(3)])
def test_a_float_for_at_is_refused_with_the_way_from_seconds_to_a_frame(at: float) -> None:
    with (
        cueline.AudioEngine("offline", processor="tone") as engine,
        pytest.raises(
            cueline.ArgumentTypeError, match=r"^at must be a frame, .*: engine\.after\(seconds\) is the frame"
        ),
    ):
        engine.send(cueline.GetLevel(), at=at)  # type: ignore[arg-type]


def test_status_is_an_int_enum() -> None:
    assert [(status.name, int(status)) for status in Status] == [
        ("OK", 0),
        ("FULL", 1),
        ("EMPTY", 2),
        ("NO_BUFFER", 3),
    ]


@pytest.mark.parametrize("status", Status)
def test_a_status_used_as_a_bool_raises(status: Status) -> None:
    """0 is OK, so that `if engine.ping():` would mean the opposite of what it says."""
    with pytest.raises(cueline.ArgumentTypeError, match=rf"a bool: compare with Status.OK, got Status.{status.name}$"):
        bool(status)


def test_fill_full_counters_drain_order() -> None:
    engine = cueline.AudioEngine("offline")
    assert fill(engine) == 1024
    engine.render(128)
    assert [message.sequence for message in engine.messages()] == list(range(1, 1025))
    stats = engine.stats()
    assert stats.commands == cueline.RingStats(sent=1024, dropped=1, high_water=1024)
    assert stats.events == cueline.RingStats(sent=1024, dropped=0, high_water=1024)


def test_full_event_ring_drops_pongs_and_the_audio_goes_on() -> None:
    engine = cueline.AudioEngine("offline", budget=1024)
    fill(engine)
    engine.render(128)
    for _ in range(5):
        engine.ping()
    audio = engine.render(1280)
    assert audio.shape == (1280, 2)
    stats = engine.stats()
    assert stats.events == cueline.RingStats(sent=1024, dropped=5, high_water=1024)
    assert stats.frames == 1408


def test_an_offline_block_reads_all_commands_whatever_the_budget() -> None:
    engine = cueline.AudioEngine("offline", blocksize=16, budget=3)
    for _ in range(8):
        engine.ping()
    engine.render(16)
    assert len(list(engine.messages())) == 8


def test_receive_returns_what_has_come(offline: cueline.AudioEngine) -> None:
    offline.ping()
    offline.render(64)
    assert offline.receive(timeout=0).sequence == 1


@pytest.mark.parametrize("timeout", [0, 0.0, 0.03])
def test_receive_raises_empty_at_its_timeout(offline: cueline.AudioEngine, timeout: float) -> None:
    began = time.perf_counter()  # on Windows, time.monotonic() has steps of 16 ms before Python 3.13
    with pytest.raises(queue.Empty, match=f"no message within {timeout} s") as caught:
        offline.receive(timeout=timeout)
    assert isinstance(caught.value, cueline.Empty)
    assert time.perf_counter() - began >= timeout


def test_receive_notices_a_close_soon_though_its_blocks_are_long(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = cueline.AudioEngine("null", blocksize=8192, samplerate=1000)
    engine.start()
    naps = at_first_nap(monkeypatch, engine.close)
    with pytest.raises(cueline.ClosedError):
        engine.receive()
    assert naps == [0.02], "and not half of eight seconds"


@pytest.mark.parametrize("timeout", [10**400, float("inf"), np.float32(3)])
def test_receive_takes_long_timeouts(offline: cueline.AudioEngine, timeout: float) -> None:
    offline.ping()
    offline.render(64)
    assert offline.receive(timeout=timeout).sequence == 1


@pytest.mark.parametrize("timeout", [-1, float("nan"), -0.001])
def test_receive_refuses_a_negative_timeout(offline: cueline.AudioEngine, timeout: float) -> None:
    with pytest.raises(cueline.ArgumentError, match=f"timeout must be 0 seconds or more, or None, got {timeout}"):
        offline.receive(timeout=timeout)


def test_receive_refuses_a_timeout_that_is_no_number(offline: cueline.AudioEngine) -> None:
    with pytest.raises(cueline.ArgumentTypeError, match="timeout must be a number of seconds or None, got 'soon'"):
        offline.receive(timeout="soon")  # type: ignore[arg-type]


def test_receive_waits_without_the_gil(monkeypatch: pytest.MonkeyPatch, running: cueline.AudioEngine) -> None:
    waits = threading.Event()
    at_first_nap(monkeypatch, waits.set)
    messages: list[cueline.Message] = []
    thread = threading.Thread(target=lambda: messages.append(running.receive()))
    thread.start()
    assert waits.wait(60)
    assert not messages, "it waits, and this thread runs"
    running.ping()
    thread.join(60)
    assert [message.sequence for message in messages] == [1]


def test_ctrl_c_ends_a_wait_without_end(running: cueline.AudioEngine) -> None:
    timer = threading.Timer(0.1, signal.raise_signal, [signal.SIGINT])

    def receive() -> None:
        timer.start()
        running.receive()

    with pytest.raises(KeyboardInterrupt):
        receive()
    timer.join()


def test_messages_end_though_more_keep_coming(monkeypatch: pytest.MonkeyPatch, offline: cueline.AudioEngine) -> None:
    """It ends after a ring full, or a reader slower than the audio thread would never finish."""
    offline.ping()
    offline.render(64)
    message = offline.receive(timeout=0)
    monkeypatch.setattr(cueline.AudioEngine, "receive_msg", lambda _: message)
    assert len(list(offline.messages())) == 1024


# --- Rendering


@pytest.mark.parametrize("channels", [1, 2, 5])
@pytest.mark.parametrize("frames", [0, 1, 63, 64, 65, 1000])
def test_render_returns_frames_by_channels(channels: int, frames: int) -> None:
    engine = cueline.AudioEngine("offline", blocksize=64, outputs=channels)
    audio = engine.render(frames)
    assert audio.shape == (frames, channels)
    assert audio.dtype == np.float32
    assert audio.flags.c_contiguous
    assert audio.flags.owndata
    assert not audio.any(), "the default processor is a quiet one"
    assert engine.stats().frames == frames
    assert engine.stats().blocks == -(-frames // 64)


def test_a_long_render_is_done_in_whole_blocks() -> None:
    engine = cueline.AudioEngine("offline", blocksize=100, outputs=1)
    engine.render(1_000_000)
    assert engine.stats().blocks == 10_000


def test_render_on_another_device_says_why(running: cueline.AudioEngine) -> None:
    with pytest.raises(
        cueline.DeviceError,
        match=r"render\(\) needs the offline device, and this engine runs on the null device, "
        r"which makes its own blocks: use the device 'offline'",
    ):
        running.render(64)


@pytest.mark.parametrize("frames", [-1, 2**31])
def test_render_refuses_frames_out_of_range(offline: cueline.AudioEngine, frames: int) -> None:
    with pytest.raises(cueline.ArgumentError, match=f"frames must be from 0 to 2147483647, got {frames}"):
        offline.render(frames)


def test_render_refuses_frames_that_are_no_integer(offline: cueline.AudioEngine) -> None:
    with pytest.raises(cueline.ArgumentTypeError, match=r"frames must be an integer, got 64\.0"):
        offline.render(64.0)  # type: ignore[arg-type]


def test_render_takes_anything_that_is_an_integer(offline: cueline.AudioEngine) -> None:
    class Five:
        def __index__(self) -> int:
            return 5

    assert offline.render(Five()).shape == (5, 2)  # type: ignore[arg-type]
    assert offline.render(np.uint8(5)).shape == (5, 2)  # type: ignore[arg-type]


@pytest.mark.parametrize("frames", [np.bool_(True), np.array([4, 5]), "5"])
def test_render_refuses_other_things(offline: cueline.AudioEngine, frames: object) -> None:
    with pytest.raises(cueline.ArgumentTypeError, match="frames must be an integer, got"):
        offline.render(frames)  # type: ignore[arg-type]


def once_it_renders(engine: cueline.AudioEngine, act: Callable[[], object]) -> threading.Thread:
    """Call ``act`` on another thread, as soon as blocks run."""

    def wait_and_act() -> None:
        eventually(lambda: engine.stats().blocks > 0, within_s=60)
        act()

    thread = threading.Thread(target=wait_and_act)
    thread.start()
    return thread


def test_stopping_ends_a_long_render() -> None:
    engine = cueline.AudioEngine("offline", blocksize=1, outputs=1)
    stopper = once_it_renders(engine, engine.stop)
    with pytest.raises(cueline.DeviceError, match=r"stop\(\) ended this render after \d+ of 1000000000 frames"):
        engine.render(1_000_000_000)
    stopper.join()
    assert engine.render(10).shape == (10, 1), "the next one starts it again"


def test_one_render_at_a_time(offline: cueline.AudioEngine) -> None:
    """A signal handler runs during a render, and calls render itself."""
    outcome: list[BaseException] = []

    def handler(*_: object) -> None:
        try:
            offline.render(64)
        except cueline.DeviceError as error:
            outcome.append(error)

    before = signal.signal(signal.SIGINT, handler)
    try:
        done = threading.Event()

        def pester() -> None:
            while not done.is_set() and not outcome:
                signal.raise_signal(signal.SIGINT)
                time.sleep(0.001)

        thread = threading.Thread(target=pester)
        thread.start()
        deadline = time.monotonic() + 60
        while not outcome and time.monotonic() < deadline:
            offline.render(2_000_000)
        done.set()
        thread.join()
    finally:
        signal.signal(signal.SIGINT, before)
    assert [str(error) for error in outcome][:1] == ["render() is running already: wait until it returns"]


def test_ctrl_c_ends_a_long_render() -> None:
    engine = cueline.AudioEngine("offline", blocksize=1, outputs=1)
    interrupter = once_it_renders(engine, lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        engine.render(1_000_000_000)
    interrupter.join()
    assert engine.stats().frames < 1_000_000_000
    assert engine.render(10).shape == (10, 1), "and the engine can be used again"


def test_closing_ends_a_long_render() -> None:
    engine = cueline.AudioEngine("offline", blocksize=1, outputs=1)
    closer = once_it_renders(engine, engine.close)
    with pytest.raises(cueline.ClosedError):
        engine.render(1_000_000_000)
    closer.join()


def test_same_messages_give_the_same_audio_and_events() -> None:
    def session() -> tuple[bytes, list[tuple[int, int]]]:
        engine = cueline.AudioEngine("offline", blocksize=50)
        audio, events = b"", []
        for step in range(100):
            for _ in range(step % 7):
                engine.ping()
            audio += engine.render(step * 3).tobytes()
            events += [(message.sequence, message.frame) for message in engine.messages()]
        return audio, events

    assert session() == session()


# --- Counters


def cells(table: str) -> list[list[str]]:
    """Return the text of each row of a table of HTML."""
    return [[cell.text or "" for cell in row] for row in ET.fromstring(table).iter("tr")]


def test_a_notebook_shows_counters_parameters_and_meters_as_tables() -> None:
    with cueline.AudioEngine("offline", processor="tone", blocksize=64) as engine:
        engine.parameters["gain"] = 1
        engine.ping()
        engine.render(2400)
        counters = cells(engine.stats()._repr_html_())
        assert counters[0] == ["counter", "value"]
        assert ["device", "offline"] in counters
        one, none = ("sent 1, dropped 0, high_water 1", "sent 0, dropped 0, high_water 0")
        assert ["commands", one] in counters
        assert ["lines[0]", f"commands {one}, events {one}, confirmations {none}"] in counters
        with engine.open_line() as line:
            rows = cells(line.stats()._repr_html_())[1:]
        assert rows == [["commands", none], ["events", none], ["confirmations", none]]
        assert cells(engine.parameters._repr_html_()) == [
            ["parameter", "value", "lowest", "highest", "unit"],
            ["frequency", "440", "0", "2.4e+04", "Hz"],
            ["gain", "1", "0", "1", ""],
        ]
        assert [row[0] for row in cells(engine.meters._repr_html_())] == ["meter", "level"]
        assert re.fullmatch(r"peak [\d.]+, rms [\d.]+", cells(engine.meters._repr_html_())[1][1])
    assert cells(engine.parameters._repr_html_())[2] == ["gain", "closed", "0", "1", ""]
    assert cells(engine.meters._repr_html_())[1][1] == "closed"


def test_a_table_shows_names_as_they_are() -> None:
    assert cells(table(["a<b"], [["<i>&"]])) == [["a<b"], ["<i>&"]]


def test_stats_are_frozen_and_complete(running: cueline.AudioEngine) -> None:
    assert eventually(lambda: running.stats().blocks > 10)
    stats = running.stats()
    assert stats.device == "null"
    assert (stats.samplerate, stats.blocksize, stats.inputs, stats.outputs) == (48_000, 128, 0, 2)
    assert abs(stats.frames - stats.blocks * 128) <= 128, "two numbers, taken one after the other"
    assert 0 < stats.load_mean <= stats.load_peak
    assert isinstance(stats.realtime_priority, bool)
    assert isinstance(stats.memory_locked, bool)
    assert stats.unhandled == 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        stats.blocks = 0  # type: ignore[misc]


@pytest.mark.parametrize(("samplerate", "right"), [(48_000, True), (44_100, False)])
def test_null_device_runs_the_right_number_of_blocks(samplerate: int, right: bool) -> None:
    """As many in each second as the clock allows.

    On a busy machine, a block may be late when it is counted. So the reading that is the least late counts, of all
    readings in a second of blocks.
    """
    with cueline.AudioEngine("null", samplerate=samplerate) as engine:

        def ahead_of_the_clock() -> tuple[int, float]:
            stats = engine.stats()
            blocks = stats.blocks + stats.missed_blocks
            return blocks, blocks - time.monotonic() * 48_000 / 128

        def most_ahead_in_a_second() -> float:
            blocks, ahead = ahead_of_the_clock()
            end = blocks + 375
            while blocks < end:
                time.sleep(0.001)
                blocks, now_ahead = ahead_of_the_clock()
                ahead = max(ahead, now_ahead)
            return ahead

        assert eventually(lambda: engine.stats().blocks > 0)
        first, second = most_ahead_in_a_second(), most_ahead_in_a_second()
    assert (abs(second - first) < 0.02 * 375) is right


def test_two_engines_run_at_once() -> None:
    with cueline.AudioEngine("null") as one, cueline.AudioEngine("null", blocksize=64) as two:
        one.ping()
        assert one.receive(timeout=10).sequence == 1
        assert two.receive_msg() is None
        two.ping()
        assert two.receive(timeout=10).sequence == 1


def test_start_and_stop_two_hundred_times() -> None:
    engine = cueline.AudioEngine("null")
    for _ in range(200):
        engine.start()
        engine.ping()
        engine.stop()
    engine.start()
    assert eventually(lambda: engine.stats().events.sent == 200)
    engine.close()
