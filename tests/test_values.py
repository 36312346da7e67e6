"""Every rate of every product equals an independent assembly, bit for bit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.checking import LAYOUTS, check_whole_and_in_part
from tests.oracle_rates import parts
from tests.paths import ALL_GRANULES, GRANULES, needs_granules
from tests.rates import RATES, Rate
from tests.skeletons import Skeleton
from tests.trees import NCDUMPS, needs_trees
from tests.written import written_granules
from xr_icesat2.errors import MergeError

# Of each of layout, masked or raw; what each selection must give is tested of mosaic and plan.
SELECTIONS = 2
UNPLACED = {
    "test_atl08.h5": "nothing tells which spot a beam is",
    "variable_subset_ATL24_data.h5": "nothing tells which spot a beam is",
    "ATL03_indexbegin_start_end_FVs.h5": "no granule",
}


@dataclass(frozen=True)
class Given:
    """Files that are opened together."""

    id: str
    product: str
    paths: Callable[[pytest.TempPathFactory], list[Path]]
    options: Mapping[str, Any] = field(default_factory=dict)
    marks: tuple[pytest.MarkDecorator, ...] = ()


def product_in(path: Path) -> str:
    return next(product for product in RATES if product in path.name)


def real(*starts: str) -> list[Path]:
    return [next(GRANULES.glob(f"{start}*")) for start in starts]


def tree_of(product: str) -> Path:
    return next(path for path in NCDUMPS if product in path.name)


def skeletons(
    factory: pytest.TempPathFactory, product: str, names: Mapping[str, Mapping[str, Any]]
) -> list[Path]:
    folder = factory.mktemp(product)
    return [
        Skeleton(name, tree_of(product), seed=seed, **changes).write(folder)
        for seed, (name, changes) in enumerate(names.items())
    ]


THREE_CYCLES: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "ATL03": {
        "ATL03_20181014084920_02400109_003_01.h5": {},
        "ATL03_20190113042812_02400209_003_01.h5": {"forward": False},
        "ATL03_20190414000807_02400309_003_01.h5": {
            "without": ("gt1l", "gt2r/geolocation", "gt3l/geophys_corr", "gt3r/heights")
        },
    },
    "ATL08": {
        "ATL08_20181014084920_02400109_003_01.h5": {},
        "ATL08_20190113042812_02400209_003_01.h5": {"forward": False},
        "ATL08_20190414000807_02400309_003_01.h5": {
            "without": ("gt1l", "gt2r/signal_photons", "gt3l/land_segments/canopy")
        },
    },
    "ATL13": {
        "ATL13_20190330212241_00250301_002_01.h5": {},
        "ATL13_20190629170223_00250401_002_01.h5": {"forward": False},
        "ATL13_20190928124204_00250501_002_01.h5": {"without": ("gt1l", "gt3r/rgt")},
    },
}
TWO_RELEASES = {
    "ATL08_20181014084920_02400109_003_01.h5": {},
    "ATL08_20190113042812_02400209_006_01.h5": {"sizes": {"/ds_metrics": 18}},
}

GIVEN = [
    *(
        Given(path.name.removeprefix("processed_")[:26], product_in(path), lambda _, p=path: [p])
        for path in ALL_GRANULES
        if path.name not in UNPLACED
    ),
    Given(
        "missing beams",
        "ATL06",
        lambda _: real("processed_ATL06_20190613", "processed_ATL06_20190416"),
        marks=(needs_granules,),
    ),
    Given("written", "ATL06", lambda factory: list(written_granules(factory).values())),
    *(
        Given(
            f"{product} skeletons",
            product,
            partial(skeletons, product=product, names=names),
            marks=(needs_trees,),
        )
        for product, names in THREE_CYCLES.items()
    ),
    Given(
        "ATL08 of two releases",
        "ATL08",
        partial(skeletons, product="ATL08", names=TWO_RELEASES),
        {"allow_mixed_releases": True},
        (needs_trees,),
    ),
]
CASES = [
    pytest.param(given, rate, id=f"{given.id}-{rate.group}", marks=given.marks)
    for given in GIVEN
    for rate in RATES[given.product]
]


@pytest.fixture(scope="module")
def paths_of(tmp_path_factory) -> Callable[[Given], list[Path]]:
    made: dict[str, list[Path]] = {}

    def give(given: Given) -> list[Path]:
        if given.id not in made:
            made[given.id] = given.paths(tmp_path_factory)
        return made[given.id]

    return give


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("masked", [True, False], ids=["masked", "raw"])
@pytest.mark.parametrize(("given", "rate"), CASES)
def test_every_variable(paths_of, given: Given, rate: Rate, layout: str, masked: bool):
    check_whole_and_in_part(
        paths_of(given), rate, layout, masked=masked, selections=SELECTIONS, **given.options
    )


@needs_granules
@pytest.mark.parametrize("rate", RATES["ATL06"], ids=lambda rate: rate.group)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_all_releases_together(rate, layout):
    paths = [path for path in ALL_GRANULES if "ATL06" in path.name and parts(path, rate)]
    check_whole_and_in_part(
        paths, rate, layout, masked=True, selections=SELECTIONS, allow_mixed_releases=True
    )


@needs_trees
def test_two_releases_are_refused_unless_asked_for(paths_of):
    given = next(given for given in GIVEN if given.options)
    rate = RATES[given.product][0]
    with pytest.raises(MergeError, match=r"2 releases: 003 .*006 .*allow_mixed_releases=True"):
        check_whole_and_in_part(paths_of(given), rate, "spot", masked=True, selections=0)
