"""Processors from functions that numba compiled: their arguments, their output, and what is refused."""

# ruff: noqa: ARG001
from __future__ import annotations

import ctypes
import gc
import math
import mmap
import subprocess
import sys
import weakref
from collections.abc import Callable
from itertools import repeat
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

import cueline
from conftest import sanitized
from cueline import HANDLE_SIGNATURE, RENDER_SIGNATURE, MeterSpec, ParameterSpec, cfunc_processor

COUNTS = np.dtype([("calls", np.int64), ("frames", np.int64), ("told", np.float64)])


@cueline.message(kind=400)
class Tell:
    number: cueline.f64


@cueline.message(kind=401)
class Told:
    number: cueline.f64
    samplerate: cueline.f64


TELL, TOLD = cueline.dtype(Tell), cueline.dtype(Told)
ANY = cueline.dtype()


def rendering(function: Any, **options: Any) -> Any:
    return numba.cfunc(RENDER_SIGNATURE, **options)(function)


def handling(function: Any, **options: Any) -> Any:
    return numba.cfunc(HANDLE_SIGNATURE, **options)(function)


@numba.cfunc(RENDER_SIGNATURE)
def count(
    inputs, ins, outputs, outs, frames, frame, samplerate, parameters, arrays, meters, events, samples, buffers, state
):
    """Render the frame's number and the parameters' values, and count the calls."""
    sound = numba.carray(outputs, (outs, frames))
    values = numba.carray(parameters, (2, frames))
    for i in range(frames):
        for channel in range(outs):
            sound[channel, i] = frame + i if channel == 0 else values[channel - 1, i]
    counts = numba.carray(state, 1, COUNTS)[0]
    counts.calls += 1
    counts.frames += frames
    shown = numba.carray(meters, (2, 8))
    shown[0, 0] = counts.frames
    shown[1, 0] = samplerate
    shown[1, 1] = outs


@numba.cfunc(HANDLE_SIGNATURE)
def tell(command, frame, samplerate, events, cues, state):
    """Handle one kind, and answer it."""
    told = numba.carray(command, 1, TELL)[0]
    if told.kind != 400:
        return False
    numba.carray(state, 1, COUNTS)[0].told = told.number
    answers = numba.carray(events, 16, TOLD)
    answers[0].kind = 401
    answers[0].number = told.number
    answers[0].samplerate = samplerate
    return True


@numba.cfunc(RENDER_SIGNATURE)
def chatter(
    inputs, ins, outputs, outs, frames, frame, samplerate, parameters, arrays, meters, events, samples, buffers, state
):
    """Send sixteen events in each call, each a frame later than the one before."""
    sent = numba.carray(events, 16, ANY)
    for i in range(16):
        sent[i].kind = 500 + i
        sent[i].frame = frame + i if i > 0 else 0
        sent[i].sequence = 7 if i == 3 else 0


def engine_of(processor: Any, *, outputs: int = 3, blocksize: int = 64) -> cueline.AudioEngine:
    return cueline.AudioEngine("offline", processor=processor, outputs=outputs, blocksize=blocksize)


@numba.cfunc(RENDER_SIGNATURE)
def add_up(
    inputs, ins, outputs, outs, frames, frame, samplerate, parameters, arrays, meters, events, samples, buffers, state
):
    """Count the frames in a meter."""
    numba.carray(meters, (1, 8))[0, 0] += frames


def test_in_its_next_engine_its_meters_begin_anew() -> None:
    processor = cfunc_processor(add_up, meters=[MeterSpec("frames")])
    for _ in range(2):
        with engine_of(processor) as engine:
            engine.render(128)
            assert engine.meters["frames"] == 128


def counting(state: np.ndarray[Any, Any]) -> Any:
    return cfunc_processor(
        count,
        tell,
        state=state,
        parameters=[ParameterSpec("jump", -10, 10, default=1, ramp=0), ParameterSpec("glide", 0, 48, ramp=0.001)],
        meters=[MeterSpec("frames"), MeterSpec("format", fields=("samplerate", "channels"))],
    )


@pytest.mark.parametrize("blocksize", [1, 7, 64, 1000])
def test_each_frame_has_its_number_and_its_parameters(blocksize: int) -> None:
    state = np.zeros(1, COUNTS)
    with engine_of(counting(state), blocksize=blocksize) as engine:
        engine.render(blocksize)
        engine.parameters["jump"] = -2
        engine.parameters["glide"] = 48
        audio = engine.render(1000)
        begin = blocksize
        assert audio[:, 0].tolist() == list(range(begin, begin + 1000))
        assert set(audio[:, 1]) == {-2}
        assert audio[:48, 2].tolist() == pytest.approx(range(1, 49))
        assert set(audio[48:, 2]) == {48}
        assert engine.meters["frames"] == begin + 1000
        assert engine.meters["format"] == (48000, 3)
        assert engine.processor == "count"
    assert state[0]["frames"] == begin + 1000


def test_a_cue_splits_a_block_and_the_command_is_handled_between_its_parts() -> None:
    state = np.zeros(1, COUNTS)
    with engine_of(counting(state)) as engine:
        engine.send(Tell(number=0.25), at=10)
        audio = engine.render(64)
        assert audio[:, 0].tolist() == list(range(64))
        answer = engine.receive_msg()
        assert isinstance(answer, Told)
        assert (answer.number, answer.samplerate, answer.frame, answer.sequence) == (0.25, 48000, 10, 1)
        assert engine.receive_msg() is None
        assert (state[0]["calls"], state[0]["told"]) == (2, 0.25)
        engine.send(cueline.GetLevel())
        engine.render(1)
        assert engine.stats().unhandled == 1


@cueline.message(kind=402)
class Play:
    slot: cueline.u32
    beat: cueline.u32 = 0


PLAY, PLAYED = cueline.dtype(Play), np.dtype([("slot", "i8"), ("discarded", "i8")])
SLOTS = 2
EMPTY = cueline.REFUSED | 256 << 32


@numba.cfunc(RENDER_SIGNATURE, error_model="numpy")
def play_slot(
    inputs, ins, outputs, outs, frames, frame, samplerate, parameters, arrays, meters, events, samples, buffers, state
):
    """Play the buffer in a slot from its beginning, in each block."""
    slot = numba.carray(state, 1, PLAYED)[0].slot
    numbers = numba.carray(buffers, (SLOTS, 3))
    numba.carray(meters, 8)[0] = numbers[slot, 2]
    sound = numba.carray(outputs, (outs, frames))
    for i in range(frames):
        sound[0, i] = 0
    if numbers[slot, 0] > 0:
        buffer = numba.carray(samples[slot], (numbers[slot, 0], numbers[slot, 1]))
        for i in range(min(frames, numbers[slot, 0])):
            sound[0, i] = buffer[i, 0]


@numba.cfunc(HANDLE_SIGNATURE)
def play(command, frame, samplerate, events, cues, state):
    """Refuse slot 2 and more, and wait for the beat."""
    wanted = numba.carray(command, 1, PLAY)[0]
    if wanted.kind != 402:
        return False
    if wanted.slot >= SLOTS:
        return EMPTY
    if wanted.beat > 0:
        cue = numba.carray(cues, 16, PLAY)[0]
        cue.kind, cue.slot, cue.frame = 402, wanted.slot, wanted.beat
        return cueline.DEFERRED
    numba.carray(state, 1, PLAYED)[0].slot = wanted.slot
    return cueline.APPLIED | frame << 32


@numba.cfunc(cueline.DISCARDED_SIGNATURE)
def count_discarded(command, frame, samplerate, state):
    numba.carray(state, 1, PLAYED)[0].discarded += numba.carray(command, 1, PLAY)[0].slot + 1


def playing(state: np.ndarray[Any, Any]) -> Any:
    return cfunc_processor(
        play_slot,
        play,
        discarded=count_discarded,
        state=state,
        meters=[MeterSpec("serial")],
        buffer_slots=SLOTS,
        reasons=["there is no such slot"],
    )


def test_it_plays_the_buffers_that_are_published() -> None:
    with engine_of(playing(np.zeros(1, PLAYED)), outputs=1) as engine:
        assert engine.buffer_slots == SLOTS
        assert not engine.render(64).any()
        for slot in range(SLOTS):
            engine.publish(slot, np.full((10, 2), slot + 1, np.float32))
        assert engine.render(64)[:, 0].tolist() == [1] * 10 + [0] * 54
        engine.send(Play(slot=1), at=engine.now() + 64)
        assert (engine.render(64).max(), engine.render(64).max()) == (1, 2)
        assert engine.meters["serial"] == 2
        engine.publish(1, None)
        assert not engine.render(64).any()


def test_it_says_what_became_of_a_command_and_schedules() -> None:
    state = np.zeros(1, PLAYED)
    with engine_of(playing(state), outputs=1) as engine:
        confirmations = [engine.confirm(Play(slot, beat)) for slot, beat in ((1, 0), (2, 0), (1, 100), (0, 1000))]
        engine.render(128)
        assert confirmations[0].result(0).value == 0
        with pytest.raises(cueline.RefusedError, match="the processor refused it: there is no such slot"):
            confirmations[1].result(0)
        assert (confirmations[2].result(0).frame, confirmations[2].result(0).value) == (100, 100)
        assert not confirmations[3].done()
        confirmations[3].cancel()
        engine.render(64)
        assert (state[0]["slot"], state[0]["discarded"]) == (1, 1)
        engine.send(Play(slot=1), at=5000)
    assert state[0]["discarded"] == 1 + 2, "the last one waited when the engine was closed"


def test_without_a_handle_it_knows_no_commands() -> None:
    with (
        engine_of(cfunc_processor(chatter)) as engine,
        pytest.raises(cueline.ProcessorError, match=r"^the processor '\w+' handles no messages, got Tell$"),
    ):
        engine.send(Tell(number=1))


def test_events_are_sent_with_their_frames_in_their_order_and_counted_when_dropped() -> None:
    with engine_of(cfunc_processor(chatter, name="chatterbox")) as engine:
        assert engine.processor == "chatterbox"
        engine.render(128)
        events = list(engine.messages())
        assert [event.kind for event in events] == [*range(500, 516)] * 2
        assert [event.frame for event in events] == [*range(16), *range(64, 80)]
        assert [event.sequence for event in events] == ([0] * 3 + [7] + [0] * 12) * 2
        engine.render(64 * 65)
        assert engine.stats().events.dropped == 16


def test_an_answer_from_render_goes_to_the_line_that_it_names() -> None:
    def render(
        inputs, ins, outputs, outs, frames, frame, rate, parameters, arrays, meters, events, samples, buffers, state
    ):
        event = numba.carray(events, 16, ANY)[0]
        event.kind, event.line, event.sequence = 500, 1, 1

    with engine_of(cfunc_processor(rendering(render))) as engine, engine.open_line() as line:
        assert line.number == 1
        line.ping()
        engine.render(64)
        assert [(event.kind, event.sequence) for event in line.messages() if event.kind == 500] == [(500, 1)]
        assert list(engine.messages()) == []


def test_what_an_event_that_was_not_sent_left_behind_is_gone_by_the_next_call() -> None:
    def render(
        inputs, ins, outputs, outs, frames, frame, rate, parameters, arrays, meters, events, samples, buffers, state
    ):
        event = numba.carray(events, 16, ANY)[0]
        if frame == 0:
            event.frame, event.sequence = 5, 9  # without a kind, so it is not sent
        else:
            event.kind = 500

    with engine_of(cfunc_processor(rendering(render))) as engine:
        engine.render(128)
        (event,) = engine.messages()
        assert (event.frame, event.sequence) == (64, 0)


STATE_PAGES = 4_096


@numba.cfunc(RENDER_SIGNATURE)
def turn_pages(
    inputs, ins, outputs, outs, frames, frame, samplerate, parameters, arrays, meters, events, samples, buffers, state
):
    pages = numba.carray(state, (STATE_PAGES, 512), np.float64)
    for page in range(STATE_PAGES):
        pages[page, 0] += 1


def untouched_state() -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return a state on small, untouched pages: NumPy's own may be huge pages, or used before."""
    pages = mmap.mmap(-1, STATE_PAGES * 4_096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    pages.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(pages).reshape(STATE_PAGES, 512)


def faults_while(act: Callable[[], object]) -> int:
    import resource

    before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
    act()
    return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before


@pytest.mark.skipif(sanitized, reason="a sanitizer answers mlock in the system's place")
def test_the_state_is_in_memory_before_the_first_block() -> None:
    state = untouched_state()
    with engine_of(cfunc_processor(turn_pages, state=state)) as engine:
        assert faults_while(lambda: engine.render(64)) < STATE_PAGES / 20
    assert state[:, 0].all()


def test_the_count_of_faults_sees_pages_that_nobody_touched() -> None:
    state = untouched_state()
    assert faults_while(lambda: state.__setitem__((slice(None), 0), 1)) > STATE_PAGES / 20


def test_functions_and_state_live_as_long_as_the_processor() -> None:
    state = np.zeros(1, COUNTS)
    function = rendering(count._pyfunc)
    watched, kept = weakref.ref(function), weakref.ref(state)
    engine = engine_of(cfunc_processor(function, state=state, parameters=[ParameterSpec("a"), ParameterSpec("b")],
                                       meters=[MeterSpec("c"), MeterSpec("d")]))  # fmt: skip
    del function, state
    gc.collect()
    assert watched() is not None
    assert kept() is not None
    with engine:
        assert engine.render(3)[:, 0].tolist() == [0, 1, 2]
    del engine
    gc.collect()
    assert watched() is None
    assert kept() is None


def test_arithmetic_of_all_sorts_is_accepted() -> None:
    @numba.njit
    def shape(x):
        return np.tanh(x) * math.exp(-x) + math.pow(abs(x), 0.3) + math.atan2(x, 2.0) + np.floor(x) + x % 3.0

    def render(
        inputs, ins, outputs, outs, frames, frame, rate, parameters, arrays, meters, events, samples, buffers, state
    ):
        sound = numba.carray(outputs, (outs, frames))
        for i in range(frames):
            x = (
                math.ldexp(shape(i / rate), 1)
                + math.gamma(2.5)
                + np.sqrt(np.float32(i))
                + math.log(i + 1.0)
                + (i // 3) * (i % 5)
                + min(i, 3)
            )
            for channel in range(outs):
                sound[channel, i] = np.cos(x) if x > 0.5 else math.hypot(x, 1.0)

    with engine_of(cfunc_processor(rendering(render, error_model="numpy"))) as engine:
        assert np.isfinite(engine.render(64)).all()


class CompiledElsewhere:
    """A function as numba compiles it on another system. It cannot be called here."""

    def __init__(self, function: Any, names: dict[str, str]) -> None:
        self.function, self.names = function, names

    def __getattr__(self, name: str) -> Any:
        return getattr(self.function, name)

    def inspect_llvm(self) -> str:
        llvm = self.function.inspect_llvm()
        for here, there in self.names.items():
            assert f"@{here}(" in llvm
            llvm = llvm.replace(f"@{here}(", f"@{there}(")
        return llvm


@pytest.mark.parametrize(("there", "accepted"), [("_hypot", True), ("_getpid", False)])
def test_what_windows_calls_arithmetic_is_accepted(there: str, accepted: bool) -> None:
    def render(
        inputs, ins, outputs, outs, frames, frame, rate, parameters, arrays, meters, events, samples, buffers, state
    ):
        numba.carray(outputs, (outs, frames))[0, 0] = math.hypot(rate, frames)

    function = CompiledElsewhere(rendering(render), {"hypot": there})
    if accepted:
        cfunc_processor(function)
    else:
        with pytest.raises(cueline.ProcessorError, match="calls _getpid, which is not arithmetic"):
            cfunc_processor(function)


# --- What is refused, each a mutant of the look at what was compiled --------------------------------------------------


def divides(
    inputs, ins, outputs, outs, frames, frame, samplerate, parameters, arrays, meters, events, samples, buffers, state
):
    sound = numba.carray(outputs, (outs, frames))
    values = numba.carray(parameters, (2, frames))
    sound[0, 0] = values[0, 0] / values[1, 0]


def raises(
    inputs, ins, outputs, outs, frames, frame, samplerate, parameters, arrays, meters, events, samples, buffers, state
):
    if frames > 100:
        raise ValueError("too long")


def allocates(
    inputs, ins, outputs, outs, frames, frame, samplerate, parameters, arrays, meters, events, samples, buffers, state
):
    sound = numba.carray(outputs, (outs, frames))
    noise = np.empty(64)
    for i in range(64):
        noise[i] = i * frames
    sound[0, 0] = noise[frames % 64]


def lists(
    inputs, ins, outputs, outs, frames, frame, samplerate, parameters, arrays, meters, events, samples, buffers, state
):
    values = [1.0 * frames]
    for i in range(frames):
        values.append(i)
    numba.carray(outputs, (outs, frames))[0, 0] = values[-1]


def prints(
    inputs, ins, outputs, outs, frames, frame, samplerate, parameters, arrays, meters, events, samples, buffers, state
):
    print(frames)


def rolls_dice(
    inputs, ins, outputs, outs, frames, frame, samplerate, parameters, arrays, meters, events, samples, buffers, state
):
    numba.carray(outputs, (outs, frames))[0, 0] = np.random.random()


usleep = ctypes.CDLL(None).usleep if sys.platform != "win32" else ctypes.CDLL("kernel32").Sleep
usleep.argtypes, usleep.restype = [ctypes.c_uint], ctypes.c_int
python = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda number: number + 1)


def sleeps(
    inputs, ins, outputs, outs, frames, frame, samplerate, parameters, arrays, meters, events, samples, buffers, state
):
    usleep(10)


def calls_python(
    inputs, ins, outputs, outs, frames, frame, samplerate, parameters, arrays, meters, events, samples, buffers, state
):
    numba.carray(outputs, (outs, frames))[0, 0] = python(3)


@numba.njit(parallel=True)
def on_all_cores(values):
    for i in numba.prange(len(values)):
        values[i] = 0


def uses_threads(
    inputs, ins, outputs, outs, frames, frame, samplerate, parameters, arrays, meters, events, samples, buffers, state
):
    on_all_cores(numba.carray(outputs, outs * frames))


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (divides, "may raise an exception"),
        (raises, "may raise an exception"),
        (allocates, "allocates memory"),
        (lists, "allocates memory"),
        (prints, "calls .*PySys_FormatStdout"),
        (rolls_dice, "calls .*numba_get_np_random_state"),
        (sleeps, "calls a function by its address"),
        (calls_python, "calls a function by its address"),
        (uses_threads, "calls .*numba_"),
    ],
)
def test_what_may_not_be_done_on_the_audio_thread_is_seen_in_what_was_compiled(function: Any, reason: str) -> None:
    with pytest.raises(cueline.ProcessorError, match=f"render cannot run on the audio thread: it .*{reason}"):
        cfunc_processor(rendering(function))


def test_a_handle_that_may_raise_is_refused_as_well() -> None:
    def handle(command, frame, samplerate, events, cues, state):
        return 1 // frame > 0

    with pytest.raises(cueline.ProcessorError, match="handle cannot run on the audio thread: it may raise"):
        cfunc_processor(count, handling(handle))
    assert cfunc_processor(count, handling(handle, error_model="numpy"))


def test_a_division_that_cannot_raise_is_accepted() -> None:
    assert cfunc_processor(rendering(divides, error_model="numpy"))


CACHED = """
import sys
import numba
import cueline

@numba.cfunc(cueline.RENDER_SIGNATURE, cache=True)
def render(
    inputs, ins, outputs, outs, frames, frame, samplerate, parameters, arrays, meters, events, samples, buffers, state
):
    pass

try:
    cueline.cfunc_processor(render)
except cueline.ProcessorError as refused:
    print(refused)
"""


def test_what_comes_from_numbas_cache_is_refused_the_first_time_too(tmp_path: Path) -> None:
    (tmp_path / "cached.py").write_text(CACHED)
    for _ in range(2):
        done = subprocess.run([sys.executable, "cached.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert "remove cache=True" in done.stdout, done.stdout + done.stderr


ENDING = """
import numba, numpy as np
import cueline

@numba.cfunc(cueline.RENDER_SIGNATURE)
def render(
    inputs, ins, outputs, outs, frames, frame, samplerate, parameters, arrays, meters, events, samples, buffers, state
):
    numba.carray(state, 1, np.float64)[0] += frames

class Own(cueline.AudioEngine):
    pass

engine = Own("null", processor=cueline.cfunc_processor(render, state=np.zeros(1)))
engine.itself = engine  # so that it lives until the end
engine.start()
engine.ping()
engine.receive(timeout=10)
"""


def test_a_program_that_ends_while_it_runs_ends_well() -> None:
    done = subprocess.run([sys.executable, "-c", ENDING], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_numba_does_not_show_is_refused() -> None:
    class Opaque:
        address, native_name, _sig = count.address, "elsewhere", count._sig

        def inspect_llvm(self) -> str:
            return "; nothing to see\n"

    with pytest.raises(cueline.ProcessorError, match="cannot be inspected"):
        cfunc_processor(Opaque())


def test_a_function_of_another_signature_is_refused_with_both() -> None:
    @numba.cfunc("float64(float64)")
    def other(x):
        return x

    with pytest.raises(cueline.ArgumentError, match=r"render must be compiled for 'void\(.*got \(float64,\) ->"):
        cfunc_processor(other)
    with pytest.raises(cueline.ArgumentError, match=r"handle must be compiled for 'int64\(.*got \(float32\*, "):
        cfunc_processor(count, count)


def test_what_is_no_such_function_is_refused() -> None:
    for wrong in (None, print, 3, numba.njit(lambda: None), count.ctypes):
        with pytest.raises(cueline.ArgumentTypeError, match=r"render must be made by numba\.cfunc"):
            cfunc_processor(wrong)


def test_state_must_be_an_array_that_can_be_written_in_place(tmp_path: Path) -> None:
    for wrong in ([1.0], 3, np.zeros(2, object), np.ma.array([0.5, 1], mask=[True, False])):
        with pytest.raises(cueline.ArgumentTypeError, match=r"state must (be|hold)"):
            cfunc_processor(count, state=wrong)
    mapped = np.memmap(tmp_path / "state", np.float64, "w+", shape=(4, 4))
    for of_a_file in (mapped, mapped[1:], np.asarray(mapped)):
        with pytest.raises(cueline.ArgumentTypeError, match="must not be mapped to a file"):
            cfunc_processor(count, state=of_a_file)
    frozen = np.zeros(2)
    frozen.flags.writeable = False
    for not_in_place in (np.zeros((4, 4))[:, 1], frozen):
        with pytest.raises(cueline.ArgumentError, match="state must be contiguous and writeable"):
            cfunc_processor(count, state=not_in_place)


def test_parameters_and_meters_are_specs_and_the_engine_says_what_is_wrong_with_them() -> None:
    with pytest.raises(cueline.ArgumentTypeError, match=r"parameters must be cueline\.ParameterSpec, got 'gain'"):
        cfunc_processor(count, parameters=["gain"])
    with pytest.raises(cueline.ArgumentTypeError, match=r"meters must be cueline\.MeterSpec"):
        cfunc_processor(count, meters=["level"])
    for without_end in ({"parameters": repeat(ParameterSpec("gain"))}, {"meters": repeat(MeterSpec("level"))}):
        with pytest.raises(cueline.ArgumentError, match="must be at most 10000, got more"):
            cfunc_processor(count, **without_end)
    with pytest.raises(cueline.ArgumentTypeError, match=r"parameters must be a list, got"):
        cfunc_processor(count, parameters=ParameterSpec("gain"))
    for number in ("a", None, True, np.True_, 1j, np.array(0.5)):
        with pytest.raises(cueline.ArgumentTypeError, match="lowest, highest, default and ramp must be numbers"):
            cfunc_processor(count, parameters=[ParameterSpec("gain", number)])
    for spec in (ParameterSpec(3), ParameterSpec("gain", unit=3)):
        with pytest.raises(cueline.ArgumentTypeError, match="names and units must be strings, got 3"):
            cfunc_processor(count, parameters=[spec])
    with pytest.raises(cueline.ArgumentTypeError, match=r"fields must be names, as in fields=\('peak',\)"):
        cfunc_processor(count, meters=[MeterSpec("level", fields="peak")])
    with pytest.raises(cueline.ArgumentTypeError, match="names and units must be strings, got 3"):
        cfunc_processor(count, meters=[MeterSpec("level", fields=("peak", 3))])
    with pytest.raises(cueline.ArgumentError, match="printable characters"):
        cfunc_processor(count, meters=[MeterSpec("\udcff")])
    with pytest.raises(cueline.ArgumentError, match="two parameters named 'gain'"):
        engine_of(cfunc_processor(count, parameters=[ParameterSpec("gain"), ParameterSpec("gain")]))
    with pytest.raises(cueline.ArgumentError, match="'level' must have 1 to 8 fields, got 0"):
        engine_of(cfunc_processor(count, meters=[MeterSpec("level", fields=())]))


def test_a_type_checker_accepts_the_example_outside_of_the_repository(tmp_path: Path) -> None:
    """There, the settings of our own mypy do not hold, and numba has its types."""
    example = Path(__file__).parents[2] / "examples/cfunc_processor.py"
    (tmp_path / "processor.py").write_text(example.read_text())
    command = [sys.executable, "-m", "mypy", "--strict", f"--cache-dir={tmp_path}", "processor.py"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout


def test_a_function_without_an_address_is_refused() -> None:
    class Lost:
        """What numba compiled, without its code."""

        address = None

        def __getattr__(self, name: str) -> object:
            return getattr(count, name)

    with pytest.raises(cueline.ArgumentError, match="render is not compiled: numba shows no address for"):
        cfunc_processor(Lost())
