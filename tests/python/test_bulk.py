"""Many messages in one call: the same result as one by one, for every kind of array, and nothing is lost."""

from __future__ import annotations

import contextlib
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cueline
from conftest import eventually, fill
from cueline.typed import unpickled

RING = 1024
BLOCK = 16
FRAMES = 12 * BLOCK


@pytest.fixture
def tone() -> Iterator[cueline.AudioEngine]:
    with make_tone() as engine:
        yield engine


def make_tone(made: type[cueline.AudioEngine] = cueline.AudioEngine) -> cueline.AudioEngine:
    return made("offline", processor="tone", blocksize=BLOCK, outputs=1, budget=RING)


def questions(count: int) -> Any:
    return np.zeros(count, cueline.dtype(cueline.GetLevel))


def messages_in(array: Any) -> list[cueline.Message]:
    return [unpickled(cueline.Message, array[place : place + 1].tobytes()) for place in range(len(array))]


# --- Sending -----------------------------------------------------------------------------------------------------


def test_an_array_goes_in_its_order(tone: cueline.AudioEngine) -> None:
    assert tone.send_many(questions(1000)) == 1000
    assert tone.last_sequence == 1000
    tone.render(BLOCK)
    answers = list(tone.messages())
    assert all(isinstance(answer, cueline.Level) for answer in answers)
    assert [answer.sequence for answer in answers] == list(range(1, 1001))


def test_each_message_applies_at_its_frame(tone: cueline.AudioEngine) -> None:
    array = questions(3)
    array["frame"] = [5 * BLOCK + 3, 0, 2 * BLOCK]
    assert tone.send_many(array) == 3
    tone.render(8 * BLOCK)
    assert [(answer.sequence, answer.frame) for answer in tone.messages()] == [(2, 0), (3, 32), (1, 83)]


def commands() -> st.SearchStrategy[tuple[int, int, float, float]]:
    """Return a strategy for a kind, a frame, a frequency and a gain."""
    kinds = st.sampled_from([64, 65])
    return st.tuples(kinds, st.integers(0, FRAMES), st.floats(0, 20_000, width=32), st.floats(0, 1, width=32))


def one_and_many(made: type[cueline.AudioEngine], told: list[tuple[int, int, float, float]], late: Any) -> None:
    """Send the same commands one by one to one engine and as an array to another: there is no difference."""
    array = np.zeros(len(told), cueline.dtype())
    array["kind"] = [kind for kind, *_ in told]
    array["frame"] = [frame for _, frame, *_ in told]
    floats = np.array([(hertz, gain) for *_, hertz, gain in told], np.float32).reshape(-1, 2)
    array["payload"][:, :8] = floats.view(np.uint8)
    before = array.tobytes()
    with make_tone(cueline.AudioEngine) as one, make_tone(made) as many:
        for engine in (one, many):
            engine.render(3 * BLOCK)  # so that some are late
        for message in messages_in(array):
            plain = cueline.Message(message.kind, message.payload)
            assert one.send(plain, at=message.frame, late=late) is cueline.Status.OK
        assert many.send_many(array, late=late) == len(told)
        assert array.tobytes() == before
        assert np.array_equal(one.render(FRAMES), many.render(FRAMES))
        for told_by in (lambda engine: engine.stats().commands, lambda engine: engine.stats().cues):
            assert told_by(one) == told_by(many)
        assert one.stats().unhandled == many.stats().unhandled
        found = [messages_in(many.receive_many(max=7)) for _ in range(RING)]
        assert [message for few in found for message in few] == list(one.messages())


@settings(max_examples=150)
@given(told=st.lists(commands(), max_size=40), late=st.sampled_from(["apply", "drop"]))
def test_many_are_as_one_by_one(told: list[tuple[int, int, float, float]], late: Any) -> None:
    one_and_many(cueline.AudioEngine, told, late)


class _Timeless(cueline.AudioEngine):
    """A mutant: forgets the frames."""

    def send_many(self, array: Any, **how: Any) -> int:
        array = array.copy()
        array["frame"] = 0
        return super().send_many(array, **how)


class _Backwards(cueline.AudioEngine):
    """A mutant: sends the last message first."""

    def send_many(self, array: Any, **how: Any) -> int:
        return super().send_many(array[::-1], **how)


class _Lenient(cueline.AudioEngine):
    """A mutant: applies all of them late."""

    def send_many(self, array: Any, **_: Any) -> int:
        return super().send_many(array)


class _Losing(cueline.AudioEngine):
    """A mutant: loses the seventh message of seven."""

    def receive_many(self, max: Any = RING) -> Any:  # noqa: A002
        return super().receive_many(max)[:6]


@pytest.mark.parametrize("mutant", [_Timeless, _Backwards, _Lenient, _Losing])
def test_a_difference_is_found(mutant: type[cueline.AudioEngine]) -> None:
    told = [(65, 0, 0.0, 0.0)] * 8 + [(64, 60, 4000.0, 1.0), (65, 100, 0.0, 0.0), (64, 20, 100.0, 0.5)]
    one_and_many(cueline.AudioEngine, told, "drop")
    with pytest.raises(AssertionError):
        one_and_many(mutant, told, "drop")


def unaligned(array: Any) -> Any:
    """Return the same messages, one after the other, at odd addresses."""
    raw = np.zeros(56 * len(array) + 1, np.uint8)
    raw[1:] = np.frombuffer(array.tobytes(), np.uint8)
    return raw[1:].view(array.dtype)


def a_column(array: Any) -> Any:
    table = np.zeros((len(array), 3), array.dtype)
    table[:, 1] = array
    return table[:, 1]


def read_only(array: Any) -> Any:
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    "arranged",
    [
        read_only,
        unaligned,
        lambda array: array[::-1][::-1],
        lambda array: np.repeat(array, 3)[::3],
        lambda array: array[::-1].copy()[::-1],
        a_column,
        lambda array: array.view(np.recarray),
    ],
    ids=["read-only", "unaligned", "whole", "every third", "backwards", "a column", "recarray"],
)
def test_an_array_may_lie_as_it_likes(tone: cueline.AudioEngine, arranged: Callable[[Any], Any]) -> None:
    array = questions(200)
    array["frame"] = np.arange(200) % 100
    arranged_array = arranged(array)
    assert tone.send_many(arranged_array) == 200
    tone.render(FRAMES)
    assert sorted((m.sequence, m.frame) for m in tone.messages()) == [(1 + i, i % 100) for i in range(200)]


def test_what_is_the_senders_to_say_is_not_the_arrays(tone: cueline.AudioEngine) -> None:
    """Flags, a line and a sequence in the array, which is sent with late="drop": none of them counts."""
    array = questions(2)
    array["sequence"] = 77
    array.view(np.uint8).reshape(2, 56)[:, 2:4] = 255
    tone.render(BLOCK)
    array["frame"] = 1  # late
    assert tone.send_many(array) == 2
    tone.render(BLOCK)
    assert [(m.sequence, m.flags, m.line) for m in tone.messages()] == [(1, 0, 0), (2, 0, 0)]
    told: dict[tuple[int, int], cueline.Message] = {}
    tone._receive_confirmations(told)
    assert told == {}
    assert (tone.stats().cues.late, tone.stats().cues.dropped_late) == (2, 0)


def test_late_ones_are_dropped_if_so_wanted(tone: cueline.AudioEngine) -> None:
    tone.render(BLOCK)
    array = questions(3)
    array["frame"] = [1, 0, 2 * BLOCK]
    assert tone.send_many(array, late="drop") == 3
    tone.render(3 * BLOCK)
    assert [m.sequence for m in tone.messages()] == [2, 3]
    assert tone.stats().cues.dropped_late == 1


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 1023, 1024, 1025, 3000])
def test_what_has_no_room_is_counted(tone: cueline.AudioEngine, count: int) -> None:
    accepted = min(count, RING)
    assert tone.send_many(questions(count)) == accepted
    tone.render(BLOCK)
    assert tone.stats().commands == cueline.RingStats(accepted, count - accepted, accepted)
    assert [m.sequence for m in tone.messages()] == list(range(1, accepted + 1))


def test_it_waits_for_room_if_told_to() -> None:
    with cueline.AudioEngine("null", processor="tone", blocksize=64) as engine:
        assert engine.send_many(questions(5000), timeout=30) == 5000
        assert engine.stats().commands.sent == 5000
        assert engine.stats().commands.dropped == 0


def test_full_says_how_many_were_accepted(tone: cueline.AudioEngine) -> None:
    with pytest.raises(cueline.Full) as refused:
        tone.send_many(questions(1500), timeout=0.01)
    assert str(refused.value) == (
        "no room within 0.01 s: 1024 of 1500 messages were accepted; the ring is full, with 1024 commands: "
        "the offline device makes blocks only in render()"
    )
    assert refused.value.accepted == 1024
    assert tone.stats().commands.dropped == 476


# --- What is refused ---------------------------------------------------------------------------------------------

TAKES = "array must be a NumPy array of cueline.dtype(cls), got "
OF = "an array of messages must have the dtype cueline.dtype(cls) or cueline.dtype(), of 56 bytes, got "
INSTEAD = (
    ": make it with np.zeros(count, cueline.dtype(cls)), or with array.astype(cueline.dtype(cls)) if it has the same "
    "fields"
)


def of_kinds(dtype: Any, *kinds: int) -> Any:
    array = np.zeros(len(kinds), dtype)
    array["kind"] = kinds
    return array


def at_frames(*frames: int) -> Any:
    array = questions(len(frames))
    array["frame"] = [frame % 2**64 for frame in frames]
    return array


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (
            of_kinds(cueline.dtype(), 64, 65, 0),
            "the message at index 2 has no kind, and the array's dtype names no class: set the kind, or make the array "
            "with cueline.dtype(cls)",
        ),
        (
            of_kinds(cueline.dtype(), 64, 63),
            "the message at index 1 cannot be sent: kinds below 64 are the engine's own, and this one is of kind 63",
        ),
        (
            of_kinds(cueline.dtype(cueline.SetTone), 0, 64, 0, 65),
            "the message at index 3 is of kind 65, but the array's dtype is for SetTone, kind 64: leave the "
            "kind 0, or use an array of cueline.dtype()",
        ),
        (
            at_frames(0, 2**63 - 1, -2, -1),
            "the message at index 2 must have a frame from 0 to 2**63 - 1, got 18446744073709551614: was it -2 "
            "before NumPy made it unsigned?",
        ),
        (
            at_frames(*[0] * RING, 2**63),  # and the ring has no room for it
            "the message at index 1024 must have a frame from 0 to 2**63 - 1, got 9223372036854775808: was it "
            "-9223372036854775808 before NumPy made it unsigned?",
        ),
        (
            of_kinds(cueline.dtype(), *[64] * 3, 63, *[64] * RING, 14),
            "the message at index 3 cannot be sent: kinds below 64 are the engine's own, and this one is of kind 63",
        ),
        (
            np.zeros(1, cueline.dtype(cueline.Pong)),
            "Pong cannot be sent: kinds below 64 are the engine's own, and this one is of kind 2",
        ),
        (
            questions(6).reshape(2, 3),
            "an array of messages must have 1 dimension, got 2: array.reshape(-1) makes it one",
        ),
        (
            questions(1)[0:1].reshape(()),
            "an array of messages must have 1 dimension, got 0: array.reshape(-1) makes it one",
        ),
        ([1, 2], TAKES + "[1, 2]"),
        (None, TAKES + "None"),
        (cueline.GetLevel(), TAKES + "GetLevel()"),
        (np.zeros(3), OF + "dtype('float64')" + INSTEAD),
        (np.zeros(3, "V56"), OF + "dtype('V56')" + INSTEAD),
        (
            np.zeros(3, [("kind", "u2"), ("frame", "u8")]),
            OF + "dtype([('kind...ame', '<u8')])" + INSTEAD,
        ),
    ],
)
def test_what_cannot_be_sent_is_refused_and_nothing_is_sent(tone: cueline.AudioEngine, array: Any, text: str) -> None:
    with pytest.raises((cueline.ArgumentError, cueline.ArgumentTypeError)) as refused:
        tone.send_many(array)
    assert str(refused.value) == text
    assert tone.stats().commands == cueline.RingStats(0, 0, 0)


def out_of_range(*places: int, count: int = RING + 8) -> Any:
    tones = np.zeros(count, cueline.dtype(cueline.SetTone))
    tones["frequency_hz"] = np.nan
    tones["gain"][list(places)] = 1.5
    return tones


@pytest.mark.parametrize("place", [0, 5, RING - 1, RING, RING + 7])
def test_a_field_outside_its_range_is_refused_with_its_index_and_nothing_is_sent(
    tone: cueline.AudioEngine, place: int
) -> None:
    with pytest.raises(cueline.ArgumentError) as refused:
        tone.send_many(out_of_range(place))
    assert str(refused.value) == (
        f"the message at index {place} cannot be sent: gain must be from 0 to 1, or nan, got 1.5"
    )
    assert tone.stats().commands == cueline.RingStats(0, 0, 0)
    assert tone.send_many(out_of_range(count=5)) == 5


def test_of_several_bad_messages_the_first_is_named(tone: cueline.AudioEngine) -> None:
    with pytest.raises(cueline.ArgumentError, match="the message at index 0 cannot be sent"):
        tone.send_many(out_of_range(0, 3, 9, count=10))
    with pytest.raises(cueline.ArgumentError, match="the message at index 3 cannot be sent"):
        tone.send_many(out_of_range(3, 9, count=10))
    assert tone.stats().commands == cueline.RingStats(0, 0, 0)


@pytest.mark.parametrize("place", [0, RING - 11, RING - 10, RING - 1])
def test_an_array_that_fits_in_part_is_checked_as_a_whole(tone: cueline.AudioEngine, place: int) -> None:
    assert tone.send_many(questions(10)) == 10
    with pytest.raises(cueline.ArgumentError, match=f"the message at index {place} cannot be sent"):
        tone.send_many(out_of_range(place, count=RING))
    assert tone.stats().commands.sent == 10
    assert tone.send_many(out_of_range(count=RING)) == RING - 10
    assert tone.stats().commands.dropped == 10


def test_raw_payloads_are_sent_as_they_are(tone: cueline.AudioEngine) -> None:
    """The processor clamps: any bytes may come."""
    wrong = cueline.Message(64, struct.pack("<ff", 440, 1.5))
    raw = np.frombuffer(wrong.__reduce__()[1][1], cueline.dtype())  # type: ignore[index]
    assert tone.send_many(raw) == 1
    tone.send(wrong)
    audio = tone.render(4800)
    assert np.abs(audio).max() == pytest.approx(1, rel=1e-3)
    assert tone.stats().unhandled == 0


def test_a_masked_array_is_refused_even_if_its_dtype_was_sent_before(tone: cueline.AudioEngine) -> None:
    plain = np.zeros(2, cueline.dtype(cueline.GetLevel))
    masked = np.ma.array(plain)
    assert masked.dtype is plain.dtype
    assert tone.send_many(plain) == 2
    for call in (tone.send_many, lambda array: cueline.select(array, cueline.GetLevel)):
        with pytest.raises(cueline.ArgumentTypeError, match="array must not be masked"):
            call(masked)


def test_arrays_that_only_look_alike_are_refused(tone: cueline.AudioEngine) -> None:
    swapped = np.zeros(2, cueline.dtype(cueline.SetTone).newbyteorder())
    packed = np.concatenate([np.zeros(1, cueline.dtype(cueline.SetTone))] * 2)  # NumPy leaves out the gaps
    some_fields = np.zeros(2, cueline.dtype(cueline.SetTone))[["kind", "frame"]]
    for array in (swapped, packed, some_fields):
        with pytest.raises(cueline.ArgumentTypeError, match="an array of messages must have"):
            tone.send_many(array)
    assert tone.send_many(packed.astype(cueline.dtype(cueline.SetTone))) == 2, "the way out that the text names"
    assert tone.stats().commands.sent == 2


def test_a_dtype_that_has_lost_its_class_needs_kinds(tone: cueline.AudioEngine) -> None:
    whole = cueline.dtype(cueline.SetTone)
    fields = [whole.fields[name] for name in whole.names or ()] if whole.fields else []
    told = {"names": whole.names, "formats": [f[0] for f in fields], "offsets": [f[1] for f in fields], "itemsize": 56}
    array = np.zeros(2, np.dtype(told))  # type: ignore[call-overload]
    assert array.dtype == whole
    assert array.dtype.metadata is None
    with pytest.raises(cueline.ArgumentError, match="index 0 has no kind"):
        tone.send_many(array)
    array["kind"] = 64
    assert tone.send_many(array) == 2


@pytest.mark.parametrize(
    ("how", "error", "text"),
    [
        ({"late": "never"}, cueline.ArgumentError, "late must be 'apply' or 'drop', got 'never'"),
        ({"late": None}, cueline.ArgumentTypeError, "late must be 'apply' or 'drop', got None"),
        ({"timeout": -1}, cueline.ArgumentError, "timeout must be 0 seconds or more, or None, got -1"),
        ({"timeout": "1"}, cueline.ArgumentTypeError, "timeout must be a number of seconds or None, got '1'"),
    ],
)
def test_how_it_is_sent_is_checked(tone: cueline.AudioEngine, how: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error) as refused:
        tone.send_many(questions(3), **how)
    assert str(refused.value) == text
    assert tone.stats().commands.sent == 0


def test_an_array_that_is_spoilt_while_it_waits_goes_no_further(tone: cueline.AudioEngine) -> None:
    array = questions(1100)
    refusals: list[str] = []

    def send() -> None:
        try:
            tone.send_many(array, timeout=60)
        except cueline.ArgumentError as error:
            refusals.append(str(error))

    sender = threading.Thread(target=send)
    sender.start()
    assert eventually(lambda: tone.stats().commands.sent == RING)
    array["kind"] = 10  # one of the engine's own, whose payload would be an address
    tone.render(BLOCK)  # makes room
    sender.join(30)
    assert len(refusals) == 1
    assert refusals[0].startswith("the message at index 1024 is of kind 10")
    assert tone.stats().commands == cueline.RingStats(sent=RING, dropped=76, high_water=RING)


def send_until_refused(engine: cueline.AudioEngine, array: Any) -> None:
    with contextlib.suppress(cueline.ArgumentError):
        engine.send_many(array, timeout=60)


def test_waiting_messages_are_not_checked_again_at_each_try(tone: cueline.AudioEngine) -> None:
    """A try checks what it sends, so that a long array does not take longer with each try."""
    array = questions(3 * RING)
    sender = threading.Thread(target=send_until_refused, args=(tone, array))
    sender.start()
    assert eventually(lambda: tone.stats().commands.sent == RING)
    array["kind"][-1] = 10
    tone.render(BLOCK)
    assert eventually(lambda: tone.stats().commands.sent == 2 * RING), "the last message is not due yet"
    tone.render(BLOCK)
    sender.join(30)
    assert tone.stats().commands == cueline.RingStats(sent=2 * RING, dropped=RING, high_water=RING)


# --- Receiving ---------------------------------------------------------------------------------------------------


def answered(tone: cueline.AudioEngine, count: int) -> None:
    assert tone.send_many(questions(count)) == count
    tone.render(BLOCK)


def test_all_that_waits_is_received(tone: cueline.AudioEngine) -> None:
    answered(tone, 1000)
    array = tone.receive_many()
    assert array.dtype == cueline.dtype()
    assert array["sequence"].tolist() == list(range(1, 1001))
    assert set(array["kind"]) == {66}
    nothing = tone.receive_many()
    assert (len(nothing), nothing.dtype) == (0, cueline.dtype())


@pytest.mark.parametrize(("most", "sizes"), [(1, [1, 1, 1]), (299, [299, 1]), (300, [300]), (1024, [300])])
def test_at_most_so_many_are_received(tone: cueline.AudioEngine, most: int, sizes: list[int]) -> None:
    answered(tone, 300)
    taken = [tone.receive_many(most) for _ in sizes]
    assert [len(few) for few in taken] == sizes
    assert np.concatenate([few["sequence"] for few in taken]).tolist() == list(range(1, sum(sizes) + 1))
    assert sum(1 for _ in tone.messages()) == 300 - sum(sizes)


@pytest.mark.parametrize(
    ("most", "text"),
    [
        (0, "max must be from 1 to 1024, the size of the ring, got 0"),
        (-1, "max must be from 1 to 1024, the size of the ring, got -1"),
        (1025, "max must be from 1 to 1024, the size of the ring, got 1025"),
        (2**70, "max must be an integer of at most 63 bits, got one of 71 bits"),
        (1.5, "max must be an integer, got 1.5"),
        (None, "max must be an integer, got None"),
    ],
)
def test_a_refused_number_loses_no_message(tone: cueline.AudioEngine, most: Any, text: str) -> None:
    answered(tone, 3)
    with pytest.raises((cueline.ArgumentError, cueline.ArgumentTypeError)) as refused:
        tone.receive_many(most)
    assert str(refused.value) == text
    assert len(tone.receive_many()) == 3


def test_no_memory_loses_no_message(tone: cueline.AudioEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    answered(tone, 3)

    def empty(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(np, "empty", empty)
        with pytest.raises(MemoryError):
            tone.receive_many()
    assert len(tone.receive_many()) == 3


def test_what_another_thread_took_in_between_is_not_made_up(
    tone: cueline.AudioEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(tone, 3)
    empty = np.empty

    def late(*arguments: Any) -> Any:
        assert tone.receive_msg() is not None
        return empty(*arguments)

    monkeypatch.setattr(np, "empty", late)
    assert tone.receive_many()["sequence"].tolist() == [2, 3]


def test_new_names_for_its_fields_are_one_arrays_own(tone: cueline.AudioEngine) -> None:
    answered(tone, 2)
    array = tone.receive_many(1)
    array.dtype.names = ("a", "b", "c", "d", "e")
    assert tone.receive_many().dtype == cueline.dtype()


def test_the_messages_of_a_class_are_selected(tone: cueline.AudioEngine) -> None:
    tone.ping()
    tone.send_many(questions(2))
    tone.ping()
    tone.render(BLOCK)
    array = tone.receive_many()
    levels, pongs = cueline.select(array, cueline.Level), cueline.select(array, cueline.Pong)
    assert (levels.dtype, pongs.dtype) == (cueline.dtype(cueline.Level), cueline.dtype(cueline.Pong))
    assert levels.dtype.metadata == {"cueline": cueline.Level}
    assert levels["sequence"].tolist() == [2, 3]
    assert pongs["sequence"].tolist() == [1, 4]
    assert (pongs["sent_ns"] > 0).all()
    assert len(cueline.select(array, cueline.Applied)) == 0
    levels["peak"] = 7
    assert cueline.select(array, cueline.Level)["peak"].tolist() == [0, 0], "it was a copy"


def test_what_was_selected_can_be_sent_on(tone: cueline.AudioEngine) -> None:
    mixed = of_kinds(cueline.dtype(), 65, 64, 65)
    assert tone.send_many(cueline.select(mixed, cueline.GetLevel)) == 2
    assert len(cueline.select(questions(3), cueline.GetLevel)) == 3, "no kind is the dtype's"
    assert len(cueline.select(questions(3), cueline.SetTone)) == 0


def test_only_messages_are_selected_and_only_by_a_class() -> None:
    with pytest.raises(cueline.ArgumentTypeError) as refused:
        cueline.select(np.zeros(3), cueline.Level)
    assert str(refused.value) == OF + "dtype('float64')" + INSTEAD
    with pytest.raises(cueline.ArgumentTypeError, match=r"cls must be a class made with @cueline.message, got 18"):
        cueline.select(questions(1), 18)  # type: ignore[arg-type]


# --- Lines and ends ----------------------------------------------------------------------------------------------


def test_a_line_sends_many_on_its_own_line(tone: cueline.AudioEngine) -> None:
    with tone.open_line() as line:
        assert fill(tone) == RING
        assert line.send_many(questions(1100)) == RING
        assert (line.stats().commands.sent, line.stats().commands.dropped) == (RING, 76)
        with pytest.raises(cueline.Full) as refused:
            line.send_many(questions(1), timeout=0.001)
        assert refused.value.accepted == 0
        assert tone.stats().lines[line.number].commands.dropped == 77
        tone.render(3 * BLOCK)
        assert not [m for m in tone.messages() if isinstance(m, cueline.Level)], "answers go to their line"
        levels = line.receive_many()
        assert len(levels) == RING
        assert (levels["kind"] == 66).all()
    with pytest.raises(cueline.ClosedError, match=r"^this line is closed: open another one$"):
        line.send_many(questions(1))


def test_a_closed_engine_neither_sends_nor_receives(tone: cueline.AudioEngine) -> None:
    answered(tone, 3)
    tone.close()
    assert len(tone.receive_many()) == 3  # what came before can still be received
    for call in (lambda: tone.send_many(questions(0)), tone.receive_many):
        with pytest.raises(cueline.ClosedError):
            call()


def test_many_threads_send_and_receive_many_at_once() -> None:
    """Each message comes once, and those of one thread in its order: the frames tell the threads apart."""
    threads, rounds, each = 4, 20, 50
    with make_tone() as engine:
        taken: list[Any] = []
        done = threading.Event()

        def send() -> None:
            for _ in range(rounds):
                assert engine.send_many(questions(each), timeout=60) == each

        def receive() -> None:
            while not done.is_set():
                if len(few := engine.receive_many(64)):
                    taken.append(few["sequence"])

        senders = [threading.Thread(target=send) for _ in range(threads)]
        receivers = [threading.Thread(target=receive) for _ in range(2)]
        for thread in senders + receivers:
            thread.start()
        while any(sender.is_alive() for sender in senders):
            engine.render(BLOCK)
        engine.render(BLOCK)
        assert eventually(lambda: len(taken) > 0 and sum(map(len, taken)) >= engine.stats().events.sent)
        done.set()
        for thread in senders + receivers:
            thread.join(30)
        stats = engine.stats()
        assert stats.commands.sent == threads * rounds * each
        found = np.concatenate(taken)
        assert len(found) == len(set(found.tolist())) == stats.events.sent
        assert stats.events.sent + stats.events.dropped == stats.commands.sent
