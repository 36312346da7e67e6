"""Check that an opened rate equals the independent assembly."""

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from tests.comparison import assert_array, random_indexers, taken
from tests.expected_rates import Rate
from tests.oracle_rates import Placed, all_parts, flat_layout, second_labels, spot_layout
from xr_icesat2.errors import GroupNotFoundError

LAYOUTS = {"spot": spot_layout, "flat": flat_layout}
# One chunk of it is 30 MB in a real granule, whatever is selected.
HEAVY = {"count"}
ON_GRANULES = {
    "spatial_ref",
    "product",
    "gran_idx",
    "rgt",
    "cycle_number",
    "granule_region",
    "hemisphere",
    "start_rgt",
    "end_rgt",
    "start_cycle",
    "end_cycle",
    "first_cycle",
    "last_cycle",
    "sc_orient",
    "source_file",
    "release",
    "version",
    "data_start_utc",
    "data_end_utc",
}
ON_EACH_BEAM = {
    "beam_idx",
    "beam_spot",
    "beam_gt",
    "beam_gran_idx",
    "beam_pair_track",
    "beam_n_obs",
    *(f"beam_{name}" for name in ON_GRANULES if "rgt" in name or "cycle" in name),
}
ON_BEAMS = {"spot", "pair_track", "gt", "beam_strength", "n_obs", "source_row", *ON_EACH_BEAM}


def opened(paths: Sequence[Path], rate: Rate, layout: str, *, masked: bool, **kw: Any):
    obj = [str(path) for path in paths] if len(paths) > 1 else paths[0]
    return xr.open_dataset(
        obj, engine="icesat2", group=rate.group, layout=layout, mask_and_scale=masked, **kw
    )


def check_values(
    ds: xr.Dataset,
    expected: Mapping[str, Placed],
    indexers: Mapping[str, Any] | None = None,
    *,
    together: bool = False,
) -> None:
    """Compare what is read one variable after another, or of all in one plan."""
    indexers = {dim: index for dim, index in (indexers or {}).items() if dim in ds.dims}
    chosen = ds.isel(indexers)
    if together:
        chosen.icesat2.load(*expected)
    for name, (dims, array) in expected.items():
        assert name in ds.variables, f"no variable {name}"
        assert ds.variables[name].dims == dims, name
        assert_array(chosen.variables[name].values, taken(array, dims, indexers), name)


def check_names(
    ds: xr.Dataset, expected: Mapping[str, Placed], rate: Rate, labels: Mapping[str, Any]
) -> None:
    ours = ON_GRANULES | ON_BEAMS | {rate.dim}
    assert set(ds.variables) - ours == set(expected) | set(labels)
    assert set(ds.coords) - ours == (set(rate.coordinates) & set(expected)) | set(labels)
    for dim, own in labels.items():
        assert ds[dim].values.tolist() == own
        assert dim in ds.xindexes


def check_whole_and_in_part(
    paths: Sequence[Path],
    rate: Rate,
    layout: str,
    *,
    masked: bool,
    selections: int,
    **kw: Any,
) -> None:
    found = all_parts(paths, rate)
    if not found:
        with pytest.raises(GroupNotFoundError, match=rate.group):
            opened(paths, rate, layout, masked=masked, **kw)
        return
    expected = LAYOUTS[layout](paths, rate, masked=masked)
    sizes = {d: n for dims, a in expected.values() for d, n in zip(dims, a.shape, strict=True)}
    # What was read whole is not to be there when a part of it is read.
    ds = opened(paths, rate, layout, masked=masked, cache=False, **kw)
    check_names(ds, expected, rate, second_labels(found, rate))
    assert {dim: ds.sizes[dim] for dim in sizes} == sizes
    check_values(ds, expected)
    seed = zlib.crc32(f"{rate.group} of {[path.name for path in paths]}".encode())
    rng = np.random.default_rng([seed, layout == "flat", masked])
    light = {name: placed for name, placed in expected.items() if name not in HEAVY}
    for turn in range(selections):
        chosen = light if turn % 4 else expected
        check_values(ds, chosen, random_indexers(rng, sizes), together=turn % 2 == 1)
