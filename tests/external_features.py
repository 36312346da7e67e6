"""Files that lead out of themselves, in any combination: storage, links, sources, plugins."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from tests.observed_reader import SECRET

CANARY_RAW, CANARY_H5, PLUGINS = "canary.raw", "canary.h5", "canary_plugins"
ROWS = 4


def make_canaries(directory: Path) -> None:
    """What nothing may open: raw bytes, an HDF5 file and a plugin."""
    secret = np.full(ROWS, SECRET, "i8")
    (directory / CANARY_RAW).write_bytes(secret.tobytes())
    with h5py.File(directory / CANARY_H5, "w") as file:
        file["secret"] = secret
        file["group/secret"] = secret
    plugins = directory / PLUGINS
    plugins.mkdir()
    (plugins / "libcanary.so").write_bytes(b"no library")


def make_file(path: Path, seed: int) -> None:
    """A file with some of the features, in an order, of a version, and behind a block of a user's.

    Names are those of the features, which show which of them was there.
    """
    rng = np.random.default_rng(seed)
    libver = ["earliest", ("v108", "latest"), "latest"][seed % 3]
    block = int(rng.choice([0, 0, 512, 1024]))
    with h5py.File(path, "w", libver=libver, userblock_size=block) as file:
        file["plain"] = np.arange(ROWS)
        group = file if rng.random() < 0.5 else file.create_group("deep/down")
        for name in rng.permutation(list(FEATURES)):
            if rng.random() < 0.7:
                FEATURES[name](group, name, path.parent)


def all_features(path: Path, libver: str, block: int, without: str = "") -> None:
    """A file with every feature, but for one."""
    with h5py.File(path, "w", libver=libver, userblock_size=block) as file:
        file["plain"] = np.arange(ROWS)
        for name, add in FEATURES.items():
            if name != without:
                add(file, name, path.parent)


def _raw(group: h5py.Group, name: str, there: Path, **more: object) -> h5py.Dataset:
    external = [(str(there / CANARY_RAW), 0, h5py.h5f.UNLIMITED)]
    return group.create_dataset(name, (ROWS,), "i8", external=external, **more)


def _relative_raw(group: h5py.Group, name: str, _: Path) -> None:
    group.create_dataset(name, (ROWS,), "i8", external=[(CANARY_RAW, 0, 8), (CANARY_RAW, 8, 24)])


def _labelled_raw(group: h5py.Group, name: str, there: Path) -> None:
    _raw(group, name, there).make_scale(name)
    group[f"{name}_by"] = np.arange(ROWS)
    group[f"{name}_by"].dims[0].attach_scale(group[name])
    group[f"{name}_by"].attrs["reference"] = group[name].ref
    group[f"{name}_by"].attrs["region"] = group[name].regionref[1:2]


def _link(group: h5py.Group, name: str, there: Path) -> None:
    group[name] = h5py.ExternalLink(str(there / CANARY_H5), "/secret")


def _link_to_group(group: h5py.Group, name: str, _: Path) -> None:
    group[name] = h5py.ExternalLink(CANARY_H5, "/group")
    group[f"{name}_soft"] = h5py.SoftLink(f"{group.name.rstrip('/')}/{name}/secret")
    group[f"{name}_softer"] = h5py.SoftLink(f"{name}_soft")
    group[f"{name}_roundabout"] = h5py.SoftLink(f".//{name}/./secret")


def _link_to_itself(group: h5py.Group, name: str, _: Path) -> None:
    group[name] = h5py.ExternalLink(Path(group.file.filename).name, "/plain")


def _soft_to_raw(group: h5py.Group, name: str, there: Path) -> None:
    _raw(group, f"{name}_hard", there)
    group[name] = h5py.SoftLink(f"{name}_hard")


def _virtual(
    group: h5py.Group, name: str, file: str, source: str, *, unlimited: bool = False
) -> None:
    """A virtual dataset whose source is not looked at when it is made."""
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    one = h5py.h5s.create_simple((ROWS,))
    space = h5py.h5s.create_simple((ROWS,), (h5py.h5s.UNLIMITED,)) if unlimited else one
    part = space.copy()
    if unlimited:
        part.select_hyperslab((0,), (h5py.h5s.UNLIMITED,), (ROWS,), (ROWS,))
    plist.set_virtual(part, file.encode(), source.encode(), one)
    h5py.h5d.create(group.id, name.encode(), h5py.h5t.NATIVE_INT64, space, plist)


def _virtual_elsewhere(group: h5py.Group, name: str, there: Path) -> None:
    _virtual(group, name, str(there / CANARY_H5), "/secret")
    _virtual(group, f"{name}_relative", CANARY_H5, "/secret")
    _virtual(group, f"{name}_numbered", str(there / "canary.h5%b"), "/secret", unlimited=True)


def _virtual_of_raw(group: h5py.Group, name: str, there: Path) -> None:
    _raw(group, f"{name}_raw", there)
    _virtual(group, name, ".", f"{group.name.rstrip('/')}/{name}_raw")
    _virtual(group, f"{name}_again", ".", f"{group.name.rstrip('/')}/{name}")


def _virtual_through_link(group: h5py.Group, name: str, _: Path) -> None:
    around = group.name.rstrip("/")
    group[f"{name}_link"] = h5py.ExternalLink(CANARY_H5, "/")
    group[f"{name}_soft"] = h5py.SoftLink(f"{around}/{name}_link")
    _virtual(group, name, ".", f"{around}/{name}_link/secret")
    _virtual(group, f"{name}_behind", ".", f"{around}/{name}_soft/secret")
    _virtual(group, f"{name}_again", ".", f"{around}/{name}_behind")


def _virtual_of_itself(group: h5py.Group, name: str, _: Path) -> None:
    around = group.name.rstrip("/")
    _virtual(group, name, ".", f"{around}/{name}")
    _virtual(group, f"{name}_one", ".", f"{around}/{name}_two")
    _virtual(group, f"{name}_two", ".", f"{around}/{name}_one")


def _plugin(group: h5py.Group, name: str, _: Path) -> None:
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((ROWS,))
    plist.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, ())
    space = h5py.h5s.create_simple((ROWS,))
    made = h5py.h5d.create(group.id, name.encode(), h5py.h5t.NATIVE_INT64, space, plist)
    made.write_direct_chunk((0,), bytes(8 * ROWS))


FEATURES: dict[str, Callable[[h5py.Group, str, Path], object]] = {
    "raw": _raw,
    "relative_raw": _relative_raw,
    "labelled_raw": _labelled_raw,
    "link": _link,
    "link_to_group": _link_to_group,
    "link_to_itself": _link_to_itself,
    "soft_to_raw": _soft_to_raw,
    "virtual_elsewhere": _virtual_elsewhere,
    "virtual_of_raw": _virtual_of_raw,
    "virtual_through_link": _virtual_through_link,
    "virtual_of_itself": _virtual_of_itself,
    "plugin": _plugin,
}
