"""Which byte ranges can be asked for at all.

Offsets and lengths come out of the granule itself, so a damaged granule asks
for absurd ones. They are refused here, before memory is allocated for them.
"""

from collections.abc import Iterable

from xr_icesat2.errors import CorruptGranuleError

from .protocol import Range

__all__ = ["checked_ranges", "outside"]

# No operating system and no server counts further.
_LARGEST_FILE = (1 << 63) - 1


def checked_ranges(ranges: Iterable[Range], size: int | None, name: str) -> list[Range]:
    """Plain integer ranges that lie inside the file.

    Parameters
    ----------
    ranges : iterable of (offset, length)
        In bytes; numpy integers are taken as well.
    size : int or None
        Bytes in the file; None where that is not known yet.
    name : str
        What to call the file in the message.

    Raises
    ------
    CorruptGranuleError
        A range is negative or reaches past the end.
    """
    plain = [(int(offset), int(length)) for offset, length in ranges]
    end = _LARGEST_FILE if size is None else size
    for offset, length in plain:
        if offset < 0 or length < 0 or (length and offset + length > end):
            raise outside(offset, length, size, name)
    return plain


def outside(offset: int, length: int, size: int | None, name: str) -> CorruptGranuleError:
    """Error for a range that reaches outside a file of ``size`` bytes."""
    held = "" if size is None else f", which has {size} bytes"
    return CorruptGranuleError(
        f"cannot read {length} bytes at {offset} of {name}{held}: the file is truncated or "
        "damaged; download it again and compare its size with the archive's"
    )
