"""Benchmarks of this library and other readers of granules: ``make bench``."""
