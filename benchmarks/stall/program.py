"""A program that prints that it is ready, begins after a line of input, and prints its results when its input ends."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType

__all__ = ["Program", "ProgramError"]


class ProgramError(Exception):
    """A program failed."""


class Program:
    """One run of a program. As a context manager it kills the program at the end, whatever happens."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], limit_s: float) -> None:
        self._name = " ".join(command)
        self._complaints = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed in __exit__
        self._process = subprocess.Popen(
            command,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        self._limit = threading.Timer(limit_s, self._process.kill)
        self._limit.start()

    def __enter__(self) -> Program:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._limit.cancel()
        self._process.kill()
        self._process.wait()
        for file in (self._input, self._output, self._complaints):
            file.close()

    def ready(self) -> str:
        """Wait for the line that begins with "ready", and return the rest of it. Raises ProgramError."""
        for line in self._output:
            word, _, rest = line.rstrip("\n").partition(" ")
            if word == "ready":
                return rest
        raise self._error("did not become ready")

    def begin(self) -> None:
        """Let it begin. Raises ProgramError."""
        try:
            self._input.write("\n")
            self._input.flush()
        except BrokenPipeError:
            raise self._error("ended before it began") from None

    def end(self) -> str:
        """Close its input, wait for its end, and return what it printed. Raises ProgramError."""
        self._input.close()
        printed = self._output.read()
        if (status := self._process.wait()) != 0:
            raise self._error(f"ended with status {status}")
        return printed

    def _error(self, what: str) -> ProgramError:
        self._process.wait()
        self._complaints.seek(0)
        last = self._complaints.read().strip().rpartition("\n")[2]
        return ProgramError(f"{self._name}: {what}: {last or 'no error message'}")
