"""The bodies of the simulated engine's answers: vLLM's chunks and whole completions."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from itertools import islice

import msgspec

from sparktui.sim.loop import Stream
from sparktui.sim.protocol import ChatRequest, CompletionRequest, Json, usage

DONE = b"data: [DONE]\n\n"


@dataclass(slots=True)
class Answer:
    """One request's answer, in whichever shape it was asked for."""

    request: ChatRequest | CompletionRequest
    model: str
    stream: Stream
    words: Iterator[tuple[int, str]]
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    created: int = field(default_factory=lambda: int(time.time()))

    @property
    def chat(self) -> bool:
        """Whether it was asked for as a chat."""
        return isinstance(self.request, ChatRequest)

    async def events(self) -> AsyncIterator[bytes]:
        """Yield server-sent events: a chunk per batch of tokens, then usage where asked for, then [DONE]."""
        sent = 0
        while new := await self.stream.take():
            if self.chat and not sent:
                yield self._event(self._role_choice(), 0, first=True)
            yield self._event(self._choice(new), sent + new, first=not self.chat and not sent)
            sent += new
        if self.request.include_usage:
            yield _event(self._envelope([]) | {"usage": self._usage(sent, details=True)})
        yield DONE

    async def whole(self) -> Json:
        """Wait for the last token and return the completion."""
        made = 0
        while new := await self.stream.take():
            made += new
        tokens, text = self._say(made)
        ids = tokens if self.request.return_token_ids else None
        choice: Json = {"index": 0, "logprobs": None, "finish_reason": self._finish(), "stop_reason": None}
        choice |= {"message": {"role": "assistant", "content": text}} if self.chat else {"text": text}
        choice["token_ids"] = ids
        body = self._envelope([choice], chunk=False) | {"usage": self._usage(made, details=True)}
        holder = body if self.chat else choice
        holder["prompt_token_ids"] = list(self.stream.generation.prompt) if self.request.return_token_ids else None
        return body

    def _say(self, tokens: int) -> tuple[list[int], str]:
        pairs = list(islice(self.words, tokens))
        return [token for token, _ in pairs], "".join(text for _, text in pairs)

    def _choice(self, new: int) -> Json:
        tokens, text = self._say(new)
        choice: Json = {"index": 0, "logprobs": None, "finish_reason": self._finish()}
        choice |= {"delta": {"content": text}} if self.chat else {"text": text}
        choice["token_ids"] = tokens if self.request.return_token_ids else None
        if choice["finish_reason"] is not None:
            choice["stop_reason"] = None
        return choice

    def _role_choice(self) -> Json:
        delta = {"role": "assistant", "content": ""}
        return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}

    def _event(self, choice: Json, made: int, *, first: bool) -> bytes:
        body = self._envelope([choice])
        if first:
            holder = body if self.chat else choice
            holder["prompt_token_ids"] = list(self.stream.generation.prompt) if self.request.return_token_ids else None
        if self.request.continuous_usage:
            body["usage"] = self._usage(made)
        return _event(body)

    def _envelope(self, choices: list[Json], *, chunk: bool = True) -> Json:
        kind, prefix = ("chat.completion", "chatcmpl") if self.chat else ("text_completion", "cmpl")
        if chunk and self.chat:
            kind += ".chunk"
        return {
            "id": f"{prefix}-{self.id}",
            "object": kind,
            "created": self.created,
            "model": self.model,
            "choices": choices,
        }

    def _usage(self, made: int, *, details: bool = False) -> Json:
        generation = self.stream.generation
        return usage(len(generation.prompt), made, generation.cached if details else None)

    def _finish(self) -> str | None:
        generation = self.stream.generation
        return generation.finish if generation.done else None


def _event(body: Json) -> bytes:
    return b"data: " + msgspec.json.encode(body) + b"\n\n"
