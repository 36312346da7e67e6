"""Write synthetic granules, and return the true classes of their photons."""

import os
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from xr_icesat2.errors import SelectionError
from xr_icesat2.safe_files import atomic_file

from .atl03 import ATL03Values
from .atl06 import ATL06Values
from .atl08 import ATL08Values
from .atl13 import ATL13Values
from .beam_track import BeamTrack
from .granule_writer import GranuleWriter
from .identity import SyntheticGranule, complete_identity, rows_per_beam
from .photons import PhotonCloud
from .placeholder_values import CompletedValues
from .product_tree import build_tree
from .release_storage import ReleaseStorage
from .tree_model import GranuleValues

__all__ = ["true_photon_classes", "write_granule"]

_VALUES: Mapping[str, Callable[[SyntheticGranule], GranuleValues]] = {
    "ATL03": ATL03Values,
    "ATL06": ATL06Values,
    "ATL08": ATL08Values,
    "ATL13": ATL13Values,
}


def write_granule(  # noqa: PLR0913 (each is something that a granule may be)
    path: str | os.PathLike[str],
    product: str | None = None,
    *,
    rgt: int | None = None,
    cycle_number: int | None = None,
    granule_region: int | None = None,
    release: str | None = None,
    version: str | None = None,
    start: datetime | None = None,
    n_segments: int | Mapping[str, int] = 1000,
    beams: Collection[str] | None = None,
    empty_beams: Collection[str] = (),
    sc_orient: int = 1,
    seed: int = 0,
    chunk_rows: int | None = None,
    interleave: bool = True,
    libver: str | tuple[str, str] = "earliest",
    progress: bool | None = None,
) -> Path:
    """Write a granule of synthetic data.

    The tree is that of a real granule of the release: groups, names, dtypes, dimension scales,
    units, fill values, flags, chunks and filters. The values are those of an altimeter over a
    known surface (:func:`surface_height`) with trees (:func:`canopy_height`). ``h_li`` is the
    height of the surface plus noise with the deviation ``h_li_sigma``, or the fill value below
    clouds. The true class of every photon is :func:`true_photon_classes`. ``ht_ortho`` of ATL13
    is :func:`lake_level` plus noise with the deviation ``err_ht_water_surf``. Repeat cycles are
    some metres apart and share most values of ``segment_id``. All random numbers depend on
    `seed`, and not on `chunk_rows` or `interleave`.

    Parameters
    ----------
    path
        File to write, or a folder, in which the file gets the name of the granule. If the file
        has the name of a granule (``ATL06_20191106230008_06270503_006_01.h5``), this determines
        product, start, track, cycle, region, release and version, and keywords must not
        contradict it. With any other name, the keywords and their defaults determine them.
    product
        Short name: ATL03, ATL06, ATL08 or ATL13. Default: ATL06.
    rgt, cycle_number, granule_region
        Reference ground track (1 to 1387), repeat cycle and granule region (1 to 14). Default:
        cycle 1 of track 658 in region 3, which crosses the Greenland ice sheet from 62° N on. A
        granule of ATL13 has four orbits, the number of the first track (1, 5, 9 …; default 657),
        and no region.
    release, version
        Three and two digits. Default: 006 and 01. The tree is that of the release.
    start
        Start of the region, UTC. Default: the time in the mission's schedule.
    n_segments
        Rows of the main rate in each beam, or a mapping from beam to rows. For ATL03, and for the
        ATL08 made from it, the number of 20 m segments. ATL03, ATL06 and ATL08 with the same
        arguments have the same ground at the same segments.
    beams
        Ground tracks of the granule. Default: all six, or those of `n_segments`.
    empty_beams
        Beams without rows.
    sc_orient
        0 backward, 1 forward, 2 turning. Spots are unknown while the spacecraft turns.
    seed
        Seed of all random numbers, not negative.
    chunk_rows
        Rows of a chunk. Default: 10,000, and 100,000 along ``heights`` of ATL03 from release 007
        on.
    interleave
        Whether chunks are stored as in real granules: beam after beam, and within each beam the
        chunks of all datasets in order of time. Otherwise one dataset follows another.
    libver
        As for :class:`h5py.File`; ``"latest"`` writes superblock 3 and newer chunk indexes.
    progress
        Show a progress bar if it takes longer than two seconds. Default: if standard error is a
        terminal or a notebook.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    SelectionError
        No granule can have these properties, or the file's name contradicts them.

    Notes
    -----
    Releases up to 006 are stored like real granules: superblock 0, chunks deflated at level 6
    (integers shuffled first), single values in their object headers. Release 007 has pages of
    8 MiB, of metadata or of raw data, and single values outside of the headers; so even a small
    file takes some pages, most of them empty.

    Values are made and compressed on all cores, a few blocks of rows at a time, so memory does not
    grow with the granule. The file gets its name when it is complete. After an error or an
    interrupt, no file remains.
    """
    target = Path(path)
    is_folder = target.is_dir()
    identity = complete_identity(
        "" if is_folder else target.name,
        product=product,
        rgt=rgt,
        cycle_number=cycle_number,
        granule_region=granule_region,
        release=release,
        version=version,
        start=start,
    )
    if identity["product"] not in _VALUES:
        raise SelectionError(
            f"granules of {identity['product']!r} cannot be written; expected one of "
            f"{', '.join(_VALUES)}"
        )
    if chunk_rows is not None and chunk_rows < 1:
        raise SelectionError(f"chunk_rows={chunk_rows}: expected at least 1")
    granule = SyntheticGranule(
        **identity,
        rows=rows_per_beam(n_segments, beams, empty_beams),
        sc_orient=sc_orient,
        seed=seed,
    )
    if is_folder:
        target /= granule.name
    tree = build_tree(granule.product, granule.release, granule.rows)
    storage = ReleaseStorage(granule.product, granule.release, chunk_rows)
    values = CompletedValues(_VALUES[granule.product](granule), tree)
    with (
        atomic_file(target) as partial,
        h5py.File(partial, "w", libver=libver, track_order=True, **storage.creation()) as file,
    ):
        content = GranuleWriter(file, target.name, granule, tree, values, storage)
        content.write(interleave=interleave, progress=progress)
    return target


_SEGMENTS_PER_BLOCK = 2000


def true_photon_classes(  # noqa: PLR0913 (each decides what a granule contains)
    beam: str,
    *,
    rgt: int = 658,
    cycle_number: int = 1,
    granule_region: int = 3,
    start: datetime | None = None,
    n_segments: int | Mapping[str, int] = 1000,
    beams: Collection[str] | None = None,
    empty_beams: Collection[str] = (),
    sc_orient: int = 1,
    seed: int = 0,
) -> NDArray[np.int8]:
    """Return the class of every photon of a synthetic ATL03 granule, in file order.

    ATL08 lists all signal and the noise near it, with their classes in ``classed_pc_flag``; all
    other photons are noise.

    Parameters
    ----------
    beam
        Ground track, ``gt1l`` to ``gt3r``.
    rgt, cycle_number, granule_region, start, n_segments, beams, empty_beams, sc_orient, seed
        Same as for :func:`write_granule`.

    Returns
    -------
    ndarray
        ``(n_photons,)``, int8: 0 noise, 1 ground, 2 canopy, 3 top of canopy.

    Raises
    ------
    SelectionError
        No granule can have these properties, or it lacks the beam.
    """
    granule = SyntheticGranule(
        product="ATL03",
        rgt=rgt,
        cycle_number=cycle_number,
        granule_region=granule_region,
        release="006",
        version="01",
        start=start,
        rows=rows_per_beam(n_segments, beams, empty_beams),
        sc_orient=sc_orient,
        seed=seed,
    )
    if beam not in granule.rows:
        raise SelectionError(
            f"the granule has no beam {beam!r}; expected one of {', '.join(granule.rows)}"
        )
    cloud = PhotonCloud.of(BeamTrack(granule, beam))
    n = cloud.ids.size
    parts = [
        cloud.photons(row, min(row + _SEGMENTS_PER_BLOCK, n)).class_
        for row in range(0, n, _SEGMENTS_PER_BLOCK)
    ]
    return np.concatenate([np.zeros(0, np.int8), *parts])
