"""Imports go down the page of docs/architecture.md only."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_imports_keep_their_direction() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter], cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
