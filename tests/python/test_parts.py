"""Parts: several processors in one engine, each addressed by its name, and mixed."""

from __future__ import annotations

import asyncio
import copy
import gc
import pickle
import weakref
from typing import Any

import numpy as np
import pytest

import cueline
from cueline import Status


def band(**more: Any) -> cueline.AudioEngine:
    return cueline.AudioEngine(
        "offline",
        processor={"drums": "player", "lead": "tone", "bass": cueline.player_processor(4, 2)},
        samplerate=48_000,
        blocksize=64,
        **more,
    )


def noise(frames: int) -> Any:
    return np.random.default_rng(frames).uniform(-0.25, 0.25, (frames, 1)).astype(np.float32)


def test_parts_sound_as_the_sum_of_each_alone() -> None:
    samples = noise(500)
    with cueline.AudioEngine("offline", processor="player", blocksize=64) as alone:
        alone.publish(1, samples)
        alone.parameters["gain"] = 0.5
        alone.play(1, at=100, pan=0.25)
        drums = alone.render(1_000)
    with cueline.AudioEngine("offline", processor="tone", blocksize=64) as alone:
        alone.send(cueline.SetTone(frequency_hz=330, gain=0.1), at=200)
        lead = alone.render(1_000)
    with band() as engine:
        engine.part("drums").publish(1, samples)
        engine.parameters["drums.gain"] = 0.5
        voice = engine.part("drums").play(1, at=100, pan=0.25)
        engine.part("lead").send(cueline.SetTone(frequency_hz=330, gain=0.1), at=200)
        engine.parameters["lead.pan"] = -0.5
        heard = engine.render(1_000)
        np.testing.assert_array_equal(heard, drums + lead * np.float32([1, 0.5]))
        assert voice.done()
        assert voice.confirmation.result(0).frame == 100


def test_a_part_has_its_own_slots_parameters_and_meters() -> None:
    with band() as engine:
        assert engine.parts == ("drums", "lead", "bass")
        bass = engine.part("bass")
        assert (bass.name, bass.number, bass.buffer_slots, engine.buffer_slots) == ("bass", 3, 4, 132)
        assert list(bass.parameters) == ["gain", "limiter", "threshold", "pan", "mute"]
        assert list(bass.meters) == ["peak", "voices", "voice", "slot"]
        bass.parameters["mute"] = 1
        assert engine.parameters["bass.mute"] == 1
        assert engine.parameters["drums.mute"] == 0
        assert bass.parameters.spec("pan").name == "bass.pan"
        bass.publish(3, noise(500))
        bass.play(3)
        engine.render(64)
        assert bass.meters["voices"].playing == 1
        assert engine.meters["drums.voices"].playing == 0
        assert len(bass.meters.array("voice").line) == 2
        with pytest.raises(cueline.ArgumentError, match="slot must be from 0 to 3, got 4"):
            bass.publish(4, noise(5))
        with pytest.raises(cueline.ArgumentError, match="slot must be from 0 to 3, got 4"):
            bass.play(4)
        with pytest.raises(cueline.UnknownNameError, match="no parameter 'pam': the processor has 'gain'"):
            bass.parameters["pam"]
        with pytest.raises(cueline.ArgumentTypeError, match=r"use meters.array\('voice'\)"):
            bass.meters["voice"]
        with pytest.raises(cueline.ArgumentError, match=r"bass\.mute must be from 0 to 1, got 2"):
            bass.parameters["mute"] = 2


def test_what_a_part_cannot_do_is_refused() -> None:
    with band() as engine:
        lead = engine.part("lead")
        with pytest.raises(cueline.ProcessorError, match="the part 'lead' handles SetTone, GetLevel, Click, not PlayB"):
            lead.play(0)
        with pytest.raises(cueline.ProcessorError, match="the part 'lead' has no slots"):
            lead.publish(0, noise(5))
        with pytest.raises(cueline.ProcessorError, match="the part 'lead' has no slots"):
            lead.load(0, "no.wav")
        with pytest.raises(cueline.ProcessorError, match="the part 'lead' loads no buffers"):
            lead.load_buffer(noise(5))
        with pytest.raises(cueline.ProcessorError, match=r"parts 'drums', 'lead', 'bass': use engine\.part"):
            engine.play(0)
        with pytest.raises(cueline.UnknownNameError, match="no part 'drum': the engine has 'drums', 'lead', 'bass'"):
            engine.part("drum")
        with pytest.raises(cueline.ArgumentTypeError, match="name must be a part's name, got 1"):
            engine.part(1)  # type: ignore[arg-type]
        with pytest.raises(cueline.ArgumentTypeError, match=r"a class with @cueline.message, such as"):
            lead.send(3)
        with pytest.raises(
            cueline.ProcessorError, match=r"not PlayBuffer: send it to the part 'drums' or the part 'bas"
        ):
            lead.send(cueline.PlayBuffer(0))
        with pytest.raises(cueline.UnknownNameError, match=r"'mute'; without the part's name: 'pan'$"):
            lead.parameters["lead.pan"] = 1
        with pytest.raises(cueline.UnknownNameError, match=r"'mute'$"):
            lead.parameters["lead.wah"] = 1
        with pytest.raises(cueline.ProcessorError, match="the processor 'parts' handles"):
            engine.send(cueline.NoteOn(60, 100))
        assert "Part 'lead', 2 of 3" in repr(lead)
    with cueline.AudioEngine("offline", processor="tone") as engine:
        assert engine.parts == ()
        with pytest.raises(cueline.UnknownNameError, match=r"no part 'lead': the engine has a single processor"):
            engine.part("lead")
        with pytest.raises(cueline.ArgumentError, match="there is no part 2: the engine has a single processor"):
            engine.send(lead.addressed(cueline.Click()))


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ({}, "1 to 8 parts, got 0"),
        ({str(number): "tone" for number in range(9)}, "1 to 8 parts, got 9"),
        ({"": "tone"}, "a part's name must be a string of 1 to 200"),
        ({1: "tone"}, "a part's name must be a string, got 1"),
        ({"a.b": "tone"}, "part 'a.b' must have a name without a dot"),
        ({"a": "organ"}, "processor must be .*got 'organ'"),
        ({"a": {"b": "tone"}}, "part 'a' must be one processor"),
        ({"a": 3}, "processor must be a name"),
    ],
)
def test_parts_that_cannot_be(parts: Any, error: str) -> None:
    with pytest.raises((cueline.ArgumentError, cueline.ArgumentTypeError), match=error):
        cueline.AudioEngine("offline", processor=parts)


def test_a_processor_is_in_one_part_of_one_engine() -> None:
    player = cueline.player_processor()
    with pytest.raises(cueline.ArgumentError, match="parts 'a' and 'b' are one processor"):
        cueline.AudioEngine("offline", processor={"a": player, "b": player})
    with cueline.AudioEngine("offline", processor={"a": player}) as engine:
        with pytest.raises(cueline.ArgumentError, match="part 'b': another engine runs this processor"):
            cueline.AudioEngine("offline", processor={"b": player})
        assert engine.processor == "parts"
    cueline.AudioEngine("offline", processor=player).close()


def test_an_addressed_message_comes_to_its_part_whoever_sends_it() -> None:
    with band() as engine, engine.open_line() as line:
        drums, bass = engine.part("drums"), engine.part("bass")
        message = drums.addressed(cueline.SetSlot(3, attack_s=0.5))
        for part in drums, bass:
            part.publish(0, noise(5_000))
        for send in engine.send, line.send:
            assert send(bass.addressed(cueline.PlayBuffer(0))) is Status.OK
        assert line.confirm(bass.addressed(cueline.PlayBuffer(0))) is not None
        with engine.transaction(at=10) as both:
            both.send(drums.addressed(cueline.PlayBuffer(0)))
            both.send(bass.addressed(cueline.PlayBuffer(0)))
        with bass.transaction(at=20, confirm=True) as mixed:
            mixed.send(cueline.PlayBuffer(0))
            mixed.send(drums.addressed(cueline.PlayBuffer(0)))
        engine.render(64)
        assert mixed.confirmation is not None
        assert mixed.confirmation.result(0).frame == 20
        assert drums.meters["voices"] == (2, 0)
        assert bass.meters["voices"] == (2, 3)
        assert engine.stats().unhandled == 0
        assert bass.addressed(message) is message


def test_a_sequence_plays_its_parts() -> None:
    with band() as engine:
        drums, bass = engine.part("drums"), engine.part("bass")
        for part in drums, bass:
            part.publish(0, np.ones(2_000, np.float32) / 4)
        engine.parameters["lead.mute"] = 1
        bass.parameters["gain"] = 0.5
        engine.sequence(
            [(0, drums.addressed(cueline.PlayBuffer(0))), (0.25, bass.addressed(cueline.PlayBuffer(0)))],
            at=cueline.Beat(0),
        )
        heard = engine.render(12_000)[:, 0]
        assert heard[[0, 1_999, 2_000, 5_999, 6_000, 7_999, 8_000]].tolist() == [0.25, 0.25, 0, 0, 0.125, 0.125, 0]


def test_an_addressed_message_is_another_message() -> None:
    with band() as engine:
        plain = cueline.PlayBuffer(0)
        one, other = (engine.part(name).addressed(plain) for name in ("drums", "bass"))
        assert len({plain, one, other}) == 3
        assert plain != one != other
        assert "part=3" in repr(other)
        assert "part" not in repr(plain)
        assert type(one) is cueline.PlayBuffer
        for copied in (copy.copy(other), copy.deepcopy(other), pickle.loads(pickle.dumps(other))):
            assert copied == other


def test_a_message_without_an_address_comes_to_all_parts() -> None:
    with band() as engine:
        for name in "drums", "bass":
            engine.part(name).publish(0, noise(5_000))
        confirmation = engine.confirm(cueline.PlayBuffer(0))
        engine.render(64)
        confirmation.result(0)
        assert engine.meters["drums.voices"].playing == engine.meters["bass.voices"].playing == 1
        assert engine.stats().unhandled == 0


def test_a_loss_is_told_with_the_names_of_the_parts() -> None:
    engine = band()
    engine.send(cueline.StopVoice(12345))
    engine.send(cueline.PlayBuffer(128))
    engine.render(64)
    text = (
        "that the parts 'drums', 'lead', 'bass' did not handle: 1 .*; .* the parts 'drums', 'lead', 'bass' refused: 1"
    )
    with pytest.warns(cueline.LossWarning, match=text):
        engine.close()


def test_requests_arrays_and_tasks_reach_a_part() -> None:
    with band() as engine:
        lead = engine.part("lead")
        lead.send(cueline.GetLevel())
        engine.render(64)
        assert engine.receive(cueline.Level, timeout=0).sequence == engine.last_sequence
        with pytest.raises(cueline.Empty):
            lead.request(cueline.GetLevel(), cueline.Level, timeout=0)
        tones = np.zeros(3, cueline.dtype(cueline.SetTone))
        tones["gain"] = 0.5
        assert lead.send_many(tones) == 3
        with pytest.raises(cueline.ProcessorError, match="the part 'drums' handles"):
            engine.part("drums").send_many(tones)
        asyncio.run(lead.asend(cueline.Click()))
        engine.render(64)
        assert engine.stats().unhandled == 0


def test_a_voice_of_a_part_is_set_and_stopped_there() -> None:
    with band() as engine:
        bass = engine.part("bass")
        engine.parameters["lead.mute"] = 1
        voice = bass.play(np.ones(48_000, np.float32) / 2, loop=True)
        engine.part("drums").play(np.ones(48_000, np.float32) / 8)
        assert engine.render(64)[-1, 0] == 0.625
        voice.set(gain=0.5)
        engine.render(1_000)
        assert engine.render(64)[-1, 0] == 0.375
        voice.stop()
        engine.render(1_000)
        assert voice.done()
        assert engine.render(64)[-1, 0] == 0.125
        late = voice.set(gain=1)
        engine.render(64)
        with pytest.raises(cueline.RefusedError, match="ENDED") as refused:
            late.result(0)
        assert refused.value.name == "ENDED"


def test_a_part_keeps_its_engine_and_no_circle() -> None:
    engine = band()
    part = engine.part("lead")
    there = weakref.ref(engine)
    del engine
    assert there() is not None
    gc.disable()
    try:
        del part
        assert there() is None
    finally:
        gc.enable()
