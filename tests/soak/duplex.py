"""Play and record at once for minutes while Python stalls, and account for every frame and the value of every sample.

An engine on the null device gets its outputs back as inputs. Now and then, what plays is cleared. Two buffers are
shorter than the stalls: so the playback runs dry, and the recording of the inputs has gaps. The recording of the
outputs has time. The stalls are those of ``make stall``. The exit status is 1 if a frame is unaccounted for.
"""

from __future__ import annotations

import argparse
import random
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from printed_account import print_account
from rich.console import Console

import cueline

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from stall.contender import LOADS
from stall.report import LOAD_NAMES

BLOCKSIZE = 128
SHORT_S, LONG_S = 0.02, 60  # of the buffers
SHORT_BLOCK, LONG_BLOCK = 256, 65_536  # frames to read at once: a thread that gets the GIL seldom must read many
FADE = 64  # frames in which clear() fades out
BITS = 14  # of a frame's number in a sample: exact as a float
MAX_MINUTES = 90  # so that the numbers fit into two samples
ONCE_IN = 30  # writes, there is a clear

Samples = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]


def numbered(numbers: Numbers) -> Samples:
    """Return a frame for each number: two samples for its two halves, and a mark, which shows how far it is faded."""
    halves = np.stack([numbers & (1 << BITS) - 1, numbers >> BITS], axis=1)
    return np.hstack([(halves + 1) / 2 ** (BITS + 1), np.full((len(numbers), 1), 0.5)]).astype(np.float32)


def numbers_of(samples: Samples) -> tuple[Numbers, int, int]:
    """Return the number of each frame, -1 if it is silent, and how many frames are faded, and how many are no frames.

    A frame that is not faded must have the very samples of numbered().
    """
    silent = ~samples.any(axis=1)
    gain = np.where(silent, 1, 2 * samples[:, 2])[:, np.newaxis]
    with np.errstate(divide="ignore", invalid="ignore"):
        halves = np.nan_to_num(np.rint(samples[:, :2] / gain * 2 ** (BITS + 1)) - 1, posinf=-1)
    numbers = np.clip(halves, 0, (1 << BITS) - 1).astype(np.int64) @ [1, 1 << BITS]
    expected = numbered(numbers)
    whole = (samples == expected).all(axis=1)
    faded = ~whole & np.isclose(samples, gain * expected, rtol=1e-5, atol=0).all(axis=1) & (samples[:, 2] < 0.5)
    return np.where(whole | faded, numbers, -1), int(faded.sum()), int((~whole & ~faded & ~silent).sum())


@dataclass
class Run:
    """Frames that follow each other and have numbers that do."""

    frame: int
    number: int
    count: int


class Listener:
    """Reads a recording to its end."""

    def __init__(self, recording: cueline.Recording, block_frames: int, *, forgets: bool = False) -> None:
        self.recording = recording
        self._block_frames = block_frames
        self.runs: list[Run] = []
        self.gaps: list[tuple[int, int]] = []
        self.frames = self.faded = self.wrong = self.out_of_place = 0
        self._next: int | None = None
        self._forgets = forgets

    def listen(self) -> None:
        for number, block in enumerate(self.recording.blocks(self._block_frames, gaps="split")):
            if not (self._forgets and number % 10 == 9):
                self._note(block)

    @property
    def heard(self) -> int:
        return sum(run.count for run in self.runs)

    def heard_before(self, frame: int) -> int:
        """Return how many frames with a number it got before the engine's frame ``frame``."""
        starts = np.array([run.frame for run in self.runs])
        heard = np.concatenate([[0], np.cumsum([run.count for run in self.runs])])
        place = int(np.searchsorted(starts, frame))
        if place == 0:
            return 0
        last = self.runs[place - 1]
        return int(heard[place - 1]) + min(last.count, frame - last.frame)

    def _note(self, block: cueline.Block) -> None:
        if block.lost > 0:
            self.gaps.append((block.frame - block.lost, block.lost))
        if self._next is not None:
            self.out_of_place += block.frame != self._next + block.lost
        self._next = block.frame + len(block.samples)
        self.frames += len(block.samples)
        numbers, faded, wrong = numbers_of(block.samples)
        self.faded += faded
        self.wrong += wrong
        places = np.flatnonzero(numbers >= 0)
        if len(places) == 0:
            return
        breaks = np.flatnonzero((np.diff(places) != 1) | (np.diff(numbers[places]) != 1)) + 1
        for piece in np.split(places, breaks):
            self._add(Run(block.frame + int(piece[0]), int(numbers[piece[0]]), len(piece)))

    def _add(self, run: Run) -> None:
        if self.runs:
            last = self.runs[-1]
            if (run.frame, run.number) == (last.frame + last.count, last.number + last.count):
                last.count += run.count
                return
        self.runs.append(run)


def write_until(end_s: float, playback: cueline.Playback, chance: random.Random, *, wrong: bool) -> tuple[int, int]:
    """Write at random, and clear now and then. Return how many frames were written, and how many clears there were."""
    written = clears = 0
    while time.monotonic() < end_s or clears == 0:
        count = chance.randrange(1, 4_000)
        samples = numbered(np.arange(written, written + count))
        if wrong:
            samples[count // 2, 0] += 2**-20
        playback.write(samples)
        written += count
        if chance.randrange(ONCE_IN) == 0:
            playback.clear(timeout=60)
            clears += 1
    playback.drain()
    return written, clears


def moved(runs: list[Run], delay: int, among: list[Run]) -> int:
    """Return how many frames of ``runs`` are not among those of the other runs, ``delay`` frames before."""
    starts = np.array([run.frame for run in among])
    missing = 0
    for run in runs:
        place = int(np.searchsorted(starts, run.frame - delay, side="right")) - 1
        other = among[place] if place >= 0 else Run(0, 0, 0)
        begin = run.frame - delay - other.frame
        if run.number != other.number + begin or begin + run.count > other.count:
            missing += run.count
    return missing


def soak(load: str, seconds: float, seed: int, mutant: str | None, console: Console) -> bool:
    """Run it under one load. Return whether all is accounted for."""
    console.print(f"duplex while Python {LOAD_NAMES[load]}: {seconds:g} s, --seed {seed}", highlight=False)
    kept = LOADS[load].prepare()
    engine = cueline.AudioEngine("null", inputs=3, outputs=3, blocksize=BLOCKSIZE, loopback=True)
    playback = engine.open_playback(channels=3, buffer_seconds=SHORT_S, at=1)
    out = Listener(engine.open_recording(source="outputs", buffer_seconds=LONG_S, at=1), LONG_BLOCK)
    back = Listener(
        engine.open_recording(buffer_seconds=SHORT_S, at=1 + BLOCKSIZE), SHORT_BLOCK, forgets=mutant == "forgets"
    )
    over = threading.Event()
    with engine, ThreadPoolExecutor() as threads:
        works = [threads.submit(work) for work in (out.listen, back.listen, lambda: LOADS[load].run(over))]
        try:
            chance = random.Random(seed)
            written, clears = write_until(time.monotonic() + seconds, playback, chance, wrong=mutant == "wrong")
        finally:
            end = engine.after(0.5)
            out.recording.stop(end)
            back.recording.stop(end + BLOCKSIZE)
            over.set()
        for work in works:
            work.result()
        stats = engine.stats()
    del kept
    return is_accounted_for(written, clears, playback.position(), out, back, stats, console)


def is_accounted_for(
    written: int,
    clears: int,
    position: cueline.PlaybackPosition,
    out: Listener,
    back: Listener,
    stats: cueline.Stats,
    console: Console,
) -> bool:
    """Print the account. Return whether it is right."""
    skipped = 0
    number = 0
    for run in out.runs:
        skipped += run.number - number
        number = run.number + run.count
    skipped += written - number
    rows = [
        ("blocks", stats.blocks, ""),
        ("xruns", stats.xruns, ""),
        ("frames written", position.written, "" if position.written == written else f"must be {written}"),
        ("played", position.played, ""),
        ("cleared", position.cleared, ""),
        ("waiting", position.waiting, "" if position.waiting == 0 else "must be 0"),
        (
            "played + cleared + waiting",
            position.played + position.cleared + position.waiting,
            "" if position.written == position.played + position.cleared + position.waiting else "must be all written",
        ),
        ("clears", clears, ""),
        ("underrun", position.underrun, ""),
    ]
    for name, listener in (("outputs", out), ("inputs", back)):
        at_end = listener.recording.position()
        frames, lost = at_end.frame - at_end.first, sum(gap for _, gap in listener.gaps)
        rows += [
            (f"{name}: frames", frames, ""),
            ("  read", listener.frames, "" if listener.frames == at_end.recorded else f"must be {at_end.recorded}"),
            (f"  lost, in {len(listener.gaps)} gaps", lost, "" if lost == at_end.lost else f"must be {at_end.lost}"),
            ("  read + lost", listener.frames + lost, "" if listener.frames + lost == frames else "must be all frames"),
            ("  out of place", listener.out_of_place, "must be 0" if listener.out_of_place else ""),
            ("  with other samples than written", listener.wrong, "must be 0" if listener.wrong else ""),
            ("  fading", listener.faded, "" if listener.faded <= FADE * clears else f"must be {FADE} a clear at most"),
        ]
    heard_in_gaps = sum(
        out.heard_before(frame - BLOCKSIZE + lost) - out.heard_before(frame - BLOCKSIZE) for frame, lost in back.gaps
    )
    if out.gaps:
        console.print("the recording of the outputs has gaps: what came back is not compared with it")
    else:
        strays = moved(back.runs, BLOCKSIZE, out.runs)
        rows += [
            ("written frames that went out", out.heard, "" if out.heard == position.played else "must be all played"),
            ("  left out between them", skipped, "" if skipped == position.cleared else "must be all cleared"),
            ("  that came back", back.heard, ""),
            ("  that came back elsewhere", strays, "must be 0" if strays else ""),
            (
                "  that came back or are in a gap",
                back.heard + heard_in_gaps,
                "" if back.heard + heard_in_gaps == out.heard else "must be all that went out",
            ),
        ]
    print_account(console, rows)
    sound = not any(complaint for _, _, complaint in rows)
    console.print("all accounted for" if sound else "FAILED")
    return sound


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="for each stall, up to 90")
    parser.add_argument("--stalls", nargs="+", choices=LOADS, default=["busy", "garbage", "gil"])
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--mutant", choices=["forgets", "wrong"], help="a fault that the account must show")
    options = parser.parse_args()
    if not 0 < options.minutes <= MAX_MINUTES:
        parser.error(f"--minutes must be more than 0 and at most {MAX_MINUTES}, got {options.minutes:g}")
    console = Console(soft_wrap=True)
    results = [soak(load, options.minutes * 60, options.seed, options.mutant, console) for load in options.stalls]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
