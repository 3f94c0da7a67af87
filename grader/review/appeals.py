"""Appeals about one option: the evidence, what would have to change, the effect on the class, and the decision.

An appeal can be accepted in two ways, and both are worked out before it is decided: the option counts as right *also*
(nobody loses), or the key says the opposite of it *instead* (who loses is named). Packets are kept beside the result
that holds the key, one for each appeal, decided once, every step in the ledger; an accepted one comes with the change
file for `regrade`, which is one that `regrade` takes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_args

import yaml
from pydantic import BaseModel, Field, ValidationError

from basics.errors import InputError, Problem
from basics.files import read_bytes, write_whole
from basics.folders import staging
from basics.messages import Message, say, together
from basics.suggestions import did_you_mean
from basics.yaml_source import read, validate
from grader.feedback.letter import letter
from grader.feedback.wording import work_out
from grader.feedback.writing import file_names
from grader.marking import ledger
from grader.marking.grading import Grades, StudentRecord
from grader.marking.run_record import RunRecord, parse_run, record_path
from grader.marking.scoring import rounded
from grader.marking.student_lines import Points, letters
from grader.quiz.commands import about_run
from grader.quiz.spec import Question, QuizBook
from grader.review.regrade import (
    SHOWN,
    Changes,
    StudentChange,
    changed_questions,
    compare,
    questions_under,
    regrade,
)
from grader.review.sensitivity import flipped
from grader.verdicts.decisions import Decisions, Override, Ruling, contradictions, standing
from grader.verdicts.judge import Comparison
from grader.verdicts.key import AnswerKey
from grader.verdicts.sentences import Teller

if TYPE_CHECKING:
    from rich.console import Console


Decision = Literal["accepted", "rejected"]
Way = Literal["also", "instead"]
WAYS: tuple[Way, ...] = get_args(Way)
VERDICTS = {
    "supported": say("supported"),
    "refuted": say("refuted"),
    "inconclusive": say("inconclusive"),
}


@dataclass(frozen=True)
class Appeal:
    """Who appeals about what; `decision`, `way` and `reason` are empty while the appeal is open."""

    question: str
    letter: str
    student: str
    decision: Decision | None = None
    way: Way | None = None
    reason: str = ""
    by: str = ""


@dataclass(frozen=True)
class Offer:
    """One way to accept an appeal: the change file that does it, and the class under it; or why it cannot be had."""

    changes: Changes
    grades: Grades | None = None
    differences: tuple[StudentChange, ...] = ()
    obstacles: tuple[Problem, ...] = ()

    @property
    def decision(self) -> Override | Ruling:
        """What the change file decides."""
        return self.changes.overrides[0] if self.changes.overrides else self.changes.rulings[0]


def offers(run: RunRecord, book: QuizBook, appeal: Appeal, pending: Decisions = ()) -> dict[Way, Offer]:
    """Both ways to accept the appeal, worked out as `regrade` would.

    `pending` are decisions on other appeals that the run does not carry yet: what is accepted now must go with them.
    """
    return {way: _offer(run, book, appeal, way, pending) for way in WAYS}


def _offer(run: RunRecord, book: QuizBook, appeal: Appeal, way: Way, pending: Decisions) -> Offer:
    changes = _changes(run, book.question(appeal.question), appeal, way)
    when = datetime.now(UTC).replace(microsecond=0)
    made = changes.decisions(book, when, "strict")
    decisions = (*run.decisions, *made)
    obstacles = list(contradictions(decisions)) or list(contradictions((*run.decisions, *pending, *made)))
    nothing_right = any(not override.correct for override in changes.overrides)
    if nothing_right and book.question(appeal.question).choose == "one":
        obstacles = [
            Problem(appeal.question, say("no option would be right"), say("accept it as also right, or override"))
        ]
    if obstacles:
        return Offer(changes, obstacles=tuple(obstacles))
    grades = regrade(run, book, changes, decisions, questions_under(run, book, decisions))
    differences = compare(run.totals, grades.totals(), changed_questions(run, grades))
    return Offer(changes, grades, tuple(differences))


def _changes(run: RunRecord, question: Question, appeal: Appeal, way: Way) -> Changes:
    """The change file that accepts the appeal in this way."""
    correct = run.correct[question.id] or frozenset()
    whose = f"{appeal.student} about {appeal.letter}"
    reason = appeal.reason or f"appeal of {whose}"
    when = datetime.now(UTC).replace(microsecond=0) if appeal.decision else None
    said: dict[str, Any] = {"question": question.id, "reason": reason, "by": appeal.by, "appeal": whose, "when": when}
    if way == "instead":
        earlier = [n for n, d in standing(run.decisions) if d.what == "override" and d.question == question.id]
        other = tuple(sorted(flipped(question, correct, appeal.letter)))
        return Changes(reason=reason, overrides=(Override(**said, correct=other, replaces=tuple(earlier)),))
    if question.choose == "one" and appeal.letter in correct:
        return Changes(reason=reason, rulings=(Ruling(**said, everyone=True),))
    return Changes(reason=reason, rulings=(Ruling(**said, always_correct=(appeal.letter,)),))


def packet(run: RunRecord, grades: Grades, key: AnswerKey, appeal: Appeal, made: Mapping[Way, Offer]) -> dict[str, Any]:
    """Everything about the appeal as JSON data. The question must be settled and the student in the result."""
    book = grades.scorer.book
    question = book.question(appeal.question)
    entry = key.question(question.id)
    verdict = entry.verdicts[appeal.letter]
    told = Teller.of(book.folder).tell(question.options[appeal.letter], verdict)
    now = datetime.now(UTC)
    return {
        "question": question.id,
        "option": appeal.letter,
        "text": question.options[appeal.letter].text,
        "student": appeal.student,
        "opened": now.isoformat(timespec="seconds"),
        "within_revision_window": _within(now, book.quiz.revision_until),
        "key": {"digest": key.digest, "correct": letters(grades.scorer.key[question.id] or frozenset())},
        "evidence": {
            "verdict": verdict.state,
            "sources": list(verdict.sources),
            "why": told.lines,
            "grounds": list(told.numbers),
            "override": entry.override.model_dump(mode="json") if entry.override else None,
            "ruling": entry.ruling.model_dump(mode="json") if entry.ruling else None,
        },
        "what_would_change_it": [change for ground in verdict.grounds for change in would_change(ground)],
        "if_accepted": {way: _effect(run, grades, appeal, offer) for way, offer in made.items()},
        "decision": _decision(appeal, now),
        "change_file": change_file(made[appeal.way].changes) if appeal.way and appeal.decision == "accepted" else None,
    }


def _effect(run: RunRecord, grades: Grades, appeal: Appeal, offer: Offer) -> dict[str, Any]:
    """What accepting the appeal in one way does: the decision, who gains, and who loses by name."""
    n = len(grades.records)
    losers = [change for change in offer.differences if change.change < 0]
    moved = sum((change.change for change in offer.differences), Fraction(0))
    index = list(run.key.questions).index(appeal.question)
    return {
        "decides": say("{question}, {effect}", question=appeal.question, effect=offer.decision.effect),
        "correct": letters(offer.grades.scorer.key[appeal.question] or frozenset()) if offer.grades else None,
        "replaces": [run.decisions[number - 1].told(number) for number in offer.decision.replaces],
        "not_possible": [say("{where}: {what}", where=problem.where, what=problem.what) for problem in offer.obstacles],
        "students_changed": len(offer.differences),
        "gain": sum(1 for change in offer.differences if change.change > 0),
        "lose": len(losers),
        "losers": [{"student": c.student_id, "old": rounded(c.old), "new": rounded(c.new)} for c in losers],
        "n": n,
        "mean_change": rounded(moved / n, 3) if n else None,
        "this_student": _for_student(grades, offer.grades, appeal.student, index),
    }


def would_change(comparison: Comparison) -> list[Message]:
    """What a measurement would have to be for the comparison to come out otherwise."""
    dissent = ", ".join(f"{m.name} = {m.value} ({m.source}: {m.locator})" for m in comparison.dissent)
    found = [say("the other source were right: {values}", values=dissent)] if dissent else []
    names = together((m.name for m in comparison.measurements), say(" and "))
    if comparison.state == "inconclusive":
        return [
            *found,
            say("{measurements} were known well enough: {reason}", measurements=names, reason=comparison.reason),
        ]
    if comparison.gap is None:
        facts = ", ".join(str(m.value) for m in comparison.measurements)
        return [*found, say("{measurements} were another fact than {facts}", measurements=names, facts=facts)]
    moved = say(
        "{measurements} moved by more than {needed:.4g} ({gap:.4g} to the threshold, and the margin)",
        measurements=names,
        needed=comparison.gap + comparison.margin,
        gap=comparison.gap,
    )
    return [*found, moved]


def change_file(changes: Changes) -> str:
    """The change file that carries the decision into a regrade."""
    data = changes.model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump({"reason": changes.reason, **data}, sort_keys=False, allow_unicode=True)


def record_of(grades: Grades, student: str) -> StudentRecord | None:
    """The student's record, or None."""
    return next((record for record in grades.records if record.student_id == student), None)


def _for_student(grades: Grades, then: Grades | None, student: str, index: int) -> dict[str, Any]:
    """The appellant's points and total, now and then."""
    record, after = record_of(grades, student), record_of(then, student) if then else None
    kept = record.decision.kept if record else None
    chosen = kept.chosen[index] if kept else None
    if record is None or chosen is None:
        return {"ticked": None, "points": None, "points_then": None}
    question, scorer = grades.scorer.book.questions[index], grades.scorer
    now = work_out(question, scorer.key[question.id], chosen, scorer.rule, scorer.rulings.get(question.id))
    return {
        "ticked": letters(chosen),
        "points": now.points,
        "arithmetic": now.formula,
        "points_then": Points(then)[after.units[index]] if then and after else None,
        "total": rounded(grades.total(record)),
        "total_then": rounded(then.total(after)) if then and after else None,
    }


def _within(now: datetime, until: datetime | None) -> bool | None:
    return None if until is None else now <= until


def _decision(appeal: Appeal, now: datetime) -> dict[str, Any] | None:
    if appeal.decision is None:
        return None
    return {
        "outcome": appeal.decision,
        "as": appeal.way,
        "reason": appeal.reason,
        "by": appeal.by,
        "time": now.isoformat(timespec="seconds"),
    }


FOLDER = ledger.APPEALS
FORMAT: Final = 1
MOST_BYTES = 1 << 26
SHORTEST_REASON = 8
SHORTEST_ID = 5


def handle_appeal(run: RunRecord, grades: Grades, key: AnswerKey, appeal: Appeal, result: Path) -> dict[str, Any]:
    """Write the packet of an appeal, with its decision if there is one.

    Raises InputError for an unknown student or option, an unsettled question, a decision without a reason or a way,
    one that cannot hold beside what was decided already, and for an appeal that has been decided.
    """
    if problems := _problems(grades, appeal):
        raise InputError(problems)
    out = result if result.is_dir() else result.parent
    ledger.need_recorded(out, _is_appeal)
    names = file_names([record.student_id for record in grades.records])
    name = f"{FOLDER}/{appeal.question}-{appeal.letter}-{names[appeal.student]}"
    made = offers(run, grades.scorer.book, appeal, _pending(out / FOLDER, run, grades.scorer.book))
    if appeal.decision == "accepted":
        _need_possible(appeal, made)
    data = packet(run, grades, key, appeal, made)
    texts = {f"{name}.yaml": data["change_file"]} if data["change_file"] else {}
    if appeal.decision:
        texts[f"{name}.md"] = _letter(run, grades, appeal, data, made)
    files = [f"{name}.json", *texts]
    outcome = appeal.decision or "opened"
    known = {"key": key.digest, "question": appeal.question, "option": appeal.letter, "outcome": outcome}
    with staging(out) as stage:

        def write() -> None:
            data["opened"] = _opened(out / files[0]) or data["opened"]
            packed = json.dumps({"format": FORMAT} | data, indent=1, ensure_ascii=False) + "\n"
            for file, text in {files[0]: packed, **texts}.items():
                write_whole(stage.file(file), text.encode())
            ledger.record(stage, ledger.APPEAL, known, files)

        stage.commit(write)
    return data | {"written": [str(out / file) for file in files]}


def _letter(run: RunRecord, grades: Grades, appeal: Appeal, data: dict[str, Any], made: Mapping[Way, Offer]) -> str:
    """The letter to the student, in the languages of the class's feedback."""
    decision = made[appeal.way].decision if appeal.way and appeal.decision == "accepted" else None
    effect = (
        "everyone" if isinstance(decision, Ruling) and decision.everyone else (appeal.way or "") if decision else ""
    )
    record, book = record_of(grades, appeal.student), grades.scorer.book
    name = record.name if record else ""
    return letter(book.quiz, book.question(appeal.question), name, data, effect, run.class_file.feedback)


class Outcome(BaseModel):
    """The decision on an appeal as its packet has it."""

    outcome: Decision
    way: Annotated[Way | None, Field(alias="as")] = None
    by: str = ""
    reason: str = ""
    time: str


class Packet(BaseModel):
    """What a list of appeals tells of each; packets hold more. Those of an earlier version have no format."""

    format: Literal[1] = FORMAT
    question: str
    option: str
    student: str
    opened: str
    decision: Outcome | None

    @property
    def said(self) -> Message:
        """Where the appeal stands, in words."""
        return say("open") if self.decision is None else outcome_in_words(self.decision.outcome, self.decision.way)


def outcome_in_words(outcome: Decision, way: Way | None) -> Message:
    """A decision on an appeal, and how it was accepted."""
    told = say("accepted") if outcome == "accepted" else say("rejected")
    if way is None:
        return told
    as_also, as_instead = say("{outcome} as also right", outcome=told), say("{outcome} as instead right", outcome=told)
    return as_also if way == "also" else as_instead


def _is_appeal(name: str) -> bool:
    return name.startswith(f"{FOLDER}/")


def _packet(path: Path) -> Packet:
    try:
        return Packet.model_validate_json(read_bytes(path, most=MOST_BYTES))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        what = say("is not the packet of an appeal: {place} {error}", place=place, error=first["msg"])
        raise InputError(
            Problem(str(path), what, say("restore it (the ledger keeps every version under objects/)"))
        ) from None


def _opened(path: Path) -> str | None:
    """When the appeal at `path` was opened, or None. Raises InputError if it has been decided."""
    if not path.exists():
        return None
    earlier = _packet(path)
    if earlier.decision:
        outcome, time = outcome_in_words(earlier.decision.outcome, None), earlier.decision.time
        what = say("was {outcome} on {time}", outcome=outcome, time=time)
        raise InputError(
            Problem(str(path), what, say("a decided appeal is not changed; regrade, or appeal anew elsewhere"))
        )
    return earlier.opened


def list_appeals(result: Path) -> list[dict[str, Any]]:
    """The appeals beside a run, the open ones first, each with the files that were written for it.

    Raises InputError with every packet that cannot be read.
    """
    parse_run(result)
    folder = record_path(result).parent / FOLDER
    found: list[tuple[Path, Packet]] = []
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.json")):
        try:
            found.append((path, _packet(path)))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    ledger.need_recorded(folder.parent, lambda name: name == ledger.RESULT or _is_appeal(name))
    found.sort(key=lambda pair: (pair[1].decision is not None, pair[1].opened))
    return [
        {
            **packet.model_dump(mode="json", by_alias=True, exclude={"format"}),
            "status": packet.said,
            "files": [
                str(file) for file in (path.with_suffix(end) for end in (".json", ".md", ".yaml")) if file.exists()
            ],
        }
        for path, packet in found
    ]


def show_appeals(out: Console, appeals: Sequence[dict[str, Any]]) -> None:
    """The list for people."""
    for appeal in appeals:
        decision = appeal["decision"]
        when = say("opened {date}", date=appeal["opened"][:10])
        if decision:
            when = say("decided {date}", date=decision["time"][:10])
            when = say("{decided}, {by}", decided=when, by=decision["by"]) if decision["by"] else when
        line = together((f"{appeal['question']} {appeal['option']}", appeal["student"], appeal["status"], when), "  ")
        out.print(line, soft_wrap=True)
        for file in appeal["files"][1:]:
            told = say("letter: {path}", path=file) if file.endswith(".md") else say("changes: {path}", path=file)
            out.print("    " + told, soft_wrap=True)
    waiting = sum(1 for appeal in appeals if appeal["decision"] is None)
    out.print(say("{n} appeals, {open} of them open", n=len(appeals), open=waiting))


def _pending(folder: Path, run: RunRecord, book: QuizBook) -> Decisions:
    """What was decided on the appeals of this run and is in no run yet."""
    files = sorted(folder.glob("*.yaml"))
    found = [validate(Changes, read(path)) for path in files]
    return tuple(d for changes in found for d in changes.decisions(book, run.graded, "strict"))


def _need_possible(appeal: Appeal, made: Mapping[Way, Offer]) -> None:
    """Raises InputError unless the way is named in which the appeal is accepted, and can be had."""
    if appeal.way is None:
        losers = [c for c in made["instead"].differences if c.change < 0]
        named = ", ".join(f"{c.student_id} {rounded(c.old)} -> {rounded(c.new)}" for c in losers[:SHOWN])
        lose = say("nobody loses")
        if losers:
            lose = say("{n} lose: {students}", n=len(losers), students=named + ", …" * (len(losers) > SHOWN))
        what = say("needs the way: as also right (nobody loses), or as right instead ({losers})", losers=lose)
        raise InputError(Problem("--decision accepted", what, say("say --as also or --as instead")))
    if obstacles := made[appeal.way].obstacles:
        raise InputError(obstacles)


def _problems(grades: Grades, appeal: Appeal) -> list[Problem]:
    book = grades.scorer.book
    question = book.question(appeal.question)
    problems = []
    if appeal.letter not in question.options:
        what = say("is not in {question}", question=question.id)
        where = say("option {letter}", letter=appeal.letter)
        problems.append(Problem(where, what, did_you_mean(appeal.letter, question.options)))
    if grades.scorer.key[question.id] is None:
        problems.append(
            Problem(question.id, say("is not settled, there is no verdict to appeal against"), say("settle it"))
        )
    if record_of(grades, appeal.student) is None:
        known = [record.student_id for record in grades.records]
        where = say("student {student}", student=appeal.student)
        problems.append(Problem(where, say("is not in the result"), did_you_mean(appeal.student, known)))
    if appeal.decision and len(appeal.reason) < SHORTEST_REASON:
        problems.append(
            Problem("--decision", say("needs a reason that can be read later"), say("give it with --reason"))
        )
    if others := [r.student_id for r in grades.records if r.student_id != appeal.student and _names(appeal.reason, r)]:
        what = say(
            "names {other_students}: the letter to {student} repeats it",
            other_students=", ".join(others[:SHOWN]),
            student=appeal.student,
        )
        problems.append(Problem("--reason", what, say("leave other students out of it")))
    return problems


def _names(reason: str, other: StudentRecord) -> bool:
    """Whether a text names a student: by an id that is no plain word, or by a name that is more than one."""
    student, name = other.student_id, other.name
    by_id = any(c.isdigit() for c in student) and len(student) >= SHORTEST_ID
    telling = len(name) > 1 and (" " in name or not name.isascii())
    return (by_id and re.search(rf"(?<!\w){re.escape(student)}(?!\w)", reason, re.I) is not None) or (
        telling and name.casefold() in reason.casefold()
    )


def show_appeal(out: Console, data: dict[str, Any]) -> None:
    """The packet for people."""
    out.print(f"{data['question']} {data['option']}: {data['text']}", style="bold")
    verdict, correct = VERDICTS[data["evidence"]["verdict"]], data["key"]["correct"]
    out.print(say("verdict: {verdict}; key {key}", verdict=verdict, key=correct or say("none")))
    for ground in data["evidence"]["grounds"]:
        out.print(together(("  ", ground), ""))
    out.print(say("It would come out otherwise if"))
    for change in data["what_would_change_it"]:
        out.print(together(("  ", change), ""))
    for way, effect in data["if_accepted"].items():
        _show_effect(out, way, effect, data["student"])
    if data["within_revision_window"] is False:
        out.print(say("the revision window is over"), style="yellow")
    if decision := data["decision"]:
        outcome = outcome_in_words(decision["outcome"], decision["as"])
        out.print(say("{outcome}: {reason}", outcome=outcome, reason=decision["reason"]), style="bold")
    for path in data["written"]:
        out.print(say("written: {path}", path=path))
    for path in (path for path in data["written"] if path.endswith(".yaml")):
        carry = about_run("regrade", Path(path).parent.parent, path, "--out", "NEW")
        out.print(say("then: {command}", command=carry), soft_wrap=True)


def _show_effect(out: Console, way: str, effect: dict[str, Any], who: str) -> None:
    head = say("if accepted as also right: {decision}", decision=effect["decides"])
    if way == "instead":
        head = say("if accepted as instead right: {decision}", decision=effect["decides"])
    out.print(head, style="bold")
    for obstacle in effect["not_possible"]:
        out.print("  " + say("cannot be had: {reason}", reason=obstacle), style="yellow")
    if effect["not_possible"]:
        return
    for decision in effect["replaces"]:
        out.print("  " + say("in place of {decision}", decision=decision), style="yellow")
    counts = say(
        "{gain} of {n} students gain, {lose} lose; mean change {mean_change}",
        gain=effect["gain"],
        n=effect["n"],
        lose=effect["lose"],
        mean_change=effect["mean_change"],
    )
    out.print("  " + counts)
    for loser in effect["losers"][:SHOWN]:
        line = say("loses: {student} {old} -> {new}", student=loser["student"], old=loser["old"], new=loser["new"])
        out.print("    " + line)
    if effect["lose"] > SHOWN:
        out.print("    " + say("and {n} more, all in --json", n=effect["lose"] - SHOWN))
    student = effect["this_student"]
    if student["points"] is not None:
        line = say(
            "{student} ticked {ticked}: {points} -> {points_then} points, total {total} -> {total_then}",
            student=who,
            ticked=student["ticked"] or say("nothing"),
            points=student["points"],
            points_then=student["points_then"],
            total=student["total"],
            total_then=student["total_then"],
        )
        out.print("  " + line)
