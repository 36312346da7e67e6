"""Synthetic granules: the trees of real ones, filled with values whose truth is known."""

import os
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from pathlib import Path

import h5py

from xr_icesat2.errors import SelectionError
from xr_icesat2.testing.atl06_values import ATL06Values
from xr_icesat2.testing.granule import Granule, rows_of_beams
from xr_icesat2.testing.granule_file import GranuleFile
from xr_icesat2.testing.product_tree import tree_of
from xr_icesat2.testing.tree import Values

__all__ = ["write_granule"]

_VALUES: Mapping[str, Callable[[Granule], Values]] = {
    "ATL06": ATL06Values,
}


def write_granule(  # noqa: PLR0913 (each is something that a granule may be)
    path: str | os.PathLike[str],
    product: str = "ATL06",
    *,
    rgt: int = 658,
    cycle: int = 1,
    region: int = 3,
    release: str = "006",
    version: str = "01",
    start: datetime | None = None,
    n_segments: int | Mapping[str, int] = 1000,
    beams: Collection[str] | None = None,
    empty_beams: Collection[str] = (),
    sc_orient: int = 1,
    seed: int = 0,
    chunk_rows: int = 10_000,
    interleave: bool = True,
    libver: str | tuple[str, str] = "earliest",
) -> Path:
    """Write a granule of synthetic data.

    The tree is that of a real granule of the release: groups, names, dtypes, dimension scales,
    units, fill values, flags, chunks and filters. The values are those of an altimeter over the
    surface :func:`surface_height`: ``h_li`` is its height plus noise of the deviation
    ``h_li_sigma``, or the fill value below clouds. Repeat cycles lie some metres apart and
    share most values of ``segment_id``. All randomness comes from `seed`; values depend neither
    on `chunk_rows` nor on `interleave`.

    Parameters
    ----------
    path
        File to write, or a folder, in which the file gets the name of the granule.
    product
        Short name; so far ATL06.
    rgt, cycle, region
        Reference ground track (1 to 1387), repeat cycle and granule region (1 to 14). Track 658
        in region 3 crosses the Greenland ice sheet from 62° N on.
    release, version
        Three and two digits. The tree is that of the release.
    start
        When the region begins, UTC; by default when the mission's timetable has it.
    n_segments
        Rows of the main rate in each beam, or a mapping from beam to rows.
    beams
        Ground tracks that the granule has, by default all six (or those of `n_segments`).
    empty_beams
        Those of them that have no row.
    sc_orient
        0 backward, 1 forward, 2 turning; a turning spacecraft leaves the spots unknown.
    seed
        Not negative.
    chunk_rows
        Rows of a chunk.
    interleave
        Whether chunks lie in the file as time goes on, those of all datasets mixed, as in real
        granules; otherwise one dataset after another.
    libver
        As in :class:`h5py.File`; ``"latest"`` gives superblock 3 and newer chunk indexes.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    SelectionError
        No granule can be as asked.
    """
    if product not in _VALUES:
        raise SelectionError(
            f"granules of {product!r} cannot be written; of {', '.join(_VALUES)} they can"
        )
    if chunk_rows < 1:
        raise SelectionError(f"chunk_rows={chunk_rows}: expected at least 1")
    granule = Granule(
        product=product,
        rgt=rgt,
        cycle=cycle,
        region=region,
        release=release,
        version=version,
        start=start,
        rows=rows_of_beams(n_segments, beams, empty_beams),
        sc_orient=sc_orient,
        seed=seed,
    )
    target = Path(path)
    if target.is_dir():
        target /= granule.name
    tree = tree_of(product, release, granule.rows)
    with h5py.File(target, "w", libver=libver, track_order=True) as file:
        content = GranuleFile(file, granule, tree, _VALUES[product](granule), chunk_rows)
        content.write(interleave=interleave)
    return target
