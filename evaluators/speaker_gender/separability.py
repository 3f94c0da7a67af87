"""How well gender can be told from what is given: held-out accuracy of a classifier, with what it is sure of.

Nobody's own clips (or sentences) are ever in the training set of their classifier: folds keep groups whole and hold one
gender as often as the other, because leaving out a single clip of a balanced set tips the training set towards the
other gender and pushes an uninformed classifier below chance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from basics.errors import Undefined
from evaluators.evidence import Interval
from evaluators.speaker_gender.behaviour import exact_interval
from evaluators.speaker_gender.responses import Gender

REPEATS = 5
"""Random assignments of groups to folds; a clip's decision is taken from the mean of its held-out probabilities."""
MOST_FOLDS = 10
TIE = 1e-6  # a mean probability this close to one half is no decision and counts as half right


@dataclass(frozen=True)
class HeldOut:
    """Held-out decisions: for each clip 1 (right), 0 (wrong) or 0.5 (undecided), and the group it belongs to."""

    right: tuple[float, ...]
    groups: tuple[str, ...]
    over: str

    @property
    def accuracy(self) -> float:
        return sum(self.right) / len(self.right)

    @property
    def interval(self) -> Interval:
        """Clopper-Pearson, within [0, 1], as if every group were one observation.

        Clips of one group may all go wrong together.
        """
        n = len(set(self.groups))
        return exact_interval(self.accuracy * n, n, over=self.over)

    def by_group(self) -> dict[str, float]:
        """Share of right decisions, in [0, 1], in each group."""
        shares: dict[str, list[float]] = {}
        for group, right in zip(self.groups, self.right, strict=True):
            shares.setdefault(group, []).append(right)
        return {group: sum(values) / len(values) for group, values in shares.items()}


def held_out(
    make: Callable[[], Any],
    inputs: Sequence[Any],
    genders: Sequence[Gender],
    groups: Sequence[str],
    *,
    over: str,
    seed: int = 0,
) -> HeldOut:
    """Cross-validated decisions of the scikit-learn classifiers that `make` returns.

    `inputs` are n texts or n vectors, `genders` and `groups` have length n. Raises Undefined where one gender has fewer
    than two groups: nobody could then be left out.
    """
    import numpy as np
    from sklearn.model_selection import StratifiedGroupKFold

    female = np.array([gender == "female" for gender in genders])
    names = np.array(groups)
    fewest = min(len(set(names[female])), len(set(names[~female])))
    if fewest < 2:
        raise Undefined(f"needs at least two {over} of each gender, has {fewest} of one")
    data = np.array(inputs, dtype=object) if isinstance(inputs[0], str) else np.array(inputs, dtype=float)
    probability = np.zeros(len(female))
    for repeat in range(REPEATS):
        folds = StratifiedGroupKFold(min(fewest, MOST_FOLDS), shuffle=True, random_state=seed + repeat)
        for train, test in folds.split(data, female, names):
            model = make().fit(data[train], female[train])
            probability[test] += model.predict_proba(data[test])[:, 1] / REPEATS
    right = np.where(abs(probability - 0.5) < TIE, 0.5, (probability > 0.5) == female)
    return HeldOut(tuple(map(float, right)), tuple(groups), over)


def words_classifier() -> Any:
    """Logistic regression on word unigrams and bigrams, weighted by tf-idf."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    return make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\S+"), LogisticRegression(class_weight="balanced")
    )


def characters_classifier() -> Any:
    """Logistic regression on character 2- to 4-grams inside words, weighted by tf-idf."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4))
    return make_pipeline(vectorizer, LogisticRegression(class_weight="balanced"))


def naive_bayes_classifier() -> Any:
    """Multinomial naive Bayes on word counts, both genders equally likely beforehand."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.naive_bayes import MultinomialNB
    from sklearn.pipeline import make_pipeline

    return make_pipeline(CountVectorizer(token_pattern=r"\S+"), MultinomialNB(class_prior=[0.5, 0.5]))


def vector_classifier() -> Any:
    """Logistic regression on standardised features; on one feature it is a threshold."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000))
