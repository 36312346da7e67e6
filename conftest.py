"""Shared test configuration."""

pytest_plugins = ["tests.servers", "tests.sessions", "tests.earthdata.fixtures"]
