"""The specification's requirements from Python, by their names. docs/spec-coverage.md lists them."""

from __future__ import annotations

import threading
import time

import cueline
from conftest import eventually, fill, hold_the_gil, needs_gil
from cueline import Status

# --- Scenarios


def test_scenario_audio_thread_message_processing(running: cueline.AudioEngine) -> None:
    """Another thread holds the GIL, and the audio thread still answers."""
    eventually(lambda: running.stats().blocks > 0)
    for _ in range(100):
        assert running.ping() is Status.OK
    before = running.stats()
    hold_the_gil(0.3)
    after = running.stats()
    expected = 0.3 * running.samplerate / running.blocksize
    blocks = after.blocks + after.missed_blocks - before.blocks - before.missed_blocks
    assert blocks > expected * 0.9, "blocks went on"
    assert after.events.sent == 100, "and pings were answered in them"
    assert len(list(running.messages())) == 100


@needs_gil
def test_scenario_audio_thread_message_processing_check_catches_who_needs_the_gil() -> None:
    """A thread that needs the GIL stops while it is held: the check above can fail."""
    ticks = 0
    over = False

    def tick() -> None:
        nonlocal ticks
        while not over:
            ticks += 1
            time.sleep(0.002)

    thread = threading.Thread(target=tick)
    thread.start()
    before = ticks
    hold_the_gil(0.3)
    meanwhile = ticks - before
    over = True
    thread.join()
    assert meanwhile < 0.3 / 0.00267 * 0.5


def test_scenario_full_buffer_handling() -> None:
    """Python floods a slow reader: a message is dropped with a code, and the audio goes on."""
    with cueline.AudioEngine("null", budget=1) as engine:
        assert fill(engine) >= 1024
        assert engine.ping() in (Status.FULL, Status.OK)
        stats = engine.stats()
        assert stats.commands.dropped >= 1
        assert stats.commands.high_water == 1024
        assert eventually(lambda: engine.stats().blocks > stats.blocks + 10), "no panic in the audio thread"
        assert eventually(lambda: engine.receive_msg() is not None)


def test_scenario_empty_buffer_handling(running: cueline.AudioEngine) -> None:
    """Nothing was sent: in every block the audio thread finds nothing, and goes on."""
    assert eventually(lambda: running.stats().blocks > 20)
    assert running.receive_msg() is None
    assert running.stats().commands.sent == 0


# --- Test cases


def test_case_ping_message_sent_from_python_and_received_in_audio_thread(running: cueline.AudioEngine) -> None:
    assert running.ping() is Status.OK
    assert running.stats().commands.sent == 1
    assert eventually(lambda: running.stats().events.sent == 1), "it answered, so it received"


def test_case_pong_message_sent_from_audio_thread_and_received_in_python(running: cueline.AudioEngine) -> None:
    before_ns = time.monotonic_ns()
    assert running.ping() is Status.OK
    pong = running.receive(timeout=10)
    after_ns = time.monotonic_ns()
    assert isinstance(pong, cueline.Pong)
    assert pong.sequence == 1
    assert pong.frame % running.blocksize == 0
    assert before_ns <= pong.sent_ns <= after_ns
    assert pong.block_ns <= after_ns


def test_case_buffer_full_condition_message_dropped_with_error_code(offline: cueline.AudioEngine) -> None:
    assert fill(offline) == 1024
    assert offline.ping() is Status.FULL
    assert offline.stats().commands == cueline.RingStats(sent=1024, dropped=2, high_water=1024)


def test_case_buffer_empty_condition_no_blocking_thread_continues(offline: cueline.AudioEngine) -> None:
    for _ in range(1000):
        assert offline.receive_msg() is None
    offline.ping()
    offline.render(1)
    assert offline.receive_msg() is not None
