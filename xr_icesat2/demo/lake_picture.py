"""ATL13: profiles over a lake, and levels as time goes on."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .drawing import COLOURS, POINTS, save

__all__ = ["draw_levels"]

PROFILES = 4
"""Cycles in the profile, a year."""


def draw_levels(rows: pd.DataFrame, levels: pd.DataFrame, path: Path, title: str) -> None:
    """Draw one lake in the first cycles, and the changing levels of some in all.

    Parameters
    ----------
    rows
        Short segments of some cycles.
    levels
        From :func:`.lake_levels`, with the levels ``expected``.
    path
        PNG to write.
    title
        What the data are.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
    lakes = _often_seen(levels)
    swing = {lake: np.ptp(levels.loc[levels["lake"] == lake, "level"]) for lake in lakes}
    _draw_profiles(left, rows, max(swing, key=lambda lake: swing[lake]))
    with plt.rc_context({"date.converter": "concise"}):
        _draw_time(right, levels, lakes)
    save(figure, path, title)


def _often_seen(levels: pd.DataFrame) -> list[int]:
    """Lakes that most cycles saw, those with most segments first."""
    seen = levels.groupby("lake")["segments"].agg(["count", "sum"])
    order = seen.sort_values(["count", "sum"], ascending=False).index
    return [int(lake) for lake in order[: len(COLOURS)]]


def _draw_profiles(axes: Axes, rows: pd.DataFrame, lake: int) -> None:
    rows = rows[(rows["lake"] == lake) & (rows["cycle"] < rows["cycle"].min() + PROFILES)]
    beam = rows["gt"].value_counts().idxmax()
    rows = rows[rows["gt"] == beam]
    for (cycle, some), colour in zip(rows.groupby("cycle"), COLOURS.values(), strict=False):
        label = f"cycle {cycle}, {some['delta_time'].iloc[0]:%d %b %Y}"
        axes.plot(some["segment_lat"], some["ht_ortho"], color=colour, label=label, **POINTS)
    axes.set_title(f"Lake {lake} along {beam}", loc="left")
    axes.set_xlabel("Latitude (°N)")
    axes.set_ylabel("Height above the geoid, ht_ortho (m)")
    axes.ticklabel_format(useOffset=False)
    axes.margins(y=0.25)
    axes.legend(loc="upper center", ncols=2, markerscale=5, fontsize="small")


def _draw_time(axes: Axes, levels: pd.DataFrame, lakes: list[int]) -> None:
    for lake, colour in zip(lakes, COLOURS.values(), strict=False):
        one = levels[levels["lake"] == lake]
        mean = one["expected"].mean()
        axes.plot(one["time"], one["expected"] - mean, color=colour, linewidth=0.8)
        axes.plot(one["time"], one["level"] - mean, "o", color=colour, ms=4, label=f"lake {lake}")
    axes.set_title("Levels: as measured (points), as made (lines)", loc="left")
    axes.set_ylabel("Level less its mean (m)")
    axes.margins(y=0.25)
    axes.legend(loc="upper center", ncols=3, fontsize="small")
