"""Shared test configuration."""

pytest_plugins = ["tests.layouts", "tests.servers", "tests.sessions", "tests.earthdata.fixtures"]
