"""From scores to measurements: a value for each role with its interval, differences of roles, votes for the worst.

The interval is over clips where a role has at least three, else over windows of its clips, in blocks of neighbours
where there are more than five, and says so. What windows show is the spread; the value stays that of the whole clip, so
the interval of the windows' mean is moved onto it. A difference has the interval that both sides make together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations, repeat
from math import inf

from audio.clip import summary_of
from audio.measures import MEASURES, OF_WINDOWS, Metric
from audio.metrics import WindowMean
from audio.pairing import Pairing
from basics.errors import Undefined
from evaluators.evidence import Interval, Measurement, Source
from evaluators.reconstruction import growth
from evaluators.reconstruction.parameters import Request, votes
from evaluators.reconstruction.scores import Score
from evaluators.resampling import FEWEST, apart, block_interval, bootstrap_interval

SPEECH_NOTE = "PESQ and STOI are speech measures, not validated for music or laughter"
PAIRED = "the same originals in both: resampled as pairs"
INDEPENDENT = "resampled independently"
VOICE_NOTE = "F0 is followed as that of one speaking voice, not validated for music or laughter"
SPEECH_ROLES = ("english", "chinese", "speech")  # or names that end in one of these


@dataclass(frozen=True)
class Sample:
    """One measure of one role: the defined values of clips and windows, and what became of the others."""

    metric: Metric
    role: str
    clips: tuple[float, ...]
    windows: tuple[tuple[float, ...], ...]  # of each clip, in their order
    attempted: int
    attempted_windows: int
    reasons: tuple[str, ...]
    warnings: tuple[tuple[str, str], ...] = ()  # (which sound, what), of its level
    originals: tuple[str, ...] = ()  # digest of what each of `clips` was made from
    windowed: int = 0  # how many of `clips` are means over windows of a long sound
    lags: tuple[float, ...] = ()  # s by which reconstructions of others came late

    def spread(self, parameters: Request) -> tuple[float, Interval]:
        """What is resampled, clips or windows: its mean or median, with the interval.

        Raises Undefined where there is too little of it.
        """
        statistic, seed = parameters.statistic, parameters.seed
        if self.attempted >= FEWEST:
            if len(self.clips) >= FEWEST:
                return _centre(self.clips, parameters), bootstrap_interval(self.clips, statistic, seed=seed)
            raise Undefined(f"{self.metric} is defined for {self.counted} of {self.role}")
        if self.counted_windows >= FEWEST:
            pooled = [value for values in self.windows for value in values]
            return _centre(pooled, parameters), block_interval(self.windows, statistic, seed=seed)
        raise Undefined(
            f"the spread of {self.metric} over {self.role} is unknown: too few clips, too short for windows"
        )

    @property
    def counted_windows(self) -> int:
        """Windows with a value, of all clips together."""
        return sum(map(len, self.windows))

    @property
    def unit(self) -> str:
        """The measure's unit, with what its values are where they are no plain values of it."""
        return MEASURES[self.metric].unit + OF_WINDOWS * (self.windowed > 0)

    @property
    def counted(self) -> str:
        """`5 of 6 clips`."""
        return f"{len(self.clips)} of {self.attempted} clip{'s' * (self.attempted != 1)}"

    @property
    def note(self) -> str:
        """What a reader must know: what is missing, and what the interval is of."""
        notes = [f"defined for {self.counted}"]
        notes += [f"{reason} ({count} ×)" for reason, count in Counter(self.reasons).items()]
        notes += summary_of(self.warnings)
        if shifted := [abs(lag) for lag in self.lags if lag]:
            notes.append(f"{len(shifted)} shifted by {1000 * min(shifted):.1f} to {1000 * max(shifted):.1f} ms")
        if self.windowed:
            notes.append(f"PESQ of {self.windowed} of them, of more than 20 s, is a mean over windows of 8 to 20 s")
        if self.counted_windows and self.attempted < FEWEST:
            notes.append(f"interval: {self.counted_windows} of {self.attempted_windows} windows defined")
        if MEASURES[self.metric].speech_only and not self.role.endswith(SPEECH_ROLES):
            notes.append(VOICE_NOTE if self.metric.startswith("f0_") else SPEECH_NOTE)
        if self.metric == "pesq_wb":
            notes.append("P.862.2 without Corrigendum 2")
        return "; ".join(notes)


@dataclass(frozen=True)
class Summary:
    """Turns samples into measurements of one source; `locators` says for each role where its clips are from."""

    parameters: Request
    source: Source
    locators: dict[str, str]
    remark: str = ""

    def measurements(self, scores: Sequence[Score], codebooks: int | None) -> Iterator[Measurement]:
        """Values, differences and votes of the scores at `codebooks` (None: whatever they have)."""
        samples = {
            (metric, role): sample_of(scores, metric, role, codebooks)
            for metric in self.parameters.metrics
            for role in self.parameters.roles
        }
        for (metric, role), sample in samples.items():
            yield self._value(f"{metric}.{role}", sample)
        differences: dict[tuple[Metric, str, str], Measurement] = {}
        for metric in self.parameters.metrics:
            for a, b in combinations(self.parameters.roles, 2):
                differences[metric, a, b] = self._difference(samples[metric, a], samples[metric, b])
        for (metric, a, b), found in differences.items():
            yield from (found, _mirrored(found, f"{metric}.{b}_minus_{a}"))
        for title, metrics in votes(self.parameters):
            yield from self._votes(title, metrics, differences)
        yield from map(self._longest, self.parameters.roles, repeat(scores))
        if self.parameters.mode == "pairs":
            for role in self.parameters.roles:
                yield from self._pairing(role, [score for score in scores if score.role == role])
        if self.parameters.growth:
            mine = [score for score in scores if codebooks in (None, score.codebooks)]
            yield from growth.measurements(mine, self.parameters, self.source, self.locators, self.remark)

    def sweep(self, scores: Sequence[Score], codebooks: int) -> Iterator[Measurement]:
        """The values at another number of codebooks."""
        for metric in self.parameters.metrics:
            for role in self.parameters.roles:
                yield self._value(f"{metric}.{role}.q{codebooks}", sample_of(scores, metric, role, codebooks))

    def _longest(self, role: str, scores: Sequence[Score]) -> Measurement:
        """How long the longest original of a role is: what is heard in shorter clips is not owed to length."""
        seconds = [score.seconds for score in scores if score.role == role]
        return Measurement(
            name=f"longest_s.{role}",
            value=max(seconds),
            unit="s",
            n=len(seconds),
            source=self.source,
            locator=self.locators[role],
        )

    def _pairing(self, role: str, scores: Sequence[Score]) -> Iterator[Measurement]:
        """How far the pairs of a role are pairs: the most that one was shifted, the least that any correlates."""
        found = [score.pairing for score in scores if isinstance(score.pairing, Pairing)]
        refused = [score.pairing.reason for score in scores if isinstance(score.pairing, Undefined)]
        reason = None if found else f"no pair of {role}: {'; '.join(refused)}"
        counted = f"{len(found)} of {len(scores)} are pairs"
        for name, unit, value in (
            ("largest_lag_s", "s", max((abs(one.lag) for one in found), default=None)),
            ("least_correlation", "", min((one.correlation for one in found), default=None)),
            ("length_ratio", "", max((one.ratio for one in found), key=lambda ratio: abs(ratio - 1), default=None)),
        ):
            yield Measurement(
                name=f"{name}.{role}",
                value=value,
                undefined=reason,
                unit=unit,
                n=len(found),
                source=self.source,
                locator=self.locators[role],
                note=counted,
            )

    def _value(self, name: str, sample: Sample) -> Measurement:
        value, interval, without = centre(sample.clips, self.parameters), None, ""
        try:
            interval = None if value is None else around(value, sample, self.parameters)
        except Undefined as reason:
            without = f"no interval: {reason.reason}"
        return Measurement(
            name=name,
            value=value,
            undefined=_why(sample) if value is None else None,
            unit=sample.unit,
            n=len(sample.clips),
            interval=interval,
            source=self.source,
            locator=self.locators[sample.role],
            note=self._note("; ".join(filter(None, (sample.note, without)))),
        )

    def _difference(self, a: Sample, b: Sample) -> Measurement:
        value, interval, undefined = None, None, None
        try:
            value, interval = difference(a, b, self.parameters)
        except Undefined as reason:
            undefined = reason.reason
        return Measurement(
            name=f"{a.metric}.{a.role}_minus_{b.role}",
            value=value,
            undefined=undefined,
            unit=max(a.unit, b.unit, key=len),
            n=len(a.clips) + len(b.clips),
            interval=interval,
            source=self.source,
            locator=" against ".join(dict.fromkeys((self.locators[a.role], self.locators[b.role]))),
            note=self._note(f"{a.role}: {a.note}; {b.role}: {b.note}; {PAIRED if paired(a, b) else INDEPENDENT}"),
        )

    def _votes(
        self, title: str, metrics: Sequence[Metric], differences: dict[tuple[Metric, str, str], Measurement]
    ) -> Iterator[Measurement]:
        ranked = self.parameters.ranked
        intervals = {key: difference.interval for key, difference in differences.items()}
        polls = {metric: poll(metric, ranked, intervals) for metric in metrics}
        counted = [metric for metric, (_, defined) in polls.items() if defined]
        ballot = "; ".join(f"{metric}: {_ballot(*polls[metric])}" for metric in metrics)
        undefined = None if counted else f"no measure compares {' and '.join(ranked)}: {ballot}"
        note = self._note(f"clearly worst by measure: {ballot}; {SPEECH_NOTE}")
        against = Counter(polls[metric][0] for metric in counted)

        def say(name: str, value: int, locator: str) -> Measurement:
            return Measurement(
                name=name,
                value=None if undefined else value,
                undefined=undefined,
                unit="measures",
                n=len(counted),
                source=self.source,
                locator=locator,
                note=note,
            )

        for role in ranked:
            yield say(f"{title}.{role}", against[role], self.locators[role])
        for a, b in permutations(ranked, 2):
            locator = " against ".join(dict.fromkeys((self.locators[a], self.locators[b])))
            yield say(f"{title}_lead.{a}_minus_{b}", against[a] - against[b], locator)

    def _note(self, note: str) -> str:
        return "; ".join(filter(None, (note, self.remark)))


def sample_of(scores: Sequence[Score], metric: Metric, role: str, codebooks: int | None) -> Sample:
    """One measure over the clips of one role: defined values (n,), and the reasons of the others."""
    mine = [s for s in scores if s.role == role and codebooks in (None, s.codebooks)]
    clips = [s.values[metric] for s in mine]
    spans = [[values[metric] for values in s.windows] for s in mine]
    return Sample(
        metric=metric,
        role=role,
        clips=tuple(float(v) for v in clips if not isinstance(v, Undefined)),
        windows=tuple(tuple(float(v) for v in of_clip if not isinstance(v, Undefined)) for of_clip in spans),
        attempted=len(clips),
        attempted_windows=sum(map(len, spans)),
        reasons=tuple(v.reason for v in clips if isinstance(v, Undefined)),
        warnings=tuple(warning for s in mine for warning in s.warnings),
        windowed=sum(isinstance(v, WindowMean) for v in clips),
        lags=tuple(s.pairing.lag for s in mine if isinstance(s.pairing, Pairing)),
        originals=tuple(s.original for s in mine if not isinstance(s.values[metric], Undefined)),
    )


def paired(a: Sample, b: Sample) -> tuple[list[float], list[float]] | None:
    """The values (n,) of both, original by original, where both are of the same originals; None otherwise.

    What an original does to its reconstructions falls out of their differences, so these are told far more finely.
    """
    first, second = (dict(zip(sample.originals, sample.clips, strict=True)) for sample in (a, b))
    once = len(first) == len(a.clips) and len(second) == len(b.clips)
    if len(first) < FEWEST or not once or first.keys() != second.keys() or "" in first:
        return None
    return [*first.values()], [second[original] for original in first]


def around(value: float, sample: Sample, parameters: Request) -> Interval:
    """The interval of what was resampled, moved onto the value of the whole clips and cut off at the measure's bounds.

    Raises Undefined where there is none.
    """
    middle, interval = sample.spread(parameters)
    measure = MEASURES[sample.metric]
    lowest, highest = (-inf if measure.low is None else measure.low), (inf if measure.high is None else measure.high)
    moved = (interval.low + value - middle, interval.high + value - middle)
    low, high = (min(max(end, lowest), highest) for end in moved)  # both: a value may miss a bound by a rounding
    return interval.model_copy(update={"low": low, "high": high})


def _mirrored(found: Measurement, name: str) -> Measurement:
    """The same difference the other way round."""
    value, interval = found.value, found.interval
    if interval:
        interval = interval.model_copy(update={"low": -interval.high, "high": -interval.low})
    turned = -value if isinstance(value, int | float) else None
    return found.model_copy(update={"name": name, "value": turned, "interval": interval})


def difference(a: Sample, b: Sample, parameters: Request) -> tuple[float, Interval]:
    """A measure of `a` less that of `b`, with its interval; of pairs where both are of the same originals.

    Raises Undefined where the spread of either side is unknown: a bare difference says nothing.
    """
    if pairs := paired(a, b):
        apart_by = [x - y for x, y in zip(*pairs, strict=True)]
        return _centre(apart_by, parameters), bootstrap_interval(
            apart_by, parameters.statistic, seed=parameters.seed, over="clips, as pairs"
        )
    sides = []
    for sample in (a, b):
        if not sample.clips:
            raise Undefined(_why(sample))
        value = _centre(sample.clips, parameters)
        sides.append((value, around(value, sample, parameters)))
    return sides[0][0] - sides[1][0], apart(*sides)


def poll(
    metric: Metric, ranked: Sequence[str], differences: Mapping[tuple[Metric, str, str], Interval | None]
) -> tuple[str | None, bool]:
    """The role that is clearly worse than each other one by this measure, if any; and whether all could be compared.

    `differences` holds the intervals of a minus b by (measure, a, b); None where the difference is undefined.
    """
    lost: Counter[str] = Counter()
    for (name, a, b), interval in differences.items():
        if name != metric or a not in ranked or b not in ranked:
            continue
        if interval is None:
            return None, False
        low, high = interval.low, interval.high
        if not MEASURES[metric].higher_is_better:
            low, high = -high, -low
        lost.update([b] if low > 0 else [a] if high < 0 else [])
    worst = next((role for role, defeats in lost.items() if defeats == len(ranked) - 1), None)
    return worst, True


def centre(values: Sequence[float], parameters: Request) -> float | None:
    """Mean or median of the values (n,) in their own unit, None where there is none."""
    return _centre(values, parameters) if values else None


def _centre(values: Sequence[float], parameters: Request) -> float:
    from statistics import fmean, median

    return fmean(values) if parameters.statistic == "mean" else median(values)


def _why(sample: Sample) -> str:
    reasons = "; ".join(f"{reason} ({count} ×)" for reason, count in Counter(sample.reasons).items())
    return f"{sample.metric} has no value for any clip of {sample.role}: {reasons or 'there is none'}"


def _ballot(worst: str | None, defined: bool) -> str:
    return worst or ("no clear loser" if defined else "undefined")
