"""Indexes of granules that are kept: in a directory, or many in one file."""
