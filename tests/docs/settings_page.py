"""Writes docs/settings.md from the settings themselves: ``python -m tests.docs.settings_page``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from graticule.settings import Settings

HEAD = """# Settings

Every setting is an environment variable. `graticule serve` takes the most used ones as options, too, which count more.

| variable | default | what it is |
|---|---|---|
"""


def page() -> str:
    """The page as it should be."""
    rows = (
        f"| `GRATICULE_{name.upper()}` | {shown(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    )
    return HEAD + "\n".join(rows) + "\n"


def shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, dict):
        return ", ".join(f"`{name}`" for name in value)
    return f"`{json.dumps(value) if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    (Path(__file__).parents[2] / "docs" / "settings.md").write_text(page())
