"""Cells that the TA told to leave out: exactly those, each with its reason, and none that is not there."""

from __future__ import annotations

from typing import Literal

from basics.errors import Problem
from grader.submissions.class_file import ClassFile

Row = int | Literal["all"]


class Skipper:
    """The class file's `skip` applied to one file. `told` says in words what was left out."""

    def __init__(self, class_file: ClassFile, file: str) -> None:
        self.file = file
        self.told: list[str] = []
        self.rows = frozenset(entry.row for entry in class_file.skip)
        self._waiting = {(entry.row, entry.cell): entry.reason for entry in class_file.skip}
        self._done: set[tuple[Row, str]] = set()

    def __call__(self, row: Row, cell: str) -> bool:
        """Whether this cell is to be left out."""
        if row not in self.rows or (row, cell) not in self._waiting:
            return False
        if (row, cell) not in self._done:
            self._done.add((row, cell))
            self.told.append(f"{self.file} row {row}, {cell}: {self._waiting[row, cell]}")
        return True

    def unused(self) -> list[Problem]:
        """A problem for each entry that fits no cell of the file: it was written for another one, or mistyped."""
        return [
            Problem(
                f"class file, skip row {row}, {cell}", f"fits nothing in {self.file}", "correct or remove the entry"
            )
            for row, cell in self._waiting
            if (row, cell) not in self._done
        ]
