"""Pads from Python: triggers on a grid, loops, stems, modes, voices, threads; and what is refused."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cueline
import numpy as np
import numpy.typing as npt
import pytest
from reference import ends_of

from looper import Looper
from looper.messages import PADS, STEMS, LoadPad, PadEnded, Reason, SetLoop, StopPads, Trigger

PROJECT = Path(__file__).parents[1]
FADE = 240
Sound = npt.NDArray[np.float32]


@pytest.fixture
def looper() -> Iterator[Looper]:
    """Yield one that renders when told to."""
    with Looper("offline", blocksize=64) as made:
        yield made


def rising(frames: int, first: int = 1) -> Sound:
    """Return a sound of which each sample says where it stands."""
    sound: Sound = np.arange(first, first + frames, dtype=np.float32) / np.float32(1024)
    return sound


def load(looper: Looper, pad: int, *stems: npt.NDArray[np.floating[Any]]) -> cueline.Applied:
    """Load a pad, render a block of one frame for it, and return the report."""
    confirmation = looper.load(pad, *stems).result()
    looper.engine.render(1)
    return confirmation.result(timeout=0)


def raw(kind: int, *numbers: int) -> cueline.Message:
    """Return a message as another program may send it, with numbers that Python refuses."""
    return cueline.Message(kind, np.array(numbers, np.uint32).tobytes())


def test_a_trigger_on_a_grid_sounds_on_it_and_is_confirmed_there(looper: Looper) -> None:
    load(looper, 7, rising(500))
    pressed = looper.engine.confirm(Trigger(pad=7, grid=1_000), at=300)
    audio = looper.engine.render(999)
    assert not pressed.done(), "it is confirmed when it sounds, not when it is read"
    assert not audio.any()
    audio = looper.engine.render(400)
    assert np.array_equal(audio[:, 0], rising(400))
    applied = pressed.result(timeout=0)
    assert (applied.frame, applied.late, applied.value) == (1_000, False, 0)


def test_a_trigger_on_a_frame_of_the_grid_sounds_at_once(looper: Looper) -> None:
    load(looper, 0, rising(500))
    looper.trigger(0, grid=100, at=200)
    assert np.flatnonzero(looper.engine.render(300)[:, 0])[0] == 199


def test_a_cancel_catches_a_trigger_that_waits_for_its_grid(looper: Looper) -> None:
    load(looper, 0, rising(500))
    pressed = looper.engine.confirm(Trigger(pad=0, grid=1_000))
    looper.engine.render(10)
    pressed.cancel()
    assert not looper.engine.render(2_000).any()
    with pytest.raises(cueline.RefusedError, match="it was cancelled"):
        pressed.result(timeout=0)
    looper.trigger(0, grid=1_000)
    assert looper.engine.render(2_000).any(), "the pad may be triggered again"


def test_a_second_trigger_takes_the_first_ones_place(looper: Looper) -> None:
    load(looper, 0, rising(500))
    first = looper.engine.confirm(Trigger(pad=0, grid=1_000))
    second = looper.engine.confirm(Trigger(pad=0, grid=500))
    looper.engine.render(1_500)
    with pytest.raises(cueline.RefusedError, match="cancelled"):
        first.result(timeout=0)
    assert second.result(timeout=0).frame == 500
    assert not list(looper.engine.messages()), "nothing started at 1000"


def test_stop_all_stops_all_at_one_frame_and_cancels_what_waits(looper: Looper) -> None:
    for pad in (0, 100, 215):
        load(looper, pad, rising(500))
        looper.trigger(pad)
    waiting = looper.engine.confirm(Trigger(pad=100, grid=4_800))
    stopped = looper.engine.confirm(StopPads(grid=1_000))
    looper.engine.render(5_000)
    assert stopped.result(timeout=0).value == 3
    assert {(frame, reason) for frame, _, reason, _ in ends_of(list(looper.engine.messages()))} == {
        (1_000, Reason.STOPPED)
    }
    with pytest.raises(cueline.RefusedError, match="cancelled"):
        waiting.result(timeout=0)


def test_more_triggers_are_stopped_than_a_block_may_cancel() -> None:
    with Looper("offline", blocksize=64, budget=1) as looper:
        load(looper, 0, rising(500))
        confirmations = [looper.engine.confirm(Trigger(pad=pad, grid=1_000)) for pad in range(PADS)]
        looper.engine.render(100)
        looper.stop_all()
        assert not looper.engine.render(2_000).any()
        names = set()
        for confirmation in confirmations:
            with pytest.raises(cueline.RefusedError) as refused:
                confirmation.result(timeout=0)
            names.add(refused.value.name)
    assert "CANCELLED" in names


def test_a_loop_moves_while_it_plays(looper: Looper) -> None:
    load(looper, 0, rising(500))
    looper.trigger(0)
    looper.set_loop(0, 100, 150)
    assert np.array_equal(
        looper.engine.render(250)[:, 0], rising(500)[[*range(150), *range(100, 150), *range(100, 150)]]
    )
    looper.set_loop(0, 10, 20)  # the playhead is behind it
    audio = looper.engine.render(1_000)
    assert np.abs(np.diff(audio[:, 0])).max() < 11 / 1024
    assert np.array_equal(audio[-10:, 0], rising(10, 11 + (1_000 - 10) % 10))


def test_speed_reads_between_the_frames(looper: Looper) -> None:
    load(looper, 0, rising(500))
    looper.speed[0] = 0.5
    looper.trigger(0)
    assert np.array_equal(looper.engine.render(100)[:, 0], np.arange(2, 102, dtype=np.float32) / 2_048)


def test_the_isolator_takes_a_band_out(looper: Looper) -> None:
    seconds = np.arange(48_000) / 48_000
    low, high = (np.sin(2 * np.pi * hertz * seconds).astype(np.float32) / 4 for hertz in (25, 20_000))
    load(looper, 0, low + high)
    looper.trigger(0)
    looper.high[0] = 0
    without_high = looper.engine.render(48_000)[4_800:, 0]
    looper.high[0], looper.low[0] = 1, 0
    without_low = looper.engine.render(48_000)[4_800:, 0]
    for audio, kept, gone in ((without_high, 25, 20_000), (without_low, 20_000, 25)):
        spectrum = np.abs(np.fft.rfft(audio * np.hanning(audio.size)))
        of = {hertz: spectrum[round(hertz * audio.size / 48_000)] for hertz in (kept, gone)}
        assert of[kept] > 4 * of[gone]


def test_stems_sound_together_or_one_by_one(looper: Looper) -> None:
    stems = [np.full(500, 1 << stem, np.float32) / 1_024 for stem in range(STEMS)]
    load(looper, 0, *stems)
    looper.trigger(0)
    assert (looper.engine.render(10) == 31 / 1_024).all()
    looper.set_stems(0, 1, 3)
    audio = looper.engine.render(FADE + 10)
    assert (audio[FADE:] == 10 / 1_024).all()
    assert np.abs(np.diff(audio, axis=0)).max() < 0.001, "no click"


def test_in_exclusive_mode_a_pad_ends_all_others(looper: Looper) -> None:
    for pad in range(3):
        load(looper, pad, rising(500))
        looper.trigger(pad)
    looper.engine.render(10)
    looper.engine.parameters["exclusive"] = 1
    looper.trigger(1)
    looper.engine.render(10)
    assert {(pad, reason) for _, pad, reason, _ in ends_of(list(looper.engine.messages()))} == {
        (0, Reason.EXCLUSIVE),
        (1, Reason.TRIGGERED),
        (2, Reason.EXCLUSIVE),
    }


def test_the_voice_that_started_first_is_stolen(looper: Looper) -> None:
    load(looper, 0, rising(500))
    for pad in range(1, 34):
        load(looper, pad, rising(500))
    voices = [looper.engine.confirm(Trigger(pad=pad)) for pad in range(33)]
    looper.engine.render(10)
    assert [each.result(timeout=0).value for each in voices] == [*range(32), 0]
    assert [(pad, reason) for _, pad, reason, _ in ends_of(list(looper.engine.messages()))] == [(0, Reason.STOLEN)]
    looper.stop(5)
    looper.engine.render(FADE - 1)
    fading = looper.engine.confirm(Trigger(pad=33))
    looper.engine.render(10)
    assert fading.result(timeout=0).value == 5, "a voice that fades goes before one that plays"
    assert [reason for _, _, reason, _ in ends_of(list(looper.engine.messages()))] == [Reason.STOPPED]


def test_meters_have_each_pads_peak_and_playhead(looper: Looper) -> None:
    load(looper, 9, rising(500))
    looper.trigger(9)
    looper.engine.render(959)
    assert looper.engine.meters.array("pads").playhead[9] == 959 % 500
    assert looper.engine.meters.array("pads").peak[9] == 500 / 1_024
    looper.stop(9)
    looper.engine.render(1_000)
    assert not looper.engine.meters.array("pads").playhead.any()
    assert not looper.engine.meters.array("pads").peak.any()


def test_a_load_while_a_pad_plays_does_not_click_and_frees_the_old_stems(looper: Looper) -> None:
    load(looper, 0, np.full(1_000, 0.5, np.float32), np.full(1_000, 0.25, np.float32))
    looper.trigger(0)
    looper.engine.render(100)
    load(looper, 0, np.full(2_000, -0.5, np.float32))
    audio = looper.engine.render(300)
    assert np.abs(np.diff(audio, axis=0)).max() < 0.01
    assert (audio[-10:] == -0.5).all()
    assert looper.engine.stats().buffers.in_use == 1


def test_a_load_that_does_not_happen_gives_its_stems_back(looper: Looper) -> None:
    cancelled = looper.load(0, rising(100), rising(100), at=10_000).result()
    late = LoadPad(pad=1, stems=(looper.engine.load_buffer(rising(100)), 0, 0, 0, 0))
    refused = looper.load(2, rising(3)).result()
    looper.engine.render(100)
    looper.engine.send(late, at=50, late="drop")
    looper.engine.send(raw(256, PADS, looper.engine.load_buffer(rising(100))))
    cancelled.cancel()
    looper.engine.render(100)
    with pytest.raises(
        cueline.RefusedError, match="a stem is not loaded, or the pad has none, or one is shorter than 4"
    ):
        refused.result(timeout=0)
    assert looper.engine.stats().buffers.in_use == 0


def test_an_unloaded_pad_fades_and_is_empty(looper: Looper) -> None:
    load(looper, 0, rising(500), rising(500))
    looper.trigger(0)
    looper.engine.render(100)
    looper.unload(0).result()
    audio = looper.engine.render(1_000)
    assert np.abs(np.diff(audio, axis=0)).max() < 0.003
    assert not audio[FADE:].any()
    assert [reason for _, _, reason, _ in ends_of(list(looper.engine.messages()))] == [Reason.UNLOADED]
    assert looper.engine.stats().buffers.in_use == 0


def test_all_pads_have_five_stems_at_once(looper: Looper) -> None:
    for pad in range(PADS):
        load(looper, pad, *[rising(4, pad)] * STEMS)
    assert looper.engine.stats().buffers.in_use == PADS * STEMS
    looper.trigger(PADS - 1)
    assert np.array_equal(looper.engine.render(4)[:, 0], STEMS * rising(4, PADS - 1))


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (raw(260, PADS), "there is no such pad"),
        (raw(262, 1, PADS), "there is no such pad"),
        (raw(262, 1, 2**32 - 1), "there is no such pad"),
        (raw(257, 2**32 - 1), "there is no such pad"),
        (raw(259, PADS), "there is no such pad"),
        (raw(256, PADS, 1, 2, 3, 4, 5), "there is no such pad"),
        (LoadPad(pad=0, stems=(0, 0, 0, 0, 0)), "a stem is not loaded, or the pad has none"),
        (LoadPad(pad=0, stems=(1, 2, 3, 4, 2**32 - 1)), "a stem is not loaded"),
        (Trigger(pad=1), "the pad is empty"),
        (SetLoop(pad=1), "the pad is empty"),
        (SetLoop(pad=0, start=97), "the loop is shorter than 4 frames, or ends behind the stems"),
        (SetLoop(pad=0, end=3), "the loop is shorter than 4 frames"),
        (SetLoop(pad=0, end=101), "ends behind the stems"),
        (SetLoop(pad=0, start=2**32 - 1, end=2), "the loop is shorter than 4 frames"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(looper: Looper, command: Any, name: str) -> None:
    load(looper, 0, rising(100))
    confirmation = looper.engine.confirm(command)
    looper.engine.render(1)
    with pytest.raises(cueline.RefusedError, match=name):
        confirmation.result(timeout=0)
    assert looper.engine.stats().refused == 1


def test_python_refuses_what_the_looper_does_not_take(looper: Looper) -> None:
    with pytest.raises(cueline.Error, match="looper"):
        looper.engine.send(PadEnded(pad=0, reason=Reason.STOPPED))
    loaded = lambda pad: looper.load(pad, rising(100)).result()  # noqa: E731
    for call in (looper.trigger, looper.stop, loaded, looper.unload, looper.set_loop, looper.set_stems):
        for pad in (-1, PADS):
            with pytest.raises(ValueError, match=f"pad must be from 0 to 215, got {pad}"):
                call(pad)
    with pytest.raises(ValueError, match="a pad has at most 5 stems, got 6"):
        looper.load(0, *[rising(100)] * 6)
    assert looper.engine.stats().buffers.in_use == 2, "only the pads that do not exist"
    looper.engine.render(1)
    assert looper.engine.stats().buffers.in_use == 0


def test_the_loader_says_when_there_is_no_room(looper: Looper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("looper.looper._PATIENCE_S", 0)
    while looper._line.ping() is cueline.Status.OK:
        pass
    with pytest.raises(cueline.Full):
        looper.load(0, rising(100)).result()
    assert looper.engine.stats().lines[1].commands.dropped > 0


def test_a_thread_in_cpp_triggers_pads_while_python_holds_the_gil(looper: Looper) -> None:
    load(looper, 0, rising(500))
    frames = range(1_000, 41_000, 40)
    midi = looper.midi_thread([(frame, 0) for frame in frames], grid=256)
    assert midi.join() == len(frames)  # a thread that needed the GIL would never end
    audio = looper.engine.render(42_000)[:, 0]
    onsets = sorted({-(-frame // 256) * 256 for frame in frames})
    assert np.flatnonzero(audio)[0] == onsets[0] - 1
    assert looper.engine.stats().cues.cancelled == len(frames) - len(onsets)


@pytest.mark.filterwarnings("ignore::cueline.LossWarning")  # a trigger that finds the ring full is sent again
def test_a_thread_in_cpp_ends_with_the_engine() -> None:
    with Looper("offline") as looper:
        midi = looper.midi_thread([(1, 0)] * 5_000)  # more than the ring takes
    assert midi.join() <= 5_000


def test_pads_are_loaded_and_triggered_from_many_threads() -> None:
    with Looper("null", blocksize=64) as looper:
        done = threading.Event()

        def turn() -> None:
            while not done.is_set():
                looper.gain[:] = np.linspace(0, 1, PADS)
                looper.engine.meters.array("pads")

        turning = threading.Thread(target=turn)
        turning.start()
        midi = looper.midi_thread([(0, pad) for pad in range(PADS)])
        loads = [looper.load(pad % PADS, rising(500), rising(400)) for pad in range(2 * PADS)]
        for each in loads:
            each.result().result(timeout=60)
        for pad in range(PADS):
            looper.trigger(pad)
        assert midi.join() == PADS
        last = looper.engine.confirm(StopPads())
        assert last.result(timeout=60).value == 32
        done.set()
        turning.join()
        assert looper.engine.stats().buffers.in_use == 2 * PADS


def test_the_header_is_what_the_messages_say() -> None:
    command = [sys.executable, "-m", "cueline", "header", "python/looper/messages.py", "--namespace", "looper"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, cwd=PROJECT)
    assert done.stdout == (PROJECT / "src" / "messages.hpp").read_text()


def test_the_program_in_the_readme_runs() -> None:
    program = (PROJECT / "README.md").read_text().split("```python\n")[1].split("```")[0]
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "OK (216,)\n"
