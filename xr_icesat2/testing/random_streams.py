"""Random numbers that depend on their position, not on the order of drawing.

A granule is written block by block, and its values must not depend on the size or order of blocks.
So each field has its own stream, and position `n` is reached by skipping, which PCG64 does in one
step.
"""

import zlib
from dataclasses import dataclass

import numpy as np

from .array_types import Floats

__all__ = ["RandomStreams"]


@dataclass(frozen=True, slots=True)
class RandomStreams:
    """Streams of random numbers, one for each name."""

    key: tuple[int, ...]
    """Seed and other numbers that identify these streams; none is negative."""

    def uniform(self, field: str, start: int, stop: int) -> Floats:
        """Return numbers ``start:stop`` of a stream, at least 0 and less than 1."""
        sequence = np.random.SeedSequence((*self.key, zlib.crc32(field.encode())))
        generator = np.random.Generator(np.random.PCG64(sequence).advance(start))
        return generator.random(stop - start)

    def normal(self, field: str, start: int, stop: int) -> Floats:
        """Return numbers ``start:stop`` of a stream, of mean 0 and deviation 1."""
        # Box and Muller: numpy's own method draws a varying count of numbers for each value.
        radius = np.sqrt(-2 * np.log1p(-self.uniform(f"{field} radius", start, stop)))
        angle = 2 * np.pi * self.uniform(f"{field} angle", start, stop)
        return np.asarray(radius * np.cos(angle))
