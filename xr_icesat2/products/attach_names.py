"""Names that ``attach=`` accepts besides those of variables, as a product declares them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["AttachName"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachName:
    """A name under which a variable, or a value that follows from it, is attached to rows."""

    name: str
    product: str
    """Short name of the product to whose rows it is attached."""
    rate: str
    """Group of that product's rate."""
    variable: str
    """Path below the beam, in the product that declares the name."""
    plus: str | None = None
    """Path of a variable of the rate itself, which is added."""
    norm: bool = False
    """Whether it is the length of the vector along the variable's second dimension."""
    classes: bool = False
    """Whether it holds classes of photons: then what the product does not list is unclassified."""
    long_name: str = ""
    """Replaces that of the variable."""
