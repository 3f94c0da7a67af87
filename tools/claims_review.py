"""A table of every option: what decides it, from where, what speaks against it, and why that does not decide.

python -m tools.claims_review          write docs/claims_review.md from the built-in quiz and its evidence of record
python -m tools.claims_review --check  say whether that file is what the evidence says now
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from basics.files import write_whole
from evaluators.display import value_of
from evaluators.store import Store
from grader.quiz.loading import BUILT_IN_QUIZ, load_quiz
from grader.verdicts.judge import Beside, Comparison, Verdict
from grader.verdicts.testimony import Gatherer, Testimony, key_from

FILE = Path(__file__).resolve().parents[1] / "docs" / "claims_review.md"
HEAD = """# What every option rests on

One line an option, from the built-in quiz and its evidence of record alone: nothing measured on the course's clips, no
facts that somebody recalled. Made by `python -m tools.claims_review`; a test keeps it true. ◊ marks contrary evidence
that stands; the answer to it is the quiz's. `earwitness why q06 C` prints the whole card of an option.

"""
SHOWN = 3  # comparisons of an option that are told
PLACE = 90  # characters of a locator


def review() -> str:
    """The whole page."""
    book = load_quiz(BUILT_IN_QUIZ)
    with TemporaryDirectory() as nowhere:
        gatherer = Gatherer(book, book.quiz.accept, book.site, Store(Path(nowhere)), "cached")
        testimonies = [gatherer.testimony(question) for question in book.questions]
    key = key_from(book, testimonies, book.quiz.accept)
    settled, questions, decided, options = key.tally
    parts = [HEAD, f"{settled} of {questions} questions are settled, {decided} of {options} options decided.\n"]
    for testimony in testimonies:
        entry = key.question(testimony.question.id)
        state = f"settled: {', '.join(entry.correct or ()) or 'none'}" if entry.settled else "unsettled"
        parts.append(f"\n## {testimony.question.id}: {testimony.question.title} ({state})\n")
        parts += ["| option | verdict | what is compared, and from where | what speaks against it, and the answer |\n"]
        parts += ["|---|---|---|---|\n"]
        parts += [_row(testimony, letter) for letter in testimony.question.options]
    return "".join(parts)


def _row(testimony: Testimony, letter: str) -> str:
    verdict = testimony.verdicts[letter]
    beside = "<br>".join(map(_against, verdict.beside)) or "none known"
    cells = (letter, verdict.state, "; ".join(_compared(verdict)), beside)
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |\n"


def _compared(verdict: Verdict) -> list[str]:
    told = [_comparison(comparison) for comparison in verdict.grounds[:SHOWN]]
    more = len(verdict.grounds) - SHOWN
    return told + ([f"and {more} more"] if more > 0 else [])


def _comparison(comparison: Comparison) -> str:
    if comparison.state == "inconclusive":
        return f"`{comparison.claim}`: open, {_short(comparison.reason)}"
    found = ", ".join(f"{value_of(m)} ({m.checked or m.source}: {_short(m.locator)})" for m in comparison.measurements)
    return f"`{comparison.claim}` {'holds' if comparison.state == 'supported' else 'does not hold'}: {found}"


def _against(one: Beside) -> str:
    side = "beside it: " if one.side == "for" else "◊ " if one.stands else "not shown: "
    return f"{side}`{one.step.claim}`. {one.answer}"


def _short(text: str) -> str:
    plain = text.replace("`", "'")
    return plain if len(plain) <= PLACE else f"{plain[: PLACE - 1]}…"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    page = review()
    if not parser.parse_args().check:
        write_whole(FILE, page.encode())
        return 0
    if FILE.read_text(encoding="utf-8") == page:
        return 0
    print("docs/claims_review.md is not what the evidence says now: python -m tools.claims_review", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
