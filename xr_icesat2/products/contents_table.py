"""Contents of a product or a granule, to print and to search: entries in sections."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatchcase
from html import escape

import pandas as pd

from xr_icesat2.messages import did_you_mean
from xr_icesat2.printable import printable
from xr_icesat2.text_table import align_columns, html_rows

__all__ = ["Contents", "Entry", "Section"]

_GAP = "  "
_PATTERN = frozenset("*?[")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One variable."""

    name: str
    """Below its section; slashes lead into groups."""
    dtype: str
    """numpy name of the dtype in the file, such as ``float32``."""
    dims: tuple[str, ...]
    units: str = ""
    standard_name: str = ""
    long_name: str = ""
    """The product's own name; printed where ``about`` is empty, and searched."""
    about: str = ""
    """Description in a few words."""
    releases: str = ""
    """Releases that have it, such as ``004-`` or ``-003``; empty: all. A trailing question mark: no
    granule with the variable was examined."""

    @property
    def cells(self) -> tuple[str, ...]:
        """Columns to print."""
        about = self.about or self.long_name
        about += f" [{self.releases}]" if self.releases else ""
        dims = f"({', '.join(self.dims)})"
        cells = (self.name, self.dtype, dims, self.units, self.standard_name, about)
        return tuple(map(_line, cells))


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Variables that go together: a rate, or a group of the file."""

    name: str
    """The rate's name, or the path of the group."""
    about: str = ""
    remarks: tuple[str, ...] = ()
    """Further lines to print."""
    folded: bool = False
    """Whether only the number of entries is printed."""
    entries: tuple[Entry, ...] = ()

    @property
    def title(self) -> str:
        """Name and description."""
        return _line(f"{self.name}: {self.about}" if self.about else self.name)

    def lines(self) -> Iterator[str]:
        """Yield it line by line."""
        if self.folded:
            yield f"{self.title} ({len(self.entries)})"
            return
        yield self.title
        yield from (_GAP + _line(remark) for remark in self.remarks)
        yield from (2 * _GAP + line for line in align_columns([e.cells for e in self.entries]))

    def html(self) -> str:
        """Return HTML that unfolds by a click."""
        rows = html_rows([entry.cells for entry in self.entries])
        unfolded = "" if self.folded else " open"
        return (
            f"<details{unfolded}><summary>{escape(self.title)} ({len(self.entries)})</summary>"
            f"{_html(self.remarks)}<table>{rows}</table></details>"
        )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Contents:
    """Contents of a product or a granule; iterates over the entries."""

    title: str
    remarks: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()

    def find(self, text: str) -> Contents:
        """Search the entries.

        Parameters
        ----------
        text
            Words that all occur in the section, the name, the units, the standard name or the
            words about a variable, in any case; or a pattern (``h_*``, ``*/canopy/*``) of its
            name with or without the section before it. The empty text finds all.

        Returns
        -------
        Contents
            The variables that fit, printed in full, or a line that none does.
        """
        sections = (
            replace(
                section,
                folded=False,
                entries=tuple(e for e in section.entries if _fits(section.name, e, text)),
            )
            for section in self.sections
        )
        found = tuple(section for section in sections if section.entries)
        remarks = self.remarks if found else (*self.remarks, self._nothing_found(text))
        return replace(self, remarks=remarks, sections=found)

    def to_dataframe(self) -> pd.DataFrame:
        """Return the variables as a pandas table, for filters that :meth:`find` does not have.

        Returns
        -------
        DataFrame
            One row for each variable: ``section``, ``name``, ``dtype``, ``dims`` (a tuple),
            ``units``, ``standard_name``, ``long_name``, ``about`` and ``releases``.
        """
        columns = ["section", *(field.name for field in fields(Entry))]
        rows = [
            (section.name, *(getattr(entry, column) for column in columns[1:]))
            for section in self.sections
            for entry in section.entries
        ]
        return pd.DataFrame(rows, columns=columns)

    def _nothing_found(self, text: str) -> str:
        names = (entry.name.rpartition("/")[2] for entry in self)
        return f"Nothing matches {text!r}.{did_you_mean(text, names)}"

    def __iter__(self) -> Iterator[Entry]:
        for section in self.sections:
            yield from section.entries

    def __len__(self) -> int:
        return sum(len(section.entries) for section in self.sections)

    def __repr__(self) -> str:
        lines = [_line(self.title), *(_GAP + _line(remark) for remark in self.remarks)]
        was_folded = False
        for section in self.sections:
            if not (section.folded and was_folded):
                lines.append("")
            was_folded = section.folded
            lines += section.lines()
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return self.html()

    def html(self) -> str:
        """Return HTML: a title, and sections that unfold."""
        sections = "".join(section.html() for section in self.sections)
        title = escape(_line(self.title))
        return f"<div><b>{title}</b>{_html(self.remarks)}{sections}</div>"


def _line(text: str) -> str:
    """Return a text as one line that is safe to print; files break long ones."""
    return printable(" ".join(text.split()))


def _html(remarks: Iterable[str]) -> str:
    return "".join(f"<div>{escape(_line(remark))}</div>" for remark in remarks)


def _fits(section: str, entry: Entry, text: str) -> bool:
    path = f"{section}/{entry.name}".lstrip("/")
    if _PATTERN & set(text):
        return fnmatchcase(entry.name, text) or fnmatchcase(path, text)
    searched = " ".join((path, entry.long_name, *entry.cells)).lower()
    return all(word in searched for word in text.lower().split())
