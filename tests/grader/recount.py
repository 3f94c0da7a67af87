"""A class counted again from what docs/grading.md says, by a program that knows nothing of the grader.

    python -I -S recount.py < class.json > totals.json

It reads the quiz (points, choose, options), the class (what each student ticked and when), the regulations and what the
teaching staff decided, and prints for each student the exact total and the points of each question, both as fractions.
The credit rule is `net-correct`. `-I -S` leaves it nothing to import but Python's own library.
"""

import json
import sys
from datetime import datetime, timedelta
from fractions import Fraction


def counted_attempt(attempts, deadline, grace):
    """The latest attempt that came in time; None if none did."""
    in_time = [a for a in attempts if datetime.fromisoformat(a["submitted"]) <= deadline + timedelta(seconds=grace)]
    return max(in_time, key=lambda a: a["number"], default=None)


def share(choose, correct, ticked):
    """What the ticks earn of a question under net-correct; a choose-one question is right or wrong."""
    if choose == "one":
        return Fraction(bool(ticked) and ticked <= correct)
    right, wrong = len(ticked & correct), len(ticked - correct)
    return max(Fraction(0), Fraction(right - wrong, len(correct))) if correct else Fraction(0)


def ruled_share(question, ticked, ruling):
    """The same where something was decided after the fact; nobody has less by it than without."""
    correct, choose = set(question["correct"]), question["choose"]
    if ruling.get("everyone"):
        return Fraction(1)
    if not ticked:
        return Fraction(0)
    out, free = set(ruling.get("disregard", "")), set(ruling.get("always_correct", ""))
    asked = share(choose, correct, ticked)
    seen = (ticked if choose == "one" else ticked | free) - out
    return max(asked, share(choose, (correct | free) - out, seen))


def recount(data):
    """Total and points by question of each student."""
    result = {}
    for student, attempts in data["class"].items():
        deadline = datetime.fromisoformat(data["extensions"].get(student, data["deadline"]))
        kept = counted_attempt(attempts, deadline, data["grace"])
        points = {}
        for name, question in data["quiz"].items():
            ruling = data["rulings"].get(name, {})
            earned = ruled_share(question, set(kept["ticked"][name]), ruling) if kept else Fraction(0)
            points[name] = earned * Fraction(str(question["points"]))
        total = sum(points.values()) * Fraction(data["factors"].get(student, "1"))
        total = max(total, Fraction(data["floors"].get(student, "0")))
        result[student] = {"total": str(total), "points": {name: str(value) for name, value in points.items()}}
    return result


if __name__ == "__main__":
    json.dump(recount(json.load(sys.stdin)), sys.stdout)
