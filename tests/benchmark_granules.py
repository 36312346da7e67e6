"""The granules of the benchmarks with fewer rows: the same trees, chunks and order."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from benchmarks.files import FILES
from xr_icesat2.testing import write_granule

# Of the rows of the benchmark's: as few as leave several chunks of each dataset.
_SHARES: Mapping[str, float] = {
    "atl06-50": 0.16,
    "atl06-200": 0.05,
    "atl08": 0.09,
    "atl03-006": 0.03,
    "atl03-007": 0.03,
}
LAYOUTS = tuple(_SHARES)


@pytest.fixture(scope="session")
def layout(tmp_path_factory: pytest.TempPathFactory):
    """Return the file of one of :data:`LAYOUTS`, written when it is first asked for."""
    folder = tmp_path_factory.mktemp("layouts")

    @cache
    def written(name: str) -> Path:
        given = FILES[name].written
        rows = given["n_segments"]
        share = _SHARES[name]
        if isinstance(rows, Mapping):
            rows = {beam: round(share * count) for beam, count in rows.items()}
        else:
            rows = round(share * rows)
        own = folder / name
        own.mkdir()
        return write_granule(own, **{**given, "n_segments": rows})

    return written
