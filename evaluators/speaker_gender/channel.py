"""The channel between a speaker and a cascade's language model, measured: what transcripts tell, what the sound tells.

A cascade hands on words alone. By the data-processing inequality (Cover and Thomas, Elements of Information Theory,
2.8) no later stage can know more about the voice than those words carry, so the accuracy that can be had from
transcripts bounds every language model behind them. Here it is estimated by classifiers that are tested on held-out
groups, and, where women and men say the same sentences, bounded for any rule whatever by how often their transcripts
coincide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from basics.errors import Undefined
from evaluators.evidence import Measurement, Quantity, Source
from evaluators.resampling import difference_interval
from evaluators.speaker_gender.heard import Found, Heard, parallel, plain_words
from evaluators.speaker_gender.separability import (
    HeldOut,
    characters_classifier,
    held_out,
    naive_bayes_classifier,
    vector_classifier,
    words_classifier,
)
from evaluators.speaker_gender.sound import voiced_only
from evaluators.speaker_gender.word_errors import disagreement, gender_gap, transcript_bound, word_errors

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
        interval = difference_interval(by_sound, by_text, paired=True, over="speakers", seed=self._heard.seed)
        return Found(sum(by_sound) / len(names) - sum(by_text) / len(names), len(names), interval)


def _accuracy(outcome: HeldOut) -> Found:
    return Found(outcome.accuracy, len(outcome.right), outcome.interval, f"{outcome.over} held out")
