"""NASA's archive on loopback, with two synthetic granules, for pages that search and read."""
# ruff: noqa: INP001 - imported by code in the pages

import os
import socket
import tempfile
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

from tests.earthdata.names import AUTHORITY_VARIABLES
from tests.earthdata.records import granule_record
from tests.earthdata.standin import Earthdata, close_web_sessions
from xr_icesat2.testing import write_granule

GRANULES = {
    "ATL06_20191106230008_06270503_007_01.h5": {"n_segments": 1000},
    "ATL06_20200205184001_06270603_007_02.h5": {"n_segments": 950},
}
FOOTPRINT = {"west": -50.0, "south": 59.5, "east": -30.0, "north": 80.0}


def serve_archive() -> ExitStack:
    """Let searches and reads find the stand-in, until the result is closed."""
    stack = ExitStack()
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    service = stack.enter_context(Earthdata(folder))
    stack.callback(close_web_sessions)
    for name, properties in GRANULES.items():
        data = write_granule(folder / name, release="007", **properties).read_bytes()
        service.put(name, data)
        key = next(key for key in service.objects if key.endswith(name))
        service.records[-1] = granule_record(name, key, data, len(service.records), FOOTPRINT)
    variables = {
        **dict.fromkeys(AUTHORITY_VARIABLES, service.authority),
        "EARTHDATA_TOKEN": service.keys.new_token(),
        "XR_ICESAT2_ACCESS": "external",
    }
    stack.enter_context(patch.dict(os.environ, variables))
    stack.enter_context(patch.object(socket, "getaddrinfo", service.names()))
    return stack
