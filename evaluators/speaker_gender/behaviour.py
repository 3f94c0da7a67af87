"""What recorded answers show about two models: how often each is right, what it goes by, and which is the cascade.

Shares are over the answers whose decision is defined; the undefined ones are counted in the note, never dropped unseen.
Intervals are Clopper-Pearson (exact, 95 %). How sure it is that one model behaves as the cascade is the posterior
probability that it gives text-bound answers more often than the other does (uniform priors on both rates), where an
answer is text-bound if it says that it works from text, or gives textual and no acoustic reasons; sound-bound if it
gives acoustic reasons and does not say that it works from text; and says nothing otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from basics.errors import Undefined
from basics.listing import first_few
from evaluators.evidence import Interval, Measurement, Quantity, Source
from evaluators.speaker_gender.classify import REASONS, Decision, classify
from evaluators.speaker_gender.responses import MODELS, Response

LEVEL = 0.95
SURE = 0.95
"""Probability from which a model is said to behave as the cascade."""
_CUES_SHOWN = 4
_CLIPS_SHOWN = 6

_OF_RECORD = {
    "model_a": ("whisper-large-v3", "llama-3.1-8b-instruct"),
    "model_b": ("desta",),
}
"""What the ids of the homework's models contain; answers recorded from other checkpoints are a demonstration."""

_RATES = {
    "text_disclosure_rate": "share of answers that say the model works from text",
    "acoustic_reason_rate": "share of answers that give acoustic reasons (pitch, timbre, the voice)",
    "textual_reason_rate": "share of answers that give textual reasons (words, names, pronouns)",
    "declines_rate": "share of answers that decline to name a gender",
    "gender_accuracy": "share of answers that name the speaker's gender; declining counts as not named",
    "accuracy_when_named": "share of the named genders that are right",
    "correct_by_sound_rate": "share of answers that are right and give acoustic reasons",
    "correct_by_text_rate": "share of answers that are right and give textual reasons",
}

_COUNTS = {
    "correct_answers": ("gender_accuracy", True, "answers that name the speaker's gender"),
    "wrong_answers": ("gender_accuracy", False, "answers that name the other gender or decline"),
    "text_disclosures": ("text_disclosure_rate", True, "answers that say the model works from text"),
    "acoustic_reasons": ("acoustic_reason_rate", True, "answers that give acoustic reasons"),
    "textual_reasons": ("textual_reason_rate", True, "answers that give textual reasons"),
}
"""What is counted among the answers at hand, which needs no interval: which rate's cases, hits or misses, and about."""


@dataclass(frozen=True)
class Judged:
    """One answer and what it says."""

    response: Response
    decision: Decision

    @property
    def right(self) -> bool | None:
        """Whether the named gender is the speaker's; None where the answer or the speaker's gender is not known."""
        if self.decision.answer is None or self.response.gender is None:
            return None
        return self.decision.answer == self.response.gender

    @property
    def text_bound(self) -> bool | None:
        """True for text-bound, False for sound-bound, None for an answer that says neither, or both."""
        decision = self.decision
        if decision.text_disclosure or (decision.textual_reason and decision.acoustic_reason is False):
            return True if not decision.acoustic_reason else None
        if decision.acoustic_reason and decision.text_disclosure is False:
            return False
        return None


def judged(responses: Iterable[Response]) -> tuple[Judged, ...]:
    """Every answer, read by the rules."""
    return tuple(Judged(response, classify(response.text, response.transcript)) for response in responses)


def quantities() -> Iterator[Quantity]:
    """Everything that `behaviour` may state."""
    for model in MODELS:
        for name, about in _RATES.items():
            yield Quantity(name=f"{model}.{name}", low=0, high=1, about=about)
        for name, (_, _, about) in _COUNTS.items():
            yield Quantity(name=f"{model}.{name}", unit="answers", low=0, about=about)
    for model in MODELS:
        about = f"probability that {model} gives text-bound answers more often than the other model"
        yield Quantity(name=f"{model}.cascade_evidence", low=0, high=1, about=about)
    yield Quantity(name="responses.cascade", kind="text", about=f"the model that behaves as a cascade, {SURE:.0%} sure")


def behaviour(answers: Sequence[Judged]) -> Iterator[Measurement]:
    """The measurements of both models, in a fixed order."""
    clips = list(dict.fromkeys(answer.response.clip for answer in answers))
    locator = f"recorded answers to {first_few(clips, _CLIPS_SHOWN)}"
    for found in _behaviour(answers):
        yield found.model_copy(update={"locator": locator})


def _behaviour(answers: Sequence[Judged]) -> Iterator[Measurement]:
    by_model = {model: [a for a in answers if a.response.model == model] for model in MODELS}
    for model, own in by_model.items():
        for name in _RATES:
            yield _rate(f"{model}.{name}", own, name)
        for name in _COUNTS:
            yield _count(f"{model}.{name}", own, name)
    yield from _cascade(by_model)


def undefined_behaviour(reason: str) -> Iterator[Measurement]:
    """The same names, all undefined for one reason."""
    return (Measurement(name=quantity.name, undefined=reason, source="measured") for quantity in quantities())


def _rate(name: str, answers: Sequence[Judged], kind: str) -> Measurement:
    cases = [(answer, value) for answer in answers if (value := _case(kind, answer)) is not None]
    eligible = [a for a in answers if kind != "accuracy_when_named" or a.decision.answer != "declines"]
    unread = [a.response.clip for a in eligible if _case(kind, a) is None]
    note = f"not counted, undefined: {', '.join(unread)}" if unread else ""
    source = source_of(answers)
    if not cases:
        reason = (
            f"no answer of {name.partition('.')[0]} could be counted" if answers else "no recorded answer of this model"
        )
        return Measurement(name=name, undefined=reason, source=source, n=0, note=note)
    hits = [answer for answer, value in cases if value]
    return Measurement(
        name=name,
        value=len(hits) / len(cases),
        unit="share",
        n=len(cases),
        interval=exact_interval(len(hits), len(cases), over="answers"),
        source=source,
        note="; ".join(filter(None, (_shown(kind, hits), note))),
    )


def _count(name: str, answers: Sequence[Judged], kind: str) -> Measurement:
    rate, wanted, _ = _COUNTS[kind]
    cases = [_case(rate, answer) for answer in answers]
    unread = [answer.response.clip for answer, case in zip(answers, cases, strict=True) if case is None]
    reason = f"cannot be told for {', '.join(unread)}" if unread else None
    if not answers:
        reason = "no recorded answer of this model"
    value = None if reason else cases.count(wanted)
    source = source_of(answers)
    return Measurement(name=name, value=value, undefined=reason, unit="answers", n=len(answers), source=source)


def _case(kind: str, answer: Judged) -> bool | None:
    """Whether one answer counts as a hit for a rate; None where that is undefined."""
    decision = answer.decision
    if kind.removesuffix("_rate") in REASONS:
        value: bool | None = getattr(decision, kind.removesuffix("_rate"))
        return value
    if kind == "declines_rate":
        return None if decision.answer is None else decision.answer == "declines"
    if kind == "accuracy_when_named":
        return None if decision.answer == "declines" else answer.right
    if kind == "gender_accuracy":
        return answer.right
    reason = decision.acoustic_reason if kind == "correct_by_sound_rate" else decision.textual_reason
    return None if answer.right is None or reason is None else answer.right and reason


def _shown(kind: str, hits: Sequence[Judged]) -> str:
    """The words that the first few hits rest on: `F_1: “text-based AI”`."""
    shown = []
    for hit in hits[:_CUES_SHOWN]:
        sought = {"correct_by_sound_rate": "acoustic_reason", "correct_by_text_rate": "textual_reason"}.get(kind)
        words = hit.decision.words(sought or kind.removesuffix("_rate")) or hit.decision.words(
            hit.decision.answer or ""
        )
        shown.append(f"{hit.response.clip}: “{words[0]}”")
    more = f" and {len(hits) - _CUES_SHOWN} more" if len(hits) > _CUES_SHOWN else ""
    return "; ".join(shown) + more


def _cascade(by_model: dict[str, list[Judged]]) -> Iterator[Measurement]:
    counts = {model: Counter(answer.text_bound for answer in own) for model, own in by_model.items()}
    source = source_of([answer for own in by_model.values() for answer in own])
    note = "; ".join(
        f"{m}: {c[True]} text-bound, {c[False]} sound-bound, {c[None]} say neither" for m, c in counts.items()
    )
    silent = [model for model, count in counts.items() if not count[True] + count[False]]
    if silent:
        reason = f"no answer of {' or '.join(silent)} says what it rests on"
        for name in (*(f"{model}.cascade_evidence" for model in MODELS), "responses.cascade"):
            yield Measurement(name=name, undefined=reason, source=source, note=note)
        return
    first, second = (counts[model] for model in MODELS)
    chance = probability_greater(first[True], first[False], second[True], second[False])
    n = sum(count[True] + count[False] for count in counts.values())
    for model, value in zip(MODELS, (chance, 1 - chance), strict=True):
        yield Measurement(
            name=f"{model}.cascade_evidence", value=value, unit="probability", n=n, source=source, note=note
        )
    sure = next((m for m, p in zip(MODELS, (chance, 1 - chance), strict=True) if p >= SURE), None)
    unsure = None if sure else f"neither model is text-bound more often with {SURE:.0%} probability ({note})"
    yield Measurement(
        name="responses.cascade", value=sure, undefined=unsure, n=n, source=source, note=note if sure else ""
    )


def probability_greater(hits_a: int, misses_a: int, hits_b: int, misses_b: int) -> float:
    """P(rate_a > rate_b) given both counts, with independent uniform priors on both rates; in [0, 1]."""
    from scipy.integrate import quad
    from scipy.stats import beta

    a, b = beta(hits_a + 1, misses_a + 1), beta(hits_b + 1, misses_b + 1)
    value, _ = quad(lambda rate: a.pdf(rate) * b.cdf(rate), 0, 1)
    return min(max(float(value), 0.0), 1.0)


def exact_interval(hits: float, n: int, *, over: str) -> Interval:
    """Clopper-Pearson interval of a share (Biometrika 1934), 95 %. `hits` may be fractional (ties counted as halves).

    Raises Undefined for n = 0.
    """
    from scipy.stats import beta

    if n < 1:
        raise Undefined(f"an interval needs at least one of {over}")
    tail = (1 - LEVEL) / 2
    low = 0.0 if hits <= 0 else float(beta.ppf(tail, hits, n - hits + 1))
    high = 1.0 if hits >= n else float(beta.ppf(1 - tail, hits + 1, n - hits))
    return Interval(low=low, high=high, level=LEVEL, over=over)


def source_of(answers: Iterable[Judged]) -> Source:
    """`measured`, or `demonstration` when another checkpoint than the homework's answered, or no person spoke."""
    return "measured" if all(_of_record(answer.response) for answer in answers) else "demonstration"


def _of_record(response: Response) -> bool:
    ids = [name.lower() for name in response.models]
    return not response.synthetic and (
        not ids or all(any(part in name for name in ids) for part in _OF_RECORD[response.model])
    )
