"""Name, identity, beams and index of one granule."""
