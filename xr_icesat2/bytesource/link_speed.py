"""What a request costs, as observed: time to the first byte, and bytes a second after that."""

from dataclasses import dataclass

__all__ = ["Cost", "Observed"]

SMALL = 64 << 10
"""Bytes up to which a request's time is taken for latency."""


@dataclass(frozen=True, slots=True)
class Cost:
    """A link to a place, in the simplest terms that decide how to read from it."""

    latency: float
    """Seconds to the first byte of an answer."""
    bandwidth: float
    """Bytes a second of all connections together."""

    @property
    def round_trip(self) -> int:
        """Bytes that take as long to come as an answer takes to begin."""
        return int(self.latency * self.bandwidth)


class Observed:
    """What the requests to one place took so far.

    Parameters
    ----------
    prior : Cost
        Taken for granted until something is known.
    """

    def __init__(self, prior: Cost) -> None:
        self._prior = prior
        self._latency: float | None = None
        self._bandwidth: float | None = None

    @property
    def cost(self) -> Cost:
        """The least latency and the greatest bandwidth seen: what the link can do."""
        return Cost(
            self._prior.latency if self._latency is None else self._latency,
            self._prior.bandwidth if self._bandwidth is None else self._bandwidth,
        )

    def note(self, nbytes: int, seconds: float) -> None:
        """Take note of a burst: all of its requests were under way at once."""
        if nbytes <= SMALL:
            self._latency = min(seconds, self._latency or seconds)
            return
        moving = max(seconds - self.cost.latency, seconds / 10)
        self._bandwidth = max(nbytes / moving, self._bandwidth or 0.0)
