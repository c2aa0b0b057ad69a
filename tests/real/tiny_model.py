"""Writes a tiny random Llama: config, tokenizer, and weights (5 MB) for engines that cannot make them up.

Run by the interpreter of the environment that `environment.py` builds, which has `tokenizers` and `transformers`:

    python tiny_model.py FOLDER
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path

VOCABULARY = 4096
CONTEXT = 8192
SPECIAL = ("<s>", "</s>", "<|user|>", "<|assistant|>", "<|system|>", "<|end|>")
CHAT_TEMPLATE = (
    "<s>{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": VOCABULARY,
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "hidden_act": "silu",
    "max_position_embeddings": CONTEXT,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "initializer_range": 0.02,
    "tie_word_embeddings": False,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "torch_dtype": "float32",
}
TOKENIZER_CONFIG = {
    "tokenizer_class": "PreTrainedTokenizerFast",
    "bos_token": "<s>",
    "eos_token": "</s>",
    "model_max_length": CONTEXT,
    "clean_up_tokenization_spaces": False,
    "chat_template": CHAT_TEMPLATE,
}


COMMON_WORDS = """
a about after all also an and any are as ask at back be because been before but by came can city come could day did do
down each early earth even every far few first follow for found from get give go good great had hand hard has have he
help her here him his home house how if in into is it its just know land large last late learn left letter life light
like line little live long look made make man many may me men mile more most mother move much must my name near never
new night no not now of off old on once one only open or other our out over own page part people place plant play point
press read real right river said same saw say school sea second see set she should side small so some sound state still
stop story study such take tell than that the their them then there these they thing think this three time to too town
tree try turn two under until up us use very walk want was water way we well went were what when where which while white
who why will with word work world would write year you young your
"""
"""A real model has a token for each of these, and so shall this one."""


def sentences(count: int = 6000) -> Iterator[str]:
    """Yield made-up sentences, the same in every run: common words, and others enough to fill the vocabulary."""
    rng = random.Random(20261123)
    syllables = [onset + vowel + coda for onset in "bcdfghklmnprstvw" for vowel in "aeiou" for coda in ("", *"lmnrst")]
    rare = ["".join(rng.choices(syllables, k=rng.randint(1, 3))) for _ in range(6000)]
    common = COMMON_WORDS.split()
    for _ in range(count):
        words = rng.choices(common, k=rng.randint(6, 14)) + rng.choices(rare, k=rng.randint(4, 10))
        rng.shuffle(words)
        yield " ".join(words).capitalize() + f" {rng.randint(0, 99999)}.\n"


def write_tokenizer(folder: Path) -> None:
    """Train a byte-level BPE and write it; raise RuntimeError where the text was too poor for the vocabulary."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers  # type: ignore[import-not-found]

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(sentences(), trainer)
    if tokenizer.get_vocab_size() != VOCABULARY:
        raise RuntimeError(f"the tokenizer has {tokenizer.get_vocab_size()} tokens, wanted {VOCABULARY}")
    tokenizer.save(str(folder / "tokenizer.json"))


def write_weights(folder: Path) -> None:
    """Write random weights, the same in every run, for the config that is there."""
    import torch  # type: ignore[import-not-found]
    from transformers import AutoConfig, AutoModelForCausalLM  # type: ignore[import-not-found]

    torch.manual_seed(20261124)
    AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder)).save_pretrained(folder)


def main(folder: Path) -> None:
    """Write the whole model folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_tokenizer(folder)
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps(TOKENIZER_CONFIG, indent=2) + "\n")
    generation = {"bos_token_id": 0, "eos_token_id": 1}
    write_weights(folder)
    (folder / "generation_config.json").write_text(json.dumps(generation, indent=2) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
