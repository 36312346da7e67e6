"""Close fsspec instances, sessions and in-memory files after each test."""

import sys
from contextlib import suppress

import pytest


@pytest.fixture(autouse=True)
def _no_filesystem_outlives_its_test():
    """Close and forget them all.

    fsspec keeps instances for the life of the process; their connections would
    be closed, with a warning, in whatever test happens to run then.
    """
    yield
    if "fsspec" not in sys.modules:
        return
    for kind in _filesystem_classes():
        for filesystem in list(kind._cache.values()):
            _end_session(filesystem)
        kind.clear_instance_cache()
    memory = sys.modules.get("fsspec.implementations.memory")
    if memory is not None:
        memory.MemoryFileSystem.store.clear()
        memory.MemoryFileSystem.pseudo_dirs[:] = [""]


def _filesystem_classes():
    from fsspec import AbstractFileSystem  # noqa: PLC0415 - only where a test imported it

    kinds = [AbstractFileSystem]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    return kinds


def _end_session(filesystem):
    from fsspec.asyn import sync  # noqa: PLC0415

    session = vars(type(filesystem)).get("close_session") and vars(filesystem).get("_session")
    if session is not None:
        with suppress(RuntimeError):
            sync(filesystem.loop, session.close, timeout=1)
