"""``cueline doctor``: whether this machine is fit for real-time audio.

``permissions``, ``kernel``, ``container``, ``servers`` and ``build`` check what ``machine`` reads from the system.
``lateness`` measures. ``checkup`` calls the checks in order. Each returns a ``Finding``, and ``report`` prints them.
"""

from cueline.commands.doctor.command import run

__all__ = ["run"]
