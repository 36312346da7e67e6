"""Pictures of opened Datasets: profiles along the track, maps, and maps in a notebook."""

from .plot_accessor import PlotMethods

__all__ = ["PlotMethods"]
