"""``python -m xr_icesat2.cli``: the same as ``icesat2``."""

import sys

from .main import main

if __name__ == "__main__":
    sys.exit(main())
