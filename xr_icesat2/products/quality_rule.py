"""Rules by which rows of good quality are selected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Comparison", "QualityRule"]

Comparison: TypeAlias = Literal["==", ">=", "in"]


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityRule:
    """A condition on one variable, which rows of good quality fulfil."""

    variable: str
    """Name of the variable in the rate."""
    comparison: Comparison
    """How its values are compared with :attr:`value`; ``"in"``: they are one of its numbers."""
    value: float | tuple[float, ...]
    source: str
    """Document or attribute of the file that the rule was taken from."""
    keyword: str = ""
    """Keyword that sets another value; empty: the name of the variable."""
    over: str | None = None
    """Second dimension of the variable, of which one position must fulfil the condition. A keyword
    of this name selects the position by its label."""

    @property
    def name(self) -> str:
        """Keyword that sets another value."""
        return self.keyword or self.variable

    def __str__(self) -> str:
        value = list(self.value) if isinstance(self.value, tuple) else self.value
        return f"{self.variable} {self.comparison} {value}"
