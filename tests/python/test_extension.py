"""Processors from extension modules: built against the installed package, accepted, refused, and kept alive."""

from __future__ import annotations

import gc
import hashlib
import importlib.util
import re
import subprocess
import sys
import warnings
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


@pytest.fixture(scope="session")
def probe(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """Build the extension in tests/extension against the installed package, like its author."""
    require("cmake")
    require("g++")
    folder = tmp_path_factory.mktemp("extension")

    found = [f"-Dcueline_DIR={cueline.get_cmake_dir()}", f"-DPython_EXECUTABLE={sys.executable}"]
    cmake("-S", ROOT / "tests/extension", "-B", folder, "-G", "Ninja", *found)
    cmake("--build", folder)
    (built,) = folder.glob("probe.*.so")
    spec = importlib.util.spec_from_file_location("probe", built)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def engine_of(processor: Any, **arguments: Any) -> cueline.AudioEngine:
    return cueline.AudioEngine("offline", processor=processor, blocksize=64, channels=1, **arguments)


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
        assert engine.publish(0, np.ones(1, np.float32)) is cueline.Status.FULL
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
    other = probe.processor_of_another(7, "9.1.0", probe.layout())
    with pytest.raises(cueline.ProcessorError) as refused:
        engine_of(other)
    assert str(refused.value) == (
        f"this processor was compiled against cueline 9.1.0, and the engine is cueline {cueline.__version__}: the "
        "extension has processor interface 7, the engine has 4; build the extension again, against cueline "
        f"{cueline.__version__}"
    )


def test_an_extension_of_another_layout_is_refused_with_what_differs(probe: ModuleType) -> None:
    layout = probe.layout().replace("Message 56", "Message 64")
    assert layout != probe.layout()
    with pytest.raises(cueline.ProcessorError, match=r"9\.1\.0.*'Message 64' in the extension and 'Message 56' in the"):
        engine_of(probe.processor_of_another(4, "9.1.0", layout))
    with pytest.raises(cueline.ProcessorError, match=r"'libc\+\+' in the extension and 'libstdc\+\+' in the engine"):
        engine_of(probe.processor_of_another(4, "9.1.0", layout.replace("libstdc++", "libc++")))
    with pytest.raises(cueline.ProcessorError, match="'nothing' in the extension and 'libstdc"):
        engine_of(probe.processor_of_another(4, "9.1.0", ""))
    with pytest.raises(cueline.ProcessorError, match="'Ghost 8' in the extension and 'nothing' in the engine"):
        engine_of(probe.processor_of_another(4, "9.1.0", probe.layout() + ", Ghost 8"))


def test_an_extension_of_another_version_that_fits_is_taken(probe: ModuleType) -> None:
    with engine_of(probe.processor_of_another(4, "9.1.0", probe.layout())) as engine:
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


# What processor_offer.hpp makes a processor and its engine agree on, by the interface's number.
CODE_OF_THE_INTERFACE = {4: "f70f63ea83c5c563"}


def code_of_the_interface() -> str:
    """Return a hash of the code, without comments, of all headers that processor_offer.hpp includes."""
    headers: set[str] = set()
    ahead = ["cueline/processor_offer.hpp"]
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
