"""Each promise of docs/security.md names existing tests."""

import ast
import re
from pathlib import Path

PROJECT = Path(__file__).parents[1]
PAGE = PROJECT / "docs" / "security.md"
NAMED = re.compile(r"`(tests/\w+\.py)?(?:::([A-Z]\w+))?(?:::(test_\w+))?`")


def names_in(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)}


def test_every_promise_names_existing_tests():
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    promises = [row for row in rows if not row.startswith(("| promise", "|---"))]
    assert len(promises) > 15
    for promise in promises:
        named = [found for found in NAMED.findall(promise.split(" | ")[-1]) if any(found)]
        assert named, promise
        path = None
        for module, *inside in named:
            path = PROJECT / module if module else path
            assert path.is_file(), promise
            assert set(filter(None, inside)) <= names_in(path), promise
