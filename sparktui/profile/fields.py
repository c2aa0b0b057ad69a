"""The kinds of values that a profile's keys take: their types, bounds and, for messages, their descriptions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field

from sparktui.profile.hostname import check_host
from sparktui.profile.secrets import WHY, names_a_secret

NAME = r"^[a-z0-9][a-z0-9._-]{0,62}$"


@dataclass(frozen=True, slots=True)
class Takes:
    """What a key takes, in words, where its type and bounds do not say it well enough."""

    words: str


NAME_TAKES = "a name: lower-case letters, digits, '.', '_' and '-', beginning with a letter or digit, 63 at most"
Name = Annotated[str, Field(pattern=NAME), Takes(NAME_TAKES)]
Port = Annotated[int, Field(ge=1, le=65535)]
Gib = Annotated[float, Field(ge=0, le=1_000_000)]
Seed = Annotated[int, Field(ge=0, le=2**63 - 1)]
Destination = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.@:%/-]*$"),
    Takes("local, simulated, or a host name or alias that ssh knows"),
]
Address = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9_:][A-Za-z0-9_.:%-]*$"),
    Takes("an IP address or a host name, without port"),
]
Folder = Annotated[str, Field(pattern=r"^(/|~$|~/)"), Takes("a folder: /... or ~/...")]
File = Annotated[str, Field(pattern=r"^(/|~/)"), Takes("a file: /... or ~/...")]
EnvName = Annotated[
    str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$"), Takes("the name of an environment variable, such as NCCL_DEBUG")
]
Executable = Annotated[
    str,
    Field(pattern=r"^[^-=~][^=]*$"),
    Takes("a program's name or full path, without '=' and not beginning with '-' or '~'"),
]
Word = Annotated[str, Field(pattern=r"^[^-]"), Takes("text, not empty and not beginning with '-'")]
PlainWord = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9_@%+=:,./][A-Za-z0-9_@%+=:,./-]*$"),
    Takes("letters, digits and _@%+=:,./- only: spark-vllm-docker's scripts hand it to a shell unquoted"),
]
ContainerName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]+$"), Takes("a container's name: letters, digits, '_', '.' and '-'")
]
PlainValue = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9_@%+=:,./-]*$"),
    Takes("letters, digits and _@%+=:,./- only: spark-vllm-docker's scripts hand it to a shell unquoted"),
]
Fraction = Annotated[float, Field(gt=0, le=1)]

OWN_BODY_KEYS = frozenset(
    {"model", "messages", "prompt", "stream", "stream_options", "max_tokens", "max_completion_tokens"}
    | {"min_tokens", "ignore_eos", "n", "return_token_ids", "temperature"}
)
"""What sparktui sets itself in every request, or has an option for."""


def base_url(url: str) -> str:
    """Return a server's base address as it is, if it is one and holds no secret."""
    try:
        parts = urlsplit(url)
        usable = parts.port is None or parts.port > 0
        check_host(parts.hostname or "")
    except ValueError:
        usable = False
    if not usable or parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[\s\x00-\x1f]", url):
        raise ValueError("expected an address such as http://127.0.0.1:8000")
    if parts.username or parts.password:
        raise ValueError("expected no password in the address: name a variable in api_key_env instead")
    if parts.query or parts.fragment:
        raise ValueError("expected a base address, without ? or #")
    return url


def without_secrets(env: dict[str, str]) -> dict[str, str]:
    """Return what is put into an environment, if no name says of its value that it is a secret."""
    if named := sorted(name for name, value in env.items() if value and names_a_secret(name)):
        raise ValueError(
            f"expected no {', '.join(named)}: {WHY}; set it on the node itself, "
            "and name it in pass_env where containers need it"
        )
    return env


def without_own_keys(body: dict[str, object]) -> dict[str, object]:
    """Return further keys of a request body, if none of them is sparktui's to set."""
    if taken := sorted(OWN_BODY_KEYS & body.keys()):
        raise ValueError(f"expected no {', '.join(taken)}: sparktui sets that itself")
    return body


def rising(levels: tuple[int, ...]) -> tuple[int, ...]:
    """Return concurrency levels, if they rise without repeats."""
    if list(levels) != sorted(set(levels)):
        raise ValueError("expected rising levels without repeats, such as [1, 2, 4, 8]")
    return levels
