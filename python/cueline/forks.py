"""A warning when this process forks while its audio runs."""

from __future__ import annotations

import os
import warnings

from cueline import _core

__all__ = ["warn_of_forks"]

_warned = False


def _before_a_fork() -> None:
    global _warned
    if _warned or _core.engines_running() == 0:
        return
    _warned = True
    warnings.warn(
        "this process forks while an engine runs: until the fork is done, the audio thread may wait for memory, and "
        "blocks may be late or missing. Start processes with subprocess, or by the start method 'forkserver': "
        "multiprocessing.set_start_method('forkserver')",
        RuntimeWarning,
        stacklevel=2,
    )


def warn_of_forks() -> None:
    """Make the first ``os.fork()`` while an engine runs give a RuntimeWarning. Without ``os.fork``, do nothing."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_before_a_fork)
