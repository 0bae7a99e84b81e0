"""What the soaks print at their end: a table of counts, and a complaint beside each that is wrong."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

__all__ = ["print_account"]


def print_account(console: Console, rows: Iterable[tuple[str, int, str]]) -> None:
    """Print a row for each name, number and complaint. The complaint is empty if the number is right."""
    table = Table("", "", "", show_header=False)
    table.columns[1].justify = "right"
    for name, number, complaint in rows:
        table.add_row(name, str(number), complaint and f"<-- {complaint}")
    console.print(table)
