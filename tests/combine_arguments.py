"""Arguments by which xarray combines granules, as in docs/how-to/many-granules.md."""

from typing import Any

DOCUMENTED: dict[str, Any] = {
    "join": "outer",
    "data_vars": "all",
    "coords": "different",
    "compat": "no_conflicts",
}
WAYS = {
    "by coordinates": lambda dim: DOCUMENTED,
    "nested": lambda dim: {"combine": "nested", "concat_dim": dim, **DOCUMENTED},
    "parallel": lambda dim: {"parallel": True, **DOCUMENTED},
}
"""By name: what is given to ``open_mfdataset`` for a dimension that grows."""
