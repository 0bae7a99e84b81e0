"""engine.meters: values from the audio thread of which only the latest matters, by their names."""

from __future__ import annotations

import operator
from collections import namedtuple
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from cueline import _core
from cueline.arguments import refuse_attribute
from cueline.errors import ClosedError, ForkedError

__all__ = ["MeterReading", "MeterSpec", "Meters"]


@dataclass(frozen=True)
class MeterSpec:
    """What the processor says of a meter."""

    name: str
    unit: str = ""
    """``"dB"``; empty: none."""
    fields: tuple[str, ...] = ("value",)
    """What its numbers are, 1 to 8 of them, in their order."""


class MeterReading(NamedTuple):
    """What a meter showed, and when."""

    value: Any
    """As ``meters[name]`` has it."""
    frame: int
    """The frame that it is of, as the processor said; 0 while there is none."""


if TYPE_CHECKING:  # what it is by its methods, and its base class cannot be: nanobind's types have one base

    class _Base(_core.Meters, Mapping[str, Any]):
        _makers: dict[str, Callable[[tuple[float, ...]], Any]]

else:
    _Base = _core.Meters


class Meters(_Base):
    """An engine's meters: a read-only mapping of their names to the latest values that the audio thread gave them.

    ``meters["level"]`` is a float where the meter has one field; where it has several, a named tuple of them:
    ``meters["level"].peak``. The numbers of one value are of one moment, never of two; ``read`` says which. Reading
    never blocks, and costs the audio thread nothing. What a meter showed last can be read while the engine stands
    still, or its device is lost.

    Any Python thread may use it. Raises UnknownNameError (a KeyError), ClosedError, ForkedError. Names, and ``spec``,
    can be had of a closed engine too.
    """

    def __init__(self, engine: _core.Sender) -> None:
        super().__init__(engine)
        object.__setattr__(self, "_makers", {name: _maker(self.spec(name)) for name in self})

    def __getitem__(self, name: str) -> Any:
        return self.read(name).value

    def read(self, name: str) -> MeterReading:
        """Return the meter's latest value, and the frame that it is of; 0 while it has none.

        Raises UnknownNameError, ClosedError, ForkedError.
        """
        values, frame = self._read(name)
        return MeterReading(self._makers[name](values), frame)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        refuse_attribute("meters", name)

    def spec(self, name: str) -> MeterSpec:
        """Return what the processor says of the meter. Raises UnknownNameError."""
        return MeterSpec(*self._spec(name))

    def __repr__(self) -> str:
        try:
            return f"<cueline.Meters {dict(self)}>"
        except (ClosedError, ForkedError):
            return f"<cueline.Meters {list(self)}, closed>"

    if not TYPE_CHECKING:
        __eq__ = Mapping.__eq__
        __hash__ = None
        __reversed__ = None
        get = Mapping.get
        items = Mapping.items
        keys = Mapping.keys
        values = Mapping.values


Mapping.register(Meters)


def _maker(spec: MeterSpec) -> Callable[[tuple[float, ...]], Any]:
    """Return what makes a value that a user sees of a meter's numbers."""
    if len(spec.fields) == 1:
        return operator.itemgetter(0)
    return partial(_value, spec.name, spec.fields)


def _value(name: str, fields: tuple[str, ...], values: tuple[float, ...]) -> Any:
    """Return a named tuple. Where it was pickled, it is made again by this."""
    return _value_type(name, fields)._make(values)


@cache
def _value_type(name: str, fields: tuple[str, ...]) -> Any:
    type_name = name if name.isidentifier() and not iskeyword(name) else "meter"
    # A field whose name is no Python name goes by its number: _0, _1.
    plain: Any = namedtuple(type_name, fields, rename=True)  # type: ignore[misc]

    def reduce(value: tuple[float, ...]) -> tuple[Any, ...]:
        return _value, (name, fields, tuple(value))

    return type(type_name, (plain,), {"__slots__": (), "__reduce__": reduce})
