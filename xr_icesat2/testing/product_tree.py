"""Build the tree of a granule from the product's table of variables."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from xr_icesat2.granule.beams import BEAMS
from xr_icesat2.products.variable_table import TableGroup, VariableTable, load_table

from .attributes import group_attributes, metadata_groups, pad_text, root_attributes
from .tree_model import ProductTree, TableVariable, TreeGroup, TreeRate

__all__ = ["build_tree"]

_BEAM = "{beam}"
_LINEAGE = "METADATA/Lineage/"


def build_tree(product: str, release: str, beams: Collection[str] = BEAMS) -> ProductTree:
    """Make the tree of a product's granules.

    Parameters
    ----------
    product
        Short name of a product that has a table.
    release
        Three digits.
    beams
        Ground tracks that the granule has.
    """
    table = load_table(product).at(release)
    rates = tuple(_rates(table, release))
    groups = tuple(_once(table, release, rates, beams))
    return ProductTree(
        product,
        table.title,
        root_attributes(table),
        groups + tuple(metadata_groups(table, _LINEAGE)),
        group_attributes(_named(table, _BEAM), release),
        rates,
        {
            f"{group.path}/{variable.name}".lstrip("/"): variable.size
            for group in groups
            for variable in group.variables
            if variable.is_scale
        },
    )


def _named(table: VariableTable, path: str) -> TableGroup:
    return next(group for group in table.groups if group.path == path)


def _once(
    table: VariableTable, release: str, rates: Collection[TreeRate], beams: Collection[str]
) -> Iterator[TreeGroup]:
    """Yield the groups of no rate; those of a beam as often as there are beams."""
    for group in table.groups:
        variables = _variables(table, group)
        if not group.path:
            if variables:
                yield TreeGroup("", {}, variables)
        elif (
            group.path != _BEAM
            and not group.path.startswith(_LINEAGE)
            and _rate_path(group.path, [rate.path for rate in rates]) is None
        ):
            attributes = group_attributes(group, release)
            for beam in beams if _BEAM in group.path else ("",):
                yield TreeGroup(group.path.replace(_BEAM, beam), attributes, variables)


def _rates(table: VariableTable, release: str) -> Iterator[TreeRate]:
    """Yield the groups of each beam below a scale of unlimited length."""
    scales = [variable for variable in table.variables if variable.is_scale]
    paths = [scale.group for scale in scales if scale.size is None and _BEAM in scale.path]
    for path in paths:
        groups = [group for group in table.groups if _rate_path(group.path, paths) == path]
        variables = [variable for group in groups for variable in _variables(table, group)]
        dims = {dim for variable in variables for dim in variable.dims}
        yield TreeRate(
            "/".join(part for part in path.split("/") if part != _BEAM),
            path,
            _named(table, path).coordinates,
            tuple(
                TreeGroup(
                    group.path[len(path) + 1 :],
                    # A beam's own attributes are those of Product.beam.
                    {} if group.path == _BEAM else group_attributes(group, release),
                    _variables(table, group),
                )
                for group in groups
            ),
            {
                scale.name: scale.size
                for scale in scales
                if scale.size is not None and scale.name in dims and scale.group in {path, ""}
            },
        )


def _rate_path(group: str, rates: Collection[str]) -> str | None:
    """Return the innermost rate that a group is in."""
    around = [rate for rate in rates if f"{group}/".startswith(f"{rate}/")]
    return max(around, key=len, default=None)


def _variables(table: VariableTable, group: TableGroup) -> tuple[TableVariable, ...]:
    """Return the datasets of a group, with texts as long as the product's."""
    return tuple(
        replace(variable, description=pad_text(f"{variable.description}.", variable.length))
        for variable in table.variables
        if variable.group == group.path
    )
