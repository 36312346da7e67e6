"""From what a user gives to a byte source, without asking any disk or server."""

import io
import os
from collections.abc import Mapping
from typing import IO, Any
from urllib.parse import unquote

from xr_icesat2.bytesource.fileobj import FileObjectSource
from xr_icesat2.bytesource.local import LocalSource
from xr_icesat2.bytesource.naming import is_url, source_name
from xr_icesat2.bytesource.protocol import ByteSource
from xr_icesat2.errors import GranuleNotFoundError, SelectionError

__all__ = ["open_source"]
