"""The evidence card of an option in one line per deciding comparison."""

from __future__ import annotations

from grader.verdicts.judge import Comparison, Verdict


def grounds_in_words(verdict: Verdict, recalled: str) -> list[str]:
    """The comparisons that decided an option, with their numbers, sources and locators."""
    mark = f" ({recalled})" if verdict.recalled else ""
    return [f"{comparison.claim}: {_numbers(comparison)}{mark}" for comparison in verdict.grounds]


def _numbers(comparison: Comparison) -> str:
    return "; ".join(
        f"{m.name} = {f'undefined ({m.undefined})' if m.value is None else _value(m.value)} {m.unit}".rstrip()
        + f" [{m.source}{f': {m.locator}' if m.locator else ''}]"
        for m in comparison.measurements
    )


def _value(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
