"""engine.meters: values from the audio thread, by name. Only the latest value matters."""

from __future__ import annotations

import operator
from collections import namedtuple
from collections.abc import Callable, Mapping
from functools import cache, partial
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from cueline import _core
from cueline.arguments import SetWhenMade, refuse_attribute, require_new, shown
from cueline.errors import ArgumentTypeError, ClosedError, ForkedError

if TYPE_CHECKING:
    from cueline.specs import MeterSpec

__all__ = ["MeterReading", "Meters"]


class MeterReading(NamedTuple):
    """The value of a meter, and its frame."""

    value: Any
    """The same as ``meters[name]``."""
    frame: int
    """The frame of the value, as the processor set it; 0 if there is none yet."""


if TYPE_CHECKING:  # at run time it only has a mapping's methods: nanobind types have one base class

    class _Base(_core.Meters, Mapping[str, Any]):
        _makers: dict[str, Callable[[tuple[Any, ...]], Any]]

else:
    _Base = _core.Meters


class Meters(_Base):
    """An engine's meters: a read-only mapping of names to the latest values from the audio thread.

    If a meter has one field, ``meters["level"]`` is a float. If it has several, the value is a named tuple:
    ``meters["level"].peak``. All numbers of one value belong to the same frame, and ``read`` returns that frame too.
    ``array`` returns all values of an array of meters. Reading never blocks, and costs the audio thread nothing. While
    the engine is stopped, or its device is lost, a meter keeps its last value.

    Any Python thread may use it. Raises UnknownNameError (a KeyError), ClosedError, ForkedError. The names and
    ``spec`` can be read on a closed engine too.
    """

    def __init__(self, engine: _core.Sender, prefix: str = "") -> None:
        if not isinstance(engine, _core.Engine):
            raise ArgumentTypeError(f"engine must be an AudioEngine, got {shown(engine)}: use engine.meters")
        require_new(self, "view")
        super().__init__(engine, prefix)
        object.__setattr__(self, "_makers", {name: _maker(name, self._spec(name)[2]) for name in self})

    def __getitem__(self, name: str) -> Any:
        return self.read(name).value

    def read(self, name: str) -> MeterReading:
        """Return the meter's latest value and its frame. The frame is 0 if there is no value yet.

        Raises UnknownNameError, ClosedError, ForkedError.
        """
        values, frame = self._read(name)
        return MeterReading(self._maker_of(name)(values), frame)

    def array(self, name: str) -> Any:
        """Return the latest values of an array of meters: a NumPy array with one number for each element.

        If the meter has several fields, returns a named tuple of such arrays. All numbers of one element belong to the
        same moment; two elements may come from different blocks. Raises UnknownNameError, ClosedError, ForkedError.
        """
        arrays = self._array(name)
        return self._maker_of(name)(arrays)

    def _maker_of(self, name: str) -> Callable[[tuple[Any, ...]], Any]:
        if type(name) is not str:  # a class that derives from str may have a hash of its own
            name = str.__str__(name)
        return self._makers[name]

    def __setattr__(self, name: str, value: object) -> NoReturn:
        refuse_attribute("meters", name)

    def spec(self, name: str) -> MeterSpec:
        """Return what the processor declares about the meter. Raises UnknownNameError."""
        from cueline.specs import MeterSpec

        return MeterSpec(*self._spec(name))

    def _shown(self) -> dict[str, Any]:
        """Return all values, for people: an array shows how many elements it has."""
        counts = {name: self.spec(name).count for name in self}
        return {name: self[name] if count == 1 else f"array of {count}" for name, count in counts.items()}

    def __repr__(self) -> str:
        try:
            return f"<cueline.Meters {self._shown()}>"
        except (ClosedError, ForkedError):
            return f"<cueline.Meters {list(self)}, closed>"

    def _repr_html_(self) -> str:
        """Return a table, for a notebook."""
        from cueline.notebook import table  # here, because few programs show it

        rows: list[tuple[object, ...]]
        try:
            values = self._shown()
            frames = {name: self.read(name).frame if self.spec(name).count == 1 else "" for name in self}
            rows = [(name, values[name], frames[name], self.spec(name).unit) for name in self]
        except (ClosedError, ForkedError):
            rows = [(name, "closed", "", self.spec(name).unit) for name in self]
        return table(("meter", "value", "frame", "unit"), rows)

    if not TYPE_CHECKING:
        _makers = SetWhenMade()
        __eq__ = Mapping.__eq__
        __hash__ = None
        __reversed__ = None
        get = Mapping.get
        items = Mapping.items
        keys = Mapping.keys
        values = Mapping.values


Mapping.register(Meters)


def _maker(name: str, fields: tuple[str, ...]) -> Callable[[tuple[Any, ...]], Any]:
    """Return the function that turns a meter's numbers into the value that a user sees."""
    if len(fields) == 1:
        return operator.itemgetter(0)
    return partial(_value, name, fields)


def _value(name: str, fields: tuple[str, ...], values: tuple[Any, ...]) -> Any:
    """Return a named tuple. Unpickling one calls this function too."""
    return _value_type(name, fields)._make(values)


@cache
def _value_type(name: str, fields: tuple[str, ...]) -> Any:
    type_name = name if name.isidentifier() and not iskeyword(name) else "meter"
    # A field whose name is not a Python identifier gets its number as a name: _0, _1.
    plain: Any = namedtuple(type_name, fields, rename=True)  # type: ignore[misc]

    def reduce(value: tuple[float, ...]) -> tuple[Any, ...]:
        return _value, (name, fields, tuple(value))

    return type(type_name, (plain,), {"__slots__": (), "__reduce__": reduce})
