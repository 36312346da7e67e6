"""One measurement in a process of its own.

The process imports its reader and reads a small granule without a simulated link before it
measures.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
import time
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.links import UNSHAPED, Link
from benchmarks.oracle import WrongAnswerError, check_opened, check_values
from benchmarks.peers import load_peer
from benchmarks.peers.peer import Peer
from benchmarks.server import counts, set_link
from benchmarks.task import Opened, Task, Values

__all__ = ["main", "measured"]


def measured(
    name: str, task: Task, warm_up: Task, link: Link, limit: float, tell: Any
) -> dict[str, Any]:
    """Measure one reader with one task.

    Returns
    -------
    dict
        ``why`` if there is no answer, else ``seconds``, ``cpu``, ``peak`` (additional bytes
        of resident memory), ``nbytes`` (of the requested values) and, on S3, the counts of
        the link.
    """
    try:
        peer = load_peer(name)
        if task.endpoint:
            set_link(task.endpoint, UNSHAPED)
        peer.prepare(warm_up)
        _do(peer, warm_up)
        peer.prepare(task)
        numbers, answer = _timed(peer, task, link, limit, tell)
    except Exception as error:  # noqa: BLE001 - any failure of a reader is its result
        return {"why": f"fails: {type(error).__name__}: {_short(error)}"}
    try:
        numbers["nbytes"] = _checked(task, answer)
    except WrongAnswerError as error:
        return {**numbers, "why": f"wrong: {error}"}
    return numbers


def _timed(
    peer: Peer, task: Task, link: Link, limit: float, tell: Any
) -> tuple[dict[str, Any], Opened | Values]:
    gc.collect()
    if task.endpoint:
        set_link(task.endpoint, link)
    _reset_peak()
    before = _status("VmRSS")
    watch = threading.Timer(limit, _give_up, [limit, tell])
    watch.daemon = True
    watch.start()
    cpu, begin = _cpu(), time.perf_counter()
    answer = _do(peer, task)
    seconds, cpu = time.perf_counter() - begin, _cpu() - cpu
    watch.cancel()
    if seconds > limit:  # the timer was slightly late
        _give_up(limit, tell)
    peak = max(0, _status("VmHWM") - before)
    numbers = {"seconds": seconds, "cpu": cpu, "peak": peak}
    return numbers | (counts(task.endpoint) if task.endpoint else {}), answer


def _give_up(limit: float, tell: Any) -> None:
    tell({"why": f"> {limit:g} s", "over": True})
    os._exit(0)


def _do(peer: Peer, task: Task) -> Opened | Values:
    return peer.read(task) if task.does == "read" else peer.open(task)


def _checked(task: Task, answer: Opened | Values) -> int:
    if isinstance(answer, Opened):
        return check_opened(task, answer)
    return check_values(task, answer)


def _cpu() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _bound_memory() -> None:
    """Let a reader fail that needs more memory than the machine has."""
    if sys.platform == "linux":
        import resource  # noqa: PLC0415 - not everywhere

        most = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 3 // 4
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _status(name: str) -> int:
    """Return a size from /proc/self/status in bytes; 0 where there is none."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith(name)), 0)


def _reset_peak() -> None:
    path = Path("/proc/self/clear_refs")
    if path.exists():
        path.write_text("5", encoding="ascii")


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def main() -> None:
    """Read an order from standard input, and write the result to its file."""
    order: Mapping[str, Any] = json.load(sys.stdin)
    result = Path(order["result"])

    def tell(numbers: Mapping[str, Any]) -> None:
        unfinished = result.with_suffix(".part")
        unfinished.write_text(json.dumps(numbers), encoding="utf-8")
        unfinished.replace(result)

    warnings.simplefilter("ignore")
    _bound_memory()
    task, warm_up = Task.from_json(order["task"]), Task.from_json(order["warm_up"])
    # Both share one folder of indexes.
    warm_up = replace(warm_up, scratch=task.scratch)
    tell(measured(order["peer"], task, warm_up, Link(**order["link"]), order["limit"], tell))
    sys.stdout.flush()
    os._exit(0)  # do not wait for threads of the reader


if __name__ == "__main__":
    main()
