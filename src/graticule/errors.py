"""The errors of Graticule. They know no HTTP; ``api/errors.py`` holds the table that gives each its status."""

from __future__ import annotations

from typing import Any


class GraticuleError(Exception):
    """Something a person can act on.

    ``message`` is a sentence for a person. ``field``, ``value`` and ``expected`` are set where one field is at
    fault: its name, what was sent, and what would be right.
    """

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        value: Any = None,
        expected: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.value = value
        self.expected = expected


class BadRequest(GraticuleError):
    """What was sent cannot be used."""


class Unauthorized(GraticuleError):
    """The token that was sent does not hold, or not any more."""


class Forbidden(GraticuleError):
    """The caller may see the thing, but not do this to it; or must sign in first."""


class NotFound(GraticuleError):
    """There is no such thing, or the caller may not know of it."""


class MethodNotAllowed(GraticuleError):
    """The thing is there, but does not take this verb."""


class NotAcceptable(GraticuleError):
    """The thing cannot be had in the format that was asked for."""


class Conflict(GraticuleError):
    """The state of things stands against it: a name that is taken, a table that is in use."""


class PreconditionFailed(GraticuleError):
    """The thing has changed since the caller last saw it."""


class PayloadTooLarge(GraticuleError):
    """More was sent than a limit in the settings allows."""


class UnsupportedMediaType(GraticuleError):
    """A body of a kind that this call does not take."""


class TooManyRequests(GraticuleError):
    """The caller must wait ``retry_after`` seconds."""

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(GraticuleError):
    """Not now: busy, or out of disk space. Worth another try after ``retry_after`` seconds."""

    def __init__(self, message: str, *, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after
