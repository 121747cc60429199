"""The curl lines of the API's description, run as they stand but for host, key and ids."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.contract.curl_lines import HOST, KEYS, LINES, Line
from tests.contract.sections import Told
from tests.contract.world import Here, World


@pytest.mark.parametrize("line", LINES, ids=[f"{line.section} {line.number}: {line.status}" for line in LINES])
def test_curl_line(contract: World, told: dict[str, Told], tmp_path: Path, line: Line) -> None:
    (tmp_path / "test.csv").write_text("name,x,y\na,1,2\n")
    here = Here(contract)
    command = runnable(told[line.section].curls[line.number].text, line, here)
    done = subprocess.run(
        ["bash", "-c", command + " -sS -o answer -w '%{http_code}'"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    body = (tmp_path / "answer").read_text() if (tmp_path / "answer").exists() else ""
    assert done.stdout == str(line.status), (command, done.stderr, body[:500])
    assert re.search(here.fill(line.says), body), (command, body[:500])
    if line.status == 204:
        assert body == ""
    elif "storage" not in line.section:
        json.loads(body)


def runnable(text: str, line: Line, here: Here) -> str:
    """The line for this server and world."""
    for before, after in line.swaps:
        assert before in text, (before, text)
        # What the text itself has in braces is not ours to fill.
        text = text.replace(before, here.fill(after))
    key = here.world.caller(line.by).key
    assert key is not None
    told_key = next((one for one in KEYS if one in text), None)
    text = text.replace(told_key, key) if told_key else text.replace("curl ", f'curl -H "API-Key: {key}" ', 1)
    return text.replace(HOST, here.world.server.url)


def test_every_line_is_run(told: dict[str, Told]) -> None:
    run = {(line.section, line.number) for line in LINES}
    assert run == {(section, number) for section, has in told.items() for number in range(len(has.curls))}
