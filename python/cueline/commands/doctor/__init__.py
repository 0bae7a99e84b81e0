"""``cueline doctor``: whether this machine is fit for real-time audio.

``permissions``, ``kernel``, ``container``, ``servers`` and ``build`` look at one thing each, ``wakeups`` measures;
``findings`` is what they return, ``machine`` what they look at, ``checkup`` calls them in order, ``report`` tells.
"""

from cueline.commands.doctor.command import run

__all__ = ["run"]
