"""Shared test configuration."""

from hypothesis import settings

pytest_plugins = ["tests.layouts", "tests.servers", "tests.sessions", "tests.earthdata.fixtures"]

# How long one example takes says more of the machine than of the code.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
