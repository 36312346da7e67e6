"""Fixed-length strings, as the HDF5 library gives them."""

from __future__ import annotations

import numpy as np

__all__ = ["terminate"]


def terminate(values: np.ndarray) -> np.ndarray:
    """Clear what lies behind the first zero byte of each string.

    A null-terminated string ends there (*HDF5 File Format Specification*,
    section IV.A.2.d, class 3); numpy would only drop zeros at the very end.
    """
    characters = np.ascontiguousarray(values).view(np.uint8).reshape(*values.shape, -1)
    kept = np.minimum.accumulate(characters != 0, axis=-1)
    return (characters * kept).astype(np.uint8).view(values.dtype).reshape(values.shape)
