"""Tables of HTML: what a notebook shows of counters, parameters and meters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from html import escape

__all__ = ["counters", "table"]


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table with a line of ``columns`` and then ``rows``."""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(f'<td>{escape(_text(cell))}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def counters(stats: object) -> str:
    """Return a table of a dataclass's fields."""
    return table(("counter", "value"), _rows(stats))


def _rows(stats: object) -> Iterable[tuple[str, object]]:
    for name, value in _named(stats):
        if isinstance(value, tuple):
            yield from ((f"{name}[{place}]", each) for place, each in enumerate(value))
        else:
            yield name, value


def _named(stats: object) -> list[tuple[str, object]]:
    assert is_dataclass(stats)
    return [(field.name, getattr(stats, field.name)) for field in fields(stats)]


def _text(value: object) -> str:
    """Return ``value`` as a cell shows it: fields with their names, and floats with four digits."""
    if is_dataclass(value):
        return ", ".join(f"{name} {_text(each)}" for name, each in _named(value))
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return ", ".join(f"{name} {_text(each)}" for name, each in zip(value._fields, value, strict=True))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
