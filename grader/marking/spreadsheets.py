"""CSV that people open in spreadsheets, `scores.csv` above all: nothing in a cell may run as a formula."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

from basics.csv_source import write_rows
from basics.files import writing_text
from grader.marking.grading import Grades
from grader.marking.student_lines import Points

SCORES = "scores.csv"
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
"""First characters that make Excel, LibreOffice or Google Sheets evaluate a cell (OWASP, "CSV Injection")."""


def harmless(cell: str) -> str:
    """The cell with an apostrophe before a first character that would make it a formula."""
    return "'" + cell if cell.startswith(DANGEROUS) else cell


def write_scores(path: Path, grades: Grades) -> None:
    """`student_id, q01 … qNN, total` in percent points; a cell is empty where nothing could be graded."""
    points = Points(grades)
    header = ["student_id", *(q.id for q in grades.scorer.book.questions), "total"]
    rows = (
        [harmless(record.student_id), *map(points.__getitem__, record.units), points.total(record)]
        for record in grades.records
    )
    with writing_text(path) as file:
        write_rows(file, chain([header], rows))
