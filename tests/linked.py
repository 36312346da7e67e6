"""Local files as if they lay at the end of a link: what is asked for is counted."""

from pathlib import Path

from xr_icesat2.bytesource import CountingSource, Look, open_source
from xr_icesat2.bytesource.cost import Cost


class _Linked(CountingSource):
    """A counted source that says what a link costs, whatever its own does."""

    def __init__(self, path: Path, cost: Cost) -> None:
        super().__init__(open_source(path))
        self._cost = cost

    @property
    def cost(self) -> Cost:
        return self._cost

    def look(self, first: int, last: int) -> Look:
        stamp = self.stamp()
        spans = [(0, min(first, stamp.size)), (max(0, stamp.size - last), min(last, stamp.size))]
        spans = [span for span in spans if span[1]]
        pieces = self.source.read(spans)
        self.log += spans
        return Look(stamp, {at: piece for (at, _), piece in zip(spans, pieces, strict=True)})


def linked(path: Path, cost: Cost) -> CountingSource:
    """Give a source of a file that costs what is said."""
    return _Linked(path, cost)
