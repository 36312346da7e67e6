"""Types of the arrays in synthetic granules."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["ArraysByName", "Floats", "Ints"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
ArraysByName: TypeAlias = dict[str, NDArray[Any]]
"""Arrays by name, or by path below a group."""
