"""Key, evidence cards and gathered evidence as people read them: tables in a terminal, plain text in a pipe."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from basics.errors import with_remedy
from basics.messages import Message, plural, say, spoken, together
from basics.terminal import prose, styled
from evaluators.display import number, value_of, wording
from evaluators.evidence import Measurement
from grader.quiz.claims import comparisons, names_of
from grader.quiz.commands import command
from grader.verdicts.decisions import DECIDED, Override, Ruling
from grader.verdicts.judge import State, Step, Verdict
from grader.verdicts.sentences import MEASURED, Teller, is_close

if TYPE_CHECKING:
    from evaluators.evidence import Evidence
    from evaluators.gathering import Missing
    from grader.quiz.spec import Question, QuizBook
    from grader.quiz.words import Language
    from grader.verdicts.citations import Citation
    from grader.verdicts.key import AnswerKey, QuestionKey
    from grader.verdicts.testimony import Gatherer, Number, Result, Testimony

MARK: dict[State, Message] = {"supported": say("yes"), "refuted": say("no"), "inconclusive": say("?")}
STYLE: dict[State, str] = {"supported": "bold green", "refuted": "red", "inconclusive": "yellow"}
INDENT = "    "
BESIDE = {
    "for": (say("beside the claim, for it, as the evidence shows:"), say("beside the claim, for it, not shown:")),
    "against": (say("against it, as the evidence shows:"), say("against it, not shown:")),
    "defeats": (say("would defeat it, as the evidence shows:"), say("would defeat it, not shown:")),
}
WIDEST = 60
"""Cells that are longer do not move the columns."""
FEW = 24
"""Up to as many measurements of a request are all shown."""


def show_key(
    out: Console,
    book: QuizBook,
    answer: AnswerKey,
    testimonies: Sequence[Testimony],
    *,
    brief: bool = False,
    language: Language = "en",
) -> None:
    """A line for each question, and unless `brief` each option with one sentence; then what would settle the rest."""
    teller = Teller.of(book.folder, language)
    out.print(Text.assemble((book.quiz.title, "bold"), spoken(say("   key {digest}", digest=answer.digest[:12]))))
    for testimony in testimonies:
        if not brief:
            out.print()
        _show_question(out, teller, testimony, answer.question(testimony.question.id))
        if not brief:
            _show_options(out, teller, testimony)
        show_differences(out, testimony.differences)
    out.print()
    _show_missing(out, book, answer, testimonies, teller)
    out.print(teller.words["tally"].format(**answer.tally._asdict()))
    if not brief:
        _legend(out, book, answer, teller)


def _show_question(out: Console, teller: Teller, testimony: Testimony, entry: QuestionKey) -> None:
    """What is right, the points and how firm that is; the title as far as the line has room for it."""
    question, said = testimony.question, teller.words
    settled = f"{said['settled']}: {', '.join(entry.correct or ()) or said['none']}"
    points = said["point" if question.points == 1 else "points"].format(points=f"{question.points:g}")
    firm = teller.firmness(testimony.verdicts) if entry.settled else ""
    line = Text.assemble(
        (question.id, "bold"),
        "  ",
        (settled, "green") if entry.settled else (said["unsettled"], "yellow"),
        "".join(f"  {part}" for part in (points, firm) if part),
        (f"  {question.title}", "dim"),
    )
    line.truncate(out.width, overflow="ellipsis")
    out.print(line, no_wrap=True)
    for decision in entry.decided:
        out.print(styled(INDENT + _said(decision), "magenta"))


def _show_options(out: Console, teller: Teller, testimony: Testimony) -> None:
    for letter, option in testimony.question.options.items():
        verdict = testimony.verdicts[letter]
        state = Text(f"{teller.words[verdict.state]} {signs_of(verdict)}".rstrip(), style=STYLE[verdict.state])
        row = Table(box=None, padding=(0, 1, 0, 0), show_header=False, pad_edge=False)
        row.add_column(width=3)
        row.add_column(width=8)
        row.add_column()
        text = Group(Text(" ".join(option.text.split())), prose(f"→ {teller.tell(option, verdict).line}", "dim"))
        row.add_row(f"  {letter}", state, text)
        out.print(row)


MOST_MISSING = 5
"""What is missing takes two lines each, ten at most."""


def _show_missing(
    out: Console, book: QuizBook, answer: AnswerKey, testimonies: Sequence[Testimony], teller: Teller
) -> None:
    """What stands in the way of the questions that are open: each thing once, with the command that brings it."""
    found: dict[str, tuple[str, list[str]]] = {}
    for testimony in testimonies:
        entry = answer.question(testimony.question.id)
        for what, remedy in _lacking(book, entry, testimony, teller):
            found.setdefault(remedy, (what, []))[1].append(entry.id)
    for remedy, (what, questions) in list(found.items())[:MOST_MISSING]:
        asking = list(dict.fromkeys(questions))
        line = Text(f"{', '.join(asking)}: {what}", style="yellow")
        line.truncate(out.width, overflow="ellipsis")
        out.print(line, no_wrap=True)
        print_line(out, f"  -> {remedy.replace(QUESTIONS, ' '.join(asking))}")
    if left := len(found) - MOST_MISSING:
        out.print(teller.words["more_missing"].format(n=left)) if left > 0 else None
    if found:
        out.print()


QUESTIONS = "{questions}"
OPTION = re.compile(r"(--[a-z]+)[ =]([A-Z]+)")
COMMAND = re.compile(r"`(earwitness [^`]+)`")


def _lacking(book: QuizBook, entry: QuestionKey, testimony: Testimony, teller: Teller) -> Iterator[tuple[str, str]]:
    """What an open question lacks, each with the command that brings it, or with the remedy where there is none."""
    if entry.settled:
        return
    gather = command(book.folder, "evidence", "@").replace("@", QUESTIONS)
    told = False
    for gap in testimony.missing:
        told = True
        options = OPTION.search(gap.remedy)
        ready = COMMAND.search(gap.remedy)
        remedy = (
            ready[1]
            if ready
            else say("{command} {option} {argument}", command=gather, option=options[1], argument=options[2])
            if options
            else gap.remedy
        )
        yield _said_of(gap.what, teller), remedy.splitlines()[0] if remedy else gather
    for letter, verdict in testimony.verdicts.items():
        if verdict.state != "inconclusive":
            continue
        reason = verdict.deciding.reason
        if ready := COMMAND.search(reason):
            yield _said_of(_reason(verdict), teller), ready[1]
        elif "recalled" in reason:
            yield _said_of(_reason(verdict), teller), command(book.folder, "facts", "list", "--unread")
        elif not told or "undefined" not in reason:
            yield f"{letter}: {_said_of(_reason(verdict), teller)}", command(book.folder, "why", entry.id, letter)
    for obstacle in entry.obstacles:
        if obstacle.startswith("choose is one"):
            yield spoken(obstacle), command(book.folder, "why", entry.id)


def _said_of(reason: str, teller: Teller) -> str:
    """A reason in short, translated where it was."""
    return str(teller.reason(reason))


def _reason(verdict: Verdict) -> str:
    """Why nothing was decided: the reason of the first value that is undefined, or of the comparison."""
    undefined = (m.undefined for m in verdict.deciding.measurements if m.undefined is not None)
    return next(undefined, verdict.deciding.reason)


def show_differences(out: Console, differences: Sequence[str]) -> None:
    """What evidence rests on that is otherwise by now, and what to do about it."""
    for told in differences:
        out.print(
            styled(
                say(
                    "{indent}{difference}\n{indent}-> measure anew: --evidence=refresh", indent=INDENT, difference=told
                ),
                "yellow",
            ),
            soft_wrap=True,
        )


def show_decisions(out: Console, said: Sequence[Override | Ruling]) -> None:
    """What the teaching staff decided about a question, before the evidence."""
    for decision in said:
        out.print(styled(_said(decision), "magenta"))


def _said(decision: Override | Ruling) -> Message:
    return say("{decided}: {effect} ({reason})", decided=DECIDED, effect=decision.effect, reason=decision.reason)


def _show_output(out: Console, gap: Missing) -> None:
    """The last that an evaluator printed before it broke."""
    if gap.output:
        out.print(Text(gap.output, style="dim"), soft_wrap=True)


def _legend(out: Console, book: QuizBook, answer: AnswerKey, teller: Teller) -> None:
    """What the words and signs above mean, of those that occur; each sign with the command that shows one."""
    said = teller.words
    settled = [entry.verdicts for entry in answer.questions if entry.settled]
    close = [any(map(is_close, verdicts.values())) for verdicts in settled]
    for key in ["legend_firm"] * (not all(close)) + ["legend_close"] * any(close):
        out.print(prose(said[key]))
    for sign, (key, found) in SIGNS.items():
        first = next(((q.id, x) for q in answer.questions for x, v in q.verdicts.items() if found(v)), None)
        if first:
            print_line(out, f"{sign} {said[key]} (`{command(book.folder, 'why', *first)}`)")


SIGNS: dict[str, tuple[str, Callable[[Verdict], object]]] = {
    "†": ("sign_recalled", lambda verdict: verdict.recalled),
    "‡": ("sign_demonstration", lambda verdict: verdict.demonstration),
    "≠": ("sign_dissent", lambda verdict: verdict.dissent),
    "◊": ("sign_contrary", lambda verdict: verdict.contrary),
}
"""Signs beside a verdict, what they say, and which verdicts have them."""


def signs_of(verdict: Verdict) -> str:
    """The signs of a verdict, in one word."""
    return "".join(sign for sign, (_, found) in SIGNS.items() if found(verdict))


def show_card(
    out: Console, testimony: Testimony, letter: str, *, language: Language = "en", brief: bool = False
) -> None:
    """The evidence card of one option: first what it comes to in sentences, then unless `brief` claim and numbers."""
    verdict, option = testimony.verdicts[letter], testimony.question.options[letter]
    teller = Teller.of(testimony.quiz, language)
    told = teller.tell(option, verdict)
    out.rule(f"{testimony.question.id} {letter}", style="dim")
    out.print(Text(option.text, style="bold"))
    sources = teller.words["comma"].join(teller.words[f"by_{source}"] for source in verdict.sources)
    by = teller.words["by"].format(sources=sources or teller.words["nothing"])
    line = Text.assemble((teller.words[f"{verdict.state}_card"], STYLE[verdict.state]), f"  {by}")
    for sign, (key, found) in SIGNS.items():
        if found(verdict):
            line.append(f"\n  {sign} {teller.words[key]}", style="magenta")
    out.print(line)
    out.print()
    for said in told.lines:
        out.print(Padding(prose(said), (0, 0, 0, 2)))
    if option.note:
        out.print(Padding(prose(str(teller.phrase(option.note)), "italic"), (0, 0, 0, 2)))
    if brief:
        return
    out.print()
    out.print(_tree(verdict.step))
    for one in verdict.beside:
        out.print(styled(BESIDE[one.side][0 if one.stands else 1], "magenta"))
        out.print(Padding(_tree(one.step), (0, 0, 0, 2)))
        if not one.stands:
            out.print(Padding(one.answer, (0, 0, 0, 6)), style="dim")
    out.print()
    out.print(Group(*map(_number, testimony.numbers(letter))))
    _show_origins(out, testimony, letter)


HEADS = {"all": say("all of"), "any": say("any of"), "not": say("not")}


def _tree(step: Step) -> Tree:
    head = spoken(HEADS.get(step.operator, step.claim))
    label = Group(Text.assemble((f"{spoken(MARK[step.state]):>3} ", STYLE[step.state]), head), *_details(step))
    tree = Tree(label, guide_style="dim")
    for inner in step.steps:
        tree.children.append(_tree(inner))
    return tree


def _details(step: Step) -> list[Text]:
    lines = [styled(say("    why: {reason}", reason=step.why), "dim")] if step.why else []
    comparison = step.comparison
    if comparison and comparison.gap is not None and any(m.source in MEASURED for m in comparison.measurements):
        unit = next((m.unit for m in comparison.measurements if m.unit), "")
        gap = say("    gap {gap}", gap=f"{number(comparison.gap, signed=True)} {unit}".rstrip())
        if comparison.margin:
            gap = say("{gap}, margin {margin}", gap=gap, margin=number(comparison.margin))
        lines.append(styled(gap, "dim"))
    if comparison and comparison.reason:
        lines.append(styled(say("    {reason}", reason=comparison.reason), "yellow"))
    return lines


def _number(number: Number) -> Group:
    m = number.measurement
    basis = ", ".join(filter(None, (m.source, m.checked, wording(m).n)))
    head = Text.assemble(
        spoken(say("  also ")) if number.corroborates else "", (m.name, "bold"), f" = {value_of(m)}  ({basis})"
    )
    lines = [Text(f"      {line}", style="dim") for line in (m.locator, m.note) if line]
    return Group(head, *lines)


def _show_origins(out: Console, testimony: Testimony, letter: str) -> None:
    for exhibit in testimony.origins(letter):
        evidence = exhibit.evidence
        p = evidence.provenance
        commit = say("commit {commit} (dirty)", commit=p.git_commit[:10]) if p.git_commit and p.git_dirty else None
        code = [commit or say("commit {commit}", commit=p.git_commit[:10])] if p.git_commit else []
        origin = say("evidence: {origin} {digest}", origin=exhibit.origin, digest=evidence.fingerprint[:12])
        found = [evidence.evaluator, origin, f"{p.started:%Y-%m-%d}"]
        packages = [f"{name} {version}" for name, version in p.packages.items()]
        by = dict.fromkeys(filter(None, (p.evaluator, f"earwitness {p.earwitness}")))
        out.print(styled(together([*found, *by, *code, *packages], ", "), "dim"))
        for warning in evidence.warnings:
            out.print(styled(say("warning: {warning}", warning=warning), "yellow"), soft_wrap=True)
    show_differences(out, testimony.differences)
    for gap in testimony.missing:
        what = spoken(say("missing: {missing}", missing=gap.what))
        out.print(Text.assemble((what, "yellow"), f"\n  -> {spoken(gap.remedy)}"), soft_wrap=True)
    print_line(out, say("recompute: {command}", command=testimony.recompute))


def print_command(out: Console, *words: object, before: str = "  ", after: str = "") -> None:
    """A command to be pasted: its words quoted for the shell, on one line however narrow the terminal is."""
    print_line(out, f"{before}{shlex.join(map(str, words))}{after}")


def print_line(out: Console, text: str) -> None:
    """A line in which a command stands that is to be pasted: never folded."""
    out.print(styled(text), soft_wrap=True)


def show_cache(out: Console, gatherer: Gatherer, testimony: Testimony) -> None:
    """What the store holds for the requests of a question, and why anything was missed."""
    out.rule(spoken(say("store")), style="dim")
    for request in testimony.question.evidence:
        exhibits, gap = gatherer.exhibits(request)
        for exhibit in exhibits:
            out.print(
                say(
                    "{evaluator}: {origin}, fingerprint {fingerprint}",
                    evaluator=request.evaluator,
                    origin=exhibit.origin,
                    fingerprint=exhibit.evidence.fingerprint,
                )
            )
            for name, sha256 in exhibit.evidence.provenance.inputs.items():
                out.print(say("    input {name} {sha256}", name=name, sha256=sha256[:12]))
        if gap:
            told = say("{evaluator}: {what}", evaluator=request.evaluator, what=gap.what)
            out.print(with_remedy(told, gap.remedy), soft_wrap=True)


def show_results(
    out: Console, results: Sequence[Result], book: QuizBook, wanted: Sequence[Question], store: Path
) -> None:
    """All that was measured, what else a claim compares, and where plots and sounds lie in `store`.

    A table of the literature or of released code holds many more figures than claims compare: of more than FEW, the
    others are counted only.
    """
    claimed = {question.id: set(_claimed(question)) for question in wanted}
    play = command(book.folder, "report")
    for result in results:
        out.print(
            Text.assemble(
                (result.evaluator, "bold"), spoken(say(" for {questions}", questions=", ".join(result.questions)))
            )
        )
        if result.problem:
            remedy = f"\n-> {spoken(result.problem.remedy)}" if result.problem.remedy else ""
            for one in (spoken(result.problem.what) + remedy).splitlines():
                out.print(Text(INDENT + one, style="yellow"), soft_wrap=True)
            _show_output(out, result.problem)
        show_differences(out, result.differences)
        if result.evidence:
            names = set[str]().union(*(claimed[name] for name in result.questions))
            _show_evidence(out, result.evidence, names, store, play)
        out.print()


def _claimed(question: Question) -> Iterator[str]:
    """The measurements that a claim of this question compares."""
    for option in question.options.values():
        for comparison in comparisons(option.claim):
            yield from names_of(comparison)


def _show_evidence(out: Console, evidence: Evidence, claimed: Collection[str], store: Path, play: str) -> None:
    for warning in evidence.warnings:
        out.print(
            styled(INDENT + say("warning: {warning}", warning=warning), "yellow"),
            soft_wrap=True,
        )
    few = len(evidence.measurements) <= FEW
    shown = [m for m in evidence.measurements if few or m.source in MEASURED or m.name in claimed]
    for (source, shows_how), measurements in groupby(shown, lambda m: (m.source, m.is_demonstration)):
        heading = say("{source}: DEMONSTRATION, not of record", source=source) if shows_how else source
        out.print(styled(INDENT + heading, "magenta" if shows_how else "dim"))
        for one in _lines(list(measurements)):
            out.print(one, soft_wrap=True)
    if others := len(evidence.measurements) - len(shown):
        out.print(
            styled(
                say(
                    "{indent}and {n} more that no claim compares (--json lists them)",
                    indent=INDENT,
                    n=others,
                ),
                "dim",
            )
        )
    sounds = [artefact for artefact in evidence.artefacts if artefact.media_type.startswith("audio/")]
    if sounds:
        print_line(out, INDENT + say("{n} sounds (`{command}` plays them)", n=len(sounds), command=play))
    for artefact in evidence.artefacts:
        if artefact not in sounds:
            path = str(store / artefact.path)
            out.print(Text.assemble(f"{INDENT}{artefact.title}: ", (path, "dim")), soft_wrap=True)


def _lines(measurements: Sequence[Measurement]) -> Iterator[Text]:
    """A line for each value, columns aligned, never folded: what reads it may be `grep`. Then what is undefined."""
    columns = [_columns(m) for m in measurements if m.undefined is None]
    widths = [
        max((len(cell) for cell in column if len(cell) <= WIDEST), default=0) for column in zip(*columns, strict=True)
    ]
    for cells in columns:
        yield Text(INDENT + "  ".join(cell.ljust(n) for cell, n in zip(cells, widths, strict=True)).rstrip())
    reasons: dict[str, list[str]] = {}
    for m in measurements:
        if m.undefined is not None:
            reasons.setdefault(m.undefined, []).append(m.name)
    for reason, names in reasons.items():
        told = plural(
            "{names} is undefined: {reason}",
            "{names} are undefined: {reason}",
            len(names),
            names=", ".join(names),
            reason=reason,
        )
        yield styled(INDENT + told, "yellow")


def _columns(m: Measurement) -> tuple[str, str, str, str]:
    words = wording(m)
    basis = ", ".join(filter(None, (words.n, words.over and spoken(say("over {units}", units=words.over)))))
    return m.name, f"{words.value} {words.unit}".rstrip(), words.interval, basis


def show_citations(out: Console, book: QuizBook, found: Sequence[Citation]) -> None:
    """A block for each cited fact: value, standing, where it is to be looked up, what rests on it."""
    for one in found:
        m = one.measurement
        out.print(Text.assemble((m.name, "bold"), f" = {value_of(m)}  ({m.checked}; {', '.join(one.options)})"))
        for said in filter(None, (one.about, m.locator, m.note)):
            out.print(Padding(said, (0, 0, 0, 4)), style="dim")
    unread = [one.measurement.name for one in found if one.measurement.standing == "recalled"]
    out.print(say("{n} facts, {recalled} of them recalled and not yet looked up", n=len(found), recalled=len(unread)))
    if unread:
        blanks = ("--value", "VALUE", "--locator", "PLACE", "--quote", "WORDS", "--by", "NAME")
        confirm = command(book.folder, "facts", "confirm", unread[0], *blanks)
        print_line(out, say("-> look one up, then: {command}", command=confirm))
