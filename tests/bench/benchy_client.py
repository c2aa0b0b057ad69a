"""Drives llama-benchy's own client, unmodified: run by the interpreter that llama-benchy is installed for.

`benchy_client.py URL MODEL CONCURRENCY TOKENS` runs one wave for every line on stdin, as llama-benchy's runner does
(one session, `run_generation` for each request, gathered), and prints how many token events it saw.
"""

from __future__ import annotations

import asyncio
import sys

import aiohttp
from llama_benchy.client import LLMClient


async def serve(url: str, model: str, concurrency: int, tokens: int) -> None:
    """Run waves until stdin ends."""
    client = LLMClient(f"{url}/v1", "EMPTY", model)
    connector = aiohttp.TCPConnector(limit=concurrency + 5, force_close=False, keepalive_timeout=600)
    timeout = aiohttp.ClientTimeout(total=3600)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector, trust_env=True) as session:
        for _ in sys.stdin:
            asked = [client.run_generation(session, "", "a few words", tokens, False) for _ in range(concurrency)]
            results = await asyncio.gather(*asked)
            assert not any(result.error for result in results)
            print(sum(result.total_tokens for result in results), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
