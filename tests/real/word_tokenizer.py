"""The embedded engine's tokenizer in the files that Hugging Face's libraries read, and a book in its words."""

from __future__ import annotations

import json
import random
from pathlib import Path

from sparktui.sim.text import WORDS

BOOK_WORDS = 200_000
_UNKNOWN = "[UNK]"
_PROBE = "Warmup"
"""What llama-benchy finds the template's length with; one token here as it is for the engine."""


def book(seed: int) -> str:
    """Return a text of words that the engine knows, each of them one token."""
    return " ".join(random.Random(seed).choices(WORDS, k=BOOK_WORDS))


def write_tokenizer(folder: Path) -> None:
    """Write a tokenizer with one token for each word, as the engine counts them."""
    vocabulary = {word: number for number, word in enumerate((_UNKNOWN, _PROBE, *dict.fromkeys(WORDS)))}
    tokenizer: dict[str, object] = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": None,
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": _UNKNOWN},
    }
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": _UNKNOWN}
    folder.mkdir(parents=True)
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
