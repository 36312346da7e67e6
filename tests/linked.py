"""Local files as if they lay at the end of a link: what is asked for is counted."""

from pathlib import Path

from xr_icesat2.bytesource import CountingSource, open_source
from xr_icesat2.bytesource.cost import Cost


class _Linked(CountingSource):
    """A counted source that says what a link costs, whatever its own does."""

    def __init__(self, path: Path, cost: Cost) -> None:
        super().__init__(open_source(path))
        self._cost = cost

    @property
    def cost(self) -> Cost:
        return self._cost


def linked(path: Path, cost: Cost) -> CountingSource:
    """Give a source of a file that costs what is said."""
    return _Linked(path, cost)
