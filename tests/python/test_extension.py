"""Processors from extension modules: built against the installed package, accepted, refused, and kept alive."""

from __future__ import annotations

import gc
import hashlib
import importlib.util
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import cueline
from conftest import cmake, require
from jack_server import JackServer

ROOT = Path(__file__).parents[2]


@cueline.message(kind=300)
class Say:
    number: cueline.f64


@cueline.message(kind=301)
class Said:
    number: cueline.f64
    at: cueline.u64


@cueline.message(kind=302)
class Ask:
    how: cueline.u32
    value: cueline.u32 = 0
    at_frame: cueline.u64 = 0


@cueline.message(kind=303)
class Hold:
    sound: cueline.buffer


# What processor_offer.hpp and line_offer.hpp make an extension and an engine agree on, by the interface's number.
CODE_OF_THE_INTERFACE = {8: "f94ffe25fcc510bb"}
(INTERFACE,) = CODE_OF_THE_INTERFACE


@pytest.fixture(scope="session")
def probe(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """Build the extension in tests/extension against the installed package, like its author."""
    require("cmake")
    require("g++")
    folder = tmp_path_factory.mktemp("extension")

    found = [f"-Dcueline_DIR={cueline.get_cmake_dir()}", f"-DPython_EXECUTABLE={sys.executable}"]
    cmake("-S", ROOT / "tests/extension", "-B", folder, *found)
    cmake("--build", folder)
    (built,) = folder.glob("probe.*.so")
    spec = importlib.util.spec_from_file_location("probe", built)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def engine_of(processor: Any, **arguments: Any) -> cueline.AudioEngine:
    return cueline.AudioEngine("offline", processor=processor, blocksize=64, outputs=1, **arguments)


def test_a_processor_of_an_extension_renders_and_has_its_parameters_meters_and_buffers(probe: ModuleType) -> None:
    with engine_of(probe.processor()) as engine:
        assert engine.processor == "probe"
        assert engine.buffer_slots == 1
        assert set(np.unique(engine.render(64))) == {0.5}
        engine.parameters["level"] = 0.25
        engine.publish(0, np.array([1.0], np.float32), at=128)
        audio = engine.render(128)
        assert set(np.unique(audio[:64])) == {0.25}
        assert set(np.unique(audio[64:])) == {1.25}
        assert engine.meters["said"] == (0, 0)


def test_a_processor_of_an_extension_plays_and_records_streams_of_its_own(probe: ModuleType) -> None:
    with engine_of(probe.processor()) as engine:
        grains = engine.open_playback(stream="grains", at=100)
        taken = engine.open_recording(source="grains", at=90)
        with pytest.raises(cueline.StreamsTakenError, match="this stream of the processor is open: close it"):
            engine.open_playback(stream="grains")
        grains.write(np.arange(1, 31, dtype=np.float32))
        outputs = engine.render(200)
        np.testing.assert_array_equal(outputs[100:130, 0], np.arange(1, 31) + 0.5)
        block = taken.read(110, timeout=0)
        assert block.frame == 90
        np.testing.assert_array_equal(block.samples, outputs[90:])
        position = grains.position()
        assert (position.played, position.underrun) == (30, 70)
        grains.close()
        engine.render(128)
        engine.open_playback(stream="grains")
        with pytest.raises(cueline.ArgumentError, match="no playback 'grain': the processor has 'grains'"):
            engine.open_playback(stream="grain")
        with pytest.raises(cueline.ArgumentError, match="'grains' of the processor has 1 channels, got 2"):
            engine.open_recording(source="grains", channels=2)


def test_it_declares_as_many_buffer_slots_as_it_needs(probe: ModuleType) -> None:
    slots = 4096
    first = np.arange(1, slots + 1, dtype=np.float32)
    with engine_of(probe.processor_with_slots(slots)) as engine:
        assert (engine.buffer_slots, engine.stats().buffers.limit) == (slots, 2 * slots)
        engine.parameters["level"] = 0

        def fill(values: npt.NDArray[np.float32]) -> None:
            for slot in range(slots):
                assert engine.publish(slot, values[slot : slot + 1]) is cueline.Status.OK
                if slot % 1000 == 999:
                    engine.render(slots)  # the command ring holds 1024
            engine.render(slots)
            assert (engine.render(slots)[:, 0] == values).all()
            assert engine.stats().buffers.in_use == slots

        fill(first)
        fill(first + slots)
        for slot in range(2000):
            assert engine.publish(slot, None) is cueline.Status.OK
            if slot % 1000 == 999:
                engine.render(slots)
        assert engine.stats().buffers.in_use == slots - 2000
        with pytest.raises(cueline.ArgumentError, match=r"^slot must be from 0 to 4095, got 4096$"):
            engine.publish(slots, first)


def test_every_buffer_may_be_under_way_and_one_more_is_refused_with_the_limit(probe: ModuleType) -> None:
    with engine_of(probe.processor_with_slots(100)) as engine:
        for count in range(200):
            assert engine.publish(count % 100, np.ones(1, np.float32)) is cueline.Status.OK
        assert engine.publish(0, np.ones(1, np.float32)) is cueline.Status.NO_BUFFER
        assert engine.stats().buffers.refused == 1
        with pytest.raises(cueline.Full, match="200 buffers are in use, which is the limit"):
            engine.publish(0, np.ones(1, np.float32), timeout=0.01)
        engine.render(64)
        assert engine.stats().buffers.in_use == 100


def test_more_than_4096_buffer_slots_are_refused(probe: ModuleType) -> None:
    with pytest.raises(cueline.ArgumentError, match=r"at most 4096 slots for buffers, got 4097$"):
        engine_of(probe.processor_with_slots(4097))


def test_its_messages_go_down_and_its_events_come_up_as_their_own_types(probe: ModuleType) -> None:
    with engine_of(probe.processor()) as engine:
        engine.send(Say(number=2.5), at=70)
        engine.render(128)
        said = engine.receive_msg()
        assert isinstance(said, Said)
        assert (said.number, said.at, said.frame, said.sequence) == (2.5, 70, 70, 1)
        assert engine.meters["said"].times == 1
        assert engine.meters.read("said").frame == 70
        assert engine.stats().unhandled == 0
        refused = engine.confirm(cueline.GetLevel())  # it declares no kinds, so that send() cannot refuse it
        engine.render(64)
        assert engine.stats().unhandled == 1
        with pytest.raises(cueline.RefusedError, match="the processor does not handle this message") as caught:
            refused.result(0)
        assert caught.value.reason is cueline.Reason.UNKNOWN


def test_a_confirmation_shows_the_value_that_the_processor_returns(probe: ModuleType) -> None:
    with engine_of(probe.processor()) as engine:
        confirmation = engine.confirm(Ask(how=0, value=42))
        engine.render(64)
        assert confirmation.result(0).value == 42


def test_a_refusal_has_the_name_that_the_processor_declares(probe: ModuleType) -> None:
    with engine_of(probe.processor()) as engine:
        stale, busy, nameless = (engine.confirm(Ask(how=1, value=value)) for value in range(3))
        engine.render(64)
        with pytest.raises(cueline.RefusedError, match="the processor refused it: stale source") as one:
            stale.result(0)
        assert (one.value.name, one.value.reason) == ("stale source", 256)
        with pytest.raises(cueline.RefusedError, match="no voice is free"):
            busy.result(0)
        with pytest.raises(cueline.RefusedError, match="refused it for reason 258, which it does not name") as other:
            nameless.result(0)
        assert other.value.name == ""
        engine.close()  # no LossWarning: the confirmations said it
    assert (engine.stats().refused, engine.stats().unhandled) == (3, 0)


def test_a_refusal_that_nobody_asked_about_is_a_loss(probe: ModuleType) -> None:
    engine = engine_of(probe.processor())
    engine.send(Ask(how=1))
    engine.render(64)
    with pytest.warns(cueline.LossWarning, match=r"that the processor 'probe' refused: 1 \(confirm\(\) says why\)"):
        engine.close()


def test_what_the_processor_defers_is_confirmed_at_its_frame_and_can_be_cancelled(probe: ModuleType) -> None:
    with engine_of(probe.processor()) as engine:
        deferred, cancelled = (engine.confirm(Ask(how=2, value=value, at_frame=100)) for value in (7, 8))
        engine.render(64)
        assert not deferred.done()
        assert engine.stats().cues.pending == 2
        cancelled.cancel()
        engine.render(64)
        applied = deferred.result(0)
        assert (applied.value, applied.frame, applied.late) == (7, 100, False)
        with pytest.raises(cueline.RefusedError) as caught:
            cancelled.result(0)
        assert (caught.value.reason, caught.value.name) == (cueline.Reason.CANCELLED, "CANCELLED")
        late = engine.confirm(Ask(how=2, at_frame=5))
        engine.render(64)
        with pytest.raises(cueline.RefusedError, match="or the processor scheduled it too late"):
            late.result(0)


def test_a_command_that_is_not_applied_comes_back_to_the_processor(probe: ModuleType) -> None:
    with engine_of(probe.processor()) as engine:
        engine.send(Say(1.0), at=100)
        engine.cancel(engine.last_sequence)
        engine.send(Say(2.0), at=200)
        engine.render(64)
        cancelled = engine.receive(timeout=0)
    waiting = engine.receive_msg()  # when the engine was closed
    assert [(said.number, said.sequence) for said in (cancelled, waiting) if isinstance(said, Said)] == [
        (-1, 1),
        (-1, 3),
    ]


def sounds(engine: cueline.AudioEngine) -> float:
    """Return what the probe adds to its level, in the next block."""
    (sample,) = np.unique(engine.render(64))
    return float(sample) - 0.5


def test_a_message_carries_a_buffer_without_a_slot(probe: ModuleType) -> None:
    with engine_of(probe.processor()) as engine:
        quarter = engine.load_buffer(np.array([0.25]))
        assert engine.stats().buffers.limit == 128 + 3
        assert sounds(engine) == 0
        engine.send(Hold(quarter))
        assert sounds(engine) == 0.25
        eighth = engine.load_buffer(np.full((100, 2), 0.125, np.float32))
        engine.send(Hold(eighth), at=engine.now() + 64)
        assert [sounds(engine), sounds(engine)] == [0.25, 0.125]
        assert engine.stats().buffers.in_use == 1, "the processor released the first one"
        unloaded, again = (engine.confirm(cueline.UnloadBuffer(eighth)) for _ in range(2))
        assert sounds(engine) == 0
        assert (unloaded.result(0).value, again.result(0).value) == (1, 0)
        buffers = engine.stats().buffers
        assert (buffers.in_use, buffers.bytes, buffers.bytes_locked, buffers.published) == (0, 0, 0, 2)
        engine.send(Hold(eighth))
        assert sounds(engine) == 0
        assert engine.stats().unhandled == 1


def test_a_line_unloads_a_buffer_at_a_frame_and_in_a_transaction(probe: ModuleType) -> None:
    with engine_of(probe.processor()) as engine, engine.open_line() as line:
        first, second = engine.load_buffer([0.25]), engine.load_buffer([0.125])
        line.send(Hold(first))
        line.send(cueline.UnloadBuffer(first), at=64)
        with line.transaction(at=128) as swap:
            swap.send(Hold(second))
            swap.send(cueline.UnloadBuffer(second))
        assert [sounds(engine) for _ in range(3)] == [0.25, 0, 0]
        assert engine.stats().buffers.in_use == 0


def test_as_many_buffers_are_loaded_as_can_be_and_one_more_is_refused(probe: ModuleType) -> None:
    with engine_of(probe.processor()) as engine:
        handles = [engine.load_buffer([0.5]) for _ in range(128 + 3)]
        assert len(set(handles)) == len(handles)
        with pytest.raises(cueline.Full, match="131 buffers are in use, which is the limit"):
            engine.load_buffer([0.5])
        with pytest.raises(cueline.Full, match="131 buffers are in use"):
            engine.load_buffer([0.5], timeout=0.01)
        assert engine.stats().buffers.refused == 2
        assert engine.publish(0, np.ones(1)) is cueline.Status.NO_BUFFER
        engine.send(cueline.UnloadBuffer(handles[7]))
        engine.render(64)
        assert engine.load_buffer([0.5]) not in handles
        assert engine.stats().buffers.in_use == 131


def test_a_buffer_that_a_message_carried_which_was_never_applied_stays_loaded(probe: ModuleType) -> None:
    with engine_of(probe.processor()) as engine:
        handle = engine.load_buffer([0.25])
        engine.send(Hold(handle), at=100)
        engine.cancel(engine.last_sequence)
        engine.render(128)
        assert engine.stats().buffers.in_use == 1
        engine.send(Hold(handle))
        assert sounds(engine) == 0.25
    assert engine.stats().buffers.in_use == 0


def test_load_buffer_refuses_what_publish_refuses_and_a_processor_that_loads_none(probe: ModuleType) -> None:
    with engine_of(probe.processor()) as engine:
        with pytest.raises(cueline.ArgumentError, match="must not be empty"):
            engine.load_buffer([])
        with pytest.raises(cueline.ArgumentTypeError, match="must hold floats or int16, got int64"):
            engine.load_buffer([1, 2])
        for handle in (0, 1, 2**32 - 1):
            engine.send(Hold(handle))
            engine.send(cueline.UnloadBuffer(handle))
        assert sounds(engine) == 0
        assert engine.stats().unhandled == 2
    with pytest.raises(cueline.ClosedError):
        engine.load_buffer([0.5])
    for processor in ("tone", probe.processor_with_slots(2)):
        with engine_of(processor) as other, pytest.raises(cueline.ProcessorError, match="needs a processor that loads"):
            other.load_buffer([0.5])


@pytest.fixture
def close_line(probe: ModuleType) -> Iterator[None]:
    yield
    probe.close_line()


@pytest.mark.usefixtures("close_line")
def test_a_thread_of_an_extension_sends_and_receives_on_a_line_of_its_own_without_the_gil(probe: ModuleType) -> None:
    with engine_of(probe.processor()) as engine:
        assert probe.open_line(engine) == 1
        assert engine.open_line().number == 2, "Python's lines are others"
        assert probe.times() == (0, None)
        assert [probe.say(1.5), probe.say(2.5, 100)] == ["ok", "ok"]
        engine.render(128)
        assert probe.times() == (128, 64)
        assert [probe.heard(), probe.heard(), probe.heard()] == [1.5, 2.5, None]
        assert engine.receive_msg() is None
        assert engine.stats().lines[1].commands.sent == 2


@pytest.mark.usefixtures("close_line")
def test_a_line_of_an_extension_refuses_what_finds_no_room_and_counts_it(probe: ModuleType) -> None:
    with engine_of(probe.processor()) as engine:
        probe.open_line(engine)
        assert {probe.say(1.0) for _ in range(1024)} == {"ok"}
        assert probe.say(1.0) == "full"
        assert engine.stats().lines[1].commands.dropped == 1
        assert probe.try_to_say(1.0) == "full"
        assert engine.stats().lines[1].commands.dropped == 1, "the thread may try again"
        engine.render(64)
        assert probe.try_to_say(1.0) == "ok"
        probe.give_up(2)
        assert engine.stats().lines[1].commands.dropped == 3
        engine.close()


@pytest.mark.usefixtures("close_line")
def test_a_line_of_an_extension_refuses_everything_when_the_engine_is_closed_or_gone(probe: ModuleType) -> None:
    gc.collect()
    before = probe.how_many_live()
    engine = engine_of(probe.processor())
    probe.open_line(engine)
    engine.close()
    assert probe.say(1.0) == "closed"
    del engine
    gc.collect()
    assert probe.say(1.0) == "closed"
    assert probe.heard() is None
    probe.close_line()
    assert probe.how_many_live() == before, "the line was the last owner"


@pytest.mark.usefixtures("close_line")
def test_confirmations_that_an_extension_left_do_not_replace_pythons(probe: ModuleType) -> None:
    with engine_of(probe.processor()) as engine:
        assert probe.open_line(engine) == 1
        assert [probe.say(1.0, 0, True), probe.say(2.0, 100, True)] == ["ok", "ok"]
        engine.render(64)
        probe.close_line()
        with engine.open_line() as line:
            assert line.number == 2, "a confirmation of the extension's line is still to come"
            confirmations = [line.confirm(Say(3.0)), line.confirm(Say(4.0), at=200)]
            engine.render(256)
            assert [confirmation.result(0).sequence for confirmation in confirmations] == [1, 2]
        with engine.open_line() as line:
            assert line.number == 1
            confirmation = line.confirm(Say(3.0))
            engine.render(64)
            assert confirmation.result(0).sequence == 3


@pytest.mark.usefixtures("close_line")
def test_confirmations_that_an_extension_left_until_some_were_dropped_do_no_harm(probe: ModuleType) -> None:
    with engine_of(probe.processor()) as engine:
        probe.open_line(engine)
        for _ in range(2):
            assert {probe.say(1.0, 0, True) for _ in range(1024)} == {"ok"}
            engine.render(64)
        probe.close_line()
        assert engine.stats().lines[1].confirmations.dropped == 1024
        for _ in range(2):
            with engine.open_line() as line:
                assert line.number == 1
                confirmation = line.confirm(Say(3.0))
                engine.render(64)
        assert confirmation.result(0).sequence == 2050


@pytest.mark.usefixtures("close_line")
def test_a_line_of_an_extension_takes_no_confirmation_that_python_waits_for(probe: ModuleType) -> None:
    with engine_of(probe.processor()) as engine:
        with engine.open_line() as line:
            assert line.number == 1
            confirmations = [line.confirm(Say(1.0)), line.confirm(Say(2.0), at=100)]
            engine.render(64)
        assert probe.open_line(engine) == 2
        probe.say(3.0, 0, True)
        engine.render(64)
        assert [probe.confirmed(), probe.confirmed()] == [1, None]
        assert [confirmation.result(0).sequence for confirmation in confirmations] == [1, 2]
        probe.close_line()
        assert probe.open_line(engine) == 1


@pytest.mark.usefixtures("close_line")
def test_a_line_of_an_extension_is_refused_with_the_reason(probe: ModuleType) -> None:
    with engine_of(probe.processor(), lines=2) as engine:
        probe.open_line(engine)
        with pytest.raises(cueline.LinesTakenError, match="all 2 lines are open"):
            engine.open_line()
        probe.close_line()
        with engine.open_line() as line:
            assert line.number == 1
            with pytest.raises(cueline.LinesTakenError):
                probe.open_line(engine)
    with pytest.raises(cueline.ClosedError):
        probe.open_line(engine)
    with pytest.raises(AttributeError, match="__cueline_lines__"):
        probe.open_line(3)


def test_it_runs_on_a_device_of_its_own_thread(probe: ModuleType) -> None:
    with cueline.AudioEngine("null", processor=probe.processor()) as engine:
        engine.send(Say(number=1.0))
        assert isinstance(engine.receive(timeout=10), Said)


class Offering:
    def __init__(self, capsule: object) -> None:
        self.capsule = capsule

    def __cueline_processor__(self) -> object:
        return self.capsule


def test_an_engine_that_a_warning_refuses_gives_its_processor_back(
    probe: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "cueline-test-nobody")
    processor = probe.processor()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeWarning, match="this engine is silent"):
            cueline.AudioEngine(processor=processor)
    cueline.AudioEngine("null", processor=processor).close()


def test_an_object_can_offer_its_processor(probe: ModuleType) -> None:
    instrument = Offering(probe.processor())
    assert isinstance(instrument, cueline.OffersProcessor)
    with engine_of(instrument) as engine:
        assert engine.render(1)[0, 0] == 0.5


def test_an_extension_of_another_interface_is_refused_with_both_versions(probe: ModuleType) -> None:
    other = probe.processor_of_another(INTERFACE + 1, "9.1.0", probe.layout())
    with pytest.raises(cueline.ProcessorError) as refused:
        engine_of(other)
    assert str(refused.value) == (
        f"this processor was compiled against cueline 9.1.0, and the engine is cueline {cueline.__version__}: the "
        f"extension has processor interface {INTERFACE + 1}, the engine has {INTERFACE}; build the extension again, "
        f"against cueline {cueline.__version__}"
    )


def test_an_extension_of_another_layout_is_refused_with_what_differs(probe: ModuleType) -> None:
    layout = probe.layout().replace("Message 56", "Message 64")
    assert layout != probe.layout()
    with pytest.raises(cueline.ProcessorError, match=r"9\.1\.0.*'Message 64' in the extension and 'Message 56' in the"):
        engine_of(probe.processor_of_another(INTERFACE, "9.1.0", layout))
    with pytest.raises(cueline.ProcessorError, match=r"'libc\+\+' in the extension and 'libstdc\+\+' in the engine"):
        engine_of(probe.processor_of_another(INTERFACE, "9.1.0", layout.replace("libstdc++", "libc++")))
    with pytest.raises(cueline.ProcessorError, match="'nothing' in the extension and 'libstdc"):
        engine_of(probe.processor_of_another(INTERFACE, "9.1.0", ""))
    with pytest.raises(cueline.ProcessorError, match="'Ghost 8' in the extension and 'nothing' in the engine"):
        engine_of(probe.processor_of_another(INTERFACE, "9.1.0", probe.layout() + ", Ghost 8"))


def test_an_extension_of_another_version_that_fits_is_taken(probe: ModuleType) -> None:
    with engine_of(probe.processor_of_another(INTERFACE, "9.1.0", probe.layout())) as engine:
        assert engine.render(1)[0, 0] == 0.5


def test_what_is_no_processor_is_refused(probe: ModuleType) -> None:
    with pytest.raises(cueline.ArgumentError, match=r"must be named 'cueline\.processor', got 'somebody\.else'"):
        engine_of(probe.capsule_of_another_kind())
    with pytest.raises(cueline.ArgumentTypeError, match="must return a processor's capsule, got 3"):
        engine_of(Offering(3))
    for wrong in (3, object(), Offering, b"tone"):
        with pytest.raises(cueline.ArgumentTypeError, match="processor must be a name, a processor's capsule"):
            engine_of(wrong)
    with pytest.raises(ValueError, match="null pointer"):
        probe.nothing()


def test_a_name_that_is_no_text_does_no_harm(probe: ModuleType) -> None:
    with engine_of(probe.nameless()) as engine:
        assert engine.processor == "\ufffd\ufffd"


def test_a_processor_lives_as_long_as_whoever_has_it(probe: ModuleType) -> None:
    gc.collect()
    before = probe.how_many_live()
    capsule = probe.processor()
    engine = engine_of(capsule)
    assert probe.how_many_live() == before + 1
    del capsule  # the engine still holds it
    with engine:
        assert engine.render(1)[0, 0] == 0.5
    del engine
    gc.collect()
    assert probe.how_many_live() == before

    capsule = probe.processor()
    engine = engine_of(capsule)
    line = engine.open_line()
    del engine, line
    gc.collect()
    assert probe.how_many_live() == before + 1  # the capsule still holds it
    with engine_of(capsule) as engine:
        assert engine.render(1)[0, 0] == 0.5
    del capsule, engine
    gc.collect()
    assert probe.how_many_live() == before


def test_a_running_engine_that_is_dropped_lets_go_of_its_processor(probe: ModuleType) -> None:
    gc.collect()
    before = probe.how_many_live()
    engine = cueline.AudioEngine("null", processor=probe.processor())
    engine.start()
    engine.ping()
    engine.receive(timeout=10)
    del engine
    gc.collect()
    assert probe.how_many_live() == before


def test_a_processor_is_one_engines_at_a_time(probe: ModuleType) -> None:
    capsule = probe.processor()
    first = engine_of(capsule)
    with pytest.raises(cueline.ArgumentError, match=r"another engine runs this processor: close\(\) that engine first"):
        engine_of(capsule)
    first.close()
    with engine_of(capsule) as second:
        assert second.render(1)[0, 0] == 0.5
    first.close()  # again: it no longer holds the processor
    third = engine_of(capsule)
    first.close()
    with pytest.raises(cueline.ArgumentError, match="another engine runs this processor"):
        engine_of(capsule)
    third.close()


def test_what_its_prepare_throws_comes_up_and_it_is_let_go(probe: ModuleType) -> None:
    before = probe.how_many_live()
    capsule = probe.processor_that_fails()
    for _ in range(2):  # the second time it is free again
        with pytest.raises(RuntimeError, match="the probe has no tables to prepare"):
            engine_of(capsule)
    del capsule
    gc.collect()
    assert probe.how_many_live() == before


def test_what_its_prepare_throws_at_a_start_comes_up_whatever_it_is(probe: ModuleType) -> None:
    with JackServer(), cueline.AudioEngine("jack", processor=probe.processor()) as engine:
        for blocksize, error in ((512, RuntimeError), (1024, SystemError)):
            engine.stop()
            subprocess.run(["jack_bufsize", str(blocksize)], check=True, capture_output=True, timeout=10)
            with pytest.raises(error, match=r"the probe has no tables|not a std::exception"):
                engine.start()
        subprocess.run(["jack_bufsize", "256"], check=True, capture_output=True, timeout=10)
        engine.start()
        engine.ping()
        assert isinstance(engine.receive(timeout=5), (cueline.FormatChanged, cueline.Pong))


def test_an_engine_that_cannot_be_made_lets_go_of_its_processor(probe: ModuleType) -> None:
    capsule = probe.processor()
    with pytest.raises(cueline.ArgumentError, match="budget"):
        engine_of(capsule, budget=0)
    with pytest.raises(cueline.DeviceError):
        cueline.AudioEngine("jack", server="cueline-nobody-runs-this-one", processor=capsule)
    engine_of(capsule).close()


def code_of_the_interface() -> str:
    """Return a hash of the code, without comments, of the two headers of offers and all that they include."""
    headers: set[str] = set()
    ahead = ["cueline/processor_offer.hpp", "cueline/line_offer.hpp"]
    while ahead:
        header = ahead.pop()
        if header in headers or header == "cueline/version.hpp":
            continue
        headers.add(header)
        ahead += re.findall(r"#include <(cueline/\w+\.hpp)>", (ROOT / "include" / header).read_text())
    code = "".join(re.sub(r"//.*|\s+", "", (ROOT / "include" / header).read_text()) for header in sorted(headers))
    return hashlib.sha256(code.encode()).hexdigest()[:16]


def test_who_changes_what_both_sides_read_looks_at_the_interface() -> None:
    """Loading an extension compares sizes only: whoever changes a header must decide what the change means.

    Would a processor that was compiled before the change be misunderstood? Then raise processor_interface in
    processor_offer.hpp, and write its line here. If not, renew the line that is here.
    """
    said = re.search(r"processor_interface = (\d+);", (ROOT / "include/cueline/processor_offer.hpp").read_text())
    assert said is not None
    assert {int(said[1]): code_of_the_interface()} == CODE_OF_THE_INTERFACE
