"""What the simulated engine reads and writes: requests checked as vLLM checks them, its errors, its chunk shapes."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from sparktui.sim import text

Json = dict[str, Any]


class RefusedError(Exception):
    """A request the engine answers with an OpenAI-shaped error."""

    def __init__(self, message: str, *, status: int = 400, kind: str = "BadRequestError", param: str | None = None):
        super().__init__(message)
        self.status = status
        self.body: Json = {"error": {"message": message, "type": kind, "param": param, "code": status}}


class StreamOptions(msgspec.Struct, frozen=True):
    """`stream_options` of a request."""

    include_usage: bool | None = False
    continuous_usage_stats: bool | None = False


class TextPart(msgspec.Struct, frozen=True):
    """One part of a message's content."""

    type: str
    text: str = ""


class Message(msgspec.Struct, frozen=True):
    """One turn of a conversation."""

    role: str
    content: str | list[TextPart] | None = None

    @property
    def words(self) -> str:
        """The text of the turn."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class GenerateRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What chat and text completions share."""

    model: str | None = None
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    max_tokens: int | None = None
    min_tokens: int = 0
    ignore_eos: bool = False
    return_token_ids: bool | None = False
    n: int | None = 1

    @property
    def include_usage(self) -> bool:
        """Whether a last chunk with the token counts is asked for."""
        return self.stream_options is not None and bool(self.stream_options.include_usage)

    @property
    def continuous_usage(self) -> bool:
        """Whether every chunk is to carry the token counts so far."""
        options = self.stream_options
        return self.include_usage and options is not None and bool(options.continuous_usage_stats)


class ChatRequest(GenerateRequest, frozen=True, kw_only=True):
    """`POST /v1/chat/completions`."""

    messages: list[Message]
    max_completion_tokens: int | None = None

    @property
    def limit(self) -> int | None:
        """The most tokens to generate; None where the request leaves it open."""
        return self.max_tokens if self.max_completion_tokens is None else self.max_completion_tokens

    def tokens(self) -> list[int]:
        """Return the prompt's token ids."""
        return text.encode_chat([message.words for message in self.messages])


class CompletionRequest(GenerateRequest, frozen=True, kw_only=True):
    """`POST /v1/completions`."""

    prompt: str | list[int]

    @property
    def limit(self) -> int | None:
        """The most tokens to generate: 16 where the request leaves it open, as OpenAI has it."""
        return 16 if self.max_tokens is None else self.max_tokens

    def tokens(self) -> list[int]:
        """Return the prompt's token ids."""
        return text.encode(self.prompt) if isinstance(self.prompt, str) else self.prompt


class TokenizeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`POST /tokenize`: a prompt, or messages."""

    model: str | None = None
    prompt: str | None = None
    messages: list[Message] | None = None

    def tokens(self) -> list[int]:
        """Return the token ids."""
        if self.messages is not None:
            return text.encode_chat([message.words for message in self.messages])
        if self.prompt is None:
            raise RefusedError("prompt: Field required", param="prompt")
        return text.encode(self.prompt)


_Request = TypeVar("_Request", ChatRequest, CompletionRequest, TokenizeRequest)


def decode(body: bytes, kind: type[_Request], served_model: str) -> _Request:
    """Read a request body; anything wrong with it is a RefusedError, an unknown model a 404."""
    try:
        request = msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise RefusedError(f"The request cannot be read: {error}") from error
    if request.model not in (None, served_model):
        message = f"The model `{request.model}` does not exist."
        raise RefusedError(message, status=404, kind="NotFoundError", param="model")
    return request


def length_limit(request: ChatRequest | CompletionRequest, prompt_tokens: int, max_model_len: int) -> int:
    """Return how many tokens may be generated; raise RefusedError where the context cannot hold them."""
    room = max_model_len - prompt_tokens
    limit = request.limit
    if request.n not in (None, 1):
        raise RefusedError("The simulated engine answers n=1 only.", param="n")
    if prompt_tokens == 0:
        raise RefusedError("The prompt is empty.", param="prompt")
    if room < 1:
        raise RefusedError(
            f"This model's maximum context length is {max_model_len} tokens. However, your request has "
            f"{prompt_tokens} input tokens. Please reduce the length of the input messages.",
            param="input_tokens",
        )
    if limit is not None and limit > room:
        raise RefusedError(
            f"'max_tokens' or 'max_completion_tokens' is too large: {limit}. This model's maximum context length is "
            f"{max_model_len} tokens and your request has {prompt_tokens} input tokens "
            f"({limit} > {max_model_len} - {prompt_tokens}).",
            param="max_tokens",
        )
    if limit is not None and limit < 1:
        raise RefusedError(f"max_tokens must be at least 1, got {limit}.", param="max_tokens")
    if request.min_tokens < 0 or (limit is not None and request.min_tokens > limit):
        raise RefusedError(
            f"min_tokens must be greater than or equal to 0 and less than or equal to max_tokens={limit}, "
            f"got {request.min_tokens}.",
            param="min_tokens",
        )
    return room if limit is None else limit


def usage(prompt_tokens: int, completion_tokens: int, cached_tokens: int | None = None) -> Json:
    """Return a usage object; `cached_tokens` adds where prompt tokens came from."""
    counts: Json = {
        "prompt_tokens": prompt_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        "completion_tokens": completion_tokens,
    }
    if cached_tokens is not None:
        counts["prompt_tokens_details"] = {"cached_tokens": cached_tokens}
    return counts
