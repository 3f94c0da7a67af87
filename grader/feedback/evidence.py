"""The evidence card of an option in one line per deciding comparison."""

from __future__ import annotations

from evaluators.wording import value_of
from grader.verdicts.judge import Comparison, Verdict


def grounds_in_words(verdict: Verdict, recalled: str) -> list[str]:
    """The comparisons that decided an option, with their numbers, sources and locators."""
    mark = f" ({recalled})" if verdict.recalled else ""
    return [f"{comparison.claim}: {_numbers(comparison)}{mark}" for comparison in verdict.grounds]


def _numbers(comparison: Comparison) -> str:
    return "; ".join(
        f"{m.name} = {value_of(m)} [{m.source}{f': {m.locator}' if m.locator else ''}]" for m in comparison.measurements
    )
