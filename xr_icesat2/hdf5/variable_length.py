"""Attributes with values of varying length, looked at before the HDF5 library reads them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .attributes import (
    HIDDEN,
    REFERENCE_BYTES,
    parse_references,
    read_bodies,
    read_scales,
    split_body,
)
from .binary import Cursor
from .dataset_messages import read_dataspace
from .datatype import VARIABLE, read_datatype
from .heaps import read_global
from .object_header import Message
from .parse_limits import TEXT_BYTES, Budget
from .parser_loop import Parser

__all__ = ["Varying", "read_varying"]

ITEM_SIZE_AT = 12
"""Where the datatype of a sequence stores the size of its elements."""


@dataclass(frozen=True, slots=True)
class Varying:
    """What was found sound."""

    names: frozenset[str] = frozenset()
    """Of attributes."""
    scales: tuple[tuple[int, ...], ...] = ()
    """For each dimension, the addresses of its scales."""


def read_varying(messages: Sequence[Message], file_size: int, budget: Budget) -> Parser[Varying]:
    """Look at the attributes of an object that have values of varying length.

    The HDF5 library does not survive some heaps, and does not say how long such values are.

    Raises
    ------
    OverLimitError
        They have more bytes than an object may have.
    """
    bodies = yield from read_bodies(messages, file_size)
    names: set[str] = set()
    scales: tuple[tuple[int, ...], ...] = ()
    size = 0
    for name, datatype, dataspace, rest in map(split_body, bodies):
        if Cursor(datatype).number(1) & 0x0F != VARIABLE:
            continue
        shape = read_dataspace(dataspace)
        # A header may pad the message behind the values.
        data = Cursor(rest).take(0 if shape is None else REFERENCE_BYTES * math.prod(shape))
        if name == "DIMENSION_LIST":
            scales = yield from read_scales(read_datatype(datatype), data, budget, size)
        elif name not in HIDDEN:
            references = parse_references(data)
            item_size = Cursor(datatype, ITEM_SIZE_AT).number(4)
            length = sum(one.length * item_size + TEXT_BYTES for one in references)
            size = budget.use_attribute_bytes(length, size)
            yield from read_global(references, item_size)
        names.add(name)
    return Varying(frozenset(names), scales)
