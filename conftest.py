"""Shared test configuration."""

import gc

from hypothesis import settings

pytest_plugins = [
    "tests.benchmark_granules",
    "tests.server_fixtures",
    "tests.fsspec_cleanup",
    "tests.plot_fixtures",
    "tests.earthdata.fixtures",
]

# How long one example takes says more of the machine than of the code.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


def pytest_collection_finish() -> None:
    """Have the collector of garbage pass over what is there before the first test."""
    gc.collect()
    gc.freeze()
