"""The channel between a speaker and a cascade's language model, measured: what transcripts tell, what the sound tells.

A cascade hands on words alone. By the data-processing inequality (Cover and Thomas, Elements of Information Theory,
2.8) no later stage can know more about the voice than those words carry, so the accuracy that can be had from
transcripts bounds every language model behind them. Here it is estimated by classifiers that are tested on held-out
groups, and, where women and men say the same sentences, bounded for any rule whatever by how often their transcripts
coincide.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import inf
from typing import Any

from basics.errors import Undefined
from evaluators.evidence import Interval, Measurement, Quantity, Site, Source
from evaluators.origin import source_of
from evaluators.resampling import bootstrap_interval, difference_interval, permutation_p
from evaluators.speaker_gender.behaviour import exact_interval
from evaluators.speaker_gender.separability import (
    HeldOut,
    characters_classifier,
    held_out,
    naive_bayes_classifier,
    vector_classifier,
    words_classifier,
)
from evaluators.speaker_gender.sound import voiced_only
from evaluators.speaker_gender.voices import Utterance, synthetic_among


@dataclass(frozen=True)
class Heard:
    """The clips with what was heard in them: transcripts (lower case, no punctuation) and acoustic vectors.

    Vectors are None for clips without a voiced frame; `source` is `demonstration` where no person speaks.
    """

    voices: tuple[Utterance, ...]
    transcripts: tuple[str, ...]
    vectors: tuple[list[float] | None, ...]
    recogniser: str
    seed: int

    @property
    def described(self) -> str:
        """Which clips these are and who wrote the transcripts, for a locator."""
        first, last = self.voices[0].path.name, self.voices[-1].path.name
        speakers = len({voice.speaker for voice in self.voices})
        clips = f"{len(self.voices)} clips by {speakers} speakers ({first} to {last})"
        told = "".join(f"; {voice.path.name} is {remark}" for voice in self.voices for remark in voice.remarks)
        return f"{clips}; transcripts by {self.recogniser}{told}"

    @property
    def source(self) -> Source:
        sounds = (voice.path for voice in self.voices)
        return source_of(Site(), sounds=sounds, synthetic=synthetic_among(self.voices)).source


def listen(voices: Sequence[Utterance], recogniser: str, seed: int, site: Site) -> Heard:
    """Transcribe every clip and take its acoustic features; both are kept in the site's cache.

    Raises InputError for files that cannot be read, all of them at once.
    """
    from audio.clip import naming_unreadable
    from evaluators.speaker_gender.sound import acoustic_features
    from evaluators.speaker_gender.transcribe import transcripts

    with naming_unreadable((voice.path for voice in voices), allow_truncated=site.allow_truncated):
        heard = tuple(map(plain_words, transcripts(voices, recogniser, site)))
    return Heard(tuple(voices), heard, tuple(acoustic_features(voices, site)), recogniser, seed)


def plain_words(text: str) -> str:
    """Lower case, punctuation out, one space between words: as word errors are counted."""
    return " ".join(re.sub(r"[^\w' ]+", " ", text.lower()).split())


@dataclass(frozen=True)
class Found:
    """A number on its way to becoming a measurement."""

    value: float
    n: int
    interval: Interval | None = None
    note: str = ""


def parallel(heard: Heard) -> dict[str, list[int]]:
    """Indices of the clips of every sentence that both genders say; empty where there is none."""
    by_sentence: dict[str, list[int]] = {}
    for i, voice in enumerate(heard.voices):
        if voice.text:
            by_sentence.setdefault(plain_words(voice.text), []).append(i)
    return {s: clips for s, clips in by_sentence.items() if len({heard.voices[i].gender for i in clips}) == 2}


def require_parallel(heard: Heard) -> dict[str, list[int]]:
    sentences = parallel(heard)
    if not sentences:
        raise Undefined("no sentence is known to be said by both women and men (manifest column text)")
    return sentences


SPEAKERS_PER_FEATURE = 10
"""Observations that one coefficient of a logistic regression needs (Peduzzi et al., J. Clin. Epidemiol. 1996)."""

_ABOUT = {
    "chance_level": "share of the commoner gender among the clips: what guessing without listening gets",
    "transcript_gender_accuracy": "held-out accuracy of telling gender from transcripts (words and word pairs)",
    "transcript_gender_accuracy.characters": "the same from character n-grams",
    "transcript_gender_accuracy.naive_bayes": "the same by naive Bayes on words",
    "transcript_advantage_over_chance": "transcript_gender_accuracy minus chance_level",
    "transcript_accuracy_bound": "the most any rule could score on these transcripts of sentences both genders say",
    "sound_gender_accuracy": "held-out accuracy of telling gender from pitch, its spread and the spectral envelope",
    "f0_gender_accuracy": "held-out accuracy of one threshold on median F0",
    "sound_advantage_over_transcript": "sound_gender_accuracy minus transcript_gender_accuracy, speaker by speaker",
    "transcript_wer": "word error rate of the transcripts against what was said, mean over clips",
    "wer_gender_gap": "mean word error rate of women's clips minus men's",
    "wer_between_genders": "word error rate between a woman's and a man's transcript of one sentence",
    "wer_within_gender": "word error rate between two transcripts of one sentence by speakers of one gender",
}
_BOUNDS: dict[str, tuple[float | None, float | None]] = {
    "transcript_advantage_over_chance": (-1.0, 1.0),
    "sound_advantage_over_transcript": (-1.0, 1.0),
    "transcript_wer": (0.0, None),
    "wer_between_genders": (0.0, None),
    "wer_within_gender": (0.0, None),
    "wer_gender_gap": (None, None),
}


def quantities(layers: Sequence[int]) -> Iterator[Quantity]:
    """Everything that `channel` may state."""
    for name, about in _ABOUT.items():
        low, high = _BOUNDS.get(name, (0.0, 1.0))
        yield Quantity(name=f"channel.{name}", low=low, high=high, about=about, rests_on=("sounds",))
    for layer in layers:
        about = f"held-out accuracy from the clip's mean codebook vector of layer {layer}"
        yield Quantity(name=f"channel.codec_gender_accuracy.layer_{layer}", low=0, high=1, about=about)


def channel(heard: Heard) -> Iterator[Measurement]:
    """All measurements but the codec's, in the order of `quantities`; undefined ones with their reasons."""
    outcome = _Outcomes(heard)
    find: dict[str, Callable[[], Found]] = {
        "chance_level": outcome.chance,
        "transcript_gender_accuracy": lambda: _accuracy(outcome.words()),
        "transcript_gender_accuracy.characters": lambda: _accuracy(outcome.text(characters_classifier)),
        "transcript_gender_accuracy.naive_bayes": lambda: _accuracy(outcome.text(naive_bayes_classifier)),
        "transcript_advantage_over_chance": outcome.advantage_over_chance,
        "transcript_accuracy_bound": lambda: transcript_bound(heard),
        "sound_gender_accuracy": lambda: _accuracy(outcome.whole_sound()),
        "f0_gender_accuracy": lambda: _accuracy(outcome.sound(1)),
        "sound_advantage_over_transcript": outcome.sound_over_transcript,
        "transcript_wer": lambda: word_errors(heard),
        "wer_gender_gap": lambda: gender_gap(heard),
        "wer_between_genders": lambda: disagreement(heard, across=True),
        "wer_within_gender": lambda: disagreement(heard, across=False),
    }
    for name in _ABOUT:
        yield measurement(f"channel.{name}", find[name], heard.source, heard.described)


def undefined_channel(layers: Sequence[int], reason: str) -> Iterator[Measurement]:
    """The same names, all undefined for one reason."""
    return (Measurement(name=quantity.name, undefined=reason, source="measured") for quantity in quantities(layers))


def measurement(name: str, find: Callable[[], Found], source: Source, locator: str = "") -> Measurement:
    """What `find` finds, or the reason why it is undefined."""
    unit = "WER" if "wer" in name else "share"
    try:
        found = find()
    except Undefined as error:
        return Measurement(name=name, undefined=error.reason, unit=unit, source=source, locator=locator)
    return Measurement(
        name=name,
        value=round(found.value, 6),
        unit=unit,
        n=found.n,
        interval=found.interval,
        source=source,
        locator=locator,
        note=found.note,
    )


class _Outcomes:
    """Held-out decisions of one set of clips, made once and shared by the measurements that need them."""

    def __init__(self, heard: Heard) -> None:
        self._heard = heard
        self._genders = [voice.gender for voice in heard.voices]
        self._speakers = [voice.speaker for voice in heard.voices]
        self._words: HeldOut | None = None

    def chance(self) -> Found:
        counts = Counter(self._genders)
        shown = ", ".join(f"{count} {gender}" for gender, count in sorted(counts.items()))
        return Found(max(counts.values()) / len(self._genders), len(self._genders), note=shown)

    def text(self, make: Callable[[], Any]) -> HeldOut:
        groups, over = self._text_groups()
        return held_out(make, self._heard.transcripts, self._genders, groups, over=over, seed=self._heard.seed)

    def words(self) -> HeldOut:
        self._words = self._words or self.text(words_classifier)
        return self._words

    def _text_groups(self) -> tuple[list[str], str]:
        """By sentence where both genders say the same ones and there are more of them than speakers, else by speaker.

        Holding out sentences leaves the voice in the training set, which can only help the classifier.
        """
        sentences = parallel(self._heard)
        spoken = [plain_words(voice.text or "") for voice in self._heard.voices]
        if len(sentences) > len(set(self._speakers)) and set(spoken) <= set(sentences):
            return spoken, "sentences"
        return self._speakers, "speakers"

    def sound(self, features: int) -> HeldOut:
        """From the first `features` of each acoustic vector; always by speaker."""
        kept = voiced_only(self._heard.vectors)
        vectors = [(self._heard.vectors[i] or [])[:features] for i in kept]
        genders, speakers = [self._genders[i] for i in kept], [self._speakers[i] for i in kept]
        return held_out(vector_classifier, vectors, genders, speakers, over="speakers", seed=self._heard.seed)

    def whole_sound(self) -> HeldOut:
        """From as many features as the speakers can support: pitch, then its spread, then the spectral envelope."""
        return self.sound(max(1, len(set(self._speakers)) // SPEAKERS_PER_FEATURE))

    def advantage_over_chance(self) -> Found:
        words, chance = self.words(), self.chance().value
        low, high = words.interval.low - chance, words.interval.high - chance
        interval = words.interval.model_copy(update={"low": low, "high": high})
        return Found(words.accuracy - chance, len(words.right), interval)

    def sound_over_transcript(self) -> Found:
        sound = self.whole_sound().by_group()
        text = HeldOut(self.words().right, tuple(self._speakers), "speakers").by_group()
        names = sorted(sound.keys() & text.keys())
        by_sound, by_text = [sound[name] for name in names], [text[name] for name in names]
        value = sum(by_sound) / len(names) - sum(by_text) / len(names)
        p = permutation_p(by_sound, by_text, paired=True, seed=self._heard.seed)
        return Found(value, len(names), self._paired(by_sound, by_text), f"permutation p = {p:.3g}")

    def _paired(self, a: Sequence[float], b: Sequence[float]) -> Interval:
        """Interval of the mean of a - b; exact where every speaker is all right or all wrong, as with a clip each."""
        decided = set(a) | set(b) <= {0.0, 1.0}
        if decided:
            return discordant_interval(a, b, over="speakers")
        return difference_interval(a, b, paired=True, over="speakers", seed=self._heard.seed)


def discordant_interval(a: Sequence[float], b: Sequence[float], over: str) -> Interval:
    """95 % interval of the mean of a - b for paired outcomes 0 or 1 (n,): Clopper-Pearson on the discordant pairs.

    Given how many pairs differ, how many of them favour `a` is binomial (McNemar, Psychometrika 12, 1947): an interval
    that agrees with the exact test. Where no pair differs it is that of a share of which none was seen.
    """
    differences = [x - y for x, y in zip(a, b, strict=True)]
    wins, losses, n = differences.count(1), differences.count(-1), len(differences)
    if not wins + losses:
        seen = exact_interval(0, n, over=over)
        return seen.model_copy(update={"low": -seen.high})
    share = exact_interval(wins, wins + losses, over=over)
    scale = (wins + losses) / n
    ends = {"low": (2 * share.low - 1) * scale, "high": (2 * share.high - 1) * scale}
    return share.model_copy(update=ends)


def _accuracy(outcome: HeldOut) -> Found:
    return Found(outcome.accuracy, len(outcome.right), outcome.interval, f"{outcome.over} held out")


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
    interval = _interval(bounds, over="sentences", seed=heard.seed, within=(0.5, 1))
    return Found(sum(bounds) / len(bounds), len(bounds), interval, "a perfect recogniser would give 0.5")


def _interval(values: Sequence[float], *, over: str, seed: int, within: tuple[float, float]) -> Interval | None:
    """The interval of the mean, None where these values do not have one: too few, or few and all equal."""
    try:
        return bootstrap_interval(values, over=over, seed=seed, within=within)
    except Undefined:
        return None


def _shares(texts: Sequence[str]) -> dict[str, float]:
    return {text: count / len(texts) for text, count in Counter(texts).items()}


def word_errors(heard: Heard) -> Found:
    rates = [rate for _, rate in _rates(heard)]
    interval = _interval(rates, over="clips", seed=heard.seed, within=(0, inf))
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
    try:
        interval = difference_interval(female, male, paired=bool(shared), over=over, seed=heard.seed)
    except Undefined:
        interval = None
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
    interval = _interval(rates, over="sentences", seed=heard.seed, within=(0, inf))
    return Found(sum(rates) / len(rates), len(rates), interval)
