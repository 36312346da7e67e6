"""What colours points: flags with meanings, series of a second dimension, numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xr_icesat2.errors import SelectionError
from xr_icesat2.opened_rate import OpenedRate
from xr_icesat2.products.variable_table import known_tables, load_table

from .labels import axis_label, unit_of
from .palette import NOISE, flag_colours, series_colours
from .tracks import Track

__all__ = ["Category", "Hue", "choose_hue", "make_hue", "reduced"]

_MAX_CATEGORIES = 24


@dataclass(frozen=True, slots=True)
class Category:
    """Points of one colour."""

    value: Any
    label: str
    colour: Any

    @property
    def is_noise(self) -> bool:
        """Whether it is drawn behind everything else."""
        return bool(self.colour == NOISE)


@dataclass(frozen=True, slots=True)
class Hue:
    """The variable that colours points."""

    name: str
    label: str
    """Title of the legend or the colour bar."""
    categories: tuple[Category, ...] | None
    """Noise first, which is behind everything else; None: a colour bar."""
    limits: tuple[float, float] = (0.0, 1.0)
    """Least and greatest value of the colour bar."""
    unit: str = ""


def choose_hue(opened: OpenedRate, given: Any) -> str | None:
    """Return the name of the variable that colours points; None if there is none.

    Raises
    ------
    SelectionError
        The given one does not exist, or is not along the track.
    """
    if given is False:
        return None
    if given is None:
        return next(
            (name for name in opened.rate.classes if name in opened.dataset.variables), None
        )
    if given not in opened.dataset.variables:
        raise SelectionError(
            f"hue={given!r} is not a variable of this Dataset. Pass the name of one, such as a "
            "class or a confidence; hue=False draws one colour."
        )
    return str(given)


def reduced(values: NDArray[Any]) -> NDArray[Any]:
    """Return one value a row: of confidences by surface type, the highest."""
    if values.ndim == 1:
        return values
    flat = values.reshape(len(values), -1)
    return np.asarray(flat.max(axis=1) if flat.size else np.zeros(len(values), flat.dtype))


def make_hue(name: str, opened: OpenedRate, tracks: list[Track]) -> Hue:
    """Return the categories of the values that the tracks have, or the range of a colour bar."""
    variable = opened.dataset[name]
    label = axis_label(variable)
    others = [str(d) for d in variable.dims if d not in {"gran_idx", opened.beam_dim, opened.along}]
    if others:
        label = f"{label}, highest of {' and '.join(others)}"
    meanings = _meanings(variable.attrs) or _specified_meanings(opened, name)
    parts = [reduced(track.values[name]) for track in tracks]
    values = np.unique(np.concatenate(parts)) if parts else np.zeros(0)
    if values.dtype.kind not in "iufbU":
        raise SelectionError(f"{name} is {values.dtype}, expected numbers or texts as colours")
    if values.dtype.kind == "f":
        values = values[np.isfinite(values)]
    # Integers are float where rows are padded.
    is_float = np.dtype(variable.encoding.get("dtype", variable.dtype)).kind == "f"
    whole = values.dtype.kind in "iubU" or bool((values == np.round(values)).all())
    # A single number is a value, such as the height of the only row.
    few = (len(values) > 1 or not is_float) and len(values) <= _MAX_CATEGORIES
    is_flag = bool(meanings) or (whole and few)
    if not is_flag:
        limits = (float(values[0]), float(values[-1])) if len(values) else (0.0, 1.0)
        return Hue(name, label, None, limits, unit_of(variable))
    shown = [value.item() for value in values]
    texts = [
        meanings.get(value, f"{value:g}" if _is_number(value) else str(value)) for value in shown
    ]
    colours = flag_colours(texts) if meanings else series_colours(len(texts))
    found = [
        Category(value, text.replace("_", " "), colour)
        for value, text, colour in zip(shown, texts, colours, strict=True)
    ]
    return Hue(name, label, tuple(sorted(found, key=lambda one: not one.is_noise)))


def _meanings(attrs: Mapping[Any, Any]) -> dict[Any, str]:
    values, words = attrs.get("flag_values"), attrs.get("flag_meanings")
    if values is None or not isinstance(words, str):
        return {}
    listed = words.replace(",", " ").split()
    numbers = np.atleast_1d(values).tolist()
    return dict(zip(numbers, listed, strict=False)) if len(numbers) == len(listed) else {}


def _specified_meanings(opened: OpenedRate, name: str) -> dict[Any, str]:
    """Return the meanings of a flag in the table of the product, for files that lack them."""
    if opened.product not in known_tables():
        return {}
    groups = {f"{{beam}}/{group}" for group in opened.rate.groups}
    variables = load_table(opened.product).variables
    flags = next((v.flags for v in variables if v.name == name and v.group in groups), ())
    return {value: meaning for meaning, value in flags}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)
