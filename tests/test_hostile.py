"""Damaged granules, some of those that ``python -m tests.hostile --all`` reads."""

import json
import os

import pytest

from tests.hostile import Harness, Verdict, judge
from tests.hostile_engine import by_engine
from tests.hostile_facts import REFUSED
from tests.hostile_h5py import by_h5py
from tests.hostile_mutations import FILES, KINDS, MUTATIONS, mutation, mutation_of
from tests.hostile_tiny import write_tiny
from tests.hostile_worker import Worker
from tests.paths import granule, needs_granules

SEEDS = range(40, 100)
"""Of 2,000. ``make hostile`` reads all."""
BATCH = 10
SHARE = 0.95


@pytest.fixture(scope="session")
def harness(tmp_path_factory):
    directory = tmp_path_factory.mktemp("hostile")
    with Harness(directory, write_tiny(directory / "warm_up.h5", "earliest")) as harness:
        yield harness


@pytest.fixture(scope="session")
def verdicts(tmp_path_factory):
    """A directory that all processes of this test run share."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    (shared / "verdicts").mkdir(exist_ok=True)
    return shared / "verdicts"


@needs_granules
@pytest.mark.parametrize("first", SEEDS[::BATCH])
def test_damage_is_read_as_h5py_does_or_refused_by_name(harness, verdicts, first):
    verdict = harness.check(map(mutation, range(first, first + BATCH)))
    assert not verdict.wrong, "\n".join(verdict.wrong)
    counts = [verdict.same["value"], verdict.lost["value"]]
    written = verdicts / f"{first}.part"
    written.write_text(json.dumps(counts))
    written.rename(written.with_suffix(".json"))
    every = list(verdicts.glob("*.json"))
    if len(every) == len(SEEDS) // BATCH:  # the last of them looks at all
        same, lost = map(sum, zip(*(json.loads(one.read_text()) for one in every), strict=True))
        assert same / (same + lost) >= SHARE


@pytest.mark.parametrize("libver", ["earliest", ("v108", "v108")], ids=["old", "new"])
def test_damage_to_a_tiny_file(harness, tmp_path, libver):
    path = write_tiny(tmp_path / "tiny.h5", libver)
    verdict = harness.check(mutation_of(path, seed) for seed in range(60))
    assert not verdict.wrong, "\n".join(verdict.wrong)
    assert verdict.share("value") > 0.9


@needs_granules
@pytest.mark.parametrize("name", FILES)
def test_undamaged_files_are_read_alike(name):
    theirs = by_h5py(granule(name), granule(name))
    assert by_engine(granule(name)) == theirs
    assert REFUSED not in theirs.values()
    assert len(theirs) > 200


@needs_granules
def test_mutations_follow_from_their_seed_and_are_of_every_kind():
    every = [mutation(seed) for seed in range(MUTATIONS)]
    assert {(m.path.name, m.kind) for m in every} == {(n, k) for n in FILES for k in KINDS}
    content = {name: granule(name).read_bytes() for name in FILES}
    for damaged in every[:20]:
        once, again = (damaged.apply(content[damaged.path.name]) for _ in range(2))
        assert once == again
        assert len(once) <= len(content[damaged.path.name])


WAS = {"value /a": "f4 1", "value /b": "f4 2", "names /": "a b"}


@pytest.mark.parametrize(
    ("h5py", "ours", "faults"),
    [
        (WAS, WAS, 0),
        ({**WAS, "value /a": "f4 9"}, {**WAS, "value /a": "f4 9"}, 0),
        ({**WAS, "value /a": "f4 9"}, {**WAS, "value /a": REFUSED}, 0),
        ({**WAS, "value /a": "f4 9"}, WAS, 1),
        ({**WAS, "value /a": REFUSED}, WAS, 0),
        ({}, WAS, 0),
        ({}, {**WAS, "value /a": "f4 9"}, 1),
        (WAS, {**WAS, "value /c": "f4 9"}, 1),
        (WAS, {}, 0),
    ],
)
def test_the_judge(h5py, ours, faults):
    verdict = judge(7, WAS, h5py, ours)
    assert len(verdict.wrong) == faults
    assert all(fault.startswith("seed 7: value of /") for fault in verdict.wrong)
    both = Verdict()
    both.add(verdict)
    assert both == verdict


@needs_granules
def test_a_worker_that_dies_is_replaced(tmp_path):
    worker = Worker("h5py", granule(FILES[2]))
    worker.send(granule(FILES[2]), granule(FILES[2]))
    first = worker.receive()
    worker.process.kill()
    worker.process.wait()
    worker.send(granule(FILES[2]), granule(FILES[2]))
    assert worker.receive()["facts"] == first["facts"]
    worker.close()
