"""A small made-up product with whatever a tree may hold, and values for it."""

from dataclasses import replace
from typing import Any

import numpy as np

from xr_icesat2.testing.atl06 import ATL06Values
from xr_icesat2.testing.identity import SyntheticGranule
from xr_icesat2.testing.product_tree import build_tree
from xr_icesat2.testing.tree_model import ProductTree, TableVariable, TreeGroup, TreeRate

ROWS = {"heights": 700, "segments": 90, "nothing": 0}
SHAPES = {"table": (3, 4, 50), "large": (3, 100, 100), "name": (1,)}
_ATL06 = build_tree("ATL06", "006")


def variable(name: str, dtype: str, dims: tuple[str | int, ...], **more: Any) -> TableVariable:
    about = {"units": "1", "content": "referenceInformation", "description": "Text"}
    return TableVariable(path=f"any/{name}", dtype=dtype, dims=dims, **about, **more)


def _rate(name: str, *more: TableVariable, **sizes: int) -> TreeRate:
    time = variable("delta_time", "f8", ("delta_time",))
    groups = (TreeGroup("", {}, (time, *more)),)
    return TreeRate(name, f"{{beam}}/{name}", ("delta_time",), groups, sizes)


_ROOT = TreeGroup("", {}, (variable("ds_surf_type", "i4", ("ds_surf_type",), size=5),))
_CALIBRATION = TreeGroup(
    "calibration",
    {},
    (
        variable("event", "f8", ("event",)),
        variable("states", "i2", ("ds_surf_type", "event")),
        variable("table", "f4", SHAPES["table"]),
        variable("large", "f4", SHAPES["large"]),
        variable("name", "S20", SHAPES["name"]),
    ),
)
TREE: ProductTree = replace(
    _ATL06,
    groups=(_ROOT, *_ATL06.groups, _CALIBRATION),
    rates=(
        _rate(
            "heights",
            variable("height", "f4", ("delta_time",), fill=3.4e38),
            variable("confidence", "i1", ("delta_time", "ds_surf_type")),
            ds_surf_type=5,
        ),
        _rate(
            "segments",
            variable("ds_bin", "i2", ("ds_bin",), size=7),
            variable("counts", "u2", ("delta_time", "ds_surf_type", "ds_bin")),
            ds_surf_type=5,
            ds_bin=7,
        ),
        _rate("nothing", variable("value", "i4", ("delta_time",))),
    ),
    scales={**_ATL06.scales, "ds_surf_type": 5, "calibration/event": None},
)


class TreeValues(ATL06Values):
    """Row numbers, scaled; `longer` multiplies the rows."""

    def __init__(self, granule: SyntheticGranule, longer: int = 1) -> None:
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
        table, large = (
            np.arange(np.prod(SHAPES[name])).reshape(SHAPES[name]) for name in ("table", "large")
        )
        return super().constants() | {
            "ds_surf_type": np.arange(1, 6),
            "calibration/event": np.arange(3.0),
            "calibration/states": np.arange(15).reshape(5, 3),
            "calibration/table": table,
            "calibration/large": large,
            "calibration/name": np.array([b"tables"]),
        }
