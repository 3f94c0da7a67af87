"""Codecs by name, each with the bitrates that are asked of it: `CODEC[@BITRATE,…|@nq=N,…|@all]`.

CODEC is a name (`mimi`, `pocket`, `opus`, `mp3`, or one that a package brings through the entry-point group
`earwitness.codecs`), a folder with config.json and model.safetensors, or a hub id, `owner/name` or `owner/name:COMMIT`.
Bitrates are in kbit/s; a neural codec without any is taken at all its codebooks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from audio.codec.contract import Rate, SoundCodec
from audio.codec.references import FORMATS, FfmpegCodec
from audio.codec.weights import NAMES as WEIGHTS
from basics.errors import EarwitnessError, InputError, Problem, Unavailable
from basics.listing import first_few
from basics.messages import say, together
from basics.suggestions import did_you_mean

GROUP = "earwitness.codecs"
NAMES = (*WEIGHTS, *FORMATS)
SETTING = re.compile(r"(?:nq=(?P<codebooks>\d{1,4})|(?P<kilobits>\d{1,6}(?:\.\d+)?)(?:k|kbps|kbit/s)?)", re.IGNORECASE)
HOW = say("write CODEC, CODEC@BITRATE in kbit/s, or CODEC@nq=N; several after commas, or all")


@dataclass(frozen=True)
class Asked:
    """A codec as it was asked for: `source` names it, `settings` are as they were written, empty for its default."""

    text: str
    source: str
    settings: tuple[str, ...] = ()


def asked(text: str) -> Asked:
    """What `text` asks for; nothing is looked for yet. Raises InputError for settings that are none."""
    source, at, after = text.rpartition("@")
    if not at or "/" in after.replace("kbit/s", ""):  # none, or one in a folder's name
        source, after = text, ""
    settings = tuple(part.strip() for part in after.split(",")) if at and source != text else ()
    if not source or not all(part == "all" or SETTING.fullmatch(part) for part in settings):
        raise InputError(
            Problem(text, say("asks for {text!r}, which is no bitrate", text=after or say("nothing")), HOW)
        )
    return Asked(text, source, settings)


def find_codec(source: str, device: str = "auto") -> SoundCodec:
    """The codec that `source` names, loaded.

    Raises InputError for what is no codec or cannot be loaded, Unavailable where weights, ffmpeg or its encoder are
    not here.
    """
    from audio.codec.loading import load_codec

    if points := _brought().get(source, []):
        return _foreign(source, points)
    if source in FORMATS:
        return FfmpegCodec(source)
    return load_codec(require_place(source), device=device)


def require_place(source: str) -> str:
    """Where `find_weights` looks for what is called `source`. Raises InputError where that can be no neural codec."""
    if source in WEIGHTS:
        return str(WEIGHTS[source])
    others = {*FORMATS, *_brought()}
    if source in others:
        raise InputError(
            Problem(
                source,
                say("is a codec without a file of weights, which evidence is told by"),
                say("name one that has: {names}, a folder, or a hub id (owner/name)", names=", ".join(WEIGHTS)),
            )
        )
    elsewhere = source.count("/") == 1 and not source.startswith((".", "/", "~"))
    if not elsewhere and not Path(source).expanduser().exists():
        what = say("is no codec: neither a name, nor a folder that is there, nor a hub id (owner/name)")
        raise InputError(Problem(source, what, did_you_mean(source, {*WEIGHTS, *others})))
    return source


def rates_of(codec: SoundCodec, wanted: Asked) -> tuple[Rate, ...]:
    """The settings of `codec` that are asked for, each once. Raises InputError naming each that it lacks."""
    rates = codec.rates()
    if not wanted.settings:
        if rates[-1].codebooks is None:
            what = say("has no bitrate of its own")
            raise InputError(
                Problem(
                    wanted.text,
                    what,
                    say("name one in kbit/s: {codec}@{bitrate:g}", codec=wanted.text, bitrate=_middle(rates)),
                )
            )
        return rates[-1:]
    problems: list[Problem] = []
    found: list[Rate] = []
    for setting in wanted.settings:
        if setting == "all":
            found += rates
            continue
        rate = _rate(rates, setting)
        if rate is None:
            problems.append(
                Problem(
                    wanted.text,
                    say("{codec} has no {setting}", codec=codec.name, setting=_said(setting)),
                    say("it has {settings}", settings=_listed(rates)),
                )
            )
        else:
            found.append(rate)
    if problems:
        raise InputError(problems)
    return tuple(dict.fromkeys(found))


def open_all(
    texts: Sequence[str], device: str = "auto", find: Callable[[str, str], SoundCodec] = find_codec
) -> Iterator[tuple[Asked, SoundCodec, tuple[Rate, ...]]]:
    """Each codec that is asked for, as `find` loads it, with its settings.

    Raises InputError with whatever is wrong with any of them.
    """
    problems: list[Problem] = []
    seen: set[tuple[str, str]] = set()
    for text in texts:
        try:
            wanted = asked(text)
            codec = find(wanted.source, device)
            rates = rates_of(codec, wanted)
        except InputError as error:
            problems += error.problems
            continue
        except Unavailable as error:
            problems.append(Problem(text, error.what, error.remedy))
            continue
        new = tuple(rate for rate in rates if (wanted.source, str(rate)) not in seen)
        seen |= {(wanted.source, str(rate)) for rate in new}
        if new and not problems:
            yield wanted, codec, new
    if problems:
        raise InputError(problems)


def _rate(rates: Sequence[Rate], setting: str) -> Rate | None:
    """The rate that a setting names: to as many decimals as are written, and to 2 % at most."""
    found = SETTING.fullmatch(setting)
    assert found is not None
    if found["codebooks"]:
        return next((rate for rate in rates if rate.codebooks == int(found["codebooks"])), None)
    wanted, decimals = float(found["kilobits"]), len(found["kilobits"].partition(".")[2])
    nearest = min(rates, key=lambda rate: abs(rate.bits_per_second - 1000 * wanted))
    apart = abs(nearest.bits_per_second / 1000 - wanted)
    return nearest if apart <= min(0.5 * 10.0**-decimals + 1e-9, 0.02 * wanted) else None


def _said(setting: str) -> str:
    found = SETTING.fullmatch(setting)
    assert found is not None
    return f"{found['codebooks']} codebooks" if found["codebooks"] else f"{found['kilobits']} kbit/s"


def _listed(rates: Sequence[Rate]) -> str:
    if rates[0].codebooks is None:
        return f"{rates[0].kilobits} to {rates[-1].kilobits}: {first_few([r.kilobits for r in rates], 14)}"
    return first_few([f"nq={rate.codebooks} ({rate.kilobits})" for rate in rates], 12)


def _middle(rates: Sequence[Rate]) -> float:
    return rates[len(rates) // 8].bits_per_second / 1000


@cache
def _brought() -> dict[str, list[EntryPoint]]:
    found: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=GROUP):
        found.setdefault(point.name, []).append(point)
    return found


def _foreign(name: str, points: Sequence[EntryPoint]) -> SoundCodec:
    """A codec of another package: what its entry point names is called without arguments."""
    brought = [f"{point.dist.name} {point.dist.version}" if point.dist else point.value for point in points]
    if name in NAMES or len(points) > 1:
        what = say("is brought by more than one package: {packages}", packages=together(brought, say(" and ")))
        raise InputError(Problem(name, what, say("uninstall one, or have its author rename the codec")))
    remedy = say(
        "check the entry point {name} = {target} in group {group}", name=name, target=points[0].value, group=GROUP
    )
    try:
        make: Callable[[], Any] = points[0].load()
        codec = make()
    except EarwitnessError:
        raise
    except Exception as error:  # it may be anybody's code
        what = say(
            "cannot be loaded ({package}): {error_type}: {error}",
            package=brought[0],
            error_type=type(error).__name__,
            error=error,
        )
        raise InputError(Problem(name, what, remedy)) from error
    if not isinstance(codec, SoundCodec) or not codec.rates():
        what = say(
            "gives a {type}, expected an audio.codec.SoundCodec with rates ({package})",
            type=type(codec).__name__,
            package=brought[0],
        )
        raise InputError(Problem(name, what, remedy))
    return codec
