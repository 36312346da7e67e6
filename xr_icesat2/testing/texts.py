"""Texts of the length that those of real granules have, so that metadata has the same size."""

__all__ = ["lengthen"]

_FILLER = " [synthetic filler text]"


def lengthen(text: str, length: int) -> str:
    """Extend a text to a length by filler and blanks; return a longer one unchanged."""
    missing = max(0, length - len(text))
    return (text + _FILLER * (missing // len(_FILLER))).ljust(length)
