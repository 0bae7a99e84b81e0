"""``cueline bench``: what a call from Python costs, beside the least that it could and what people use instead.

``calls`` are ours, ``peers`` and ``echo`` are theirs, ``measure`` times them all in turn; ``results``, ``report`` and
``machine`` say what came of it.
"""

from cueline.commands.bench.command import run

__all__ = ["run"]
