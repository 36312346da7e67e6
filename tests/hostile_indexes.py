"""Indexes that were tampered with, their checksums made right again.

All of them, in some minutes::

    python -m tests.hostile_indexes --all

or some: ``python -m tests.hostile_indexes 17 18 400-450``. Each is opened twice, as an entry of a
directory and in a file of indexes, and all values are read. Either they are right, or one of our
errors is raised. Attributes lie in the index itself: those that were changed are others. Where an
index consistently says that values lie elsewhere, these are others too: that is counted, and rare.
"""

import argparse
import logging
import random
import resource
import sys
import tempfile
import time
import traceback
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fsspec
import msgspec
import numpy as np
import xarray as xr

from tests.hostile_mutations import seed_numbers
from tests.paths import GRANULES
from xr_icesat2 import save_indexes
from xr_icesat2.bytesource import open_source
from xr_icesat2.errors import ICESat2Error
from xr_icesat2.index_cache.codec import CHUNK_BYTES, LENGTHS, MAGIC
from xr_icesat2.index_cache.index_file import MAGIC as FILE_MAGIC
from xr_icesat2.index_cache.index_file import TRAILER
from xr_icesat2.testing import write_granule

MUTATIONS = 2_500
SYNTHETIC = {"variables": ["h_li", "h_li_sigma", "segment_id", "ground_track/x_atc"]}
REAL = {
    "ATL06_20181014001049_02350102_003_01.h5": {"group": "gt1l/land_ice_segments"},
    "processed_ATL06_20191106230008_06270503_006_01.h5": {
        "variables": ["h_li", "fit_statistics/h_mean"]
    },
    "ATL11_078805_0304_02_v002.h5": {"group": "pt2/corrected_h"},
}
"""Chunked over trees of some nodes, as the HDF5 library writes now, and contiguous."""
MISLED = 0.06
"""Share of openings that may give other values, by an index that says so without contradiction."""
SECONDS = 10.0  # of processor time, for one opening
MEMORY = 1 << 29  # bytes beyond what the process takes when it begins
START = len(MAGIC) + LENGTHS.size
NUMBERS = [0, 1, 2, 3, 255, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**40, 2**62, 2**63 - 1, 2**63]
ODD = [
    None, True, False, -1, -(2**63), 2**64 - 1, 0.5, 1e308, "", "/", "..", "x" * 1000, b"AAAA",
    "\x1b[2J", "\0surrogates\0\xff", "|O", "<f8", ">i2", "|S0", "<U0", "|V8", "|V999999999",
    "<U999999999", "c32", b"", bytes(8),
    [], [0], [[]], [[0, 1]], [2**62, 2**62], {}, {"/": 0}, [2, "|O", [2]],
    [1, "/etc/passwd", "/"], [2, ".."], [1, 16, [["a", "|O", 0]]], [1, "|O", [1], [""]],
    [1, "<U1", [1], b"\xff\xff\xff\xff"], [1, "|S0", [10**18], b""], [1, "<f8", [0, 2**62], b""],
    [2, [2, "<f8", [10**6]], [10**6]], [3, 0, [1], []], [3, None, [2**31], [[2, 0]]],
    [1, b""], [2, 0], [2, None], [4, "because"], [3, "because"],
    [[1, 0], [2, 4], [32000, 0]], [[2, 99999999]],
]  # fmt: skip


@dataclass
class Verdict:
    """What came of some mutations."""

    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    """What must not happen, each with its seed."""

    def __str__(self) -> str:
        described = ", ".join(f"{what} {count}" for what, count in sorted(self.outcomes.items()))
        return f"{described}; {len(self.faults)} faults"


@dataclass(frozen=True)
class Packed:
    """An index as bytes, taken apart."""

    structure: bytes
    columns: bytes

    @classmethod
    def of(cls, data: bytes) -> "Packed":
        _, length, _ = LENGTHS.unpack_from(data, len(MAGIC))
        body = zlib.decompress(data[START:])
        return cls(body[:length], body[length:])

    def sealed(self) -> bytes:
        """Put it together again, with lengths and a checksum that are right."""
        chunks = len(self.columns) // CHUNK_BYTES
        body = zlib.compress(self.structure + self.columns, 1)
        rest = LENGTHS.pack(0, len(self.structure), chunks)[4:] + body
        return MAGIC + zlib.crc32(rest).to_bytes(4, "little") + rest


def mutated(packed: Packed, chance: random.Random) -> Packed:
    """Tamper with an index."""
    kind = chance.choice(
        ["odd", "number", "header", "header", "header", "move", "bytes", "column", "column"]
    )
    if kind == "bytes":
        return Packed(_mutate_bytes(packed.structure, chance), packed.columns)
    if kind == "column" and packed.columns:
        return Packed(packed.structure, _mutate_columns(packed.columns, chance))
    index = msgspec.msgpack.decode(packed.structure)
    kind = "number" if kind == "column" else kind
    for _ in range(chance.choice([1, 1, 1, 2, 5])):
        _CHANGES[kind](index, chance)
    return Packed(msgspec.msgpack.encode(index), packed.columns)


def mutated_file(data: bytes, chance: random.Random) -> bytes:
    """Tamper with the mapping of a file of indexes, or with its end."""
    start, length, *_ = TRAILER.unpack(data[-TRAILER.size :])
    text = zlib.decompress(data[start : start + length])
    kind = chance.choice(["odd", "number", "move", "bytes", "trailer", "again"])
    if kind == "bytes":
        text = _mutate_bytes(text, chance)
    elif kind == "again":  # the same granule twice
        text = b"\x82" + text[1:] * 2
    elif kind != "trailer":
        value = msgspec.msgpack.decode(text)
        _CHANGES[kind](value, chance)
        text = msgspec.msgpack.encode(value)
    body = zlib.compress(text, 1)
    place = [start, len(body), len(text), zlib.crc32(body)]
    if kind == "trailer":
        place[chance.randrange(4)] = chance.choice([0, 1, 2**31, 2**32 - 1])
    return data[:start] + body + TRAILER.pack(*place)


def joined(entry: bytes, url: str, size: int, tag: str) -> bytes:
    """Put one index into a file of indexes."""
    text = msgspec.msgpack.encode({url: (size, tag, len(FILE_MAGIC), len(entry))})
    body = zlib.compress(text, 1)
    place = (len(FILE_MAGIC) + len(entry), len(body), len(text), zlib.crc32(body))
    return FILE_MAGIC + entry + body + TRAILER.pack(*place)


def _at(value, path):
    for key in path:
        value = value[key]
    return value


def _place(value, chance, kind=object):
    """Walk down to some value, at each step to any of those below; () where none was found."""
    for _ in range(50):
        path, here = (), value
        while isinstance(here, dict | list) and here:
            key = chance.choice(list(here) if isinstance(here, dict) else range(len(here)))
            path, here = (*path, key), here[key]
            if isinstance(here, kind) and (kind is int or chance.random() < 0.3):
                return path
        if isinstance(here, kind) and path:
            return path
    return ()


def _put_odd(value, chance):
    path = _place(value, chance)
    if path:
        _at(value, path[:-1])[path[-1]] = chance.choice(ODD)


def _put_number(value, chance):
    path = _place(value, chance, int)
    if path:
        was = _at(value, path)
        near = [was + 1, was - 1, was * 2, was // 2, was ^ (1 << chance.randrange(63))]
        number = chance.choice([*near, *NUMBERS])
        _at(value, path[:-1])[path[-1]] = max(-(2**63), min(number, 2**64 - 1))


def _put_header(value, chance):
    """Change what a dataset says of its type, its shape and its place."""
    _, nodes, *_ = value
    header = chance.choice([node for node in nodes.values() if len(node) > 4])
    part = chance.choice([2, 3, 3, 4, 4, 5, 6])
    path = _place({part: header[part]}, chance, int)
    if path:
        _at(header, path[:-1])[path[-1]] = chance.choice(NUMBERS)
    else:
        header[part] = chance.choice(ODD)


def _move(value, chance):
    """Lose a value, give it another key, or have two change places."""
    path = _place(value, chance, dict | list)
    around = _at(value, path)
    keys = list(around) if isinstance(around, dict) else list(range(len(around)))
    if not keys:
        return
    one, other = chance.choice(keys), chance.choice(keys)
    how = chance.randrange(3)
    if how == 0:
        del around[one]
    elif how == 1 and isinstance(around, dict):
        around[chance.choice(["..", ".", "", "/", "a/b", f"{one}/x", "h_li", "\0"])] = around[one]
    else:
        around[one], around[other] = around[other], around[one]


_CHANGES = {"odd": _put_odd, "number": _put_number, "header": _put_header, "move": _move}


def _mutate_bytes(data, chance):
    data = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(max(1, len(data)))
        kind = chance.choice(["flip", "flip", "digit", "cut", "double", "zero"])
        if kind == "flip":
            data[at : at + 1] = bytes([data[at] ^ 1 << chance.randrange(8)])
        elif kind == "digit":
            data[at : at + 1] = str(chance.randrange(10)).encode()
        elif kind == "cut":
            del data[at : at + chance.randrange(20)]
        elif kind == "double":
            data[at:at] = data[at : at + chance.randrange(50)]
        else:
            data[at : at + 8] = bytes(8)
    return bytes(data)


def _mutate_columns(data, chance):
    count = len(data) // CHUNK_BYTES
    offsets = np.frombuffer(data, "<u8", count).copy()
    rest = np.frombuffer(data, "<u4", 2 * count, 8 * count).copy()
    for _ in range(chance.choice([1, 1, 3, 20])):
        column = chance.choice([offsets, rest[:count], rest[count:]])
        one, other = chance.randrange(count), chance.randrange(count)
        most = (1 << 8 * column.itemsize) - 1
        was = int(column[one])
        how = chance.randrange(4)
        if how == 0:
            column[[one, other]] = column[[other, one]]
        else:
            bit = 1 << chance.randrange(8 * column.itemsize)
            near = [was + 1, was - 1, was ^ bit, 0, most, most - 1, *NUMBERS]
            column[one] = chance.choice(near) & most
    return offsets.tobytes() + rest.tobytes()


class Harness:
    """One granule, its right index and its values."""

    def __init__(self, folder: Path, granule: Path, keywords: dict[str, Any]) -> None:
        self._options = {"engine": "icesat2", **keywords}
        self._granule = granule
        self._cache, self._file = folder / "cache", folder / "campaign.idx"
        with xr.open_dataset(granule, index_cache=self._cache, **self._options) as ds:
            self._right = ds.load()
        (self._entry,) = self._cache.glob("*.index")
        self._packed = Packed.of(self._entry.read_bytes())
        # Of what has a URL, the version in a file of indexes is believed when it is opened.
        self._url = f"memory://{folder.name}/{granule.name}"
        fsspec.filesystem("memory").pipe(self._url, granule.read_bytes())
        with xr.open_dataset(self._url, **self._options) as ds:
            save_indexes(self._file, ds.load())
            self._right_from_afar = ds
        self._whole = self._file.read_bytes()
        version = open_source(self._url).file_version()
        self._version = self._url, version.size, version.tag

    def check(self, seed: int, verdict: Verdict) -> None:
        """Open with a mutation."""
        chance = random.Random(seed)
        if seed % 5 == 4:
            self._file.write_bytes(mutated_file(self._whole, chance))
            self._outcome(seed, self._url, self._file, verdict)
            return
        sealed = mutated(self._packed, chance).sealed()
        self._file.write_bytes(joined(sealed, *self._version))
        self._outcome(seed, self._url, self._file, verdict)
        self._entry.write_bytes(sealed)
        self._outcome(seed, self._granule, self._cache, verdict)

    def _outcome(self, seed, granule, index_cache, verdict) -> None:
        right = self._right_from_afar if granule == self._url else self._right
        began = time.process_time()
        try:
            with xr.open_dataset(granule, index_cache=index_cache, **self._options) as ds:
                values = ds.load()
        except ICESat2Error as error:
            outcome = type(error).__name__
        except BaseException:  # noqa: BLE001 - which one it was is the fault
            outcome = "fault"
            verdict.faults.append(f"seed {seed}, {index_cache.name}: {traceback.format_exc()}")
        else:
            outcome = "right" if values.identical(right) else "other attributes"
            outcome = outcome if values.equals(right) else "other values"
        if (seconds := time.process_time() - began) > SECONDS:
            verdict.faults.append(f"seed {seed}, {index_cache.name}: took {seconds:.1f} s")
        verdict.outcomes[f"{index_cache.suffix or 'directory'} {outcome}"] += 1


def check(seeds: list[int], real: Mapping[Path, dict[str, Any]]) -> Verdict:
    """Check in this process, within limits of memory; each seed with one of the granules."""
    logging.getLogger("xr_icesat2").setLevel(logging.CRITICAL)
    verdict = Verdict()
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base)
        made = write_granule(folder, n_segments=30, chunk_rows=10, beams=("gt1l", "gt2r"))
        harnesses = []
        for granule, keywords in {made: SYNTHETIC, **real}.items():
            own = folder / str(len(harnesses))
            own.mkdir()
            harnesses.append(Harness(own, granule, keywords))
        _limit_memory()
        for seed in seeds:
            harnesses[seed // 5 % len(harnesses)].check(seed, verdict)
    return verdict


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", nargs="*", help="such as 17 or 400-450")
    parser.add_argument("--all", action="store_true", help=f"all {MUTATIONS}")
    arguments = parser.parse_args()
    asked = list(range(MUTATIONS)) if arguments.all else seed_numbers(arguments.seeds)
    here = {GRANULES / name: keywords for name, keywords in REAL.items()}
    here = {path: keywords for path, keywords in here.items() if path.exists()}
    result = check(asked, here)
    print(*result.faults, result, sep="\n")  # noqa: T201
    misled = sum(count for what, count in result.outcomes.items() if what.endswith("other values"))
    sys.exit(bool(result.faults) or misled > MISLED * sum(result.outcomes.values()))
