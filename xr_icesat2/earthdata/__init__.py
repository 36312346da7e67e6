"""NASA's Earthdata cloud: search, download and read granules.

- Search (``xr_icesat2.search``): :mod:`.search`, from :mod:`.track_query`, :mod:`.search_area` and
  :mod:`.temporal` by :mod:`.cmr`; :mod:`.newest_version` selects versions. :mod:`.results` are
  shown by :mod:`.result_table` and :mod:`.result_map`, from :mod:`.footprint` and
  :mod:`.ground_track`.
- Download (``xr_icesat2.download``): :mod:`.download` for many files, :mod:`.download_file` for
  each one, into a :mod:`.partial_file` that is compared with its :mod:`.checksum`.
- Read (``icesat2://``): :mod:`.filesystem` for fsspec, with :mod:`.archive_paths` and
  :mod:`.directory_listing`; :mod:`.access` chooses :mod:`.s3_access` or :mod:`.https_access`, and
  :mod:`.credentials` logs in.
"""
