"""Live: on the null device and on a JACK server, hits are on the frames that they were sent for."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time

import cueline
import pytest
from conftest import eventually, load_drums

from sampler import Pattern, Player, Reason, Sampler
from sampler.drums import DRUMS

DEVICES = ["null", "jack"]


@pytest.fixture(params=DEVICES)
def device(request: pytest.FixtureRequest) -> str:
    if request.param == "jack":
        request.getfixturevalue("jack")
    return str(request.param)


def test_two_bars_are_on_their_frames(device: str) -> None:
    pattern = Pattern("rim x-x-\nclosed-hat -x-x", list(DRUMS))
    with Sampler(device) as sampler:
        assert sampler.engine.device == device
        sounds = load_drums(sampler)
        first_frame = sampler.engine.now() + sampler.engine.samplerate // 4
        player = Player(sampler, pattern, bpm=170, bars=2, first_frame=first_frame)
        loudest = 0.0
        while not player.done:
            player.step()
            loudest = max(loudest, sampler.engine.meters["master"].peak)
            time.sleep(0.02)
        stats = sampler.engine.stats()
    assert player.sent + player.missed == 32
    assert player.sent > 4, "this machine stalls for half a second again and again"
    assert (stats.cues.late, stats.unhandled) == (0, 0)
    assert 0.1 < loudest < 1
    # None is cut off by the next, so where each ended says where it began.
    began = sorted(told.frame - len(sounds[told.pad]) for told in player.ended)
    assert {told.reason for told in player.ended} == {Reason.PLAYED}
    assert len(began) == player.sent
    assert set(began) <= {player.frame_of(step) for step in range(32)}


def test_the_command_plays_and_says_how_it_went(device: str) -> None:
    command = [sys.executable, "-m", "sampler", "play", "--device", device, "--bars", "1", "--bpm", "240"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert f"240 bpm on {device}" in done.stdout
    told = re.search(r"(\d+) hits sent, (\d+) late and left out, 0 refused for now, 0 events dropped", done.stdout)
    assert told is not None, done.stdout
    sent, left_out = map(int, told.groups())
    assert sent > 4
    assert 23 <= sent + left_out <= 23 + left_out  # of those that were sent, the audio thread may have dropped some
    assert done.stderr == ""


def test_ctrl_c_ends_it_quietly_on_a_terminal() -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "sampler", "play", "--device", "null"]
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
    shown = b""
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        interrupted = False
        deadline_s = time.monotonic() + 30
        while time.monotonic() < deadline_s:
            try:
                shown += os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            if not interrupted and b"cowbell" in shown and b"dBFS" in shown:
                interrupted = True
                process.send_signal(signal.SIGINT)
    os.close(ours)
    assert process.returncode == 0, shown.decode()
    assert b"Traceback" not in shown
    assert b"hits sent" in shown.splitlines()[-1]


def test_stop_forgets_what_was_to_come_and_all_is_silent() -> None:
    with Sampler("null") as sampler:
        load_drums(sampler)
        for pad in range(8):
            sampler.loop(pad)
        player = Player(sampler, Pattern("kick x", list(DRUMS)), bpm=200, first_frame=sampler.engine.now() + 4_800)
        while sampler.engine.meters["master"].peak == 0:
            player.step()
            time.sleep(0.01)
        player.stop()
        assert eventually(lambda: sampler.engine.meters["master"].peak == 0)
        assert sampler.engine.stats().cues.pending == 0
        assert sampler.engine.stats().cues.cancelled > 0


def test_a_full_ring_loses_no_hit() -> None:
    with Sampler("offline") as sampler:
        load_drums(sampler)
        player = Player(sampler, Pattern("rim x", list(DRUMS)), bpm=400, bars=1, first_frame=4_800)
        while sampler.engine.ping() is cueline.Status.OK:
            pass
        while not player.done:
            sampler.engine.render(1_000)
            player.step()
        assert (player.sent, player.missed) == (16, 0)
        assert sampler.engine.stats().cues.dropped_late == 0


def test_a_stall_of_python_loses_no_hit() -> None:
    with Sampler("offline") as sampler:
        load_drums(sampler)
        player = Player(sampler, Pattern("rim x", list(DRUMS)), bpm=150, bars=2)
        sampler.engine.render(4 * 48_000)
        player.step()
        assert (player.sent, player.missed, len(player.ended)) == (32, 0, 32)
        assert player.done


def test_hits_that_come_too_late_are_left_out_and_counted() -> None:
    with Sampler("offline") as sampler:
        load_drums(sampler)
        player = Player(sampler, Pattern("rim x", list(DRUMS)), bpm=150, bars=2)
        sampler.engine.render(48_000)
        sampler.engine.timeline.locate(sampler.engine.timeline.now() + 2)
        sampler.engine.render(4 * 48_000)
        player.step()
        # Two beats have eight hits. The first one is due at the frame of the locate, and cues come before commands.
        assert (player.sent, player.missed) == (25, 7)
        assert player.done
