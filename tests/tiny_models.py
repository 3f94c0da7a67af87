"""Checkpoints of a few thousand random weights, of the architectures that `earwitness run-models` runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

WORDS = ["the", "speaker", "is", "a", "female", "male", "voice", "pitch", "text", "system", "user", "assistant"]
SPECIAL = ["<|pad|>", "<|end|>", "<|startoftranscript|>", "<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>", "<|unknown|>"]
CHAT = (
    "{% for m in messages %}{{ m['role'] }} {% if m['content'] is string %}{{ m['content'] }}{% else %}"
    "{% for c in m['content'] %}{% if c['type'] == 'audio' %}<|audio_bos|><|AUDIO|><|audio_eos|>"
    "{% else %}{{ c['text'] }}{% endif %}{% endfor %}{% endif %}<|end|>{% endfor %}assistant "
)


TIMES = 1502  # tokens of Whisper that stand for no times, and for 0 to 30 s in steps of 20 ms


def tokenizer(template: str | None = None) -> Any:
    """A word-level tokenizer of these few words."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {word: i for i, word in enumerate([*SPECIAL, *WORDS])}
    core = Tokenizer(models.WordLevel(vocabulary, unk_token="<|unknown|>"))
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    special = {"additional_special_tokens": SPECIAL[2:6]}
    names = {"pad_token": "<|pad|>", "eos_token": "<|end|>", "unk_token": "<|unknown|>"}
    made = PreTrainedTokenizerFast(tokenizer_object=core, **names, **special)
    made.chat_template = template
    return made


def save_whisper(folder: Path) -> str:
    """A Whisper: its own architecture and feature extractor, random weights."""
    import torch
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

    torch.manual_seed(0)
    own = tokenizer()
    config = WhisperConfig(
        vocab_size=len(own) + TIMES, d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, max_target_positions=24,
        pad_token_id=0, bos_token_id=1, eos_token_id=1, decoder_start_token_id=2, suppress_tokens=None,
        begin_suppress_tokens=None,
    )  # fmt: skip
    model = WhisperForConditionalGeneration(config)
    model.generation_config.no_timestamps_token_id = len(own)  # and from there on times: long sound needs them
    model.generation_config._from_model_config = False
    model.save_pretrained(folder)
    WhisperFeatureExtractor().save_pretrained(folder)
    own.save_pretrained(folder)
    return str(folder)


def save_llama(folder: Path, template: str | None = CHAT) -> str:
    """A Llama with a chat template."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    own = tokenizer(template)
    config = LlamaConfig(
        vocab_size=len(own), hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=2, max_position_embeddings=512, pad_token_id=0, eos_token_id=1, bos_token_id=1,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    own.save_pretrained(folder)
    return str(folder)


def save_audio_model(folder: Path) -> str:
    """A Qwen2-Audio: Whisper encoder, projector and language model in one."""
    import torch
    from transformers import (
        Qwen2AudioConfig,
        Qwen2AudioForConditionalGeneration,
        Qwen2AudioProcessor,
        Qwen2Config,
        WhisperFeatureExtractor,
    )

    torch.manual_seed(0)
    own = tokenizer(CHAT)
    config = Qwen2AudioConfig(
        audio_config={"model_type": "qwen2_audio_encoder", "d_model": 16, "encoder_layers": 1,
                      "encoder_attention_heads": 2, "encoder_ffn_dim": 32, "num_mel_bins": 128},
        text_config=Qwen2Config(
            vocab_size=len(own), hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
            num_key_value_heads=2, pad_token_id=0, eos_token_id=1, bos_token_id=1,
        ).to_dict(),
        audio_token_index=3,
    )  # fmt: skip
    model = Qwen2AudioForConditionalGeneration(config)
    with torch.no_grad():  # random weights as wide as trained ones, so that the answer depends on the sound
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(std=0.5)
    model.save_pretrained(folder)
    Qwen2AudioProcessor(WhisperFeatureExtractor(feature_size=128), own, chat_template=CHAT).save_pretrained(folder)
    return str(folder)
