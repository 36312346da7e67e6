"""What one measurement is to do, as plain values that travel to a process of its own."""

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
"""What was read: by the number of the file and the path of the dataset in it."""


@dataclass(frozen=True)
class Opened:
    """What was opened and printed."""

    text: str
    names: frozenset[str]
    """Variables that a user can get from here; in a tree, their paths."""


@dataclass(frozen=True)
class Task:
    """One thing to do, the same for every way to do it."""

    does: Does
    """``open`` prints the main group of all beams, ``tree`` the whole file; ``read`` reads."""
    urls: tuple[str, ...]
    """Where the granules are to be read: S3 URLs or local paths."""
    files: tuple[str, ...]
    """The same granules on this machine's disk, for what is not measured."""
    group: str
    """Main group, below a beam."""
    beams: tuple[str, ...]
    variables: tuple[str, ...] = ()
    """What to read: paths below the main group."""
    everything: bool = False
    """Whether ``variables`` are all there are."""
    rows: tuple[int, int] | None = None
    """First row and the one after the last, in each beam; None for all."""
    endpoint: str | None = None
    """Of the S3 server; None for local files."""
    cached: bool = False
    """Whether what is known of a file's structure was kept from before."""
    scratch: str = ""
    """A folder for what a way keeps."""

    @property
    def remote(self) -> bool:
        """Whether the granules lie on S3."""
        return self.endpoint is not None

    @property
    def slice(self) -> slice:
        """The rows, to index with."""
        return slice(None) if self.rows is None else slice(*self.rows)

    def paths(self) -> list[str]:
        """Give the datasets to read of each file, by their paths in it."""
        return [f"{beam}/{self.group}/{name}" for beam in self.beams for name in self.variables]

    def groups(self) -> Iterator[tuple[str, list[str]]]:
        """Give each group that holds some of the variables, with their names in it."""
        held: dict[str, list[str]] = {}
        for path in self.paths():
            group, _, name = path.rpartition("/")
            held.setdefault(group, []).append(name)
        yield from held.items()

    def to_json(self) -> str:
        """Text from which :meth:`from_json` makes the same task."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Task:
        """Make a task of its text."""
        fields: dict[str, Any] = json.loads(text)
        for name, value in fields.items():
            fields[name] = tuple(value) if isinstance(value, list) else value
        return cls(**fields)
