"""Errors of the transcripts: against what was said, between the genders, and what any rule could read from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations, product

from basics.errors import Undefined
from evaluators.resampling import FEWEST, bootstrap_interval, difference_interval
from evaluators.speaker_gender.heard import Found, Heard, parallel, plain_words, require_parallel
from evaluators.speaker_gender.voices import Utterance


def transcript_bound(heard: Heard) -> Found:
    """Mean over sentences of (1 + TV) / 2, TV the total variation between both genders' transcripts of the sentence.

    That is the accuracy of the best rule for exactly these transcripts, even one that knows them by heart, with both
    genders equally likely: 0.5 where every pair of transcripts coincides, 1 where none does. It bounds from above, and
    loosely so where the recogniser errs at random. Raises Undefined where no sentence is said by both genders.
    """
    bounds = []
    for clips in require_parallel(heard).values():
        shares = [
            _shares([heard.transcripts[i] for i in clips if heard.voices[i].gender == g]) for g in ("female", "male")
        ]
        distance = sum(abs(shares[0].get(t, 0) - shares[1].get(t, 0)) for t in shares[0] | shares[1]) / 2
        bounds.append((1 + distance) / 2)
    interval = bootstrap_interval(bounds, over="sentences", seed=heard.seed) if len(bounds) >= FEWEST else None
    return Found(sum(bounds) / len(bounds), len(bounds), interval, "a perfect recogniser would give 0.5")


def _shares(texts: Sequence[str]) -> dict[str, float]:
    return {text: count / len(texts) for text, count in Counter(texts).items()}


def word_errors(heard: Heard) -> Found:
    rates = [rate for _, rate in _rates(heard)]
    interval = bootstrap_interval(rates, over="clips", seed=heard.seed) if len(rates) >= FEWEST else None
    return Found(sum(rates) / len(rates), len(rates), interval)


def _rates(heard: Heard) -> list[tuple[Utterance, float]]:
    """Word error rate of each clip whose words are known. Raises Undefined where none is."""
    pairs = [(v, plain_words(v.text), t) for v, t in zip(heard.voices, heard.transcripts, strict=True) if v.text]
    if not pairs:
        raise Undefined("the manifest does not tell what was said (column text)")
    return [(voice, word_error_rate(said, written)) for voice, said, written in pairs]


def word_error_rate(reference: str, hypothesis: str) -> float:
    """Substitutions, deletions and insertions per word of `reference`, by jiwer; both in plain words.

    Raises Undefined for an empty reference.
    """
    import jiwer

    if not reference:
        raise Undefined("word error rate against no words")
    return float(jiwer.wer(reference, hypothesis))


def gender_gap(heard: Heard) -> Found:
    """Difference of mean word error rates: paired by sentence where both genders say it, else between speakers."""
    rates = _rates(heard)
    shared = set(parallel(heard))
    unit: Callable[[Utterance], str] = (lambda v: plain_words(v.text or "")) if shared else (lambda v: v.speaker)
    means: dict[str, dict[str, list[float]]] = {"female": {}, "male": {}}
    for voice, rate in rates:
        if not shared or unit(voice) in shared:
            means[voice.gender].setdefault(unit(voice), []).append(rate)
    female, male = ([sum(r) / len(r) for _, r in sorted(means[g].items())] for g in ("female", "male"))
    if not female or not male:
        raise Undefined("the words of one gender's clips are not known")
    over = "sentences" if shared else "speakers"
    enough = min(len(female), len(male)) >= FEWEST
    interval = difference_interval(female, male, paired=bool(shared), over=over, seed=heard.seed) if enough else None
    return Found(sum(female) / len(female) - sum(male) / len(male), len(female) + len(male), interval)


def disagreement(heard: Heard, *, across: bool) -> Found:
    """Mean over sentences of the word error rate between transcripts of two speakers, of two genders or of one."""
    rates = []
    for clips in require_parallel(heard).values():
        female, male = ([i for i in clips if heard.voices[i].gender == g] for g in ("female", "male"))
        pairs = list(product(female, male)) if across else [*combinations(female, 2), *combinations(male, 2)]
        texts = [(heard.transcripts[a], heard.transcripts[b]) for a, b in pairs if heard.transcripts[a]]
        if texts:
            rates.append(sum(word_error_rate(a, b) for a, b in texts) / len(texts))
    if not rates:
        raise Undefined("no sentence has two transcripts to compare" if across else "one speaker a gender is too few")
    interval = bootstrap_interval(rates, over="sentences", seed=heard.seed) if len(rates) >= FEWEST else None
    return Found(sum(rates) / len(rates), len(rates), interval)
