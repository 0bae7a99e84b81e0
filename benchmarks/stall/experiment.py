"""Run a contender under a load while the observer listens, and a player with known faults to check the observer."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stall.account import Account, count
from stall.program import Program, ProgramError
from stall.recorded import Recorded

__all__ = ["FAULTS", "SKIPS", "Fault", "Recording", "Room", "Run", "Skips"]

_PATIENCE_S = 60  # with a program, beyond its running time
_LEAD_S = 0.05  # from the load's beginning to the record's


@dataclass(frozen=True)
class Run:
    """One contender under one load, once: the observer's counts and the contender's own."""

    contender: str
    load: str
    seen: Account
    said: Mapping[str, Any]


@dataclass(frozen=True)
class Recording:
    """One contender that records under one load, once: what it got, and its own counts."""

    contender: str
    load: str
    seen: Recorded
    said: Mapping[str, Any]


@dataclass(frozen=True)
class Skips:
    """Numbers that the source leaves out on purpose, ``times`` times."""

    times: int
    blocks: int


SKIPS = (Skips(0, 0), Skips(4, 1), Skips(4, 37))


@dataclass(frozen=True)
class Fault:
    """A fault that the player in C++ makes on purpose, ``times`` times."""

    name: str
    times: int
    blocks: int

    @property
    def missed(self) -> int:
        """Return how many cycles it misses."""
        return 0 if self.name == "jumped" else self.times * self.blocks

    @property
    def gap_blocks(self) -> int:
        """Return the longest gap that it makes, in blocks."""
        return 1 if self.name == "jumped" else self.blocks + 1


FAULTS = (
    Fault("late", 4, 1),
    Fault("late", 4, 37),
    Fault("silent", 4, 3),
    Fault("repeated", 4, 3),
    Fault("jumped", 4, 1),
)


@dataclass(frozen=True)
class Room:
    """Where contenders play: a server's environment and block size, and the folder of our programs."""

    environment: Mapping[str, str]
    programs: Path
    samplerate: int
    block_frames: int

    def run(self, contender: str, load: str, seconds: float) -> Run:
        """Run one of the contenders for ``seconds``. Raises ProgramError."""
        seen, said = self._listen([sys.executable, "-m", "stall.contender", contender, load], seconds)
        # rtmixer's callback may print too.
        (account,) = (line for line in said.splitlines() if line.startswith("{"))
        return Run(contender, load, seen, json.loads(account))

    def record(self, contender: str, load: str, seconds: float, skips: Skips = SKIPS[0]) -> Recording:
        """Let one of the contenders record the source for ``seconds``. Raises ProgramError."""
        command = [sys.executable, "-m", "stall.recorder", contender, load]
        play = [str(self.programs / "cueline_source"), str(skips.times), str(skips.blocks)]
        limit_s = seconds + _PATIENCE_S
        with (
            Program(command, self.environment, limit_s) as recorder,
            Program(play, self.environment, limit_s) as source,
        ):
            ports = source.ready(), recorder.ready()
            if subprocess.run(["jack_connect", *ports], env=dict(self.environment)).returncode != 0:
                raise ProgramError(f"JACK did not connect {ports[0]} to {ports[1]}")
            recorder.begin()
            source.begin()
            time.sleep(seconds)
            # PortAudio may print too.
            (account,) = (line for line in recorder.end().splitlines() if line.startswith("{"))
        said = json.loads(account)
        return Recording(contender, load, Recorded(**said.pop("seen")), said)

    def check_source(self, skips: Skips) -> Recorded:
        """Return what cueline records while Python idles and the source leaves out numbers. Raises ProgramError."""
        blocks = (skips.times + 2) * 100  # 100 blocks from one to the next
        return self.record("cueline", "idle", blocks * self.block_frames / self.samplerate, skips).seen

    def check(self, fault: Fault) -> Account:
        """Return what the observer counts for a known fault. Raises ProgramError."""
        player = [str(self.programs / "cueline_player"), "player", fault.name, str(fault.times), str(fault.blocks)]
        blocks = (fault.times + 2) * 100  # the faults are 100 blocks apart
        return self._listen(player, blocks * self.block_frames / self.samplerate)[0]

    def _listen(self, command: Sequence[str], seconds: float) -> tuple[Account, str]:
        limit_s = seconds + _PATIENCE_S
        with Program(command, self.environment, limit_s) as contender:
            observer = [str(self.programs / "cueline_observer"), contender.ready(), str(seconds)]
            with Program(observer, self.environment, limit_s) as listening:
                listening.ready()
                contender.begin()
                time.sleep(_LEAD_S)
                listening.begin()
                record = listening.end()
            said = contender.end()
        return count(record.splitlines(), samplerate=self.samplerate, block_frames=self.block_frames), said
