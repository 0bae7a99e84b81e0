"""``cueline bench``: what a call from Python costs, compared with the least possible cost and other libraries.

``calls`` and ``messages`` define our calls, ``peers`` and ``echo`` those of others; ``measure`` times all of them in
turn, and ``imports`` times ``import cueline``. ``results`` holds what was measured, ``machine`` what it was measured
on, and ``report`` prints both.
"""

from cueline.commands.bench.command import run

__all__ = ["run"]
