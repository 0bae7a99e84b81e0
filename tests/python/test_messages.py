"""Messages as Python values: their fields, comparing, copying and pickling."""

from __future__ import annotations

import copy
import importlib
import itertools
import pickle
import struct
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cueline
from cueline.automation import Automate, CancelAutomation, HoldAutomation
from cueline.midi_maps import MapMidi, MapMidiMessage, UnmapMidi
from cueline.streams import ClearPlayback, StartStream, StopStream
from cueline.timeline import Locate, RampTempo, SetLoop, SetSignature, SetTempo, StartTimeline, StopTimeline
from cueline.typed import layout_of, unpickled

# For each of cueline's own types: its kind, a payload, its fields, and its repr.
TYPES: dict[type[cueline.Message], tuple[int, bytes, dict[str, float], str]] = {
    cueline.Pong: (2, struct.pack("<QQ", 5, 2**64 - 1), {"sent_ns": 5, "block_ns": 2**64 - 1}, ""),
    cueline.DeviceLost: (3, struct.pack("<Q", 10**18), {"lost_ns": 10**18}, ""),
    cueline.FormatChanged: (
        4,
        struct.pack("<IIII", 44_100, 1, 6, 512),
        {"samplerate": 44_100, "inputs": 1, "outputs": 6, "blocksize": 512},
        "samplerate=44100, inputs=1, outputs=6, blocksize=512, ",
    ),
    cueline.Applied: (5, struct.pack("<?3xI", True, 7), {"late": True, "value": 7}, "late=True, value=7, "),
    cueline.Refused: (
        6,
        struct.pack("<QI", 2**40, 2),
        {"wanted_frame": 2**40, "reason": cueline.Reason.SCHEDULE_FULL},
        "wanted_frame=1099511627776, reason=<Reason.SCHEDULE_FULL: 2>, ",
    ),
    cueline.NotFinite: (11, struct.pack("<II", 7, 2), {"samples": 7, "inputs": 2}, "samples=7, inputs=2, "),
    cueline.UnloadBuffer: (12, struct.pack("<I", 65_537), {"handle": 65_537}, "handle=65537, "),
    StartStream: (13, struct.pack("<I", 65_538), {"handle": 65_538}, "handle=65538, "),
    StopStream: (14, struct.pack("<I", 65_539), {"handle": 65_539}, "handle=65539, "),
    ClearPlayback: (
        15,
        struct.pack("<QI", 2**40, 65_540),
        {"up_to": 2**40, "handle": 65_540},
        "up_to=1099511627776, handle=65540, ",
    ),
    SetTempo: (16, struct.pack("<d", 90), {"tempo": 90}, "tempo=90.0, "),
    RampTempo: (
        17,
        struct.pack("<ddI", 90, 8, 1),
        {"tempo": 90, "length": 8, "over": 1},
        "tempo=90.0, length=8.0, over=1, ",
    ),
    SetSignature: (18, struct.pack("<II", 6, 8), {"beats": 6, "unit": 8}, "beats=6, unit=8, "),
    StartTimeline: (19, b"", {}, ""),
    StopTimeline: (20, b"", {}, ""),
    Locate: (21, struct.pack("<d", 16.5), {"beat": 16.5}, "beat=16.5, "),
    SetLoop: (22, struct.pack("<dd", 4, 8), {"start": 4, "end": 8}, "start=4.0, end=8.0, "),
    Automate: (
        23,
        struct.pack("<dddIIHBB", 0.5, 96_000, 0.1, 7, 65_540, 17, 3, True),
        {
            "value": 0.5,
            "end": 96_000,
            "constant": 0.1,
            "automation": 7,
            "buffer": 65_540,
            "parameter": 17,
            "shape": 3,
            "in_beats": True,
        },
        "value=0.5, end=96000.0, constant=0.1, automation=7, buffer=65540, parameter=17, shape=3, in_beats=True, ",
    ),
    HoldAutomation: (24, struct.pack("<IH", 7, 17), {"automation": 7, "parameter": 17}, "automation=7, parameter=17, "),
    CancelAutomation: (
        25,
        struct.pack("<dIH", 8.5, 7, 17),
        {"place": 8.5, "automation": 7, "parameter": 17},
        "place=8.5, automation=7, parameter=17, ",
    ),
    MapMidi: (
        26,
        struct.pack("<BBBBBBBBHHIdd", 3, 0xB0, 7, 2, 1, 2, 7, 0, 68, 8, 0, 0.5, 2),
        {
            "place": 3,
            "status": 0xB0,
            "number": 7,
            "port": 2,
            "omni": 1,
            "curve": 2,
            "field": 7,
            "message_flags": 0,
            "target": 68,
            "address": 8,
            "low": 0.5,
            "high": 2,
        },
        "place=3, status=176, number=7, port=2, omni=1, curve=2, field=7, message_flags=0, target=68, address=8, "
        "low=0.5, high=2.0, ",
    ),
    MapMidiMessage: (
        27,
        bytes([3, 1, *range(20)]),
        {"place": 3, "half": 1, "bytes": tuple(range(20))},  # type: ignore[dict-item]
        f"place=3, half=1, bytes={tuple(range(20))}, ",
    ),
    UnmapMidi: (28, bytes([3]), {"place": 3}, "place=3, "),
    cueline.SetTone: (
        64,
        struct.pack("<ff", 440, 0.25),
        {"frequency_hz": 440, "gain": 0.25},
        "frequency_hz=440.0, gain=0.25, ",
    ),
    cueline.GetLevel: (65, b"", {}, ""),
    cueline.Level: (66, struct.pack("<ff", 0.75, 0.5), {"peak": 0.75, "rms": 0.5}, "peak=0.75, rms=0.5, "),
    cueline.Click: (
        67,
        struct.pack("<ff", 2000, 0.25),
        {"frequency_hz": 2000, "gain": 0.25},
        "frequency_hz=2000.0, gain=0.25, ",
    ),
    cueline.PlayBuffer: (
        68,
        struct.pack("<HH??2xfffIIII", 3, 9, True, False, 0.5, -0.25, 1.5, 10, 20, 30, 65_541),
        {
            "slot": 3,
            "choke_group": 9,
            "loop": True,
            "unload": False,
            "gain": 0.5,
            "pan": -0.25,
            "rate": 1.5,
            "start": 10,
            "loop_start": 20,
            "loop_end": 30,
            "handle": 65_541,
        },
        "slot=3, choke_group=9, loop=True, unload=False, gain=0.5, pan=-0.25, rate=1.5, start=10, loop_start=20, "
        "loop_end=30, handle=65541, ",
    ),
    cueline.StopBuffer: (69, struct.pack("<I", 4), {"slot": 4}, "slot=4, "),
    cueline.BufferEnded: (70, struct.pack("<II", 5, 65_542), {"slot": 5, "handle": 65_542}, "slot=5, handle=65542, "),
    cueline.SetVoice: (
        71,
        struct.pack("<IfffIIB", 7, 0.5, 0.25, 2, 100, 200, 2),
        {"voice": 7, "gain": 0.5, "pan": 0.25, "rate": 2, "loop_start": 100, "loop_end": 200, "loop": 2},
        "voice=7, gain=0.5, pan=0.25, rate=2.0, loop_start=100, loop_end=200, loop=2, ",
    ),
    cueline.StopVoice: (72, struct.pack("<I", 8), {"voice": 8}, "voice=8, "),
    cueline.SetSlot: (
        73,
        struct.pack("<H2xff", 6, 0.5, 0.25),
        {"slot": 6, "attack_s": 0.5, "release_s": 0.25},
        "slot=6, attack_s=0.5, release_s=0.25, ",
    ),
    cueline.NoteOn: (
        128,
        bytes([60, 100, 3, 2]),
        {"note": 60, "velocity": 100, "channel": 3, "port": 2},
        "note=60, velocity=100, channel=3, port=2, ",
    ),
    cueline.NoteOff: (
        129,
        bytes([60, 0, 16, 1]),
        {"note": 60, "velocity": 0, "channel": 16, "port": 1},
        "note=60, velocity=0, channel=16, port=1, ",
    ),
    cueline.ControlChange: (
        130,
        bytes([7, 127, 1, 1]),
        {"control": 7, "value": 127, "channel": 1, "port": 1},
        "control=7, value=127, channel=1, port=1, ",
    ),
    cueline.PitchBend: (
        131,
        struct.pack("<hBB", -8192, 1, 16),
        {"value": -8192, "channel": 1, "port": 16},
        "value=-8192, channel=1, port=16, ",
    ),
    cueline.MidiBytes: (
        132,
        bytes([0xC0, 5, 0, 1]),
        {"status": 0xC0, "data1": 5, "data2": 0, "port": 1},
        "status=192, data1=5, data2=0, port=1, ",
    ),
    cueline.Message: (1000, b"", {}, "kind=1000, "),
}
KINDS = {kind: made for made, (kind, *_) in TYPES.items() if made is not cueline.Message}

# cueline's own kinds, and some without a class: a class would stay for the tests that follow.
known_kinds = st.integers(0, 255) | st.integers(65_000, 65_535)


def bytes_of(kind: int, payload: bytes = b"", *, sequence: int = 3, frame: int = 4096, line: int = 0) -> bytes:
    return struct.pack("<HBBIQ40s", kind, 0, line, sequence, frame, payload)


def example(made: type[cueline.Message], *, line: int = 0) -> cueline.Message:
    kind, payload, *_ = TYPES[made]
    return unpickled(made, bytes_of(kind, payload, line=line))


def fields_outside_their_ranges(made: type[cueline.Message], payload: bytes) -> list[str]:
    fields = () if made is cueline.Message else layout_of(made).fields
    outside = []
    for field in fields:
        [number] = np.frombuffer(payload, field.scalar.numpy, 1, field.offset)
        limits = field.limits
        inside = limits is None or limits.lowest <= number <= limits.highest or (limits.nan and np.isnan(number))
        if not inside:
            outside.append(field.name)
    return outside


def test_the_table_has_all_of_cuelines_own() -> None:
    modules = [module for name, module in sys.modules.items() if name.startswith("cueline.")]
    values = [value for module in modules for value in vars(module).values()]
    assert {made for made in values if isinstance(made, type) and issubclass(made, cueline.Message)} == set(TYPES)


@pytest.mark.parametrize("made", TYPES)
def test_a_message_tells_what_it_carries(made: type[cueline.Message]) -> None:
    kind, payload, numbers, text = TYPES[made]
    message = example(made)
    assert type(message) is made
    assert (message.kind, message.sequence, message.frame) == (kind, 3, 4096)
    assert (message.flags, message.line) == (0, 0)
    assert message.payload == payload.ljust(40, b"\0")
    assert {name: getattr(message, name) for name in numbers} == numbers
    assert made is cueline.Message or made.__match_args__ == tuple(numbers)  # type: ignore[attr-defined]
    assert repr(message) == f"{made.__name__}({text}sequence=3, frame=4096)"


@pytest.mark.parametrize("made", TYPES)
def test_a_message_of_another_line_is_another_one_and_says_so(made: type[cueline.Message]) -> None:
    one, other = example(made), example(made, line=2)
    assert (one.line, other.line) == (0, 2)
    assert one != other
    assert hash(one) != hash(other)
    assert repr(other) == repr(one).replace("frame=4096", "frame=4096, line=2")
    assert pickle.loads(pickle.dumps(other)) == other


def test_messages_are_values(offline: cueline.AudioEngine) -> None:
    offline.ping()
    offline.ping()
    offline.render(64)
    one, two = offline.messages()
    assert one == one
    assert one != two
    assert one != 3
    assert len({one, two, one}) == 2
    assert one.kind == 2
    assert len(one.payload) == 40
    assert repr(one) == "Pong(sequence=1, frame=0)"
    with pytest.raises(AttributeError):
        one.kind = 3  # type: ignore[misc]


@pytest.mark.parametrize("made", TYPES)
def test_a_message_can_be_compared_copied_and_pickled(made: type[cueline.Message]) -> None:
    message = example(made)
    for again in (
        copy.copy(message),
        copy.deepcopy([message])[0],
        pickle.loads(pickle.dumps(message)),
    ):
        assert again == message
        assert hash(again) == hash(message)
        assert type(again) is made
    assert issubclass(made, cueline.Message)


def test_messages_of_different_types_differ() -> None:
    for one, other in itertools.combinations(map(example, TYPES), 2):
        assert one != other


@pytest.mark.parametrize("name", ["kind", "sequence", "peak"])
def test_a_message_does_not_change(name: str) -> None:
    with pytest.raises(AttributeError):
        setattr(example(cueline.Level), name, 1)


@given(
    state=st.binary(max_size=80).filter(lambda state: len(state) != 56)
    | st.builds(lambda kind, rest: kind.to_bytes(2, "little") + rest, known_kinds, st.binary(min_size=54, max_size=54))
    | st.builds(bytes_of, st.sampled_from(list(KINDS)), st.binary(max_size=40)),
    made=st.sampled_from(list(TYPES)),
)
def test_a_message_is_unpickled_from_its_own_bytes_or_not_at_all(state: bytes, made: type[cueline.Message]) -> None:
    kind = int.from_bytes(state[:2], "little")
    fitting = KINDS.get(kind, cueline.Message)
    if len(state) != 56:
        with pytest.raises(cueline.ArgumentError, match=f"a message is 56 bytes, got {len(state)}"):
            unpickled(made, state)
    elif made not in (fitting, cueline.Message):
        text = f"a message of kind {kind} is of class {fitting.__name__}, not {made.__name__}$"
        with pytest.raises(cueline.ArgumentError, match=text):
            unpickled(made, state)
    elif outside := fields_outside_their_ranges(fitting, state[16:]):
        with pytest.raises(cueline.ArgumentError, match=rf"^{outside[0]} must be from "):
            unpickled(made, state)
    else:
        message = unpickled(made, state)
        assert type(message) is fitting
        assert (message.kind, message.sequence) == (kind, int.from_bytes(state[4:8], "little"))
        assert fitting is not cueline.Message or message.payload == state[16:]
        assert pickle.loads(pickle.dumps(message)) == message


def test_the_types_are_the_same_after_a_second_import() -> None:
    """A process defines them once."""
    before = dict(sys.modules)
    try:
        for name in [name for name in sys.modules if name.partition(".")[0] == "cueline"]:
            del sys.modules[name]
        importlib.import_module("cueline")
        for made in TYPES:
            assert getattr(importlib.import_module(made.__module__), made.__name__) is made
    finally:
        sys.modules.update(before)
