"""Escape text from files, servers and file names before it is printed or logged.

A name or an attribute may contain escape sequences that rewrite a terminal, line feeds that forge a
log line, or marks that reverse the direction of text. Everything that this package prints, logs or
puts into an error message passes through :func:`printable`.
"""

from __future__ import annotations

import logging
import re

__all__ = ["get_logger", "printable"]

_UNPRINTABLE = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0 with line feeds and tabs, DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks that change the direction of text
    "\u2028\u2029"  # separators of lines and paragraphs
    "\ud800-\udfff"  # surrogates, which stand for bytes that are no text
    "]"
)


def printable(text: object) -> str:
    r"""Return a text with control characters escaped (``\x1b``), as :func:`repr` would.

    Backslashes are left alone, so that the result does not change if it is escaped again.
    """
    return _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], str(text))


class _Printable(logging.Filter):
    """Escape the message of each record, formatted."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = printable(record.getMessage()), None
        return True


def get_logger(name: str) -> logging.Logger:
    """Return the logger of a module; its messages are escaped before any handler sees them."""
    logger = logging.getLogger(name)
    if not any(isinstance(one, _Printable) for one in logger.filters):
        logger.addFilter(_Printable())
    return logger
