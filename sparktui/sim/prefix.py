"""A prefix cache as vLLM's: whole blocks of tokens, each known by the hash of everything up to its end."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence

BLOCK_TOKENS = 16


def blocks_for(tokens: int) -> int:
    """Return how many blocks hold that many tokens."""
    return -(-tokens // BLOCK_TOKENS)


class PrefixCache:
    """Which prompt blocks are still in memory; the least recently used go first."""

    def __init__(self, capacity_blocks: int) -> None:
        self.queries = 0
        """Tokens looked up."""
        self.hits = 0
        """Tokens found."""
        self._capacity = capacity_blocks
        self._blocks: OrderedDict[int, None] = OrderedDict()

    def lookup(self, prompt: Sequence[int]) -> int:
        """Return how many leading tokens are cached; the last token is always computed."""
        found = 0
        # As in vLLM, a fully cached prompt still computes its last token, so its last block is not looked up.
        for digest in _block_hashes(prompt, limit=max(0, len(prompt) - 1)):
            if digest not in self._blocks:
                break
            self._blocks.move_to_end(digest)
            found += BLOCK_TOKENS
        self.queries += len(prompt)
        self.hits += found
        return found

    def store(self, prompt: Sequence[int]) -> None:
        """Remember a computed prompt's whole blocks."""
        for digest in _block_hashes(prompt, limit=len(prompt)):
            self._blocks[digest] = None
            self._blocks.move_to_end(digest)
        while len(self._blocks) > self._capacity:
            self._blocks.popitem(last=False)


def _block_hashes(prompt: Sequence[int], limit: int) -> Iterator[int]:
    digest = 0
    for start in range(0, limit - BLOCK_TOKENS + 1, BLOCK_TOKENS):
        digest = hash((digest, tuple(prompt[start : start + BLOCK_TOKENS])))
        yield digest
