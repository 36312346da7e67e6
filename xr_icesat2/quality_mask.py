"""Select rows of good quality by the rules of the product's specification."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from numbers import Real
from typing import Any

import numpy as np
import xarray as xr
from xarray.core import indexing

from .errors import RateError, SelectionError
from .messages import did_you_mean, some_of
from .opened_rate import OpenedRate
from .products import PRODUCTS, QualityRule
from .reading.load import Steps, StepwiseArray

__all__ = ["quality_mask"]

NAME = "quality"


def quality_mask(given: xr.Dataset | xr.DataTree, settings: Mapping[str, Any]) -> xr.DataArray:
    """Return which rows of a rate fulfil its quality rules; see :meth:`.DatasetAccessor.quality`.

    Parameters
    ----------
    given
        Dataset or node of a tree.
    settings
        Values that replace those of rules, and labels of second dimensions, by keyword.
    """
    opened = _opened(given)
    rules = _adjusted(opened, settings)
    variables = _variables(given)
    _check_present(opened, rules, variables)
    tests = [_test(rule, variables[rule.variable], settings) for rule in rules]
    rows = _row_numbers(opened, tests)
    attrs = {
        "long_name": f"whether rows of {opened.title} fulfil the quality rules",
        "rules": "; ".join(test.text for test in tests),
        "sources": "; ".join(dict.fromkeys(test.rule.source for test in tests)),
    }
    mask = _lazy_mask(tests, rows, opened.dataset)
    mask.attrs = attrs
    return opened.dataset.assign({NAME: mask})[NAME]


def _opened(given: xr.Dataset | xr.DataTree) -> OpenedRate:
    try:
        return OpenedRate.of(given)
    except RateError as error:
        nodes = list(_nodes_with_rules(given)) if isinstance(given, xr.DataTree) else []
        if not nodes:
            raise
        listed = ", ".join(f"tree[{path!r}]" for path in nodes)
        raise RateError(
            "quality() applies to the rows of one rate, which a node of this tree has. Choose one "
            f"that has quality rules: {listed}"
        ) from error


def _nodes_with_rules(tree: xr.DataTree) -> Iterator[str]:
    """Yield the paths of the nodes of rates that have rules, without the groups below them."""
    for node in tree.descendants:
        try:
            opened = OpenedRate.of(node)
        except RateError:
            continue
        if opened.rate.quality and opened.along in node.to_dataset(inherit=False).coords:
            yield node.relative_to(tree)


def _adjusted(opened: OpenedRate, settings: Mapping[str, Any]) -> list[QualityRule]:
    """Return the rules of a rate with the values that are set."""
    rules = opened.rate.quality
    if not rules:
        with_rules = (
            f"{product} {rate.name}"
            for product, spec in PRODUCTS.items()
            for rate in spec.rates
            if rate.quality
        )
        raise RateError(
            f"No quality rule is specified for {opened.title}, because no document or attribute "
            f"that says what to select was found. Rules exist for {', '.join(with_rules)}."
        )
    known = {rule.name: rule for rule in rules} | {rule.over: rule for rule in rules if rule.over}
    if unknown := [name for name in settings if name not in known]:
        hint = did_you_mean(unknown[0], known)
        raise SelectionError(
            f"quality() of {opened.title} has no keyword {unknown[0]!r}.{hint} Its keywords are "
            f"{some_of(known)}."
        )
    kept = [_with_value(rule, settings.get(rule.name, rule.value)) for rule in rules]
    adjusted = [rule for rule in kept if rule is not None]
    if not adjusted:
        raise SelectionError("quality() was given None for every rule; leave one of them.")
    return adjusted


def _with_value(rule: QualityRule, value: Any) -> QualityRule | None:
    """Return a rule with another value, or None where it is switched off."""
    if value is None:
        return None
    listed = np.ndim(value) == 1 and rule.comparison != ">="
    numbers = list(value) if listed else [value]
    if not numbers or not all(isinstance(n, Real) and not isinstance(n, bool) for n in numbers):
        expected = "a number" if rule.comparison == ">=" else "a number or a list of numbers"
        raise SelectionError(
            f"{rule.name}={value!r}: expected {expected} for {rule.variable}, or None to ignore it."
        )
    if not listed:
        return replace(
            rule, value=value, comparison="==" if rule.comparison == "in" else rule.comparison
        )
    return replace(rule, value=tuple(numbers), comparison="in")


def _variables(given: xr.Dataset | xr.DataTree) -> dict[str, xr.DataArray]:
    """Return the variables of a Dataset, or of a node of a tree and the nodes below it."""
    if isinstance(given, xr.Dataset):
        return {str(name): given[name] for name in given.variables}
    found: dict[str, xr.DataArray] = {}
    for node in given.subtree:
        dataset = node.to_dataset()
        for name in dataset.data_vars:
            found.setdefault(str(name), dataset[name])
    return found


def _check_present(
    opened: OpenedRate, rules: Sequence[QualityRule], variables: Mapping[str, xr.DataArray]
) -> None:
    absent = [rule for rule in rules if rule.variable not in variables]
    if absent:
        names = [rule.variable for rule in absent]
        without = ", ".join(f"{rule.name}=None" for rule in absent)
        raise RateError(
            f"{opened.title} lacks {', '.join(names)}, which the quality rules need. Open it with "
            f"these (variables=[…, {', '.join(map(repr, names))}]). If the granule does not have "
            f"them, ignore their rules: quality({without})."
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Test:
    """A rule with the variable that it is applied to."""

    rule: QualityRule
    variable: xr.Variable
    text: str

    def passes(self, variable: xr.Variable) -> xr.Variable:
        """Return which elements of a part of the variable fulfil the rule."""
        rule = self.rule
        if rule.comparison == ">=":
            passed = variable >= rule.value
        elif rule.comparison == "==":
            passed = variable == rule.value
        else:
            passed = reduce(operator.or_, [variable == n for n in np.atleast_1d(rule.value)])
        if (fill := variable.attrs.get("_FillValue")) is not None and np.size(fill) == 1:
            passed = passed & (variable != np.ravel(fill)[0])
        return passed.any(rule.over) if rule.over in passed.dims else passed


def _test(rule: QualityRule, array: xr.DataArray, settings: Mapping[str, Any]) -> _Test:
    text = str(rule)
    if rule.over is None:
        return _Test(rule, array.variable, text)
    label = settings.get(rule.over)
    if label is None:
        among = f" (any {rule.over})" if rule.over in array.dims else ""
        return _Test(rule, array.variable, text + among)
    position = _position(rule, array, label)
    text += f" ({rule.over} {array[rule.over].values[position]})"
    return _Test(rule, array.variable.isel({rule.over: position}), text)


def _position(rule: QualityRule, array: xr.DataArray, label: Any) -> int:
    """Return the position of a label; underscores in it do not count."""
    over = rule.over
    if over not in array.dims or over not in array.coords:
        raise SelectionError(
            f"{over}={label!r}: {rule.variable} has no labelled dimension {over} any more. Leave "
            f"{over} out, or use the Dataset as it was opened."
        )
    labels = [str(name) for name in array[over].values]
    plain = [name.replace("_", "") for name in labels]
    wanted = str(label).replace("_", "")
    if wanted not in plain:
        raise SelectionError(
            f"{over}={label!r}: there is no such {over}.{did_you_mean(str(label), labels)} There "
            f"are {', '.join(labels)}."
        )
    return plain.index(wanted)


def _row_numbers(opened: OpenedRate, tests: Sequence[_Test]) -> tuple[xr.Variable, ...]:
    """Return the numbers of the rows and how many rows are real; none where nothing is padding."""
    dataset, along = opened.dataset, opened.along
    counts = next((dataset[n].variable for n in ("n_rows", "n_obs") if n in dataset.coords), None)
    if counts is None:
        if any(test.variable.dtype.kind in "iu" for test in tests):
            raise RateError(
                f"{opened.title} lacks the coordinate n_obs, which separates rows from padding; "
                "keep the coordinates of the engine"
            )
        return ()
    if along in counts.dims:
        return ()
    return (dataset[along].variable.to_base_variable(), counts)


def _lazy_mask(
    tests: Sequence[_Test], rows: tuple[xr.Variable, ...], dataset: xr.Dataset
) -> xr.Variable:
    """Return the mask, read when it is used; of dask arrays one."""
    parts = [test.variable for test in tests]
    if any(part.chunks is not None for part in parts):
        return _evaluate(tests, parts, rows)
    array = _QualityArray(tests, rows, dataset)
    return xr.Variable(array.dims, indexing.LazilyIndexedArray(array))


def _evaluate(
    tests: Sequence[_Test], parts: Sequence[xr.Variable], rows: tuple[xr.Variable, ...]
) -> xr.Variable:
    passed = [test.passes(part) for test, part in zip(tests, parts, strict=True)]
    dims = passed[0].dims
    if rows:
        numbers, counts = rows
        passed.append(numbers < counts)
    mask: xr.Variable = reduce(operator.and_, passed)
    return mask.transpose(*dims, ...)


class _QualityArray(StepwiseArray):
    """Whether rows fulfil all rules, bool."""

    def __init__(
        self, tests: Sequence[_Test], rows: tuple[xr.Variable, ...], dataset: xr.Dataset
    ) -> None:
        self.tests = tests
        self.rows = rows
        over = {test.rule.over for test in tests}
        first = tests[0].variable
        self.dims = tuple(dim for dim in first.dims if dim not in over)
        self.shape = tuple(dataset.sizes[dim] for dim in self.dims)
        self.dtype = np.dtype(bool)

    def steps(self, key: tuple[Any, ...]) -> Steps[np.ndarray]:
        """Read the variables of all rules at selected rows, and compare them."""
        where = dict(zip(self.dims, key, strict=True))

        def at(variable: xr.Variable) -> xr.Variable:
            return variable.isel({d: k for d, k in where.items() if d in variable.dims})

        parts = [at(test.variable) for test in self.tests]
        yield parts
        loaded = [xr.Variable(part.dims, part.to_numpy(), part.attrs) for part in parts]
        mask = _evaluate(self.tests, loaded, tuple(at(variable) for variable in self.rows))
        kept = [dim for dim in self.dims if dim in mask.dims]
        return mask.transpose(*kept).to_numpy()
