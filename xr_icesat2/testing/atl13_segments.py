"""Values of ATL13's short segments: a lake's level, with waves and noise.

Names and meanings: ATL13 data dictionary of release 002, and what later releases added.
"""

from dataclasses import dataclass

import numpy as np

from xr_icesat2.granule.reference_track import SEGMENT_LENGTH, SEGMENTS_PER_ORBIT

from .array_types import ArraysByName, Floats, Ints
from .atl13_crossings import Crossings, middle_of
from .beam_track import BeamTrack
from .geophysical_models import background_rate, geoid_height, solar_position, tides
from .lakes import Lakes, all_lakes, lake_level

__all__ = ["ShortSegments"]


_LAKE, _RESERVOIR, _HYDRO_LAKES = 1, 2, 1
_RESERVOIRS = 7  # one lake in so many is one
_AREAS = (10.0, 100.0, 1000.0, 10_000.0)  # km2; limits of the sizes 5 to 1
_TRANSECTS = (2, 3, 6, 8, 10, 30)  # short segments; limits of qf_iwp 1 to 7
_SHORT = (50.0, 150.0, 300.0)  # metres; limits of qf_sseg_length 0 to 3
_LONG = (500.0, 1500.0, 3000.0)  # metres; limits of qf_lseg_length 0 to 3
_RATES = (1e5, 2e5, 4e5, 6e5, 8e5, 9e5)  # photons a second; limits of qf_bckgrd 0 to 6
_PHOTONS = 100.0  # in a short segment
_AFTERPULSES = 0.1  # share of them at most
_BOTTOM_SEEN = 0.05  # share of the short segments through whose water the ground shows
_CLOUDY = 0.2
_WAVE_HEIGHT = 4.0  # standard deviations
_BASIN = 5  # bands of latitude; regions of the mask are numbered by them


@dataclass(frozen=True, slots=True)
class ShortSegments:
    """Rows ``start:stop`` of one beam."""

    track: BeamTrack
    """The beam."""
    crossings: Crossings
    """All rows of the beam."""
    start: int
    """First row."""
    stop: int
    """Row after the last."""

    def variables(self) -> ArraysByName:
        """Return all variables of all releases; NaN where a value is unknown."""
        middle = middle_of(self._first, self.crossings.length)
        latitude, longitude = self.track.place(middle)
        time = self.track.time(middle)
        return {
            **self._place(time, latitude, longitude),
            **self._body(),
            **self._surface(latitude, longitude),
            **self._water(latitude, longitude),
            **self._models(time, latitude, longitude),
            **self._quality(time, latitude, longitude),
        }

    @property
    def _first(self) -> Ints:
        return self.crossings.first[self.start : self.stop]

    @property
    def _cells(self) -> Ints:
        return self.crossings.cells[self.start : self.stop]

    @property
    def _lakes(self) -> Lakes:
        return all_lakes()

    def _uniform(self, field: str) -> Floats:
        return self.track.noise.uniform(field, self.start, self.stop)

    def _normal(self, field: str, deviation: float | Floats) -> Floats:
        return self.track.noise.normal(field, self.start, self.stop) * deviation

    def _constant(self, value: float) -> Floats:
        return np.full(self._first.shape, value)

    def _place(self, time: Floats, latitude: Floats, longitude: Floats) -> ArraysByName:
        orbit, segment = np.divmod(self._first, SEGMENTS_PER_ORBIT)
        cycle = self._constant(self.track.granule.cycle_number)
        # The photons' centre of gravity is off the middle by some metres.
        off = middle_of(self._first, self.crossings.length) + self._normal("centre", 0.3)
        mean_latitude, mean_longitude = self.track.place(off)
        return {
            "delta_time": time,
            "segment_lat": latitude,
            "segment_lon": longitude,
            "sseg_mean_time": self.track.time(off),
            "sseg_mean_lat": mean_latitude,
            "sseg_mean_lon": mean_longitude,
            "segment_id_beg": segment,
            "segment_id_end": segment + self.crossings.length - 1,
            "rgt": self.track.granule.rgt + orbit,
            "cycle": cycle,
            "cycle_number": cycle,
            "transect_id": self.crossings.transect[self.start : self.stop] + 1,
        }

    def _body(self) -> ArraysByName:
        cells = self._cells
        kind = np.where(cells % _RESERVOIRS == 0, _RESERVOIR, _LAKE)
        area = np.pi * self._lakes.radius[cells] ** 2
        size = len(_AREAS) + 1 - np.searchsorted(_AREAS, area, side="right")
        source = np.full(cells.shape, _HYDRO_LAKES)
        number = cells + 1
        reference = (kind * 100 + size * 10 + source) * 10_000_000 + number
        return {
            "inland_water_body_id": number,
            "inland_water_body_type": kind,
            "inland_water_body_size": size,
            "inland_water_body_source": source,
            "inland_water_body_region": np.floor(self._lakes.latitude[cells] + 90) // _BASIN + 1,
            "atl13refid": reference,
        }

    def _surface(self, latitude: Floats, longitude: Floats) -> ArraysByName:
        waves = self._lakes.waves[self._cells]
        error = waves / np.sqrt(_PHOTONS) + 0.01
        level = lake_level(latitude, longitude, self.track.granule.cycle_number)
        height = level + self._normal("ht_ortho", error)
        geoid, _ = geoid_height(latitude, longitude)
        return {
            "ht_ortho": height,
            "ht_water_surf": height + geoid,
            "segment_geoid": geoid,
            "err_ht_water_surf": error,
            "stdev_water_surf": waves,
            "significant_wave_ht": _WAVE_HEIGHT * waves,
            "segment_slope_trk_bdy": self._normal("slope", 2e-6),
            "err_slope_trk": self._constant(2e-6),
            "segment_dem_ht": self._lakes.level[self._cells] + geoid,
        }

    def _water(self, latitude: Floats, longitude: Floats) -> ArraysByName:
        seen = self._uniform("bottom") < _BOTTOM_SEEN

        def where_seen(values: float | Floats) -> Floats:
            return np.where(seen, values, np.nan)

        return {
            "water_depth": where_seen(1 + 9 * self._uniform("depth")),
            "bottom_lat": where_seen(latitude),
            "bottom_lon": where_seen(longitude),
            "qf_subsurf_anomaly": where_seen(1.0),
            "subsurface_attenuation": 0.1 + 0.4 * self._uniform("attenuation"),
        }

    def _models(self, time: Floats, latitude: Floats, longitude: Floats) -> ArraysByName:
        sea = tides(time, latitude, longitude, self._lakes.level[self._cells])
        return {
            "segment_dac": sea["dac"],
            "segment_tide_ocean": sea["tide_ocean"],
            "segment_tide_equilibrium": sea["tide_equilibrium"],
            "met_wind10_atl13": np.abs(self._normal("wind", 5.0)),
        }

    def _quality(self, time: Floats, latitude: Floats, longitude: Floats) -> ArraysByName:
        elevation, _ = solar_position(time, latitude, longitude)
        cloudy = self._uniform("cloud") < _CLOUDY
        background = np.searchsorted(_RATES, background_rate(elevation))
        length = self.crossings.length * SEGMENT_LENGTH
        size = self.crossings.size[self.start : self.stop]
        none = self._constant(0)
        return {
            "ice_flag": none,
            "qf_bckgrd": background,
            "qf_bias_em": np.where(self._lakes.waves[self._cells] > 0.1, -1, 0),
            "qf_bias_fit": none,
            "qf_cloud": cloudy,
            "cloud_flag_asr_atl09": np.where(cloudy, 4, 0),
            "qf_ice": np.where(background <= 2, 0, np.where(background <= 4, 1, 2 + cloudy)),
            "qf_iwp": np.searchsorted(_TRANSECTS, size, side="right") + 1,
            "qf_lseg_length": np.searchsorted(_LONG, size * length),
            "qf_sseg_length": self._constant(float(np.searchsorted(_SHORT, length))),
            "qf_spec_width": none,
            **self._photons(),
        }

    def _photons(self) -> ArraysByName:
        count = np.maximum(_PHOTONS + self._normal("photons", 10.0), 1).round()
        afterpulses = np.floor(count * _AFTERPULSES * self._uniform("afterpulses"))
        none = self._constant(0)
        return {
            "sseg_sig_ph_cnt": count,
            "segment_quality": np.stack([count - afterpulses, afterpulses, none, none], axis=1),
        }
