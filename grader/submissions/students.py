"""Decides whose each row is, in every form of file: by its id, or by what is certain where that is empty or mangled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from basics.errors import Problem
from basics.messages import Message, say, together
from grader.submissions.class_file import ClassFile
from grader.submissions.identity import Directory, alike, mangled
from grader.submissions.roster import AS_TEXT, read_roster


class Students:
    """The students of one file while it is read. What cannot be told is a problem, what was told otherwise a note."""

    def __init__(
        self, file: str, class_file: ClassFile, where: Callable[[int], str], *, by_number: bool = False
    ) -> None:
        """`where` names a row for messages; `by_number`: the file has no ids but the LMS's numbers."""
        self.problems: list[Problem] = []
        self._file, self._where = file, where
        self._roster = Directory(read_roster(Path(class_file.roster)) if class_file.roster else {})
        self._no_sis_ids, self._by_number = class_file.no_sis_ids, by_number
        self._known: dict[tuple[str, str | None], str] = {}
        self._renamed: dict[str, str] = {}
        self._stood_in: dict[str, str] = {}

    def __call__(self, row: int, given: str, lms: str | None = None, name: str = "") -> str:
        """The student of a row that gives this id and, in a report of the LMS, this number of the LMS.

        An empty `given` is stood in for by the number where roster or class file say so.
        """
        known = self._known.get((given, lms))
        if not known:
            known = self._known[given, lms] = self._decide(row, given, lms, name)
        return known

    def finish(self) -> Iterator[Problem]:
        """What only the whole file shows: ids that are alike, numbers of two students, a confirmation in vain."""
        read = dict.fromkeys(student for student in self._known.values() if student)
        for a, b in alike(student for student in read if student not in self._roster.people):
            what = say(
                "the ids {id!r} and {other!r} differ only in what spreadsheets and keyboards change", id=a, other=b
            )
            yield Problem(self._file, what, say("write the student's id one way, or name a roster in the class file"))
        owners: dict[str, str] = {}
        for (_, lms), student in self._known.items():
            if lms and student and owners.setdefault(lms, student) != student:
                what = say(
                    "the LMS's number {number} is that of {other} and of {student}",
                    number=lms,
                    other=owners[lms],
                    student=student,
                )
                yield Problem(self._file, what, say("find out which account is meant, and skip the other rows"))
        if self._no_sis_ids is not None and not self._stood_in and not self._by_number:
            yield Problem(
                "class file, no_sis_ids", say("fits nothing: {file} has every id", file=self._file), say("remove it")
            )

    def notes(self) -> Iterator[Message]:
        """Students who were told otherwise than by their ids as they stand there."""
        if self._by_number:
            told = say("the file has no column sis_id: students go by the LMS's number")
            reason = self._no_sis_ids
            yield say("{note} (confirmed: {reason})", note=told, reason=reason) if reason else told
        for student, why in self._stood_in.items():
            yield say("{student} has no sis_id and goes by the LMS's number ({reason})", student=student, reason=why)
        for given, why in self._renamed.items():
            yield say("the id {id!r} is taken for {student}", id=given, student=why)

    def _decide(self, row: int, given: str, lms: str | None, name: str) -> str:
        if lms and (what := mangled(lms)):
            self._problem(row, say("the LMS's number {number!r} {problem}", number=lms, problem=what), AS_TEXT)
        if not given:
            return self._without(row, lms or "", name)
        if given in self._roster.people:
            if rival := self._roster.rival(given, name):
                what = say(
                    "the id {id!r} is that of {owner}, the name is that of {rival}",
                    id=given,
                    owner=self._roster.people[given],
                    rival=rival,
                )
                self._problem(row, what, say("find out whose row it is, and correct the id"))
            return self._by_roster(row, given, lms)
        if lms and lms in self._roster.lms:
            student = self._roster.lms[lms].student_id
            self._renamed[given] = say(
                "{student}, who has the LMS's number {number} on the roster", student=student, number=lms
            )
            return student
        if person := self._roster.certain(given, name):
            self._renamed[given] = say("{person}, whom alone on the roster it can mean", person=str(person))
            return self._by_roster(row, person.student_id, lms)
        what = mangled(given)
        if what or (self._roster.people and self._roster.likely(given)):
            wrong = what or say("is on the roster in another spelling, and not for certain")
            whose = say("the id {id!r} of {name}", id=given, name=name) if name else None
            found = say("{id} {wrong}", id=whose or say("the id {id!r}", id=given), wrong=wrong)
            remedy = say(
                "{suggestion}; {remedy}, or skip {{row: {row}, cell: student, reason: …}}",
                suggestion=self._roster.remedy(given, name)
                or say("name a roster in the class file, by which it may be told"),
                remedy=AS_TEXT,
                row=row,
            )
            self._problem(row, found, remedy)
        return given

    def _by_roster(self, row: int, student: str, lms: str | None) -> str:
        """The student, whose number of the LMS must be the roster's, where that has one."""
        on_roster = self._roster.people[student].lms_id
        if lms and on_roster and lms != on_roster:
            what = say(
                "student {student} has the LMS's number {number} here and {roster_number} on the roster",
                student=student,
                number=lms,
                roster_number=on_roster,
            )
            self._problem(row, what, say("find out which account is meant"))
        return student

    def _without(self, row: int, lms: str, name: str) -> str:
        """The student of a row without an id, by the LMS's number."""
        if lms in self._roster.lms:
            student = self._roster.lms[lms].student_id
            self._stood_in[student] = say("{number} on the roster", number=lms)
            return student
        if lms and (lms in self._roster.people or self._no_sis_ids is not None):
            on_roster = lms in self._roster.people
            confirmed = say("confirmed: {reason}", reason=self._no_sis_ids)
            self._stood_in[lms] = say("it is on the roster") if on_roster else confirmed
            return lms
        remedies = [say("a guest or test student: skip {{row: {row}, cell: student, reason: …}}", row=row)]
        if likely := [str(person) for person in self._roster.likely("", name)]:
            remedies.insert(0, say("perhaps {people}", people=together(likely, say(" or "))))
        if lms:
            remedies.append(
                say("if `id` is to stand in, no_sis_ids: reason in the class file (here {number})", number=lms)
            )
        self._problem(row, say("has no student id"), together(remedies))
        return ""

    def _problem(self, row: int, what: Message, remedy: Message) -> None:
        self.problems.append(Problem(self._where(row), what, remedy))
