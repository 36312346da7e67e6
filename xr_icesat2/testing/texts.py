"""Texts of the length that those of real granules have, so that metadata weighs the same."""

__all__ = ["lengthen"]

_PADDING = " So long is the text of a real granule; this one was made longer to weigh as much."


def lengthen(text: str, length: int) -> str:
    """Add to a text what it lacks to a length; a longer one stays as it is."""
    missing = max(0, length - len(text))
    return text + (_PADDING * -(-missing // len(_PADDING)))[:missing]
