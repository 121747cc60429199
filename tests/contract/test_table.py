"""Every call of the API and every parameter of it, as the table has them, through HTTP."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.answers import refused
from tests.contract.answers import Answers
from tests.contract.case import Case
from tests.contract.routes import has_route
from tests.contract.table import CASES
from tests.contract.world import Here, World

PAGES = ".iframe"


def parameter(case: Case) -> object:
    """The case under its name; expected to fail where something of it is owed."""
    marks = [pytest.mark.xfail(reason=case.owed, strict=True)] if case.owed else []
    return pytest.param(case, id=case.name, marks=marks)


@pytest.mark.parametrize("case", [parameter(case) for case in CASES])
def test_case(contract: World, answers: Answers, case: Case) -> None:
    if not has_route(case):
        pytest.fail(f"There is no route {case.section}.", pytrace=False)
    here = Here(contract)
    for name in case.needs.split():
        here.thing(name)
    answer = call(here, case)
    here.answered = True
    assert answer.status_code == case.status, answer.text[:500]
    if case.status >= 400 and PAGES not in case.path:
        refused(answer, case.status, case.field)
    answers.check(case, answer)
    for name, pattern in case.headers.items():
        assert re.fullmatch(pattern, answer.headers.get(name, "(none)")), (name, answer.headers.get(name))
    for check in case.check:
        check(answer, here)
    for follow in case.then:
        method, path, status, *by = follow.split(" ")
        after = contract.caller(by[0] if by else case.by).request(method, here.fill(path))
        assert after.status_code == int(status), (follow, after.text[:500])


def call(here: Here, case: Case) -> httpx.Response:
    """The answer to a case's call."""
    send = here.fill(case.send)
    raw = {"content": send} if isinstance(case.send, (str, bytes)) else {"json": send} if send is not None else {}
    return here.world.caller(case.by).request(
        case.method,
        here.fill(case.path),
        headers={name: here.fill(value) for name, value in case.sent_headers.items()},
        data=here.fill(dict(case.form)) if case.form else None,
        files=dict(case.files) if case.files else None,
        **raw,
    )
