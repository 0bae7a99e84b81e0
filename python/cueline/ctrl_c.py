"""Ctrl-C, while a command works."""

from __future__ import annotations

import signal

__all__ = ["CtrlC"]


class CtrlC:
    """Takes the first Ctrl-C as a wish to end, so that it cuts nothing in two; the second one interrupts."""

    def __init__(self) -> None:
        self.came = False

    def __enter__(self) -> CtrlC:
        self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def heed(self) -> None:
        """Raise KeyboardInterrupt if it came: to be called where nothing is under way."""
        if self.came:
            raise KeyboardInterrupt

    def _note(self, *_: object) -> None:
        self.came = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
