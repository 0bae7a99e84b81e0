"""Classes of messages: a kind, and fields that lie in a message as a C struct's do."""

from __future__ import annotations

import inspect
import re
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_type_hints

from cueline import _core
from cueline.arguments import checked_integer, shown
from cueline.errors import ArgumentError, ArgumentTypeError
from cueline.fields import Layout, laid_out

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_):  # typing's came with Python 3.11, and is for type checkers
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
"""  # the language's, the namespaces that a generated header names, and macros of what it includes
_CPP_MACRO = re.compile(
    r"[A-Z][A-Z0-9]*_[A-Z0-9_]*"  # INT8_MAX. LFO, EQ and OSC1 are left to users, who have such things
    r"|E[A-Z0-9]{2,}"  # EOF, and errno's, which C keeps for itself
    r"|SNAN\w*|M_[A-Z0-9]\w*|SYS_\w*"  # SNANF32, M_PIf, SYS_read
)
_NOT_THEIRS = {"__init__", "__post_init__", "__new__", "__slots__", "__del__"}
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
    """Make a class of messages of this kind, from 256 to 65535, out of one that names their fields.

    ::

        @cueline.message(256)
        class SetTone:
            voice: cueline.u32
            frequency_hz: cueline.f32
            gain: cueline.f32 = 0.2

    The class is a ``cueline.Message`` then, its instances are values: made by place or by name, compared, hashed,
    copied, pickled, matched; they do not change. Received messages of the kind are instances of it. It keeps its
    methods. Fields lie as in a C struct of the same, of at most 40 bytes in all; ``cueline header`` writes that struct.

    Any thread may define one. The same class may be defined again, as a reload does: the last one counts.

    Raises ArgumentError for a kind or a size out of range, a kind that another class has, a field's name that cannot
    be; ArgumentTypeError for a field's type, or a class, that cannot be.
    """
    number = _checked_kind(kind)
    scope = sys._getframe(1).f_locals

    def decorate(cls: Class) -> Class:
        _require_plain(cls)
        other = _core._message_type(number)
        if other is not None and _whole_name(other) != _whole_name(cls):
            raise ArgumentError(f"kind {number} is {_whole_name(other)}'s already{_way_out(other, cls)}")
        return cast(Class, _made(cls, number, scope))

    return decorate


@dataclass_transform(frozen_default=True)
def own_message(kind: int) -> Callable[[Class], Class]:
    """Do as ``message`` does, for a kind of cueline's own. They are defined once a process."""

    def decorate(cls: Class) -> Class:
        return cast(Class, _core._message_type(kind) or _made(cls, kind, {}))

    return decorate


def layout_of(cls: object) -> Layout:
    """Return how a class of messages lies in memory. Raises ArgumentTypeError when it is none."""
    layout = vars(cls).get("__cueline__") if isinstance(cls, type) else None
    if not isinstance(layout, Layout):
        raise ArgumentTypeError(f"a class made with @cueline.message is needed here, got {shown(cls)}")
    return layout


def unpickled(cls: type[_core.Message], state: bytes) -> _core.Message:
    """Return the message that was pickled so. Raises ArgumentError when these are no bytes of one of ``cls``."""
    return _core._message_from_bytes(cls, state)


def require_cpp_name(name: str, what: str) -> None:
    """Raise ArgumentError when ``name``, of ``what``, cannot be a name in C++."""
    if name in _CPP_WORDS.split():
        raise ArgumentError(f"{what} cannot be named {name!r}, which means something else in C++: {name}_ would do")
    if _CPP_MACRO.fullmatch(name):
        raise ArgumentError(f"{what} cannot be named {name!r}, as C++ names its macros: take small letters")
    if not (name.isascii() and name.isidentifier()) or name.startswith("_") or "__" in name:
        raise ArgumentError(
            f"{what} needs a name that C++ can have too, of letters, digits and single underscores within, "
            f"got {shown(name)}"
        )


def _checked_kind(kind: int) -> int:
    if isinstance(kind, type):
        raise ArgumentTypeError(f"a message needs a kind: @cueline.message({_FIRST_USER_KIND}) class {kind.__name__}")
    number = checked_integer("kind", kind)
    if not _FIRST_USER_KIND <= number <= _LAST_KIND:
        raise ArgumentError(
            f"kind must be from {_FIRST_USER_KIND} to {_LAST_KIND}, got {number}"
            + (": those below are cueline's own" if 0 <= number < _FIRST_USER_KIND else "")
        )
    return number


def _require_plain(cls: type) -> None:
    if not isinstance(cls, type):
        raise ArgumentTypeError(f"@cueline.message is for a class, got {shown(cls)}")
    if type(cls) is not type or cls.__bases__ not in ((object,), (_core.Message,)):
        raise ArgumentTypeError(
            f"{cls.__name__} must be a class without bases, or derive from cueline.Message alone: "
            "a message holds numbers, and what it inherits could not be told in C++"
        )
    for name in sorted(_NOT_THEIRS & vars(cls).keys()):
        raise ArgumentTypeError(f"{cls.__name__} must not have {name}: a message's fields are all that it is made of")


def _made(cls: type, kind: int, scope: dict[str, Any]) -> type:
    hints = _hints(cls, scope)
    layout = laid_out(cls.__name__, kind, hints)
    require_cpp_name(cls.__name__, "a message's class")
    defaults: dict[str, object] = {}
    for field in layout.fields:
        _require_field_name(cls.__name__, field.name)
        if field.name in vars(cls):
            defaults[field.name] = vars(cls)[field.name]
        elif defaults:
            raise ArgumentTypeError(
                f"{cls.__name__}.{field.name} has no default and stands behind {next(reversed(defaults))}, "
                "which has one: put it first, or give it one"
            )
    parameters = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=defaults.get(field.name, inspect.Parameter.empty),
        )
        for field in layout.fields
    ]
    signature = inspect.Signature(parameters)
    made = _core._define_message(
        f"{cls.__module__}.{cls.__name__}",
        kind,
        [(field.name, field.scalar.number, field.offset, field.count, field.enumeration) for field in layout.fields],
        defaults,
        f"{cls.__name__}{signature}",
    )
    _move(cls, made, without=defaults)
    attributes: dict[str, object] = {
        "__qualname__": cls.__qualname__,
        "__annotations__": hints,
        "__match_args__": tuple(field.name for field in layout.fields),
        "__signature__": signature,
        "__cueline__": layout,
    }
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


def _hints(cls: type, scope: dict[str, Any]) -> dict[str, Any]:
    """Return what the class says of its fields, also where it does so in strings."""
    try:
        hints = get_type_hints(cls, localns={**scope, **vars(cls)}, include_extras=True)
    except NameError as error:
        raise ArgumentTypeError(f"{cls.__name__} has a field of a type that is not there: {error}") from error
    except (SyntaxError, TypeError) as error:
        raise ArgumentTypeError(f"{cls.__name__} has a field of a type that cannot be: {error}") from error
    return hints


def _require_field_name(owner: str, name: str) -> None:
    if name in _TAKEN:
        raise ArgumentError(f"{owner}.{name} must have another name: every message has a {name} of its own")
    if name == owner:
        raise ArgumentError(f"{owner}.{name} must have another name: in C++ it would be the struct's own")
    require_cpp_name(name, f"a field of {owner}")


def _whole_name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _way_out(other: type, cls: type) -> str:
    """Return what to do where ``cls`` is to have the kind that ``other`` has."""
    file = _file_of(cls)
    if file is None or file != _file_of(other) or cls.__qualname__ != other.__qualname__:
        return f": give {_whole_name(cls)} another one, from {_FIRST_USER_KIND} to {_LAST_KIND}"
    return (
        f", and {_whole_name(cls)} would be a second class of the same lines: {file.name} runs twice, as "
        f"{other.__module__} and as {cls.__module__}. Put {cls.__name__} into a module of its own, and import it"
    )


def _file_of(cls: type) -> Path | None:
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    return Path(file).resolve() if isinstance(file, str) else None


def _move(cls: type, made: type, *, without: dict[str, object]) -> None:
    """Give ``made`` all that the class statement put into ``cls``."""
    for name, value in vars(cls).items():
        if name in _NOT_COPIED or name in without:
            continue
        for cell in _class_cells(value):
            if cell.cell_contents is cls:  # super() and __class__ in a method look there
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
