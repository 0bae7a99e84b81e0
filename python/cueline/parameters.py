"""engine.parameters: values for the audio thread, by name. Only the latest value matters."""

from __future__ import annotations

from collections.abc import MutableMapping
from weakref import ref

from cueline import _core
from cueline._core import ParameterArray
from cueline.arguments import SetWhenMade, refuse_attribute, require_new, shown
from cueline.errors import ArgumentTypeError, ClosedError, ForkedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, NoReturn, SupportsIndex

    from cueline.automation import Automation, Event
    from cueline.specs import ParameterSpec

__all__ = ["ParameterArray", "Parameters"]

if TYPE_CHECKING:  # at run time it only has a mapping's methods: nanobind types have one base class

    class _Base(_core.Parameters, MutableMapping[str, float]):
        _engine: Callable[[], Any]  # the engine, or None

else:
    _Base = _core.Parameters


class Parameters(_Base):
    """An engine's parameters: a mapping of names to the values that were last set.

    ``parameters["gain"] = 0.5`` never blocks and uses no room in the command ring. If a parameter is set several times
    between two blocks, the audio thread sees the last value. The parameter moves to it from the next block on, within
    its ramp time. ``automate`` moves a parameter at exact frames or beats. A value that is set while the engine is
    stopped, or its device is lost, applies when blocks come again. This mapping also shows what an automation or a MIDI
    map sets, but not what a message sets. The next write moves the parameter again, even if it repeats the same value.
    If a parameter is an array, ``array(name)`` returns a view of it.

    Any Python thread may use it. Raises UnknownNameError (a KeyError), ArgumentError for NaN and for a value outside
    the parameter's range, ArgumentTypeError for a value that is not a number, ClosedError, ForkedError. A parameter
    cannot be deleted. The names and ``spec`` can be read on a closed engine too.
    """

    def __init__(self, engine: _core.Sender, prefix: str = "") -> None:
        if not isinstance(engine, _core.Engine):
            raise ArgumentTypeError(f"engine must be an AudioEngine, got {shown(engine)}: use engine.parameters")
        require_new(self, "view")
        super().__init__(engine, prefix)
        # An engine that its parameters kept would be in a circle, and wait for the collector.
        vars(self)["_engine"] = ref(engine)

    def automate(
        self, name: str | tuple[str, SupportsIndex], events: Iterable[Event], *, timeout: float | None = 0
    ) -> Automation:
        """Move a parameter as the ``events`` say: ``Set``, ``Linear``, ``Exponential``, ``Target`` and ``Curve``.

        ``name`` is a parameter's name, or a pair of name and index for an element of an array. The times of the events
        are all frames, or all Beats. Their order does not matter; events at the same time keep their order. The rules
        are those of the AudioParam of the Web Audio specification, exact to the sample: a ramp begins where the event
        before it ends. If there is no such event, it begins when the audio thread reads it, at the value that the
        parameter has then. With Beats, the value is a function of the beat.

        The parameter's own ramp is not used. From its first event on, the automation replaces an earlier one of the
        parameter. A value that you set ends it. While it moves the parameter, reading shows its value at the end of the
        last block. ``timeout`` is that of ``send``: if there is no room for all segments within that time, it raises
        Full, and nothing is sent. Returns the automation, which you can hold or cancel.

        Raises UnknownNameError; ArgumentError for a value outside the parameter's range, for an event within a curve,
        and for more than 1023 segments; ArgumentTypeError, ClosedError, ForkedError, DeviceError.
        """
        from cueline.automation import automate  # here, because `import cueline` must stay quick

        engine = self._engine()
        if engine is None:
            raise ClosedError("the engine of these parameters is gone: keep a reference to it")
        return automate(engine, engine, self, name, events, timeout)

    def spec(self, name: str) -> ParameterSpec:
        """Return what the processor declares about the parameter. Raises UnknownNameError."""
        from cueline.specs import ParameterSpec

        return ParameterSpec(*self._spec(name))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        refuse_attribute("parameters", name)

    def __delitem__(self, name: str) -> NoReturn:
        raise ArgumentTypeError(f"a parameter can be set but not deleted, got {shown(name)}")

    def _shown(self) -> dict[str, Any]:
        """Return all values, for people: an array shows how many elements it has."""
        counts = {name: self.spec(name).count for name in self}
        return {name: self[name] if count == 1 else f"array of {count}" for name, count in counts.items()}

    def __repr__(self) -> str:
        try:
            return f"<cueline.Parameters {self._shown()}>"
        except (ClosedError, ForkedError):
            return f"<cueline.Parameters {list(self)}, closed>"

    def _repr_html_(self) -> str:
        """Return a table, for a notebook."""
        from cueline.notebook import table  # here, because few programs show it

        specs = [self.spec(name) for name in self]
        try:
            values = self._shown()
        except (ClosedError, ForkedError):
            values = {}
        rows = [(spec.name, values.get(spec.name, "closed"), spec.lowest, spec.highest, spec.unit) for spec in specs]
        return table(("parameter", "value", "lowest", "highest", "unit"), rows)

    if not TYPE_CHECKING:
        _engine = SetWhenMade()
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
