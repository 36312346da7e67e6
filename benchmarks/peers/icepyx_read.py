"""icepyx' Read, on local files."""

from __future__ import annotations

import warnings
from typing import Any

import icepyx
import numpy as np

from benchmarks.peers.peer import Peer, each_file
from benchmarks.task import Task, Values

__all__ = ["Read"]


class Read(Peer):
    """Its dataset of all beams."""

    title = "icepyx `Read`"
    remote = False
    opens = False

    def cannot(self, task: Task) -> str | None:
        """Say what its merge cannot."""
        if task.everything:
            return "merges whole groups no better than variable by variable: hours"
        return super().cannot(task)

    def read(self, task: Task) -> Values:
        """Load, and take apart."""

        def one(url: str) -> dict[str, np.ndarray]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                reader = icepyx.Read(url)
                names = [name.rpartition("/")[2] for name in task.variables]
                reader.vars.append(beam_list=list(task.beams), var_list=names)
                return dict(_apart(reader.load(), task))

        return each_file(task, one)


def _apart(ds: Any, task: Task) -> Any:
    raise NotImplementedError(repr(ds))
