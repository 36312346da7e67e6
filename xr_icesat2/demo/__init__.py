"""The main jobs, from end to end: ``python -m xr_icesat2.demo``, or ``make demo``.

Synthetic granules of ATL03, ATL06, ATL08 and ATL13 are written, served by an S3 server on
this machine, and opened by URL: two cycles of land ice as one Dataset and as a DataTree,
photons in the classes that another product has for them, lakes over two years. Tables
and pictures are left behind. Needs ``xr-icesat2[demo]``.
"""
