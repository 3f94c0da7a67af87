"""What is done with one clip, in a process that may die: every setting of every codec, and every measure of each.

The same functions run here and on a cluster's workers. A worker process takes the clip through the codecs, and lets a
further one measure, so that a crash of PESQ costs PESQ alone. What still crashes is tried once more, codec by codec.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from audio.codec.contract import Audio, Rate
from basics.errors import EarwitnessError, InputError, MachineFault, Problem, Unavailable, Undefined
from basics.messages import say
from basics.workers import Crashed, Pool, shared_pool
from evaluators.codecs import Facts, facts_about, kept_codec

RATE = 16_000
"""Hz, at which everything is measured, whatever the rate of clips and codecs: that of wide-band PESQ."""
Value = float | str
"""A number, or the reason why there is none."""
Values = dict[str, Value]


@dataclass(frozen=True)
class Setting:
    """A codec at one bitrate: `codec` is its name in results, `source` as `audio.codec.naming` finds it.

    `facts` say which codec it has to be, wherever and whenever it is loaded.
    """

    source: str
    codec: str
    rate: Rate
    facts: Facts = ()

    @property
    def label(self) -> str:
        """`pocket nq=8 (1.1 kbit/s)`."""
        counted = f" nq={self.rate.codebooks}" if self.rate.codebooks else ""
        return f"{self.codec}{counted} ({self.rate.kilobits})"


@dataclass(frozen=True, eq=False)
class Task:
    """One clip: `place` is a path or an address, `content` the file's bytes where they travel with the task."""

    name: str
    place: str
    settings: tuple[Setting, ...]
    metrics: tuple[str, ...]
    device: str = "cpu"
    content: bytes | None = None


@dataclass(frozen=True)
class Outcome:
    """`values` (settings) by measure, in the order of the task's settings; or why the clip has none.

    `kept` says whether that is a result: what the machine did to a worker is none.
    """

    values: tuple[Values, ...]
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    kept: bool = True


def attempt(pool: Pool, task: Task) -> Outcome:
    """The clip's outcome, whatever becomes of the process that works on it."""
    try:
        return pool.call(score_clip, task)
    except (Crashed, MachineFault):
        parts = [_once_more(pool, replace(task, settings=tuple(group))) for group in _by_codec(task.settings)]
    values = tuple(values for part in parts for values in part.values)
    seconds, kept = max(part.seconds for part in parts), all(part.kept for part in parts)
    return Outcome(values, seconds, parts[0].warnings, kept)


def _once_more(pool: Pool, task: Task) -> Outcome:
    try:
        return pool.call(score_clip, task)
    except Crashed as crash:
        return nothing(task, f"{task.settings[0].codec} crashed ({crash}), and again when it was tried once more")
    except MachineFault as fault:
        return replace(nothing(task, f"{fault.what}, and again when it was tried once more"), kept=False)


def nothing(task: Task, reason: str) -> Outcome:
    """No value for any measure of the task, for one reason."""
    return Outcome(tuple(dict.fromkeys(task.metrics, reason) for _ in task.settings))


def _by_codec(settings: Sequence[Setting]) -> Iterator[list[Setting]]:
    for _, group in groupby(settings, key=lambda setting: setting.source):
        yield list(group)


def score_clip(task: Task) -> Outcome:
    """Every setting's values. A clip that cannot be read, or that a codec cannot take, has reasons in their place."""
    from audio.clip import resample
    from audio.metrics.engine import measure_surely

    try:
        clip = loaded(task)
    except (InputError, Unavailable) as error:
        return nothing(task, f"it cannot be read: {' '.join(str(error).split())}")
    reference = resample(clip.samples, clip.sample_rate, RATE)
    found: list[Values] = []
    for made, rate in transcoded(clip.samples, clip.sample_rate, task.settings, task.device):
        if isinstance(made, str):
            found.append(dict.fromkeys(task.metrics, made))
            continue
        estimate = _as_long(resample(made, rate, RATE), len(reference))
        measured = measure_surely(shared_pool(1), pair=(reference, estimate), sample_rate=RATE, metrics=task.metrics)
        found.append({name: v.reason if isinstance(v, Undefined) else float(v) for name, v in measured.items()})
    return Outcome(tuple(found), clip.seconds, clip.warnings)


def transcoded(
    samples: Audio, sample_rate: int, settings: Sequence[Setting], device: str
) -> Iterator[tuple[Audio | str, int]]:
    """What each setting makes of samples (n,), at which rate in Hz; or the reason why a codec made nothing."""
    from audio.clip import resample

    for group in _by_codec(settings):
        codec = kept_codec(group[0].source, device, group[0].facts)
        try:
            sound = resample(samples, sample_rate, codec.sample_rate)
            made: list[Audio | str] = [*codec.at_rates(sound, [setting.rate for setting in group])]
        except MachineFault:
            raise
        except MemoryError:
            made = [f"{codec.name} ran out of memory"] * len(group)
        except EarwitnessError as error:
            made = [" ".join(str(error).split())] * len(group)
        except Exception as error:  # a codec may be anybody's code
            made = [f"{codec.name} broke: {type(error).__name__}: {error}"] * len(group)
        yield from ((one, codec.sample_rate) for one in made)


Excerpt = tuple[Audio, int, list[tuple[Audio | str, int]]]
"""Samples (n,), their rate in Hz, and of each setting what it makes of them (or why nothing), and its rate in Hz."""


def excerpt(task: Task, seconds: float) -> Excerpt:
    """The first seconds of a clip, (n,) and its rate, and what each setting makes of them, as `transcoded`."""
    clip = loaded(task)
    samples = clip.samples[: round(seconds * clip.sample_rate)]
    return samples, clip.sample_rate, [*transcoded(samples, clip.sample_rate, task.settings, task.device)]


def loaded(task: Task) -> Any:
    from audio.clip import load

    if task.content is None and "://" not in task.place:
        return load(task.place)
    content = fetched(task.place) if task.content is None else task.content
    with TemporaryDirectory(prefix="earwitness-") as folder:
        file = Path(folder) / f"clip{Path(task.name).suffix}"
        file.write_bytes(content)
        return load(file)


def fetched(address: str) -> bytes:
    """The bytes at an address. Raises Unavailable without fsspec, InputError where it cannot be read."""
    try:
        import fsspec
    except ImportError as error:
        what = say("reading sound by address needs fsspec, which is not installed")
        raise Unavailable(what, say("`pip install 'earwitness[cluster]'`")) from error
    try:
        with fsspec.open(address, "rb") as file:
            content: bytes = file.read()
            return content
    except Exception as error:  # each file system has its own
        raise InputError(
            Problem(
                address,
                say("cannot be read ({error_type}: {error})", error_type=type(error).__name__, error=error),
                say("check it"),
            )
        ) from error


def _as_long(sound: Audio, samples: int) -> Audio:
    from audio.codec.contract import fitted

    return fitted(sound, samples)


def opened(texts: Sequence[str], device: str) -> list[Setting]:
    """Every setting that is asked for. Raises InputError with all that is wrong."""
    from audio.codec.naming import open_all

    return [
        Setting(wanted.source, codec.name, rate, facts_about(codec))
        for wanted, codec, rates in open_all(texts, device, kept_codec)
        for rate in rates
    ]


def opened_below(texts: Sequence[str], device: str, workers: int = 1) -> list[Setting]:
    """`opened` by so many processes below this one at once, which keep the codecs.

    Raises InputError for a codec that crashes, too.
    """
    pool = shared_pool(workers)
    with ThreadPoolExecutor(workers) as threads:
        found = [threads.submit(pool.call, opened, texts, device) for _ in range(workers)]
    try:
        return found[0].result()
    except Crashed:
        problems: list[Problem] = []
        for text in dict.fromkeys(texts):
            try:
                pool.call(opened, [text], device)
            except Crashed as crash:
                what = say("ends the process that loads it ({cause})", cause=crash)
                problems.append(Problem(text, what, say("leave it out, or see what is wrong with it")))
            except InputError as error:
                problems += error.problems
        raise InputError(problems) from None
