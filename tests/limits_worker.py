"""A process that opens files within a limit of memory, and prints a line of JSON for each.

``python -m tests.limits_worker bytes file …``: the address space that it may take beyond what the
imports take, and the files.
"""

import json
import logging
import resource
import sys
from pathlib import Path

import xarray as xr

import xr_icesat2.backend  # noqa: F401 - so that what is measured is not the import
from xr_icesat2.errors import ICESat2Error


def peak() -> int:
    """Bytes of memory that this process has taken at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def look_at(path: str) -> dict:
    """What a file gives: its groups and variables, what is left out, or why nothing is given."""
    try:
        tree = xr.open_datatree(path, engine="icesat2", layout="file")
    except ICESat2Error as error:
        return {"error": f"{type(error).__name__}: {error}"}
    variables = [f"{n.path.rstrip('/')}/{name}" for n in tree.subtree for name in n.data_vars]
    refused = {}
    for name in variables:
        try:
            tree[name].to_numpy()
        except ICESat2Error as error:
            refused[name] = type(error).__name__
    return {
        "groups": [node.path for node in tree.subtree],
        "variables": variables,
        "refused": refused,
        "left_out": dict(tree.icesat2.left_out),
    }


if __name__ == "__main__":
    logging.disable()
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    for path in sys.argv[2:]:
        before = peak()
        reported = look_at(path)
        print(json.dumps({**reported, "grown": peak() - before}), flush=True)  # noqa: T201
