"""One name has one meaning in the package, and every public name is documented."""

import ast
from collections import defaultdict
from pathlib import Path

import xr_icesat2

PACKAGE = Path(xr_icesat2.__file__).parent
INTERFACES = {"add_parser", "LAYOUT"}
"""Each subcommand of the command line interface defines the first, each layout the second."""


def defined_names(path: Path) -> set[str]:
    """Return the public classes and functions of a module, and the other names that it exports."""
    defined, exported, assigned = set(), set(), set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            defined.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = {target.id for target in targets if isinstance(target, ast.Name)}
            if names == {"__all__"}:
                exported = set(ast.literal_eval(node.value))
            assigned |= names
    return {name for name in defined if not name.startswith("_")} | (assigned & exported)


def test_every_public_name_is_defined_once():
    modules = defaultdict(list)
    for path in sorted(PACKAGE.rglob("*.py")):
        for name in defined_names(path) - INTERFACES:
            modules[name].append(path.relative_to(PACKAGE).as_posix())
    assert {name: found for name, found in modules.items() if len(found) > 1} == {}


def test_every_public_name_of_the_package_is_documented():
    page = (PACKAGE.parent / "docs" / "api.md").read_text(encoding="utf-8")
    public = {name for name in xr_icesat2.__all__ if not name.startswith("_")}
    assert {name for name in public if f"xr_icesat2.{name}" not in page} == set()
    assert public <= set(dir(xr_icesat2))
