"""Methods of ``ds.icesat2`` for the quality of rows, and for what to cite."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import xarray as xr

if TYPE_CHECKING:
    from .citation import CitationFormat

__all__ = ["QualityAndCitationMethods"]


class QualityAndCitationMethods:
    """Quality and citation of a Dataset, or of a tree."""

    _opened: xr.Dataset | xr.DataTree

    def cite(
        self,
        format: CitationFormat = "text",  # noqa: A002 - a common name
        *,
        accessed: str | dt.date | None = None,
    ) -> str:
        """Return the citations of the products and releases, as NSIDC asks for them.

        Citing the data with its version and DOI is a condition of their use. Products of which
        ``attach=`` added variables are included.

        Parameters
        ----------
        format : {"text", "bibtex"}
            Text of one paragraph for each release, or BibTeX entries.
        accessed : str or date, optional
            Date of access: a text is printed unchanged, a date as 2026-01-31. Default: the
            placeholder "Date Accessed".

        Returns
        -------
        str
            Authors, year, title, version, publisher and DOI. What is not known of a release
            (authors and year of some, the DOI of releases made before the first) is left out, and a
            note names the page at NSIDC that has it.

        Raises
        ------
        IdentityError
            Nothing says which product it is.
        SelectionError
            An unknown format.

        Examples
        --------
        >>> print(ds.icesat2.cite(accessed="2026-01-31"))
        """
        from .citation import cite  # noqa: PLC0415 - only where it is used

        return cite(self._nodes(), format, accessed)

    def quality(self, **settings: Any) -> xr.DataArray:
        """Return which rows are of good quality, by the rules of the product.

        A rule is a condition on one flag, taken from the document or the description that says
        what the flag means; all must be fulfilled. ``xr_icesat2.products[…].rates[…].quality``
        lists them, and the how-to guide *Select rows of good quality* shows them as a table.

        Parameters
        ----------
        **settings : number, list of numbers, str or None
            Another value for the variable of a rule, such as ``atl06_quality_summary=[0, 1]``;
            None ignores the rule. Of ATL03: ``confidence``, the lowest ``signal_conf_ph``
            (default 2, low); ``surface_type`` (``"land"``, ``"ocean"``, ``"seaice"``,
            ``"landice"`` or ``"inland_water"``), whose confidence counts (default: the highest of
            all); ``quality_ph`` (default 0, nominal).

        Returns
        -------
        DataArray
            bool, with the dimensions of the rows; ATL11 also has ``cycle``. False in padding and
            where a flag is missing. It is lazy: the flags are read when it is used, and of a
            Dataset of dask arrays it is one. The attributes ``rules`` and ``sources`` say what was
            applied.

        Raises
        ------
        RateError
            No rule is specified for the rate, the Dataset lacks a variable that a rule needs, or
            it is not one rate.
        SelectionError
            An unknown keyword or label, or a value that is not a number.

        Examples
        --------
        >>> ds["h_li"].where(ds.icesat2.quality())
        >>> photons.icesat2.quality(confidence=3, surface_type="landice")
        """
        from .quality_mask import quality_mask  # noqa: PLC0415 - only where it is used

        return quality_mask(self._opened, settings)

    def _nodes(self) -> Mapping[str, xr.Dataset]:
        """Return the Datasets by their paths, without inherited coordinates."""
        raise NotImplementedError
