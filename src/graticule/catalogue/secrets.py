"""Keys, session values and passwords: how they are made, looked up and kept."""

from __future__ import annotations

import base64
import hashlib
import secrets
from functools import cache
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.fernet import Fernet

from graticule.catalogue.sqlite import exclusive

if TYPE_CHECKING:
    from graticule.settings import Settings

_HASHER = PasswordHasher()


def new_key() -> str:
    """An API key: 32 hexadecimal characters."""
    return secrets.token_hex(16)


def new_session_value() -> str:
    """What a browser's cookie or an ``api-sessid`` holds."""
    return secrets.token_urlsafe(32)


def lookup_hash(value: str) -> str:
    """By what a key or a session is found. The values are random and long, so a plain hash is enough."""
    return hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()


def hash_password(password: str) -> str:
    return _HASHER.hash(password)


@cache
def _nobodys_hash() -> str:
    """Verified when there is no such user, so that the answer takes as long as for one that exists."""
    return _HASHER.hash("nobody")


def password_matches(password: str, password_hash: str | None) -> bool:
    """Whether the password is the one; takes as long for a user who has none."""
    try:
        return _HASHER.verify(password_hash or _nobodys_hash(), password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


class KeyBox:
    """Encrypts API keys, which their owners may read again, with the installation's secret."""

    def __init__(self, secret: str) -> None:
        digest = hashlib.sha256(b"graticule keys" + secret.encode()).digest()
        self._fernet = Fernet(base64.urlsafe_b64encode(digest))
        # Tells installations from each other, and nothing of the secret.
        self.fingerprint = hashlib.sha256(b"graticule installation" + digest).hexdigest()

    def lock(self, value: str) -> str:
        return self._fernet.encrypt(value.encode()).decode()

    def unlock(self, locked: str) -> str:
        return self._fernet.decrypt(locked.encode()).decode()


def installation_secret(settings: Settings) -> str:
    """The secret from the settings, or the one kept in the data directory, made there when it is missing."""
    if settings.secret is not None:
        return settings.secret.get_secret_value()
    path = settings.data / "secret"
    with exclusive(settings.data / "secret.lock"):
        if not path.exists():
            draft = path.with_suffix(".new")
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_hex(32))
            draft.rename(path)
    return path.read_text()
