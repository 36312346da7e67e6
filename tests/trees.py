"""A small made-up product with whatever a tree may hold, and values for it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from xr_icesat2.testing.atl06_tree import ATL06
from xr_icesat2.testing.atl06_values import ATL06Values
from xr_icesat2.testing.granule import Granule
from xr_icesat2.testing.tree import Group, Product, Rate, Variable

ROWS = {"heights": 700, "segments": 90, "nothing": 0}
SHAPES = {"table": (3, 4, 50), "name": (1,)}


def variable(name: str, dtype: str, dims: tuple[str | int, ...], **more: Any) -> Variable:
    return Variable(name, dtype, "1", "referenceInformation", "none", "Text", dims=dims, **more)


def _rate(name: str, *more: Variable, sizes: Mapping[str, int] | None = None) -> Rate:
    time = variable("delta_time", "f8", ("delta_time",))
    groups = (Group("", {}, (time, *more)),)
    return Rate(name, f"{{beam}}/{name}", ("delta_time",), groups, sizes or {})


_ROOT = Group("", {}, (variable("ds_surf_type", "i4", ("ds_surf_type",)),))
_CALIBRATION = Group(
    "calibration",
    {},
    (variable("table", "f4", SHAPES["table"]), variable("name", "S20", SHAPES["name"])),
)
TREE: Product = replace(
    ATL06,
    groups=(_ROOT, *ATL06.groups, _CALIBRATION),
    rates=(
        _rate(
            "heights",
            variable("height", "f4", ("delta_time",), fill=3.4e38),
            variable("confidence", "i1", ("delta_time", "ds_surf_type")),
            sizes={"ds_surf_type": 5},
        ),
        _rate(
            "segments",
            variable("ds_bin", "i2", ("ds_bin",)),
            variable("counts", "u2", ("delta_time", "ds_surf_type", "ds_bin")),
            sizes={"ds_surf_type": 5, "ds_bin": 7},
        ),
        _rate("nothing", variable("value", "i4", ("delta_time",))),
    ),
)


class TreeValues(ATL06Values):
    """Row numbers, scaled; `longer` multiplies the rows."""

    def __init__(self, granule: Granule, longer: int = 1) -> None:
        super().__init__(granule)
        self._longer = longer

    def rows(self, rate: str, beam: str) -> int:
        return ROWS[rate] * self._longer

    def block(self, rate: str, beam: str, start: int, stop: int) -> dict[str, np.ndarray]:
        rows = np.arange(start, stop)
        surfaces, bins = np.arange(5), np.arange(7)
        return {
            "delta_time": rows / 10,
            "height": np.where(rows % 9 == 0, np.nan, np.sqrt(rows)),
            "confidence": (rows[:, np.newaxis] + surfaces) % 5 - 1,
            "counts": (rows[:, np.newaxis, np.newaxis] * surfaces[:, np.newaxis]) + bins,
            "value": rows,
        }

    def fixed(self, rate: str) -> dict[str, np.ndarray]:
        return {"ds_bin": np.arange(7)} if rate == "segments" else {}

    def constants(self) -> dict[str, np.ndarray]:
        table = np.arange(np.prod(SHAPES["table"])).reshape(SHAPES["table"])
        return super().constants() | {
            "ds_surf_type": np.arange(1, 6),
            "calibration/table": table,
            "calibration/name": np.array([b"tables"]),
        }
