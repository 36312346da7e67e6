"""Damaged copies of real granules, each made from a seed alone."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numcodecs.jenkins import jenkins_lookup3

from tests.paths import GRANULES

# An original with old headers and an old superblock; a subset with checksummed headers; a file
# of another product. Their shares are unequal because they take 3, 1 and 0.4 s each.
FILES = (
    "ATL06_20181014001049_02350102_003_01.h5",
    "processed_ATL06_20191106230008_06270503_006_01.h5",
    "ATL03_gt1l.h5",
)
SHARES = (0.1, 0.35, 0.55)
WHOLE = "whole"
KINDS = ("flip", "structure", "zero", "shuffle", "cut")
KIND_SHARES = (0.3, 0.25, 0.2, 0.15, 0.1)
MUTATIONS = 2_000
LONGEST = 1 << 16
# Where HDF5's structures begin: those with a signature, and object headers of version 1.
STRUCTURES = re.compile(
    rb"OHDR|OCHK|TREE|SNOD|HEAP|GCOL|FRHP|FHDB|FHIB|BTHD|BTLF|BTIN"
    rb"|\x01\x00[\x01-\x40]\x00[\x01-\x08]\x00\x00\x00"
)
HAS_TIMES, HAS_PHASE_CHANGE = 0x20, 0x10


@dataclass(frozen=True)
class Mutation:
    """One damaged copy: which file, what is done to it."""

    seed: int
    path: Path
    """Of the undamaged file."""
    kind: str

    def apply(self, data: bytes) -> bytes:
        """Damage the content of the file; always the same for a seed."""
        rng = np.random.default_rng([self.seed, 1])
        array = np.frombuffer(data, np.uint8).copy()
        return _DAMAGE[self.kind](rng, array).tobytes()


def seed_numbers(words: list[str]) -> list[int]:
    """Return the seeds that a command line names, such as ``17`` and ``400-450``."""
    seeds: list[int] = []
    for word in words:
        first, _, last = word.partition("-")
        seeds += range(int(first), int(last or first) + 1)
    return seeds


def mutation(seed: int) -> Mutation:
    """Return the mutation of a seed."""
    rng = np.random.default_rng([seed, 0])
    name = FILES[rng.choice(len(FILES), p=SHARES)]
    kind = KINDS[rng.choice(len(KINDS), p=KIND_SHARES)]
    return Mutation(seed, GRANULES / name, kind)


def whole(path: Path) -> Mutation:
    """Return a file as it is."""
    return Mutation(0, path, WHOLE)


def mutation_of(path: Path, seed: int) -> Mutation:
    """Return a mutation of some other file, every third of one of its structures."""
    rng = np.random.default_rng([seed, 0])
    return Mutation(seed, path, "structure" if seed % 3 == 0 else str(rng.choice(KINDS)))


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


def _structure(rng, array):
    """Change a few bytes of one structure; half of them with a matching checksum."""
    places = [found.start() for found in STRUCTURES.finditer(array.tobytes())]
    first = places[rng.integers(len(places))]
    where = first + 4 + rng.integers(0, rng.choice([16, 64, 400]), rng.integers(1, 4))
    where = where[where < len(array)]
    array[where] ^= rng.integers(1, 256, len(where)).astype(np.uint8)
    if rng.random() < 0.5 and array[first : first + 4].tobytes() == b"OHDR":
        _seal(array, first)
    return array


def _seal(array, first):
    """Update the checksum of an object header of version 2."""
    flags = int(array[first + 5])
    at = first + 6 + (16 if flags & HAS_TIMES else 0) + (4 if flags & HAS_PHASE_CHANGE else 0)
    width = 1 << (flags & 3)
    end = at + width + int.from_bytes(array[at : at + width].tobytes(), "little")
    if end + 4 <= len(array):
        checksum = int(jenkins_lookup3(array[first:end].copy(), 0))
        array[end : end + 4] = np.frombuffer(checksum.to_bytes(4, "little"), np.uint8)


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
    length = _log_uniform(rng, least, min(LONGEST, len(array) // 4))
    first = int(rng.integers(0, len(array) - length))
    return first, first + length


def _log_uniform(rng, low, high):
    return int(np.exp(rng.uniform(np.log(low), np.log(high))))


_DAMAGE = {
    WHOLE: lambda _, array: array,
    "flip": _flip,
    "structure": _structure,
    "zero": _zero,
    "shuffle": _shuffle,
    "cut": _cut,
}
