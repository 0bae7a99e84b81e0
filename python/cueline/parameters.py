"""engine.parameters: values for the audio thread of which only the latest matters, by their names."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from cueline import _core
from cueline.arguments import refuse_attribute, shown
from cueline.errors import ArgumentTypeError, ClosedError, ForkedError

__all__ = ["ParameterSpec", "Parameters"]


@dataclass(frozen=True)
class ParameterSpec:
    """What the processor says of a parameter."""

    name: str
    lowest: float = 0.0
    """In ``unit``, as ``highest`` and ``default``."""
    highest: float = 1.0
    default: float = 0.0
    """What it is until somebody sets it."""
    unit: str = ""
    """``"Hz"``, ``"dB"``; empty: none."""
    ramp: float = 0.02
    """Seconds that it takes from one value to another, 0 to 3600; 0: it jumps."""


if TYPE_CHECKING:  # what it is by its methods, and its base class cannot be: nanobind's types have one base

    class _Base(_core.Parameters, MutableMapping[str, float]): ...

else:
    _Base = _core.Parameters


class Parameters(_Base):
    """An engine's parameters: a mapping of their names to what they were last set to.

    ``parameters["gain"] = 0.5`` never blocks and takes no room in the command ring: of any number of writes between
    two blocks, the audio thread sees the last, as the next block begins, and goes there in the parameter's ramp time.
    What was set while the engine stands still, or its device is lost, counts when blocks come again. Where a message
    moved a parameter, that is not to be seen here; the next write counts, even of the same value.

    Any Python thread may use it. Raises UnknownNameError (a KeyError), ArgumentError for a value outside the
    parameter's range and for NaN, ArgumentTypeError for what is no number, ClosedError, ForkedError. Parameters cannot
    be deleted. Names, and ``spec``, can be had of a closed engine too.
    """

    def spec(self, name: str) -> ParameterSpec:
        """Return what the processor says of the parameter. Raises UnknownNameError."""
        return ParameterSpec(*self._spec(name))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        refuse_attribute("parameters", name)

    def __delitem__(self, name: str) -> NoReturn:
        raise ArgumentTypeError(f"parameters can be set and not deleted: {shown(name)}")

    def __repr__(self) -> str:
        try:
            return f"<cueline.Parameters {dict(self)}>"
        except (ClosedError, ForkedError):
            return f"<cueline.Parameters {list(self)}, closed>"

    if not TYPE_CHECKING:
        __eq__ = MutableMapping.__eq__
        __hash__ = None
        __reversed__ = None
        clear = MutableMapping.clear
        get = MutableMapping.get
        items = MutableMapping.items
        keys = MutableMapping.keys
        pop = MutableMapping.pop
        popitem = MutableMapping.popitem
        setdefault = MutableMapping.setdefault
        update = MutableMapping.update
        values = MutableMapping.values


MutableMapping.register(Parameters)
