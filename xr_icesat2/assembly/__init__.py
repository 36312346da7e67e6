"""Assemble Datasets and trees from granules and a request."""
