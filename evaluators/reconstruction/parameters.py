"""What a question may ask of the evaluator, and the names of everything it can answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import permutations
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from audio.measures import MEASURES, Metric
from evaluators.evidence import Frozen, Quantity
from evaluators.resampling import Statistic

Role = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Codebooks = Annotated[int, Field(ge=1, le=64)]
METRICS: tuple[Metric, ...] = tuple(name for name, measure in MEASURES.items() if not measure.on_request)


class PairSelection(Frozen):
    """Which rows of the pairs' manifest play a role; a key that is left out does not restrict.

    Attributes:
        system: the codec, as the manifest's column `system` names it; pairs of several systems are never pooled.
        kind: `speech`, `singing`, `music`, … as the manifest says.
        language: its language code.
        codebooks: the number stated by whoever published the pair. Pairs that state none are taken only by
            `not stated` or `any`.
        sources: repositories (`owner/name`) to take pairs from.
    """

    system: str | None = None
    kind: str | None = None
    language: str | None = None
    codebooks: Codebooks | Literal["not stated", "any"] = 8
    sources: tuple[str, ...] = ()


class Request(Frozen):
    """What is asked of the evaluator.

    Attributes:
        mode: `codec` reconstructs the site's clips now; `pairs` measures reconstructions that somebody published.
        clips: codec mode: a file or a folder of clips, inside the site's audio folder, for each role.
        pairs: pairs mode: the pairs that play each role.
        codebooks: codec mode: how many codebooks of the codec are kept.
        sweep: codec mode: further numbers of codebooks, for the table and the plot.
        metrics: measures to take; those of F0 only where they are named here, and without a vote.
        statistic: what summarizes the clips of a role.
        rank: roles that compete for the worst reconstruction; those that the request has.
        null_roles: roles whose clips are polled against each other, two at a time, for what a lead in votes is worth.
        seed: of the bootstrap.
        growth: whether to measure by how much the log-mel distance rises from the beginning of each clip to its end.
    """

    mode: Literal["codec", "pairs"] = "codec"
    clips: Mapping[Role, Annotated[str, Field(min_length=1)]] = Field(default_factory=dict)
    pairs: Mapping[Role, PairSelection] = Field(default_factory=dict)
    codebooks: Codebooks = 8
    sweep: tuple[Codebooks, ...] = ()
    metrics: Annotated[tuple[Metric, ...], Field(min_length=1)] = METRICS
    statistic: Statistic = "mean"
    rank: tuple[Role, ...] = ("laughter", "music")
    null_roles: tuple[Role, ...] = ()
    seed: int = 0
    growth: bool = False

    @model_validator(mode="after")
    def _of_one_mode(self) -> Request:
        wanted, other = ("clips", "pairs") if self.mode == "codec" else ("pairs", "clips")
        if not getattr(self, wanted):
            raise ValueError(f"mode {self.mode} needs `{wanted}`: what plays each role")
        if getattr(self, other):
            raise ValueError(f"mode {self.mode} does not take `{other}`")
        if self.mode == "pairs" and self.sweep:
            raise ValueError("`sweep` needs mode codec: published pairs have the codebooks they have")
        if len(set(self.metrics)) < len(self.metrics):
            raise ValueError("`metrics` names a measure twice")
        if unknown := [role for role in self.null_roles if role not in self.roles]:
            raise ValueError(f"`null_roles` names {', '.join(unknown)}, which `{wanted}` does not")
        if len(set(self.null_roles)) < len(self.null_roles):
            raise ValueError("`null_roles` names a role twice")
        return self

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles, in the order of the request."""
        return tuple(self.clips or self.pairs)

    @property
    def ranked(self) -> tuple[str, ...]:
        """The roles that compete for the worst reconstruction; none unless there are two."""
        present = tuple(role for role in self.rank if role in self.roles)
        return present if len(present) > 1 else ()

    @property
    def voting_metrics(self) -> tuple[Metric, ...]:
        """The requested measures that have a vote: not those that are asked for by name alone."""
        return tuple(metric for metric in self.metrics if not MEASURES[metric].on_request)

    @property
    def nonspeech_metrics(self) -> tuple[Metric, ...]:
        """The requested measures that do not assume speech."""
        return tuple(metric for metric in self.metrics if not MEASURES[metric].speech_only)


def quantities(parameters: Request) -> Iterator[Quantity]:
    """Everything that may be measured under these parameters."""
    for role in parameters.roles:
        yield Quantity(name=f"longest_s.{role}", unit="s", low=0, about="duration of the longest clip")
        if parameters.mode == "pairs":
            yield Quantity(
                name=f"largest_lag_s.{role}", unit="s", low=0, about="most that a reconstruction was shifted"
            )
            yield Quantity(name=f"least_correlation.{role}", low=0, high=1, about="of the envelopes of any pair")
            yield Quantity(
                name=f"length_ratio.{role}", low=0, about="reconstruction over original, the farthest from 1"
            )
    if parameters.growth:
        for role in parameters.roles:
            yield Quantity(name=f"log_mel_growth.{role}", unit="dB", about="rise of the log-mel distance over a clip")
    for metric in parameters.metrics:
        unit, low, high = MEASURES[metric].unit, MEASURES[metric].low, MEASURES[metric].high
        for role in parameters.roles:
            yield Quantity(name=f"{metric}.{role}", unit=unit, low=low, high=high)
            for count in parameters.sweep:
                yield Quantity(name=f"{metric}.{role}.q{count}", unit=unit, low=low, high=high)
        span: dict[str, Any] = {} if low is None or high is None else {"low": low - high, "high": high - low}
        for a, b in permutations(parameters.roles, 2):  # both ways round: the order of roles is nobody's to rely on
            yield Quantity(name=f"{metric}.{a}_minus_{b}", unit=unit, **span)
    yield from _vote_quantities(parameters)


def _vote_quantities(parameters: Request) -> Iterator[Quantity]:
    for title, metrics in votes(parameters):
        many = len(metrics)
        for role in parameters.ranked:
            yield Quantity(
                name=f"{title}.{role}",
                unit="measures",
                low=0,
                high=many,
                about="number of measures by which this role is clearly the worst reconstructed",
            )
        for a, b in permutations(parameters.ranked, 2):
            yield Quantity(
                name=f"{title}_lead.{a}_minus_{b}",
                unit="measures",
                low=-many,
                high=many,
                about=f"votes for {a} as the worst reconstructed, less those for {b}",
            )
    if parameters.null_roles:
        for title, metrics in polls(parameters):
            yield Quantity(
                name=f"{title}_null",
                unit="measures",
                low=0,
                high=len(metrics),
                about="lead, of either sign, that two clips of one role do not exceed in 95 % of draws",
            )


def polls(parameters: Request) -> Iterator[tuple[str, tuple[Metric, ...]]]:
    """The polls about the worst reconstruction: a name and the measures that have a vote."""
    if parameters.voting_metrics:
        yield "worst_votes", parameters.voting_metrics
    if parameters.nonspeech_metrics:
        yield "worst_votes_nonspeech", parameters.nonspeech_metrics


def votes(parameters: Request) -> Iterator[tuple[str, tuple[Metric, ...]]]:
    """The polls, where there are roles that compete."""
    if parameters.ranked:
        yield from polls(parameters)
