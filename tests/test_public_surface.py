"""Tests use the public surface, so that they survive a refactoring.

Parts of the package are imported where a pure part is the thing under test: a parser, a plan, a
codec. ``PARTS`` lists those tests. No other test imports, patches or looks into the package.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PUBLIC = {
    "xr_icesat2",
    "xr_icesat2.backend",
    "xr_icesat2.cli.main",
    "xr_icesat2.errors",
    "xr_icesat2.index_saving",
    "xr_icesat2.links",
    "xr_icesat2.products",
    "xr_icesat2.region",
    "xr_icesat2.testing",
}
"""What users import, and the entry points of xarray and of the command."""
PARTS = {
    # Helpers: sources that count, indexes next to files, products and an archive made up.
    "counted_link": "bytesource",
    "earthdata/fixtures": "earthdata",
    "earthdata/records": "granule",
    "earthdata/standin": "earthdata granule",
    "hdf5_files": "bytesource hdf5",
    "hostile_indexes": "bytesource index_cache",
    "made_up_product": "testing",
    "strategies": "reading",
    "typed_use": "accessor plotting products",
    # Packages of extras.
    "test_extras": "extras",
    # Byte sources: each kind, requests, retries, errors.
    "test_byte_budget": "bytesource",
    "test_bytesource": "bytesource granule hdf5 thread_pools",
    "test_obstore": "bytesource",
    "test_server_faults": "bytesource",
    "test_waiting_warning": "bytesource",
    # The structure of an HDF5 file: parsers, filters, pages, indexes and their codec.
    "test_filters": "hdf5",
    "test_hdf5_features": "bytesource hdf5 index_cache",
    "test_index_cache": "bytesource granule hdf5 index_cache",
    "test_index_codec": "bytesource granule hdf5 index_cache",
    "test_index_registry": "bytesource granule hdf5 limits",
    "test_loops_in_structures": "hdf5",
    "test_page_cache": "bytesource hdf5",
    "test_parser_driver": "hdf5",
    "test_process_exit": "bytesource hdf5",
    "test_shared_files": "index_cache safe_files",
    # Granules and products: names, beams, identity, numbers, tables.
    "test_beams": "granule",
    "test_combine": "granule reading",
    "test_granule_name": "granule",
    "test_identity": "granule",
    "test_new_product": "earthdata granule",
    "test_product_contents": "products",
    "test_tree_products": "products",
    "test_unmerged_products": "bytesource",
    "test_variable_names": "assembly products",
    # From a selection to values: plan, coalesce, decode; from rows of one rate to another's.
    "test_array_parts": "reading",
    "test_selected_rows": "reading",
    "test_coalesce": "reading",
    "test_flat_coordinates": "assembly",
    "test_lazy_index": "bytesource reading",
    "test_plan": "hdf5 reading",
    "test_prefetch": "assembly",
    "test_products": "assembly",
    "test_resolve_request": "bytesource",
    "test_reference_track": "granule testing",
    "test_row_ranges": "links",
    "test_track_prediction": "assembly granule region testing",
    "test_selection": "reading",
    "test_time_attributes": "reading",
    "test_time_decoding": "reading",
    # The cost of requests on a link that is computed, and what is parsed.
    "test_attach": "bytesource",
    "test_memory": "bytesource",
    "test_region_requests": "bytesource",
    "test_requests": "bytesource granule index_cache",
    "test_round_trips": "bytesource",
    # NASA's archive: parameters of a search, footprints, checksums, renewal.
    "test_download": "earthdata",
    "test_earthdata_credentials": "bytesource earthdata",
    "test_earthdata_faults": "bytesource earthdata",
    "test_earthdata_filesystem": "bytesource",
    "test_earthdata_fsspec": "earthdata",
    "test_earthdata_parts": "earthdata",
    "test_earthdata_standin": "earthdata",
    "test_footprints": "earthdata",
    "test_search_parameters": "earthdata granule",
    "test_search_workflow": "bytesource earthdata",
    # Synthetic granules: values without a file.
    "test_writer": "granule testing",
    "test_writer_lakes": "granule testing",
    "test_writer_photon_blocks": "testing",
    "test_writer_storage": "testing",
    "test_writer_trees": "granule products testing",
    "test_plot_profile": "bytesource",
    # The rest.
    "test_opened_rate": "opened_rate",
    "test_reference_frame": "products",
    "test_printable": "printable",
    "test_relaxed_gc": "relaxed_gc",
}
"""Parts of the package by the test, or the helper, that imports from them."""
PATCHED = {
    "fsspec_cleanup": "closes instances that fsspec keeps",
    "test_filters": "without libdeflate",
    "test_hdf5_features": "counts the walks over a file",
    "test_index_registry": "small bounds, and whether an index is open",
    "test_time_decoding": "another rounding in xarray",
    "test_writer_storage": "a made-up product",
}
"""Tests of parts, and helpers, that replace or read what is private, and what for."""
PROTOCOLS = {"_exit", "_repr_html_", "_ipython_key_completions_", "_cat_file", "_info"}
"""Public names with an underscore, of Python, of notebooks and of asynchronous filesystems."""

FOLDER = Path(__file__).parent
MODULES = sorted(
    path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.rglob("*.py")
)
_IN_TEXT = re.compile(r"^\s*(?:from|import) (xr_icesat2[\w.]*)(?: import (.*))?$", re.MULTILINE)


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse((FOLDER / f"{module}.py").read_text(encoding="utf-8"))


def imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield (module, name) of each import from the package, also in programs that a test runs."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            for found in _IN_TEXT.finditer(node.value):
                yield from ((found[1], name.strip()) for name in (found[2] or "").split(","))


def internals(tree: ast.AST) -> set[str]:
    """Return the parts that are imported from: packages, and modules outside packages."""
    return {
        module.split(".")[1]
        for module, name in imports(tree)
        if module.startswith("xr_icesat2.") and (module not in PUBLIC or re.match(r"_[^_]", name))
    }


def private(tree: ast.AST) -> set[str]:
    """Return the private attributes of other objects that are used."""
    return {
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and re.match(r"_[^_]", node.attr)
        and node.attr not in PROTOCOLS
        and not (isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"})
        and not ast.unparse(node).startswith("super().")
    }


def patches(tree: ast.AST) -> set[str]:
    """Return the attributes of the package that are replaced."""
    ours = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("xr_icesat2")
        for alias in node.names
    }
    found = set()
    for node in ast.walk(tree):
        call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if call and node.func.attr in {"setattr", "delattr"} and node.args:
            target = ast.unparse(node.args[0]).strip("'\"")
            if target.split(".")[0] in ours | {"xr_icesat2"}:
                found.add(ast.unparse(node))
        stored = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        if stored and ast.unparse(node.value).split(".")[0] in ours:
            found.add(ast.unparse(node))
    return found


def test_internals_are_imported_where_a_part_is_under_test():
    assert set(PARTS) <= set(MODULES)
    for module in MODULES:
        listed = set(PARTS.get(module, "").split())
        assert internals(tree_of(module)) <= listed, f"{module}: use public names, or list the part"


def test_nothing_private_is_read_or_replaced():
    found = {module: private(tree_of(module)) | patches(tree_of(module)) for module in MODULES}
    patching = {module: names for module, names in found.items() if names}
    assert patching.keys() <= PATCHED.keys(), patching
