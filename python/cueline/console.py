"""Where the commands print to."""

from __future__ import annotations

from rich.console import Console

__all__ = ["PlainConsole"]


class PlainConsole(Console):
    """A console that neither colours numbers nor breaks lines, and that tells when nobody reads it any more.

    Rich's own would exit then, as if something had been lost.
    """

    def __init__(self, *, least_width: int = 0) -> None:
        super().__init__(highlight=False, soft_wrap=True)
        self.width = max(self.width, least_width)

    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError."""
        raise BrokenPipeError
