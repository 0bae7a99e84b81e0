"""A pad is reloaded while it plays, a thousand times: no click, and nothing is left behind."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import FADE, Sound, eventually, greatest_step

from sampler import Sampler

TIMES = 1_000
LEAK_BYTES = 128 * 96_000 * 4  # as many buffers as may be under way: a reload that leaked would leave one each time
SOUNDS: list[Sound] = [
    np.sin(2 * np.pi * hertz * np.arange(96_000) / 48_000).astype(np.float32) for hertz in (220, 227)
]

# What the sounds have of steps themselves, and a jump from -1 to 1 that is spread over the frames of a fade.
BOUND = max(map(greatest_step, SOUNDS)) + 2 / FADE + 1e-4


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def reload(sampler: Sampler, times: int) -> None:
    for number in range(times):
        sampler.load(0, SOUNDS[number % 2])


def test_offline_it_never_clicks_and_buffers_go_back(sampler: Sampler) -> None:
    sampler.load(0, SOUNDS[1])
    sampler.loop(0)
    sampler.trigger(0)
    pieces: list[Sound] = []
    for _ in range(TIMES):
        reload(sampler, 1)
        pieces.append(sampler.engine.render(37 + len(pieces) * 31 % 900))
        assert sampler.engine.stats().buffers.in_use <= 2
    audio = np.concatenate(pieces)
    assert np.abs(audio[-4_800:]).max() > 0.5
    assert greatest_step(audio) < BOUND
    assert sampler.engine.stats().buffers.published == TIMES + 1


def test_the_check_hears_a_swap_that_is_not_faded() -> None:
    assert greatest_step(np.concatenate([SOUNDS[0][:1_000], SOUNDS[1][1_100:]])) > 2 * BOUND


def test_the_check_sees_what_a_quarter_of_the_reloads_would_leave() -> None:
    before = resident_bytes()
    kept = [SOUNDS[0].copy() for _ in range(TIMES // 4)]
    assert resident_bytes() - before > LEAK_BYTES
    assert len(kept) == TIMES // 4


@pytest.mark.parametrize("device", ["null", "jack"])
def test_live_it_neither_piles_up_nor_leaks(device: str, request: pytest.FixtureRequest) -> None:
    if device == "jack":
        request.getfixturevalue("jack")
    with Sampler(device, blocksize=None if device == "jack" else 64) as sampler:
        reload(sampler, 1)
        sampler.loop(0)
        sampler.trigger(0)
        reload(sampler, 200)  # what an allocator keeps for itself, it has by now
        before = resident_bytes()
        for _ in range(TIMES):
            reload(sampler, 1)
            sampler.engine.stats()  # which frees what came back
            time.sleep(0.0005)
        assert resident_bytes() - before < LEAK_BYTES
        assert eventually(lambda: sampler.engine.stats().buffers.in_use == 1), "a buffer did not come back"
        assert eventually(lambda: sampler.level(0).peak > 0.9), "it plays on"
        assert sampler.engine.stats().events.sent == 0, "it never ended"
