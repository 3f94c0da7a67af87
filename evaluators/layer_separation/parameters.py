"""What a question may ask about the layers, and the names of everything that is answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, model_validator

from evaluators.evidence import Frozen, Quantity

Layer = Annotated[int, Field(ge=0, le=63)]
Layers = tuple[Layer, Layer]
Text = Annotated[str, Field(min_length=1)]


class Parameters(Frozen):
    """One request. Layers are numbered as in the codec's code, from 0, the semantic codebook.

    Attributes:
        layers: layers to look at, or `all` of them.
        codebooks: how many codebooks the codec encodes with.
        emotions: the emotions to tell apart, by the corpus' names in any case; clips of others are left out.
        pair: two of them whose separation from each other is measured too.
        differences: pairs of layers (a, b) whose separation of all emotions is compared, as a minus b.
        pair_differences: pairs of layers (a, b) whose separation of the pair of emotions is compared.
        seeds: UMAP's `random_state`, one map for each.
        n_neighbors, min_dist: UMAP's own, at the library's defaults.
    """

    layers: Literal["all"] | Annotated[tuple[Layer, ...], Field(min_length=1)] = (0, 6, 16, 31)
    codebooks: Annotated[int, Field(ge=1, le=64)] = 32
    emotions: Annotated[tuple[Text, ...], Field(min_length=2)] = ("Amused", "Angry", "Disgusted", "Sleepy", "Neutral")
    pair: tuple[Text, Text] = ("Sleepy", "Angry")
    differences: tuple[Layers, ...] = ((31, 0),)
    pair_differences: tuple[Layers, ...] = ((6, 16),)
    seeds: Annotated[tuple[Annotated[int, Field(ge=0, lt=2**32)], ...], Field(min_length=5)] = (0, 1, 2, 3, 4)
    n_neighbors: Annotated[int, Field(ge=2)] = 15
    min_dist: Annotated[float, Field(ge=0, le=1)] = 0.1

    @model_validator(mode="after")
    def _consistent(self) -> Parameters:
        for name in ("layers", "seeds", "emotions", "pair"):
            values = [str(value).casefold() for value in getattr(self, name)]
            if name != "layers" or self.layers != "all":
                repeated = sorted({value for value in values if values.count(value) > 1})
                if repeated:
                    raise ValueError(f"`{name}` names {', '.join(repeated)} twice")
        if absent := [name for name in self.pair if name.casefold() not in map(str.casefold, self.emotions)]:
            raise ValueError(f"`pair` names {', '.join(absent)}, which `emotions` does not")
        if beyond := [layer for layer in self.chosen if layer >= self.codebooks]:
            raise ValueError(f"layer {beyond[0]} needs more than {self.codebooks} codebooks: layers count from 0")
        compared = {layer for pair in (*self.differences, *self.pair_differences) for layer in pair}
        if absent_layers := sorted(compared - set(self.chosen)):
            raise ValueError(f"layer {absent_layers[0]} is compared, but `layers` leaves it out")
        return self

    @property
    def chosen(self) -> tuple[int, ...]:
        """The layers' numbers, in order."""
        return tuple(range(self.codebooks)) if self.layers == "all" else tuple(sorted(self.layers))


@dataclass(frozen=True)
class Score:
    """One way of judging a layer. `{}` in the names is empty in the space of the vectors and `_map` in the map.

    `compares` names the parameter with the layers that are compared by it. `by_seed`: the mean of its map is also
    reported with its spread over the seeds.
    """

    name: str
    about: str
    p_name: str = ""
    compares: Literal["differences", "pair_differences", ""] = ""
    by_seed: bool = False

    def layers(self, parameters: Parameters) -> tuple[Layers, ...]:
        """The pairs of layers to compare."""
        return getattr(parameters, self.compares) if self.compares else ()


SCORES = (
    Score(
        "silhouette{}",
        "mean silhouette of the emotions, speakers pooled",
        "permutation_p{}",
        "differences",
        by_seed=True,
    ),
    Score(
        "silhouette{}_within_speaker",
        "mean silhouette of the emotions among the clips of one speaker at a time",
        "permutation_p{}_within_speaker",
        "differences",
    ),
    Score(
        "pair_separation{}",
        "mean silhouette of the two named emotions, all others left out, speakers pooled",
        "permutation_p_pair{}",
        "pair_differences",
        by_seed=True,
    ),
    Score(
        "pair_separation{}_within_speaker",
        "mean silhouette of the two named emotions among the clips of one speaker at a time",
        "permutation_p_pair{}_within_speaker",
        "pair_differences",
    ),
    Score("speaker_silhouette{}", "mean silhouette of the speakers: the confound of the pooled figures"),
)
PLACES = {"": "in the space of the codebook vectors", "_map": "in the 2-D map, mean over the seeds"}


RESOLUTION = "half the width of the interval that clips and seeds alone leave, with these speakers"


def quantities(parameters: Parameters) -> Iterator[Quantity]:
    """Everything that may be measured under these parameters."""
    yield Quantity(name="corpus.clips", unit="clips", low=0, about="clips of the named emotions")
    yield Quantity(name="corpus.speakers", unit="speakers", low=0)
    yield Quantity(name="corpus.missing", kind="text", about="speakers and the emotions they have no clips of")
    yield Quantity(
        name="corpus.speaker_emotion_association", low=0, high=1, about="Cramér's V of speaker and emotion over clips"
    )
    for score in SCORES:
        for suffix, place in PLACES.items():
            yield from _of(score, suffix, f"{score.about}, {place}", parameters)


def _of(score: Score, suffix: str, about: str, parameters: Parameters) -> Iterator[Quantity]:
    name = score.name.format(suffix)
    for layer in parameters.chosen:
        yield Quantity(name=f"{name}.layer_{layer}", low=-1, high=1, about=about)
        yield Quantity(name=f"{name}_resolution.layer_{layer}", low=0, high=1, about=f"{RESOLUTION}: {about}")
        if suffix and score.by_seed:
            yield Quantity(name=f"{name}_over_seeds.layer_{layer}", low=-1, high=1, about=f"{about}; spread over seeds")
    for a, b in score.layers(parameters):
        key = f"layer_{a}_minus_{b}"
        yield Quantity(name=f"{name}_difference.{key}", low=-2, high=2, about=about)
        yield Quantity(name=f"{name}_difference_resolution.{key}", low=0, high=2, about=f"{RESOLUTION}: {about}")
        yield Quantity(
            name=f"{score.p_name.format(suffix)}.{key}", low=0, high=1, about=f"that both layers are equal: {about}"
        )
