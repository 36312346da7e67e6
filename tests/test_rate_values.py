"""Every rate of every product equals an independent assembly, bit for bit."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import pytest

from tests.expected_rates import RATES, Rate
from tests.oracle_rates import parts
from tests.paths import ALL_GRANULES, GRANULES, needs_granules
from tests.rate_checks import LAYOUTS, check_whole_and_in_part
from tests.written_granules import written_granules
from xr_icesat2.errors import MergeError
from xr_icesat2.testing import write_granule

# One of single variables and one of all in one plan, others for each layout, masked and raw.
# Any selection of any array: tests/test_plan.py, tests/test_array_parts.py.
SELECTIONS = 2
# Nothing tells which spot a beam is, nor the product: beams are merged by ground track, and
# dimensions are named after groups.
SPOTS_UNKNOWN = {"extract_ATL08_no_orientation.h5", "test_atl08.h5"}
LAND_SEGMENTS = Rate("land_segments", "land_segments_idx", ("latitude", "longitude"))
NOT_MERGED = {
    "variable_subset_ATL24_data.h5": "nothing tells which spot a beam is",
    "ATL03_indexbegin_start_end_FVs.h5": "no granule",
    "ATL15_template.nc": "a map",
}
UNPLACED = {*SPOTS_UNKNOWN, *NOT_MERGED}


@dataclass(frozen=True)
class Given:
    """Files that are opened together."""

    id: str
    rates: Sequence[Rate]
    paths: Callable[[pytest.TempPathFactory], list[Path]]
    options: Mapping[str, Any] = field(default_factory=dict)
    marks: tuple[pytest.MarkDecorator, ...] = ()
    layouts: Collection[str] = tuple(LAYOUTS)


def product_in(path: Path) -> str:
    return next(product for product in RATES if product in path.name)


def real(*starts: str) -> list[Path]:
    return [next(GRANULES.glob(f"{start}*")) for start in starts]


# Three cycles of each: forward, backward, and one that lacks beams and what is named below.
CYCLES: tuple[Mapping[str, Any], ...] = (
    {"cycle_number": 5, "n_segments": 12},
    {"cycle_number": 6, "n_segments": 9, "sc_orient": 0},
    {"cycle_number": 7, "n_segments": 15, "beams": ("gt1r", "gt2l", "gt3l", "gt3r")},
)
LACKING = {
    "ATL03": ("gt2l/geolocation", "gt3l/geophys_corr", "gt3r/heights"),
    "ATL08": ("gt2l/signal_photons", "gt3l/land_segments/canopy"),
    "ATL13": ("gt3r/rgt",),
}
RELEASES = ("006", "007")


def three_cycles(factory: pytest.TempPathFactory, product: str, release: str) -> list[Path]:
    folder = factory.mktemp(f"{product}_{release}")
    paths = [write_granule(folder, product=product, release=release, **how) for how in CYCLES]
    with h5py.File(paths[-1], "r+") as file:
        for path in LACKING[product]:
            del file[path]
    return paths


def two_releases(factory: pytest.TempPathFactory) -> list[Path]:
    folder = factory.mktemp("releases")
    return [
        write_granule(folder, product="ATL08", release=release, **how)
        for release, how in zip(("003", "006"), CYCLES, strict=False)
    ]


def real_beside_written(factory: pytest.TempPathFactory) -> list[Path]:
    written = write_granule(factory.mktemp("beside"), release="007", n_segments=30, cycle_number=9)
    return [*real("ATL06_20181014001049"), written]


GIVEN = [
    *(
        Given(
            path.name.removeprefix("processed_")[:26],
            RATES[product_in(path)],
            lambda _, p=path: [p],
        )
        for path in ALL_GRANULES
        if path.name not in UNPLACED
    ),
    *(
        Given(path.name, [LAND_SEGMENTS], lambda _, p=path: [p], layouts=["flat"])
        for path in ALL_GRANULES
        if path.name in SPOTS_UNKNOWN
    ),
    Given(
        "missing beams",
        RATES["ATL06"],
        lambda _: real("processed_ATL06_20190613", "processed_ATL06_20190416"),
        marks=(needs_granules,),
    ),
    Given("written", RATES["ATL06"], lambda factory: list(written_granules(factory).values())),
    *(
        Given(
            f"{product} {release}",
            RATES[product],
            partial(three_cycles, product=product, release=release),
        )
        for product in LACKING
        for release in RELEASES
    ),
    Given(
        "a real 003 with a written 007",
        RATES["ATL06"],
        real_beside_written,
        {"allow_mixed_releases": True},
        marks=(needs_granules,),
    ),
    Given("ATL08 of two releases", RATES["ATL08"], two_releases, {"allow_mixed_releases": True}),
]
CASES = [
    pytest.param(given, rate, layout, id=f"{given.id}-{rate.group}-{layout}", marks=given.marks)
    for given in GIVEN
    for rate in given.rates
    for layout in given.layouts
]


@pytest.fixture(scope="module")
def paths_of(tmp_path_factory) -> Callable[[Given], list[Path]]:
    made: dict[str, list[Path]] = {}

    def give(given: Given) -> list[Path]:
        if given.id not in made:
            made[given.id] = given.paths(tmp_path_factory)
        return made[given.id]

    return give


@pytest.mark.parametrize(("given", "rate", "layout"), CASES)
def test_every_variable_equals_the_oracle(paths_of, given: Given, rate: Rate, layout: str):
    # Stored values: without padding, and with it where beams are missing and empty.
    for masked in [True, False] if layout == "flat" or given.id == "written" else [True]:
        check_rate(paths_of, given, rate, layout, masked=masked)


def check_rate(paths_of, given: Given, rate: Rate, layout: str, *, masked: bool) -> None:
    check_whole_and_in_part(
        paths_of(given),
        rate,
        layout,
        masked=masked,
        selections=SELECTIONS,
        **given.options,
    )


@needs_granules
@pytest.mark.parametrize("rate", RATES["ATL06"], ids=lambda rate: rate.group)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_releases_open_together_on_request(rate, layout):
    paths = [path for path in ALL_GRANULES if "ATL06" in path.name and parts(path, rate)]
    check_whole_and_in_part(
        paths, rate, layout, masked=True, selections=SELECTIONS, allow_mixed_releases=True
    )


def test_two_releases_are_refused_by_default(paths_of):
    given = next(given for given in GIVEN if given.id == "ATL08 of two releases")
    rate = given.rates[0]
    with pytest.raises(MergeError, match=r"2 releases: 003 .*006 .*allow_mixed_releases=True"):
        check_whole_and_in_part(paths_of(given), rate, "spot", masked=True, selections=0)
