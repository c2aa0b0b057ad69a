"""From a base URL, a prompt and what to ask for to the bytes of one HTTP/1.1 request; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import SplitResult, quote, urlsplit

import msgspec

from sparktui.errors import UsageError
from sparktui.load.messages import Target
from sparktui.profile.hostname import check_host

if TYPE_CHECKING:
    from sparktui.profile.model import Workload

Api = Literal["chat", "completions"]
_PATHS: dict[Api, str] = {"chat": "/v1/chat/completions", "completions": "/v1/completions"}
_HINT = "Give the server's base address, such as http://gf1:8000 or http://gf1:8000/v1."


@dataclass(frozen=True, slots=True)
class Prompt:
    """What one request says; `system` stands in front, as context."""

    user: str
    system: str | None = None
    tokens: int | None = None
    """How many tokens the server counts in it, template included, as far as that is known."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What every request of a workload asks for, beside its prompt."""

    model: str
    max_tokens: int
    api: Api = "chat"
    exact_tg: bool = True
    """Ask for exactly `max_tokens` tokens, by `min_tokens` and `ignore_eos`."""
    token_ids: bool = True
    """Ask for `token_ids` in each event, so that tokens can be counted per event (vLLM)."""
    temperature: float | None = None
    extra_body: Mapping[str, object] = field(default_factory=dict)
    """Further keys of the body; they win over all others."""


class RequestBuilder:
    """Makes the requests of one workload to one server; keeps the key to itself.

    Raises:
        UsageError: If the address or the key cannot be put into a request.
    """

    def __init__(self, url: str, model: str, workload: Workload, key: str | None = None) -> None:
        self.target = target_of(url)
        self._url = url
        self._key = None if key is None else bearer(key).removeprefix("Bearer ")
        self._ask = Ask(
            model=model,
            max_tokens=workload.tg,
            api=workload.api,
            exact_tg=workload.sampling.exact_tg,
            token_ids=workload.sampling.token_ids,
            temperature=workload.sampling.temperature,
            extra_body=workload.sampling.extra_body,
        )

    def build(self, prompt: Prompt) -> bytes:
        """Return a complete streaming request, head and body."""
        return build_request(self._url, self._ask, prompt, key=self._key)


def target_of(url: str) -> Target:
    """Return where a base URL points.

    Raises:
        UsageError: If it is no usable http or https address.
    """
    parts = _split(url)
    tls = parts.scheme == "https"
    return Target(host=parts.hostname or "", port=parts.port or (443 if tls else 80), tls=tls)


def root_of(url: str) -> str:
    """Return a base URL without its path's `/v1`, where servers keep `/tokenize`, `/metrics` and `/health`.

    Raises:
        UsageError: If it is no usable http or https address.
    """
    parts = _split(url)
    return f"{parts.scheme}://{parts.netloc}{_root_path(parts)}"


def api_url(url: str, api: Api) -> str:
    """Return the whole address of an API below a base URL.

    Raises:
        UsageError: If the base is no usable http or https address.
    """
    return root_of(url) + _PATHS[api]


def build_request(url: str, ask: Ask, prompt: Prompt, *, key: str | None = None) -> bytes:
    """Return a complete streaming request, head and body.

    Args:
        url: The base address, with or without `/v1`.
        ask: What to ask for.
        prompt: What to say.
        key: The API key; it is in the bytes and nowhere else.

    Raises:
        UsageError: If the address or the key cannot be put into a request.
    """
    parts = _split(url)
    body = msgspec.json.encode(_body(ask, prompt))
    head = [
        f"POST {_root_path(parts)}{_PATHS[ask.api]} HTTP/1.1",
        f"Host: {parts.netloc}",
        "User-Agent: sparktui",
        "Accept: text/event-stream",
        "Accept-Encoding: identity",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    if key is not None:
        head.append(f"Authorization: {bearer(key)}")
    return "\r\n".join(head).encode("ascii") + b"\r\n\r\n" + body


def bearer(key: str) -> str:
    """Return the value of the Authorization header for an API key.

    Raises:
        UsageError: If the key is empty or could not stand in a header; the message does not repeat it.
    """
    key = key.strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise UsageError("The API key is empty or holds spaces or characters that no HTTP header can carry.")
    return f"Bearer {key}"


def without_key(answer: bytes, key: str | None) -> bytes:
    """Return a server's answer with the API key blanked out, should it repeat that."""
    return answer if key is None else answer.replace(key.strip().encode(), b"***")


def said(prompt: Prompt, api: Api) -> dict[str, object]:
    """Return the part of a body that holds the prompt: `messages` or `prompt`."""
    if api == "completions":
        return {"prompt": prompt.user if prompt.system is None else f"{prompt.system} {prompt.user}"}
    messages = [{"role": "user", "content": prompt.user}]
    if prompt.system is not None:
        messages.insert(0, {"role": "system", "content": prompt.system})
    return {"messages": messages}


def _body(ask: Ask, prompt: Prompt) -> dict[str, object]:
    body: dict[str, object] = {"model": ask.model, **said(prompt, ask.api), "max_tokens": ask.max_tokens}
    body |= {"stream": True, "stream_options": {"include_usage": True}}
    if ask.token_ids:
        body["return_token_ids"] = True
    if ask.exact_tg:
        body |= {"min_tokens": ask.max_tokens, "ignore_eos": True}
    if ask.temperature is not None:
        body["temperature"] = ask.temperature
    return {**body, **ask.extra_body}


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url.strip())
        problem = _problem(parts)
    except ValueError as error:
        raise UsageError(f"{url!r} is not a usable address: {error}.", _HINT) from None
    if problem:
        shown = "The address" if "@" in parts.netloc else repr(url)
        raise UsageError(f"{shown} {problem}.", _HINT)
    return parts


def _problem(parts: SplitResult) -> str | None:
    """Return what is wrong with an address.

    Raises:
        ValueError: If its port or its host cannot be read at all.
    """
    if parts.scheme not in ("http", "https"):
        return "does not begin with http:// or https://"
    if not parts.hostname:
        return "names no host"
    if any(c.isspace() for c in parts.netloc):
        return "has a space in its host"
    if "@" in parts.netloc:
        return "has a user name or password in it; keys come from an environment variable or a file"
    if parts.query or parts.fragment:
        return "has a query or fragment, which a base address cannot have"
    if parts.port == 0:
        return "has port 0, which nothing can listen on"
    if parts.path.rstrip("/").endswith("/completions"):
        return "is the address of one API, not of the server"
    parts.netloc.encode("ascii")
    check_host(parts.hostname)
    return None


def _root_path(parts: SplitResult) -> str:
    return quote(parts.path.rstrip("/").removesuffix("/v1").rstrip("/"), safe="/%")
