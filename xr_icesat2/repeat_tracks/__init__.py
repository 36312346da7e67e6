"""Repeat cycles of one reference ground track on one axis along the track."""

from .along_track import along_track

__all__ = ["along_track"]
