"""A live looper of 216 pads on cueline: a processor in C++, played from Python."""

from looper.looper import Looper

__all__ = ["Looper"]
