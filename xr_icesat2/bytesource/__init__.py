"""Bytes of one granule, from any storage.

- :mod:`.protocol`: :class:`ByteSource`, the interface that the rest of the library uses
- :mod:`.open_source`: the byte source for a path, a URL or an open file
- :mod:`.local`, :mod:`.file_object`, :mod:`.remote`: the byte sources
- :mod:`.descriptor_cache`: open local files
- :mod:`.fsspec_location`: which fsspec filesystem a remote source reads
- :mod:`.fsspec_transport`, :mod:`.http`, :mod:`.s3_transport`: how one request is sent;
  :mod:`.s3_client_choice` decides between obstore and s3fs
- :mod:`.range_requests`, :mod:`.request_scheduler`, :mod:`.request_limits`, :mod:`.retry`,
  :mod:`.slow_requests`: how many requests run at once, how often and how long each is tried
- :mod:`.error_translation`, :mod:`.redaction`: errors of other libraries as ours, without secrets
- :mod:`.request_counter`: :class:`CountingSource`, which counts requests
"""

from .open_source import open_source
from .protocol import BytesLike, ByteSource, FileVersion, FirstRead, OnBytes, Range
from .redaction import source_name
from .request_counter import CountingSource

__all__ = [
    "ByteSource",
    "BytesLike",
    "CountingSource",
    "FileVersion",
    "FirstRead",
    "OnBytes",
    "Range",
    "open_source",
    "source_name",
]
