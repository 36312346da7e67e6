"""Numbers that a user sets by environment variables, which worker processes inherit."""

from __future__ import annotations

import math
import os

from .errors import SelectionError

__all__ = ["environment_number"]


def environment_number(variable: str, default: float, unit: str, *, zero: bool = False) -> float:
    """Return the number that an environment variable sets; it is read at each use.

    Parameters
    ----------
    variable
        Its name.
    default
        The number where the variable is not set.
    unit
        What the number counts, for the message: ``"seconds"``, ``"bytes"``.
    zero
        Whether 0 is allowed.

    Raises
    ------
    SelectionError
        The variable is set to something else than a number above 0, or from 0 on.
    """
    given = os.environ.get(variable)
    if given is None:
        return default
    try:
        found = float(given)
    except ValueError:
        found = math.nan
    if not (math.isfinite(found) and (found > 0 or (zero and found == 0))):
        least = "of at least 0" if zero else "above 0"
        raise SelectionError(
            f"{variable}={given!r}: expected a number of {unit} {least}, such as {default:g}"
        )
    return found
