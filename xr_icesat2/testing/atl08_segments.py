"""Values of ATL08's land segments: statistics of their photons."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xr_icesat2.granule.reference_track import SEGMENT_LENGTH

from .array_types import ArraysByName, Floats, Ints
from .atl08_photons import MAX_20M_SEGMENTS, LandSegments, SignalPhotons
from .geophysical_models import dem_source, solar_position
from .grouped_statistics import GroupedValues
from .photons import CANOPY, GROUND, PER_SEGMENT, TOP_OF_CANOPY, shot_time
from .surface import ROUGHNESS, surface_height, surface_types

__all__ = ["land_segment_rows", "percentiles_of"]


_SEGMENTS_PER_BLOCK = 300  # land segments, so that memory stays bounded
_NO_DATA, _NO_PHOTON = -1, 0
_FEW = 0.05  # share of photons below which canopy or ground do not count
_H_CANOPY = 98.0  # percentile


def percentiles_of(release: str) -> tuple[float, ...]:
    """Return percentiles of ``canopy_h_metrics``."""
    if release < "004":
        return (25, 50, 60, 70, 75, 80, 85, 90, 95)
    return tuple(range(10, 100, 5))


def land_segment_rows(
    signal: SignalPhotons, segments: LandSegments, start: int, stop: int
) -> ArraysByName:
    """Return rows ``start:stop`` of ``land_segments``, by path below it."""
    parts = [
        _Part.of(signal, segments, slice(row, min(row + _SEGMENTS_PER_BLOCK, stop))).variables()
        for row in range(start, stop, _SEGMENTS_PER_BLOCK)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


@dataclass(frozen=True, slots=True)
class _Part:
    """Some land segments, with the photons that ATL08 lists in them."""

    signal: SignalPhotons
    begin: Ints
    size: Ints
    label: Ints
    """Land segment of each photon, from 0."""
    column: Ints
    """Number of the 20 m segment of each photon within its land segment, from 0."""
    shot: Ints
    class_: NDArray[np.int8]
    height: Floats
    above: Floats
    place: tuple[Floats, Floats]
    along: Floats
    """Position of each photon along the track, in segments."""

    @classmethod
    def of(cls, signal: SignalPhotons, segments: LandSegments, rows: slice) -> "_Part":
        begin, size = segments.begin[rows], segments.size[rows]
        low, high = int(begin[0]), int(begin[-1] + size[-1])
        photons = signal.cloud.photons(low, high)
        label = np.full(high - low, -1)
        column = np.zeros(high - low, np.int64)
        for offset in range(MAX_20M_SEGMENTS):
            mine = offset < size
            label[begin[mine] - low + offset] = np.flatnonzero(mine)
            column[begin[mine] - low + offset] = offset
        of_photon = np.repeat(label, photons.counts)
        chosen = SignalPhotons.listed(photons) & (of_photon >= 0)
        latitude, longitude = photons.place()
        return cls(
            signal=signal,
            begin=begin,
            size=size,
            label=of_photon[chosen],
            column=np.repeat(column, photons.counts)[chosen],
            shot=photons.shot[chosen],
            class_=photons.class_[chosen],
            height=(photons.ground + photons.above)[chosen],
            above=photons.above[chosen],
            place=(latitude[chosen], longitude[chosen]),
            along=(np.repeat(photons.ends.ids, photons.counts) + photons.along)[chosen],
        )

    def variables(self) -> ArraysByName:
        """Return all variables, by path below ``land_segments``."""
        segments, terrain = self._segments(), self._terrain()
        segments["h_dif_ref"] = terrain["h_te_median"] - segments["dem_h"]
        segments["terrain_flg"] = terrain["n_te_photons"] > 0
        return {
            **segments,
            **{f"terrain/{name}": values for name, values in terrain.items()},
            **{f"canopy/{name}": values for name, values in self._canopy().items()},
        }

    @property
    def _middle(self) -> Floats:
        """Middle of each land segment, in segments."""
        return np.asarray(self.signal.cloud.ids[self.begin] + self.size / 2)

    @property
    def _middles(self) -> Floats:
        """Middles of five 20 m segments from the first of each land segment on."""
        first = self.signal.cloud.ids[self.begin]
        return np.asarray(first[:, None] + np.arange(MAX_20M_SEGMENTS) + 0.5)

    def _ground(self, place: Floats) -> Floats:
        """Return the true height of the ground at positions along the track, in segments."""
        track = self.signal.cloud.track
        return surface_height(*track.place(place), track.granule.cycle_number)

    def _groups(self, classes: tuple[int, ...]) -> tuple[GroupedValues, NDArray[np.bool_]]:
        chosen = np.isin(self.class_, classes)
        return GroupedValues(self.label[chosen], self.begin.size), chosen

    def _in_columns(self, chosen: NDArray[np.bool_]) -> GroupedValues:
        """Group photons by 20 m segment, five for each land segment."""
        labels = self.label[chosen] * MAX_20M_SEGMENTS + self.column[chosen]
        return GroupedValues(labels, self.begin.size * MAX_20M_SEGMENTS)

    def _subset_flag(self, chosen: NDArray[np.bool_]) -> Ints:
        some = self._in_columns(np.ones(chosen.shape, np.bool_)).counts > 0
        mine = (self._in_columns(chosen).counts > 0).astype(np.int64)
        return np.where(some, _NO_PHOTON + mine, _NO_DATA).reshape(-1, MAX_20M_SEGMENTS)

    def _segments(self) -> ArraysByName:
        signal = self.signal
        cloud, after = signal.cloud, self.begin + self.size
        counts = signal.first[after] - signal.first[self.begin]
        first = np.cumsum(counts) - counts
        # The photon nearest to the middle, or the last one before it: photons are sorted.
        central = np.searchsorted(self.along, self._middle)
        central = np.clip(central, first, first + counts - 1)
        latitude, longitude = (values[central] for values in self.place)
        begin = shot_time(cloud.track, self.shot[first])
        end = shot_time(cloud.track, self.shot[first + counts - 1])
        time = (begin + end) / 2
        elevation, azimuth = solar_position(time, latitude, longitude)
        dem = surface_height(latitude, longitude)
        return {
            "delta_time": time,
            "delta_time_beg": begin,
            "delta_time_end": end,
            "latitude": latitude,
            "longitude": longitude,
            **self._centres(),
            "segment_id_beg": cloud.ids[self.begin],
            "segment_id_end": cloud.ids[after - 1],
            "ph_ndx_beg": signal.first[self.begin] + 1,
            "n_seg_ph": counts,
            "rgt": np.full(counts.shape, cloud.track.granule.rgt),
            "surf_type": surface_types(latitude, longitude),
            "solar_elevation": elevation,
            "solar_azimuth": azimuth,
            "night_flag": elevation < 0,
            "dem_h": dem,
            "dem_flag": dem_source(latitude),
            "sigma_topo": np.full(counts.shape, 0.05),
            "sigma_atlas_land": np.full(counts.shape, 0.3),
            "psf_flag": np.zeros(counts.shape),
            "last_seg_extend": np.zeros(counts.shape),
        }

    def _centres(self) -> ArraysByName:
        """Return centres of the 20 m segments; NaN for those outside the land segment."""
        lacks = np.arange(MAX_20M_SEGMENTS) >= self.size[:, None]
        latitude, longitude = self.signal.cloud.track.place(self._middles)
        return {
            "latitude_20m": np.where(lacks, np.nan, latitude),
            "longitude_20m": np.where(lacks, np.nan, longitude),
        }

    def _terrain(self) -> ArraysByName:
        found, chosen = self._groups((GROUND,))
        height, above = self.height[chosen], self.above[chosen]
        low, quarter, median, high = found.percentiles(height, (0, 25, 50, 100)).T
        in_columns = self._in_columns(chosen).mean(above).reshape(-1, MAX_20M_SEGMENTS)
        some = np.where(found.counts > 0, 1.0, np.nan)
        begin = self.signal.cloud.ids[self.begin].astype(np.float64)
        rise = self._ground(begin + self.size) - self._ground(begin)
        middle = self._ground(self._middle)
        return {
            "h_te_mean": found.mean(height),
            "h_te_median": median,
            "h_te_min": low,
            "h_te_max": high,
            "h_te_mode": median.round(1),
            "h_te_rh25": quarter,
            "h_te_std": found.deviation(height),
            "h_te_skew": found.skewness(height),
            "h_te_interp": some * middle,
            # Without the shape of the ground, the photons give its height in the middle.
            "h_te_best_fit": middle + found.mean(above),
            "h_te_best_fit_20m": self._ground(self._middles) + in_columns,
            "h_te_uncertainty": ROUGHNESS / np.sqrt(some * found.counts),
            "n_te_photons": found.counts,
            "photon_rate_te": found.counts / (self.size * PER_SEGMENT),
            "subset_te_flag": self._subset_flag(chosen),
            "terrain_slope": some * rise / (SEGMENT_LENGTH * self.size),
        }

    def _canopy(self) -> ArraysByName:
        found, chosen = self._groups((CANOPY, TOP_OF_CANOPY))
        inner, _ = self._groups((CANOPY,))
        tops, top = self._groups((TOP_OF_CANOPY,))
        above, height = self.above[chosen], self.height[chosen]
        percents = (0, 50, _H_CANOPY, 100, *percentiles_of(self.signal.cloud.track.granule.release))
        relative, absolute = (found.percentiles(values, percents) for values in (above, height))
        low, median, tall, high = relative[:, :4].T
        low_abs, median_abs, tall_abs, high_abs = absolute[:, :4].T
        columns = self._in_columns(chosen).percentiles(above, (_H_CANOPY,))
        return {
            "h_canopy": tall,
            "h_canopy_20m": columns.reshape(-1, MAX_20M_SEGMENTS),
            "h_canopy_abs": tall_abs,
            "h_canopy_quad": np.sqrt(found.mean(above**2)),
            "h_canopy_uncertainty": ROUGHNESS + 0.1 * tall,
            "h_dif_canopy": tall - median,
            "h_max_canopy": high,
            "h_max_canopy_abs": high_abs,
            "h_mean_canopy": found.mean(above),
            "h_mean_canopy_abs": found.mean(height),
            "h_median_canopy": median,
            "h_median_canopy_abs": median_abs,
            "h_min_canopy": low,
            "h_min_canopy_abs": low_abs,
            "canopy_h_metrics": relative[:, 4:],
            "canopy_h_metrics_abs": absolute[:, 4:],
            "canopy_openness": found.deviation(above),
            "toc_roughness": tops.deviation(self.above[top]),
            **self._cover(found),
            "n_ca_photons": inner.counts,
            "n_toc_photons": tops.counts,
            "photon_rate_can": found.counts / (self.size * PER_SEGMENT),
            "photon_rate_can_nr": found.counts / (self.size * PER_SEGMENT),
            "subset_can_flag": self._subset_flag(chosen),
        }

    def _cover(self, canopy: GroupedValues) -> ArraysByName:
        """Return how photons are divided between ground and canopy."""
        both, chosen = self._groups((GROUND, CANOPY, TOP_OF_CANOPY))
        covered = canopy.counts >= _FEW * np.maximum(both.counts, 1)
        bare = both.counts - canopy.counts >= _FEW * both.counts
        return {
            "centroid_height": both.mean(self.height[chosen]),
            "canopy_flag": covered,
            "canopy_rh_conf": np.where(covered, 1 + bare, 0),
        }
