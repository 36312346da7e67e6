"""The layouts of a Dataset. Each is one module of this package with a constant ``LAYOUT``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    import xarray as xr

    from xr_icesat2.assembly.merge_granules import MergedRate

__all__ = ["LAYOUT_NAMES", "Layout", "LayoutRules", "layout_rules"]

Layout: TypeAlias = Literal["spot", "flat", "file"]
"""Values of the keyword ``layout``: the names of the modules."""
LAYOUT_NAMES: tuple[Layout, ...] = get_args(Layout)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutRules:
    """How a layout merges, and which keywords apply to it."""

    rate_datasets: Callable[[MergedRate], Mapping[str, xr.Dataset]] | None
    """Returns one Dataset for each group of a rate, by its path below the beam. None if the layout
    does not merge beams: then the groups of the file are opened."""
    concatenates: bool = False
    """Whether each row has one beam: spots may be unknown, and rows have their own ``gran_idx``."""
    pads: bool = False
    """Whether beams are padded to the same number of rows, which ``pad_to`` can set."""

    @property
    def merges_beams(self) -> bool:
        """Whether rates are merged, and keywords may select beams."""
        return self.rate_datasets is not None

    def datasets_of(self, merged: MergedRate) -> Mapping[str, xr.Dataset]:
        """Return one Dataset for each group of a rate; none if beams are not merged."""
        return {} if self.rate_datasets is None else self.rate_datasets(merged)


@cache
def layout_rules(layout: Layout) -> LayoutRules:
    """Return the rules of a layout; its module is imported when it is first used."""
    rules: LayoutRules = import_module(f".{layout}", __name__).LAYOUT
    return rules
