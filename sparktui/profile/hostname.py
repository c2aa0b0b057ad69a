"""Which hosts of an address can be asked: all that load and watch with have to take the name."""

from __future__ import annotations

INTERNATIONAL = "xn--"
"""What a name begins with that stands for one in another script."""


def check_host(host: str) -> None:
    """Refuse a host that nothing can be sent to.

    Raises:
        ValueError: It is not ASCII, too long, or stands for no name at all.
    """
    host.encode("ascii")
    host.encode("idna")
    if host.startswith(INTERNATIONAL):
        import httpx  # takes longer to import than all else here, and few hosts are called so

        _ = httpx.URL(scheme="http", host=host).host  # reads it back whenever something is sent
