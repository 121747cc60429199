"""Which addresses of others may be asked: those of the whole internet, and of private networks only if that is set."""

from __future__ import annotations

import ipaddress
import socket


class Unreachable(Exception):
    """A host that is not known, or must not be asked; the sentence says which."""


def address_of(host: str, port: int, *, private: bool) -> str:
    """The address to connect to: looked up once, checked, and then used, so that it cannot change in between.

    Raises ``Unreachable``.
    """
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"{host} is not known") from error
    if not private and not all(is_public(address) for address in found):
        raise Unreachable(f"{host} is in a private network")
    return sorted(found, key=lambda address: ":" in address)[0]


def is_public(address: str) -> bool:
    """Whether an IP address is one of the whole internet's."""
    return ipaddress.ip_address(address.partition("%")[0]).is_global


def is_private(host: str) -> bool:
    """Whether a host is, by name or number, in a private network; one that is not known is not."""
    try:
        return not all(is_public(str(entry[4][0])) for entry in socket.getaddrinfo(host, None))
    except (OSError, UnicodeError):
        return False
