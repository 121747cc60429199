"""Asking servers of others: from an address that was checked, within a time, up to a size."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin, urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from graticule import __version__
from graticule.addresses import Unreachable, address_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from urllib3.response import HTTPResponse

AGENT = f"Graticule/{__version__}"
MOST_REDIRECTS = 3
REDIRECTS = frozenset({301, 302, 303, 307, 308})
PIECE = 1024**2
IN_PATHS = "/%:@!$&'()*+,;=~[]{}|"
# After a server has let somebody wait in vain, it is not asked for so many seconds: who waits holds a thread.
REST = 10.0

_resting: dict[str, float] = {}


class Unfetchable(Exception):
    """Something that is not to be had; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms something is fetched.

    ``timeout`` is in seconds for each step, ``total`` for all together (None: the same). ``largest`` is in bytes.
    ``private`` allows addresses of the machine's own networks, which a map's author must else not reach through us.
    """

    timeout: float
    largest: int
    private: bool = False
    accept: str = "*/*"
    total: float | None = None
    redirects: int = MOST_REDIRECTS


def fetch(url: str, terms: Terms) -> bytes:
    """What is at an address. Raises ``Unfetchable``."""
    with _answer(url, terms, terms.redirects) as answer:
        body = answer.read(terms.largest + 1)
    if len(body) > terms.largest:
        raise Unfetchable(f"{urlsplit(url).hostname} answers with too much")
    return body


def fetch_to(url: str, path: Path, terms: Terms) -> int:
    """The same into a file; answers its size. Raises ``Unfetchable``."""
    size = 0
    with path.open("wb") as file, _answer(url, terms, terms.redirects) as answer:
        while piece := answer.read(PIECE):
            size += len(piece)
            if size > terms.largest:
                raise Unfetchable(f"{urlsplit(url).hostname} answers with too much")
            file.write(piece)
    return size


@contextmanager
def _answer(url: str, terms: Terms, redirects: int) -> Iterator[HTTPResponse]:
    """The answer with status 200, ready to be read; failures while it is read are ``Unfetchable``, too."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise Unfetchable("this is no address") from error
    server = f"{host}:{port}"
    _check_rested(server)
    began = time.monotonic()
    try:
        with _connected(url, host, port, terms) as connection:
            path = quote(parts.path or "/", safe=IN_PATHS)
            path += f"?{quote(parts.query, safe=IN_PATHS + '?')}" if parts.query else ""
            headers = {"User-Agent": AGENT, "Accept": terms.accept, "Host": parts.netloc.rpartition("@")[2]}
            connection.request("GET", path, headers=headers, preload_content=False, decode_content=False)
            answer = connection.getresponse()
            target = answer.headers.get("Location")
            if answer.status not in REDIRECTS or not target or not redirects:
                if answer.status != 200:
                    raise Unfetchable(f"{host} answers {answer.status}")
                yield answer
                return
    except (urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError) as error:
        if time.monotonic() - began > 0.8 * terms.timeout:
            _resting[server] = time.monotonic() + REST
        raise Unfetchable(f"{host} does not answer") from error
    with _answer(_redirected(url, target), terms, redirects - 1) as redirected:
        yield redirected


def _redirected(url: str, target: str) -> str:
    try:
        joined = urljoin(url, target)
        scheme = urlsplit(joined).scheme
    except ValueError:
        scheme = ""
    if scheme not in ("http", "https"):
        raise Unfetchable(f"{urlsplit(url).hostname} points to something that is no web address")
    return joined


def _check_rested(server: str) -> None:
    until = _resting.get(server)
    if until is not None and time.monotonic() < until:
        raise Unfetchable(f"{server} did not answer a moment ago")
    _resting.pop(server, None)


@contextmanager
def _connected(url: str, host: str, port: int, terms: Terms) -> Iterator[HTTPConnection]:
    secure = url.lower().startswith("https:")
    options: dict[str, Any] = {"server_hostname": host, "assert_hostname": host} if secure else {}
    kind = HTTPSConnection if secure else HTTPConnection
    try:
        address = address_of(host, port, private=terms.private)
    except Unreachable as error:
        raise Unfetchable(str(error)) from error
    with closing(kind(address, port, timeout=terms.timeout, **options)) as connection:
        connection.connect()
        with _ended_after(terms.total or terms.timeout, connection.sock):
            yield connection


@contextmanager
def _ended_after(seconds: float, connection: socket.socket) -> Iterator[None]:
    """End the connection after that time: the timeout of a socket begins anew with every byte that drips in."""

    def end() -> None:
        with suppress(OSError):  # the other side was faster
            connection.shutdown(socket.SHUT_RDWR)

    watch = threading.Timer(seconds, end)
    watch.start()
    try:
        yield
    finally:
        watch.cancel()
