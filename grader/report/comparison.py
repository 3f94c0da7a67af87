"""The page of a comparison of codecs, one file: rates against quality, tables, the worst clips to hear."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from audio.codec.contract import fitted
from audio.metrics.registry import facts_of
from basics.errors import EarwitnessError
from basics.files import write_whole
from basics.messages import in_language
from basics.workers import Crew, Pool
from evaluators.comparison.running import Comparison, in_words, task_for
from evaluators.comparison.statistics import Spread, Summary
from evaluators.comparison.work import Excerpt, Task, excerpt
from evaluators.display import Curves, Plot, Series
from evaluators.packages import PROJECT, installed_version
from grader.feedback.writing import stylesheet
from grader.quiz.words import Language, Words, words
from grader.report.plots import Drawing, curve_drawings
from grader.report.rendering import POLICY, environment, figure, static
from grader.report.sounds import SoundBank

WORST = 10
"""Clips that are to be heard."""
HEARD = 15.0
"""s of each of them at most."""
SHOWN = 6
"""Settings that each of them is heard through at most."""
PAGE = "index.html"


@dataclass(frozen=True)
class Version:
    """One setting of a clip to be heard: its value, and the id of its sound, or why there is none."""

    label: str
    value: str
    sound: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Heard:
    """A clip to be heard; `mean` is that of the headline measure over the settings."""

    name: str
    mean: str
    original: str
    versions: tuple[Version, ...]


def write_page(found: Comparison, out: Path, device: str, crew: Crew, language: Language) -> Path:
    """index.html in `out`; the crew takes the worst clips through the codecs once more."""
    bank, said = SoundBank(), words("comparison", language)
    drawings = curve_drawings(_curves(found, said), language)
    heard = list(_worst(found, found.summaries[0], bank, device, crew, said))
    made = environment(language)
    spread: Callable[[Spread], str] = partial(_in_words, said=said)
    made.filters |= {"spread": spread, "p": _p, "told": lambda text: in_language(text, language)}
    text = made.get_template("comparison.html.j2").render(
        policy=POLICY,
        css=stylesheet("style.css") + static("comparison.css"),
        w=said,
        title=said["title"],
        found=found,
        labels=[setting.label for setting in found.settings],
        facts={metric: facts_of(metric) for metric in found.metrics},
        drawings=drawings,
        codecs=list(dict.fromkeys(setting.codec for setting in found.settings)),
        missing=list(_missing(found, said)),
        warnings=_warnings(found),
        heard=heard,
        places=bank.places,
        headline=found.metrics[0],
        hours=in_words(float(np.nansum(found.seconds))),
        made_on=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        version=f"{PROJECT} {installed_version(PROJECT)}",
        heard_seconds=HEARD,
    )
    path = out / PAGE
    write_whole(path, text.encode())
    return path


def _in_words(spread: Spread, said: Words) -> str:
    if spread.mean is None:
        return said["undefined_because"].format(reason=spread.reason)
    interval = "" if spread.low is None or spread.high is None else f" [{figure(spread.low)}, {figure(spread.high)}]"
    return f"{figure(spread.mean)}{interval}"


def _p(value: float | None) -> str:
    return "—" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def _curves(found: Comparison, said: Words) -> Curves:
    """A plot for each measure, a line for each codec, its bitrate in kbit/s along the axis."""
    codecs = dict.fromkeys(setting.codec for setting in found.settings)
    plots = []
    for summary in found.summaries:
        series = []
        for codec in codecs:
            mine = [row for row in summary.rows if found.settings[row.setting].codec == codec]
            known = [(found.settings[row.setting].rate.bits_per_second / 1000, row.spread) for row in mine]
            points = sorted(((x, s) for x, s in known if s.mean is not None), key=lambda point: point[0])
            series.append(
                Series(
                    label=codec,
                    x=tuple(x for x, _ in points),
                    y=tuple(s.mean or 0.0 for _, s in points),
                    intervals=tuple(None if s.low is None or s.high is None else (s.low, s.high) for _, s in points),
                )
            )
        facts = facts_of(summary.metric)
        arrow, unit = "↑" if facts.higher_is_better else "↓", f", {facts.unit}" if facts.unit else ""
        plots.append(Plot(title=f"{summary.metric}{unit} {arrow}", series=tuple(series)))
    return Curves(title=said["rate"], plots=tuple(plots), x_title="kbit/s", x_axis="logarithmic")


def _missing(found: Comparison, said: Words) -> Iterator[str]:
    """What has no value, by measure and setting, with the commonest reasons; and that the rest stays paired."""
    reasons: dict[tuple[str, int], Counter[str]] = {}
    for (_, setting, metric), reason in found.reasons.items():
        reasons.setdefault((metric, setting), Counter())[reason] += 1
    for summary in found.summaries:
        lacking = [row for row in summary.rows if row.defined < row.clips]
        if not lacking:
            continue
        n = len(found.sources)
        yield said["compared_over"].format(metric=summary.metric, common=len(summary.common), clips=n)
        for row in lacking:
            told = "; ".join(f"{why} ({k} ×)" for why, k in reasons[summary.metric, row.setting].most_common(3))
            label = found.settings[row.setting].label
            yield said["lacks"].format(metric=summary.metric, setting=label, defined=row.defined, clips=n, reasons=told)


def _warnings(found: Comparison) -> tuple[str, ...]:
    from audio.clip import summary_of

    return summary_of((found.sources[i].name, note) for i, notes in sorted(found.warnings.items()) for note in notes)


def _worst(
    found: Comparison, summary: Summary, bank: SoundBank, device: str, crew: Crew, said: Words
) -> Iterator[Heard]:
    """The clips with the worst mean of the headline measure over the settings, taken through the codecs once more."""
    values = found.values[summary.metric]
    usable = np.isfinite(values).any(axis=0)
    if not summary.common:
        return
    means = {i: float(values[i, usable].mean()) for i in summary.common}
    sign = 1 if facts_of(summary.metric).higher_is_better else -1
    settings = found.settings[:SHOWN]
    worst = sorted(means, key=lambda i: sign * means[i])[:WORST]
    tasks = [task_for(found.sources[i], settings, (), device, crew) for i in worst]
    futures = [crew.submit(partial(_excerpt, task=task)) for task in tasks]
    for i, future in zip(worst, futures, strict=True):
        source = found.sources[i]
        try:
            samples, rate, made = future.result()
        except EarwitnessError:  # it is gone by now, or the machine is at fault
            continue
        versions = []
        for j, (setting, (sound, at)) in enumerate(zip(settings, made, strict=True)):
            value = figure(values[i, j]) if np.isfinite(values[i, j]) else said["undefined"]
            if isinstance(sound, str):
                versions.append(Version(setting.label, value, reason=sound))
            else:
                kept = bank.exact(fitted(sound, round(len(samples) * at / rate)), at)
                versions.append(Version(setting.label, value, kept))
        yield Heard(source.name, figure(means[i]), bank.exact(np.clip(samples, -1, 1), rate), tuple(versions))


def _excerpt(pool: Pool, task: Task) -> Excerpt:
    return pool.call_surely(excerpt, task, HEARD)


__all__ = ["Drawing", "write_page"]
