"""The pages of documentation say what is so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from graticule.settings import Settings
from tests.docs.settings_page import page

ROOT = Path(__file__).parents[2]


def test_the_page_of_settings_is_current() -> None:
    """To write it anew: python -m tests.docs.settings_page"""
    assert (ROOT / "docs" / "settings.md").read_text() == page()


def test_every_setting_is_told() -> None:
    for name in Settings.model_fields:
        assert f"`GRATICULE_{name.upper()}`" in page()


def test_every_dependency_has_a_reason() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {re.split(r"[\[<>=~! ]", one)[0] for one in declared}
    reasons = (ROOT / "docs" / "architecture.md").read_text().partition("## Dependencies")[2]
    assert {name for name in names if f"`{name}`" not in reasons} == set()


def test_every_dependency_is_used() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    modules = {"argon2-cffi": "argon2", "python-multipart": "python_multipart"}
    source = "\n".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    # What uvicorn and huey load themselves.
    by_name = {"redis": "RedisHuey", "httptools": 'http="httptools"', "uvloop": 'loop="uvloop"'}
    for one in declared:
        name = re.split(r"[\[<>=~! ]", one)[0]
        module = modules.get(name, name.replace("-", "_"))
        assert by_name.get(name, "\0") in source or re.search(rf"(import|from) {module}\b", source), name
