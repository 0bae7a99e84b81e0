"""Processors from functions that numba compiled for the audio thread."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Protocol, TypeVar

from cueline import _core
from cueline.arguments import checked_integer, checked_name, shown
from cueline.errors import ArgumentError, ArgumentTypeError, ProcessorError
from cueline.specs import MeterSpec, ParameterSpec

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from cueline.processors import CapsuleType

__all__ = [
    "APPLIED",
    "DEFERRED",
    "DISCARDED_SIGNATURE",
    "HANDLE_SIGNATURE",
    "REFUSED",
    "RENDER_SIGNATURE",
    "cfunc_processor",
]

RENDER_SIGNATURE = (
    "void(CPointer(float32), uint32, CPointer(float32), uint32, uint32, uint64, float64, "
    "CPointer(float64), CPointer(float64), CPointer(float64), voidptr, "
    "CPointer(CPointer(float32)), CPointer(uint64), voidptr)"
)
"""numba's signature of ``render``: see ``cfunc_processor``."""

HANDLE_SIGNATURE = "int64(voidptr, uint64, float64, voidptr, voidptr, voidptr)"
"""numba's signature of ``handle(command, frame, samplerate, events, cues, state)``."""

DISCARDED_SIGNATURE = "void(voidptr, uint64, float64, voidptr)"
"""numba's signature of ``discarded(command, frame, samplerate, state)``."""

APPLIED = 1
"""What ``handle`` returns for a command that took effect: ``APPLIED | value << 32``. True stands for a value of 0."""

REFUSED = 2
"""What ``handle`` returns if it refuses a command: ``REFUSED | reason << 32``. 256 is the first of ``reasons``."""

DEFERRED = 3
"""What ``handle`` returns if it wrote a message into ``cues``, which acts later in the command's place."""

_COMPILED = {
    RENDER_SIGNATURE: (
        "(float32*, uint32, float32*, uint32, uint32, uint64, float64, float64*, float64*, float64*, void*, "
        "float32**, uint64*, void*) -> none"
    ),
    HANDLE_SIGNATURE: "(void*, uint64, float64, void*, void*, void*) -> int64",
    DISCARDED_SIGNATURE: "(void*, uint64, float64, void*) -> none",
}


_MOST_LISTED = 10_000  # more than an engine takes: an iterator may have no end
_MOST_ELEMENTS = 4096  # what an engine takes
_MOST_SLOTS = 4096

_Spec = TypeVar("_Spec")


class CFunc(Protocol):
    """A function that ``numba.cfunc`` compiled."""

    @property
    def address(self) -> int | None: ...
    @property
    def native_name(self) -> str: ...
    def inspect_llvm(self) -> str: ...


def cfunc_processor(
    render: CFunc,
    handle: CFunc | None = None,
    *,
    discarded: CFunc | None = None,
    state: npt.NDArray[np.generic] | None = None,
    parameters: Iterable[ParameterSpec] = (),
    meters: Iterable[MeterSpec] = (),
    buffer_slots: int = 0,
    reasons: Iterable[str] = (),
    name: str | None = None,
) -> CapsuleType:
    """Return a processor made of functions that ``numba.cfunc`` compiled, for ``AudioEngine(processor=...)``.

    Below, ``carray`` is ``numba.carray``. Names in capitals, such as ``TOLD = cueline.dtype(cls)``, are your constants.
    Compute them outside the functions: numba treats them as constants.

    ``render`` fills a block, or a part of one. Compile it for ``RENDER_SIGNATURE``. Its arguments are ``(inputs, ins,
    outputs, outs, frames, frame, samplerate, parameters, arrays, meters, events, samples, buffers, state)``:

    - ``inputs``: ``carray(inputs, (ins, frames))``, where ``ins`` is the number of inputs
    - ``outputs``: ``carray(outputs, (outs, frames))``, to be written
    - ``frame``: the index of the first frame
    - ``parameters``: ``carray(parameters, (count, frames))``, the value of each parameter in each frame. Arrays are not
      among them
    - ``arrays``: ``carray(arrays, (elements, 2))``, for each element of the arrays of parameters, one array after the
      other: its value in the first frame, and how much it changes from frame to frame
    - ``meters``: ``carray(meters, (count, 8))``, eight numbers for each meter, or each element of an array of meters,
      published after each call
    - ``events``: ``carray(events, 16, TOLD)``, 16 messages. Those whose kind you set are sent, at their frame. If their
      frame is 0, they are sent at the first frame of the call
    - ``buffers``: ``carray(buffers, (SLOTS, 3))``, for each of the ``buffer_slots`` its buffer's frames, channels and
      serial: a swap changes the serial. All are 0 if the slot is empty
    - ``samples``: for each slot, the samples of its buffer: ``carray(samples[slot], (frames, channels))``, with the
      numbers from ``buffers``. Only if the slot is not empty, and only during the call
    - ``state``: see below

    ``handle`` acts on a command, and returns whether it handles that message. Compile it for ``HANDLE_SIGNATURE``. Its
    ``command`` is ``carray(command, 1, TELL)``. It may also return ``APPLIED | value << 32``, where the confirmation
    shows the value; ``REFUSED | reason << 32``, where 256 is the first of ``reasons``, which are names; or
    ``DEFERRED``. To defer a command, it writes a message with a kind and a frame into ``carray(cues, 16, TELL)``:
    ``handle`` gets that message at its frame, and its outcome becomes that of the command. If a cue cannot be
    scheduled, for instance because its frame is not later, the command is refused; its other cues stay.

    ``discarded`` takes back a command that will never be applied: it was cancelled, was late and dropped, found no
    room, or waited when the engine was closed. Compile it for ``DISCARDED_SIGNATURE``. Its arguments are ``command``,
    ``frame``, ``samplerate`` and ``state``.

    ``state`` is a NumPy array that all functions get: ``carray(state, SHAPE, DTYPE)``. cueline keeps it alive, loads
    it into memory, and locks it there if that is permitted. It belongs to the audio thread until the engine is closed.
    ``name`` is what the engine's ``processor`` property returns; by default, the name of ``render``.

    The functions run on the audio thread, compiled, without Python. cueline inspects the compiled code. It raises
    ProcessorError for a function that may raise an exception (numba would take the GIL for it), that allocates, or that
    calls anything other than arithmetic. ``numba.cfunc(RENDER_SIGNATURE, error_model="numpy")`` stops divisions from
    raising. Raises ArgumentError, ArgumentTypeError. AudioEngine checks the parameters and meters.
    """
    keep = [_checked("render", render, RENDER_SIGNATURE)]
    if handle is not None:
        keep.append(_checked("handle", handle, HANDLE_SIGNATURE))
    if discarded is not None:
        keep.append(_checked("discarded", discarded, DISCARDED_SIGNATURE))
    slots = checked_integer("buffer_slots", buffer_slots)
    if not 0 <= slots <= _MOST_SLOTS:
        raise ArgumentError(f"buffer_slots must be from 0 to {_MOST_SLOTS}, got {slots}")
    return _core._cfunc_processor(
        _code_of("render", render),
        0 if handle is None else _code_of("handle", handle),
        0 if discarded is None else _code_of("discarded", discarded),
        0 if state is None else _address_of(state),
        0 if state is None else state.nbytes,
        [_parameter(spec) for spec in _listed("parameters", parameters)],
        [_meter(spec) for spec in _listed("meters", meters)],
        slots,
        [_reason(reason) for reason in _listed("reasons", () if isinstance(reasons, str) else reasons)],
        checked_name("name", name) or str(getattr(render, "__name__", "cfunc")),
        (keep, state),
    )


def _code_of(what: str, function: CFunc) -> int:
    if function.address is None:
        raise ArgumentError(f"{what} is not compiled: numba shows no address for {shown(function)}")
    return function.address


def _parameter(spec: ParameterSpec) -> tuple[str, float, float, float, str, float, int]:
    if not isinstance(spec, ParameterSpec):
        raise ArgumentTypeError(f"parameters must be cueline.ParameterSpec, got {shown(spec)}")
    lowest, highest, default, ramp = (
        _number(number, spec) for number in (spec.lowest, spec.highest, spec.default, spec.ramp)
    )
    return _text(spec.name, spec), lowest, highest, default, _text(spec.unit, spec), ramp, _count(spec)


def _number(value: float, spec: ParameterSpec) -> float:
    number = _core._real_number(value)
    if number is None:
        raise ArgumentTypeError(f"a parameter's lowest, highest, default and ramp must be numbers, got {shown(spec)}")
    return number


def _meter(spec: MeterSpec) -> tuple[str, str, list[str], int]:
    if not isinstance(spec, MeterSpec):
        raise ArgumentTypeError(f"meters must be cueline.MeterSpec, got {shown(spec)}")
    if isinstance(spec.fields, str) or not isinstance(spec.fields, Iterable):
        raise ArgumentTypeError(f"a meter's fields must be names, as in fields=('peak',), got {shown(spec)}")
    fields = _listed("a meter's fields", spec.fields)
    return _text(spec.name, spec), _text(spec.unit, spec), [_text(field, spec) for field in fields], _count(spec)


def _count(spec: ParameterSpec | MeterSpec) -> int:
    count = checked_integer(f"the count of {shown(spec.name)}", spec.count)
    if not 1 <= count <= _MOST_ELEMENTS:
        raise ArgumentError(f"the count of {shown(spec.name)} must be from 1 to {_MOST_ELEMENTS}, got {count}")
    return count


def _reason(reason: str) -> str:
    name = checked_name("a reason", reason)
    if not name:
        raise ArgumentError("a reason must have a name, got ''")
    return name


def _text(text: str, spec: object) -> str:
    if not isinstance(text, str):
        raise ArgumentTypeError(f"names and units must be strings, got {shown(text)} in {shown(spec)}")
    if text:  # the engine refuses an empty name
        checked_name("a name or unit", text)
    return text


def _listed(what: str, specs: Iterable[_Spec]) -> list[_Spec]:
    if not isinstance(specs, Iterable):
        raise ArgumentTypeError(f"{what} must be a list of specs, got {shown(specs)}")
    listed = list(islice(specs, _MOST_LISTED + 1))
    if len(listed) > _MOST_LISTED:
        raise ArgumentError(f"{what} must be at most {_MOST_LISTED}, got more")
    return listed


def _address_of(state: npt.NDArray[np.generic]) -> int:
    import numpy as np

    if not isinstance(state, np.ndarray) or isinstance(state, np.ma.MaskedArray):
        raise ArgumentTypeError(f"state must be a NumPy array without a mask, or None, got {shown(state)}")
    if state.dtype.hasobject:
        raise ArgumentTypeError("state must hold plain numbers: the Python objects in its dtype need the GIL")
    if not (state.flags.c_contiguous and state.flags.writeable):
        raise ArgumentError("state must be contiguous and writeable: the audio thread writes into it")
    owner: object = state
    while isinstance(owner, np.ndarray):
        if isinstance(owner, np.memmap):
            raise ArgumentTypeError("state must not be mapped to a file: the audio thread would wait for the disk")
        owner = owner.base
    return int(state.ctypes.data)


# --- Checking compiled code -------------------------------------------------------------------------------------------

_NAME = r'@("[^"]+"|[-\w.$]+)'

_CALL = re.compile(r"\b(?:call|invoke)\b")
_CALL_BY_NAME = re.compile(r"\b(?:call|invoke)\b[^%@]*" + _NAME + r"\(")
_BY_ADDRESS = "a function by its address (of ctypes?)"  # no name that LLVM could have

# What a compiled function may call: arithmetic from LLVM and the C library, and copying of bytes. On Windows, numba
# calls _hypot.
_ALLOWED = re.compile(
    r"llvm\.(?!.*(?:coro|eh\.))[\w.]+|__svml_\w+|mem(?:cpy|move|set)"
    r"|(?:sin|cos|tan|asin|acos|atan|atan2|sinh|cosh|tanh|asinh|acosh|atanh|exp|exp2|expm1|log|log2|log10|log1p|pow|sqrt|cbrt"
    r"|_?hypot|fmod|remainder|floor|ceil|round|trunc|rint|nearbyint|fabs|copysign|fmin|fmax|erf|erfc)f?"
    r"|numba_(?:ldexp|frexp|gamma|nextafter|cpow)f?"
)
# Calls in the wrapper that numba puts around every function. They handle exceptions, which a checked function cannot
# raise.
_WRAPPER = {
    "PyErr_Clear",
    "PyErr_SetNone",
    "PyErr_SetString",
    "PyErr_WriteUnraisable",
    "PyUnicode_FromString",
    "Py_DecRef",
    "numba_gil_ensure",
    "numba_gil_release",
}
# Signs that a function may raise: its exception data, and the wrapper's calls that raise with them.
_RAISES = re.compile(r"\.const\.picklebuf\.|numba_do_raise")
_RAISING = {
    _BY_ADDRESS,
    "NRT_Free",
    "PyBytes_FromStringAndSize",
    "numba_do_raise",
    "numba_runtime_build_excinfo_struct",
    "numba_unpickle",
}


def _checked(what: str, function: CFunc, signature: str) -> CFunc:
    """Return ``function`` if numba compiled it for ``signature`` and it may run on the audio thread."""
    if not all(hasattr(function, name) for name in ("address", "native_name", "inspect_llvm", "_sig")):
        raise ArgumentTypeError(f"{what} must be made by numba.cfunc, got {shown(function)}")
    compiled = str(getattr(function, "_sig"))  # noqa: B009
    if compiled != _COMPILED[signature]:
        wanted = f"{signature!r}, which is {_COMPILED[signature]}"
        raise ArgumentError(f"{what} must be compiled for {wanted}, got {compiled}")
    wrong = list(_wrong_in(function))
    if wrong:
        raise ProcessorError(f"{what} cannot run on the audio thread: it " + ", and ".join(wrong))
    return function


def _wrong_in(function: CFunc) -> Iterator[str]:
    """Yield what ``function`` does that is not allowed, as parts of a sentence."""
    if getattr(function, "cache_hits", 0) or type(getattr(function, "_cache", None)).__name__ == "FunctionCache":
        yield "comes from numba's cache, and cached code cannot be inspected: remove cache=True"
        return
    mentioned, declared = _names_in(function.inspect_llvm())
    entry = function.native_name
    if entry not in mentioned:
        yield "cannot be inspected: numba does not show its code"
        return
    # The wrapper contains the function, or calls it.
    reached = (mentioned[entry] - _WRAPPER) | _reached_from(mentioned[entry] & mentioned.keys(), mentioned)
    raises = any(_RAISES.match(name) for name in reached)
    if raises:
        yield (
            "may raise an exception, and would take the GIL for it: compile it with error_model='numpy', keep indices "
            "within bounds, and do not assign slices of different lengths"
        )
    forbidden = {name for name in reached & declared if not _ALLOWED.fullmatch(name)} - (_RAISING if raises else set())
    allocating = {name for name in forbidden if name.startswith("NRT_")}
    if allocating:
        yield "allocates memory for an array or a list: write into the given arrays, element by element"
    if others := sorted(forbidden - allocating):
        yield f"calls {', '.join(others)}, which is not arithmetic"


def _names_in(llvm: str) -> tuple[dict[str, set[str]], set[str]]:
    """Return the names that each defined function mentions, and the names that are only declared.

    A call by address counts as a declared name.
    """
    mentioned: dict[str, set[str]] = {}
    declared: set[str] = set()
    inside: set[str] | None = None
    for line in llvm.splitlines():
        if line.startswith(("define", "declare")):
            found = re.search(_NAME + r"\(", line)
            if found is None:
                continue
            name = found[1].strip('"')
            if line.startswith("declare"):
                declared.add(name)
            else:
                inside = mentioned.setdefault(name, set())
        elif line.startswith("}"):
            inside = None
        elif inside is not None:
            inside.update(name.strip('"') for name in re.findall(_NAME, line))
            if _CALL.search(line) and not _CALL_BY_NAME.search(line):
                inside.add(_BY_ADDRESS)
    return mentioned, declared | {_BY_ADDRESS}


def _reached_from(names: Iterable[str], mentioned: dict[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    ahead = list(names)
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead.extend(mentioned.get(name, ()))
    return reached
