"""Rows of cells as lines of text, or as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

__all__ = ["align_columns", "html_rows"]


def align_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a line for each row, with aligned columns; empty columns are left out."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    cells = (
        (cell.ljust(width) for cell, width in zip(row, widths, strict=True) if width)
        for row in rows
    )
    return ["  ".join(row).rstrip() for row in cells]


def html_rows(rows: Sequence[Sequence[str]]) -> str:
    """Return the rows of an HTML table, with cells escaped and aligned to the left."""
    return "".join(
        "<tr>" + "".join(f"<td style='text-align:left'>{escape(c)}</td>" for c in row) + "</tr>"
        for row in rows
    )
