"""Silence for the libraries' warnings."""

from __future__ import annotations

import threading
import warnings


class _Hush:
    """Keeps GDAL's warnings, which name paths of the server, from Python's; counted, for threads share the filters."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._depth = 0
        self._caught: warnings.catch_warnings[None] | None = None

    def __enter__(self) -> None:
        with self._lock:
            self._depth += 1
            if self._depth == 1:
                self._caught = warnings.catch_warnings()
                self._caught.__enter__()
                warnings.simplefilter("ignore")

    def __exit__(self, *exc: object) -> None:
        with self._lock:
            self._depth -= 1
            if self._depth == 0 and self._caught is not None:
                self._caught.__exit__(None, None, None)
                self._caught = None


hush = _Hush()
