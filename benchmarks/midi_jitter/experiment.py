"""Run a contender under a load while it gets notes, and a contender in C++ whose delays are known."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midi_jitter.clicks import NOTES
from midi_jitter.delays import Account, Summary, account_of, summarise
from stall.program import Program, ProgramError

__all__ = ["KNOWN", "Known", "Stage"]

_PATIENCE_S = 60  # with a program, beyond its running time


@dataclass(frozen=True)
class Known:
    """What the contender in C++ does on purpose."""

    delay: int
    spread: int
    """How much later the sound of a note with an odd number comes."""
    left_out: int
    """It leaves out each note whose number is a multiple of this, or none if this is 0."""

    def found_in(self, seen: Summary) -> bool:
        """Return whether ``seen`` is exactly that. Of two notes, one must be odd and one even."""
        lost = sum(number % NOTES % self.left_out == 0 for number in range(seen.sent)) if self.left_out else 0
        delays = (self.delay, self.delay + self.spread)
        return (seen.least, seen.most, seen.lost, seen.extra) == (*delays, lost, 0)


KNOWN = (Known(0, 0, 0), Known(5, 300, 10))


@dataclass(frozen=True)
class Stage:
    """Where contenders play: a server's environment, the folder of our programs, and the size of a block."""

    environment: Mapping[str, str]
    programs: Path
    block_frames: int

    def run(self, contender: str, load: str, seconds: float) -> tuple[Account, dict[str, Any]]:
        """Run one of the contenders for ``seconds``, and return its notes and what it says. Raises ProgramError."""
        seen, said = self._listen([sys.executable, "-m", "midi_jitter.contender", contender, load], seconds)
        # PortAudio may print too.
        (account,) = (line for line in said.splitlines() if line.startswith("{"))
        return seen, json.loads(account)

    def check(self, known: Known, seconds: float = 1) -> Summary:
        """Return what is measured of known delays. Raises ProgramError."""
        numbers = (known.delay, known.spread, known.left_out)
        seen, _ = self._listen([str(self.programs / "cueline_echo"), *map(str, numbers)], seconds)
        return summarise([seen])

    def _listen(self, command: Sequence[str], seconds: float) -> tuple[Account, str]:
        limit_s = seconds + _PATIENCE_S
        with Program(command, self.environment, limit_s) as contender:
            ports = contender.ready().split()
            if len(ports) != 2:
                raise ProgramError(f"{' '.join(command)}: the ports are {ports}")
            with Program([str(self.programs / "cueline_notes"), *ports], self.environment, limit_s) as notes:
                notes.ready()
                contender.begin()
                notes.begin()
                time.sleep(seconds)
                record = notes.end()
            said = contender.end()
        return account_of(record.splitlines(), self.block_frames), said
