"""The task of one measurement, as plain values for another process."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

__all__ = ["Does", "Opened", "Task", "Values"]

Does: TypeAlias = Literal["open", "read", "tree"]

Values: TypeAlias = Mapping[tuple[int, str], np.ndarray]
"""Arrays by the number of the file and the path of the dataset in it."""


@dataclass(frozen=True)
class Opened:
    """Result of opening and printing."""

    text: str
    names: frozenset[str]
    """Variables that a user can access; in a tree, their paths."""


@dataclass(frozen=True)
class Task:
    """One task, the same for every reader."""

    does: Does
    """``open`` prints the main group of all beams, ``tree`` the file; ``read`` reads values."""
    urls: tuple[str, ...]
    """Granules to read: S3 URLs or local paths."""
    files: tuple[str, ...]
    """The same granules on local disk, for unmeasured work."""
    group: str
    """Main group, below a beam."""
    beams: tuple[str, ...]
    variables: tuple[str, ...] = ()
    """Variables to read: paths below the main group."""
    everything: bool = False
    """Whether ``variables`` are all variables of the group."""
    rows: tuple[int, int] | None = None
    """First row and the one after the last, in each beam; None for all."""
    region: tuple[float, float, float, float] | None = None
    """West, south, east, north in degrees: photons of the 20 m segments in it are read."""
    endpoint: str | None = None
    """Endpoint of the S3 server; None for local files."""
    cached: bool = False
    """Whether the structure of the files was cached beforehand."""
    scratch: str = ""
    """Folder for caches of the reader."""

    @property
    def remote(self) -> bool:
        """Whether the granules are on S3."""
        return self.endpoint is not None

    @property
    def slice(self) -> slice:
        """Rows to read, as a slice."""
        return slice(None) if self.rows is None else slice(*self.rows)

    def paths(self) -> list[str]:
        """Return the paths of the datasets to read from each file."""
        return [f"{beam}/{self.group}/{name}" for beam in self.beams for name in self.variables]

    def groups(self) -> Iterator[tuple[str, list[str]]]:
        """Yield each group with variables to read, and their names in it."""
        names: dict[str, list[str]] = {}
        for path in self.paths():
            group, _, name = path.rpartition("/")
            names.setdefault(group, []).append(name)
        yield from names.items()

    def to_json(self) -> str:
        """Return text from which :meth:`from_json` restores the task."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Task:
        """Restore a task from its text."""
        fields: dict[str, Any] = json.loads(text)
        for name, value in fields.items():
            fields[name] = tuple(value) if isinstance(value, list) else value
        return cls(**fields)
