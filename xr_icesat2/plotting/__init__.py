"""Pictures of opened Datasets: profiles along the track, maps, and maps in a notebook."""

from .plot_methods import PlotMethods

__all__ = ["PlotMethods"]
