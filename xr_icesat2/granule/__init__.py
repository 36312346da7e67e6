"""One granule's structure: its name, its identity and its index."""
