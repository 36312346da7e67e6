"""Enumerations as integers, of which attributes of the CF conventions say what they mean.

*CF Conventions*, section 3.5: ``flag_values`` and ``flag_meanings``, a list of words with blanks
between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from .model import AttributeValue

__all__ = ["with_flags"]

NO_WORD = re.compile(r"[^A-Za-z0-9_.+@-]+", re.ASCII)
"""Characters that no meaning may have."""
FLAGS = "flag_values", "flag_meanings"


def with_flags(
    attrs: Mapping[str, AttributeValue], members: Sequence[tuple[str, int]], dtype: np.dtype
) -> Mapping[str, AttributeValue]:
    """Give the attributes of a dataset, and what its numbers mean unless they say so themselves.

    Parameters
    ----------
    attrs
        Of the dataset.
    members
        Name and number of each member of its enumeration; empty if its type is none.
    dtype
        Of the numbers.
    """
    if not members or not attrs.keys().isdisjoint(FLAGS):
        return attrs
    members = sorted(members, key=lambda member: member[1])
    words = _words(name for name, _ in members)
    values = np.array([number for _, number in members], dtype.newbyteorder("="))
    return dict(sorted({**attrs, "flag_values": values, "flag_meanings": " ".join(words)}.items()))


def _words(names: Iterable[str]) -> list[str]:
    """Give each name as one word, different from all others."""
    words: dict[str, None] = {}
    for name in names:
        plain = NO_WORD.sub("_", name) or "_"
        word, number = plain, 1
        while word in words:
            number += 1
            word = f"{plain}_{number}"
        words[word] = None
    return list(words)
