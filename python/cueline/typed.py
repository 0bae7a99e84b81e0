"""Message classes: a kind, and fields that lie in the payload like those of a C struct."""

from __future__ import annotations

import re
import sys
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_type_hints

from cueline import _core
from cueline.arguments import checked_integer, shown
from cueline.errors import ArgumentError, ArgumentTypeError, Error
from cueline.fields import Layout, laid_out

if TYPE_CHECKING:
    from inspect import Signature
    from pathlib import Path

    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_):  # only type checkers use it; typing has it from Python 3.11 on
        return lambda function: function


__all__ = ["layout_of", "message", "own_message", "require_cpp_name", "unpickled"]

_FIRST_USER_KIND, _LAST_KIND = 256, 65535
_TAKEN = {"kind", "sequence", "frame", "payload", "line", "flags"}
_CPP_WORDS = """
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class
    compl concept const consteval constexpr constinit const_cast continue co_await co_return co_yield decltype default
    delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline int long
    mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public register
    reinterpret_cast requires return short signed sizeof static static_assert static_cast struct switch template this
    thread_local throw true try typedef typeid typename union unsigned using virtual void volatile wchar_t while xor
    xor_eq

    cueline std

    BUFSIZ CSIGNAL INFINITY MAXFLOAT NAN NFDBITS NULL NZERO WCONTINUED WEOF WEXITED WEXITSTATUS WIFCONTINUED WIFEXITED
    WIFSIGNALED WIFSTOPPED WNOHANG WNOWAIT WSTOPPED WSTOPSIG WTERMSIG WUNTRACED alloca assert assert_perror be16toh
    be32toh be64toh errno htobe16 htobe32 htobe64 htole16 htole32 htole64 i386 issubnormal le16toh le32toh le64toh linux
    L_ctermid L_cuserid L_tmpnam math_errhandling offsetof pthread_cleanup_pop pthread_cleanup_pop_restore_np
    pthread_cleanup_push pthread_cleanup_push_defer_np P_tmpdir sched_priority stderr stdin stdout strdupa strndupa unix
"""  # keywords, the namespaces that a generated header uses, and the macros of the headers that it includes
_CPP_MACRO = (
    r"[A-Z][A-Z0-9]*_[A-Z0-9_]*"  # INT8_MAX. LFO, EQ and OSC1 are allowed: users have such names
    r"|E[A-Z0-9]{2,}"  # EOF, and the names that C reserves for errno
    r"|SNAN\w*|M_[A-Z0-9]\w*|SYS_\w*"  # SNANF32, M_PIf, SYS_read
)
_RESERVED = {"__init__", "__post_init__", "__new__", "__slots__", "__del__"}
_NOT_COPIED = {"__dict__", "__weakref__", "__module__", "__qualname__", "__annotations__"} | {
    "__annotate__",
    "__annotate_func__",
    "__annotations_cache__",
    "__static_attributes__",
    "__firstlineno__",
}

Class = TypeVar("Class", bound=type)


@dataclass_transform(frozen_default=True)
def message(kind: int) -> Callable[[Class], Class]:
    """Turn a class that declares fields into a message class of this kind, from 256 to 65535.

    ::

        @cueline.message(256)
        class SetTone:
            voice: cueline.u32
            frequency_hz: cueline.f32
            gain: cueline.f32 = 0.2

    The class becomes a subclass of ``cueline.Message`` and keeps its methods. Its instances are immutable values. They
    take their fields by position or by name, and can be compared, hashed, copied, pickled and matched. Received
    messages of this kind are instances of it. The fields lie in memory like those of a C struct, and take at most 40
    bytes; ``cueline header`` writes that struct.

    Any thread may define a class. A class may be defined again, as a reload does; the last definition counts. In an
    interactive session, such as a notebook, you may also rename it: the new class takes over the kind, with a warning.

    Raises ArgumentError for a kind or a size out of range, a kind that another class has, and a bad field name;
    ArgumentTypeError for a field type, or a class, that cannot be used.
    """
    number = _checked_kind(kind)
    scope = sys._getframe(1).f_locals

    def decorate(cls: Class) -> Class:
        _require_plain(cls)
        replaced = _core._message_type(number)
        _require_replaceable(replaced, cls, number)
        made = _made(cls, number, _hints(cls, scope))
        while not _core._claim_kind(made, replaced):  # another thread has defined a class of this kind meanwhile
            replaced = _core._message_type(number)
            _require_replaceable(replaced, cls, number)
        if replaced is not None and _whole_name(replaced) != _whole_name(cls):
            warnings.warn(
                f"kind {number} belonged to {_whole_name(replaced)}: its messages are now {_whole_name(cls)}",
                stacklevel=2,
            )
        return cast(Class, made)

    return decorate


@dataclass_transform(frozen_default=True)
def own_message(kind: int) -> Callable[[Class], Class]:
    """Do the same as ``message`` for one of cueline's own kinds. A process defines them once."""

    def decorate(cls: Class) -> Class:
        if (own := _core._message_type(kind)) is None:
            made = _made(cls, kind, cls.__annotations__)
            own = made if _core._claim_kind(made, None) else _core._message_type(kind)
        return cast(Class, own)

    return decorate


def layout_of(cls: object) -> Layout:
    """Return the memory layout of a message class. Raises ArgumentTypeError for anything else."""
    layout = vars(cls).get("__cueline__") if isinstance(cls, type) else None
    if not isinstance(layout, Layout):
        raise ArgumentTypeError(f"cls must be a class made with @cueline.message, got {shown(cls)}")
    return layout


def unpickled(cls: type[_core.Message], state: bytes) -> _core.Message:
    """Return the message that was pickled as ``state``. Raises ArgumentError if it is no message of ``cls``."""
    if not (isinstance(cls, type) and isinstance(state, bytes)):
        raise ArgumentTypeError(f"a message is restored from its class and its bytes, got {shown((cls, state))}")
    return _core._message_from_bytes(cls, state)


def require_cpp_name(name: str, what: str) -> None:
    """Raise ArgumentError if ``name`` cannot be a name in C++. ``what`` says what has this name."""
    if name in _CPP_WORDS.split():
        raise ArgumentError(f"{what} cannot be named {name!r}, which already has a meaning in C++: use {name}_ instead")
    if re.fullmatch(_CPP_MACRO, name):
        raise ArgumentError(f"{what} cannot be named {name!r}, which could be a macro in C++: use lower case")
    if not (name.isascii() and name.isidentifier()) or name.startswith("_") or "__" in name:
        raise ArgumentError(
            f"{what} must have a name that is valid in C++ too: letters, digits, and single underscores between them; "
            f"got {shown(name)}"
        )


def _checked_kind(kind: int) -> int:
    if isinstance(kind, type):
        raise ArgumentTypeError(f"a message needs a kind: @cueline.message({_FIRST_USER_KIND}) class {kind.__name__}")
    number = checked_integer("kind", kind)
    if not _FIRST_USER_KIND <= number <= _LAST_KIND:
        raise ArgumentError(
            f"kind must be from {_FIRST_USER_KIND} to {_LAST_KIND}, got {number}"
            + (": lower kinds are cueline's own" if 0 <= number < _FIRST_USER_KIND else "")
        )
    return number


def _require_plain(cls: type) -> None:
    if not isinstance(cls, type):
        raise ArgumentTypeError(f"@cueline.message is for a class, got {shown(cls)}")
    if type(cls) is not type or cls.__bases__ not in ((object,), (_core.Message,)):
        raise ArgumentTypeError(
            f"{cls.__name__} must have no base class other than cueline.Message: a message holds numbers only, "
            "and C++ could not see what it inherits"
        )
    for name in sorted(_RESERVED & vars(cls).keys()):
        raise ArgumentTypeError(f"{cls.__name__} must not define {name}: a message consists of its fields only")


def _require_replaceable(other: type | None, cls: type, kind: int) -> None:
    """Raise ArgumentError if ``cls`` may not take over the kind of ``other``."""
    if other is None or _whole_name(other) == _whole_name(cls):
        return
    if hasattr(sys, "ps1") and other.__module__ == cls.__module__ == "__main__":
        return  # an interactive session, in which a renamed class is a new one
    raise ArgumentError(f"kind {kind} already belongs to {_whole_name(other)}{_way_out(other, cls)}")


def _made(cls: type, kind: int, hints: dict[str, Any]) -> type[_core.Message]:
    """Return a message class like ``cls``. It has its kind only after ``_core._claim_kind``."""
    layout = laid_out(cls.__name__, kind, hints)
    is_users = kind >= _FIRST_USER_KIND
    if is_users:  # the tests check cueline's own names: `import cueline` must stay quick
        require_cpp_name(cls.__name__, "a message's class")
    defaults: dict[str, object] = {}
    for field in layout.fields:
        if is_users:
            _require_field_name(cls.__name__, field.name)
        if field.name in vars(cls):
            defaults[field.name] = vars(cls)[field.name]
        elif defaults:
            raise ArgumentTypeError(
                f"{cls.__name__}.{field.name} has no default, but {next(reversed(defaults))} before it has one: "
                "move it to the front, or give it a default"
            )
    arguments = [
        f"{field.name}={shown(defaults[field.name])}" if field.name in defaults else field.name
        for field in layout.fields
    ]
    made = _core._define_message(
        f"{cls.__module__}.{cls.__name__}".encode("utf-8", "backslashreplace").decode(),  # a file's name has any bytes
        kind,
        [field.described() for field in layout.fields],
        defaults,
        f"{cls.__name__}({', '.join(arguments)})",
    )
    _move(cls, made, without=defaults)
    attributes: dict[str, object] = {
        "__module__": cls.__module__,
        "__qualname__": cls.__qualname__,
        "__annotations__": hints,
        "__match_args__": tuple(field.name for field in layout.fields),
        "__signature__": _LazySignature(layout, defaults),
        "__cueline__": layout,
    }
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


class _LazySignature:
    """The signature of a message class. It is made when somebody reads it, because ``inspect`` takes long to import."""

    def __init__(self, layout: Layout, defaults: Mapping[str, object]) -> None:
        self._layout = layout
        self._defaults = defaults

    def __get__(self, instance: object, owner: type) -> Signature:
        from inspect import Parameter, Signature

        return Signature(
            [
                Parameter(
                    field.name,
                    Parameter.POSITIONAL_OR_KEYWORD,
                    default=self._defaults.get(field.name, Parameter.empty),
                )
                for field in self._layout.fields
            ]
        )


def _hints(cls: type, scope: dict[str, Any]) -> dict[str, Any]:
    """Return the annotations of the fields. Those that are strings are evaluated."""
    try:
        hints = get_type_hints(cls, localns={**scope, **vars(cls)}, include_extras=True)
    except NameError as error:
        raise ArgumentTypeError(f"{cls.__name__} has a field of an unknown type: {error}") from error
    except Error:  # from Python 3.14 on, annotations are evaluated here
        raise
    except Exception as error:  # a string may hold any expression
        raise ArgumentTypeError(f"{cls.__name__} has a field whose type cannot be read: {error}") from error
    return hints


def _require_field_name(owner: str, name: str) -> None:
    if name in _TAKEN:
        raise ArgumentError(f"{owner}.{name} needs another name: every message already has a {name}")
    if name == owner:
        raise ArgumentError(f"{owner}.{name} needs another name: in C++ a struct cannot have a field of its own name")
    require_cpp_name(name, f"a field of {owner}")


def _whole_name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _way_out(other: type, cls: type) -> str:
    """Return what to do if ``cls`` has the kind that ``other`` already has."""
    file = _file_of(cls)
    if file is None or file != _file_of(other) or cls.__qualname__ != other.__qualname__:
        return f": give {_whole_name(cls)} another kind, from {_FIRST_USER_KIND} to {_LAST_KIND}"
    return (
        f", and {_whole_name(cls)} comes from the same lines: {file.name} runs twice, as {other.__module__} and as "
        f"{cls.__module__}. Move {cls.__name__} to a module of its own, and import that"
    )


def _file_of(cls: type) -> Path | None:
    from pathlib import Path

    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    return Path(file).resolve() if isinstance(file, str) else None


def _move(cls: type, made: type, *, without: dict[str, object]) -> None:
    """Copy the contents of ``cls``, as the class statement made it, to ``made``."""
    for name, value in vars(cls).items():
        if name in _NOT_COPIED or name in without:
            continue
        for cell in _class_cells(value):
            if cell.cell_contents is cls:  # super() and __class__ in a method read this cell
                cell.cell_contents = made
        setattr(made, name, value)
        set_name = getattr(type(value), "__set_name__", None)
        if set_name is not None:
            set_name(value, made, name)


def _class_cells(value: object) -> Iterator[types.CellType]:
    parts = (value, *(getattr(value, name, None) for name in ("__func__", "fget", "fset", "fdel", "__wrapped__")))
    for part in parts:
        if isinstance(part, types.FunctionType) and part.__closure__:
            names = part.__code__.co_freevars
            yield from (cell for name, cell in zip(names, part.__closure__, strict=True) if name == "__class__")
