"""Damaged copies of real granules, each made from a seed alone."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.paths import GRANULES

# An original with old headers and an old superblock; a subset with checksummed headers; a file
# of another product. Their shares are unequal because they take 4, 1 and 0.4 s each.
FILES = (
    "ATL06_20181014001049_02350102_003_01.h5",
    "processed_ATL06_20191106230008_06270503_006_01.h5",
    "ATL03_gt1l.h5",
)
SHARES = (0.15, 0.4, 0.45)
KINDS = ("flip", "zero", "shuffle", "cut")
KIND_SHARES = (0.45, 0.25, 0.2, 0.1)
MUTATIONS = 2_000
LONGEST = 1 << 16


@dataclass(frozen=True)
class Mutation:
    """One damaged copy: which file, what is done to it."""

    seed: int
    name: str
    kind: str

    @property
    def path(self) -> Path:
        """The undamaged file."""
        return GRANULES / self.name

    def apply(self, data: bytes) -> bytes:
        """Damage the content of the file; always the same for a seed."""
        rng = np.random.default_rng([self.seed, 1])
        array = np.frombuffer(data, np.uint8).copy()
        return _DAMAGE[self.kind](rng, array).tobytes()


def mutation(seed: int) -> Mutation:
    """Give the mutation of a seed."""
    rng = np.random.default_rng([self_seed := seed, 0])
    name = FILES[rng.choice(len(FILES), p=SHARES)]
    kind = KINDS[rng.choice(len(KINDS), p=KIND_SHARES)]
    return Mutation(self_seed, name, kind)


def _flip(rng, array):
    """Change bytes: a single bit or the whole byte, scattered or all within one kilobyte."""
    count = _log_uniform(rng, 1, 256)
    if rng.random() < 0.5:
        where = rng.integers(0, len(array), count)
    else:
        first = rng.integers(0, len(array) - 1024)
        where = first + rng.integers(0, 1024, count)
    bits = 1 << rng.integers(0, 8, count) if rng.random() < 0.5 else rng.integers(1, 256, count)
    array[where] ^= bits.astype(np.uint8)
    return array


def _zero(rng, array):
    first, last = _range(rng, array)
    array[first:last] = 0
    return array


def _shuffle(rng, array):
    """Put the pieces of a range (bytes, words or blocks) in another order."""
    piece = int(rng.choice([1, 8, 512]))
    first, last = _range(rng, array, least=2 * piece)
    last = first + (last - first) // piece * piece
    array[first:last] = rng.permutation(array[first:last].reshape(-1, piece)).ravel()
    return array


def _cut(rng, array):
    """Truncate; half of them so that the superblock still fits the length."""
    length = int(rng.integers(1, len(array)))
    array = array[:length]
    if rng.random() < 0.5 and length > 48 and array[8] == 0:
        array[40:48] = np.frombuffer(length.to_bytes(8, "little"), np.uint8)
    return array


def _range(rng, array, least=1):
    length = _log_uniform(rng, least, LONGEST)
    first = int(rng.integers(0, len(array) - length))
    return first, first + length


def _log_uniform(rng, low, high):
    return int(np.exp(rng.uniform(np.log(low), np.log(high))))


_DAMAGE = {"flip": _flip, "zero": _zero, "shuffle": _shuffle, "cut": _cut}
