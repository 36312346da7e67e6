"""One granule: its name, its identity, its beams, and its index in this process."""
