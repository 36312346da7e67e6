"""Readers to measure, by their name on the command line."""

from __future__ import annotations

from importlib import import_module

from benchmarks.peers.peer import Peer

__all__ = ["PEERS", "load_peer"]

PEERS = {
    "floor": "floor:Floor",
    "decode": "floor:DecodeAlone",
    "xr_icesat2": "ours:AsStored",
    "xr_icesat2-index-file": "ours:IndexFile",
    "xr_icesat2-decoded": "ours:Decoded",
    "xr_icesat2-all-segments": "ours:AllSegments",
    "download": "download:WholeDownload",
    "h5coro": "h5coro_read:ReadDatasets",
    "engine-h5coro": "h5coro_engine:Engine",
    "h5py": "h5py_local:Local",
    "h5py-walk": "h5py_local:Walk",
    "h5py-s3fs": "h5py_s3fs:DefaultCache",
    "h5py-s3fs-8MiB": "h5py_s3fs:Blocks",
    "engine-h5netcdf": "h5netcdf_engine:DefaultCache",
    "engine-h5netcdf-8MiB": "h5netcdf_engine:Blocks",
    "pyfive": "pyfive_s3fs:Blocks",
    "virtualizarr": "virtual:Virtual",
    "h5coro-hidefix": "hidefix_index:HeldIndex",
    "hidefix": "hidefix_local:Local",
    "icepyx": "icepyx_read:Read",
}
"""Module and class of each reader; a module is imported when its reader is measured."""


def load_peer(name: str) -> Peer:
    """Import and create a reader; ImportError names a missing package."""
    module, _, kind = PEERS[name].partition(":")
    peer: Peer = getattr(import_module(f"benchmarks.peers.{module}"), kind)()
    return peer
