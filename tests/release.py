"""The release: what sdist and wheel hold, and that the wheel works in an environment of its own.

``make release-check`` builds both in ``dist/`` and runs ``python -m tests.release dist``.
Dependencies are installed from the package index, so ``make test`` does not run it.
"""

import subprocess
import sys
import tarfile
import tempfile
import tomllib
import venv
import zipfile
from pathlib import Path

PROJECT = Path(__file__).parents[1]
ADDED_BY_HATCHLING = {".gitignore", "PKG-INFO", "pyproject.toml"}
KINDS_IN_WHEEL = {".py", ".tsv", ".typed"}

# Runs in the new environment, in an empty folder; h5py is the oracle.
OPEN_A_GRANULE = """
import h5py, numpy as np, xarray as xr
import xr_icesat2
from xr_icesat2.testing import write_granule

assert "site-packages" in xr_icesat2.__file__, xr_icesat2.__file__
path = write_granule(".")
with xr.open_dataset(path, engine="icesat2") as ds, h5py.File(path) as file:
    strong = ds.isel(gran_idx=0).sel(spot=1)
    stored = file[f"{strong.gt.item()}/land_ice_segments/h_li"]
    raw = stored[:]
    expected = np.where(raw == stored.fillvalue, np.nan, raw)
    np.testing.assert_array_equal(strong.h_li.values[: raw.size], expected)
with xr.open_datatree(path, engine="icesat2") as tree:
    assert "land_ice_segments" in tree.children
assert len(xr_icesat2.products) > 0
print(xr_icesat2.__version__)
"""


def main(dist: Path) -> None:
    """Check the one sdist and the one wheel of a folder."""
    (sdist,) = dist.glob("*.tar.gz")
    (wheel,) = dist.glob("*.whl")
    check_sdist(sdist)
    check_wheel(wheel)
    check_installed(wheel.resolve())
    print(f"{sdist.name} and {wheel.name} hold what they should, and the wheel opens a granule")


def check_sdist(sdist: Path) -> None:
    """Raise unless the top level is what pyproject.toml lists, and no file is a left-over."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = project["tool"]["hatch"]["build"]["targets"]["sdist"]["only-include"]
    expected = {*listed, *ADDED_BY_HATCHLING}
    with tarfile.open(sdist) as archive:
        names = [Path(*Path(name).parts[1:]) for name in archive.getnames()]
    top = {path.parts[0] for path in names}
    assert top == expected, f"missing {expected - top}, superfluous {top - expected}"
    left_over = [path for path in names if path.suffix in {".pyc", ".h5", ".nc"}]
    assert not left_over, left_over


def check_wheel(wheel: Path) -> None:
    """Raise unless it contains the package, its tables and metadata, and nothing else."""
    with zipfile.ZipFile(wheel) as archive:
        names = [Path(name) for name in archive.namelist()]
    package = [path for path in names if path.parts[0] == "xr_icesat2"]
    metadata = [path for path in names if path.parts[0].endswith(".dist-info")]
    assert len(package) + len(metadata) == len(names), set(names) - {*package, *metadata}
    assert {path.suffix for path in package} == KINDS_IN_WHEEL
    assert "LICENSE" in {path.name for path in metadata}


def check_installed(wheel: Path) -> None:
    """Install the wheel alone in a new environment, and open a granule there."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        venv.create(place / "env", with_pip=True)
        scripts = place / "env" / ("Scripts" if sys.platform == "win32" else "bin")
        python = scripts / "python"
        empty = place / "empty"
        empty.mkdir()

        def run(*command: str | Path) -> str:
            # -I and an empty folder: the package is that of the environment.
            done = subprocess.run(  # noqa: S603 - our own commands
                [str(part) for part in command],
                cwd=empty,
                check=False,
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout

        run(python, "-I", "-m", "pip", "install", "--quiet", wheel)
        version = run(python, "-I", "-W", "error", "-c", OPEN_A_GRANULE).strip()
        assert f"-{version}-" in wheel.name
        assert run(scripts / "icesat2", "--version").strip() == version
        (granule,) = empty.glob("*.h5")
        assert "/land_ice_segments" in run(scripts / "icesat2", "info", granule)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
