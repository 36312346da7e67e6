"""The figure of a profile: one panel for each beam, one legend, common labels."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

from xr_icesat2.errors import SelectionError

__all__ = ["MAX_PANELS", "Panels", "inches_wide", "make_panels", "wrap_text", "write_note"]

MAX_PANELS = 24
_WIDTH, _PANEL_HEIGHT, _SINGLE_HEIGHT = 11.0, 2.3, 4.5
_WIDE = 6.0
"""Inches of axes in which a legend has two lines."""
_LETTERS, _SHORTEST = 11, 16
"""Letters of a title in an inch; a shorter line is not broken."""
_LEGEND_SIZE = 24.0
"""Area of a legend's point in square points, where the points of the picture are tiny."""


@dataclass(frozen=True, slots=True, eq=False)
class Panels:
    """Axes to draw in, and the figure if it is ours."""

    axes: Sequence[Axes]
    figure: Figure | None
    """None: the user passed the axes."""
    columns: int = 1

    @property
    def result(self) -> Any:
        """What the user gets: one Axes, or an array of them."""
        if len(self.axes) == 1:
            return self.axes[0]
        listed = np.empty(len(self.axes), object)
        listed[:] = self.axes
        return listed

    def write_labels(self, x: str, y: str, titles: Sequence[str], title: str) -> None:
        """Label the axes, and title the panels; `title` stands above all of them."""
        for axes in self.axes:
            # Heights are written in full: 103.95, not 0.05 above the axis that says +1.039e2.
            if isinstance(axes.yaxis.get_major_formatter(), ScalarFormatter):
                axes.ticklabel_format(axis="y", useOffset=False)
        if self.figure is None or len(self.axes) == 1:
            for axes, beam in zip(self.axes, titles or [""], strict=True):
                axes.set_xlabel(wrap_text(x, axes))
                axes.set_ylabel(y)
                heading = wrap_text(f"{title}\n{beam}".strip(), axes)
                axes.set_title(heading, loc="left", fontsize="medium")
            return
        for axes, beam in zip(self.axes, titles, strict=True):
            axes.set_title(beam, loc="left", fontsize="medium")
        # Axes share their distances: only the lowest panel of each column has them.
        for axes in self.axes[-self.columns :]:
            axes.set_xlabel(x)
            axes.tick_params(labelbottom=True)
        self.figure.suptitle(title, fontsize="large")
        self.figure.supylabel(y, fontsize="medium")

    def write_colour_bar(self, mappable: Any, label: str, extend: str = "neither") -> None:
        """Add a colour bar beside the axes."""
        figure = self.axes[0].figure
        figure.colorbar(mappable, ax=list(self.axes), label=label, aspect=40, extend=extend)

    def write_legend(self, handles: Mapping[str, Any], title: str | None) -> None:
        """Add a legend outside of a figure of ours, or in the corner of given axes."""
        if not handles:
            return
        if self.figure is not None:
            legend = self.figure.legend(
                handles.values(),
                handles.keys(),
                loc="outside lower center",
                ncols=min(len(handles), 7),
                title=title,
                frameon=False,
                fontsize="small",
                title_fontsize="small",
            )
        else:
            is_wide = inches_wide(self.axes[0]) > _WIDE
            legend = self.axes[0].legend(
                handles.values(),
                handles.keys(),
                loc="upper center" if is_wide else "upper right",
                ncols=-(-len(handles) // 2) if is_wide else 1,
                title=title,
                fontsize="small",
                title_fontsize="small",
            )
        for handle in legend.legend_handles:
            if handle is not None and hasattr(handle, "set_sizes"):
                handle.set_sizes([_LEGEND_SIZE])


def inches_wide(axes: Axes) -> float:
    """Return the width of axes in inches."""
    return float(axes.bbox.width / axes.figure.dpi)


def wrap_text(text: str, axes: Axes) -> str:
    """Return a text in as many lines as the width of the axes needs."""
    most = max(int(inches_wide(axes) * _LETTERS), _SHORTEST)
    return "\n".join(textwrap.fill(line, most) for line in text.splitlines())


def write_note(axes: Axes, text: str) -> None:
    """Write in the middle of a panel why it is empty."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center")


def make_panels(count: int, given: Any, *, sharex: bool) -> Panels:
    """Return axes for as many beams: new ones, or the given.

    Raises
    ------
    SelectionError
        Too many panels, or another number of axes was given.
    """
    count = max(count, 1)  # without rows, one empty panel
    if given is not None:
        listed = [given] if isinstance(given, Axes) else list(np.ravel(given))
        if len(listed) != count:
            raise SelectionError(
                f"ax= has {len(listed)} axes for {count} beams. Pass as many axes as beams, or "
                "select beams with spots= and granules=."
            )
        return Panels(listed, None)
    if count > MAX_PANELS:
        raise SelectionError(
            f"{count} beams would be drawn in as many panels, expected at most {MAX_PANELS}. "
            "Select some with spots= and granules=."
        )
    columns = 1 if count <= 2 else 2
    rows = -(-count // columns)
    height = _SINGLE_HEIGHT if count == 1 else 1.4 + _PANEL_HEIGHT * rows
    figure, grid = plt.subplots(
        rows,
        columns,
        squeeze=False,
        sharex=sharex,
        figsize=(_WIDTH, height),
        layout="constrained",
    )
    for spare in grid.flat[count:]:
        spare.remove()
    return Panels(list(grid.flat[:count]), figure, columns)
