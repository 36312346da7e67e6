"""Print the output of the commands, with control characters escaped."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

from xr_icesat2.printable import printable

__all__ = ["print_json", "print_lines", "print_note"]

_DELETE = "\x7f"
"""The only control character that :func:`json.dumps` does not escape."""


def print_lines(lines: Iterable[object]) -> None:
    """Print lines on standard output."""
    for line in lines:
        print(printable(line))


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    print(json.dumps(value, indent=2).replace(_DELETE, "\\u007f"))


def print_note(text: object) -> None:
    """Print one line on standard error: an error or a note."""
    print(printable(" ".join(str(text).split())), file=sys.stderr)
