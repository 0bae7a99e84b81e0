"""Sound that comes back: a recording has the very samples that were played, at the frames asked for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import cueline
from conftest import eventually
from jack_server import JackServer
from looped_sweep import BEGIN, BLOCKS, CHANNELS, FADE, Loop

LONG = 200_000  # frames: a sweep that does not end before it is cleared


def looped(device: str, blocksize: int, channels: int) -> cueline.AudioEngine:
    return cueline.AudioEngine(device, inputs=channels, outputs=channels, blocksize=blocksize, loopback=True)


def through_jack(channels: int) -> cueline.AudioEngine:
    """Return an engine whose outputs are connected to its inputs: JACK delivers what it played a cycle before.

    An xrun changes nothing: in a cycle that the server leaves out, the engine has no frames.
    """
    return cueline.AudioEngine(
        "jack", inputs=channels, outputs=channels, client_name="loop", connect=("loop:out_", False)
    )


@pytest.fixture(scope="module", params=BLOCKS)
def servers_blocksize(request: pytest.FixtureRequest) -> Iterator[int]:
    with JackServer(request.param):
        yield request.param


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("blocksize", BLOCKS)
def test_offline_a_sweep_comes_back_sample_for_sample_at_its_frame(blocksize: int, channels: int) -> None:
    with looped("offline", blocksize, channels) as engine:
        loop = Loop(engine)
        engine.render(BEGIN + len(loop.sweep) + 2 * blocksize)
        loop.check(blocksize)


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("blocksize", BLOCKS)
def test_on_the_null_device_a_sweep_comes_back_sample_for_sample_at_its_frame(blocksize: int, channels: int) -> None:
    engine = looped("null", blocksize, channels)
    loop = Loop(engine)
    with engine:
        loop.check(blocksize)


@pytest.mark.parametrize("channels", CHANNELS)
def test_through_jack_a_sweep_comes_back_sample_for_sample_at_its_frame(servers_blocksize: int, channels: int) -> None:
    engine = through_jack(channels)
    loop = Loop(engine)
    with engine:
        assert engine.blocksize == servers_blocksize
        loop.check(servers_blocksize)


@pytest.mark.parametrize("blocksize", BLOCKS)
def test_the_block_after_a_clear_begins_the_fade_and_played_is_what_went_out(blocksize: int) -> None:
    with looped("offline", blocksize, 2) as engine:
        loop = Loop(engine)
        engine.render(BEGIN + 1_234)
        cleared = loop.playback.clear()
        engine.render(2 * blocksize + FADE)
        assert cleared.result(0).frame == BEGIN + 1_234
        loop.check_silent_after(BEGIN + 1_234, blocksize)


@pytest.mark.parametrize("blocksize", BLOCKS)
def test_a_clear_at_a_frame_begins_the_fade_at_that_frame(blocksize: int) -> None:
    engine = looped("null", blocksize, 2)
    loop = Loop(engine)
    cleared = loop.playback.clear(at=BEGIN + 1_234)
    with engine:
        assert cleared.result(60).frame == BEGIN + 1_234
        loop.check_silent_after(BEGIN + 1_234, blocksize)


@pytest.mark.parametrize("blocksize", BLOCKS)
def test_what_a_running_engine_cleared_was_played_as_far_as_it_was_heard(blocksize: int) -> None:
    engine = looped("null", blocksize, 2)
    loop = Loop(engine, LONG)
    with engine:
        check_barge_in(loop, blocksize)


def test_through_jack_what_was_cleared_was_played_as_far_as_it_was_heard(servers_blocksize: int) -> None:
    engine = through_jack(2)
    loop = Loop(engine, LONG)
    with engine:
        check_barge_in(loop, servers_blocksize)


def check_barge_in(loop: Loop, blocksize: int) -> None:
    assert eventually(lambda: loop.playback.position().played > 0)
    cleared = loop.playback.clear().result(60).frame
    assert cleared % blocksize == 0, "it applies where a block begins"
    loop.check_silent_after(cleared, blocksize)
