"""Profiles over a lake and time series of lake levels from ATL13."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .plotting import COLOURS, POINTS, save_figure

__all__ = ["draw_levels"]

PROFILES = 4
"""Cycles in the profile: a year."""


def draw_levels(rows: pd.DataFrame, levels: pd.DataFrame, path: Path, title: str) -> None:
    """Draw profiles of one lake, and the levels of several lakes over time.

    Parameters
    ----------
    rows
        Short segments of several cycles.
    levels
        From :func:`.lake_levels`, with the true levels in ``expected``.
    path
        PNG file to write.
    title
        Title above the picture.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
    lakes = _most_observed(levels)
    range_of = {lake: np.ptp(levels.loc[levels["lake"] == lake, "level"]) for lake in lakes}
    _draw_profiles(left, rows, max(range_of, key=lambda lake: range_of[lake]))
    with plt.rc_context({"date.converter": "concise"}):
        _draw_time(right, levels, lakes)
    save_figure(figure, path, title)


def _most_observed(levels: pd.DataFrame) -> list[int]:
    """Return the lakes that most cycles observed, those with most segments first."""
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
    axes.set_title("Levels: measured (points), true (lines)", loc="left")
    axes.set_ylabel("Level minus its mean (m)")
    axes.margins(y=0.25)
    axes.legend(loc="upper center", ncols=3, fontsize="small")
