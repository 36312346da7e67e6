"""Where granules lie in NASA's Earthdata cloud, and who may read them."""
