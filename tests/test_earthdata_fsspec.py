"""fsspec's own test suite for filesystems, as far as a read-only one can pass it."""

from fsspec.tests.abstract import AbstractFixtures
from fsspec.tests.abstract.get import AbstractGetTests
from pytest import fixture  # noqa: PT013 - the classes below override fixtures by name

from xr_icesat2.earthdata.filesystem import ICESat2FileSystem

ROOT = "ATL11/007"


class Renamed(ICESat2FileSystem):
    """``icesat2://`` with short names for granules: fsspec's tests call files what they like.

    Writes are sent to the stand-in.
    """

    protocol = "renamed"
    cachable = False

    def __init__(self, service, **options):
        super().__init__(access="external", **options)
        self.service = service
        self.names = {}

    def to_true(self, path):
        return "/".join(
            self.names.get(part, part) for part in self._strip_protocol(path).split("/")
        )

    def to_short(self, path):
        short = {true: name for name, true in self.names.items()}
        return "/".join(short.get(part, part) for part in path.split("/"))

    def entry(self, entry):
        return {**entry, "name": self.to_short(entry["name"])}

    async def _info(self, path, **options):
        return self.entry(await super()._info(self.to_true(path), **options))

    async def _isfile(self, path):
        return await super()._isfile(self.to_true(path))

    async def _isdir(self, path):
        return await super()._isdir(self.to_true(path))

    async def _find(self, path, maxdepth=None, withdirs=False, **options):
        detail = options.pop("detail", False)
        found = await super()._find(self.to_true(path), maxdepth, withdirs, detail=True)
        entries = sorted(map(self.entry, found.values()), key=lambda entry: entry["name"])
        found = {entry["name"]: entry for entry in entries}
        return found if detail else list(found)

    async def _ls(self, path, detail=True, **options):
        entries = [self.entry(entry) for entry in await super()._ls(self.to_true(path), True)]
        return entries if detail else [entry["name"] for entry in entries]

    async def _get_file(self, rpath, lpath, **options):
        await super()._get_file(self.to_true(rpath), lpath, **options)

    def pipe(self, path, value):
        folder, _, name = path.rpartition("/")
        true = self.names.setdefault(name, f"ATL11_{len(self.names) + 1:04d}01_0102_007_01.h5")
        self.service.put(true, value, key=f"{folder}/{true}")

    def touch(self, path):
        self.pipe(path, b"")

    def mkdir(self, path, create_parents=True):
        """Folders come with their files."""

    def makedirs(self, path, exist_ok=False):
        """Folders come with their files."""

    def rm(self, path, recursive=False):
        """The stand-in is emptied anyway."""


class TestGet(AbstractFixtures, AbstractGetTests):
    @fixture
    def fs(self, logged_in):
        return Renamed(logged_in)

    @fixture
    def fs_join(self):
        return lambda *parts: "/".join(parts)

    @fixture
    def fs_path(self):
        return ROOT

    @fixture
    def supports_empty_directories(self):
        return False
