"""Arguments, errors and exit codes of ``icesat2``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from xr_icesat2 import __version__
from xr_icesat2.errors import ICESat2Error

from . import get, info, search
from . import ls as listing
from .output import print_note

__all__ = ["main"]

FAILED = 2
INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    """Reports wrong arguments in one line, as other errors."""

    def error(self, message: str) -> NoReturn:
        print_note(f"{self.prog}: {message}; see --help")
        self.exit(FAILED)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``icesat2``.

    Parameters
    ----------
    arguments
        Default: those of this process.

    Returns
    -------
    int
        Exit code: 0, or 2 after an error, which is reported in one line on standard error.
    """
    parser = _Parser(
        prog="icesat2", description="Find, list, inspect and download ICESat-2 granules."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="command")
    for command in (search, listing, info, get):
        command.add_parser(commands)
    given = sys.argv[1:] if arguments is None else arguments
    options = parser.parse_args(search.with_bbox_split(given))
    try:
        options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # `icesat2 ls | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (ICESat2Error, OSError) as error:
        print_note(f"icesat2: {error}")
        return FAILED
    except KeyboardInterrupt:
        print_note("icesat2: interrupted")
        return INTERRUPTED
    return 0
