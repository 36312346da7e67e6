"""The main job, from end to end: ``python -m xr_icesat2.demo``, or ``make demo``.

Two repeat cycles of a synthetic ATL06 granule are written, served by an S3
server on this machine, opened by URL as one Dataset and as a DataTree, and
compared; a picture and a table are left behind. Needs ``xr-icesat2[demo]``.
"""
