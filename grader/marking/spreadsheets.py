"""Writing CSV that people open in spreadsheets: nothing in a cell may run as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
"""First characters that make Excel, LibreOffice or Google Sheets evaluate a cell (OWASP, "CSV Injection")."""


def harmless(cell: str) -> str:
    """The cell with an apostrophe before a first character that would make it a formula."""
    return "'" + cell if cell.startswith(DANGEROUS) else cell


def csv_text(rows: Iterable[Sequence[str]], *, bom: bool = False) -> str:
    """CSV with `\\r\\n` line ends, as RFC 4180 wants it; cells are written as they are."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return ("\ufeff" if bom else "") + text.getvalue()
