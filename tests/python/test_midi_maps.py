"""engine.midi: what controls move, sample by sample, and what is saved and loaded."""

from __future__ import annotations

import copy
import dataclasses
import gc
import inspect
import json
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import cueline
from cueline.midi_maps import MapMidi
from cueline.timeline import SetTempo

CONTROL = cueline.ControlChange(7)


@cueline.message(940)
class Own:
    """A message of a program."""

    wide: cueline.u64
    number: cueline.u8 = 3


def offline(processor: Any = "tone", **options: Any) -> cueline.AudioEngine:
    return cueline.AudioEngine("offline", processor=processor, outputs=1, **options)


@pytest.mark.parametrize("blocksize", [1, 64, 1000])
def test_a_knob_moves_a_parameter_as_a_write_does_but_at_its_frame(blocksize: int) -> None:
    with offline(blocksize=blocksize) as engine:
        before = engine.render(500)
        engine.midi.map(CONTROL, "gain", low=0, high=1)
        engine.send(cueline.ControlChange(7, 127), at=600)
        mapped = np.concatenate([before, engine.render(2000)])
        assert engine.parameters["gain"] == 1
        assert engine.stats().unhandled == 0
    with offline(blocksize=blocksize) as engine:
        written = engine.render(600)
        engine.parameters["gain"] = 1
        written = np.concatenate([written, engine.render(1900)])
    np.testing.assert_array_equal(mapped, written)


@pytest.mark.parametrize("blocksize", [1, 64, 1000])
def test_a_note_starts_a_slot_of_the_player_with_its_velocity(blocksize: int) -> None:
    with offline("player", blocksize=blocksize) as engine:
        engine.publish(3, np.ones(50, np.float32))
        engine.midi.map(cueline.NoteOn(36), 3)
        engine.midi.map(cueline.NoteOn(38), 3, low=0.5, high=0)
        engine.send(cueline.NoteOn(36, 64), at=100)
        engine.send(cueline.NoteOn(37, 127), at=160)
        engine.send(cueline.NoteOn(38, 127), at=170)
        engine.send(cueline.NoteOn(36, 127), at=200)
        heard = engine.render(300)[:, 0]
        assert engine.stats().unhandled == 1  # note 37
    expected = np.zeros(300)
    expected[100:150] = 64 / 127
    expected[200:250] = 1
    np.testing.assert_allclose(heard, expected, atol=1e-6)


def test_a_field_of_a_message_gets_the_number_and_a_note_off_stops() -> None:
    with offline("player") as engine:
        engine.publish(0, np.ones(1000, np.float32))
        engine.midi.map(cueline.NoteOn(60), cueline.PlayBuffer(0, start=900, gain=0.25), "start", low=0, high=0)
        engine.midi.map(cueline.NoteOff(60), cueline.StopBuffer(0))
        engine.send(cueline.NoteOn(60), at=10)
        engine.send(cueline.NoteOff(60), at=400)
        heard = engine.render(1000)[:, 0]
    assert np.flatnonzero(heard)[0] == 10
    assert heard[399] == pytest.approx(0.25)
    assert 400 < np.flatnonzero(heard)[-1] < 400 + 300  # its release takes 5 ms


def test_a_knob_sets_the_tempo() -> None:
    with offline() as engine:
        engine.midi.map(CONTROL, SetTempo(120), "tempo", low=60, high=187)
        engine.send(cueline.ControlChange(7, 40), at=10)
        engine.render(64)
        assert engine.timeline.tempo == 100


def test_a_processor_that_knows_no_midi_gets_it_once_something_is_mapped() -> None:
    with offline() as engine:
        with pytest.raises(cueline.ProcessorError, match="not ControlChange"):
            engine.send(CONTROL)
        engine.midi.map(CONTROL, "gain")
        assert engine.send(CONTROL) is cueline.Status.OK
        bends = np.zeros(1, cueline.dtype(cueline.PitchBend))
        bends["channel"] = bends["port"] = 1
        assert engine.send_many(bends) == 1
        with pytest.raises(cueline.ProcessorError, match="not PlayBuffer"):
            engine.send(cueline.PlayBuffer(0))


def test_a_second_map_of_a_control_to_a_target_replaces_the_first_and_unmap_ends_it() -> None:
    with offline() as engine:
        engine.midi.map(CONTROL, "gain", high=0.5)
        second = engine.midi.map(cueline.ControlChange(7, 99), "gain", high=0.75)
        other = engine.midi.map(CONTROL, "frequency", low=100, high=200, curve="exponential")
        assert engine.midi.maps == (second, other)
        engine.send(cueline.ControlChange(7, 127))
        engine.render(64)
        assert (engine.parameters["gain"], engine.parameters["frequency"]) == (0.75, 200)
        engine.midi.unmap(second)
        engine.send(cueline.ControlChange(7, 0))
        engine.render(64)
        assert (engine.parameters["gain"], engine.parameters["frequency"]) == (0.75, 100)
        with pytest.raises(cueline.ArgumentError, match=r"must be one of engine\.midi\.maps"):
            engine.midi.unmap(second)
        engine.midi.unmap()
        assert engine.midi.maps == ()
        engine.midi.unmap()
        engine.send(CONTROL)
        engine.render(64)
        assert engine.stats().unhandled == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda midi: midi.map(CONTROL, "gain", low=0.9, high=0.1, curve="exponential", omni=True),
        lambda midi: midi.map(cueline.PitchBend(), "frequency", low=100, high=1000),
        lambda midi: midi.map(cueline.NoteOn(36, channel=10, port=2), cueline.Click(), "gain", low=0, high=1),
        lambda midi: midi.map(cueline.MidiBytes(0xC0, 5), cueline.Click(200)),
        lambda midi: midi.map(CONTROL, SetTempo(120), "tempo", low=60, high=180),
    ],
)
def test_a_map_can_be_saved_and_loaded(make: Callable[[Any], cueline.MidiMap]) -> None:
    with offline() as engine:
        made = make(engine.midi)
    loaded = cueline.MidiMap.from_recipe(json.loads(json.dumps(made.recipe())))
    assert loaded == made
    assert pickle.loads(pickle.dumps(made)) == copy.deepcopy(made) == made
    assert cueline.MidiMap(**dataclasses.asdict(made)) == made
    with offline() as engine:
        assert engine.midi.map(loaded) == made
        assert engine.midi.maps == (made,)


def test_each_attribute_of_a_map_has_its_own_doc() -> None:
    docs = {inspect.getdoc(getattr(cueline.MidiMap, each.name)) for each in dataclasses.fields(cueline.MidiMap)}
    assert len(docs - {None}) == len(dataclasses.fields(cueline.MidiMap))
    assert not docs & {inspect.getdoc(kind) for kind in (float, str, bool, type(None))}


def band() -> cueline.AudioEngine:
    engine = offline({"a": "player", "b": "player"})
    engine.part("a").publish(0, np.array([0.25]))
    engine.part("b").publish(0, np.array([0.5]))
    return engine


def test_a_mapped_message_comes_to_its_part_also_after_it_was_saved() -> None:
    with band() as engine:
        target = engine.part("b").addressed(cueline.PlayBuffer(0))
        made = [
            engine.midi.map(cueline.NoteOn(62), target),
            engine.midi.map(cueline.NoteOn(63), target, "gain", low=0, high=1),
            engine.midi.map(cueline.NoteOn(64), cueline.PlayBuffer(0)),
        ]
    assert [made[1].recipe()["target"].get("part"), made[2].recipe()["target"].get("part")] == [2, None]
    loaded = [cueline.MidiMap.from_recipe(json.loads(json.dumps(one.recipe()))) for one in made]
    assert loaded == made
    with pytest.raises(cueline.ArgumentError, match="part must be a part's number, got 17"):
        cueline.MidiMap.from_recipe({**made[1].recipe(), "target": {"type": "PlayBuffer", "part": 17}})
    own = cueline.MidiMap(CONTROL, engine.part("b").addressed(Own(5)))
    assert cueline.MidiMap.from_recipe(own.recipe()) == own
    with band() as engine:
        for one in loaded:
            engine.midi.map(one)
        for number in range(3):
            engine.send(cueline.NoteOn(62 + number, 127), at=10 * (number + 1))
        assert engine.render(64)[[10, 20, 30], 0].tolist() == [0.5, 0.5, 0.75]


def test_a_slot_that_is_mapped_is_counted_through_the_parts() -> None:
    with band() as engine:
        engine.midi.map(cueline.NoteOn(60), 0)
        engine.midi.map(cueline.NoteOn(61), 128)
        for number in range(2):
            engine.send(cueline.NoteOn(60 + number, 127), at=10 * (number + 1))
        assert engine.render(64)[[10, 20], 0].tolist() == [0.25, 0.5]


def test_recipes_are_names_and_numbers() -> None:
    made = cueline.MidiMap(CONTROL, ("gains", 17), 0.0, 0.5)
    assert made.recipe() == {
        "control": {"type": "ControlChange", "control": 7, "value": 0, "channel": 1, "port": 1},
        "target": ["gains", 17],
        "low": 0.0,
        "high": 0.5,
        "curve": "linear",
        "field": None,
        "omni": False,
    }
    assert cueline.MidiMap.from_recipe(made.recipe()) == made
    own = cueline.MidiMap(CONTROL, Own(5), 0, 255, field="number")
    assert own.recipe()["target"] == {"kind": 940, "payload": Own(5).payload.hex()}
    assert cueline.MidiMap.from_recipe(json.loads(json.dumps(own.recipe()))) == own
    long = {**made.recipe(), "target": ["gains", 17, 0]}
    for wrong in ({}, {"control": {"type": "os"}, "target": 1}, {"control": {"type": "NoteOn"}, "target": 1}, [], long):
        with pytest.raises(cueline.ArgumentError, match=r"recipe must be from MidiMap\.recipe\(\)|has no message"):
            cueline.MidiMap.from_recipe(wrong)  # type: ignore[arg-type]


def test_a_recipe_has_none_for_nan_which_strict_json_refuses() -> None:
    made = cueline.MidiMap(CONTROL, cueline.SetVoice(3, rate=0.5), 0, 1, field="gain")
    saved = json.dumps(made.recipe(), allow_nan=False)
    assert json.loads(saved)["target"]["pan"] is None
    assert cueline.MidiMap.from_recipe(json.loads(saved)) == made


@pytest.mark.parametrize(("low", "high"), [("x", 1), (0, float("nan")), (0, 10**400), (0, 0.5), (np.zeros(2), 1)])
def test_a_map_without_a_field_takes_no_numbers(low: Any, high: Any) -> None:
    made = cueline.MidiMap(cueline.NoteOn(1), cueline.Click(), low, high)
    with offline() as engine:
        for one in (made, cueline.MidiMap.from_recipe(made.recipe())):
            with pytest.raises(cueline.ArgumentTypeError, match="low and high need the field"):
                engine.midi.map(one)


def test_bad_arguments_of_learn_and_connect_are_refused_at_once() -> None:
    with offline() as engine:
        for timeout in ("x", -1, float("nan")):
            with pytest.raises(cueline.Error, match="timeout must be"):
                engine.midi.learn(timeout=timeout)  # type: ignore[arg-type]
        with pytest.raises(cueline.ArgumentError, match="pattern must be a string of 1 to 200 printable characters"):
            engine.midi.connect("\ud800")


@pytest.mark.parametrize(
    ("arguments", "options", "error", "text"),
    [
        ((3, "gain"), {}, cueline.ArgumentTypeError, "control must be a MIDI message such as"),
        ((cueline.Click(), "gain"), {}, cueline.ArgumentError, "control must be a NoteOn, a NoteOff"),
        ((cueline.MidiBytes(0xF8), "gain"), {}, cueline.ArgumentError, "or MidiBytes of a program change or pressure"),
        ((CONTROL,), {}, cueline.ArgumentTypeError, "target must be the name of a parameter"),
        ((CONTROL, "gian"), {}, cueline.UnknownNameError, "gain"),
        ((CONTROL, ("gain", 1)), {}, cueline.ArgumentError, "the element must be from 0 to 0, got 1"),
        ((CONTROL, ("gain",)), {}, cueline.ArgumentTypeError, "an element is a pair such as"),
        ((CONTROL, "gain"), {"low": -1}, cueline.ArgumentError, "low must be from 0 to 1, got -1"),
        ((CONTROL, "gain"), {"high": "loud"}, cueline.ArgumentTypeError, "high must be a number, got 'loud'"),
        ((CONTROL, "gain"), {"curve": np.zeros(2)}, cueline.ArgumentError, "or 'relative', got array"),
        ((CONTROL, "gain"), {"curve": "round"}, cueline.ArgumentError, "or 'relative', got 'round'"),
        ((CONTROL, "gain"), {"curve": "exponential"}, cueline.ArgumentError, "needs low and high above 0, got 0 and 1"),
        ((cueline.NoteOn(1), "gain"), {"curve": "relative"}, cueline.ArgumentError, "is for a ControlChange"),
        ((CONTROL, "gain"), {"omni": 1}, cueline.ArgumentTypeError, "omni must be True or False, got 1"),
        ((CONTROL, "gain", "gain"), {}, cueline.ArgumentTypeError, "field is for a message"),
        ((CONTROL, cueline.Click(), np.zeros(2)), {"low": 0, "high": 1}, cueline.ArgumentTypeError, "got array"),
        ((CONTROL, 3), {}, cueline.ArgumentError, "only a NoteOn can start a slot"),
        ((cueline.NoteOn(1), 3), {}, cueline.ProcessorError, "needs a processor with buffer slots"),
        ((cueline.NoteOn(1), cueline.PlayBuffer(0)), {}, cueline.ProcessorError, "not PlayBuffer"),
        ((CONTROL, cueline.UnloadBuffer(1)), {}, cueline.ArgumentError, "the processor's messages and the timeline's"),
        ((CONTROL, cueline.Click(), "loud"), {}, cueline.ArgumentError, r"one of Click's \(frequency_hz, gain\), got"),
        ((CONTROL, cueline.Click(), "gain"), {}, cueline.ArgumentTypeError, "needs low= and high="),
        ((CONTROL, cueline.Click()), {"low": 0}, cueline.ArgumentTypeError, "low and high need the field"),
        (
            (CONTROL, cueline.Click(), "gain"),
            {"low": 0, "high": 2},
            cueline.ArgumentError,
            "high must be from 0 to 1, got 2",
        ),
        ((cueline.MidiMap(CONTROL, "gain"), "gain"), {}, cueline.ArgumentTypeError, "pass it alone"),
    ],
)
def test_what_cannot_be_mapped_is_refused_with_the_way_out(
    arguments: tuple[Any, ...], options: dict[str, Any], error: type[Exception], text: str
) -> None:
    with offline() as engine:
        with pytest.raises(error, match=text):
            engine.midi.map(*arguments, **options)
        assert engine.midi.maps == ()


def test_a_field_that_is_no_plain_number_is_refused_and_one_has_its_types_range() -> None:
    with offline("player") as engine:
        for field in ("loop", "unload", "handle"):
            with pytest.raises(cueline.ArgumentError, match=f"at most 32 bits, or an f64, and '{field}' is neither"):
                engine.midi.map(CONTROL, cueline.PlayBuffer(), field, low=0, high=1)
        with pytest.raises(cueline.ArgumentError, match="high must be from 0 to 65535, got 65536"):
            engine.midi.map(CONTROL, cueline.PlayBuffer(), "choke_group", low=0, high=65536)
        with pytest.raises(cueline.ArgumentError, match="low must be from 0 to 2, got -1"):
            engine.midi.map(CONTROL, cueline.SetVoice(1), "loop", low=-1, high=2)


def test_there_are_at_most_128_maps_and_a_full_ring_leaves_none_behind() -> None:
    with offline() as engine:
        for control in range(128):
            engine.midi.map(cueline.ControlChange(control), "gain")
        engine.render(1)
        with pytest.raises(cueline.ArgumentError, match=r"at most 128 MIDI maps: unmap\(\) one"):
            engine.midi.map(cueline.PitchBend(), "gain")
        engine.midi.unmap(engine.midi.maps[5])
        while engine.send(cueline.GetLevel()) is cueline.Status.OK:
            pass
        with pytest.raises(cueline.Full):
            engine.midi.map(cueline.PitchBend(), "gain", timeout=0)
        assert len(engine.midi.maps) == 127
        with pytest.raises(cueline.Full):
            engine.midi.map(CONTROL, "gain", high=0.5, timeout=0)
        assert all(each.high == 1 for each in engine.midi.maps)
        engine.stats()


def test_the_view_is_of_its_engine_and_keeps_no_engine_alive() -> None:
    with offline() as engine, offline() as other:
        assert engine.midi == engine.midi != other.midi
        assert hash(engine.midi) == hash(engine.midi)
        assert engine.midi != 3
        engine.midi.map(CONTROL, "gain")
        assert repr(engine.midi) == "<cueline.Midi: 1 maps>"
        assert not any(isinstance(each, cueline.AudioEngine) for each in gc.get_referrers(engine.midi))
    with pytest.raises(cueline.ClosedError):
        engine.midi.map(CONTROL, "frequency")


def test_a_raw_map_that_is_out_of_range_changes_nothing() -> None:
    with offline() as engine:
        engine.send(MapMidi(0, 0xB0, 7, 1, 0, 0, 0, 0, 0, 2, 0.0, 1.0))  # there are the parameters 0 and 1
        engine.send(MapMidi(200, 0xB0, 7, 1, 0, 0, 0, 0, 0, 0, 0.0, 1.0))
        engine.render(1)
        assert engine.stats().unhandled == 2
