"""Q2: what the words carry and what the voice carries; which of two models answers like a cascade.

Two kinds of evidence: the models' recorded answers, read by rules (`classify`, `behaviour`), and the channel itself,
measured on labelled voices (`channel`): how well gender can be told from transcripts and from the sound.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated

from pydantic import Field

from basics.errors import Unavailable
from evaluators.display import Panel
from evaluators.evidence import Evidence, Findings, Frozen, Inputs, Measurement, Quantity, Site

__all__ = ["SpeakerGender", "SpeakerGenderParameters"]

NO_RESPONSES = (
    "no recorded answers were given; run `earwitness run-models`, or copy the notebook's printed responses into a "
    "file, and give it with --responses"
)
LOOKED = "the option --responses"
PACKAGES = ("jiwer", "librosa", "pocketsphinx", "scikit-learn", "scipy", "numpy", "soxr", "transformers", "torch")


class SpeakerGenderParameters(Frozen):
    """One request.

    Attributes:
        language: language of the clips, as the manifest names it; the recogniser hears English.
        recogniser: `auto` (the best Whisper in the local hub cache, else PocketSphinx), `pocketsphinx`, or a Whisper
            checkpoint.
        layers: codebook layers of the codec whose mean vectors are classified, from 0, the semantic one.
        seed: of the assignment of speakers and sentences to folds, and of the bootstrap.
    """

    language: str = "en"
    recogniser: str = "auto"
    layers: tuple[Annotated[int, Field(ge=0)], ...] = (0, 1, 7)
    seed: int = 0


class SpeakerGender:
    """The models' recorded answers, and what transcripts and sound tell about gender."""

    name = "speaker_gender"
    version = 2
    stored = True
    Parameters = SpeakerGenderParameters

    def quantities(self, parameters: SpeakerGenderParameters) -> Iterable[Quantity]:
        """Names, units and bounds of all that `measure` may return."""
        from evaluators.speaker_gender import behaviour, channel

        about = "whether recorded answers of the models were given"
        recorded = Quantity(name="responses.recorded", kind="bool", about=about)
        answers = (quantity.model_copy(update={"rests_on": ()}) for quantity in (recorded, *behaviour.quantities()))
        return [*answers, *channel.quantities(parameters.layers)]

    def inputs(self, parameters: SpeakerGenderParameters, site: Site) -> Inputs:
        """Digests of the recorded answers, the clips, the recogniser and the codec, as far as they are here."""
        from basics.files import sha256_of
        from evaluators.speaker_gender import sound, transcribe, voices

        files: dict[str, str] = {}
        weights: str | None = None
        found: tuple[voices.Utterance, ...] = ()
        if site.responses and site.responses.is_file():
            files["responses"] = sha256_of(site.responses)
        try:
            found = voices.read_voices(site.audio, parameters.language, allow_truncated=site.allow_truncated)
            files["labels"] = voices.digest_of(found)
            files["recogniser"] = transcribe.choose_recogniser(parameters.recogniser)
            if found_weights := sound.weights(site):
                weights = found_weights.digest
                files |= found_weights.files
        except Unavailable:
            pass  # partial evidence is evidence: `measure` states what is missing, under every name it concerns
        return Inputs(
            files=files,
            weights=weights,
            packages=PACKAGES,
            seed=parameters.seed,
            sounds=tuple(voice.path for voice in found),
            synthetic=voices.synthetic_among(found),
        )

    def measure(self, parameters: SpeakerGenderParameters, site: Site) -> Findings:
        """Everything that can be had here; the rest is undefined, with what would supply it.

        Raises InputError for recorded answers or a manifest that cannot be read.
        """
        return Findings((*_answers(site), *_channel(parameters, site)))

    def display(self, evidence: Evidence, site: Site) -> Sequence[Panel]:  # noqa: ARG002 - as the protocol has it
        """What words and sound tell about gender, and what the models answered."""
        from evaluators.speaker_gender.display import display

        parameters = SpeakerGenderParameters.model_validate(evidence.parameters, strict=False)
        return (display(evidence, {quantity.name: quantity.about for quantity in self.quantities(parameters)}),)


def _answers(site: Site) -> Iterator[Measurement]:
    from evaluators.speaker_gender.behaviour import behaviour, judged, undefined_behaviour
    from evaluators.speaker_gender.responses import read_responses

    if site.responses is None:
        # Source `executed`: finding nothing must never outrank answers that somebody did record (`measured`).
        yield Measurement(name="responses.recorded", value=False, source="executed", locator=LOOKED, note=NO_RESPONSES)
        yield from undefined_behaviour(NO_RESPONSES)
        return
    answers = judged(read_responses(site.responses))
    found = list(behaviour(answers))
    source, locator = found[0].source, found[0].locator
    yield Measurement(name="responses.recorded", value=True, n=len(answers), source=source, locator=locator)
    yield from found


def _channel(parameters: SpeakerGenderParameters, site: Site) -> Iterator[Measurement]:
    from evaluators.speaker_gender.channel import channel, listen, undefined_channel
    from evaluators.speaker_gender.sound import codec_accuracies
    from evaluators.speaker_gender.transcribe import choose_recogniser
    from evaluators.speaker_gender.voices import read_voices

    try:
        voices = read_voices(site.audio, parameters.language, allow_truncated=site.allow_truncated)
        heard = listen(voices, choose_recogniser(parameters.recogniser), parameters.seed, site)
    except Unavailable as error:
        yield from undefined_channel(parameters.layers, f"{error.what}; {error.remedy}")
        return
    yield from channel(heard)
    yield from codec_accuracies(voices, parameters.layers, parameters.seed, site)
