"""Examples from end to end: ``make demo``, or ``python -m examples`` in a clone.

Each example writes synthetic granules, serves them by S3 on this machine, opens them by
URL, and leaves a table and a picture:

- :mod:`examples.elevation_change`: land ice heights (ATL06) of two cycles, compared;
- :mod:`examples.forest_canopy`: photons (ATL03) by their class in ATL08, and the canopy;
- :mod:`examples.lake_levels`: lake levels (ATL13) over two years;
- :mod:`examples.real_granules`: granules of your own.

The examples need the packages of ``xr-icesat2[demo]``.
"""
