"""Damaged granules: what h5py reads is read alike or refused by name, and nothing else happens.

All mutations, on all cores but slowly (half an hour on two)::

    python -m tests.hostile --all

or some: ``python -m tests.hostile 17 18 400-450``. A line is printed for each disagreement, with
its seed, and a summary at the end; the exit code says whether there was any.
"""

import argparse
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.hostile_facts import REFUSED, Facts, without_supplied
from tests.hostile_features import SECRETS, feature_files, found_files
from tests.hostile_mutations import MUTATIONS, Mutation, mutation, seed_numbers
from tests.hostile_worker import SECONDS, Worker

FAULTS_SHOWN = 3  # of one mutation
LEAST_SHARE = 0.98  # of the values that h5py reads


@dataclass
class Verdict:
    """How the readings of one or more mutations agree."""

    same: Counter[str] = field(default_factory=Counter)
    """Facts of each sort that h5py reads and we give."""
    lost: Counter[str] = field(default_factory=Counter)
    """Facts of each sort that h5py reads and we refuse."""
    wrong: list[str] = field(default_factory=list)
    """What must not happen, each with its seed."""

    def add(self, other: "Verdict") -> None:
        """Take in the verdict on other mutations."""
        self.same += other.same
        self.lost += other.lost
        self.wrong += other.wrong

    def share(self, sort: str) -> float:
        """How much of what h5py reads is given; all, if that is nothing."""
        given, lost = self.same[sort], self.lost[sort]
        return given / (given + lost) if given + lost else 1.0

    def __str__(self) -> str:
        shares = ", ".join(
            f"{sort} {self.share(sort):.2%} of {self.same[sort] + self.lost[sort]}"
            for sort in ("value", "names", "attrs", "attr")
        )
        return f"given of what h5py reads: {shares}; {len(self.wrong)} faults"


def judge(seed: int, undamaged: Facts, h5py: Facts, ours: Facts) -> Verdict:
    """Compare what h5py and the engine read of one damaged file."""
    verdict = Verdict()
    ours = _alike(without_supplied(without_supplied(ours, h5py), undamaged), h5py)
    h5py = {key: fact for key, fact in h5py.items() if not key.startswith("readable ")}
    for key in sorted(undamaged.keys() | h5py.keys() | ours.keys()):
        sort, path = key.split(" ", 1)
        theirs, mine = h5py.get(key, REFUSED), ours.get(key, REFUSED)
        if theirs != REFUSED and mine == theirs:
            verdict.same[sort] += 1
        elif theirs != REFUSED and mine == REFUSED:
            verdict.lost[sort] += 1
        elif mine not in (REFUSED, undamaged.get(key)) or theirs != REFUSED:
            verdict.wrong.append(f"seed {seed}: {sort} of {path}: h5py {theirs}, we {mine}")
    return verdict


def _alike(ours: Facts, theirs: Facts) -> Facts:
    """Take names for the same that differ by what cannot be read alone."""
    facts = {key: fact for key, fact in ours.items() if not key.startswith("sound ")}
    for key, fact in theirs.items():
        sort, path = key.split(" ", 1)
        if sort == "readable" and ours.get(f"attrs {path}") == fact:
            facts[f"attrs {path}"] = theirs[f"attrs {path}"]
        if sort == "names" and fact in ours.get(f"sound {path}", "").split("|"):
            facts[key] = fact
    return facts


class Harness:
    """Two workers, and what h5py reads of the undamaged files."""

    def __init__(self, directory: Path, warm_up: Path) -> None:
        self._directory = directory
        self._h5py = Worker("h5py", warm_up)
        self._engine = Worker("engine", warm_up)
        self._undamaged: dict[Path, Facts] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._h5py.close()
        self._engine.close()

    def check(self, mutations: Iterable[Mutation]) -> Verdict:
        """Read damaged files with both and compare."""
        verdict = Verdict()
        for damaged in mutations:
            verdict.add(self._check(damaged))
        return verdict

    def _check(self, damaged: Mutation) -> Verdict:
        path = self._directory / f"{damaged.seed}_{damaged.path.name}"
        path.write_bytes(damaged.apply(damaged.path.read_bytes()))
        undamaged = self._facts_undamaged(damaged)
        self._engine.send(path, damaged.path)
        self._h5py.send(path, damaged.path)
        ours, theirs = self._engine.receive(), self._h5py.receive()
        path.unlink()
        if "error" in ours:
            return Verdict(wrong=[f"seed {damaged.seed}: {ours['error']}"])
        if "error" in theirs:  # libhdf5 crashed: what it would read is not to be known
            return Verdict()
        verdict = judge(damaged.seed, undamaged, theirs["facts"], ours["facts"])
        for where, fact in ours["facts"].items():
            if fact in SECRETS:
                verdict.wrong.append(f"seed {damaged.seed}: {where} is of another file")
        if ours["seconds"] > SECONDS:
            verdict.wrong.append(f"seed {damaged.seed}: took {ours['seconds']:.1f} s")
        return verdict

    def _facts_undamaged(self, damaged: Mutation) -> Facts:
        if damaged.path not in self._undamaged:
            self._h5py.send(damaged.path, damaged.path)
            self._undamaged[damaged.path] = self._h5py.receive().get("facts", {})
        return self._undamaged[damaged.path]


def check_all(mutations: list[Mutation]) -> Verdict:
    """Check on all cores, printing faults as they are found."""
    total = Verdict()
    cores = os.cpu_count() or 1

    def share(number: int) -> None:
        warm_up = mutation(0).path
        with (
            tempfile.TemporaryDirectory() as directory,
            Harness(Path(directory), warm_up) as harness,
        ):
            for damaged in mutations[number::cores]:
                verdict = harness.check([damaged])
                total.add(verdict)
                for fault in verdict.wrong[:FAULTS_SHOWN]:
                    print(damaged.path.name, damaged.kind, fault, flush=True)  # noqa: T201

    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(share, range(cores)))
    return total


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", nargs="*", help="such as 17 or 400-450")
    parser.add_argument("--all", action="store_true", help=f"all {MUTATIONS}, and --features")
    parser.add_argument(
        "--features", action="store_true", help="files with unusual features, whole and damaged"
    )
    arguments = parser.parse_args()
    result = check_all(
        list(map(mutation, range(MUTATIONS) if arguments.all else seed_numbers(arguments.seeds)))
    )
    print(result)  # noqa: T201
    features = Verdict()
    if arguments.all or arguments.features:
        with tempfile.TemporaryDirectory() as directory:
            features = check_all([*feature_files(Path(directory)), *found_files()])
        print("files with unusual features:", features)  # noqa: T201
    sys.exit(bool(result.wrong + features.wrong) or (result.share("value") < LEAST_SHARE))
