"""The engine's keywords: their types and defaults, checked and gathered."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeAlias, TypeVar

from xarray.coders import CFDatetimeCoder, CFTimedeltaCoder

from .assembly.local_paths import expand, is_folder
from .assembly.request import Layout, Options, names
from .errors import SelectionError
from .limits import DEFAULT_LIMITS, Limits
from .messages import did_you_mean
from .reading.decode_options import DecodeOptions

__all__ = ["KEYWORDS", "Arguments", "parse_arguments", "takes_arguments"]

P = ParamSpec("P")
R = TypeVar("R")
Path: TypeAlias = str | os.PathLike[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """What a user passed to the engine, checked."""

    objects: list[Any]
    """The granules, with folders and patterns expanded."""
    listed: bool
    """Whether they were passed as a list or as a folder."""
    storage_options: dict[str, Any] | None
    index_cache: str | None
    limits: Limits
    options: Options


def parse_arguments(  # noqa: PLR0913 - these are the engine's keywords
    filename_or_obj: Any,
    *,
    drop_variables: str | Iterable[str] | None = None,
    group: str | None = None,
    layout: Layout = "spot",
    spots: str | int | Sequence[int] | None = None,
    beams: str | Sequence[str] | None = None,
    sc_orient: int | None = None,
    variables: str | Iterable[str] | None = None,
    pad_to: int | None = None,
    storage_options: dict[str, Any] | None = None,
    allow_mixed_releases: bool = False,
    index_cache: Path | None = None,
    limits: Limits | None = None,
    mask_and_scale: bool | Mapping[str, bool] | None = None,
    decode_times: bool | CFDatetimeCoder | Mapping[str, bool | CFDatetimeCoder] | None = None,
    decode_timedelta: bool | CFTimedeltaCoder | Mapping[str, bool | CFTimedeltaCoder] | None = None,
    use_cftime: bool | Mapping[str, bool] | None = None,
    concat_characters: bool | Mapping[str, bool] | None = None,
    decode_coords: bool | str | None = None,
    **unknown: Any,
) -> Arguments:
    """Check the arguments of the engine; its class documents them.

    Raises
    ------
    SelectionError
        A keyword is unknown, or its value is impossible.
    GranuleNotFoundError
        A pattern or a folder has no granule, or a list is empty.
    """
    for keyword in unknown:
        msg = (
            f"engine='icesat2' has no keyword {keyword!r}.{did_you_mean(keyword, KEYWORDS)} It "
            f"takes: {', '.join(KEYWORDS)}"
        )
        raise SelectionError(msg)
    decoders: dict[str, Any] = {
        "mask_and_scale": mask_and_scale,
        "decode_times": decode_times,
        "decode_timedelta": decode_timedelta,
        "use_cftime": use_cftime,
        "concat_characters": concat_characters,
    }
    options = Options(
        group=group,
        layout=layout,
        spots=spots,
        beams=beams,
        sc_orient=sc_orient,
        variables=None if variables is None else names(variables, "variables"),
        drop_variables=names(drop_variables or (), "drop_variables"),
        pad_to=pad_to,
        allow_mixed_releases=allow_mixed_releases,
        decode_coords=decode_coords is None or bool(decode_coords),
        decoders=DecodeOptions(
            **{key: value for key, value in decoders.items() if value is not None}
        ),
    )
    objects, listed = _objects(filename_or_obj)
    return Arguments(
        objects=objects,
        listed=listed,
        storage_options=storage_options,
        index_cache=_cache_path(index_cache),
        limits=_limits(limits),
        options=options,
    )


_PARAMETERS = tuple(inspect.signature(parse_arguments, eval_str=True).parameters.values())
KEYWORDS = tuple(one.name for one in _PARAMETERS if one.kind is one.KEYWORD_ONLY)
"""Names of the keywords."""


def _with_parameters_of(
    model: Callable[P, Arguments],
) -> Callable[[Callable[[Any, Arguments], R]], Callable[Concatenate[Any, P], R]]:
    """Make a decorator that parses the arguments of a method by another function.

    Type checkers and ``help`` see the parameters of that function.
    """

    def decorate(method: Callable[[Any, Arguments], R]) -> Callable[Concatenate[Any, P], R]:
        @wraps(method)
        def call(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
            return method(self, model(*args, **kwargs))

        own = inspect.signature(method, eval_str=True)
        (itself, _) = own.parameters.values()
        call.__signature__ = own.replace(parameters=[itself, *_PARAMETERS])  # type: ignore[attr-defined]
        return call

    return decorate


takes_arguments = _with_parameters_of(parse_arguments)
"""Decorate a method that takes :class:`Arguments`, so that it is called as the engine is."""


def _objects(given: Any) -> tuple[list[Any], bool]:
    """Return the objects to open, and whether they were passed as a list or as a folder."""
    if isinstance(given, Sequence) and not isinstance(given, str | bytes | bytearray | memoryview):
        return expand(given), True
    if is_folder(given):
        return expand([given]), True
    return [given], False


def _limits(limits: Limits | None) -> Limits:
    if not isinstance(limits, Limits | None):
        msg = f"limits={limits!r}, expected limits such as xr_icesat2.Limits(chunks=5_000_000)"
        raise SelectionError(msg)
    return limits or DEFAULT_LIMITS


def _cache_path(cache: Path | None) -> str | None:
    if not isinstance(cache, str | os.PathLike | None):
        msg = f"index_cache={cache!r}, expected the path of a directory, or of a file of indexes"
        raise SelectionError(msg)
    return None if cache is None else os.fspath(cache)
