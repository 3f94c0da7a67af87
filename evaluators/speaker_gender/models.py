"""The two kinds of model of Q2, through transformers: a cascade, and a model that is given the sound.

The prompts, the greedy search, the numbers of new tokens and the seed are those of the homework's code
(Tincan0325/26spring_ml_hw10_speech_model, `model_a(s2t)/run.py` @ a3a5211 and `model_b(s2t)/run.py` @ 391881d). What
differs: Whisper and Llama run unquantised; and model B's own checkpoint (DeSTA2.5-Audio) is no part of transformers, so
another audio language model stands in unless a checkpoint is named, which makes its answers demonstration evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from basics.errors import Unavailable, Undefined
from basics.messages import say
from evaluators.speaker_gender.transcribe import SAMPLE_RATE, Whisper

if TYPE_CHECKING:
    from evaluators.speaker_gender.transcribe import Sound

SYSTEM = (
    "You are an assistant good to classify the gender in male and female. The input audio has a question and related "
    "audio data. Focus on the audio data to answer the question."
)
INSTRUCTION = "Please classify the gender in the following audio clip."
SEED = 42
BEAMS = 5  # of the recogniser's search; the language models are greedy
NEW_TOKENS = {"model_a": 80, "model_b": 512}

ASR = "openai/whisper-large-v3"
LLM = "meta-llama/Llama-3.1-8B-Instruct"
AUDIO_LLM = "Qwen/Qwen2-Audio-7B-Instruct"


Turns = list[dict[str, Any]]
"""A conversation as chat templates take it."""


@dataclass(frozen=True)
class Answer:
    """What a model says about one clip; `transcript` is what its recogniser wrote, None where it has none."""

    response: str
    transcript: str | None = None


class System(Protocol):
    """A loaded model: mono sound (n,) at 16 kHz -> its answer. The same sound gives the same answer.

    Raises Undefined for sound that does not go in whole.
    """

    def __call__(self, samples: Sound) -> Answer: ...


class Cascade:
    """Model A: Whisper writes a transcript, an instruction-tuned language model sees nothing else."""

    def __init__(self, asr: str, llm: str, device: str) -> None:
        with explained(asr):
            self._hear = Whisper(asr, device=device, beams=BEAMS, local_only=False)
        with explained(llm):
            library = _transformers()
            self._tokenizer = library.AutoTokenizer.from_pretrained(llm)
            self._merged = takes_no_system(self._tokenizer, self.turns, llm)
            self._model = library.AutoModelForCausalLM.from_pretrained(llm, dtype="auto").to(device).eval()

    @staticmethod
    def turns(merged: bool, transcript: str = "") -> Turns:
        asked = f"{INSTRUCTION}\n{transcript}"
        if merged:
            return [{"role": "user", "content": f"{SYSTEM}\n\n{asked}"}]
        return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": asked}]

    def __call__(self, samples: Sound) -> Answer:
        transcript = self._hear(samples)
        prompt = self._tokenizer.apply_chat_template(
            self.turns(self._merged, transcript), add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        return Answer(_generate(self._model, self._tokenizer, prompt, NEW_TOKENS["model_a"]), transcript)


class EndToEnd:
    """Model B: an audio language model that transformers has the architecture of."""

    def __init__(self, checkpoint: str, device: str) -> None:
        with explained(checkpoint):
            library = _transformers()
            config = library.AutoConfig.from_pretrained(checkpoint)
            architecture = getattr(library, (config.architectures or [""])[0], None)
            if architecture is None:
                raise _own_code(checkpoint)
            self._processor = library.AutoProcessor.from_pretrained(checkpoint)
            ears = getattr(self._processor, "feature_extractor", None)
            if ears is None:
                what = say(
                    "{checkpoint} ({model_type}) takes no sound", checkpoint=checkpoint, model_type=config.model_type
                )
                raise Unavailable(what, say("name an audio language model, such as {example}", example=AUDIO_LLM))
            self._longest: int | None = getattr(ears, "n_samples", None)
            self._merged = takes_no_system(
                self._processor, self.turns, f"{checkpoint} ({config.model_type})", AUDIO_LLM
            )
            self._model = architecture.from_pretrained(checkpoint, dtype="auto").to(device).eval()

    @staticmethod
    def turns(merged: bool) -> Turns:
        asked = [{"type": "audio"}, {"type": "text", "text": INSTRUCTION}]
        system = [{"type": "text", "text": SYSTEM}]
        if merged:
            return [{"role": "user", "content": [*system, *asked]}]
        return [{"role": "system", "content": system}, {"role": "user", "content": asked}]

    def __call__(self, samples: Sound) -> Answer:
        if self._longest is not None and len(samples) > self._longest:
            lasts, most = len(samples) / SAMPLE_RATE, self._longest / SAMPLE_RATE
            raise Undefined(f"it lasts {lasts:.1f} s, and the model hears the first {most:g} s: cut the clip")
        turns = self.turns(self._merged)
        text = self._processor.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
        prompt = self._processor(text=[text], audio=[samples], sampling_rate=SAMPLE_RATE, return_tensors="pt")
        tokenizer = self._processor.tokenizer
        return Answer(_generate(self._model, tokenizer, prompt, NEW_TOKENS["model_b"]))


def _transformers() -> Any:
    import transformers

    return transformers


def _generate(model: Any, tokenizer: Any, prompt: Any, new_tokens: int) -> str:
    """Greedy continuation of a prompt, from a fixed seed, without the prompt and special tokens."""
    import torch

    prompt = {name: _placed(value, model) for name, value in prompt.items()}
    torch.manual_seed(SEED)
    with torch.inference_mode():
        tokens = model.generate(
            **prompt, max_new_tokens=new_tokens, do_sample=False, pad_token_id=tokenizer.eos_token_id
        )
    return str(tokenizer.decode(tokens[0][prompt["input_ids"].shape[1] :], skip_special_tokens=True)).strip()


def _placed(value: Any, model: Any) -> Any:
    """A tensor on the model's device; sound features in the model's own precision."""
    return value.to(model.device, model.dtype) if value.is_floating_point() else value.to(model.device)


def takes_no_system(speaker: Any, turns: Callable[[bool], Turns], checkpoint: str, such_as: str = LLM) -> bool:
    """Whether a tokenizer's or processor's chat template refuses or drops a system's turn.

    What that says then goes before the user's words, `turns(True)`. Raises Unavailable where it takes neither.
    """
    if not getattr(speaker, "chat_template", None):
        raise Unavailable(
            say("{checkpoint} has no chat template", checkpoint=checkpoint),
            say("name an instruction-tuned model, such as {example}", example=such_as),
        )
    why: str = say("it leaves out what it is given")
    for merged in (False, True):
        try:
            text = speaker.apply_chat_template(turns(merged), add_generation_prompt=True, tokenize=False)
        except Exception as error:  # a template is a program of whoever made the model
            why = " ".join(str(error).split())
            continue
        if SYSTEM in text and INSTRUCTION in text:
            return merged
    what = say("the chat template of {checkpoint} takes no instructions ({reason})", checkpoint=checkpoint, reason=why)
    raise Unavailable(what, say("name an instruction-tuned model, such as {example}", example=such_as))


@contextmanager
def explained(checkpoint: str) -> Iterator[None]:
    """Turn what the hub and transformers raise while loading into a message with a remedy, without any token in it."""
    try:
        yield
    except (OSError, ValueError, KeyError) as error:
        raise _reason(checkpoint, error) from None


def _reason(checkpoint: str, error: BaseException) -> Unavailable:
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError

    causes = list(_causes(error))
    page = f"https://huggingface.co/{checkpoint}"
    if any(isinstance(cause, GatedRepoError) for cause in causes):
        remedy = say(
            "accept its licence at {page} with your account, then run `hf auth login`; the token stays in its file",
            page=page,
        )
        return Unavailable(
            say("{checkpoint} is gated: its licence has to be accepted first", checkpoint=checkpoint), remedy
        )
    if any(isinstance(cause, RepositoryNotFoundError | HFValidationError) for cause in causes):
        return Unavailable(
            say("no model {checkpoint}", checkpoint=checkpoint),
            say("check the name at {page}; a private one needs `hf auth login`", page=page),
        )
    if isinstance(error, OSError):
        remedy = say(
            "run `hf download {checkpoint}` where there is a network and copy the cache folder (HF_HOME) here",
            checkpoint=checkpoint,
        )
        return Unavailable(
            say("{checkpoint} is neither on this machine nor could it be downloaded", checkpoint=checkpoint), remedy
        )
    return _own_code(checkpoint)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _own_code(checkpoint: str) -> Unavailable:
    remedy = say(
        "name a checkpoint of an architecture that transformers has, or run it with its own package and write lines "
        '{"model": "model_b", "models": ["ID"], "clip": "F_1.wav", "response": "…"} into the answers file'
    )
    return Unavailable(
        say("transformers cannot load {checkpoint}: it needs code of its own", checkpoint=checkpoint), remedy
    )
