"""Write a feedback file for each student, in Markdown and HTML, in each language asked for.

A class repeats itself: the part about one answer to one question is rendered once and shared by all who gave it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, cached_property
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from basics.visible import visible
from grader.feedback.wording import AnswerSum, work_out
from grader.marking.grading import Grades, StudentRecord
from grader.marking.regulations import latest
from grader.marking.scoring import OutOf, out_of, rounded
from grader.marking.student_lines import Points
from grader.quiz.glossary import Glossary, glossary, mentioned
from grader.quiz.spec import Question
from grader.quiz.words import Language, Phrase, words
from grader.submissions.model import Chosen
from grader.verdicts.key import AnswerKey, QuestionKey
from grader.verdicts.sentences import Finding, Teller, Told

FORMATS = ("md", "html")
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""Content-Security-Policy of a page: it runs nothing and asks nobody for anything, whatever stands in it."""
PLAIN = re.compile(r"\w([\w.-]*\w)?")
DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.I)
LONGEST_NAME = 120
"""Bytes of a name, which gets endings and stands beside others of the same file."""


@dataclass
class FeedbackWriter:
    """Renders the feedback of a graded class."""

    grades: Grades
    key: AnswerKey
    languages: Sequence[Language] = ("en", "zh-TW")
    _blocks: dict[tuple[str, str, str, Chosen | None, bool], str] = field(default_factory=dict)
    _sums: dict[tuple[str, Chosen | None], AnswerSum] = field(default_factory=dict)
    _totals: dict[tuple[bool, ...], OutOf] = field(default_factory=dict)

    def write(self, folder: Path) -> int:
        """`folder/<language>/<student>.md` and `.html`; the number of files written."""
        names = file_names([record.student_id for record in self.grades.records])
        for language in self.languages:
            (folder / language).mkdir(parents=True, exist_ok=True)
            for record in self.grades.records:
                for form in FORMATS:
                    path = folder / language / f"{names[record.student_id]}.{form}"
                    path.write_text(self.page(record, language, form), encoding="utf-8")
        return len(self.grades.records) * len(self.languages) * len(FORMATS)

    def page(self, record: StudentRecord, language: Language, form: str) -> str:
        """One student's feedback."""
        text = words("feedback", language)
        counts = record.decision.kept is not None
        questions, shown = self.grades.scorer.book.questions, record.decision.kept or latest(record.attempts)
        blocks = [self._block(q, c, language, form, counts) for q, c in zip(questions, shown.chosen, strict=True)]
        scores = self._scores(record, shown.chosen if counts else None)
        rendered: str = self._templates[form]["page"].render(
            t=text,
            policy=POLICY,
            css=stylesheet("style.css", "line.css", "feedback.css"),
            en=said_in("en", language),
            scores=scores,
            glossary={name: term for name, term in self._glossary.items() if name in self._mentioned},
            open=[score["id"] for score in scores if score["state"] == "open"],
            language=language,
            quiz=self.grades.scorer.book.quiz,
            rule=self.grades.scorer.rule,
            key=self.key.digest[:12],
            student=self._student(record, text),
            messages=self._messages(text),
            blocks=[Markup(block) for block in blocks] if form == "html" else blocks,
        )
        return rendered

    def _block(self, question: Question, chosen: Chosen | None, language: Language, form: str, counts: bool) -> str:
        at = (language, form, question.id, chosen, counts)
        if at not in self._blocks:
            self._blocks[at] = self._render_block(question, chosen, language, form, counts)
        return self._blocks[at]

    def _render_block(
        self, question: Question, chosen: Chosen | None, language: Language, form: str, counts: bool
    ) -> str:
        scorer, entry, text = self.grades.scorer, self._entries[question.id], words("feedback", language)
        ruling = scorer.rulings.get(question.id)
        result = self._sum(question, chosen) if counts else self._sum(question, chosen).without_points
        is_open = scorer.key[question.id] is None and not (ruling and ruling.everyone)
        messages = [text["nothing"]] if chosen is not None and not chosen else []
        messages += [text["not_given"]] if chosen is None else []
        messages += [text["unsettled"]] if is_open else []
        messages += [f"{text['override']}{text['colon']}{said.reason}" for said in (entry.override, ruling) if said]
        rendered: str = self._templates[form]["block"].render(
            question=question,
            sum=result,
            t=text,
            messages=messages,
            told_of=self._told[language, question.id],
            glossary=self._glossary,
            terms=self._terms[question.id],
            en=said_in("en", language),
            language=language,
        )
        return rendered

    def _scores(self, record: StudentRecord, chosen: Sequence[Chosen | None] | None) -> list[dict[str, str]]:
        """A student's questions one by one: points, what can be had, and whether that is full, some or nothing."""
        found = []
        for i, question in enumerate(self.grades.scorer.book.questions):
            result = self._sum(question, chosen[i] if chosen else frozenset())
            is_open = record.units[i] is None
            points = "" if is_open else result.points if chosen else rounded(Fraction(0))
            state = "open" if is_open else "full" if chosen and result.whole else "some" if float(points) else "nothing"
            found.append({"id": question.id, "points": points, "possible": result.possible, "state": state})
        return found

    def _student(self, record: StudentRecord, text: Any) -> dict[str, Any]:
        kept = record.decision.kept
        shown = kept or latest(record.attempts)
        time = self.grades.regulator.shown(shown.submitted) if shown.submitted else "—"
        attempt = "" if shown.attempt is None else text["attempt"].format(n=shown.attempt)
        handed_in = f"{text['submitted']}{text['colon']}{time}{attempt}"
        if kept is None:
            handed_in = f"{text['none_in_time']} {handed_in}{text['colon']}{text['not_counted']}"
        graded = tuple(units is not None for units in record.units)
        total = self._out_of(graded).sentence(self._points.total(record), text["of"], text["open"])
        return {
            "id": record.student_id,
            "name": record.name,
            "section": record.section,
            "total": total,
            "handed_in": handed_in,
            "adjustments": record.adjustments,
        }

    def _messages(self, text: Any) -> list[str]:
        quiz = self.grades.scorer.book.quiz
        messages = [text["demonstration"]] if self.key.demonstration else []
        if quiz.revision_until:
            messages.append(f"{text['revision']} {self.grades.regulator.shown(quiz.revision_until)}")
        return messages

    def _sum(self, question: Question, chosen: Chosen | None) -> AnswerSum:
        at = (question.id, chosen)
        if at not in self._sums:
            scorer = self.grades.scorer
            ruling = scorer.rulings.get(question.id)
            self._sums[at] = work_out(question, scorer.key[question.id], chosen, scorer.rule, ruling)
        return self._sums[at]

    @cached_property
    def _entries(self) -> dict[str, QuestionKey]:
        return {entry.id: entry for entry in self.key.questions}

    @cached_property
    def _told(self) -> dict[tuple[str, str], dict[str, Told | None]]:
        """What each verdict comes to, in each language; None where the quiz of the run says nothing of it."""
        book = self.grades.scorer.book
        tellers = {language: Teller.of(book.folder, language) for language in self.languages}
        return {
            (language, question.id): {
                letter: teller.tell(option, verdict)
                if (verdict := self._entries[question.id].verdicts.get(letter))
                else None
                for letter, option in question.options.items()
            }
            for language, teller in tellers.items()
            for question in book.questions
        }

    @cached_property
    def _glossary(self) -> Glossary:
        return glossary(self.grades.scorer.book.folder)

    @cached_property
    def _terms(self) -> dict[str, list[str]]:
        """The glossary's terms that each question and its verdicts use."""
        return {
            question.id: mentioned(
                self._glossary,
                [question.prompt, *(option.text for option in question.options.values())]
                + [told.text for told in self._told[self.languages[0], question.id].values() if told],
            )
            for question in self.grades.scorer.book.questions
        }

    @cached_property
    def _mentioned(self) -> set[str]:
        return {name for names in self._terms.values() for name in names}

    def _out_of(self, graded: tuple[bool, ...]) -> OutOf:
        if graded not in self._totals:
            self._totals[graded] = out_of(self.grades.scorer.book, graded)
        return self._totals[graded]

    @cached_property
    def _points(self) -> Points:
        return Points(self.grades)

    @cached_property
    def _templates(self) -> dict[str, dict[str, Any]]:
        return {
            form: {name: templates(form).get_template(f"{name}.{form}.j2") for name in ("page", "block")}
            for form in FORMATS
        }


def file_names(students: Sequence[str]) -> dict[str, str]:
    """A file name for each student id of a class: the id itself, or where that will not do, with a digest of it.

    No two are alike, even where case and the way of writing an accent do not count; none depends on the order.
    """
    alike = Counter(map(_folded, set(students)))
    return {name: name if _plain(name) and alike[_folded(name)] == 1 else _with_digest(name) for name in students}


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _plain(name: str) -> bool:
    """Whether an id can be the name of a file everywhere: short, plain characters, no device of Windows."""
    fits = PLAIN.fullmatch(name) is not None and unicodedata.is_normalized("NFKC", name)
    return fits and len(name.encode()) <= LONGEST_NAME and not DEVICE.fullmatch(name)


def _with_digest(name: str) -> str:
    shown = re.sub(r"[^A-Za-z0-9_-]", "_", name)[:40]
    return f"{shown}~{sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


@cache
def templates(form: str) -> Environment:
    """The templates of the feedback in a form, `md` or `html`."""
    environment = Environment(
        loader=PackageLoader("grader.feedback"),
        autoescape=form == "html",
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["md"] = _markdown
    environment.filters["quoted"] = _quoted
    environment.filters["sentence"] = sentence
    environment.filters["cell"] = lambda text: _markdown(text).replace("|", "\\|")
    return environment


def _shown(value: Any) -> Any:
    """What steers a terminal is shown as its code: these files are read in one as well."""
    return visible(value) if type(value) is str else value


def stylesheet(*names: str) -> Markup:
    """Style sheets that lie beside the templates, to stand in a page as they are."""
    folder = files("grader.feedback") / "templates"
    return Markup("".join((folder / name).read_text(encoding="utf-8") for name in names))


def said_in(language: Language, page: Language) -> Markup:
    """The attribute of an element whose text is in another language than its page; a screen reader has to know."""
    return Markup("" if language == page else f' lang="{language}"')


def sentence(finding: Finding) -> Markup:
    """A finding's sentence for a page, what is English in it marked as English."""
    said = escape(finding.sentence)
    for text in finding.foreign:
        said = said.replace(escape(text), Markup('<span lang="en">{}</span>').format(text))
    return said


@pass_context
def _quoted(context: Context, phrase: Phrase) -> Markup:
    return said_in(phrase.language, context["language"])


def _markdown(text: str) -> str:
    """Text in which Markdown finds no markup, on one line."""
    return re.sub(r"([\\`*_\[\]<>#])", r"\\\1", " ".join(str(text).split()))
