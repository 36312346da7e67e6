"""Import packages that only some methods need, which the extras of this package install."""

from __future__ import annotations

import importlib
from types import ModuleType

from .errors import MissingExtraError

__all__ = ["require"]


def require(module: str, extra: str, purpose: str) -> ModuleType:
    """Import a package that an extra installs.

    Parameters
    ----------
    module
        Name of the package, as it is imported.
    extra
        Name of the extra that installs it, such as ``"geo"``.
    purpose
        Name of the method or keyword that needs it, as the user writes it.

    Returns
    -------
    module
        The imported package.

    Raises
    ------
    MissingExtraError
        It is not installed, or cannot be imported.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        install = f"Install it with: python -m pip install 'xr-icesat2[{extra}]'"
        is_missing = isinstance(error, ModuleNotFoundError) and error.name == module
        broken = "" if is_missing else f", which cannot be imported ({error})"
        msg = f"{purpose} needs {module}{broken}. {install}"
        raise MissingExtraError(msg, name=module) from error
