"""Where granules lie in NASA's Earthdata cloud, and who may read them.

Which there are:

- :mod:`.search` -- ``xr_icesat2.search``, from :mod:`.passes`, :mod:`.area` and :mod:`.period`
  (what is asked for) and :mod:`.catalog` (CMR); :mod:`.versions` keeps the newest
- :mod:`.granule_list` -- what it gives, shown by :mod:`.shown`, :mod:`.svg_map`,
  :mod:`.footprint` and :mod:`.track`

As files:

- :mod:`.download` -- ``xr_icesat2.download``, several at once; :mod:`.fetch` gets one into a
  :mod:`.part`, checks it by :mod:`.checksum`, and is counted by :mod:`xr_icesat2.progress`

As bytes:

- :mod:`.filesystem` -- ``icesat2://`` for fsspec: :mod:`.places` and :mod:`.listing` (where),
  :mod:`.access` and :mod:`.roads` (how), :mod:`.credentials` (who)
"""
