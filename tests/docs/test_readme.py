"""The README's examples, run as they stand, print what they say."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from tests.server import PASSWORD, Server

README = Path(__file__).parents[2] / "README.md"
SEPARATOR = "=== next ==="


@dataclass
class Example:
    """A command, which may go over several lines, and what it prints."""

    command: str
    printed: str


def examples(text: str) -> list[Example]:
    """The commands of all ``console`` blocks: from a ``$`` to the next, continued by lines that are indented."""
    found: list[Example] = []
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(Example(line[2:], ""))
            elif line.startswith("  "):
                found[-1].command += "\n" + line
            else:
                found[-1].printed += line + "\n"
    return found


def test_the_first_ten_minutes(server: Server, data_dir: Path, tmp_path: Path) -> None:
    told = examples(README.read_text())
    assert len(told) > 20
    with server.new_user() as user:
        name = user.username
    script = "set -eu\n" + f"\necho; echo '{SEPARATOR}'\n".join(one.command for one in told)
    script = script.replace("api-username: admin", f"api-username: {name}")
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=os.environ | {"URL": server.url, "PASSWORD": PASSWORD, "FILES": str(data_dir)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    printed = done.stdout.split(SEPARATOR)
    assert len(printed) == len(told)
    for one, output in zip(told, printed, strict=True):
        assert output.split() == one.printed.split(), one.command
    for picture in ("world.png", "europe.png"):
        with Image.open(tmp_path / picture) as opened:
            assert opened.size == (1024, 768)


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(((?!http)[^)]+)\)", README.read_text()))))
def test_links_lead_somewhere(target: str) -> None:
    assert (README.parent / target).exists()
