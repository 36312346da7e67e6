"""Stores of granule indexes: a directory, or one file with many of them."""
