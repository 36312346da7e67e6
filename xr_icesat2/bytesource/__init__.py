"""Bytes of one granule, wherever it lies.

Table of contents:

- :mod:`.protocol` -- :class:`ByteSource`, what the rest of the library asks for
- :mod:`.open` -- :func:`open_source`, from what a user gives to a byte source
- :mod:`.archive` -- the addresses of NSIDC's archive
- :mod:`.naming` -- what to call it in messages, without secrets
- :mod:`.ranges` -- which byte ranges can be asked for at all
- :mod:`.local`, :mod:`.descriptors` -- files of this machine
- :mod:`.fileobj` -- ``BytesIO`` and other open files
- :mod:`.remote` -- anything that fsspec reaches: :mod:`.location` (which
  filesystem), :mod:`.transports`, :mod:`.http` (one request),
  :mod:`.scheduler`, :mod:`.retrying`, :mod:`.limits` (how many at once, how
  often, how long), :mod:`.translate` (their errors into ours)
- :mod:`.cost` -- what a request costs, as observed
- :mod:`.budget`, :mod:`.threads` -- how much is held at a time, and who works on it
- :mod:`.counting` -- :class:`CountingSource`, which counts what is asked
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
