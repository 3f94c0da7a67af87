"""A class counted again from the files that the LMS and the staff wrote, by a program that knows nothing of the grader.

    python -I -S recount.py QUIZ REPORT.csv CLASS.json DECIDED.json STUDENT... > totals.json

It reads the quiz's own files (written as JSON), the LMS's report, the class file, and what the teaching staff decided
(the key by question, rulings, floors of hold-harmless), and prints for each student the exact total and the points of
each question as fractions, as docs/grading.md says. The credit rule is `net-correct`. `-I -S` leaves it nothing to
import but Python's own library.
"""

import csv
import json
import re
import sys
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

SIS_ID, SUBMITTED, ATTEMPT = 2, 6, 7
"""Columns of a report with all attempts, in every language."""


def read_json(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


def ticks(cell, question):
    """The letters that a cell stands for: texts joined by commas, those within a text written with a backslash."""
    texts = {letter: option["text"] for letter, option in question["options"].items()}
    if question["choose"] == "one":
        return {letter for letter, text in texts.items() if text == cell}
    return joined(cell, {letter: text.replace(",", "\\,") for letter, text in texts.items()}) if cell else set()


def joined(cell, texts):
    """The letters whose texts, each used once, make up the cell; None if none do."""
    for letter, text in texts.items():
        if cell == text:
            return {letter}
        if cell.startswith(text + ","):
            rest = joined(cell[len(text) + 1 :], {other: texts[other] for other in texts if other != letter})
            if rest is not None:
                return {letter, *rest}
    return None


def attempts_of(report, questions):
    """By student: the number of each attempt, when it was handed in, and what was ticked."""
    with Path(report).open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    columns = [at for at, name in enumerate(header) if re.match(r"\d+: ", name)]
    found = {}
    for row in rows:
        at = datetime.strptime(row[SUBMITTED].replace("UTC", "+0000"), "%Y-%m-%d %H:%M:%S %z")
        ticked = {q["id"]: ticks(row[column], q) for q, column in zip(questions, columns, strict=True)}
        found.setdefault(row[SIS_ID], []).append((int(row[ATTEMPT]), at, ticked))
    return found


def share(choose, correct, ticked):
    """What the ticks earn of a question under net-correct; a choose-one question is right or wrong."""
    if choose == "one":
        return Fraction(bool(ticked) and ticked <= correct)
    right, wrong = len(ticked & correct), len(ticked - correct)
    return max(Fraction(0), Fraction(right - wrong, len(correct))) if correct else Fraction(0)


def ruled_share(question, correct, ticked, ruling):
    """The same where something was decided after the fact; nobody has less by it than without."""
    choose = question["choose"]
    if ruling.get("everyone"):
        return Fraction(1)
    if not ticked:
        return Fraction(0)
    out, free = set(ruling.get("disregard", "")), set(ruling.get("always_correct", ""))
    seen = (ticked if choose == "one" else ticked | free) - out
    return max(share(choose, correct, ticked), share(choose, (correct | free) - out, seen))


def recount(quiz_folder, report, class_file, decided_file, students):
    """Total and points by question of each student."""
    quiz, known, decided = read_json(Path(quiz_folder) / "quiz.yaml"), read_json(class_file), read_json(decided_file)
    questions = [read_json(Path(quiz_folder) / name) for name in quiz["questions"]]
    grace = timedelta(seconds=quiz["regulations"]["late_grace_seconds"])
    extended = {extension["student"]: extension["until"] for extension in known["extensions"]}
    punished = {violation["student"] for violation in known["violations"]}
    attempts, result = attempts_of(report, questions), {}
    for student in students:
        deadline = datetime.fromisoformat(extended.get(student, quiz["deadline"])) + grace
        in_time = [attempt for attempt in attempts[student] if attempt[1] <= deadline]
        ticked = max(in_time, key=lambda attempt: attempt[0])[2] if in_time else {q["id"]: set() for q in questions}
        points = {}
        for question in questions:
            name, ruling = question["id"], decided["rulings"].get(question["id"], {})
            earned = ruled_share(question, set(decided["key"][name]), ticked[name], ruling) if in_time else Fraction(0)
            points[name] = earned * Fraction(str(question["points"]))
        total = Fraction(0) if student in punished else sum(points.values())
        total = max(total, Fraction(decided["floors"].get(student, "0")))
        result[student] = {"total": str(total), "points": {name: str(value) for name, value in points.items()}}
    return result


if __name__ == "__main__":
    json.dump(recount(*sys.argv[1:5], sys.argv[5:]), sys.stdout)
